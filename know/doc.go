// Package know holds what the rooms below it share: product identity, CPE names, version keys, and Report with its Claims,
// the form into which every publisher's record is read. Bytes and names come in; comparable, canonical values go out. It
// never fetches, stores or decides.
package know
