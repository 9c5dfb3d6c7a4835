package detect

import (
	"math"
	"slices"
	"strconv"
	"time"

	"wardwatch/watch"
	"wardwatch/watch/detect/indicators"
	"wardwatch/watch/detect/sigma"
)

// Options are what a Detector looks for.
type Options struct {
	Rules *sigma.Set // required
	// Engine holds records against the rules; nil: one that is compiled of them.
	Engine sigma.Engine
	// Indicators are what is known of attackers; nil: nothing.
	Indicators *indicators.Index
	// Correlator bounds what is remembered for correlations.
	Correlator sigma.CorrelatorOptions
}

// A Detector asks of each record what it shows: the rules that it fulfils, and the correlations that come true with it. For
// one goroutine at a time; the rules may be shared by many Detectors.
type Detector struct {
	rules      *sigma.Set
	engine     sigma.Engine
	indicators *indicators.Index
	correlator *sigma.Correlator // nil where no rule asks for one
	techniques [][]string        // by rule, then by correlation
	hits       []int
	known      []indicators.Hit
	looked     int64
	files      []string // that correlations may still speak of
	number     map[string]int
}

// New makes a Detector.
func New(o Options) *Detector {
	d := &Detector{rules: o.Rules, engine: o.Engine, indicators: o.Indicators, number: map[string]int{}}
	if d.engine == nil {
		d.engine = sigma.Compile(o.Rules).Engine()
	}
	if len(o.Rules.Correlations) > 0 {
		d.correlator = sigma.NewCorrelator(o.Rules, o.Correlator)
	}
	for _, r := range o.Rules.Rules {
		d.techniques = append(d.techniques, Techniques(r.Tags))
	}
	for _, c := range o.Rules.Correlations {
		d.techniques = append(d.techniques, Techniques(c.Tags))
	}
	return d
}

// Look appends to found what the record shows. Of the event the file and the record's number are the caller's; what the record
// itself says is filled in here. Nothing that is found points into the record.
func (d *Detector) Look(r *watch.Record, at Event, found []Detection) []Detection {
	d.hits = d.engine.Match(r, d.hits[:0])
	if e, counts := d.engine.(interface{ Looked() int }); counts {
		d.looked += int64(e.Looked())
	}
	if d.indicators != nil {
		d.known = d.indicators.Look(r, d.known[:0])
	}
	if len(d.hits)+len(d.known) == 0 {
		return found
	}
	at = describe(r, at)
	for _, hit := range d.hits {
		rule := d.rules.Rules[hit]
		if rule.Quiet {
			continue
		}
		found = append(found, Detection{
			Kind: ByRule, Rule: rule.ID, Origin: rule.File, Title: rule.Title, Level: rule.Level, Techniques: d.techniques[hit], Event: at,
			Matched: matched(sigma.Explain(rule, r, d.rules.Names)),
		})
	}
	for i := range d.known {
		found = append(found, met(&d.known[i], at))
	}
	if d.correlator == nil {
		return found
	}
	return d.correlated(d.correlator.Observe(r, d.hits, d.place(at)), found)
}

// met is an indicator in an event. On a warning list it is of no weight by itself: every honest machine shows such values.
func met(h *indicators.Hit, at Event) Detection {
	i := h.Indicator()
	f := Detection{
		Kind: ByIndicator, Title: "Known to be an attacker's: " + string(i.Kind) + " " + i.Value, Level: "high", Event: at,
		Matched: []Matched{{string(h.Field), string(h.Value)}},
		Indicator: &Known{
			Type: string(i.Kind), Value: i.Value, Source: i.Source, Grade: string(i.Grade), TLP: string(i.TLP), Warning: h.Warned,
		},
	}
	if h.Warned != "" {
		f.Level = "informational"
	}
	return f
}

// End says what only the end of the records decides: what a correlation waited for and did not come.
func (d *Detector) End(found []Detection) []Detection {
	if d.correlator == nil {
		return found
	}
	return d.correlated(d.correlator.Flush(), found)
}

// Advance says what the end of windows before that time decides, though no later record has come.
func (d *Detector) Advance(at time.Time, found []Detection) []Detection {
	if d.correlator == nil {
		return found
	}
	return d.correlated(d.correlator.Advance(at), found)
}

// Looked is how many times a rule was looked at, of as many times as there were records and rules; 0 where the engine does not
// count.
func (d *Detector) Looked() int64 { return d.looked }

// Forgotten is how many records correlations had to forget before their time, for want of room.
func (d *Detector) Forgotten() int {
	if d.correlator == nil {
		return 0
	}
	return d.correlator.Stats().Evicted
}

func (d *Detector) correlated(all []sigma.Correlated, found []Detection) []Detection {
	for _, one := range all {
		c := d.rules.Correlations[one.Correlation]
		if c.Quiet {
			continue
		}
		f := Detection{
			Kind: ByCorrelation, Rule: c.ID, Origin: c.File, Title: c.Title, Level: c.Level,
			Techniques: d.techniques[len(d.rules.Rules)+one.Correlation],
		}
		for i, name := range c.GroupBy {
			f.Matched = append(f.Matched, Matched{name, one.Group[i]})
		}
		f.Measure = Matched{c.Kind.String(), strconv.FormatFloat(math.Round(one.Number*1000)/1000, 'f', -1, 64)}
		for _, place := range one.Records {
			f.Records = append(f.Records, d.named(place))
		}
		if n := len(f.Records); n > 0 {
			f.Event = Event{File: f.Records[n-1].File, Record: f.Records[n-1].Record}
		}
		if one.At.Year() > 1 {
			f.Event.Time, f.Since = one.At, one.Since
		}
		f.Event.Said = one.At.Format(time.RFC3339)
		found = append(found, f)
	}
	return found
}

// A place is a record as the correlator carries it: the number of its file above, its own number below.
const placeBits = 40

func (d *Detector) place(at Event) int {
	n, known := d.number[at.File]
	if !known {
		n = len(d.files)
		d.files, d.number[at.File] = append(d.files, at.File), n
	}
	return n<<placeBits | at.Record
}

func (d *Detector) named(place int) Place {
	return Place{d.files[place>>placeBits], place & (1<<placeBits - 1)}
}

func matched(explained []sigma.Matched) []Matched {
	out := make([]Matched, len(explained))
	for i, m := range explained {
		out[i] = Matched(m)
	}
	return out
}

// hosts are the fields by which records name the machine that they are about, the surest first.
var hosts = []string{
	"Computer", "host.name", "host.hostname", "Hostname", "ComputerName", "DeviceName", "MachineName", "s-computername", "dvchost", "devname", "agent.hostname",
	"agent.name",
}

// describe fills in what the record itself says of the event.
func describe(r *watch.Record, at Event) Event {
	at.Said, at.Raw = string(r.Time), slices.Clone(r.Raw)
	if when, ok := watch.When(r.Time); ok && when.Year() > 1 { // a time without a year is no date
		at.Time = when
	}
	for _, name := range hosts {
		for i := range r.Values {
			if v := &r.Values[i]; len(v.Text) > 0 && watch.SameName(name, v.Name) {
				at.Host = string(v.Text)
				return at
			}
		}
	}
	return at
}
