// Package accuracy_test is the gate that holds the matcher against pairs whose answer is known. rules.md says how they were
// labelled.
package accuracy_test

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"wardwatch/know"
	"wardwatch/know/match"
	"wardwatch/ward"
)

// A pair is one software identity, what stands beside it, what is known of one weakness, and the right answer.
type pair struct {
	where     string // "R5 CVE-2099-1011"
	software  ward.Software
	together  []ward.Software
	known     []know.Report
	label     string // affected, clear, unknown or silent
	condition bool   // needs an AND or a "running on"
}

// said is the label that the matcher's answer amounts to.
func (p pair) said() (label, why string) {
	v, ok := match.Evaluate(p.software, p.together, p.known)
	switch {
	case !ok:
		return "silent", "no source speaks of it"
	case v.Status == ward.Affected:
		return "affected", v.Why
	case v.Status == ward.Fixed, v.Status == ward.NotAffected:
		return "clear", v.Why
	}
	return "unknown", v.Why
}

// least is what the set must hold, and the gate must reach.
const (
	leastPairs      = 500
	leastConditions = 100
	leastShare      = 0.99
)

// gate holds every pair against the matcher.
func gate(t *testing.T, all []pair) {
	t.Helper()
	var affected, called, right, agreed, conditions int
	for _, p := range all {
		got, why := p.said()
		if p.condition {
			conditions++
		}
		if p.label == "affected" {
			affected++
		}
		if got == "affected" {
			called++
			if p.label == "affected" {
				right++
			}
		}
		if got == p.label {
			agreed++
			continue
		}
		beside := ""
		for _, other := range p.together {
			beside += " beside " + other.String()
		}
		t.Logf("%s: %s%s is %s and was called %s: %s", p.where, p.software, beside, p.label, got, why)
	}
	share := func(part, whole int) float64 { return float64(part) / float64(max(whole, 1)) }
	precision, recall, agreement := share(right, called), share(right, affected), share(agreed, len(all))
	t.Logf("%d pairs, %d of them with conditions: precision %.2f %%, recall %.2f %%, agreement %.2f %%", len(all), conditions, 100*precision, 100*recall, 100*agreement)
	if len(all) < leastPairs || conditions < leastConditions || affected < leastPairs/4 {
		t.Errorf("the set is too small: %d pairs, %d with conditions, %d affected", len(all), conditions, affected)
	}
	if precision < leastShare || recall < leastShare || agreement < leastShare {
		t.Errorf("below %.0f %%", 100*leastShare)
	}
}

