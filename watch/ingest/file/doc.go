// Package file reads events from files. In: paths of files, folders, archives (.gz, .zip) and Windows event logs. Out: each
// event as its bytes, with the file as it was given, its number in it, and its format; what cannot be read, by file, number
// and reason. It streams: memory is bounded by the largest event, whatever the file's size, and it never stops at a bad
// record.
package file
