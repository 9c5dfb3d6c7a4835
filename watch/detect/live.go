package detect

import (
	"time"

	"wardwatch/watch"
	"wardwatch/watch/detect/indicators"
	"wardwatch/watch/detect/sigma"
)

// late is how long after a newer event of the same organisation an older one may come and still count in a correlation.
const late = 10 * time.Minute

// A Live holds the events of one reader against rules and indicators, each organisation's by themselves: what correlations remember of one
// never counts for another. For one goroutine at a time.
type Live struct {
	program    *sigma.Program
	rules      *sigma.Set
	indicators *indicators.Index
	of         map[string]*Detector // by organisation
}

// NewLive makes a Live. x may be nil.
func NewLive(rules *sigma.Set, program *sigma.Program, x *indicators.Index) *Live {
	return &Live{program: program, rules: rules, indicators: x, of: map[string]*Detector{}}
}

// Advance says what the passing of time decides for each organisation, for which give is called with what was found.
func (l *Live) Advance(now time.Time, give func(org string, found []Detection)) {
	for org, d := range l.of {
		if found := d.Advance(now, nil); len(found) > 0 {
			give(org, found)
		}
	}
}

// Look appends to found what the record of an organisation shows.
func (l *Live) Look(org string, r *watch.Record, at Event, found []Detection) []Detection {
	d := l.of[org]
	if d == nil {
		d = New(Options{Rules: l.rules, Engine: l.program.Engine(), Indicators: l.indicators, Correlator: sigma.CorrelatorOptions{Late: late}})
		l.of[org] = d
	}
	return d.Look(r, at, found)
}
