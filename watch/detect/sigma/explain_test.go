package sigma_test

import (
	"slices"
	"testing"

	"wardwatch/watch"
	"wardwatch/watch/detect/sigma"
)

func TestExplainNamesWhatMatched(t *testing.T) {
	names := watch.NewNames("Image", "CommandLine", "User", "Parent")
	rule := &sigma.Rule{Condition: sigma.And{
		&sigma.Predicate{Field: "Image", Op: sigma.EndsWith, Literal: `\cmd.exe`},
		sigma.Or{
			&sigma.Predicate{Field: "CommandLine", Op: sigma.Contains, Literal: "whoami"},
			&sigma.Predicate{Field: "CommandLine", Op: sigma.Contains, Literal: "/all"},
			&sigma.Predicate{Field: "CommandLine", Op: sigma.Contains, Literal: "nowhere"},
			sigma.And{
				&sigma.Predicate{Field: "User", Op: sigma.Equals, Literal: "ada"},
				&sigma.Predicate{Field: "User", Op: sigma.Equals, Literal: "bob"},
			},
		},
		&sigma.Predicate{Op: sigma.Contains, Literal: "secret"},
		&sigma.Predicate{Field: "Parent", Op: sigma.Absent},
		sigma.Not{Expr: &sigma.Predicate{Field: "User", Op: sigma.Equals, Literal: "system"}},
	}}
	r := record(names, 1, "Image", `C:\CMD.exe`, "CommandLine", "cmd", "CommandLine", "WhoAmI /all", "User", "Ada", "Note", "a Secret")
	want := []sigma.Matched{{"Image", `C:\CMD.exe`}, {"CommandLine", "WhoAmI /all"}, {"Note", "a Secret"}}
	if got := sigma.Explain(rule, r, names); !slices.Equal(got, want) {
		t.Errorf("explained by %q, want %q", got, want)
	}
	if got := sigma.Explain(rule, record(names, 1, "Image", `C:\CMD.exe`), names); got != nil {
		t.Errorf("a record that does not fulfil the rule is explained by %q", got)
	}
}
