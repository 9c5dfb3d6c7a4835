package web

import (
	"math"
	"time"
)

// State is a word with the look that charts give it.
type State struct {
	Word   string // "Not known"
	Letter string // one letter on a tile: "N"
	Tone   Tone
}

// TileMap shows every organisation as one equal tile, grouped by region: where things stand, not how large a county is.
type TileMap struct {
	ID      string
	Title   string
	Reading string  // the chart in one sentence
	States  []State // in the order of the key; a state without tiles is not listed
	Regions []TileRegion
}

// TileRegion is the tiles of one region.
type TileRegion struct {
	Name  string
	Tiles []Tile
}

// Tile is one organisation.
type Tile struct {
	Name  string
	Href  string
	State State
	Note  string // for the table: why it stands there
}

// Sizes of a tile in pixels; a tile is a target, so at least 24.
const (
	tileSize = 34
	tileStep = 40
	tileRow  = 6 // tiles a row: fits 320 px
)

// PlacedTile is a tile with its place in its region's drawing.
type PlacedTile struct {
	Tile
	X, Y int
}

// PlacedRegion is one drawing.
type PlacedRegion struct {
	Name          string
	Width, Height int
	Tiles         []PlacedTile
}

// Placed gives each tile its place.
func (m TileMap) Placed() []PlacedRegion {
	out := make([]PlacedRegion, len(m.Regions))
	for i, r := range m.Regions {
		rows := (len(r.Tiles) + tileRow - 1) / tileRow
		p := PlacedRegion{Name: r.Name, Width: min(len(r.Tiles), tileRow) * tileStep, Height: rows * tileStep}
		for j, t := range r.Tiles {
			p.Tiles = append(p.Tiles, PlacedTile{Tile: t, X: j%tileRow*tileStep + 3, Y: j/tileRow*tileStep + 3})
		}
		out[i] = p
	}
	return out
}

// KeyEntry is one line of the key.
type KeyEntry struct {
	State
	Count int
}

// Key lists the states that occur, with how many organisations are in each.
func (m TileMap) Key() []KeyEntry {
	counts := map[string]int{}
	for _, r := range m.Regions {
		for _, t := range r.Tiles {
			counts[t.State.Word]++
		}
	}
	var out []KeyEntry
	for _, s := range m.States {
		if n := counts[s.Word]; n > 0 {
			out = append(out, KeyEntry{State: s, Count: n})
		}
	}
	return out
}

// Twin is the same as a table.
func (m TileMap) Twin() Details {
	t := Table{Caption: m.Title, Columns: []Column{{Title: "Organisation"}, {Title: "Region"}, {Title: "State"}, {Title: "Why"}}}
	for _, r := range m.Regions {
		for _, tile := range r.Tiles {
			var name View = Text(tile.Name)
			if tile.Href != "" {
				name = Link{Text: tile.Name, Href: tile.Href}
			}
			t.Rows = append(t.Rows, Row{Cells: []View{name, Text(r.Name), Tag{Text: tile.State.Word, Tone: tile.State.Tone}, Text(tile.Note)}})
		}
	}
	return Details{Summary: "Show as a table", Body: t}
}

// AnswerBar shows how many organisations are in each state, as one bar. Compact is the bar alone, for a row of a list: the
// numbers are then in its name.
type AnswerBar struct {
	Title   string
	Reading string
	Parts   []Part
	Compact bool
}

// Part is one state of an AnswerBar.
type Part struct {
	State State
	Count int
	Href  string // the list behind the number
}

// PlacedPart is a part with its share of the bar.
type PlacedPart struct {
	Part
	X, Width string
}

// Total counts all parts.
func (b AnswerBar) Total() int {
	n := 0
	for _, p := range b.Parts {
		n += p.Count
	}
	return n
}

// Placed gives each part its share of the bar; parts of nothing are left out.
func (b AnswerBar) Placed() []PlacedPart {
	total := float64(b.Total())
	var out []PlacedPart
	at := 0.0
	for _, p := range b.Parts {
		if p.Count <= 0 {
			continue
		}
		share := float64(p.Count) / total
		out = append(out, PlacedPart{Part: p, X: percent(at), Width: percent(share)})
		at += share
	}
	return out
}

// Spoken is the bar in words: "3 overdue, 5 confirmed, of 12".
func (b AnswerBar) Spoken() string {
	s := ""
	for _, p := range b.Placed() {
		s += Number(p.Count) + " " + lower(p.State.Word) + ", "
	}
	if s == "" {
		return "no answers"
	}
	return s + "of " + Number(b.Total())
}

// Twin is the same as a table.
func (b AnswerBar) Twin() Details {
	t := Table{Caption: b.Title, Columns: []Column{{Title: "State"}, {Title: "Organisations", Right: true}}}
	for _, p := range b.Parts {
		t.Rows = append(t.Rows, Row{Cells: []View{Tag{Text: p.State.Word, Tone: p.State.Tone}, Text(Number(p.Count))}})
	}
	return Details{Summary: "Show as a table", Body: t}
}

