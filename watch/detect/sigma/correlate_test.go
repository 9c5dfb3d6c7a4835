package sigma_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"wardwatch/watch"
	"wardwatch/watch/detect/sigma"
)

var start = time.Date(2025, 5, 13, 9, 0, 0, 0, time.UTC)

// A step is one record of a stream: its time in seconds after start, the rules that it fulfils, its fields.
type step struct {
	second int
	hits   []int
	pairs  []string
}

// play gives the steps to a Correlator for the correlations, and prints what comes true, then what Flush adds: the place of
// the correlation, its group, the number, the steps in the window.
func play(o sigma.CorrelatorOptions, correlations []*sigma.Correlation, steps ...step) ([]string, *sigma.Correlator) {
	names := watch.NewNames("user", "TargetUser", "host", "bytes", "port")
	set := &sigma.Set{Names: names, Rules: []*sigma.Rule{{}, {}, {}}, Correlations: correlations}
	c := sigma.NewCorrelator(set, o)
	var found []string
	note := func(list []sigma.Correlated) {
		for _, f := range list {
			found = append(found, fmt.Sprintf("%d %s %v %v", f.Correlation, strings.Join(f.Group, "|"), f.Number, f.Records))
		}
	}
	for i, s := range steps {
		r := record(names, 1, s.pairs...)
		r.Time = []byte(start.Add(time.Duration(s.second) * time.Second).Format(time.RFC3339))
		note(c.Observe(r, s.hits, i))
	}
	note(c.Flush())
	return found, c
}

func refs(fields []string, rules ...int) []sigma.Ref {
	var list []sigma.Ref
	for _, rule := range rules {
		list = append(list, sigma.Ref{Rule: rule, Correlation: -1, Fields: fields})
	}
	return list
}

