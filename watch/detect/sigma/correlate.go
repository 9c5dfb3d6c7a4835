package sigma

import (
	"container/list"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"wardwatch/watch"
)

// CorrelatorOptions bound what a Correlator remembers. The zero options are for files, which may come in any order.
type CorrelatorOptions struct {
	// Records is how many records are remembered at once, by default 262,144. Where more are wanted, the group that was
	// touched least recently is forgotten, and counted.
	Records int
	// GroupRecords is how many of them one group may have, by default 4,096, and at least twice what its correlation counts
	// up to. Where there are more, the oldest is forgotten, and counted: who floods one group does not empty the others.
	GroupRecords int
	// Late is how long after a newer record an older one may still come. 0: any time, and then what only the end of a window
	// can decide is decided by Flush.
	Late time.Duration
}

// A Correlator holds what rules have matched, record after record, against correlations. Time is that of the records.
//
// A window of a correlation is a stretch of its timespan, both ends in it. What more records can only make truer (more than
// so many records, distinct values, different rules, a sum above so much) is decided with each record, for the windows that
// it is part of, and reported once for all windows that overlap. What more records can undo (fewer than, exactly, on average)
// is decided when the window is over: it opens with the first record of a group, the next one with the first after it. Of
// ValueShare, which is about the newest record, each is decided for itself.
//
// A record that lacks a field of group-by, or the value looked at, is no part of any window. Values are the same when they
// differ only in case. A Correlator is used by one goroutine at a time.
type Correlator struct {
	set       *Set
	options   CorrelatorOptions
	ofRule    [][]use         // by rule: who refers to it
	ofOther   [][]use         // by correlation
	lag       []time.Duration // by correlation: how long those that it refers to may take to be decided
	groups    []map[string]*group
	recent    *list.List // of *group, the one touched last in front
	newest    time.Time
	lastSwept time.Time
	sequence  int
	stats     CorrelatorStats
}

// CorrelatorStats count what a Correlator holds and what it could not hold.
type CorrelatorStats struct {
	Records   int // held now
	Groups    int // held now
	Evicted   int // records forgotten before their time, for want of room
	Late      int // records that came too late
	Timeless  int // records without a time that can be read: they count as the newest
	Ungrouped int // records without a field that a correlation groups by or looks at
}

// Correlated is a correlation that has come true.
type Correlated struct {
	Correlation int      // place in Set.Correlations
	Group       []string // the values of GroupBy, as first written
	Since, At   time.Time
	Number      float64 // what was compared: how many records, distinct values, rules; the sum, the mean
	// Records are what the caller called the records in the window, oldest first. For a correlation that is referred to it
	// is the record that completed it.
	Records []int
}

type use struct{ correlation, ref int }

// A group is what is remembered of one correlation and one combination of the values of its group-by.
type group struct {
	correlation int
	key         string
	values      []string
	entries     []entry     // in the order of time, then of arrival
	reported    []time.Time // ends of windows
	place       *list.Element
}

// An entry is what is remembered of a record.
type entry struct {
	at       time.Time
	sequence int
	record   int
	refs     []int
	texts    []string  // folded, for ValueCount and ValueShare
	numbers  []float64 // for the sums
}

// An input is a record or a correlation that has come true, as other correlations see it.
type input struct {
	at     time.Time
	record int
	field  func(name string) []string
}

// NewCorrelator makes one for the correlations of the set.
func NewCorrelator(s *Set, o CorrelatorOptions) *Correlator {
	if o.Records <= 0 {
		o.Records = 1 << 18
	}
	if o.GroupRecords <= 0 {
		o.GroupRecords = 1 << 12
	}
	c := &Correlator{
		set: s, options: o, recent: list.New(),
		ofRule: make([][]use, len(s.Rules)), ofOther: make([][]use, len(s.Correlations)),
	}
	for i, correlation := range s.Correlations {
		c.groups = append(c.groups, map[string]*group{})
		c.lag = append(c.lag, 0)
		for j, ref := range correlation.Refs {
			if ref.Correlation >= 0 {
				c.ofOther[ref.Correlation] = append(c.ofOther[ref.Correlation], use{i, j})
				c.lag[i] = max(c.lag[i], c.lag[ref.Correlation]+s.Correlations[ref.Correlation].delay())
			} else {
				c.ofRule[ref.Rule] = append(c.ofRule[ref.Rule], use{i, j})
			}
		}
	}
	return c
}

