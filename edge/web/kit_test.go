package web_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"golang.org/x/net/html"

	"wardwatch/edge/web"
	"wardwatch/test/npm"
	"wardwatch/ward"
)

// show renders one page and returns the answer with its body.
func show(t testing.TB, rd *web.Renderer, p web.Page) (*http.Response, string) {
	t.Helper()
	rec := httptest.NewRecorder()
	rd.Render(rec, httptest.NewRequest(http.MethodGet, "/", http.NoBody), p)
	return rec.Result(), rec.Body.String()
}

// showView renders one component and returns what stands in main.
func showView(t testing.TB, v web.View) string {
	t.Helper()
	rd := renderer(t, func(o *web.Options) {
		o.Pages = fstest.MapFS{"one.html": {Data: []byte(`{{define "main"}}<!-- -->{{view .Data}}<hr>{{end}}`)}}
	})
	res, body := show(t, rd, web.Page{Title: "One", Template: "one", Data: v})
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%T: status %d", v, res.StatusCode)
	}
	_, body, _ = strings.Cut(body, "<main")
	_, body, _ = strings.Cut(body, ">")
	body, _, _ = strings.Cut(body, "<hr>")
	return body
}

func TestEveryPageForbidsAndAvoidsInlineCode(t *testing.T) {
	res, body := show(t, renderer(t, nil), web.Page{Title: "Watch", Template: "kit", Data: gallery()})
	if got := res.Header.Get("Content-Security-Policy"); got != web.Policy {
		t.Errorf("content security policy %q", got)
	}
	if got := res.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("cache control %q", got)
	}
	for _, inline := range []string{`\sstyle=`, `<style`, `\son[a-z]+=`, `hx-on`, `<script(?:\s+defer)?>`, `javascript:`} {
		if at := regexp.MustCompile(inline).FindStringIndex(body); at != nil {
			t.Errorf("inline code %q: %q", inline, body[max(0, at[0]-60):at[1]+20])
		}
	}
	if !strings.Contains(body, "EXERCISE") || !strings.Contains(body, "<title>EXERCISE: Watch – Federation Watch</title>") {
		t.Error("an exercise does not say so in the page and its title")
	}
}

func TestTextIsShownAsText(t *testing.T) {
	const bad = `"><script>alert('x')</script>`
	views := []web.View{
		web.Text(bad), web.Prose(bad), web.Code(bad), web.Tag{Text: bad}, web.Link{Text: bad, Href: "javascript:alert(1)", About: bad},
		web.TaskList{Tasks: []web.Task{{Text: bad, Hint: bad, Href: bad}}}, web.Warning{Title: bad, Text: bad}, web.Empty{Text: bad},
		web.Input{Name: bad, Label: bad, Hint: bad, Error: bad, Value: bad, Prefix: bad}, web.Textarea{Name: "n", Label: "l", Value: "</textarea>" + bad},
		web.Table{Caption: bad, Columns: []web.Column{{Title: bad}}, Rows: []web.Row{{Key: bad, Name: bad, Cells: []web.View{web.Text(bad)}}}, Pick: &web.Pick{Name: bad}},
		web.TileMap{Title: bad, Regions: []web.TileRegion{{Name: bad, Tiles: []web.Tile{{Name: bad, Href: "/x"}, {Name: bad}}}}},
		web.AnswerBar{Title: bad, Parts: []web.Part{{State: web.State{Word: bad}, Count: 1}}},
		web.StepChart{Title: bad, From: now, To: now.Add(time.Hour), Unit: bad, Steps: []web.Step{{At: now, Value: 1}}, Marks: []web.Mark{{At: now, Label: bad}}},
	}
	for _, v := range views {
		t.Run(fmt.Sprintf("%T", v), func(t *testing.T) {
			body := showView(t, v)
			if strings.Contains(body, "<script") || strings.Contains(body, "javascript:alert") {
				t.Errorf("markup from a text is markup on the page:\n%s", body)
			}
			if !strings.Contains(body, "alert(") {
				t.Errorf("the text is not shown:\n%s", body)
			}
		})
	}
}