// StepChart shows a number that changes in steps, such as the organisations exposed, with the moments that explain it.
type StepChart struct {
	Title   string
	Reading string
	Unit    string // what is counted: "organisations exposed"
	From    time.Time
	To      time.Time
	Steps   []Step // by time; each value holds until the next
	Marks   []Mark // by time
}

// Step is the value from a moment on.
type Step struct {
	At    time.Time
	Value int
}

// Mark is a moment that explains the steps: the disclosure, the alert, the fix.
type Mark struct {
	At    time.Time
	Label string
}

// Measures of the step chart in pixels. Widths are shares of the page, so the text keeps its size on a telephone.
const (
	chartPlot     = 150
	chartMarkRow  = 20
	chartAxisRoom = 26
)

// PlottedStep is a step with its place.
type PlottedStep struct {
	X, Width, End string
	Y, Height     float64
	FromY         float64 // where the riser starts
	Value         int
}

// PlottedMark is a mark with its place; each label has a row of its own.
type PlottedMark struct {
	Mark
	X      string
	LabelY int
	Anchor string
	DX     int
}

// GridLine is a value on the scale.
type GridLine struct {
	Y     float64
	Label string
}

// Plot is a StepChart with every length placed: pixels down, shares of the width across.
type Plot struct {
	Height, Top, Bottom int
	Steps               []PlottedStep
	Marks               []PlottedMark
	Grid                []GridLine
}

// Last is the value at the end, told beside its line; nil without steps.
func (p Plot) Last() *PlottedStep {
	if len(p.Steps) == 0 {
		return nil
	}
	return &p.Steps[len(p.Steps)-1]
}

// Plot places everything. The base line is zero.
func (c StepChart) Plot() Plot {
	top := len(c.Marks)*chartMarkRow + 22
	p := Plot{Top: top, Bottom: top + chartPlot, Height: top + chartPlot + chartAxisRoom}
	span := c.To.Sub(c.From).Seconds()
	if span <= 0 {
		return p
	}
	x := func(t time.Time) float64 { return min(1, max(0, t.Sub(c.From).Seconds()/span)) }
	highest := 1
	for _, s := range c.Steps {
		highest = max(highest, s.Value)
	}
	ceiling := roundUp(highest)
	y := func(v int) float64 {
		return math.Round((float64(p.Bottom)-float64(chartPlot)*float64(v)/float64(ceiling))*10) / 10
	}
	before := 0
	for i, s := range c.Steps {
		end := c.To
		if i+1 < len(c.Steps) {
			end = c.Steps[i+1].At
		}
		p.Steps = append(p.Steps, PlottedStep{X: percent(x(s.At)), Width: percent(x(end) - x(s.At)), End: percent(x(end)),
			Y: y(s.Value), Height: float64(p.Bottom) - y(s.Value), FromY: y(before), Value: s.Value})
		before = s.Value
	}
	for i, m := range c.Marks {
		pm := PlottedMark{Mark: m, X: percent(x(m.At)), LabelY: i*chartMarkRow + 12, Anchor: "start", DX: 5}
		if x(m.At) > 0.5 {
			pm.Anchor, pm.DX = "end", -5
		}
		p.Marks = append(p.Marks, pm)
	}
	for _, v := range []int{ceiling, ceiling / 2} {
		if v > 0 && (v == ceiling || ceiling%2 == 0) {
			p.Grid = append(p.Grid, GridLine{Y: y(v), Label: Number(v)})
		}
	}
	return p
}

// roundUp gives the next of 1, 2, 4, 6, 10 times a power of ten: a scale that people can halve.
func roundUp(n int) int {
	for unit := 1; ; unit *= 10 {
		for _, m := range []int{1, 2, 4, 6, 10} {
			if n <= m*unit {
				return m * unit
			}
		}
	}
}

// Twin is the same as a table.
func (c StepChart) Twin() Details {
	t := Table{Caption: c.Title, Columns: []Column{{Title: "When"}, {Title: "What"}, {Title: c.Unit, Right: true}}}
	steps, marks := c.Steps, c.Marks
	for len(steps) > 0 || len(marks) > 0 {
		if len(steps) == 0 || len(marks) > 0 && marks[0].At.Before(steps[0].At) {
			t.Rows = append(t.Rows, Row{Cells: []View{Moment{marks[0].At}, Text(marks[0].Label), nil}})
			marks = marks[1:]
			continue
		}
		t.Rows = append(t.Rows, Row{Cells: []View{Moment{steps[0].At}, Text("Changes to"), Text(Number(steps[0].Value))}})
		steps = steps[1:]
	}
	return Details{Summary: "Show as a table", Body: t}
}

// Moment tells a time and nothing about now.
type Moment struct{ At time.Time }

func (TileMap) template() string   { return "tile-map" }
func (AnswerBar) template() string { return "answer-bar" }
func (StepChart) template() string { return "step-chart" }
func (Moment) template() string    { return "moment" }