// Stats counts what the Correlator holds.
func (c *Correlator) Stats() CorrelatorStats {
	c.stats.Groups = c.recent.Len()
	return c.stats
}

// Observe takes a record and the places of the rules that it fulfils, all of them, and says what has come true with it,
// correlations that are quiet too. What the caller calls the record comes back in Correlated.Records.
func (c *Correlator) Observe(r *watch.Record, hits []int, record int) []Correlated {
	var uses []use
	for _, hit := range hits {
		uses = append(uses, c.ofRule[hit]...)
	}
	if len(uses) == 0 {
		return nil
	}
	at, ok := watch.When(r.Time)
	if !ok {
		c.stats.Timeless++
		at = c.newest
	}
	if c.options.Late > 0 && at.Before(c.newest.Add(-c.options.Late)) {
		c.stats.Late++
		return nil
	}
	s := subject{r, c.set.Names}
	in := input{at, record, func(name string) []string {
		var texts []string
		for _, v := range s.texts(name) {
			texts = append(texts, string(v.Text))
		}
		return texts
	}}
	return append(c.take(in, uses), c.Advance(at)...)
}

// Advance says that the time has come to at, even where no record says so: windows that are over are decided, what is too
// old to matter is forgotten. Without CorrelatorOptions.Late nothing is ever over.
func (c *Correlator) Advance(at time.Time) []Correlated {
	if at.After(c.newest) {
		c.newest = at
	}
	late := c.options.Late
	if late == 0 || c.newest.Sub(c.lastSwept) < late/16 {
		return nil
	}
	c.lastSwept = c.newest
	return c.sweep(c.newest.Add(-late))
}

// Flush decides every window that is still open, as at the end of the records, and forgets everything.
func (c *Correlator) Flush() []Correlated {
	return c.sweep(time.Unix(1<<40, 0)) // in 36,812
}

// sweep decides the windows that end before the given time, and forgets what can be in none that ends later.
func (c *Correlator) sweep(before time.Time) []Correlated {
	var found []Correlated
	for i, correlation := range c.set.Correlations {
		before := before.Add(-c.lag[i])
		keys := make([]string, 0, len(c.groups[i]))
		for key := range c.groups[i] {
			keys = append(keys, key)
		}
		slices.Sort(keys) // the same order each time
		for _, key := range keys {
			g := c.groups[i][key]
			if g == nil { // evicted for what the others have led to
				continue
			}
			if correlation.patient() {
				found = append(found, c.closeWindows(g, before)...)
			} else {
				c.forget(g, before.Add(-correlation.Timespan))
			}
			if len(g.entries) == 0 {
				c.drop(g)
			}
		}
	}
	return found
}

// take gives an input to the correlations that refer to it, and what comes true to those that refer to that.
func (c *Correlator) take(in input, uses []use) []Correlated {
	var found []Correlated
	for len(uses) > 0 {
		i := uses[0].correlation
		var refs []int
		uses = slices.DeleteFunc(slices.Clone(uses), func(u use) bool {
			if u.correlation == i {
				refs = append(refs, u.ref)
			}
			return u.correlation == i
		})
		for _, one := range c.takeOne(i, in, refs) {
			found = append(found, one)
			found = append(found, c.tell(one)...)
		}
	}
	return found
}

// tell gives a correlation that has come true to those that refer to it.
func (c *Correlator) tell(one Correlated) []Correlated {
	uses := c.ofOther[one.Correlation]
	if len(uses) == 0 {
		return nil
	}
	names := c.set.Correlations[one.Correlation].GroupBy
	return c.take(input{one.At, one.Records[len(one.Records)-1], func(name string) []string {
		for i, n := range names {
			if watch.SameName(n, []byte(name)) {
				return one.Group[i : i+1]
			}
		}
		return nil
	}}, uses)
}

