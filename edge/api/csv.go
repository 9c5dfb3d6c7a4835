package api

import (
	"context"
	"encoding/csv"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/edge"
)

// asCSV documents an answer that is a CSV file.
func asCSV(o *huma.Operation) {
	o.Responses = map[string]*huma.Response{"200": {Description: "A CSV file with a header row, in UTF-8. A cell that a spreadsheet would take for a formula begins with an apostrophe.",
		Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}}}
}

// table streams a CSV file. next gives the following rows, and whether there are more; an error in the middle breaks the
// connection, so that half a file is not taken for the whole.
func (a *API) table(ctx context.Context, name string, header []string, next func() (rows [][]string, more bool, err error)) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(out huma.Context) {
		out.SetHeader("Content-Type", "text/csv; charset=utf-8")
		out.SetHeader("Content-Disposition", `attachment; filename="`+name+`"`)
		w := csv.NewWriter(out.BodyWriter())
		w.UseCRLF = true
		err := w.Write(header)
		for more := true; more && err == nil; {
			var rows [][]string
			if rows, more, err = next(); err != nil {
				break
			}
			for _, row := range rows {
				for i := range row {
					row[i] = inert(row[i])
				}
				if err = w.Write(row); err != nil {
					break
				}
			}
			w.Flush()
		}
		if err != nil {
			a.log.ErrorContext(ctx, "export broken off", "err", err, "request", edge.RequestID(ctx))
			panic(http.ErrAbortHandler)
		}
	}}
}

// inert is a cell that no spreadsheet takes for a formula.
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n|%＝＋－＠", []rune(cell)[0]) {
		return "'" + cell
	}
	return cell
}

// stamp is a time in a cell; empty when not known.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
