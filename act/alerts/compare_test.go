package alerts_test

import (
	"strings"
	"testing"

	"wardwatch/act/alerts"
)

// sides are the two texts that a comparison is of.
func sides(all []alerts.Span) (before, after string) {
	for _, s := range all {
		if s.Kind != alerts.Added {
			before += s.Text
		}
		if s.Kind != alerts.Removed {
			after += s.Text
		}
	}
	return before, after
}

func shown(all []alerts.Span) string {
	var text strings.Builder
	for _, s := range all {
		text.WriteString(map[alerts.SpanKind]string{alerts.Same: "=", alerts.Added: "+", alerts.Removed: "-"}[s.Kind] + "[" + s.Text + "]")
	}
	return text.String()
}

func TestTextsAreComparedWordByWord(t *testing.T) {
	for _, row := range []struct{ before, after, want string }{
		{"", "", ""},
		{"same words", "same words", "=[same words]"},
		{"", "new", "+[new]"},
		{"gone", "", "-[gone]"},
		{"Update to 12.5.0.1.", "Update to 12.5.0.2.", "=[Update to ]-[12.5.0.1.]+[12.5.0.2.]"},
		{"Close the port, then update.", "Update, then close the port.", ""},
		{"one two three four", "one three four five", "=[one ]-[two ]=[three four]+[ five]"},
		{"a\nb\nc", "a\nc", "=[a\n]-[b\n]=[c]"},
		{"Größe 5", "Größe 6", "=[Größe ]-[5]+[6]"},
	} {
		got := alerts.Words(row.before, row.after)
		if before, after := sides(got); before != row.before || after != row.after {
			t.Errorf("%q, %q became %q, %q", row.before, row.after, before, after)
		}
		if row.want != "" && shown(got) != row.want {
			t.Errorf("%q, %q: %s, want %s", row.before, row.after, shown(got), row.want)
		}
	}
	// Two long texts that share nothing are shown whole, and quickly.
	before, after := strings.Repeat("lorem ", 3000), strings.Repeat("dolor. ", 3000)
	if got := alerts.Words(before, after); len(got) > 4000 {
		t.Errorf("%d spans", len(got))
	}
}

func FuzzWords(f *testing.F) {
	f.Add("Update to 12.5.0.1.", "Update to 12.5.0.2 now.")
	f.Add("a b c d e f g", "g f e d c b a")
	f.Add("", "x")
	f.Add("\xff\xfe", "\xff")
	f.Fuzz(func(t *testing.T, before, after string) {
		got := alerts.Words(before, after)
		if b, a := sides(got); b != before || a != after {
			t.Errorf("%q, %q became %q, %q", before, after, b, a)
		}
		for i, s := range got {
			if s.Text == "" || i > 0 && s.Kind == got[i-1].Kind {
				t.Errorf("%q, %q: %+v", before, after, got)
			}
		}
	})
}

func BenchmarkWords(b *testing.B) {
	before := strings.Repeat("Two weaknesses are exploited together in the product. ", 300)
	after := strings.Replace(before, "product", "appliance", 40)
	b.SetBytes(int64(len(before) + len(after)))
	for b.Loop() {
		alerts.Words(before, after)
	}
}
