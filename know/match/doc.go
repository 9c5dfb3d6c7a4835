// Package match holds what organisations run against what publishers say. A software identity and the reports of one
// weakness come in; a Verdict goes out: its status, what it rests on, the fixed version, and a sentence that a person can
// check. Matcher keeps verdicts per identity as intervals of time, and an Exposure is where one overlaps an install.
//
// It never blends sources: each has its opinion, the strongest decides, and the sentence names the others. It never calls
// anything fixed because it is no longer seen, and "not known" is an answer of its own.
package match
