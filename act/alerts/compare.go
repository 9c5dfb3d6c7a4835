package alerts

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"wardwatch/act"
	"wardwatch/ward"
)

// FieldChange is one field that two versions of an alert differ in.
type FieldChange struct {
	Field  string // as pages and API call it: "summary"
	Title  string // in words: "Summary"
	Before string
	After  string
	Words  []Span // the two texts as one, word by word
}

// Span is a stretch of a comparison.
type Span struct {
	Kind SpanKind
	Text string
}

// SpanKind says which of the two texts has a stretch.
type SpanKind string

// The kinds of span.
const (
	Same    SpanKind = "same"
	Added   SpanKind = "added"
	Removed SpanKind = "removed"
)

// Compare says what changed of an alert between two of its versions, as far as the scope shows them: the fields that
// differ, in the order in which the alert's page has them. A version that the scope does not show is not found.
func (b *Board) Compare(ctx context.Context, scope ward.Scope, id ward.AlertID, from, to int) ([]FieldChange, error) {
	versions, err := b.Versions(ctx, scope, id)
	if err != nil {
		return nil, err
	}
	var before, after *ward.Alert
	for _, v := range versions {
		if v.Alert.Version == from {
			before = &v.Alert
		}
		if v.Alert.Version == to {
			after = &v.Alert
		}
	}
	for number, found := range map[int]*ward.Alert{from: before, to: after} {
		if found == nil {
			return nil, fmt.Errorf("version %d of %s: %w", number, id, ward.ErrNotFound)
		}
	}
	return Changes(*before, *after), nil
}

// CompareRevision says what the revision that waits would change of its alert. Only the national watch sees it.
func (b *Board) CompareRevision(ctx context.Context, scope ward.Scope, id ward.AlertID) ([]FieldChange, error) {
	r, err := b.Revision(ctx, scope, id)
	if err != nil {
		return nil, err
	}
	a, err := b.Get(ctx, scope, id)
	if err != nil {
		return nil, err
	}
	return Changes(a, r.Draft), nil
}

// Changes lists the fields in which two alerts differ.
func Changes(before, after ward.Alert) []FieldChange {
	var all []FieldChange
	old := fields(before)
	for i, f := range fields(after) {
		if was := old[i].text; was != f.text {
			all = append(all, FieldChange{Field: f.name, Title: f.title, Before: was, After: f.text, Words: Words(was, f.text)})
		}
	}
	return all
}

type field struct{ name, title, text string }

// fields are what people read of an alert, in words.
func fields(a ward.Alert) []field {
	return []field{
		{"state", "State", string(a.State)},
		{"severity", "Severity", string(a.Severity)},
		{"title", "Title", a.Title},
		{"summary", "Summary", a.Summary},
		{"category", "Category", a.Category},
		{"threat_type", "Threat type", a.ThreatType},
		{"vector", "Vector", a.Vector},
		{"tlp", "Marking", string(a.TLP)},
		{"vendor", "Vendor", a.Vendor},
		{"product", "Product", a.Product},
		{"classes", "Where it would be seen", lines(a.Classes)},
		{"platforms", "Affected platforms", lines(a.Platforms)},
		{"cves", "Weaknesses", lines(a.CVEs)},
		{"steps", "Remediation steps", stepLines(a.Steps)},
		{"acknowledge_within", "Acknowledge within", hours(a.AcknowledgeWithin)},
		{"update_every", "Then an update every", hours(a.UpdateEvery)},
		{"remediate_by", "Remediate by", day(a.RemediateBy)},
		{"policy", "Policy", a.Policy.Title},
		{"clocks_why", "Why the clocks differ from the policy", a.ClocksWhy},
		{"compromise_check", "Compromise check", check(a)},
		{"supersedes", "Takes the place of", string(a.Supersedes)},
		{"superseded_by", "Superseded by", string(a.SupersededBy)},
		{"end_why", "Why it ended", a.EndWhy},
		{"approver", "Approved by", a.Approver},
	}
}

func lines[T ~string](items []T) string {
	all := make([]string, len(items))
	for i, item := range items {
		all[i] = string(item)
	}
	return strings.Join(all, "\n")
}

func stepLines(steps []ward.Step) string {
	all := make([]string, len(steps))
	for i, s := range steps {
		all[i] = strings.TrimSpace(fmt.Sprintf("%s: %s %s", s.Kind, s.Text, s.Link))
	}
	return strings.Join(all, "\n")
}