// TestStructureIsTheDesignSystems compares our HTML with the fixtures of the package that the style sheet is built from.
func TestStructureIsTheDesignSystems(t *testing.T) {
	dir := filepath.Join(npm.Modules(t, os.DirFS("assets")), "nhsuk-frontend", "dist", "nhsuk", "components")
	choices := []web.Choice{{Value: "1", Text: "a"}, {Value: "2", Text: "b"}, {Value: "3", Text: "c"}}
	for _, row := range []struct {
		component, fixture string
		view               web.View
	}{
		{"tag", "default", web.Tag{Text: "Active"}},
		{"inset-text", "default", web.Inset{Body: web.Text("x")}},
		{"back-link", "default", web.BackLink{Text: "Back", Href: "#"}},
		{"breadcrumb", "default", web.Crumbs{{Text: "a", Href: "#"}, {Text: "b", Href: "#"}, {Text: "c", Href: "#"}}},
		{"details", "default", web.Details{Summary: "a", Body: web.Text("b")}},
		{"notification-banner", "default", web.Banner{Heading: "a"}},
		{"error-summary", "default", web.ErrorSummary{Errors: []web.FieldError{{Field: "a", Text: "b"}}}},
		{"summary-list", "with actions", web.SummaryList{Rows: []web.SummaryRow{
			{Key: "a", Value: web.Text("b"), Actions: []web.Link{{Text: "Change", Href: "#", About: "a"}}},
			{Key: "a", Value: web.Text("b"), Actions: []web.Link{{Text: "Change", Href: "#", About: "a"}}},
			{Key: "a", Value: web.Text("b"), Actions: []web.Link{{Text: "Change", Href: "#", About: "a"}}},
			{Key: "a", Value: web.Text("b"), Actions: []web.Link{{Text: "Change", Href: "#", About: "a"}}}}}},
		{"input", "with error message and hint", web.Input{Name: "n", Label: "l", Hint: "h", Error: "e", Width: 10, InputMode: "numeric"}},
		{"input", "with prefix and suffix", web.Input{Name: "n", Label: "l", Width: 5, Prefix: "£", Suffix: "per item"}},
		{"textarea", "with error message and hint", web.Textarea{Name: "n", Label: "l", Hint: "h", Error: "e"}},
		{"radios", "with error message and hint", web.Radios{Name: "n", Legend: "l", Hint: "h", Error: "e", Choices: choices}},
		{"radios", "with hints on items", web.Radios{Name: "n", Legend: "l", Choices: []web.Choice{{Text: "a", Hint: "b"}, {Text: "c", Hint: "d"}}}},
		{"checkboxes", "with error message and hint", web.Checkboxes{Name: "n", Legend: "l", Hint: "h", Error: "e", Choices: choices}},
		{"date-input", "with error message and hint", web.DateInput{Name: "n", Legend: "l", Hint: "h", Error: "e"}},
		{"button", "default", web.Button{Text: "Save"}},
	} {
		t.Run(row.component+" "+row.fixture, func(t *testing.T) {
			want := outline(t, fixture(t, dir, row.component, row.fixture))
			got := outline(t, showView(t, row.view))
			if got != want {
				t.Errorf("structure differs\nours:\n%s\ntheirs:\n%s", got, want)
			}
		})
	}
}

func fixture(t *testing.T, dir, component, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, component, "fixtures.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Fixtures []struct{ Name, HTML string }
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	for _, f := range file.Fixtures {
		if f.Name == name {
			return f.HTML
		}
	}
	t.Fatalf("%s has no fixture %q", component, name)
	return ""
}

// notOurs are their classes that say a size or a brand choice, not a structure.
var notOurs = regexp.MustCompile(`--(l|m|code|width-\d+)$|^nhsuk-u-font|^nhsuk-u-nowrap`)

