package web

import (
	"strings"
	"time"

	"wardwatch/act/alerts"
)

// View is a component: a struct with a template of its own. Templates show it with {{view .X}}; nil shows nothing.
type View interface {
	template() string
}

// Tone is a look that goes with a word: a shape, a colour, and in charts a pattern. The word carries the meaning; the
// shape and the pattern carry it for those who do not see the colour.
type Tone string

// The tones, from what needs a person most to what says least.
const (
	ToneCritical   Tone = "critical"   // overdue, contradicted, exploited
	ToneWarning    Tone = "warning"    // stale, disputed, due soon
	ToneStarted    Tone = "started"    // acknowledged
	ToneMoving     Tone = "moving"     // answered, in progress
	ToneControlled Tone = "controlled" // a control is in place, the weakness is not gone
	ToneClaimed    Tone = "claimed"    // said to be done, not confirmed
	ToneDone       Tone = "done"       // confirmed by evidence
	ToneSilent     Tone = "silent"     // has said nothing
	ToneUnknown    Tone = "unknown"    // not known
	ToneNeutral    Tone = ""           // a plain fact
)

// Name is the tone as style sheets and the sprite know it.
func (t Tone) Name() string {
	if t == ToneNeutral {
		return "neutral"
	}
	return string(t)
}

// Text is words without a component around them.
type Text string

// Note is a remark in small type.
type Note string

// Prose is text written by a person: blank lines part paragraphs, line breaks stay.
type Prose string

// Paragraphs splits at blank lines.
func (p Prose) Paragraphs() []string {
	var out []string
	for part := range strings.SplitSeq(strings.ReplaceAll(string(p), "\r\n", "\n"), "\n\n") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// Compared is two texts as one, word by word: what was taken out and what was put in are told by words for a screen reader,
// and by more than colour.
type Compared []alerts.Span

// Code is an identifier that people compare letter by letter.
type Code string

// Stack is views one after another.
type Stack []View

// Lines are views one below the other.
type Lines []View

// Link goes somewhere. About completes the words for those who hear the link without its row: "Change" + "the fixed date".
type Link struct {
	Text  string
	Href  string
	About string
}

// When tells a time from now with the time itself beside it.
type When struct{ At time.Time }

// Tag is a state in a word.
type Tag struct {
	Text string
	Tone Tone
}

// Why is a value and, below it in small type, why it is here.
type Why struct {
	View   View
	Reason string
}

// TaskList is what somebody owes, in order.
type TaskList struct {
	ID    string // prefix of the ids inside; needed where a page has two
	Tasks []Task
}

// Task is one thing to do. Without Href it cannot be started yet.
type Task struct {
	ID     string // set by TaskList
	Text   string
	Hint   string
	Href   string
	Status View // a Tag, or Text for what needs no attention
}

// Items gives each task its id.
func (l TaskList) Items() []Task {
	prefix := l.ID
	if prefix == "" {
		prefix = "task-list"
	}
	out := make([]Task, len(l.Tasks))
	for i, t := range l.Tasks {
		t.ID = prefix + "-" + Number(i+1)
		out[i] = t
	}
	return out
}

// SummaryList is names with values.
type SummaryList struct{ Rows []SummaryRow }

// SummaryRow is one name with its value, and what can be done about it.
type SummaryRow struct {
	Key     string
	Value   View
	Actions []Link
}

// HasActions says whether any row has one; then the others leave room.
func (l SummaryList) HasActions() bool {
	for _, r := range l.Rows {
		if len(r.Actions) > 0 {
			return true
		}
	}
	return false
}

// Inset is a remark that stands out.
type Inset struct{ Body View }

// Warning is what must be read before going on.
type Warning struct {
	Title string
	Text  string
}

// Crumbs lead from the top to the parent of this page; on a telephone only the parent shows.
type Crumbs []Link

// Parent is the last of them.
func (c Crumbs) Parent() Link {
	if len(c) == 0 {
		return Link{}
	}
	return c[len(c)-1]
}

// BackLink goes one step back in a chain of questions.
type BackLink Link

// Titled is a part of a page with a heading of its own.
type Titled struct {
	Title string
	ID    string // where a link may lead; empty: nowhere
	Note  string
	Body  View
}

// Links stand beside each other on a line of their own.
type Links []Link

// Pager walks a list by cursor: there are no page numbers, because the list moves while it is read.
type Pager struct {
	Prev string // address; empty at the start
	Next string // address; empty at the end
	Note string // what is shown now: "51 to 100 of 1,204"
}

// Banner tells what has just happened, or what concerns the whole page.
type Banner struct {
	ID      string // needed where a page has two
	Title   string // default "Important", or "Done" when Good
	Heading string
	Body    View
	Good    bool
}

// Details hides what few readers need.
type Details struct {
	Summary string
	Body    View
	Open    bool
}

// Empty says why there is nothing, and the next useful step.
type Empty struct {
	Text string
	Next Link
}

// Stats is a row of numbers, each with what it counts.
type Stats []Stat

// Stat is a number, what it counts, and since when or on what evidence.
type Stat struct {
	Value string
	Of    string
	Since string
	Tone  Tone
}

// Progress is work under way, told in numbers.
type Progress struct {
	ID    string
	Label string
	Done  int
	Total int
	Note  string
}

// Panel is a section of a page on its own ground.
type Panel struct {
	Title  string
	Action Link // beside the title
	Body   View
}

// Live is a part of a page that fetches itself again when one of its topics changed.
type Live struct {
	ID     string
	Href   string   // the page that holds this part
	Topics []string // as sent by Hints
	Body   View
}

// Trigger is the htmx trigger of the topics.
func (l Live) Trigger() string {
	parts := make([]string, len(l.Topics))
	for i, t := range l.Topics {
		parts[i] = "ww:" + t + " from:body"
	}
	return strings.Join(parts, ", ")
}

func (Text) template() string        { return "text" }
func (Note) template() string        { return "note" }
func (Prose) template() string       { return "prose" }
func (Compared) template() string    { return "compared" }
func (Links) template() string       { return "links" }
func (Code) template() string        { return "code" }
func (Stack) template() string       { return "stack" }
func (Lines) template() string       { return "lines" }
func (Link) template() string        { return "link" }
func (When) template() string        { return "when" }
func (Tag) template() string         { return "tag" }
func (Why) template() string         { return "why" }
func (TaskList) template() string    { return "task-list" }
func (SummaryList) template() string { return "summary-list" }
func (Inset) template() string       { return "inset" }
func (Warning) template() string     { return "warning" }
func (Crumbs) template() string      { return "crumbs" }
func (BackLink) template() string    { return "back-link" }
func (Titled) template() string      { return "titled" }
func (Pager) template() string       { return "pager" }
func (Banner) template() string      { return "banner" }
func (Details) template() string     { return "details" }
func (Empty) template() string       { return "empty" }
func (Stats) template() string       { return "stats" }
func (Progress) template() string    { return "progress" }
func (Panel) template() string       { return "panel" }
func (Live) template() string        { return "live" }
