package web

import "strings"

// Form asks for an answer. Errors, when there are any, stand above everything else.
type Form struct {
	Action    string
	Get       bool // a search; everything that changes something is a POST
	Multipart bool // it carries a file
	Errors    ErrorSummary
	Hidden    []Hidden
	Fields    []View
	Buttons   []Button
}

// Hidden is a value that travels with the form, such as the version that was read.
type Hidden struct{ Name, Value string }

// ErrorSummary lists what to correct.
type ErrorSummary struct{ Errors []FieldError }

// FieldError is a cause and a next step in one sentence. Field is the id of the input; empty: the whole form.
type FieldError struct{ Field, Text string }

// Input is one line of text.
type Input struct {
	Name         string
	ID           string // default Name
	Label        string
	Hint         string
	Error        string
	Value        string
	Type         string // default "text"
	Autocomplete string
	InputMode    string
	Width        int // in characters: 2, 3, 4, 5, 10, 20; 0 fills the line
	Prefix       string
	Suffix       string
	Required     bool
}

// Textarea is several lines of text.
type Textarea struct {
	Name  string
	ID    string // default Name
	Label string
	Hint  string
	Error string
	Value string
	Rows  int // default 5
}

// Radios choose one of few.
type Radios struct {
	Name    string
	ID      string // default Name
	Legend  string
	Hint    string
	Error   string
	Inline  bool
	Choices []Choice
}

// Checkboxes choose any of few.
type Checkboxes Radios

// Choice is one of the answers offered.
type Choice struct {
	ID     string // set by the group
	Value  string
	Text   string
	Hint   string
	Chosen bool
}

// Select chooses one of many.
type Select struct {
	Name    string
	ID      string // default Name
	Label   string
	Hint    string
	Error   string
	Choices []Choice
}

// DateInput asks for a day in three numbers, posted as Name-day, Name-month and Name-year.
type DateInput struct {
	Name             string
	ID               string // default Name
	Legend           string
	Hint             string
	Error            string
	Day, Month, Year string
}

// FileInput asks for a file.
type FileInput struct {
	Name   string
	ID     string // default Name
	Label  string
	Hint   string
	Error  string
	Accept string
}

// ButtonKind is how much a button asks to be pressed.
type ButtonKind string

// The kinds of buttons; a page has one primary button.
const (
	Primary   ButtonKind = ""
	Secondary ButtonKind = "secondary"
	Danger    ButtonKind = "warning"
)

// Fieldset holds inputs that are answered together.
type Fieldset struct {
	ID     string
	Legend string
	Error  string
	Body   View
}

// Button sends a form, or with Href is a link that looks like one.
type Button struct {
	Text  string
	Kind  ButtonKind
	Name  string
	Value string
	Href  string
	Small bool
	About string // completes the words for those who hear the button without its row
}

// Buttons stand beside each other.
type Buttons []Button

// Control is what the templates of all inputs share.
type Control struct {
	ID, Name, Label, Hint, Error string
}

func newControl(id, name, label, hint, err string) Control {
	if id == "" {
		id = name
	}
	return Control{ID: id, Name: name, Label: label, Hint: hint, Error: err}
}

// DescribedBy names the hint and the error for those who hear the page.
func (c Control) DescribedBy() string {
	var ids []string
	if c.Hint != "" {
		ids = append(ids, c.ID+"-hint")
	}
	if c.Error != "" {
		ids = append(ids, c.ID+"-error")
	}
	return strings.Join(ids, " ")
}

// Control gives the shared part of the input to its template.
func (i Input) Control() Control { return newControl(i.ID, i.Name, i.Label, i.Hint, i.Error) }

// Control gives the shared part of the input to its template.
func (t Textarea) Control() Control { return newControl(t.ID, t.Name, t.Label, t.Hint, t.Error) }

// Control gives the shared part of the input to its template.
func (r Radios) Control() Control { return newControl(r.ID, r.Name, r.Legend, r.Hint, r.Error) }

// Control gives the shared part of the input to its template.
func (c Checkboxes) Control() Control { return Radios(c).Control() }

// Control gives the shared part of the input to its template.
func (s Select) Control() Control { return newControl(s.ID, s.Name, s.Label, s.Hint, s.Error) }

// Control gives the shared part of the input to its template.
func (d DateInput) Control() Control { return newControl(d.ID, d.Name, d.Legend, d.Hint, d.Error) }

// Control gives the shared part of the input to its template.
func (f FileInput) Control() Control { return newControl(f.ID, f.Name, f.Label, f.Hint, f.Error) }

// Items gives each choice its id: the first has the group's, so that an error can lead to it.
func (r Radios) Items() []Choice {
	id := r.Control().ID
	out := make([]Choice, len(r.Choices))
	for i, c := range r.Choices {
		c.ID = id
		if i > 0 {
			c.ID += "-" + Number(i+1)
		}
		out[i] = c
	}
	return out
}

// Items gives each choice its id: the first has the group's, so that an error can lead to it.
func (c Checkboxes) Items() []Choice { return Radios(c).Items() }

// Parts are the three boxes of a date.
func (d DateInput) Parts() []Input {
	id := d.Control().ID
	part := func(key, label, value string, width int) Input {
		return Input{ID: id + "-" + key, Name: d.Name + "-" + key, Label: label, Value: value, Width: width}
	}
	return []Input{part("day", "Day", d.Day, 2), part("month", "Month", d.Month, 2), part("year", "Year", d.Year, 4)}
}

func (Form) template() string         { return "form" }
func (ErrorSummary) template() string { return "error-summary" }
func (Input) template() string        { return "input" }
func (Textarea) template() string     { return "textarea" }
func (Radios) template() string       { return "radios" }
func (Checkboxes) template() string   { return "checkboxes" }
func (Select) template() string       { return "select" }
func (DateInput) template() string    { return "date-input" }
func (FileInput) template() string    { return "file-input" }
func (Fieldset) template() string     { return "field-group" }
func (Button) template() string       { return "button" }
func (Buttons) template() string      { return "buttons" }
