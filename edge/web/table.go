package web

// Table is the dense table of the desk. On a telephone each row becomes a card. The first column names the row.
type Table struct {
	Caption     string
	Note        string // below the caption: what is counted, since when, on what evidence
	HideCaption bool   // where a heading beside it says the same
	Columns     []Column
	Rows        []Row
	Empty       View  // instead of a table without rows
	Pick        *Pick // rows can be chosen; nil: not
	Keys        bool  // j, k, x, o and a work on it; one table a page
}

// Column is a head.
type Column struct {
	Title string
	Right bool   // numbers
	Tight bool   // as narrow as its content
	Sort  string // address of the same list ordered by this; empty: cannot
	Order string // "ascending" or "descending" when it is ordered by this now
}

// Row is one line. Cells are in the order of the columns; missing ones stay empty.
type Row struct {
	Key    string // value of the row's checkbox
	Name   string // what the checkbox chooses, for those who hear it
	Chosen bool
	Cells  []View
}

// Pick is what can be done with chosen rows.
type Pick struct {
	Name    string // of the checkboxes
	Action  string // POST address
	Hidden  []Hidden
	Buttons []Button
	All     string // "Choose all 36 that match", which posts all=yes; empty: only the rows of the page
}

// Cell is a view with its column.
type Cell struct {
	Column
	View  View
	First bool
}

// Line is a row with its cells.
type Line struct {
	Row
	Line []Cell // as many as there are columns
}

// Lines joins the cells with their columns.
func (t Table) Lines() []Line {
	out := make([]Line, len(t.Rows))
	for i, r := range t.Rows {
		out[i] = Line{Row: r, Line: make([]Cell, len(t.Columns))}
		for j, c := range t.Columns {
			out[i].Line[j] = Cell{Column: c, First: j == 0}
			if j < len(r.Cells) {
				out[i].Line[j].View = r.Cells[j]
			}
		}
	}
	return out
}

func (Table) template() string { return "table" }
