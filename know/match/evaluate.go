package match

import (
	"fmt"
	"slices"
	"strings"

	"wardwatch/know"
	"wardwatch/ward"
)

// Evaluate holds one software identity against the reports of one CVE. Together is everything known to run on the same
// asset (with or without sw itself); without it, a weakness that needs a neighbour is platform_unknown. It is false when no
// report is about the product, so that nothing can be said.
func Evaluate(sw ward.Software, together []ward.Software, reports []know.Report) (ward.Verdict, bool) {
	w := Compile(reports)
	if w == nil {
		return ward.Verdict{}, false
	}
	beside := make([]*Identity, len(together))
	for i := range together {
		beside[i] = Read(together[i])
	}
	return w.Evaluate(Read(sw), beside)
}

// Evaluate is Evaluate over what was made ready before.
func (w *Weakness) Evaluate(id *Identity, together []*Identity) (ward.Verdict, bool) {
	v, opinions := w.decide(id, together)
	if len(opinions) == 0 {
		return v, false
	}
	v.Why = why(opinions)
	return v, true
}

// decide is the verdict but for its sentence, and the opinions that it rests on, the one that decides first.
func (w *Weakness) decide(id *Identity, together []*Identity) (ward.Verdict, []opinion) {
	opinions := w.opinions(id, together)
	if len(opinions) == 0 {
		return ward.Verdict{}, nil
	}
	first := opinions[0]
	return ward.Verdict{
		Software: id.Software.ID, CVE: w.CVE, Status: first.status, Basis: first.basis, Confidence: first.confidence,
		Source: first.source.name, Fixed: w.fixed(id, together, opinions, first.status),
	}, opinions
}

// opinions asks every source and puts the one that decides first: a ruling, an explicit version, a default status; of equal
// strength the higher source.
func (w *Weakness) opinions(id *Identity, together []*Identity) []opinion {
	var all []opinion
	for i := range w.sources {
		if o, ok := w.sources[i].opinionOf(id, together); ok {
			all = append(all, o)
		}
	}
	slices.SortStableFunc(all, func(a, b opinion) int { return decisive(a) - decisive(b) })
	return all
}

// decisive orders opinions of different sources. "Says nothing of this version" decides only when nobody says more.
func decisive(o opinion) int {
	if o.status == ward.VersionUnknown && o.basis == ward.ByDefault {
		return 1000 + o.source.rank
	}
	return 10*strength(o.basis) + o.source.rank
}

// why is the sentence: the source that decides, then what the others say of it.
func why(opinions []opinion) string {
	const most = 3
	decides := opinions[0]
	var b strings.Builder
	b.WriteString(decides.source.label + " " + decides.words())
	for i, o := range opinions[1:] {
		if i == most {
			fmt.Fprintf(&b, "; %d more sources", len(opinions)-1-most)
			break
		}
		switch {
		case o.status == decides.status || settled(o.status) && settled(decides.status):
			fmt.Fprintf(&b, "; %s agrees: it %s", o.source.label, o.words())
		default:
			fmt.Fprintf(&b, "; that outranks %s, which %s", o.source.label, o.words())
		}
	}
	b.WriteByte('.')
	return b.String()
}

func settled(s ward.Status) bool { return s == ward.Fixed || s == ward.NotAffected }

// fixed picks the fixed version to name: the lowest on the installed branch, else the lowest later one that no source calls
// affected. For what is fixed already it is the fix that was reached.
func (w *Weakness) fixed(id *Identity, together []*Identity, opinions []opinion, status ward.Status) string {
	type candidate struct{ version, key string }
	var all []candidate
	for _, o := range opinions {
		for _, version := range o.fixes {
			key, _ := know.OrderKey(know.SchemeVendor, version)
			all = append(all, candidate{version, key})
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return strings.Compare(a.key, b.key) })
	all = slices.CompactFunc(all, func(a, b candidate) bool { return a.key == b.key })
	if len(all) == 0 || status == ward.NotAffected {
		return ""
	}
	branch := id.branch
	if status == ward.Fixed {
		reached := ""
		for _, c := range all {
			if c.key > id.key {
				break
			}
			if know.Branch(c.version) == branch {
				return c.version
			}
			reached = c.version
		}
		return reached
	}
	if id.version == "" {
		return all[len(all)-1].version
	}
	good := func(c candidate) bool {
		if c.key <= id.key {
			return false
		}
		then := w.opinions(id.at(c.version), together)
		return len(then) > 0 && settled(then[0].status)
	}
	for _, onBranch := range []bool{true, false} {
		for _, c := range all {
			if (know.Branch(c.version) == branch) == onBranch && good(c) {
				return c.version
			}
		}
	}
	return ""
}