// takeOne gives an input to one correlation, which refers to it in the given places.
func (c *Correlator) takeOne(i int, in input, refs []int) []Correlated {
	correlation := c.set.Correlations[i]
	c.sequence++
	e := entry{at: in.at, sequence: c.sequence, record: in.record}
	if !e.look(correlation, in) {
		c.stats.Ungrouped++
		return nil
	}
	var touched []*group
	for _, ref := range refs {
		combinations := combine(in, correlation.Refs[ref].Fields)
		if len(combinations) == 0 {
			c.stats.Ungrouped++
		}
		for _, values := range combinations {
			g := c.touch(i, values)
			if !slices.Contains(touched, g) {
				touched = append(touched, g)
				c.insert(g, e)
			}
			place, _ := g.find(e)
			g.entries[place].refs = append(slices.Clone(g.entries[place].refs), ref)
		}
	}
	var found []Correlated
	for _, g := range touched {
		if !correlation.patient() {
			found = append(found, c.decide(g, e)...)
		}
		c.trim(g)
	}
	return found
}

// look reads the value that the correlation looks at, and says whether there is one where one is needed.
func (e *entry) look(c *Correlation, in input) bool {
	switch c.Kind {
	case ValueCount, ValueShare:
		for _, values := range combine(in, c.Fields) {
			e.texts = append(e.texts, key(values))
		}
		return len(e.texts) > 0
	case ValueSum, ValueAvg, ValuePercentile, ValueMedian:
		for _, name := range c.Fields {
			for _, text := range in.field(name) {
				if n, ok := number([]byte(text)); ok {
					e.numbers = append(e.numbers, n)
				}
			}
		}
		return len(e.numbers) > 0
	case EventCount, Temporal, TemporalOrdered:
	}
	return true
}

// combine is every combination of one value for each of the names: one for most records, none where a field is missing.
func combine(in input, names []string) [][]string {
	const most = 64 // two lists of eight
	combinations := [][]string{nil}
	for _, name := range names {
		var longer [][]string
		for _, values := range combinations {
			for _, value := range in.field(name) {
				if len(longer) < most {
					longer = append(longer, append(slices.Clone(values), value))
				}
			}
		}
		combinations = longer
	}
	return combinations
}

// key is one text for values that differ only in case.
func key(values []string) string {
	var b strings.Builder
	for _, value := range values {
		folded := watch.Fold(nil, []byte(value))
		b.WriteString(strings.ReplaceAll(string(folded), "\x00", "\x00\x01"))
		b.WriteString("\x00\x00")
	}
	return b.String()
}

func (c *Correlator) touch(correlation int, values []string) *group {
	k := key(values)
	g := c.groups[correlation][k]
	if g == nil {
		g = &group{correlation: correlation, key: k, values: values}
		g.place = c.recent.PushFront(g)
		c.groups[correlation][k] = g
	}
	c.recent.MoveToFront(g.place)
	return g
}

func (c *Correlator) insert(g *group, e entry) {
	place, _ := g.find(e)
	g.entries = slices.Insert(g.entries, place, e)
	c.stats.Records++
}

// find is where an entry stands, or should.
func (g *group) find(e entry) (int, bool) {
	return slices.BinarySearchFunc(g.entries, e, func(a, b entry) int {
		if order := a.at.Compare(b.at); order != 0 {
			return order
		}
		return a.sequence - b.sequence
	})
}

// trim keeps the group, and all groups together, within their bounds.
func (c *Correlator) trim(g *group) {
	most := c.options.GroupRecords
	for _, b := range c.set.Correlations[g.correlation].Bounds {
		if needed := 2*b.Number + 2; needed > float64(most) && needed < float64(c.options.Records) {
			most = int(needed)
		}
	}
	if over := len(g.entries) - most; over > 0 {
		c.cut(g, over)
		c.stats.Evicted += over
	}
	for c.stats.Records > c.options.Records {
		oldest, _ := c.recent.Back().Value.(*group)
		c.stats.Evicted += len(oldest.entries)
		c.drop(oldest)
	}
}

