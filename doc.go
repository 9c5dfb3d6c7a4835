// Package wardwatch is the watch room of a health service. It knows what every organisation runs and what patient care
// depends on it, watches what the world publishes about weaknesses and what every machine says, and acts: it raises one
// alert to the right people and follows it until evidence confirms the fix, not only a claim.
//
// The folders at the root are the capabilities, and read top to bottom they are a sentence: know, watch, act; keep
// below, edge above.
//
//	ward/   the words: nouns and pure rules; imports nothing of ours
//	keep/   where rows, events and blocks are kept
//	know/   organisations and what they run; weaknesses and who says so; the match of the two
//	watch/  telemetry: in, detected on, kept, searched
//	act/    findings, alerts, answers with their evidence, delivery
//	edge/   sign-in, API, pages, sharing
//	app/    wiring in flow order; cmd/wardwatch calls it
//
// Start reading in docs/walk.md, which follows one advisory from a publisher to a closed alert, one file at a time. Who may
// import whom is executed, with its reasons, in house_test.go.
package wardwatch
