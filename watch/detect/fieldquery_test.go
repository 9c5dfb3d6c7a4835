package detect_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wardwatch/test/shared"
	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/detect"
	"wardwatch/watch/detect/indicators"
	"wardwatch/watch/detect/sigma"
	"wardwatch/watch/ingest/file"
)

// archived are the keys and domains that an event of the format is kept with.
func archived(t testing.TB, format watch.Format, raw []byte) (keys []uint64, domains []string) {
	t.Helper()
	names := watch.NewNames(slices.Concat(indicators.Fields(), indicators.UserFields())...)
	var r watch.Record
	_ = watch.NewDecoder(names).Event(format, nil, raw, &r) // what it is not of, it is text of
	return indicators.NewKeyer(names).Keys(&r, nil, nil)
}

// lookedAt says whether an event with these keys and domains would be read.
func lookedAt(t testing.TB, q watch.Query, keys []uint64, domains []string) bool {
	t.Helper()
	needles := q.Needles()
	if of, ok := q.(watch.BlockQuery); ok {
		var err error
		needles, err = of.NeedlesIn(func(text string) (some []string, _ error) {
			for _, d := range domains {
				if strings.Contains(d, text) {
					some = append(some, d)
				}
			}
			return some, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, list := range needles {
		if !slices.ContainsFunc(list, func(k uint64) bool { return slices.Contains(keys, k) }) {
			return false
		}
	}
	return true
}

func matches(q watch.Query, format watch.Format, raw []byte) []watch.Match {
	var r watch.Record
	_ = watch.NewDecoder(q.Names()).Event(format, nil, raw, &r)
	return q.Matcher().Match(&r, nil)
}

const oneEvent = `{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"Computer":"srv1.trust.example","User":"TRUST\\Jane","Image":"C:\\Windows\\Temp\\DROP it.exe",` +
	`"CommandLine":"drop.exe -Enc aGk= \"quoted\"","DestinationIp":"203.0.113.7","QueryName":"cdn.files.attacker.example","Hashes":"MD5=D41D8CD98F00B204E9800998ECF8427E","ProcessId":"4242"}`

func TestWhatAQuerySays(t *testing.T) {
	for _, row := range []struct {
		query string
		found bool
		keyed bool
	}{
		{"user=jane", true, true},
		{"user=TRUST\\jane", true, true},
		{"user=jan", false, true},
		{"user~AN", true, false},
		{"host=srv1", true, false},
		{"host=srv1.trust.example", true, false},
		{"host=trust", false, false},
		{"host~trust", true, false},
		{"user=jane and not host=srv2", true, true},
		{"user=jane not host=srv1", false, true},
		{"user=jane host!=srv2", true, true},
		{"user=jane or host=srv2", true, false},
		{"user=bob or (ip=203.0.113.0/24 and domain~attacker)", true, true},
		{"ip=203.0.113.7", true, true},
		{"ip=203.0.113.8", false, true},
		{"ip!=203.0.113.8", true, false},
		{"domain=files.attacker.example", true, true},
		{"domain~iles.att", true, true},
		{"domain~nothing", false, true},
		{"hash=d41d8cd98f00b204e9800998ecf8427e", true, true},
		{`file="drop it.exe"`, true, true},
		{`Image="c:\windows\temp\drop it.exe"`, true, true},
		{`image~\temp\`, true, false},
		{`CommandLine~"-enc "`, true, false},
		{`CommandLine~"\"quoted\""`, true, false},
		{"EventID=1", true, false},
		{"EventID=2", false, false},
		{"ProcessId=4242", true, false},
		{`"-enc agk"`, true, false},
		{"raw~sysmon", true, false},
		{"NOT raw~sysmon", false, false},
		{"(user=jane)", true, true},
		{"nosuchfield=x", false, false},
		{"not nosuchfield=x", true, false},
	} {
		q, err := detect.ParseFieldQuery(row.query, ward.WallClock{})
		if err != nil {
			t.Errorf("%s: %v", row.query, err)
			continue
		}
		found := matches(q, watch.JSON, []byte(oneEvent))
		if got := len(found) > 0; got != row.found || q.Keyed() != row.keyed {
			t.Errorf("%s: found %v, keyed %v", row.query, got, q.Keyed())
		}
		keys, domains := archived(t, watch.JSON, []byte(oneEvent))
		if row.found && !lookedAt(t, q, keys, domains) {
			t.Errorf("%s: is found, and would not be looked at", row.query)
		}
		if len(found) > 0 && (found[0].Kind != "query" || found[0].Value != row.query) {
			t.Errorf("%s: %+v", row.query, found[0])
		}
	}
}

func TestWhatIsNoQuery(t *testing.T) {
	for query, says := range map[string]string{
		"":                               "empty",
		"user=":                          "lacks",
		"=jane":                          "lacks",
		`user="jane`:                     "does not end",
		"(user=jane":                     "closing bracket",
		"user=jane)":                     "should end",
		"user=jane and":                  "missing",
		"or user=jane":                   "should stand",
		"ip=nowhere":                     "no address",
		"url~x":                          "as a whole",
		strings.Repeat("(", 100) + "x":   "within each other",
		strings.Repeat("a ", 300):        "more than",
		strings.Repeat("a", 20_000):      "too many",
		"user=\xff":                      "UTF-8",
		strings.Repeat("not ", 60) + "x": "within each other",
	} {
		_, err := detect.ParseFieldQuery(query, ward.WallClock{})
		if !errors.Is(err, ward.ErrInvalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%.40q: %v", query, err)
		}
	}
}

// FuzzFieldQuery holds what has keys against what is found.
func FuzzFieldQuery(f *testing.F) {
	for _, q := range []string{"user=jane and not host=x", `Image="c:\windows\temp\drop it.exe"`, "domain~attack or ip=203.0.113.0/30", `QueryName=cdn.files.attacker.example`, "Computer=SRV1.trust.example"} {
		f.Add(q, oneEvent)
	}
	f.Add("url=http://a.example/x", `192.0.2.1 - jane [15/May/2025:03:00:00 +0000] "GET http://a.example/x HTTP/1.1" 200 1`)
	f.Fuzz(func(t *testing.T, query, event string) {
		q, err := detect.ParseFieldQuery(query, ward.WallClock{})
		if err != nil {
			return
		}
		for _, format := range []watch.Format{watch.JSON, watch.Syslog} {
			if len(matches(q, format, []byte(event))) == 0 {
				continue
			}
			if keys, domains := archived(t, format, []byte(event)); !lookedAt(t, q, keys, domains) {
				t.Fatalf("%q is found in %q, and its keys would have left it out", query, event)
			}
		}
	})
}

// TestRulesLookAtWhatTheyFind holds every rule's needles against every recorded event that fulfils it.
func TestRulesLookAtWhatTheyFind(t *testing.T) {
	set, _, err := sigma.Load(sigma.Options{Fields: detect.RuleFields()}, shared.File(t, "data", "sigma"))
	if err != nil {
		t.Fatal(err)
	}
	queries := make([]*detect.RuleQuery, len(set.Rules))
	keyed := 0
	for i, r := range set.Rules {
		queries[i], err = detect.NewRuleQuery(&sigma.Set{Rules: []*sigma.Rule{r}, Names: set.Names}, ward.WallClock{})
		if err != nil {
			t.Fatal(err)
		}
		if len(queries[i].Needles()) > 0 {
			keyed++
		}
	}
	zips, err := filepath.Glob(filepath.Join(shared.File(t, "data", "events", "otrf"), "*.zip"))
	if err != nil || len(zips) == 0 {
		t.Fatal(zips, err)
	}
	if testing.Short() {
		zips = zips[:min(len(zips), 10)]
	}
	names := watch.NewNames(slices.Concat(indicators.Fields(), indicators.UserFields())...)
	keyer, kept, asked, engine := indicators.NewKeyer(names), watch.NewDecoder(names), watch.NewDecoder(set.Names), sigma.Compile(set).Engine()
	var events, found, by int
	var hits []int
	var keys []uint64
	err = file.Each(t.Context(), zips, file.Options{}, func(e file.Event) error {
		var then, now watch.Record
		_ = asked.Event(e.Format, e.Header, e.Raw, &now)
		events++
		if hits = engine.Match(&now, hits[:0]); len(hits) == 0 {
			return nil
		}
		_ = kept.Event(e.Format, e.Header, e.Raw, &then)
		keys, _ = keyer.Keys(&then, keys[:0], nil)
		for _, hit := range hits {
			found++
			if len(queries[hit].Needles()) > 0 {
				by++
			}
			if !lookedAt(t, queries[hit], keys, nil) {
				t.Errorf("%s: found in record %d of %s, and its keys would have left it out", set.Rules[hit].Title, e.Record, e.File)
			}
		}
		return nil
	})
	if err != nil || by == 0 {
		t.Fatal(by, err)
	}
	t.Logf("%d of %d rules have keys; %d of %d matches in %d events were by them", keyed, len(set.Rules), by, found, events)
}