func TestCorrelationsComeTrue(t *testing.T) {
	user := []string{"user"}
	count := func(bounds ...sigma.Bound) sigma.Correlation {
		return sigma.Correlation{Kind: sigma.EventCount, Refs: refs(user, 0), GroupBy: user, Timespan: time.Minute, Bounds: bounds}
	}
	value := func(kind sigma.Kind, field string, bounds ...sigma.Bound) sigma.Correlation {
		return sigma.Correlation{Kind: kind, Refs: refs(nil, 0), Timespan: time.Minute, Fields: []string{field}, Bounds: bounds}
	}
	temporal := func(kind sigma.Kind, condition sigma.Expr, bounds ...sigma.Bound) sigma.Correlation {
		return sigma.Correlation{Kind: kind, Refs: refs(nil, 0, 1, 2), Timespan: time.Minute, Condition: condition, Bounds: bounds}
	}
	atLeast := func(n float64) sigma.Bound { return sigma.Bound{Op: sigma.MoreOrAs, Number: n} }
	ada := func(second int) step { return step{second, []int{0}, []string{"user", "ada"}} }
	bob := func(second int) step { return step{second, []int{0}, []string{"user", "bob"}} }
	bytes := func(second int, n string) step { return step{second, []int{0}, []string{"bytes", n}} }
	hit := func(second int, rules ...int) step { return step{second, rules, nil} }

	percentile := value(sigma.ValuePercentile, "bytes", atLeast(90))
	percentile.Percentile = 75
	for _, row := range []struct {
		what        string
		correlation sigma.Correlation
		steps       []step
		want        []string
	}{
		{"three within a minute", count(atLeast(3)), []step{ada(0), bob(1), ada(30), bob(2), ada(60)}, []string{"0 ada 3 [0 2 4]"}},
		{"not three within a minute", count(atLeast(3)), []step{ada(0), ada(30), ada(61)}, nil},
		{"the window slides", count(atLeast(3)), []step{ada(0), ada(50), ada(70), ada(80)}, []string{"0 ada 3 [1 2 3]"}},
		{"once for windows that overlap", count(atLeast(2)), []step{ada(0), ada(1), ada(2), ada(61), ada(62), ada(63)}, []string{"0 ada 2 [0 1]", "0 ada 3 [2 3 4]"}},
		{"more than", count(sigma.Bound{Op: sigma.More, Number: 2}), []step{ada(0), ada(1), ada(2)}, []string{"0 ada 3 [0 1 2]"}},
		{"case does not keep groups apart", count(atLeast(2)), []step{ada(0), {1, []int{0}, []string{"user", "ADA"}}}, []string{"0 ada 2 [0 1]"}},
		{"no group without its field", count(atLeast(1)), []step{{0, []int{0}, []string{"host", "a"}}, {0, []int{0}, []string{"user", null}}}, nil},
		{"a list is in the group of each", count(atLeast(2)), []step{ada(0), {1, []int{0}, []string{"user", "bob", "user", "ada"}}, bob(2)}, []string{"0 ada 2 [0 1]", "0 bob 2 [1 2]"}},
		{"other rules do not count", count(atLeast(2)), []step{ada(0), {1, []int{1, 2}, []string{"user", "ada"}}, {2, nil, []string{"user", "ada"}}}, nil},
		{"out of order", count(atLeast(3)), []step{ada(100), ada(40), ada(50)}, []string{"0 ada 3 [1 2 0]"}},
		{"fewer than", count(sigma.Bound{Op: sigma.Less, Number: 3}), []step{ada(0), ada(1), ada(2), bob(3), bob(4), ada(70)}, []string{"0 ada 1 [5]", "0 bob 2 [3 4]"}},
		{"at most", count(sigma.Bound{Op: sigma.LessOrAs, Number: 2}), []step{ada(0), ada(1), bob(1), bob(2), bob(3)}, []string{"0 ada 2 [0 1]"}},
		{"exactly", count(sigma.Bound{Op: sigma.Same, Number: 2}), []step{ada(0), ada(1), ada(2), bob(3), bob(4)}, []string{"0 bob 2 [3 4]"}},
		{"anything but", count(sigma.Bound{Op: sigma.Different, Number: 2}), []step{ada(0), ada(1), ada(2), bob(3), bob(4)}, []string{"0 ada 3 [0 1 2]"}},
		{"between", count(atLeast(2), sigma.Bound{Op: sigma.Less, Number: 4}), []step{ada(0), ada(1), ada(2), ada(3), bob(3), bob(4), bob(5)}, []string{"0 bob 3 [4 5 6]"}},

		{"different ports", value(sigma.ValueCount, "port", atLeast(3)), []step{
			{0, []int{0}, []string{"port", "22"}}, {1, []int{0}, []string{"port", "22"}}, {2, []int{0}, []string{"port", "80"}},
			{3, []int{0}, []string{"user", "ada"}}, {4, []int{0}, []string{"port", "443"}},
		}, []string{"0  3 [0 1 2 4]"}},
		{"names that differ in case are one", value(sigma.ValueCount, "user", atLeast(2)), []step{ada(0), {1, []int{0}, []string{"user", "ADA"}}}, nil},
		{
			"different pairs", sigma.Correlation{Kind: sigma.ValueCount, Refs: refs(nil, 0), Timespan: time.Minute, Fields: []string{"user", "host"}, Bounds: []sigma.Bound{atLeast(2)}},
			[]step{{0, []int{0}, []string{"user", "ab", "host", "c"}}, {1, []int{0}, []string{"user", "a", "host", "bc"}}},
			[]string{"0  2 [0 1]"},
		},
		{"a sum", value(sigma.ValueSum, "bytes", sigma.Bound{Op: sigma.More, Number: 100}), []step{bytes(0, "60"), bytes(1, "many"), bytes(2, "40"), bytes(3, "0x1")}, []string{"0  101 [0 2 3]"}},
		{"a mean", value(sigma.ValueAvg, "bytes", atLeast(50)), []step{bytes(0, "90"), bytes(1, "10"), bytes(100, "60"), bytes(101, "30")}, []string{"0  50 [0 1]"}},
		{"a median", value(sigma.ValueMedian, "bytes", atLeast(20)), []step{bytes(0, "10"), bytes(1, "1000"), bytes(2, "30"), bytes(3, "5")}, []string{"0  20 [0 1 2 3]"}},
		{"a percentile", percentile, []step{bytes(0, "10"), bytes(1, "1000"), bytes(2, "90"), bytes(3, "5")}, []string{"0  90 [0 1 2 3]"}},
		{
			"a share", value(sigma.ValueShare, "user", sigma.Bound{Op: sigma.Less, Number: 30}),
			[]step{ada(0), ada(1), ada(2), bob(3), bob(4), {5, []int{0}, []string{"user", "eve"}}},
			[]string{"0  25 [0 1 2 3]", "0  16.666666666666668 [0 1 2 3 4 5]"},
		},

		{"all three, in any order", temporal(sigma.Temporal, nil, atLeast(3)), []step{hit(0, 2), hit(10, 0), hit(20, 0), hit(30, 1)}, []string{"0  3 [0 1 2 3]"}},
		{"not all three in time", temporal(sigma.Temporal, nil, atLeast(3)), []step{hit(0, 2), hit(10, 0), hit(61, 1)}, nil},
		{"one record for all", temporal(sigma.Temporal, nil, atLeast(3)), []step{hit(0, 0, 1, 2)}, []string{"0  3 [0]"}},
		{"two of three", temporal(sigma.Temporal, nil, atLeast(2)), []step{hit(0, 2), hit(10, 2), hit(20, 0)}, []string{"0  2 [0 1 2]"}},
		{"nothing said", temporal(sigma.Temporal, nil), []step{hit(0, 2), hit(10, 1), hit(20, 0)}, []string{"0  3 [0 1 2]"}},
		{"one and another or a third", temporal(sigma.Temporal, sigma.And{sigma.Seen(0), sigma.Or{sigma.Seen(1), sigma.Seen(2)}}), []step{hit(0, 1), hit(1, 2), hit(2, 0)}, []string{"0  3 [0 1 2]"}},
		{
			"one without another", temporal(sigma.Temporal, sigma.And{sigma.Seen(0), sigma.Not{Expr: sigma.Seen(1)}}),
			[]step{hit(0, 0), hit(1, 1), hit(100, 2), hit(101, 0)},
			[]string{"0  2 [2 3]"},
		},
		{"in order", temporal(sigma.TemporalOrdered, nil, atLeast(3)), []step{hit(0, 0), hit(1, 2), hit(2, 1), hit(3, 0), hit(4, 2)}, []string{"0  3 [0 1 2 3 4]"}},
		{"in another order", temporal(sigma.TemporalOrdered, nil, atLeast(3)), []step{hit(0, 2), hit(1, 1), hit(2, 0)}, nil},
		{"one record is not an order", temporal(sigma.TemporalOrdered, nil, atLeast(3)), []step{hit(0, 0), hit(1, 1, 2)}, nil},
		{"in order, though not come in order", temporal(sigma.TemporalOrdered, nil, atLeast(3)), []step{hit(2, 2), hit(1, 1), hit(0, 0)}, []string{"0  3 [2 1 0]"}},
		{"in order within the same second", temporal(sigma.TemporalOrdered, nil, atLeast(3)), []step{hit(0, 0), hit(0, 1), hit(0, 2)}, []string{"0  3 [0 1 2]"}},
	} {
		t.Run(row.what, func(t *testing.T) {
			got, _ := play(sigma.CorrelatorOptions{}, []*sigma.Correlation{&row.correlation}, row.steps...)
			if !slices.Equal(got, row.want) {
				t.Errorf("came true: %q, want %q", got, row.want)
			}
		})
	}
}

