package know_test

import (
	"strings"
	"testing"

	"wardwatch/know"
)

func TestParseCPE(t *testing.T) {
	for _, row := range []struct{ in, want string }{
		{"cpe:2.3:a:ivanti:endpoint_manager_mobile:12.5.0.0:*:*:*:*:*:*:*", "cpe:2.3:a:ivanti:endpoint_manager_mobile:12.5.0.0:*:*:*:*:*:*:*"},
		{"CPE:2.3:A:Ivanti:Endpoint_Manager_Mobile:12.5.0.0:*:*:*:*:*:*:*", "cpe:2.3:a:ivanti:endpoint_manager_mobile:12.5.0.0:*:*:*:*:*:*:*"},
		// the published examples of NISTIR 7695, 6.1.3 and 6.2.3
		{"cpe:/a:microsoft:internet_explorer:8.0.6001:beta", "cpe:2.3:a:microsoft:internet_explorer:8.0.6001:beta:*:*:*:*:*:*"},
		{"cpe:/a:microsoft:internet_explorer:8.%02:sp%01", "cpe:2.3:a:microsoft:internet_explorer:8.*:sp?:*:*:*:*:*:*"},
		{"cpe:/a:hp:insight_diagnostics:7.4.0.1570:-:~~online~win2003~x64~", "cpe:2.3:a:hp:insight_diagnostics:7.4.0.1570:-:*:*:online:win2003:x64:*"},
		{"cpe:/a:hp:openview_network_manager:7.51::~~~linux~~", "cpe:2.3:a:hp:openview_network_manager:7.51:*:*:*:*:linux:*:*"},
		{"cpe:/a:foo%5cbar:big%24money_manager_2010:::~~special~ipod_touch~80gb~", `cpe:2.3:a:foo\\bar:big\$money_manager_2010:*:*:*:*:special:ipod_touch:80gb:*`},
		{`cpe:2.3:a:foo\\bar:big\$money:2010:*:*:*:special:ipod_touch:80gb:*`, `cpe:2.3:a:foo\\bar:big\$money:2010:*:*:*:special:ipod_touch:80gb:*`},
		{`cpe:2.3:o:cisco:ios_xe:3.9\(2\)s:*:*:*:*:*:*:*`, `cpe:2.3:o:cisco:ios_xe:3.9\(2\)s:*:*:*:*:*:*:*`},
		{"cpe:/o:microsoft:windows_10", "cpe:2.3:o:microsoft:windows_10:*:*:*:*:*:*:*:*"},
		{`cpe:2.3:a:x:y:\-:*:*:*:*:*:*:*`, `cpe:2.3:a:x:y:\-:*:*:*:*:*:*:*`},
	} {
		got, err := know.ParseCPE(row.in)
		if err != nil {
			t.Errorf("%s: %v", row.in, err)
		} else if got.String() != row.want {
			t.Errorf("%s: got %s, want %s", row.in, got, row.want)
		}
	}
	for _, bad := range []string{
		"", "ivanti", "cpe:2.3:a:ivanti", "cpe:2.3:x:v:p:1:*:*:*:*:*:*:*", "cpe:2.3:a:v:p:1:*:*:*:*:*:*:*:*", `cpe:2.3:a:v:p:1\`,
		"cpe:2.3:a:v::1:*:*:*:*:*:*:*", "cpe:2.3:a:v:a*b:1:*:*:*:*:*:*:*", "cpe:2.3:a:v:a?b:1:*:*:*:*:*:*:*", "cpe:2.3:a:v:**:1:*:*:*:*:*:*:*",
		"cpe:/a:v:p:%", "cpe:/a:v:p:%zz", "cpe:/a:v:p:%07", "cpe:/a:v:p:1:2:~a~b", "cpe:2.3:a:v:p\xff:1:*:*:*:*:*:*:*",
		"cpe:/a:" + strings.Repeat("x", 5000),
	} {
		if got, err := know.ParseCPE(bad); err == nil {
			t.Errorf("%q: read as %s", bad, got)
		}
	}
}

// TestRelate is the table of NISTIR 7696, 6.2: what each kind of value says of each other kind.
func TestRelate(t *testing.T) {
	for i, row := range []struct {
		source, target string
		want           know.Relation
	}{
		{"*", "*", know.Equal}, {"*", "-", know.Superset}, {"*", "1.0", know.Superset}, {"*", "1.*", know.Undefined},
		{"-", "*", know.Subset}, {"-", "-", know.Equal}, {"-", "1.0", know.Disjoint}, {"-", "1.*", know.Undefined},
		{"1.0", "1.0", know.Equal}, {"1.0", "1.1", know.Disjoint}, {"1.0", "1.*", know.Undefined}, {"1.0", "-", know.Disjoint}, {"1.0", "*", know.Subset},
		{"1.*", "*", know.Subset}, {"1.*", "-", know.Disjoint}, {"1.*", "1.0", know.Superset}, {"1.*", "2.0", know.Disjoint}, {"1.*", "2.*", know.Undefined},
		{"8.*", "8.0.6001", know.Superset}, {"sp?", "sp1", know.Superset}, {"sp?", "sp10", know.Disjoint}, {"sp?", "sp", know.Superset},
		{"*beta", "1.0beta", know.Superset}, {"?.0", "11.0", know.Disjoint}, {`1\*`, "1.0", know.Disjoint}, {`1\*`, `1\*`, know.Equal},
	} {
		if got := know.Relate(row.source, row.target); got != row.want {
			t.Errorf("%d: %s against %s: got %d, want %d", i, row.source, row.target, got, row.want)
		}
	}
}

// TestCovers holds the name comparisons of NISTIR 7696, appendix-style examples, and the ones that feeds make.
func TestCovers(t *testing.T) {
	for _, row := range []struct {
		source, target   string
		covers, disjoint bool
	}{
		{"cpe:2.3:a:microsoft:internet_explorer:8.*:sp?:*:*:*:*:*:*", "cpe:2.3:a:microsoft:internet_explorer:8.0.6001:sp3:-:en\\-us:-:-:-:-", true, false},
		{"cpe:2.3:a:adobe:*:*:*:*:*:*:*:*:*", "cpe:2.3:a:adobe:reader:9.3.2:-:*:*:*:*:*:*", true, false},
		{"cpe:2.3:a:adobe:reader:*:*:*:*:*:*:*:*", "cpe:2.3:a:adobe:reader:9.3.2:-:-:*:*:*:*:*", true, false},
		{"cpe:2.3:a:adobe:reader:9.3.2:*:*:*:*:*:*:*", "cpe:2.3:a:adobe:reader:9.3.1:*:*:*:*:*:*:*", false, true},
		{"cpe:2.3:o:microsoft:windows_7:*:sp1:*:*:*:*:*:*", "cpe:2.3:o:microsoft:windows_7:*:*:*:*:*:*:*:*", false, false},
		{"cpe:2.3:a:v:p:1:*:*:*:*:android:*:*", "cpe:2.3:a:v:p:1:*:*:*:*:iphone_os:*:*", false, true},
	} {
		source, err := know.ParseCPE(row.source)
		if err != nil {
			t.Fatal(err)
		}
		target, err := know.ParseCPE(row.target)
		if err != nil {
			t.Fatal(err)
		}
		if got := source.Covers(target); got != row.covers {
			t.Errorf("%s covers %s: %v", row.source, row.target, got)
		}
		if got := source.IsDisjoint(target); got != row.disjoint {
			t.Errorf("%s disjoint from %s: %v", row.source, row.target, got)
		}
		if !source.Covers(source) && !strings.Contains(row.source, ".*") {
			t.Errorf("%s does not cover itself", row.source)
		}
	}
}

func FuzzParseCPE(f *testing.F) {
	f.Add("cpe:2.3:a:ivanti:endpoint_manager_mobile:12.5.0.0:*:*:*:*:*:*:*")
	f.Add(`cpe:2.3:o:cisco:ios_xe:3.9\(2\)s:?:*beta:*:-:\-:a\?:*`)
	f.Add("cpe:/a:hp:insight_diagnostics:7.4.0.1570:-:~~online~win2003~x64~")
	f.Add("cpe:/a:x:%02y%01")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := know.ParseCPE(text)
		if err != nil {
			return
		}
		again, err := know.ParseCPE(c.String())
		if err != nil {
			t.Fatalf("%q gives %s, which is refused: %v", text, c, err)
		}
		if again != c {
			t.Fatalf("%q: %s read again is %s", text, c, again)
		}
		if !c.Covers(c) && c.IsDisjoint(c) {
			t.Fatalf("%s is disjoint from itself", c)
		}
	})
}
