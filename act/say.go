package act

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"wardwatch/ward"
)

// When says a time as pages and proofs do: "09:14 UTC on 3 May 2025". Clocks are kept in UTC, so summer time moves nothing.
func When(t time.Time) string { return t.UTC().Format("15:04 UTC on 2 January 2006") }

// Names joins up to ten names, and says how many it left out.
func Names(names []string) string {
	const most = 10
	rest := len(names) - most
	switch {
	case rest > 0:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), rest)
	case len(names) < 2:
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// Number says a count of things: "1 asset", "3 assets".
func Number(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// Clean takes a person's text for a field: trimmed, line ends made one, at most so many characters, valid UTF-8, no control
// characters, and none that turn the direction of what follows, which lets a text read otherwise than it is. Markup in it is
// text like any other.
func Clean(field, text string, most int) (string, error) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	if !utf8.ValidString(text) {
		return "", &ward.Invalid{Field: field, Problem: "is not valid UTF-8", Hint: "save it as UTF-8 and send it again"}
	}
	if n := utf8.RuneCountInString(text); n > most {
		return "", &ward.Invalid{Field: field, Problem: fmt.Sprintf("is %d characters long", n), Hint: fmt.Sprintf("%d at most", most)}
	}
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		return "", &ward.Invalid{Field: field, Problem: "holds a control character", Hint: "use letters, numbers and line breaks"}
	}
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) }) {
		return "", &ward.Invalid{Field: field, Problem: "holds a character that turns the direction of writing", Hint: "type it again rather than copying it"}
	}
	return text, nil
}

// Line takes a person's text for a field of one line: as Clean does, and without line breaks and tabs.
func Line(field, text string, most int) (string, error) {
	text, err := Clean(field, text, most)
	if err == nil && strings.ContainsAny(text, "\n\t") {
		return "", &ward.Invalid{Field: field, Problem: "holds a line break or a tab", Hint: "write it in one line"}
	}
	return text, err
}