func TestAnAliasIsAnotherFieldInEachRule(t *testing.T) {
	c := &sigma.Correlation{
		Kind: sigma.Temporal, Timespan: time.Minute, GroupBy: []string{"who", "host"},
		Refs: []sigma.Ref{
			{Rule: 0, Correlation: -1, Fields: []string{"user", "host"}},
			{Rule: 1, Correlation: -1, Fields: []string{"TargetUser", "host"}},
		},
	}
	got, _ := play(sigma.CorrelatorOptions{}, []*sigma.Correlation{c},
		step{0, []int{0}, []string{"user", "ada", "host", "a"}},
		step{1, []int{1}, []string{"user", "ada", "host", "a"}},
		step{2, []int{1}, []string{"TargetUser", "ada", "host", "b"}},
		step{3, []int{1}, []string{"TargetUser", "ada", "host", "a"}},
	)
	if want := []string{"0 ada|a 2 [0 3]"}; !slices.Equal(got, want) {
		t.Errorf("came true: %q, want %q", got, want)
	}
}

// Guessing of passwords for one user, then for three users, then success: correlations of correlations, one of which can
// only be decided when its window is over.
func TestCorrelationsOfCorrelations(t *testing.T) {
	user := []string{"user"}
	guessing := &sigma.Correlation{
		Kind: sigma.EventCount, Timespan: time.Minute, GroupBy: user, Refs: refs(user, 0), Bounds: []sigma.Bound{{Op: sigma.MoreOrAs, Number: 2}},
	}
	exactly := &sigma.Correlation{
		Kind: sigma.EventCount, Timespan: time.Minute, GroupBy: user, Refs: refs(user, 0), Bounds: []sigma.Bound{{Op: sigma.Same, Number: 2}},
	}
	spraying := &sigma.Correlation{
		Kind: sigma.ValueCount, Timespan: time.Hour, Fields: user, Refs: []sigma.Ref{{Rule: -1, Correlation: 0}}, Bounds: []sigma.Bound{{Op: sigma.MoreOrAs, Number: 2}},
	}
	success := &sigma.Correlation{
		Kind: sigma.TemporalOrdered, Timespan: time.Hour, GroupBy: user,
		Refs: []sigma.Ref{{Rule: -1, Correlation: 1, Fields: user}, {Rule: 1, Correlation: -1, Fields: user}},
	}
	steps := []step{
		{0, []int{0}, []string{"user", "ada"}}, {1, []int{0}, []string{"user", "ada"}},
		{2, []int{0}, []string{"user", "bob"}}, {3, []int{0}, []string{"user", "bob"}}, {4, []int{0}, []string{"user", "bob"}},
		{80, []int{1}, []string{"user", "ada"}}, {81, []int{1}, []string{"user", "bob"}}, {300, nil, nil}, {301, []int{0}, []string{"user", "eve"}},
	}
	want := []string{"0 ada 2 [0 1]", "0 bob 2 [2 3]", "1 ada 2 [0 1]", "2  2 [1 3]", "3 ada 2 [1 5]"}
	for _, late := range []time.Duration{0, time.Second, time.Minute} {
		got, c := play(sigma.CorrelatorOptions{Late: late}, []*sigma.Correlation{guessing, exactly, spraying, success}, steps...)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("late by %v: came true: %q, want %q", late, got, want)
		}
		if s := c.Stats(); s.Records != 0 || s.Groups != 0 || s.Evicted != 0 || s.Late != 0 {
			t.Errorf("late by %v: after all: %+v", late, s)
		}
	}
}

