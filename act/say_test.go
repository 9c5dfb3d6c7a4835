package act_test

import (
	"errors"
	"testing"

	"wardwatch/act"
	"wardwatch/ward"
)

// TestWhatAPersonTypes: what makes a text read otherwise than it is, or a list break, is refused with the field's name.
func TestWhatAPersonTypes(t *testing.T) {
	for _, row := range []struct {
		name, text, clean, line string // empty: refused
	}{
		{"plain", "  Patch the gateway ", "Patch the gateway", "Patch the gateway"},
		{"markup", "<b>now</b>", "<b>now</b>", "<b>now</b>"},
		{"other letters", "Ysbyty Gwynedd – Łódź", "Ysbyty Gwynedd – Łódź", "Ysbyty Gwynedd – Łódź"},
		{"two lines", "first\r\nsecond", "first\nsecond", ""},
		{"tab", "one\ttwo", "one\ttwo", ""},
		{"bell", "one\atwo", "", ""},
		{"turned round", "gpj.\u202eexe", "", ""},
		{"isolated", "a\u2066b\u2069", "", ""},
		{"not UTF-8", "caf\xe9", "", ""},
		{"long", "12345678901234567890123456", "", ""},
	} {
		for kind, try := range map[string]struct {
			clean func(field, text string, most int) (string, error)
			want  string
		}{"clean": {act.Clean, row.clean}, "line": {act.Line, row.line}} {
			got, err := try.clean("title", row.text, 25)
			var invalid *ward.Invalid
			if got != try.want || (try.want == "") != errors.As(err, &invalid) || invalid != nil && (invalid.Field != "title" || invalid.Hint == "") {
				t.Errorf("%s, %s: %q, %v", row.name, kind, got, err)
			}
		}
	}
}
