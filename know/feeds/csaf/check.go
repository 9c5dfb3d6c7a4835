package csaf

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// failure is a mandatory test of the specification that a document fails.
type failure struct {
	test string // "6.1.1"
	what string
	at   string // JSON pointer
}

func (f failure) Error() string {
	return fmt.Sprintf("fails mandatory test %s: %s (%s)", f.test, f.what, f.at)
}

// check runs the tests 6.1.1 to 6.1.6, in that order, and returns the first failure.
func (d *document) check() error {
	c := &checker{products: map[string]bool{}, groups: map[string]bool{}}
	twice := c.define(d)
	for _, id := range d.extended() {
		c.products[id] = true
	}
	d.mention(c.mentioned)
	if c.undefined != nil {
		return c.undefined
	}
	if twice != nil {
		return twice
	}
	if err := d.Tree.circular(); err != nil {
		return err
	}
	if c.ungrouped != nil {
		return c.ungrouped
	}
	if c.groupTwice != nil {
		return c.groupTwice
	}
	for i := range d.Vulnerabilities {
		if err := d.Vulnerabilities[i].contradiction(i); err != nil {
			return err
		}
	}
	return nil
}

// checker holds what is defined, and the first failure of each test that names are held to.
type checker struct {
	products, groups                 map[string]bool
	undefined, ungrouped, groupTwice error
}

// define gathers the products and groups, and returns the first product that is defined twice.
func (c *checker) define(d *document) (twice error) {
	d.Tree.each(func(p fullProduct, at string) {
		if c.products[p.ID] && twice == nil {
			twice = failure{"6.1.2", fmt.Sprintf("product ID %q is defined twice", clip(p.ID)), at}
		}
		c.products[p.ID] = true
	})
	for i, g := range d.Tree.Groups {
		if c.groups[g.ID] && c.groupTwice == nil {
			c.groupTwice = failure{"6.1.5", fmt.Sprintf("product group ID %q is defined twice", clip(g.ID)), fmt.Sprintf("/product_tree/product_groups/%d", i)}
		}
		c.groups[g.ID] = true
	}
	return twice
}

// extended lists the products that extensions define. What they are is the extension's to say, and not read.
func (d *document) extended() (ids []string) {
	var down func(value any)
	down = func(value any) {
		switch v := value.(type) {
		case []any:
			for _, one := range v {
				down(one)
			}
		case map[string]any:
			if id, ok := v["product_id"].(string); ok {
				ids = append(ids, id)
			}
			for _, one := range v {
				down(one)
			}
		}
	}
	var all any
	if len(d.Extensions) > 0 && json.Unmarshal(d.Extensions, &all) == nil {
		down(all)
	}
	return ids
}

func (c *checker) mentioned(a about, at string) {
	for i, id := range a.Products {
		if c.undefined == nil && !c.products[id] {
			c.undefined = failure{"6.1.1", fmt.Sprintf("product ID %q is not defined", clip(id)), fmt.Sprintf("%s/%d", at, i)}
		}
	}
	for i, id := range a.Groups {
		if c.ungrouped == nil && !c.groups[id] {
			c.ungrouped = failure{"6.1.4", fmt.Sprintf("product group ID %q is not defined", clip(id)), fmt.Sprintf("%s/%d", at, i)}
		}
	}
}

