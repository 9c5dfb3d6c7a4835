package web

import (
	"encoding/csv"
	"net/http"
	"strings"
)

// csvCell keeps a spreadsheet from running a text as a formula: such a text gets an apostrophe before it.
func csvCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}

// csvFile begins a file to be kept, and gives what writes its rows; the error of a row that cannot be written means that the
// reader has gone.
func csvFile(w http.ResponseWriter, name string, head ...string) (write func(cells ...string) error, end func() error) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+strings.Map(fileRune, name)+`.csv"`)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	out := csv.NewWriter(w)
	out.UseCRLF = true
	write = func(cells ...string) error {
		safe := make([]string, len(cells))
		for i, c := range cells {
			safe[i] = csvCell(c)
		}
		return out.Write(safe)
	}
	_ = out.Write(head)
	return write, func() error { out.Flush(); return out.Error() }
}

func fileRune(r rune) rune {
	if r < 128 && (r == '-' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z') {
		return r
	}
	return '-'
}
