// Package sigma reads the community's detection language, Sigma 2.1, all of it, and holds records against it. In: folders of
// rules, lists of values for their placeholders, records. Out: which rules a record fulfils and why; which rules could not be
// read and why. Two engines stand behind one interface: the reference, which is as plain as the language and is the oracle,
// and the compiled one, which looks at a few rules only and gives the same answers. It never drops a rule silently.
package sigma
