// Package indicators holds records against what is known of attackers: addresses and networks, domains and what stands below
// them, URLs, digests of files, e-mail addresses, names of files. In: indicators from a Source, up to ten million at once,
// each with the time in which it counts; lists of values that never alert alone; and records. Out: for each record the
// indicators that are in it, with the field and the text that showed it. It never fetches an indicator, and never decides
// what a person must see: a Hit says who stated what, how it is graded, and whether a warning list speaks against it.
//
// Look reads without a lock. What it reads is a snapshot of two generations: a large sealed one, in which a small filter
// turns away nearly every value that is not there, with one look into memory, and a small live one with what came since, which
// stands over it. A change makes a new snapshot; the old one stays whole for whoever reads it.
package indicators