// outline is the tree of elements with their classes, roles and relations; words, sizes, headings around labels, drawings
// and our own classes left out.
func outline(t *testing.T, source string) string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	var walk func(n *html.Node, depth int)
	walk = func(n *html.Node, depth int) {
		inner := depth
		if n.Type == html.ElementNode {
			skip := slices.Contains([]string{"html", "head", "body", "h1", "br"}, n.Data)
			if n.Data == "svg" {
				return
			}
			if n.Data == "p" && len(n.Attr) == 0 || n.Data == "span" && attr(n, "class") == "nhsuk-u-nowrap" {
				skip = true
			}
			if !skip {
				inner++
				b.WriteString(strings.Repeat("  ", depth) + n.Data)
				var classes []string
				for _, c := range strings.Fields(attr(n, "class")) {
					if !strings.HasPrefix(c, "ww-") && !notOurs.MatchString(c) {
						classes = append(classes, c)
					}
				}
				for _, c := range classes {
					b.WriteString("." + c)
				}
				for _, key := range []string{"role", "type", "scope", "inputmode", "aria-hidden"} {
					if v := attr(n, key); v != "" {
						b.WriteString(" " + key + "=" + v)
					}
				}
				for _, key := range []string{"aria-describedby", "aria-labelledby", "for"} { // that there is one; ids differ
					if attr(n, key) != "" {
						b.WriteString(" " + key)
					}
				}
				b.WriteString("\n")
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, inner)
		}
	}
	walk(doc, 0)
	return b.String()
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func TestReferencesInAPageMeet(t *testing.T) {
	_, body := show(t, renderer(t, nil), web.Page{Title: "Watch", Template: "kit", Data: gallery()})
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]int{}
	refs := map[string]bool{}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if id := attr(n, "id"); id != "" {
			ids[id]++
		}
		for _, key := range []string{"aria-describedby", "aria-labelledby", "for"} {
			for _, id := range strings.Fields(attr(n, key)) {
				refs[id] = true
			}
		}
		if id, ok := strings.CutPrefix(attr(n, "href"), "#"); ok {
			refs[id] = true
		}
		if id, ok := strings.CutPrefix(attr(n, "fill"), "url(#"); ok {
			refs[strings.TrimSuffix(id, ")")] = true
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("id %q occurs %d times", id, n)
		}
	}
	if len(refs) == 0 {
		t.Fatal("no references found")
	}
	for id := range refs {
		if ids[id] == 0 {
			t.Errorf("nothing has the id %q", id)
		}
	}
}

