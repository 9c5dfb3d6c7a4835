package indicators_test

import (
	"slices"
	"testing"

	"wardwatch/test/shared"
	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/detect/indicators"
	"wardwatch/watch/ingest/file"
)

func queryNames() *watch.Names {
	return watch.NewNames(append(indicators.Fields(), indicators.UserFields()...)...)
}

func keysOf(k *indicators.Keyer, r *watch.Record) (keys []uint64) {
	keys, _ = k.Keys(r, nil, nil)
	return keys
}

// passes says whether a record with these keys would be looked at.
func passes(q watch.Query, keys []uint64) bool {
	for _, list := range q.Needles() {
		if !slices.ContainsFunc(list, func(k uint64) bool { return slices.Contains(keys, k) }) {
			return false
		}
	}
	return true
}

func textRecord(name, text string) *watch.Record {
	n := queryNames()
	return &watch.Record{Values: []watch.Value{{Field: n.Find([]byte(name)), Name: []byte(name), Text: []byte(text)}}}
}

func TestAQueryLooksAtWhatItFinds(t *testing.T) {
	for _, row := range []struct {
		kind        ward.IndicatorKind
		value, text string
		found       bool
	}{
		{ward.IndicatorAddress, "192.0.2.7", "from 192.0.2.7 port 22", true},
		{ward.IndicatorAddress, "192.0.2.7", "::ffff:192.0.2.7", true},
		{ward.IndicatorAddress, "192.0.2.7", "192.0.2.70", false},
		{ward.IndicatorNetwork, "192.0.2.0/28", "192.0.2.15", true},
		{ward.IndicatorNetwork, "192.0.2.0/28", "192.0.2.16", false},
		{ward.IndicatorNetwork, "192.0.2.0/24", "192.0.2.255", true},
		{ward.IndicatorNetwork, "192.0.0.0/20", "192.0.2.255", true},
		{ward.IndicatorNetwork, "198.16.0.0/12", "198.31.255.1", true},
		{ward.IndicatorNetwork, "198.16.0.0/12", "198.32.0.1", false},
		{ward.IndicatorNetwork, "192.0.0.0/5", "199.0.2.255", true},
		{ward.IndicatorNetwork, "128.0.0.0/1", "199.0.2.255", true},
		{ward.IndicatorNetwork, "2001:db8::/33", "2001:db8:7fff::1", true},
		{ward.IndicatorNetwork, "2001:db8::/28", "2001:dbf:7fff::1", true},
		{ward.IndicatorNetwork, "2001:db8:0:1::/64", "2001:db8:0:1::9", true},
		{ward.IndicatorDomain, "attacker.example", "https://a.b.Attacker.example/x", true},
		{ward.IndicatorDomain, "attacker.example", "notattacker.example", false},
		{ward.IndicatorURL, "http://attacker.example/a?b=1", "GET HTTP://attacker.example:80/%61?b=1", true},
		{ward.IndicatorURLPrefix, "http://attacker.example:8443/mifs/*", "https://attacker.example:8443/mifs/x", true},
		{ward.IndicatorURLPrefix, "http://attacker.example/mifs/*", "https://attacker.example/other", false},
		{ward.IndicatorMD5, "D41D8CD98F00B204E9800998ECF8427E", "MD5=d41d8cd98f00b204e9800998ecf8427e,X=1", true},
		{ward.IndicatorEmail, "Someone@attacker.example", "mailto:someone@ATTACKER.example", true},
		{ward.IndicatorFile, "drop.exe", `C:\Temp\DROP.exe`, true},
	} {
		q, err := indicators.NewQuery([]ward.Indicator{{Kind: row.kind, Value: row.value}}, ward.WallClock{})
		if err != nil {
			t.Fatal(row.value, err)
		}
		r := textRecord("message", row.text)
		found := q.Matcher().Match(r, nil)
		if got := len(found) > 0; got != row.found {
			t.Errorf("%s in %q: %v", row.value, row.text, got)
		}
		if len(found) > 0 && found[0].Value != row.value {
			t.Errorf("%s is given back as %s", row.value, found[0].Value)
		}
		if row.found && !passes(q, keysOf(indicators.NewKeyer(queryNames()), r)) {
			t.Errorf("%s is in %q and the keys do not say so", row.value, row.text)
		}
	}
}

func TestUsersHaveKeys(t *testing.T) {
	keyer := indicators.NewKeyer(queryNames())
	want := watch.Key(watch.UserKey, []byte("alice"))
	for _, text := range []string{"alice", "ALICE", `TRUST\Alice`, "alice@trust.example"} {
		if !slices.Contains(keysOf(keyer, textRecord("TargetUserName", text)), want) {
			t.Errorf("%q is not known by its name", text)
		}
	}
	if slices.Contains(keysOf(keyer, textRecord("message", "alice")), want) {
		t.Error("a word of any field is a user")
	}
}

// FuzzNeedles holds the keys against the look: what is found in a text must be among what is looked at.
func FuzzNeedles(f *testing.F) {
	f.Add("network", "198.16.0.0/12", "198.31.255.1 and 2001:db8::1", "message")
	f.Add("url-prefix", "http://a.example/x*", "see https://a.example/xyz).", "Image")
	f.Add("domain", "a.example", "x@b.a.example", "QueryName")
	f.Add("file", "a b.exe", `"C:\a b.exe" -x`, "CommandLine")
	f.Fuzz(func(t *testing.T, kind, value, text, field string) {
		q, err := indicators.NewQuery([]ward.Indicator{{Kind: ward.IndicatorKind(kind), Value: value}}, ward.WallClock{})
		if err != nil {
			return
		}
		r := textRecord(field, text)
		if len(q.Matcher().Match(r, nil)) > 0 && !passes(q, keysOf(indicators.NewKeyer(queryNames()), r)) {
			t.Fatalf("%s %q is found in %q, and its keys would have left it out", kind, value, text)
		}
	})
}

func BenchmarkKeys(b *testing.B) {
	names := queryNames()
	keyer := indicators.NewKeyer(names)
	var records []*watch.Record
	var events, keys int
	var found []uint64
	var domains []string
	path := shared.Dir(b) + "/data/events/weblogs/apache-combined.log.gz"
	err := file.Each(b.Context(), []string{path}, file.Options{}, func(e file.Event) error {
		var r watch.Record
		raw := slices.Clone(e.Raw)
		if len(records) < 1000 && watch.NewDecoder(names).Line(e.Format, e.Header, raw, &r) == nil {
			records = append(records, &r)
		}
		return nil
	})
	if err != nil || len(records) == 0 {
		b.Fatal(len(records), err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r := records[events%len(records)]
		found, domains = keyer.Keys(r, found[:0], domains[:0])
		keys += len(found)
		events++
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(keys)/float64(events), "keys/event")
}