func TestWindowsAreDecidedAsTimeGoesOn(t *testing.T) {
	names := watch.NewNames("user")
	set := &sigma.Set{Names: names, Rules: []*sigma.Rule{{}}, Correlations: []*sigma.Correlation{{
		Kind: sigma.EventCount, Timespan: time.Minute, Refs: refs(nil, 0), Bounds: []sigma.Bound{{Op: sigma.Less, Number: 2}},
	}}}
	c := sigma.NewCorrelator(set, sigma.CorrelatorOptions{Late: 10 * time.Second})
	r := record(names, 1)
	r.Time = []byte(start.Format(time.RFC3339))
	if got := c.Observe(r, []int{0}, 7); got != nil {
		t.Errorf("decided before its end: %v", got)
	}
	if got := c.Advance(start.Add(70 * time.Second)); got != nil {
		t.Errorf("decided while a late record may come: %v", got)
	}
	if got := c.Advance(start.Add(71 * time.Second)); len(got) != 1 || !slices.Equal(got[0].Records, []int{7}) || !got[0].At.Equal(start) {
		t.Errorf("when it is over: %v", got)
	}
	if got := c.Observe(r, []int{0}, 8); got != nil || c.Stats().Late != 1 {
		t.Errorf("a record that comes too late: %v, %+v", got, c.Stats())
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	user := []string{"user"}
	count := func(n float64) []*sigma.Correlation {
		return []*sigma.Correlation{{
			Kind: sigma.EventCount, Timespan: time.Hour, GroupBy: user, Refs: refs(user, 0), Bounds: []sigma.Bound{{Op: sigma.MoreOrAs, Number: n}},
		}}
	}
	var crowd, flood []step
	for i := range 1000 {
		crowd = append(crowd, step{i, []int{0}, []string{"user", fmt.Sprint("user", i)}})
		flood = append(flood, step{i, []int{0}, []string{"user", "mallory"}})
	}
	names := watch.NewNames("user")
	for _, row := range []struct {
		what                     string
		correlations             []*sigma.Correlation
		steps                    []step
		records, groups, evicted int
	}{
		{"many groups", count(2), crowd, 100, 100, 900},
		{"one group", count(50_000), flood, 20, 1, 980},
		{"one group, which needs so many", count(30), flood, 62, 1, 938},
	} {
		set := &sigma.Set{Names: names, Rules: []*sigma.Rule{{}}, Correlations: row.correlations}
		c := sigma.NewCorrelator(set, sigma.CorrelatorOptions{Records: 100, GroupRecords: 20})
		for i, s := range row.steps {
			r := record(names, 1, s.pairs...)
			r.Time = []byte(start.Add(time.Duration(s.second) * time.Second).Format(time.RFC3339))
			c.Observe(r, s.hits, i)
			if n := c.Stats().Records; n > 100 {
				t.Fatalf("%s: %d records", row.what, n)
			}
		}
		if s := c.Stats(); s.Records != row.records || s.Groups != row.groups || s.Evicted != row.evicted {
			t.Errorf("%s: %+v, want %d records, %d groups, %d evicted", row.what, s, row.records, row.groups, row.evicted)
		}
	}
}

func TestRecordsWithoutATimeStandAtTheNewest(t *testing.T) {
	names := watch.NewNames("user")
	set := &sigma.Set{Names: names, Rules: []*sigma.Rule{{}}, Correlations: []*sigma.Correlation{{
		Kind: sigma.EventCount, Timespan: time.Minute, Refs: refs(nil, 0), Bounds: []sigma.Bound{{Op: sigma.MoreOrAs, Number: 2}},
	}}}
	c := sigma.NewCorrelator(set, sigma.CorrelatorOptions{})
	r := record(names, 1)
	r.Time = []byte(start.Format(time.RFC3339))
	c.Observe(r, []int{0}, 1)
	r.Time = []byte("teatime")
	if got := c.Observe(r, []int{0}, 2); len(got) != 1 || !got[0].At.Equal(start) || c.Stats().Timeless != 1 {
		t.Errorf("came true: %v, %+v", got, c.Stats())
	}
}

// TestCorrelatorAgreesWithOneThatForgetsNothing holds random streams against the words of Correlator's comment, written out
// once more with every record kept and every window looked at anew.
func TestCorrelatorAgreesWithOneThatForgetsNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(2025, 13)) //nolint:gosec // the same streams each time
	came := 0
	for round := range 3000 {
		c := randomCorrelation(random)
		ordered := random.IntN(2) == 0
		var steps []step
		second := 0
		for range random.IntN(40) {
			second += random.IntN(8)
			s := step{second: second}
			if !ordered {
				s.second = max(0, second-random.IntN(25))
			}
			for rule := range 3 {
				if random.IntN(3) == 0 {
					s.hits = append(s.hits, rule)
				}
			}
			for _, name := range []string{"user", "bytes"} {
				for range []int{0, 1, 1, 1, 1, 2}[random.IntN(6)] {
					s.pairs = append(s.pairs, name, []string{"1", "2", "3", "a", "A", "b"}[random.IntN(6)])
				}
			}
			steps = append(steps, s)
		}
		want := naive(c, steps)
		got, _ := play(sigma.CorrelatorOptions{}, []*sigma.Correlation{c}, steps...)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("round %d: %+v\nsteps %v\ncame true:\n%s\nwant:\n%s", round, *c, steps, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		came += len(want)
	}
	if came < 3000 {
		t.Errorf("only %d came true: the streams are too thin to say anything", came)
	}
}

