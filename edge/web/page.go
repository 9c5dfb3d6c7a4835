package web

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"time"

	"wardwatch/ward"
)

//go:embed templates
var templateFiles embed.FS

// Policy is the content security policy of every page: nothing from elsewhere, nothing inline, no frames.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Options say how the pages present themselves. The zero value is a usable, neutral product.
type Options struct {
	Operator string                       // whose service this is; default "Wardwatch"
	Accent   string                       // #rrggbb; default DefaultAccent
	Exercise bool                         // the word EXERCISE and a frame on every page
	Zone     *time.Location               // how times are told; default UTC
	Clock    ward.Clock                   // default ward.WallClock
	Frame    func(r *http.Request) Frame  // who reads and where they may go; default nobody and nowhere
	Pages    fs.FS                        // further page templates, *.html at its root; default none
	Log      *slog.Logger                 // default slog.Default
	NewID    func(context.Context) string // names a server error for the log and for the reader; default random
}

// Frame is what stands around a page for one reader.
type Frame struct {
	Person  Person
	Home    string // address of the reader's first page; default "/"
	Nav     []NavItem
	Account string // address of the reader's own account; empty: no link
	SignOut string // POST address; empty: no button
	Live    string // address of the event stream; empty: no live updates
	Watched string // a sentence in the footer, such as who may see that this page was opened
}

// Person is the signed-in reader; the zero value is nobody.
type Person struct {
	Name         string
	Role         string
	Organisation string
}

// NavItem is one place to go. Count says how many things there need a person; 0 shows nothing.
type NavItem struct {
	Key   string // compared with Page.Current
	Text  string
	Href  string
	Count int
}

// Page is one answer to one request.
type Page struct {
	Status   int    // default 200
	Title    string // without the operator's name
	Template string // the file in templates/pages or Options.Pages, without .html
	Data     any
	Current  string // the NavItem.Key of this page's place
	Crumbs   Crumbs // from the top to the parent of this page
	Failed   bool   // the form on it was refused: the title says so first
}

// Renderer turns Pages into documents. It is safe for concurrent use.
type Renderer struct {
	opts   Options
	kit    *template.Template
	pages  map[string]*template.Template
	assets *assets
}

// NewRenderer parses every template, so that a mistake in one stops the start and not a reader.
func NewRenderer(opts Options) (*Renderer, error) {
	if opts.Operator == "" {
		opts.Operator = "Wardwatch"
	}
	if opts.Accent == "" {
		opts.Accent = DefaultAccent
	}
	if opts.Zone == nil {
		opts.Zone = time.UTC
	}
	if opts.Clock == nil {
		opts.Clock = ward.WallClock{}
	}
	if opts.Frame == nil {
		opts.Frame = func(*http.Request) Frame { return Frame{} }
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if opts.NewID == nil {
		opts.NewID = randomID
	}
	sheet, err := theme(opts.Accent)
	if err != nil {
		return nil, fmt.Errorf("edge/web: %w", err)
	}
	rd := &Renderer{opts: opts, pages: map[string]*template.Template{}}
	if rd.assets, err = loadAssets(sheet); err != nil {
		return nil, err
	}
	rd.kit, err = template.New("kit").Option("missingkey=error").Funcs(rd.funcs()).
		ParseFS(templateFiles, "templates/layout.html", "templates/kit/*.html")
	if err != nil {
		return nil, fmt.Errorf("edge/web: components: %w", err)
	}
	own, err := fs.Sub(templateFiles, "templates/pages")
	if err != nil {
		return nil, fmt.Errorf("edge/web: pages: %w", err)
	}
	for _, source := range []fs.FS{own, opts.Pages} {
		if source == nil {
			continue
		}
		if err := rd.parsePages(source); err != nil {
			return nil, err
		}
	}
	return rd, nil
}

func (rd *Renderer) parsePages(source fs.FS) error {
	names, err := fs.Glob(source, "*.html")
	if err != nil {
		return fmt.Errorf("edge/web: pages: %w", err)
	}
	for _, file := range names {
		t, err := rd.kit.Clone()
		if err != nil {
			return fmt.Errorf("edge/web: page %q: %w", file, err)
		}
		if t, err = t.ParseFS(source, file); err != nil {
			return fmt.Errorf("edge/web: page %q: %w", file, err)
		}
		if t.Lookup("main") == nil {
			return fmt.Errorf("edge/web: page %q: defines no \"main\"", file)
		}
		rd.pages[strings.TrimSuffix(path.Base(file), ".html")] = t
	}
	return nil
}

func (rd *Renderer) funcs() template.FuncMap {
	return template.FuncMap{
		"view":   rd.view,
		"asset":  func(name string) (string, error) { return rd.assets.address(name) },
		"day":    func(t time.Time) string { return Day(t.In(rd.opts.Zone)) },
		"at":     func(t time.Time) string { return At(t.In(rd.opts.Zone)) },
		"ago":    func(t time.Time) string { return Ago(t, rd.opts.Clock.Now()) },
		"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"number": Number,
		"tone":   func(name string) Tone { return Tone(name) },
	}
}

// view renders one component where a template asks for it.
func (rd *Renderer) view(v View) (template.HTML, error) {
	if v == nil {
		return "", nil
	}
	var b strings.Builder
	if err := rd.kit.ExecuteTemplate(&b, v.template(), v); err != nil {
		return "", err
	}
	return template.HTML(b.String()), nil // the output of html/template, escaped for this context
}

// shown is what the layout reads.
type shown struct {
	Page
	Frame
	Operator string
	Exercise bool
	HeadLine string // the document's title
}

// Render writes the page. A template that fails becomes the server-error page: nothing half-written leaves.
func (rd *Renderer) Render(w http.ResponseWriter, r *http.Request, p Page) {
	body, err := rd.document(r, p)
	if err != nil {
		id := rd.opts.NewID(r.Context())
		rd.opts.Log.ErrorContext(r.Context(), "page not rendered", "page", p.Template, "id", id, "err", err)
		p = ServerError(id)
		if body, err = rd.document(r, p); err != nil {
			http.Error(w, "Something went wrong on our side. Reference: "+id, http.StatusInternalServerError)
			return
		}
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", Policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store") // who is exposed must not stay in a shared computer's cache
	}
	if p.Status == 0 {
		p.Status = http.StatusOK
	}
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

func (rd *Renderer) document(r *http.Request, p Page) ([]byte, error) {
	t, ok := rd.pages[p.Template]
	if !ok {
		return nil, fmt.Errorf("edge/web: no page template %q", p.Template)
	}
	s := shown{Page: p, Frame: rd.opts.Frame(r), Operator: rd.opts.Operator, Exercise: rd.opts.Exercise}
	if s.Home == "" {
		s.Home = "/"
	}
	s.HeadLine = p.Title + " – " + rd.opts.Operator
	if p.Failed {
		s.HeadLine = "Error: " + s.HeadLine
	}
	if s.Exercise {
		s.HeadLine = "EXERCISE: " + s.HeadLine
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "layout", s); err != nil {
		return nil, fmt.Errorf("edge/web: page %q: %w", p.Template, err)
	}
	return b.Bytes(), nil
}

// Static serves the style sheet, the scripts and the mark; mount it at StaticPath.
func (rd *Renderer) Static() http.Handler { return rd.assets }
