package sigma_test

import (
	"fmt"
	"strings"
	"testing"

	"wardwatch/watch/detect/sigma"
)

// ops are the operations as the vectors write them.
var ops = map[sigma.Op]string{
	sigma.Equals: "=", sigma.Contains: "contains", sigma.StartsWith: "startswith", sigma.EndsWith: "endswith", sigma.Like: "like",
	sigma.Matches: "re", sigma.Within: "within", sigma.Exists: "exists", sigma.Absent: "absent", sigma.Below: "<", sigma.AtMost: "<=",
	sigma.Above: ">", sigma.AtLeast: ">=", sigma.SameAs: "same as", sigma.PartOf: "contains field", sigma.BeginsLike: "startswith field",
	sigma.EndsLike: "endswith field", sigma.AtTime: "at",
}

var parts = map[sigma.Part]string{
	sigma.Minute: "minute", sigma.Hour: "hour", sigma.Day: "day", sigma.Week: "week", sigma.Month: "month", sigma.Year: "year",
}

// show writes a condition so that a person can compare it: F = "x", and(...), or(...), not(...).
func show(e sigma.Expr) string {
	list := func(name string, each []sigma.Expr) string {
		texts := make([]string, len(each))
		for i, e := range each {
			texts[i] = show(e)
		}
		return name + "(" + strings.Join(texts, ", ") + ")"
	}
	switch e := e.(type) {
	case sigma.And:
		return list("and", e)
	case sigma.Or:
		return list("or", e)
	case sigma.Not:
		return "not(" + show(e.Expr) + ")"
	case sigma.Seen:
		return fmt.Sprintf("seen %d", int(e))
	case *sigma.Predicate:
		return showPredicate(e)
	default:
		return fmt.Sprintf("%T", e)
	}
}

func showPredicate(p *sigma.Predicate) string {
	field := p.Field
	if field == "" {
		field = "any field"
	}
	s := field + " " + ops[p.Op]
	switch p.Op {
	case sigma.Equals, sigma.Contains, sigma.StartsWith, sigma.EndsWith:
		s += fmt.Sprintf(" %q", p.Literal)
	case sigma.Like:
		s += " " + showPattern(p.Pattern)
	case sigma.Matches:
		return s + " " + p.Regexp.String()
	case sigma.Within:
		s += " " + p.Prefix.String()
	case sigma.Below, sigma.AtMost, sigma.Above, sigma.AtLeast:
		s += fmt.Sprintf(" %v", p.Number)
	case sigma.SameAs, sigma.PartOf, sigma.BeginsLike, sigma.EndsLike:
		s += " " + p.Other
	case sigma.AtTime:
		s += fmt.Sprintf(" %s %v", parts[p.Part], p.Number)
	case sigma.Exists, sigma.Absent:
	}
	if p.Cased {
		s += " cased"
	}
	return s
}

func showPattern(p sigma.Pattern) string {
	var pieces []string
	for _, piece := range p {
		switch piece.Hole {
		case sigma.Any:
			pieces = append(pieces, "*")
		case sigma.One:
			pieces = append(pieces, "?")
		default:
			pieces = append(pieces, fmt.Sprintf("%q", piece.Literal))
		}
	}
	return strings.Join(pieces, " ")
}

// rule is a whole rule around a detection.
func rule(detection string) string {
	return "title: A rule of our own\nid: 0c0ffee0-0000-4000-8000-000000000001\nlogsource: {product: windows, category: process_creation}\n" +
		"detection:\n" + indent(detection)
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ") + "\n"
}

// parse reads texts as files rule0.yml, rule1.yml and so on.
func parse(o sigma.Options, texts ...string) (*sigma.Set, *sigma.Report) {
	files := make([]sigma.File, len(texts))
	for i, text := range texts {
		files[i] = sigma.File{Name: fmt.Sprintf("rule%d.yml", i), Text: []byte(text)}
	}
	return sigma.Parse(o, files...)
}

// loaded parses texts that must be read without any trouble.
func loaded(t *testing.T, o sigma.Options, texts ...string) *sigma.Set {
	t.Helper()
	set, report := parse(o, texts...)
	if len(report.Partly)+len(report.Refused) > 0 {
		t.Fatalf("partly %v, refused %v", report.Partly, report.Refused)
	}
	return set
}

// refused is why the one document in the text does not work.
func refused(t *testing.T, text string) string {
	t.Helper()
	set, report := parse(sigma.Options{}, text)
	if len(report.Refused) != 1 || report.Loaded != 0 || len(report.Partly) != 0 || len(set.Rules) != 0 {
		t.Fatalf("not refused but for one: %+v", report)
	}
	return report.Refused[0].Reason
}