func randomCorrelation(random *rand.Rand) *sigma.Correlation {
	c := &sigma.Correlation{
		Kind:     sigma.Kind(random.IntN(int(sigma.ValueShare) + 1)), //nolint:gosec // a kind
		Timespan: time.Duration(5+random.IntN(30)) * time.Second, Percentile: float64(random.IntN(101)),
	}
	if random.IntN(2) == 0 {
		c.GroupBy = []string{"user"}
	}
	c.Refs = refs(c.GroupBy, []int{0, 1, 2}[:1+random.IntN(3)]...)
	top := 4
	switch c.Kind {
	case sigma.Temporal, sigma.TemporalOrdered:
		top = len(c.Refs) + 1
		if random.IntN(3) == 0 {
			last := sigma.Seen(len(c.Refs) - 1)
			c.Condition = []sigma.Expr{
				sigma.And{sigma.Seen(0), last}, sigma.Or{sigma.Seen(0), last}, sigma.And{sigma.Seen(0), sigma.Not{Expr: last}},
			}[random.IntN(3)]
			return c
		}
		if random.IntN(3) == 0 {
			return c
		}
	case sigma.ValueShare:
		c.Fields, top = []string{"bytes"}, 100
	case sigma.EventCount:
	case sigma.ValueCount, sigma.ValueSum, sigma.ValueAvg, sigma.ValuePercentile, sigma.ValueMedian:
		c.Fields = []string{"bytes"}
	}
	for range 1 + random.IntN(2) {
		c.Bounds = append(c.Bounds, sigma.Bound{Op: sigma.BoundOp(random.IntN(6)), Number: float64(random.IntN(top + 1))}) //nolint:gosec // an op
	}
	return c
}