func TestNewRefusesWhatWouldFailLater(t *testing.T) {
	for name, opts := range map[string]web.Options{
		"accent":              {Accent: "red"},
		"accent not hex":      {Accent: "#12345g"},
		"template":            {Pages: fstest.MapFS{"x.html": {Data: []byte(`{{define "main"}}{{.Title}{{end}}`)}}},
		"unknown function":    {Pages: fstest.MapFS{"x.html": {Data: []byte(`{{define "main"}}{{raw .Title}}{{end}}`)}}},
		"unreadable page set": {Pages: brokenFS{}},
	} {
		if _, err := web.NewRenderer(opts); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

type brokenFS struct{}

func (brokenFS) Open(string) (fs.File, error) { return nil, fs.ErrPermission }
func (brokenFS) Glob(string) ([]string, error) {
	return nil, fs.ErrPermission
}

func TestAFailedTemplateLeavesNothingHalfWritten(t *testing.T) {
	var logged strings.Builder
	rd := renderer(t, func(o *web.Options) {
		o.Pages = fstest.MapFS{"bad.html": {Data: []byte(`{{define "main"}}<p>half</p>{{.Data.Missing}}{{end}}`)}}
		o.Log = slog.New(slog.NewTextHandler(&logged, nil))
		o.NewID = func(context.Context) string { return "K7Q2M9" }
	})
	for _, name := range []string{"bad", "not-there"} {
		logged.Reset()
		res, body := show(t, rd, web.Page{Title: "Bad", Template: name, Data: 3})
		if res.StatusCode != http.StatusInternalServerError || strings.Contains(body, "half") || !strings.Contains(body, "K7Q2M9") {
			t.Errorf("%s: status %d, body %s", name, res.StatusCode, body)
		}
		if !strings.Contains(logged.String(), "K7Q2M9") {
			t.Errorf("%s: the log does not have the id: %s", name, logged.String())
		}
	}
}

func TestErrorPages(t *testing.T) {
	rd := renderer(t, nil)
	for _, row := range []struct {
		page   web.Page
		status int
		says   []string
	}{
		{web.NoAccess("The duty lead"), http.StatusForbidden, []string{"The duty lead can give you access"}},
		{web.NoAccess(""), http.StatusForbidden, []string{"The administrator of your organisation can give you access"}},
		{web.NotFound(), http.StatusNotFound, []string{"There is nothing at this address"}},
		{web.ServerError("K7Q2M9"), http.StatusInternalServerError, []string{"K7Q2M9"}},
		{web.Conflict(web.Conflicted{Saved: web.ConflictText{By: "Ana", Text: "first"}, Yours: web.ConflictText{By: "You", Text: "second"}}),
			http.StatusConflict, []string{"first", "second", "Ana"}},
	} {
		res, body := show(t, rd, row.page)
		if res.StatusCode != row.status {
			t.Errorf("%s: status %d, want %d", row.page.Title, res.StatusCode, row.status)
		}
		for _, s := range row.says {
			if !strings.Contains(body, s) {
				t.Errorf("%s: does not say %q", row.page.Title, s)
			}
		}
	}
}

func TestStaticFilesMayBeKeptForEver(t *testing.T) {
	rd := renderer(t, nil)
	_, body := show(t, rd, web.Page{Title: "Watch", Template: "kit", Data: gallery()})
	addresses := regexp.MustCompile(`"(/static/[^"]+)"`).FindAllStringSubmatch(body, -1)
	if len(addresses) < 5 {
		t.Fatalf("the page names %d static files", len(addresses))
	}
	for _, m := range addresses {
		t.Run(m[1], func(t *testing.T) {
			get := func(accept string) (*http.Response, string) {
				req := httptest.NewRequest(http.MethodGet, m[1], http.NoBody)
				req.Header.Set("Accept-Encoding", accept)
				rec := httptest.NewRecorder()
				rd.Static().ServeHTTP(rec, req)
				res := rec.Result()
				var from io.Reader = res.Body
				if res.Header.Get("Content-Encoding") == "gzip" {
					zip, err := gzip.NewReader(from)
					if err != nil {
						t.Fatal(err)
					}
					from = zip
				}
				text, err := io.ReadAll(from)
				if err != nil {
					t.Fatal(err)
				}
				return res, string(text)
			}
			plain, text := get("gzip;q=0")
			if plain.StatusCode != http.StatusOK || plain.Header.Get("Content-Encoding") != "" {
				t.Errorf("status %d, encoding %q", plain.StatusCode, plain.Header.Get("Content-Encoding"))
			}
			if got := plain.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
				t.Errorf("cache control %q", got)
			}
			if _, zipped := get("br, gzip"); zipped != text {
				t.Error("the compressed file differs from the plain one")
			}
			if remote := regexp.MustCompile(`@font-face|(?i)frutiger|url\(["']?(https?:)?//`).FindString(text); remote != "" {
				t.Errorf("names %q", remote)
			}
		})
	}
	rec := httptest.NewRecorder()
	rd.Static().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/static/wardwatch.css", http.NoBody))
	if rec.Code != http.StatusNotFound {
		t.Errorf("a file without its hash: status %d", rec.Code)
	}
}

func TestEveryAccentCanBeRead(t *testing.T) {
	for _, accent := range []string{web.DefaultAccent, "#ffff00", "#ffffff", "#000000", "#7fffd4", "#ff0000", "#808080"} {
		rd := renderer(t, func(o *web.Options) { o.Accent = accent })
		_, body := show(t, rd, web.Page{Title: "Watch", Template: "kit", Data: gallery()})
		sheet := regexp.MustCompile(`/static/theme-[^"]+`).FindString(body)
		rec := httptest.NewRecorder()
		rd.Static().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, sheet, http.NoBody))
		light, dark, _ := strings.Cut(rec.Body.String(), "@media")
		for _, row := range []struct{ scheme, rules, ground string }{{"light", light, "#ffffff"}, {"light", light, "#e9ebef"}, {"dark", dark, "#101316"}, {"dark", dark, "#242a30"}} {
			link := value(t, row.rules, "--ww-link")
			if c := contrast(t, link, row.ground); c < 4.5 {
				t.Errorf("accent %s, %s: link %s on %s has contrast %.2f", accent, row.scheme, link, row.ground, c)
			}
			if c := contrast(t, value(t, row.rules, "--ww-accent"), value(t, row.rules, "--ww-on-accent")); c < 4.5 {
				t.Errorf("accent %s, %s: button has contrast %.2f", accent, row.scheme, c)
			}
		}
	}
}