// cut forgets the first entries of the group.
func (c *Correlator) cut(g *group, entries int) {
	clear(g.entries[:entries])
	g.entries = g.entries[entries:]
	c.stats.Records -= entries
}

// forget cuts what is older than the time.
func (c *Correlator) forget(g *group, before time.Time) {
	c.cut(g, g.firstAt(before))
	span := c.set.Correlations[g.correlation].Timespan
	g.reported = slices.DeleteFunc(g.reported, func(end time.Time) bool { return end.Before(before.Add(-span)) })
}

func (c *Correlator) drop(g *group) {
	c.cut(g, len(g.entries))
	c.recent.Remove(g.place)
	delete(c.groups[g.correlation], g.key)
}

// firstAt is the place of the first entry that is not before the time.
func (g *group) firstAt(at time.Time) int {
	return sort.Search(len(g.entries), func(i int) bool { return !g.entries[i].at.Before(at) })
}

// decide looks at the windows that the new entry is part of: the one that ends with it, and those that end with later ones.
func (c *Correlator) decide(g *group, e entry) []Correlated {
	correlation := c.set.Correlations[g.correlation]
	span := correlation.Timespan
	var found []Correlated
	place, _ := g.find(e)
	for end := place; end < len(g.entries) && !g.entries[end].at.After(e.at.Add(span)); end++ {
		at := g.entries[end].at
		overlaps := func(reported time.Time) bool { return at.Sub(reported).Abs() <= span }
		if correlation.Kind != ValueShare && slices.ContainsFunc(g.reported, overlaps) {
			continue
		}
		if one, ok := g.judge(correlation, g.entries[g.firstAt(at.Add(-span)):end+1]); ok {
			found = append(found, one)
			g.reported = append(g.reported, at)
		}
		if correlation.Kind == ValueShare {
			break // it is about the newest one
		}
	}
	return found
}

// closeWindows decides the windows that are over before the given time, and forgets them.
func (c *Correlator) closeWindows(g *group, before time.Time) []Correlated {
	correlation := c.set.Correlations[g.correlation]
	var found []Correlated
	for len(g.entries) > 0 {
		over := g.entries[0].at.Add(correlation.Timespan)
		if !over.Before(before) {
			break
		}
		window := g.firstAt(over.Add(1))
		one, ok := g.judge(correlation, g.entries[:window])
		c.cut(g, window)
		if ok {
			found = append(found, one)
			found = append(found, c.tell(one)...)
		}
	}
	return found
}

// judge says whether the entries of a window fulfil the correlation.
func (g *group) judge(c *Correlation, window []entry) (Correlated, bool) {
	n, ok := c.fulfilled(window)
	if !ok {
		return Correlated{}, false
	}
	found := Correlated{
		Correlation: g.correlation, Group: g.values, Number: n, Since: window[0].at, At: window[len(window)-1].at,
	}
	for _, e := range window {
		found.Records = append(found.Records, e.record)
	}
	return found, true
}

// patient correlations can be undone by more records, so that they are decided when their window is over.
func (c *Correlation) patient() bool {
	switch c.Kind {
	case ValueAvg, ValuePercentile, ValueMedian:
		return true
	case ValueShare:
		return false
	case EventCount, ValueCount, ValueSum, Temporal, TemporalOrdered:
	}
	if c.Condition != nil {
		return c.Kind == TemporalOrdered || hasNot(c.Condition)
	}
	return slices.ContainsFunc(c.Bounds, func(b Bound) bool { return b.Op != More && b.Op != MoreOrAs })
}

// delay is how long after its first record a window may be decided.
func (c *Correlation) delay() time.Duration {
	if c.patient() {
		return c.Timespan
	}
	return 0
}

