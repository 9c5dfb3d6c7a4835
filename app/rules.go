package app

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"wardwatch/watch/detect/indicators"
	"wardwatch/watch/detect/sigma"
	"wardwatch/watch/detect/starter"
)

// RulesOptions say which rules.
type RulesOptions struct {
	Dirs  []string // folders or files of Sigma rules; none: the starter rules, which the program brings with it
	Lists []string // files and folders of value lists, for rules that ask for them
	also  []string // names of fields that others ask for
}

// RulesReport is what became of each rule.
type RulesReport struct {
	Loaded  int             `json:"loaded"`  // all of what they say
	Partly  []sigma.Trouble `json:"partly"`  // not all of it
	Refused []sigma.Trouble `json:"refused"` // nothing of it
}

// Text prints the rules that are not loaded in full, and last the counts.
func (r RulesReport) Text(w io.Writer) {
	tellTrouble(w, "refused", r.Refused)
	tellTrouble(w, "loaded in part", r.Partly)
	fmt.Fprintf(w, "%s loaded, %d in part, %d refused\n", counted(r.Loaded, "rule"), len(r.Partly), len(r.Refused))
}

func tellTrouble(w io.Writer, what string, trouble []sigma.Trouble) {
	for _, t := range trouble {
		id := ""
		if t.RuleID != "" {
			id = " (" + t.RuleID + ")"
		}
		fmt.Fprintf(w, "%s: %s%s: %s\n", what, t.File, id, t.Reason)
	}
}

// CheckRules reads rules and says what became of each. Where none could be used the error says so, beside the report.
func CheckRules(o RulesOptions) (RulesReport, error) {
	_, report, err := loadRules(o)
	if err != nil {
		return RulesReport{}, err
	}
	r := RulesReport{Loaded: report.Loaded, Partly: byFile(report.Partly), Refused: byFile(report.Refused)}
	if r.Loaded+len(r.Partly) == 0 {
		err = fmt.Errorf("rules: none could be used: %w", ErrNothingRead)
	}
	return r, err
}

// byFile is never null, which a program that reads the report would have to know.
func byFile(trouble []sigma.Trouble) []sigma.Trouble {
	sorted := append([]sigma.Trouble{}, trouble...)
	slices.SortStableFunc(sorted, func(a, b sigma.Trouble) int { return cmp.Compare(a.File, b.File) })
	return sorted
}

// loadRules reads the rules of the folders, or the starter rules. What is wrong with one rule is in the report; the error is
// for a folder or a list that cannot be read.
func loadRules(o RulesOptions) (*sigma.Set, *sigma.Report, error) {
	lists, err := sigma.ReadLists(o.Lists...)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", err, ErrNothingRead)
	}
	options := sigma.Options{Lists: lists, Fields: slices.Concat(indicators.Fields(), o.also)}
	if len(o.Dirs) > 0 {
		set, report, err := sigma.Load(options, o.Dirs...)
		if err != nil {
			err = fmt.Errorf("%w: %w", err, ErrNothingRead)
		}
		return set, report, err
	}
	files, err := sigma.FilesIn(starter.Rules())
	if err != nil {
		return nil, nil, fmt.Errorf("starter rules: %w", err)
	}
	for i := range files {
		files[i].Name = "starter/" + files[i].Name
	}
	set, report := sigma.Parse(options, files...)
	return set, report, nil
}
