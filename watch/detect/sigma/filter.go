package sigma

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"wardwatch/watch"
)

// A filter takes records away from rules: what an organisation knows to be harmless is written down once for many rules.
type filter struct {
	rules  []string // ids or names
	any    bool     // all rules of the source
	source watch.Source
	// stays is what a record must fulfil to stay with the rules.
	stays Expr
}

// readFilter reads a filter. The specification writes its condition as what goes ("selection"), tools write it as what stays
// ("not selection"), and both are in use. They are told apart by what they say of a record that no selection speaks of: a
// filter never takes that one away.
func (r *reader) readFilter(d *draft, doc yamlValue) error {
	v := doc.get("filter")
	if v.shape != yamlMap {
		return fmt.Errorf("filter: %v where a map is expected", v.shape)
	}
	f := &filter{}
	var err error
	if f.rules, err = v.get("rules").strings(); err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	if len(f.rules) == 0 {
		return errors.New("rules: it names none (all of a log source are written any)")
	}
	f.any = len(f.rules) == 1 && (strings.EqualFold(f.rules[0], "any") || strings.EqualFold(f.rules[0], "all"))
	if slices.Contains(doc.keys, "logsource") {
		if f.source, err = r.source(doc.get("logsource")); err != nil {
			return fmt.Errorf("logsource: %w", err)
		}
	} else if f.any {
		return errors.New("logsource: it names none, and all rules of it")
	}
	texts, err := v.get("condition").strings()
	if err != nil || len(texts) != 1 {
		return errors.New("condition: it has not exactly one")
	}
	s := r.searches(v, "condition", "rules")
	stays, err := s.condition(texts[0])
	if err != nil {
		return err
	}
	d.partly = append(d.partly, s.unused()...)
	untouched := conditionReader{names: s.names, search: func(string) (Expr, error) { return Or{}, nil }}
	spared, err := untouched.parse(texts[0])
	if err != nil {
		return fmt.Errorf("condition: %w", err)
	}
	if !holdsAlone(spared) {
		stays = Not{stays}
	}
	f.stays, d.filter = stays, f
	return nil
}

// holdsAlone says whether an expression holds when none of its leaves does.
func holdsAlone(e Expr) bool {
	switch e := e.(type) {
	case And:
		return !slices.ContainsFunc(e, func(e Expr) bool { return !holdsAlone(e) })
	case Or:
		return slices.ContainsFunc(e, holdsAlone)
	case Not:
		return !holdsAlone(e.Expr)
	default:
		return false
	}
}

// applyFilters adds the filters to the rules that they name.
func (r *reader) applyFilters() {
	names := r.index()
	for _, d := range r.filters {
		if d.refused != "" {
			continue
		}
		var rules []*draft
		if d.filter.any {
			for _, rule := range r.rules {
				if rule.refused == "" && d.filter.covers(rule.rule.Source) {
					rules = append(rules, rule)
				}
			}
		} else {
			for _, name := range d.filter.rules {
				rule, err := names.find(name, d.file)
				if err == nil && rule.stands != nil {
					rule = rule.stands
				}
				switch {
				case err != nil:
					d.partly = append(d.partly, err.Error())
				case rule.rule == nil:
					d.partly = append(d.partly, fmt.Sprintf("%q is no rule about one record", name))
				case !d.filter.covers(rule.rule.Source):
					d.partly = append(d.partly, fmt.Sprintf("%q is for another log source", name))
				default:
					rules = append(rules, rule)
				}
			}
		}
		full := 0
		for _, rule := range rules {
			if rule.filters++; rule.filters > maxFilters {
				full++
				continue
			}
			rule.rule.Condition = And{rule.rule.Condition, d.filter.stays}
		}
		if full > 0 {
			d.partly = append(d.partly, fmt.Sprintf("%d of its rules have %d filters already", full, maxFilters))
		}
		if len(rules) == 0 {
			d.refused = strings.Join(append(d.partly, "it is added to no rule"), "; ")
		}
	}
}

// covers says whether the filter is for rules of the source.
func (f *filter) covers(s watch.Source) bool {
	return (f.source.Product == "" || f.source.Product == s.Product) &&
		(f.source.Category == "" || f.source.Category == s.Category) &&
		(f.source.Service == "" || f.source.Service == s.Service)
}

// An index finds documents by what others call them.
type index map[string][]*draft

func (r *reader) index() index {
	names := index{}
	for _, d := range slices.Concat(r.rules, r.correlations) {
		switch {
		case d.stands != nil:
			for _, name := range []string{d.id, d.name} {
				for i, other := range names[name] {
					if other == d.stands {
						names[name][i] = d // the aggregation is what the rule means
					}
				}
			}
		default:
			for _, name := range slices.Compact([]string{d.id, d.name}) {
				if name != "" {
					names[name] = append(names[name], d)
				}
			}
		}
	}
	return names
}

// find is the document of that id or name, the one of the same file before others.
func (x index) find(name, file string) (*draft, error) {
	all := x[name]
	if len(all) > 100 { // and no time for telling them apart
		return nil, fmt.Errorf("%q is the name of %d rules", name, len(all))
	}
	if near := slices.DeleteFunc(slices.Clone(all), func(d *draft) bool { return d.file != file }); len(near) > 0 {
		all = near
	}
	all = slices.DeleteFunc(slices.Clone(all), func(d *draft) bool { return d.refused != "" && len(all) > 1 })
	switch {
	case len(all) == 0:
		return nil, fmt.Errorf("there is no rule %q", name)
	case len(all) > 1:
		return nil, fmt.Errorf("%q is the name of %d rules", name, len(all))
	case all[0].refused != "":
		return nil, fmt.Errorf("rule %q is refused: %s", name, all[0].refused)
	}
	return all[0], nil
}
