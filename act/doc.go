// Package act holds what the rooms below it share: how a time is said, who is told of what, and the limits of what people
// write. Findings, alerts and answers come in from those rooms; sentences go out. It never stores or decides.
package act
