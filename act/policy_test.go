package act_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wardwatch/act"
	"wardwatch/ward"
)

const small = `
title: Ours
source: our own board, meeting of 3 November
checked: 2026-11-03
respond_within: 24h
update_every: 48h
remediate:
  - {kind: internet_facing, days: 2.5}
escalation:
  - {after: 8h, tell: executive}
  - {after: 0h, tell: contact}
`

func TestTheShippedDefaultSaysWhatItIsOf(t *testing.T) {
	all := act.ShippedPolicies()
	p := all.Named(act.Default)
	const day = 24 * time.Hour
	if p.RespondWithin != 48*time.Hour || p.UpdateEvery != 3*day || p.RemediateWithin(ward.SystemInternetFacing) != 5*day ||
		p.RemediateWithin(ward.SystemOther) != 7*day || p.RemediateWithin(ward.SystemIsolated) != 14*day {
		t.Errorf("%+v", p)
	}
	if p.Source == "" || p.Checked.IsZero() || p.Off {
		t.Errorf("%+v", p)
	}
	if d := act.DefaultPolicy(); d.Name != act.Default || all.All()[0].Name != act.Default {
		t.Errorf("%+v", d)
	}
	if other := all.Named("bod-26-04"); !other.Off || other.RemediateWithin(ward.SystemInternetFacing) != 3*day || other.RemediateWithin(ward.SystemOther) != 0 {
		t.Errorf("%+v", other)
	}
	if none := all.Named("no such"); none.Name != "" {
		t.Errorf("%+v", none)
	}
}

func TestAnExerciseEscalatesToNobodyAboveALead(t *testing.T) {
	calm := act.DefaultPolicy().ForExercise()
	if len(calm.Reminders) == 0 || len(calm.Escalation) != 2 {
		t.Fatalf("%+v", calm)
	}
	for _, e := range calm.Escalation {
		if e.Tell.Above(ward.RungLead) {
			t.Errorf("an exercise tells %s", e.Tell)
		}
	}
	if len(act.DefaultPolicy().Escalation) != 5 {
		t.Error("the policy itself was changed")
	}
}

func TestADirectoryAddsPoliciesAndTakesThePlaceOfShippedOnes(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"ours.yaml": small, "default.yaml": small, "README.md": "no policy"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := act.LoadPolicies(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ours", act.Default} {
		p := all.Named(name)
		if p.Title != "Ours" || p.RespondWithin != 24*time.Hour || p.RemediateWithin(ward.SystemInternetFacing) != 60*time.Hour || p.Escalation[0].Tell != ward.RungContact {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if got := len(all.All()); got != 3 {
		t.Errorf("%d policies", got)
	}
	if _, err := act.LoadPolicies(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a directory that is not there: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "default.yaml"), []byte(small+"off: true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := act.LoadPolicies(dir); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("the default is off: %v", err)
	}
	// Everything that is wrong is told at once, each with its file.
	for name, text := range map[string]string{"bad.yaml": "title: x\n", "worse.yaml": ": : :"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err = act.LoadPolicies(dir)
	for _, want := range []string{"bad.yaml", "worse.yaml", "source: is empty", "checked", "respond_within"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told: %v", want, err)
		}
	}
}

func TestPoliciesThatAreNotValid(t *testing.T) {
	for name, row := range map[string]struct{ text, want string }{
		"an unknown field":      {small + "urgent: yes\n", "urgent"},
		"two documents":         {small + "---\n" + small, "more than one document"},
		"empty":                 {"", "EOF"},
		"a list":                {"- a\n", "cannot unmarshal"},
		"no source":             {strings.Replace(small, "source: our own board, meeting of 3 November", "source: ''", 1), "source: is empty"},
		"no day":                {strings.Replace(small, "2026-11-03", "3 May", 1), "checked"},
		"a clock of minutes":    {strings.Replace(small, "24h", "24m", 1), "respond_within"},
		"a clock of years":      {strings.Replace(small, "48h", "90000h", 1), "update_every"},
		"a negative clock":      {strings.Replace(small, "48h", "-48h", 1), "update_every"},
		"an unknown kind":       {strings.Replace(small, "internet_facing", "mainframe", 1), "remediate[0].kind"},
		"a kind twice":          {strings.Replace(small, "escalation:", "  - {kind: internet_facing, days: 3}\nescalation:", 1), "twice"},
		"days that are none":    {strings.Replace(small, "2.5", ".nan", 1), "remediate[0].days"},
		"days without end":      {strings.Replace(small, "2.5", ".inf", 1), "remediate[0].days"},
		"no days":               {strings.Replace(small, "2.5", "0", 1), "remediate[0].days"},
		"an unknown rung":       {strings.Replace(small, "executive", "minister", 1), "escalation[0].tell"},
		"before it is due":      {strings.Replace(small, "after: 8h", "after: -8h", 1), "escalation[0].after"},
		"a share above one":     {small + "tolerance: {share: 2, within: 1h}\n", "tolerance.share"},
		"a share that is none":  {small + "tolerance: {share: .nan, within: 1h}\n", "tolerance.share"},
		"a link to a file":      {small + "link: file:///etc/passwd\n", "link"},
		"a control character":   {strings.Replace(small, "Ours", `"a\u0007b"`, 1), "title"},
		"too long":              {small + strings.Repeat("# x\n", 20_000), "longer"},
		"a reminder at no time": {small + "reminders: [{before: 0h, tell: lead}]\n", "reminders[0].before"},
	} {
		_, err := act.ParsePolicy("ours", []byte(row.text))
		if !errors.Is(err, ward.ErrInvalid) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "../default", "Default", "a b", strings.Repeat("a", 61)} {
		if _, err := act.ParsePolicy(name, []byte(small)); !errors.Is(err, ward.ErrInvalid) {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

// FuzzPolicy holds that no file makes the parser fail otherwise than by saying what is wrong, and that what it takes is in
// bounds and in order.
func FuzzPolicy(f *testing.F) {
	shipped, err := filepath.Glob("policies/*.yaml")
	if err != nil || len(shipped) < 2 {
		f.Fatalf("%v, %v", shipped, err)
	}
	for _, name := range shipped {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
		f.Add(bytes.ReplaceAll(text, []byte("days: 3"), []byte("days: -1e308")))
	}
	f.Add([]byte(small))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := act.ParsePolicy("ours", text)
		if err != nil {
			if !errors.Is(err, ward.ErrInvalid) {
				t.Errorf("%v", err)
			}
			return
		}
		if p.RespondWithin < time.Hour || p.UpdateEvery < time.Hour || p.Title == "" || p.Source == "" || p.Checked.IsZero() {
			t.Errorf("%+v", p)
		}
		for i, e := range p.Escalation {
			if e.After < 0 || !e.Tell.Valid() || i > 0 && e.After < p.Escalation[i-1].After {
				t.Errorf("escalation %+v", p.Escalation)
			}
		}
		for _, r := range p.Remediate {
			if r.Within < time.Hour {
				t.Errorf("remediate %+v", p.Remediate)
			}
		}
	})
}
