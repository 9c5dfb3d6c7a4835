// Package ingest brings events in. In: what senders and files hold. Out: one event after the other, with where it came from
// and the format that it is written in. It never decides what an event means.
package ingest
