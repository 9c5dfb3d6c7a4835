// Package evtx reads the event logs that Windows keeps in files. In: the bytes of an .evtx file, as a stream. Out: each
// record as one line of JSON in the shape that everybody writes them in ({"Event":{"System":{...},"EventData":{...}}}), and
// each chunk or record that cannot be read, by its number and reason. It holds one chunk of 64 kB at a time, does a bounded
// amount of work for it whatever its bytes say, and never lets a bad chunk or record hide the good ones beside it.
package evtx
