package indicators_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"wardwatch/ward"
	"wardwatch/watch/detect/indicators"
)

// read gives what a file says, a line each, bad lines among them.
func read(text string) ([]string, error) {
	out := []string{}
	err := indicators.Read(strings.NewReader(text), "list", func(i ward.Indicator) error {
		line := fmt.Sprintf("%s %s %s", i.Kind, i.Value, i.Source)
		if !i.From.IsZero() || !i.Until.IsZero() {
			line += fmt.Sprintf(" %s..%s", i.From.Format("060102T150405"), i.Until.Format("060102T150405"))
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s", line, i.Grade, i.TLP)))
		return nil
	}, func(b *indicators.BadLine) { out = append(out, "bad: "+b.Error()) })
	return out, err
}

func TestRead(t *testing.T) {
	for _, row := range []struct {
		name, text string
		want       []string
	}{
		{"list", "\ufeff# ours\r\n203.0.113.7\r\n\r\n198.51.100.0/24\nhxxps://files[.]attacker[.]example/x\nfiles.attacker.example\njo[at]attacker.example\nstage2.bin\n" + strings.Repeat("ab", 20),
			[]string{
				"address 203.0.113.7 list", "network 198.51.100.0/24 list", "url files.attacker.example/x list",
				"domain files.attacker.example list", "email jo@attacker.example list", "file stage2.bin list", "sha1 " + strings.Repeat("ab", 20) + " list",
			}},
		{"bad lines beside good ones", "203.0.113.7\nword\n300.1.1.1\n0.0.0.0/0\n\xff\xfe\n" + strings.Repeat("x", 70000) + "\nhttp://attacker.example*\n203.0.113.8",
			[]string{
				"address 203.0.113.7 list",
				"bad: line 2: type: is not said, and the value's shape does not tell it",
				"bad: line 3: value: is no address",
				"bad: line 4: value: is every address",
				"bad: line 5: is not UTF-8",
				"bad: line 6: is longer than 65536 bytes",
				"bad: line 7: value: begins no URL: a prefix holds the host whole, and the '/' after it",
				"address 203.0.113.8 list",
			}},
		{"csv", "type,value,valid_from,valid_until,source,grade,tlp\n" +
			"domain,attacker.example,2025-05-13,2025-06-13T00:00:00+01:00,partner,b2,amber+strict\n" +
			"file,\"a, \"\"b\"\".exe\",,,,,\n" +
			"ip,203.0.113.7,2025-06-13,2025-05-13,,,\n" +
			"ip,203.0.113.7,yesterday,,,,\n" +
			"ip,203.0.113.7,,,,G,\n" +
			"ip,203.0.113.7,,,,,purple\n" +
			"planet,mars,,,,,\n" +
			"ip,203.0.113.7\n" +
			"ip,\"203.0.113.7,,,,,\n" +
			"ip,203.0.113.9,,,,A,WHITE\n",
			[]string{
				"domain attacker.example partner 250513T000000..250612T230000 B2 TLP:AMBER+STRICT",
				"file a, \"b\".exe list",
				"bad: line 4: valid_until: is not after valid_from",
				"bad: line 5: valid_from: \"yesterday\" is no time (such as 2025-05-13T09:30:00Z, or 2025-05-13)",
				"bad: line 6: grade: \"G\" is no grade (A to F, then 1 to 6, such as B2)",
				"bad: line 7: tlp: \"purple\" is no marking (such as TLP:AMBER)",
				"bad: line 8: type: \"planet\" is no kind of indicator",
				"bad: line 9: has 2 columns, and the header has 7",
				"bad: line 10: has a quote that is not closed",
				"address 203.0.113.9 list A TLP:CLEAR",
			}},
		{"json", `{"type":"hash","value":"` + strings.Repeat("AB", 16) + `","grade":"3"}` + "\n" + `{"value":"203.0.113.7","colour":"red"}` + "\n" + `{"value":7}` + "\n[]\n",
			[]string{
				"md5 " + strings.Repeat("ab", 16) + " list 3",
				`bad: line 2: "colour" is none of type, value, valid_from, valid_until, source, grade, tlp`,
				"bad: line 3: is no JSON object of texts", "bad: line 4: is no JSON object of texts",
			}},
		{"nothing", "\n\n# nothing\n", []string{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := read(row.text)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(row.want, "\n"))
			}
		})
	}
}

func TestAHeaderThatIsWrongEndsTheReading(t *testing.T) {
	for _, header := range []string{"value,colour", "value,value"} {
		if _, err := read(header + "\n203.0.113.7,red\n"); err == nil {
			t.Errorf("%q was taken", header)
		}
	}
	stop := errors.New("enough")
	err := indicators.Read(strings.NewReader("203.0.113.7\n"), "", func(ward.Indicator) error { return stop }, nil)
	if !errors.Is(err, stop) {
		t.Errorf("got %v, want what give said", err)
	}
}

// FuzzRead wants every line told of once, and what is given to be its own normal form.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"203.0.113.7\n198.51.100.0/24\n2001:db8::/32\n", "hxxp://a[.]example/x/../y?z=%2f#f\nhttp://a.example:8080/*\n",
		"type,value,valid_from,valid_until,source,grade,tlp\ndomain,bücher.example,2025-05-13,,x,B2,green\n",
		`{"type":"email","value":"Jo@A.example"}` + "\n", "a.b.example\n*.c.example\nstage2.bin\n" + strings.Repeat("0f", 64) + "\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		said := 0
		_ = indicators.Read(strings.NewReader(text), "", func(i ward.Indicator) error {
			said++
			kind, value, err := indicators.Normal(i.Kind, i.Value)
			if err != nil || kind != i.Kind || value != i.Value {
				t.Errorf("%s %q becomes %s %q, %v", i.Kind, i.Value, kind, value, err)
			}
			return nil
		}, func(*indicators.BadLine) { said++ })
		if lines := strings.Count(text, "\n") + 1; said > lines {
			t.Errorf("%d lines said %d things", lines, said)
		}
	})
}
