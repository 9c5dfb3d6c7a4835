package watch

// Kind is what the sender wrote a value as. A rule compares its text whatever the kind; only null is not a text.
type Kind uint8

// The kinds of a value. The zero Kind is a text, because most formats know no other.
const (
	Text Kind = iota
	Number
	Bool
	Null
)

// A Value is one value of one field. A field of several values (a list) is several Values beside each other; a value that
// is known by several names (an alias of the log's table) is several Values with the same text.
type Value struct {
	// Field is the number of the name in the reader's Names; 0: nobody asked for it by name.
	Field Field
	Kind  Kind
	// Name is the field as the log's table calls it: EventID, CommandLine, requestParameters.bucketName, cs-uri-query.
	Name []byte
	// Text is the value unescaped: what was between the quotes, or a number, true, false as written. Empty for null.
	Text []byte
}

// A Record is one event as the detectors and the archive see it. Its bytes belong to its reader, and hold until the reader
// makes the next record of it: who keeps any copies it.
type Record struct {
	// Class says which logs the record belongs to; the zero Class is an unknown one.
	Class Class
	// Values are in the order of the bytes, those of the log's table after them.
	Values []Value
	// Time is when the event happened, as the record says it and not yet understood; empty where it says nothing.
	Time []byte
	// Raw is the event as it came.
	Raw []byte
}

// Reset empties the record and keeps its room.
func (r *Record) Reset() {
	r.Class, r.Values, r.Time, r.Raw = 0, r.Values[:0], nil, nil
}

// Event makes a record of one event in the format that it came in. What is not of that format is ErrNotFormat, and the record is
// that of Lines; other errors leave no record.
func (d *Decoder) Event(format Format, header, raw []byte, r *Record) error {
	if format == JSON || format == EVTX {
		_, err := d.JSON(raw, r)
		return err
	}
	return d.Line(format, header, raw, r)
}