func hours(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return act.Number(int(d.Round(time.Hour).Hours()), "hour")
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return act.When(t)
}

func check(a ward.Alert) string {
	if !a.CheckRequired {
		return ""
	}
	return strings.TrimSuffix("asked for: "+a.CheckWhy, ": ")
}

// mostEdits bounds the work of a comparison: two texts that share less are shown as one removed and one added.
const mostEdits = 1000

// Words compares two texts word by word. Same and Removed together are the text before, Same and Added the text after.
func Words(before, after string) []Span {
	a, b := tokens(before), tokens(after)
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var all spans
	all.add(Same, a[:head]...)
	all.between(a[head:len(a)-tail], b[head:len(b)-tail])
	all.add(Same, a[len(a)-tail:]...)
	return all
}

// tokens cuts a text into words, spaces and marks, which together are the text.
func tokens(text string) (all []string) {
	kind := func(r rune) int {
		switch {
		case unicode.IsSpace(r):
			return 1
		case unicode.IsLetter(r), unicode.IsNumber(r), r == '-', r == '.', r == '_', r == '\'':
			return 2
		}
		return 0
	}
	start, was := 0, -1
	for i, r := range text {
		now := kind(r)
		if i > start && (now != was || now == 0) {
			all = append(all, text[start:i])
			start = i
		}
		was = now
	}
	if start < len(text) {
		all = append(all, text[start:])
	}
	return all
}

type spans []Span

func (s *spans) add(kind SpanKind, words ...string) {
	text := strings.Join(words, "")
	if text == "" {
		return
	}
	if n := len(*s); n > 0 && (*s)[n-1].Kind == kind {
		(*s)[n-1].Text += text
		return
	}
	*s = append(*s, Span{kind, text})
}

// between is Myers's greedy comparison, which keeps the frontier of every step to walk back from the end.
func (s *spans) between(a, b []string) {
	if len(a) == 0 || len(b) == 0 {
		s.add(Removed, a...)
		s.add(Added, b...)
		return
	}
	limit := min(len(a)+len(b), mostEdits)
	frontier := make([]int, 2*limit+3) // the farthest place in a on each diagonal, which is place in a less place in b
	at := func(diagonal int) *int { return &frontier[diagonal+limit+1] }
	var trail [][]int // frontiers before each step, cut to what the step can reach
	for edits := 0; edits <= limit; edits++ {
		trail = append(trail, append([]int(nil), frontier[limit+1-edits-1:limit+1+edits+2]...))
		for diagonal := -edits; diagonal <= edits; diagonal += 2 {
			var x int
			if diagonal == -edits || (diagonal != edits && *at(diagonal - 1) < *at(diagonal + 1)) {
				x = *at(diagonal + 1) // one more of b
			} else {
				x = *at(diagonal - 1) + 1 // one less of a
			}
			y := x - diagonal
			for x < len(a) && y < len(b) && x >= 0 && y >= 0 && a[x] == b[y] {
				x, y = x+1, y+1
			}
			*at(diagonal) = x
			if x >= len(a) && y >= len(b) {
				s.walk(a, b, trail)
				return
			}
		}
	}
	s.add(Removed, a...)
	s.add(Added, b...)
}

// walk goes back along the trail, and adds what it finds in order.
func (s *spans) walk(a, b []string, trail [][]int) {
	type step struct {
		kind SpanKind
		word string
	}
	var back []step
	x, y := len(a), len(b)
	for edits := len(trail) - 1; edits >= 0; edits-- {
		at := func(diagonal int) int { return trail[edits][diagonal+edits+1] }
		diagonal := x - y
		from := diagonal - 1
		if diagonal == -edits || (diagonal != edits && at(diagonal-1) < at(diagonal+1)) {
			from = diagonal + 1
		}
		px := at(from)
		py := px - from
		if edits == 0 {
			px, py = 0, 0
		}
		for x > px && y > py {
			x, y = x-1, y-1
			back = append(back, step{Same, a[x]})
		}
		if edits == 0 {
			break
		}
		if x > px {
			x--
			back = append(back, step{Removed, a[x]})
		} else {
			y--
			back = append(back, step{Added, b[y]})
		}
	}
	for i := len(back) - 1; i >= 0; i-- {
		s.add(back[i].kind, back[i].word)
	}
}
