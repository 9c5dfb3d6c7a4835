package know_test

import (
	"strings"
	"testing"

	"wardwatch/know"
)

// wellFormed are the well-formed names of the published examples of NISTIR 7695, entered by hand.
var wellFormed = map[string]string{
	"beta":      `wfn:[part="a",vendor="microsoft",product="internet_explorer",version="8\.0\.6001",update="beta",edition=ANY]`,
	"wildcards": `wfn:[part="a",vendor="microsoft",product="internet_explorer",version="8\.*",update="sp?",edition=ANY]`,
	"asterisk":  `wfn:[part="a",vendor="microsoft",product="internet_explorer",version="8\.\*",update="sp?"]`,
	"quoted":    `wfn:[part="a",vendor="microsoft",product="internet_explorer",version="8\.\*",update="sp\?"]`,
	"insight":   `wfn:[part="a",vendor="hp",product="insight",version="7\.4\.0\.1570",update=NA,sw_edition="online",target_sw="win2003",target_hw="x64"]`,
	"packed":    `wfn:[part="a",vendor="hp",product="insight_diagnostics",version="7\.4\.0\.1570",update=NA,sw_edition="online",target_sw="win2003",target_hw="x64"]`,
	"any":       `wfn:[part="a",vendor="hp",product="insight_diagnostics",version="7\.4\.0\.1570",update=ANY,edition=ANY,sw_edition="online",target_sw="win2003",target_hw="x64",other=ANY,language=ANY]`,
	"linux":     `wfn:[part="a",vendor="hp",product="openview_network_manager",version="7\.51",target_sw="linux"]`,
	"linux NA":  `wfn:[part="a",vendor="hp",product="openview_network_manager",version="7\.51",update=NA,target_sw="linux"]`,
	"backslash": `wfn:[part="a",vendor="foo\\bar",product="big\$money_manager_2010",sw_edition="special",target_sw="ipod_touch",target_hw="80gb"]`,
	"money":     `wfn:[part="a",vendor="foo\\bar",product="big\$money",version="2010",sw_edition="special",target_sw="ipod_touch",target_hw="80gb"]`,
	"tilde":     `wfn:[part="a",vendor="foo\~bar",product="big\~money_2010"]`,
}

// TestBindings are the published examples of binding a well-formed name (NISTIR 7695, 6.1.2 and 6.2.2).
func TestBindings(t *testing.T) {
	for _, row := range []struct{ name, uri, formatted string }{
		{"beta", "cpe:/a:microsoft:internet_explorer:8.0.6001:beta", "cpe:2.3:a:microsoft:internet_explorer:8.0.6001:beta:*:*:*:*:*:*"},
		{"wildcards", "cpe:/a:microsoft:internet_explorer:8.%02:sp%01", "cpe:2.3:a:microsoft:internet_explorer:8.*:sp?:*:*:*:*:*:*"},
		{"asterisk", "cpe:/a:microsoft:internet_explorer:8.%2a:sp%01", `cpe:2.3:a:microsoft:internet_explorer:8.\*:sp?:*:*:*:*:*:*`},
		{"insight", "cpe:/a:hp:insight:7.4.0.1570:-:~~online~win2003~x64~", "cpe:2.3:a:hp:insight:7.4.0.1570:-:*:*:online:win2003:x64:*"},
		{"packed", "cpe:/a:hp:insight_diagnostics:7.4.0.1570:-:~~online~win2003~x64~", "cpe:2.3:a:hp:insight_diagnostics:7.4.0.1570:-:*:*:online:win2003:x64:*"},
		{"linux", "cpe:/a:hp:openview_network_manager:7.51::~~~linux~~", "cpe:2.3:a:hp:openview_network_manager:7.51:*:*:*:*:linux:*:*"},
		{"backslash", "cpe:/a:foo%5cbar:big%24money_manager_2010:::~~special~ipod_touch~80gb~", `cpe:2.3:a:foo\\bar:big\$money_manager_2010:*:*:*:*:special:ipod_touch:80gb:*`},
	} {
		c, err := know.ParseWFN(wellFormed[row.name])
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if got := c.URI(); got != row.uri {
			t.Errorf("%s as a URI: %s, want %s", row.name, got, row.uri)
		}
		if got := c.String(); got != row.formatted {
			t.Errorf("%s as a formatted string: %s, want %s", row.name, got, row.formatted)
		}
	}
}