func TestGate(t *testing.T) {
	f, err := os.Open("pairs.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := reader{}
	lines := bufio.NewScanner(f)
	for number := 1; lines.Scan(); number++ {
		if err := r.line(strings.TrimSpace(lines.Text())); err != nil {
			t.Fatalf("pairs.txt:%d: %v", number, err)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	gate(t, r.pairs)
}

// reader makes pairs of the lines of pairs.txt.
type reader struct {
	pairs    []pair
	rule     string
	cve      ward.CVE
	reports  []know.Report
	as       []string
	together []ward.Software
}

func (r *reader) line(line string) error {
	if line == "" || line[0] == '#' {
		return nil
	}
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "weakness":
		*r = reader{pairs: r.pairs, cve: ward.CVE(rest)}
	case "rule":
		r.rule = rest
	case "source":
		r.reports = append(r.reports, know.Report{CVE: r.cve, Source: rest})
	case "as":
		r.as = append(r.as, rest)
	case "beside":
		r.together = []ward.Software{{CPE: rest}}
	case "affected", "clear", "unknown", "silent":
		return r.label(word, strings.Fields(rest))
	default:
		return r.says(word, rest)
	}
	return nil
}

// says adds to what the last source says.
func (r *reader) says(word, rest string) error {
	if len(r.reports) == 0 {
		return fmt.Errorf("%q before any source", word)
	}
	report := &r.reports[len(r.reports)-1]
	switch word {
	case "target", "on", "and", "not":
		m, err := bounded(rest)
		if err != nil {
			return err
		}
		m.Vulnerable = word == "target" || word == "and"
		report.Trees = grow(report.Trees, word, m)
		return nil
	case "claim":
		fields := columns(rest)
		if len(fields) != 3 {
			return fmt.Errorf("a claim is VENDOR | PRODUCT | DEFAULT")
		}
		report.Claims = append(report.Claims, know.Claim{Vendor: fields[0], Product: fields[1], Default: know.ClaimStatus(fields[2])})
		return nil
	case "package":
		fields := columns(rest)
		if len(fields) != 2 {
			return fmt.Errorf("a package is PURL | ECOSYSTEM")
		}
		report.Claims = append(report.Claims, know.Claim{PURL: fields[0], Ecosystem: fields[1], Default: know.ClaimUnaffected})
		return nil
	}
	if len(report.Claims) == 0 {
		return fmt.Errorf("%q before any claim", word)
	}
	claim := &report.Claims[len(report.Claims)-1]
	fields := strings.Fields(rest)
	var one know.Range
	switch {
	case word == "version" && len(fields) == 2:
		one = know.Range{Version: fields[0], Status: know.ClaimStatus(fields[1])}
	case word == "range" && len(fields) >= 4 && fields[1] == "<":
		one = know.Range{Version: fields[0], LessThan: fields[2], Status: know.ClaimStatus(fields[3])}
	case word == "range" && len(fields) >= 4 && fields[1] == "<=":
		one = know.Range{Version: fields[0], LessThanOrEqual: fields[2], Status: know.ClaimStatus(fields[3])}
	default:
		return fmt.Errorf("%q is not understood", word+" "+rest)
	}
	if len(fields) > 4 {
		one.Scheme = fields[4]
	}
	claim.Versions = append(claim.Versions, one)
	return nil
}

func columns(text string) []string {
	fields := strings.Split(text, "|")
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	return fields
}

// bounded reads a CPE name with bounds: "cpe:2.3:... >=2.0 <2.5".
func bounded(text string) (m know.CPEMatch, err error) {
	fields := strings.Fields(text)
	m.CPE = fields[0]
	for _, bound := range fields[1:] {
		switch {
		case strings.HasPrefix(bound, ">="):
			m.StartIncluding = bound[2:]
		case strings.HasPrefix(bound, ">"):
			m.StartExcluding = bound[1:]
		case strings.HasPrefix(bound, "<="):
			m.EndIncluding = bound[2:]
		case strings.HasPrefix(bound, "<"):
			m.EndExcluding = bound[1:]
		default:
			return m, fmt.Errorf("%q is no bound", bound)
		}
	}
	return m, nil
}

// grow adds a leaf to a source's only tree: targets in its first node, and each kind of condition in a further node of an AND.
func grow(trees []know.Node, kind string, m know.CPEMatch) []know.Node {
	if len(trees) == 0 {
		trees = []know.Node{{}}
	}
	tree := &trees[0]
	if kind == "target" {
		tree.Matches = append(tree.Matches, m)
		return trees
	}
	if !tree.And {
		*tree = know.Node{And: true, Children: []know.Node{{Matches: tree.Matches}, {Negate: kind == "not"}}}
	}
	second := &tree.Children[1]
	second.Matches = append(second.Matches, m)
	return trees
}

// label makes a pair of every version in every way of writing the software.
func (r *reader) label(label string, versions []string) error {
	if len(r.as) == 0 || len(r.reports) == 0 || r.rule == "" {
		return fmt.Errorf("a label before its rule, source and software")
	}
	condition := slices.ContainsFunc(r.reports, func(report know.Report) bool {
		return slices.ContainsFunc(report.Trees, func(n know.Node) bool { return n.And })
	})
	for _, as := range r.as {
		for _, version := range versions {
			sw, ok := software(as, strings.Trim(version, `"`))
			if !ok {
				continue
			}
			r.pairs = append(r.pairs, pair{where: r.rule + " " + string(r.cve), software: sw, together: r.together, known: r.reports, label: label, condition: condition})
		}
	}
	return nil
}

// software puts a version into a way of writing it.
func software(as, version string) (ward.Software, bool) {
	switch {
	case strings.HasPrefix(as, "cpe:"):
		if version == "" {
			version = "*"
		}
		return ward.Software{CPE: strings.Replace(as, "{}", version, 1)}, true
	case strings.HasPrefix(as, "pkg:"):
		return ward.Software{PURL: strings.Replace(as, "{}", version, 1)}, true
	}
	fields := columns(as)
	if len(fields) != 3 || version == "-" || version == "*" {
		return ward.Software{}, false
	}
	return ward.Software{Vendor: fields[0], Product: fields[1], Version: version}, true
}