// A kept step: its place, its time, what it is to the correlation.
type kept struct {
	place, second int
	refs          map[int]bool
	texts         map[string]bool
	numbers       []float64
}

func naive(c *sigma.Correlation, steps []step) []string {
	groups := map[string][]kept{}
	reported := map[string][]int{}
	first := map[string]string{}
	span := int(c.Timespan / time.Second)
	var found []string
	report := func(group string, window []kept) bool {
		n, ok := judged(c, window)
		if ok {
			var places []int
			for _, k := range window {
				places = append(places, k.place)
			}
			found = append(found, fmt.Sprintf("0 %s %v %v", first[group], n, places))
		}
		return ok
	}
	for place, s := range steps {
		values := func(name string) []string {
			var list []string
			for i := 0; i < len(s.pairs); i += 2 {
				if s.pairs[i] == name {
					list = append(list, s.pairs[i+1])
				}
			}
			return list
		}
		k := kept{place: place, second: s.second, refs: map[int]bool{}, texts: map[string]bool{}}
		for _, rule := range s.hits {
			if rule < len(c.Refs) {
				k.refs[rule] = true
			}
		}
		for _, text := range values("bytes") {
			k.texts[strings.ToLower(text)] = true
			if text <= "3" {
				k.numbers = append(k.numbers, float64(text[0]-'0'))
			}
		}
		sums := slices.Contains([]sigma.Kind{sigma.ValueSum, sigma.ValueAvg, sigma.ValuePercentile, sigma.ValueMedian}, c.Kind)
		if len(k.refs) == 0 || sums && len(k.numbers) == 0 || !sums && c.Fields != nil && len(k.texts) == 0 {
			continue
		}
		mine := []string{""}
		if c.GroupBy != nil {
			mine = values("user")
		}
		done := map[string]bool{}
		for _, value := range mine {
			group := strings.ToLower(value)
			if done[group] {
				continue
			}
			done[group] = true
			if _, known := first[group]; !known {
				first[group] = value
			}
			all := append(slices.Clone(groups[group]), k)
			sort.SliceStable(all, func(i, j int) bool { return all[i].second < all[j].second })
			groups[group] = all
			if waits(c) {
				continue
			}
			for end, last := range all {
				isNew := last.place == place
				later := last.second > k.second || last.second == k.second && last.place > place
				overlaps := slices.ContainsFunc(reported[group], func(at int) bool { return max(at-last.second, last.second-at) <= span })
				if last.second > k.second+span || !isNew && (!later || c.Kind == sigma.ValueShare) || overlaps && c.Kind != sigma.ValueShare {
					continue
				}
				var window []kept
				for _, other := range all[:end+1] {
					if other.second >= last.second-span {
						window = append(window, other)
					}
				}
				if report(group, window) {
					reported[group] = append(reported[group], last.second)
				}
			}
		}
	}
	if waits(c) {
		for group, all := range groups {
			var window []kept
			for i, k := range all {
				window = append(window, k)
				if i+1 == len(all) || all[i+1].second > window[0].second+span {
					report(group, window)
					window = nil
				}
			}
		}
	}
	return found
}