// TestUnbinding are the published examples of the way back (NISTIR 7695, 6.1.3 and 6.2.3); without a name they are errors.
func TestUnbinding(t *testing.T) {
	for _, row := range []struct{ bound, name string }{
		{"cpe:/a:microsoft:internet_explorer:8.0.6001:beta", "beta"},
		{"cpe:/a:microsoft:internet_explorer:8.%2a:sp%3f", "quoted"},
		{"cpe:/a:microsoft:internet_explorer:8.%02:sp%01", "wildcards"},
		{"cpe:/a:hp:insight_diagnostics:7.4.0.1570::~~online~win2003~x64~", "any"},
		{"cpe:/a:hp:openview_network_manager:7.51:-:~~~linux~", "linux NA"},
		{"cpe:/a:foo%5cbar:big%24money_2010%07:::~~special~ipod_touch~80gb~", ""},
		{"cpe:/a:foo~bar:big%7emoney_2010", "tilde"},
		{"cpe:/a:foo:bar:12.%02.1234", ""},
		{"cpe:2.3:a:microsoft:internet_explorer:8.0.6001:beta:*:*:*:*:*:*", "beta"},
		{"cpe:2.3:a:microsoft:internet_explorer:8.*:sp?:*:*:*:*:*:*", "wildcards"},
		{"cpe:2.3:a:hp:insight_diagnostics:7.4.0.1570:-:*:*:online:win2003:x64:*", "packed"},
		{"cpe:2.3:a:hp:insight_diagnostics:7.4.*.1570:*:*:*:*:*:*", ""},
		{`cpe:2.3:a:foo\\bar:big\$money:2010:*:*:*:special:ipod_touch:80gb:*`, "money"},
	} {
		c, err := know.ParseCPE(row.bound)
		if row.name == "" {
			if err == nil {
				t.Errorf("%s is read as %s", row.bound, c.WFN())
			}
			continue
		}
		want, wrong := know.ParseWFN(wellFormed[row.name])
		if err != nil || wrong != nil || c != want {
			t.Errorf("%s: %s, want %s (%v, %v)", row.bound, c.WFN(), want.WFN(), err, wrong)
		}
		if again, err := know.ParseWFN(c.WFN()); err != nil || again != c {
			t.Errorf("%s as %s and back: %s, %v", row.bound, c.WFN(), again, err)
		}
	}
}

func TestWrongWellFormedNames(t *testing.T) {
	for _, text := range []string{
		"", "wfn:", "wfn:[", `wfn:[part="a"`, `wfn:[part=a]`, `wfn:[part="x"]`, `wfn:[parts="a"]`, `wfn:[part="a",part="o"]`, `wfn:[part="a" vendor="v"]`,
		`wfn:[version="8.0"]`, `wfn:[version="8\.0]`, `wfn:[version=""]`, `wfn:[version="*"]`, `wfn:[version="a*b"]`, `wfn:[version="-"]`, `wfn:[version="a b"]`,
		`wfn:[vendor="` + strings.Repeat("x", 5000) + `"]`,
	} {
		if c, err := know.ParseWFN(text); err == nil {
			t.Errorf("%.60q is read as %s", text, c)
		}
	}
}

// TestCompareNames are name comparisons by the tables of NISTIR 7696: one disjoint attribute decides, and the rest must lean one way.
func TestCompareNames(t *testing.T) {
	for _, row := range []struct {
		source, target string
		want           know.Relation
	}{
		{`wfn:[part="a",vendor="adobe",product="reader",version="9\.3\.2"]`, `wfn:[part="a",vendor="adobe",product="reader",version="9\.3\.2"]`, know.Equal},
		{`wfn:[part="a",vendor="adobe"]`, `wfn:[part="a",vendor="adobe",product="reader",version="9\.3\.2",update=NA,edition=NA]`, know.Superset},
		{`wfn:[part="a",vendor="adobe",product="reader",version="9\.3\.2",update=NA,edition=NA]`, `wfn:[part="a",product="reader"]`, know.Subset},
		{`wfn:[part="a",vendor="adobe",product="reader",version="9\.*",update=NA]`, `wfn:[part="a",vendor="adobe",product="reader",version="9\.3\.2",update=NA]`, know.Superset},
		{`wfn:[part="a",vendor="adobe",product="reader",version="9\.*",update=NA]`, `wfn:[part="a",vendor="adobe",product="reader",version="8\.3\.2",update=NA]`, know.Disjoint},
		{`wfn:[part="a",vendor="adobe",product="reader",version="9\.3\.2",update=NA]`, `wfn:[part="a",vendor="adobe",product="reader",version="9\.3\.2",update="sp1"]`, know.Disjoint},
		{`wfn:[part="a",vendor="adobe",version="9\.3\.2"]`, `wfn:[part="a",product="reader",version="9\.3\.2"]`, know.Undefined}, // one attribute each way
		{`wfn:[part="a",vendor="adobe",version="9\.3\.2"]`, `wfn:[part="a",vendor="adobe",version="9\.*"]`, know.Undefined},      // a wildcard in the target
		{`wfn:[part="o",vendor="microsoft",product="windows_?",version="6\.1"]`, `wfn:[part="o",vendor="microsoft",product="windows_7",version="6\.1",update="sp1"]`, know.Superset},
		{`wfn:[]`, `wfn:[part="h",vendor="cisco"]`, know.Superset},
		{`wfn:[]`, `wfn:[]`, know.Equal},
	} {
		source, err := know.ParseWFN(row.source)
		if err != nil {
			t.Fatal(err)
		}
		target, err := know.ParseWFN(row.target)
		if err != nil {
			t.Fatal(err)
		}
		if got := source.Compare(target); got != row.want {
			t.Errorf("%s against %s: %d, want %d", row.source, row.target, got, row.want)
		}
	}
}

func FuzzBindings(f *testing.F) {
	for _, name := range wellFormed {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := know.ParseWFN(text)
		if err != nil {
			return
		}
		for _, bound := range []string{c.String(), c.URI()} {
			again, err := know.ParseCPE(bound)
			if err != nil || again != c {
				t.Fatalf("%s is bound to %s and read as %s, %v", c.WFN(), bound, again.WFN(), err)
			}
		}
		if again, err := know.ParseWFN(c.WFN()); err != nil || again != c {
			t.Fatalf("%s read again is %s, %v", c.WFN(), again.WFN(), err)
		}
	})
}