func value(t *testing.T, rules, name string) string {
	t.Helper()
	m := regexp.MustCompile(name + `:(#[0-9a-f]{6})`).FindStringSubmatch(rules)
	if m == nil {
		t.Fatalf("no %s in %q", name, rules)
	}
	return m[1]
}

// linear is the light of each sRGB byte, from the definition of sRGB.
var linear = func() (out [256]float64) {
	for i := range out {
		v := float64(i) / 255
		if out[i] = v / 12.92; v > 0.04045 {
			out[i] = math.Exp(2.4 * math.Log((v+0.055)/1.055))
		}
	}
	return out
}()

// contrast computes WCAG's ratio apart from the code under test.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	luminance := func(s string) float64 {
		var rgb [3]int
		if _, err := fmt.Sscanf(s, "#%02x%02x%02x", &rgb[0], &rgb[1], &rgb[2]); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			sum += weight * linear[rgb[i]]
		}
		return sum
	}
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func TestHintsReachReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hints := &web.Hints{Beat: time.Minute}
		ctx, stop := context.WithCancel(t.Context())
		rec := httptest.NewRecorder()
		done := make(chan struct{})
		go func() {
			defer close(done)
			hints.Serve(ctx, rec, httptest.NewRequest(http.MethodGet, "/events", http.NoBody), func(h ward.Hint) bool { return h.Topic != "secret" })
		}()
		synctest.Wait()
		hints.Send(ward.Hint{Topic: "alerts"})
		hints.Send(ward.Hint{Topic: "secret"})
		hints.Send(ward.Hint{Topic: "two\nlines"})
		time.Sleep(90 * time.Second)
		synctest.Wait()
		stop()
		<-done
		want := "retry: 3000\n\ndata: alerts\n\ndata: two lines\n\n: alive\n\n"
		if got := rec.Body.String(); got != want {
			t.Errorf("stream %q, want %q", got, want)
		}
		hints.Send(ward.Hint{Topic: "nobody listens"}) // must not wait
	})
}

func TestWords(t *testing.T) {
	for _, row := range []struct {
		after time.Duration
		want  string
	}{
		{0, "now"}, {30 * time.Second, "now"}, {time.Minute, "in 1 minute"}, {-59 * time.Minute, "59 minutes ago"},
		{5 * time.Hour, "in 5 hours"}, {-47 * time.Hour, "47 hours ago"}, {-48 * time.Hour, "2 days ago"}, {-1300 * 24 * time.Hour, "1,300 days ago"},
	} {
		if got := web.Ago(now.Add(row.after), now); got != row.want {
			t.Errorf("%v from now: %q, want %q", row.after, got, row.want)
		}
	}
	summer := time.FixedZone("BST", 3600)
	for got, want := range map[string]string{
		web.Day(now):                     "14 May 2026",
		web.At(now.In(summer)):           "10:00 BST on 14 May 2026",
		web.At(time.Time{}):              "not known",
		web.Ago(time.Time{}, now):        "not known",
		web.Count(1, "machine"):          "1 machine",
		web.Count(1204, "machine"):       "1,204 machines",
		web.Count(2, "entry", "entries"): "2 entries",
		web.Number(-1234567):             "-1,234,567",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestChartsOfNothing(t *testing.T) {
	for _, v := range []web.View{
		web.TileMap{Title: "Empty"}, web.AnswerBar{Title: "Empty", Parts: []web.Part{{State: overdue}}},
		web.AnswerBar{Compact: true}, web.StepChart{Title: "Empty"}, web.Table{Caption: "Empty"}, web.Stack{nil},
	} {
		if body := showView(t, v); strings.Contains(body, "NaN") || strings.Contains(body, "Inf%") {
			t.Errorf("%T of nothing: %s", v, body)
		}
	}
	if body := showView(t, web.Table{Caption: "Alerts", Empty: web.Empty{Text: "No alerts in force."}}); strings.Contains(body, "<table") {
		t.Errorf("a table without rows hides why: %s", body)
	}
}
