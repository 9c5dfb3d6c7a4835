package accuracy_test

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"wardwatch/know"
	"wardwatch/know/feeds"
	"wardwatch/know/feeds/cve"
	"wardwatch/know/feeds/nvd"
	"wardwatch/test/shared"
	"wardwatch/ward"
)

// mostOfARule is how many records of one rule are taken, the first that fit in the publisher's own order.
const mostOfARule = 60

// TestGateOnPublishedRecords labels published records by the rules N and C, which look at a record alone and never at a verdict.
func TestGateOnPublishedRecords(t *testing.T) {
	var all []pair
	taken := map[string]int{}
	take := func(rule string, pairs []pair) {
		if len(pairs) == 0 || taken[rule] == mostOfARule {
			return
		}
		taken[rule]++
		for _, p := range append(pairs, byName(pairs)...) {
			p.where = rule + " " + string(p.known[0].CVE)
			all = append(all, p)
		}
	}
	read := func(source feeds.Source, label func(know.Report), path ...string) {
		_, err := feeds.Read(context.Background(), shared.File(t, path...), []feeds.Source{source}, func(r know.Report) error {
			if !r.Rejected {
				label(r)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, year := range []string{"2022", "2025"} {
		read(nvd.New(""), func(r know.Report) {
			for rule, label := range map[string]func(know.Report) []pair{"N1": oneRange, "N2": listed, "N3": runningOn, "N4": firmware, "N5": ranges, "N6": hosted} {
				take(rule, label(r))
			}
		}, "data", "vuln", "nvd", "nvdcve-1.1-"+year+".json.gz")
	}
	read(cve.New(""), func(r know.Report) {
		take("C1", claimedRange(r))
		take("C2", claimedVersions(r))
	}, "data", "vuln", "cve5", "vulnrichment-kev+active+vendors.tar.gz")
	for _, rule := range []string{"N1", "N2", "N3", "N4", "N5", "N6", "C1", "C2"} {
		if taken[rule] < 20 {
			t.Errorf("only %d records fit rule %s", taken[rule], rule)
		}
	}
	gate(t, all)
}

// byName are the same pairs with the software written as an inventory of names does: a CPE name's words without underscores.
func byName(pairs []pair) (named []pair) {
	for _, p := range pairs {
		fields := strings.Split(p.software.CPE, ":")
		if len(fields) != 13 || p.condition || fields[10] != "*" || strings.HasSuffix(fields[4], "_firmware") {
			continue
		}
		p.software = ward.Software{Vendor: strings.ReplaceAll(fields[3], "_", " "), Product: strings.ReplaceAll(fields[4], "_", " "), Version: fields[5]}
		named = append(named, p)
	}
	return named
}

var plain = regexp.MustCompile(`^\d{1,5}(\.\d{1,5}){1,3}$`)

// beside is a version of plain numbers with its last number moved; false where that is none.
func beside(version string, by int) (string, bool) {
	head, last := version[:strings.LastIndexByte(version, '.')+1], version[strings.LastIndexByte(version, '.')+1:]
	n, err := strconv.Atoi(last)
	return head + strconv.Itoa(n+by), err == nil && n+by >= 0
}

// before compares versions of plain numbers, number by number: the labels' own order, apart from the matcher's.
func before(a, b string) bool {
	x, y := numbers(a), numbers(b)
	for len(x) < len(y) {
		x = append(x, 0)
	}
	for len(y) < len(x) {
		y = append(y, 0)
	}
	return slices.Compare(x, y) < 0
}

func numbers(version string) (all []int) {
	for part := range strings.SplitSeq(version, ".") {
		n, _ := strconv.Atoi(part)
		all = append(all, n)
	}
	return all
}

// named is a CPE name of which only part, vendor and product are said, split at its colons; false for any other.
func named(text string) (fields []string, ok bool) {
	fields = strings.Split(text, ":")
	return fields, len(fields) == 13 && !strings.Contains(text, `\`) && strings.Join(fields[6:], "") == "*******"
}

// at is that name with a version.
func at(fields []string, version string) ward.Software {
	with := slices.Clone(fields)
	with[5] = version
	return ward.Software{CPE: strings.Join(with, ":")}
}

// bounds are the versions around the end of a match by rule N1.
func bounds(m know.CPEMatch) (fields []string, inside string, after []string) {
	fields, ok := named(m.CPE)
	if !ok || fields[5] != "*" || !m.Vulnerable || !plain.MatchString(m.EndExcluding) || m.EndIncluding != "" || m.StartExcluding != "" ||
		m.StartIncluding != "" && !plain.MatchString(m.StartIncluding) {
		return nil, "", nil
	}
	next, _ := beside(m.EndExcluding, 1)
	after = []string{m.EndExcluding, next}
	if lower, ok := beside(m.EndExcluding, -1); ok && (m.StartIncluding == "" || !before(lower, m.StartIncluding)) {
		inside = lower
	}
	return fields, inside, after
}

func only(r know.Report) (know.Node, bool) {
	if len(r.Trees) != 1 || len(r.Claims) > 0 {
		return know.Node{}, false
	}
	return r.Trees[0], true
}

func oneRange(r know.Report) (pairs []pair) {
	tree, ok := only(r)
	if !ok || tree.And || tree.Negate || len(tree.Children) > 0 || len(tree.Matches) != 1 {
		return nil
	}
	fields, inside, after := bounds(tree.Matches[0])
	if inside == "" {
		return nil
	}
	pairs = append(pairs, pair{software: at(fields, inside), label: "affected"})
	for _, version := range after {
		pairs = append(pairs, pair{software: at(fields, version), label: "clear"})
	}
	return of(r, pairs)
}

func listed(r know.Report) (pairs []pair) {
	tree, ok := only(r)
	if !ok || tree.And || tree.Negate || len(tree.Children) > 0 || len(tree.Matches) < 2 || len(tree.Matches) > 6 {
		return nil
	}
	product := ""
	var last []string
	for _, m := range tree.Matches {
		fields, ok := named(m.CPE)
		if !ok || !m.Vulnerable || !plain.MatchString(fields[5]) || product != "" && product != fields[3]+":"+fields[4] {
			return nil
		}
		product, last = fields[3]+":"+fields[4], fields
		pairs = append(pairs, pair{software: at(fields, fields[5]), label: "affected"})
	}
	return of(r, append(pairs, pair{software: at(last, "99999"), label: "clear"}))
}

// ranges is rule N5: several ranges of one product.
func ranges(r know.Report) (pairs []pair) {
	tree, ok := only(r)
	if !ok || tree.And || tree.Negate || len(tree.Children) > 0 || len(tree.Matches) < 2 || len(tree.Matches) > 8 {
		return nil
	}
	var last []string
	for i, m := range tree.Matches {
		fields, inside, after := bounds(m)
		if inside == "" || m.StartIncluding == "" && i > 0 || last != nil && (last[3] != fields[3] || last[4] != fields[4] || last[2] != fields[2]) {
			return nil
		}
		last = fields
		pairs = append(pairs, pair{software: at(fields, inside), label: "affected"})
		if !slices.ContainsFunc(tree.Matches, func(other know.CPEMatch) bool {
			return !before(after[0], cmp.Or(other.StartIncluding, "0")) && before(after[0], other.EndExcluding)
		}) {
			pairs = append(pairs, pair{software: at(fields, after[0]), label: "clear"})
		}
	}
	return of(r, pairs)
}

// hosted is rule N6: one range of a product for one target.
func hosted(r know.Report) []pair {
	tree, ok := only(r)
	if !ok || tree.And || tree.Negate || len(tree.Children) > 0 || len(tree.Matches) != 1 {
		return nil
	}
	m := tree.Matches[0]
	fields := strings.Split(m.CPE, ":")
	if len(fields) != 13 || fields[10] == "*" || fields[10] == "-" || strings.Contains(m.CPE, `\`) {
		return nil
	}
	target := fields[10]
	fields[10] = "*"
	m.CPE = strings.Join(fields, ":")
	fields, inside, after := bounds(m)
	if inside == "" {
		return nil
	}
	with := func(target, version string) ward.Software {
		sw := slices.Clone(fields)
		sw[10] = target
		return at(sw, version)
	}
	return of(r, []pair{{software: with(target, inside), label: "affected"}, {software: with("another_host", inside), label: "clear"},
		{software: with(target, after[0]), label: "clear"}})
}

// two are the nodes of an AND of one vulnerable name and one or more conditions.
func two(r know.Report) (target know.CPEMatch, on []know.CPEMatch, ok bool) {
	tree, ok := only(r)
	if !ok || !tree.And || tree.Negate || len(tree.Matches) > 0 || len(tree.Children) != 2 {
		return target, nil, false
	}
	a, b := tree.Children[0], tree.Children[1]
	if len(b.Matches) > 0 && b.Matches[0].Vulnerable {
		a, b = b, a
	}
	if a.And || a.Negate || b.And || b.Negate || len(a.Children)+len(b.Children) > 0 || len(a.Matches) != 1 || len(b.Matches) == 0 {
		return target, nil, false
	}
	for _, m := range b.Matches {
		if m.Vulnerable {
			return target, nil, false
		}
	}
	return a.Matches[0], b.Matches, true
}

// families are one release of each family of operating systems.
var families = map[string]string{
	"microsoft:windows": "cpe:2.3:o:microsoft:windows_11:23h2:*:*:*:*:*:*:*", "linux:linux_kernel": "cpe:2.3:o:canonical:ubuntu_linux:22.04:*:*:*:*:*:*:*",
	"apple:macos": "cpe:2.3:o:apple:macos:14.5:*:*:*:*:*:*:*", "apple:mac_os_x": "cpe:2.3:o:apple:macos:14.5:*:*:*:*:*:*:*",
}

func runningOn(r know.Report) (pairs []pair) {
	target, on, ok := two(r)
	if !ok || len(on) != 1 {
		return nil
	}
	system := strings.Split(on[0].CPE, ":")
	if len(system) != 13 || system[5] != "-" && system[5] != "*" {
		return nil
	}
	its, known := families[system[3]+":"+system[4]]
	fields, inside, after := bounds(target)
	if !known || inside == "" {
		return nil
	}
	pairs = append(pairs, pair{software: at(fields, inside), label: "unknown", condition: true})
	for _, other := range slices.Compact(slices.Sorted(func(yield func(string) bool) {
		for _, one := range families {
			if !yield(one) {
				return
			}
		}
	})) {
		together := []ward.Software{{CPE: other}}
		label := "clear"
		if other == its {
			label = "affected"
			pairs = append(pairs, pair{software: at(fields, after[0]), together: together, label: "clear", condition: true})
		}
		pairs = append(pairs, pair{software: at(fields, inside), together: together, label: label, condition: true})
	}
	return of(r, pairs)
}

func firmware(r know.Report) (pairs []pair) {
	target, on, ok := two(r)
	fields, inside, after := bounds(target)
	if !ok || len(on) != 1 || inside == "" || !strings.HasSuffix(fields[4], "_firmware") ||
		!strings.HasPrefix(on[0].CPE, fmt.Sprintf("cpe:2.3:h:%s:%s:-:", fields[3], strings.TrimSuffix(fields[4], "_firmware"))) {
		return nil
	}
	return of(r, []pair{{software: at(fields, inside), label: "affected", condition: true}, {software: at(fields, after[0]), label: "clear", condition: true}})
}

// claimed is the only entry of a CNA, whose word nobody else's adds to.
func claimed(r know.Report) (know.Claim, bool) {
	if !strings.HasPrefix(r.Source, "cna:") || len(r.Trees) > 0 || len(r.Claims) != 1 {
		return know.Claim{}, false
	}
	c := r.Claims[0]
	return c, c.Default != know.ClaimAffected && c.Vendor != "" && c.Product != "" && len(c.Platforms) == 0 && c.PURL == ""
}

func claimedRange(r know.Report) []pair {
	c, ok := claimed(r)
	if !ok || len(c.Versions) != 1 {
		return nil
	}
	v := c.Versions[0]
	if v.Status != know.ClaimAffected || len(v.Changes) > 0 || !plain.MatchString(v.Version) || !plain.MatchString(v.LessThan) || v.LessThanOrEqual != "" || !before(v.Version, v.LessThan) {
		return nil
	}
	return of(r, []pair{{software: ward.Software{Vendor: c.Vendor, Product: c.Product, Version: v.Version}, label: "affected"},
		{software: ward.Software{Vendor: c.Vendor, Product: c.Product, Version: v.LessThan}, label: "clear"}})
}

func claimedVersions(r know.Report) (pairs []pair) {
	c, ok := claimed(r)
	if !ok || len(c.Versions) == 0 || len(c.Versions) > 6 {
		return nil
	}
	for _, v := range c.Versions {
		if v.Status != know.ClaimAffected || len(v.Changes) > 0 || v.LessThan+v.LessThanOrEqual != "" || !plain.MatchString(v.Version) {
			return nil
		}
		pairs = append(pairs, pair{software: ward.Software{Vendor: c.Vendor, Product: c.Product, Version: v.Version}, label: "affected"})
	}
	other := "unknown"
	if c.Default == know.ClaimUnaffected {
		other = "clear"
	}
	return of(r, append(pairs, pair{software: ward.Software{Vendor: c.Vendor, Product: c.Product, Version: "99999"}, label: other}))
}

// of gives pairs the record that they are about.
func of(r know.Report, pairs []pair) []pair {
	for i := range pairs {
		pairs[i].known = []know.Report{r}
	}
	return pairs
}