// waits says whether more records can undo what a window has fulfilled.
func waits(c *sigma.Correlation) bool {
	upward := true
	for _, b := range c.Bounds {
		upward = upward && (b.Op == sigma.More || b.Op == sigma.MoreOrAs)
	}
	switch c.Kind {
	case sigma.ValueShare:
		return false
	case sigma.ValueAvg, sigma.ValueMedian, sigma.ValuePercentile:
		return true
	}
	if c.Condition != nil {
		_, undone := last(c.Condition).(sigma.Not)
		return undone || c.Kind == sigma.TemporalOrdered
	}
	return !upward
}

func last(e sigma.Expr) sigma.Expr {
	and, ok := e.(sigma.And)
	if !ok {
		return e
	}
	return and[len(and)-1]
}

func judged(c *sigma.Correlation, window []kept) (float64, bool) {
	seen, texts := map[int]bool{}, map[string]bool{}
	var numbers []float64
	sum := 0.0
	for _, k := range window {
		maps.Copy(seen, k.refs)
		maps.Copy(texts, k.texts)
		for _, n := range k.numbers {
			numbers, sum = append(numbers, n), sum+n
		}
	}
	sort.Float64s(numbers)
	var n float64
	switch c.Kind {
	case sigma.EventCount:
		n = float64(len(window))
	case sigma.ValueCount:
		n = float64(len(texts))
	case sigma.ValueSum:
		n = sum
	case sigma.ValueAvg:
		n = sum / float64(len(numbers))
	case sigma.ValueMedian:
		half := len(numbers) / 2
		if n = numbers[half]; len(numbers)%2 == 0 {
			n = (numbers[half-1] + numbers[half]) / 2
		}
	case sigma.ValuePercentile:
		for _, candidate := range numbers { // the first that is at least as large as so many of 100
			below := 0
			for _, other := range numbers {
				if other <= candidate {
					below++
				}
			}
			if n = candidate; float64(below)*100 >= c.Percentile*float64(len(numbers)) {
				break
			}
		}
	case sigma.ValueShare:
		same := 0
		for _, k := range window {
			for text := range k.texts {
				if window[len(window)-1].texts[text] {
					same++
					break
				}
			}
		}
		n = 100 * float64(same) / float64(len(window))
	case sigma.Temporal:
		n = float64(len(seen))
	case sigma.TemporalOrdered:
		n = float64(row(window, 0, len(c.Refs)))
	}
	if c.Condition != nil {
		inOrder := c.Kind == sigma.Temporal || int(n) == len(seen)
		first, other := seen[0], seen[len(c.Refs)-1]
		switch c.Condition.(type) {
		case sigma.Or:
			return n, inOrder && (first || other)
		case sigma.And:
			if _, not := last(c.Condition).(sigma.Not); not {
				other = !other
			}
			return n, inOrder && first && other
		}
	}
	if c.Bounds == nil {
		return n, int(n) == len(c.Refs)
	}
	for _, b := range c.Bounds {
		m := b.Number
		if holds := []bool{n > m, n >= m, n < m, n <= m, n == m, n != m}[b.Op]; !holds {
			return n, false
		}
	}
	return n, true
}

// row is the longest row of different rules, from the given one on, each in a later record than the one before.
func row(window []kept, from, rules int) int {
	if len(window) == 0 || from == rules {
		return 0
	}
	longest := row(window[1:], from, rules)
	for ref := from; ref < rules; ref++ {
		if window[0].refs[ref] {
			longest = max(longest, 1+row(window[1:], ref+1, rules))
		}
	}
	return longest
}
