// Package sigma reads the community's detection language, Sigma 2.1, all of it, and holds records against it. In: folders of
// rules, lists of values for their placeholders, records. Out: which rules a record fulfils and why; which rules could not be
// read and why. Two engines stand behind one interface: the reference, which is as plain as the language and is the oracle,
// and the compiled one, which looks at a few rules only and gives the same answers. It never drops a rule silently.
//
// Where the specification leaves a choice, this is what is done:
//   - A field that a record does not have, or has as null, fulfils no comparison, and so fulfils not and neq.
//   - windash changes every dash and slash of a text, within words too, into each of the five.
//   - contains, startswith and endswith beside re anchor the expression, which is searched for anywhere otherwise.
//   - cidr takes an IPv4 address written as IPv6 for the IPv4 one, on both sides.
//   - Texts in base64 are compared as all others, small letters like large ones, unless cased.
//   - "1 of x*" must name something; identifiers with an underscore before them are only meant where they are named so.
//   - A filter takes away what its selections speak of and nothing else, whether its condition says what goes ("selection") or
//     what stays ("not selection").
//   - value_percentile with a percentile compares that percentile of the numbers; without one, the share of the records that
//     have the same value, in percent.
//   - Rules that a correlation refers to are reported only by it, unless it says generate.
//   - An aggregation behind a bar in the condition, as older rules have it, becomes a correlation; near, min and max are refused.
//   - Of two documents with one id the first counts.
package sigma
