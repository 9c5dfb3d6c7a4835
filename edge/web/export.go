package web

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"wardwatch/edge"
	"wardwatch/ward"
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

// file serves one kind of an organisation's data as CSV, after the same questions that a page asks.
func (s *Site) file(w http.ResponseWriter, r *http.Request, kind string, head []string, rows func(ctx context.Context, who ward.Actor, org ward.OrgID, write func(...string) error) error) {
	ctx, who, org := r.Context(), edge.Actor(r.Context()), orgOf(r)
	if s.refuse(w, r, who, ward.MayRead) {
		return
	}
	if _, err := s.Estate.Organisation(ctx, who.Scope, org); err != nil {
		s.fail(w, r, err)
		return
	}
	if err := s.Access.Seen(ctx, who, kind+".export", string(org), org); err != nil {
		s.fail(w, r, err)
		return
	}
	write, end := csvFile(w, fmt.Sprintf("%s-%s-%s", org, kind, s.clock.Now().UTC().Format("2006-01-02")), head...)
	err := rows(ctx, who, org, write)
	if err == nil {
		err = end()
	}
	if err != nil {
		// The head has left: a file cut short must not look whole, so the connection ends here.
		s.log.WarnContext(ctx, "file cut short", "kind", kind, "org", org, "err", err)
		panic(http.ErrAbortHandler)
	}
}

// addressWith is an address with those parameters that have a value.
func addressWith(path string, pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// quoted sets a person's own words apart.
func quoted(text string) string { return "“" + text + "”" }

func isoTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
