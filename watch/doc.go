// Package watch holds what the rooms of telemetry share: the record, the names of its fields, the log it comes from, and the
// readers that make records of bytes. In: one event as a sender wrote it. Out: a Record, whose values still point into those
// bytes where they can. It never decides what a record means: watch/detect does; and it never keeps one: watch/archive does.
package watch