func hasNot(e Expr) bool {
	switch e := e.(type) {
	case Not:
		return true
	case And:
		return slices.ContainsFunc(e, hasNot)
	case Or:
		return slices.ContainsFunc(e, hasNot)
	}
	return false
}

// fulfilled works out the number that the correlation compares, for the entries of a window, and compares it.
func (c *Correlation) fulfilled(window []entry) (float64, bool) {
	var n float64
	switch c.Kind {
	case EventCount:
		n = float64(len(window))
	case ValueCount:
		n = float64(len(distinct(window, func(e entry) []string { return e.texts })))
	case Temporal, TemporalOrdered:
		return c.temporal(window)
	case ValueSum, ValueAvg, ValuePercentile, ValueMedian:
		n = c.aggregate(window)
	case ValueShare:
		same, newest := 0, window[len(window)-1].texts
		for _, e := range window {
			if slices.ContainsFunc(e.texts, func(text string) bool { return slices.Contains(newest, text) }) {
				same++
			}
		}
		n = 100 * float64(same) / float64(len(window))
	}
	return n, holdAll(c.Bounds, n)
}

func holdAll(bounds []Bound, n float64) bool {
	return !slices.ContainsFunc(bounds, func(b Bound) bool { return !b.Holds(n) })
}

func distinct[T comparable](window []entry, of func(entry) []T) map[T]bool {
	set := map[T]bool{}
	for _, e := range window {
		for _, one := range of(e) {
			set[one] = true
		}
	}
	return set
}

// temporal counts the different rules that have matched; those in order, where an order is asked for. Without a condition
// it must be all.
func (c *Correlation) temporal(window []entry) (float64, bool) {
	seen := distinct(window, func(e entry) []int { return e.refs })
	n := len(seen)
	if c.Kind == TemporalOrdered {
		n = c.longest(window)
	}
	switch {
	case c.Condition != nil:
		return float64(n), n == len(seen) && c.hasSeen(c.Condition, seen)
	case len(c.Bounds) > 0:
		return float64(n), holdAll(c.Bounds, float64(n))
	}
	return float64(n), n == len(c.Refs)
}

func (c *Correlation) hasSeen(e Expr, seen map[int]bool) bool {
	switch e := e.(type) {
	case And:
		return !slices.ContainsFunc(e, func(part Expr) bool { return !c.hasSeen(part, seen) })
	case Or:
		return slices.ContainsFunc(e, func(part Expr) bool { return c.hasSeen(part, seen) })
	case Not:
		return !c.hasSeen(e.Expr, seen)
	case Seen:
		return seen[int(e)]
	}
	return false
}

// longest is how many of the rules have matched one after the other, each a record of its own, in the order of Refs.
func (c *Correlation) longest(window []entry) int {
	upTo := make([]int, len(c.Refs)) // by rule: the longest row that ends with it
	for _, e := range window {
		before := slices.Clone(upTo)
		for _, ref := range e.refs {
			upTo[ref] = max(upTo[ref], 1)
			for _, row := range before[:ref] {
				upTo[ref] = max(upTo[ref], row+1)
			}
		}
	}
	if len(upTo) == 0 {
		return 0
	}
	return slices.Max(upTo)
}

func (c *Correlation) aggregate(window []entry) float64 {
	var numbers []float64
	sum := 0.0
	for _, e := range window {
		for _, n := range e.numbers {
			numbers, sum = append(numbers, n), sum+n
		}
	}
	slices.Sort(numbers)
	count := len(numbers)
	switch c.Kind {
	case ValueAvg:
		return sum / float64(count)
	case ValueMedian:
		return (numbers[(count-1)/2] + numbers[count/2]) / 2
	case ValuePercentile: // the nearest rank: the smallest that so many of 100 do not exceed
		rank := int(math.Ceil(c.Percentile / 100 * float64(count)))
		return numbers[min(max(rank, 1), count)-1]
	case EventCount, ValueCount, Temporal, TemporalOrdered, ValueSum, ValueShare:
	}
	return sum
}
