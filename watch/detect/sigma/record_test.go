package sigma_test

import "wardwatch/watch"

const null = "\x00null" // stands for a null in the tables below

// record has the values in pairs of name and text.
func record(n *watch.Names, class watch.Class, pairs ...string) *watch.Record {
	r := &watch.Record{Class: class}
	for i := 0; i+1 < len(pairs); i += 2 {
		v := watch.Value{Field: n.Find([]byte(pairs[i])), Name: []byte(pairs[i]), Text: []byte(pairs[i+1])}
		if pairs[i+1] == null {
			v.Kind, v.Text = watch.Null, nil
		}
		r.Values = append(r.Values, v)
	}
	return r
}