// mention visits every place of the document that names products or groups.
func (d *document) mention(visit func(a about, at string)) {
	for i, g := range d.Tree.Groups {
		visit(about{Products: g.Products}, fmt.Sprintf("/product_tree/product_groups/%d/product_ids", i))
	}
	for i, r := range d.Tree.Relationships {
		visit(about{Products: r.references()}, fmt.Sprintf("/product_tree/relationships/%d", i))
	}
	for i, p := range d.Tree.Paths {
		visit(about{Products: p.references()}, fmt.Sprintf("/product_tree/product_paths/%d", i))
	}
	notes := func(all []note, at string) {
		for i, n := range all {
			visit(n.about, fmt.Sprintf("%s/notes/%d", at, i))
		}
	}
	notes(d.Document.Notes, "/document")
	for i := range d.Vulnerabilities {
		v := &d.Vulnerabilities[i]
		at := fmt.Sprintf("/vulnerabilities/%d", i)
		notes(v.Notes, at)
		for _, status := range v.statuses() {
			visit(about{Products: v.Status[status]}, at+"/product_status/"+status)
		}
		for k, x := range v.IDs {
			visit(x.about, fmt.Sprintf("%s/ids/%d", at, k))
		}
		for k, x := range v.Remediations {
			visit(x.about, fmt.Sprintf("%s/remediations/%d", at, k))
		}
		for k, x := range v.Flags {
			visit(x.about, fmt.Sprintf("%s/flags/%d", at, k))
		}
		for k, x := range v.Threats {
			visit(x.about, fmt.Sprintf("%s/threats/%d", at, k))
		}
		for k, x := range v.Involvements {
			visit(x, fmt.Sprintf("%s/involvements/%d", at, k))
		}
		for k, x := range v.Exploited {
			visit(x.about, fmt.Sprintf("%s/first_known_exploitation_dates/%d", at, k))
		}
		for k, x := range v.Scores {
			visit(about{Products: x.Products}, fmt.Sprintf("%s/scores/%d", at, k))
		}
		for k, x := range v.Metrics {
			visit(about{Products: x.Products}, fmt.Sprintf("%s/metrics/%d", at, k))
		}
	}
}

// statuses are the names of the vulnerability's status lists, sorted.
func (v *vulnerability) statuses() []string {
	names := make([]string, 0, len(v.Status))
	for name := range v.Status {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// standing groups the status lists: a product may be in one group only. Recommended stands outside.
var standing = map[string]string{
	"first_affected": "affected", "known_affected": "affected", "last_affected": "affected",
	"known_not_affected": "not affected", "first_fixed": "fixed", "fixed": "fixed",
	"under_investigation": "under investigation", "unknown": "unknown",
}

// contradiction is test 6.1.6.
func (v *vulnerability) contradiction(number int) error {
	groups := map[string]string{}
	for _, name := range v.statuses() {
		group := standing[name]
		if group == "" {
			continue
		}
		for i, id := range v.Status[name] {
			if other, ok := groups[id]; ok && other != group {
				return failure{"6.1.6", fmt.Sprintf("product %q is both %s and %s", clip(id), other, group),
					fmt.Sprintf("/vulnerabilities/%d/product_status/%s/%d", number, name, i)}
			}
			groups[id] = group
		}
	}
	return nil
}

// circular is test 6.1.3: a product that is defined by way of itself.
func (t *tree) circular() error {
	leads := map[string][]string{}
	for _, r := range t.Relationships {
		leads[r.Product.ID] = append(leads[r.Product.ID], r.references()...)
	}
	for _, p := range t.Paths {
		leads[p.Product.ID] = append(leads[p.Product.ID], p.references()...)
	}
	const entered, left = 1, 2
	state := map[string]int{}
	type step struct {
		id   string
		next int
	}
	for start := range leads {
		if state[start] != 0 {
			continue
		}
		state[start] = entered
		for way := []step{{id: start}}; len(way) > 0; { // without recursion: a chain may be as long as the document
			at := &way[len(way)-1]
			if at.next == len(leads[at.id]) {
				state[at.id] = left
				way = way[:len(way)-1]
				continue
			}
			to := leads[at.id][at.next]
			at.next++
			switch state[to] {
			case entered:
				return failure{"6.1.3", fmt.Sprintf("product ID %q is defined by way of itself", clip(to)), t.where(to)}
			case 0:
				state[to] = entered
				way = append(way, step{id: to})
			}
		}
	}
	return nil
}

func (t *tree) where(id string) string {
	var found string
	t.each(func(p fullProduct, at string) {
		if p.ID == id && (found == "" || !strings.HasPrefix(at, "/product_tree/branches")) {
			found = at
		}
	})
	return found
}
