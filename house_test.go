package wardwatch_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The house rules, executed. `go test` cannot see that another package changed, so run this with -count=1.

const module = "wardwatch"

// A room is a folder at the root. What it may import, beside its own ancestors, is decided once, here.
type room struct {
	name    string
	may     []string
	because string
}

var house = []room{
	{"ward", nil, "ward is the words: nouns and pure rules that every room shares, so it can lean on nothing of ours"},
	{"keep", []string{"ward"}, "keep stores the words and knows nothing of why they are stored"},
	{"know", []string{"ward", "keep"}, "know, watch and act name what they need of each other as a small interface; app hands in the neighbour"},
	{"watch", []string{"ward", "keep"}, "know, watch and act name what they need of each other as a small interface; app hands in the neighbour"},
	{"act", []string{"ward", "keep"}, "know, watch and act name what they need of each other as a small interface; app hands in the neighbour"},
	{"edge", []string{"ward", "know", "watch", "act"}, "pages and API go through the one domain function, never around it to the store"},
	{"config", []string{"ward"}, "config is read before anything exists that it could configure"},
	{"app", []string{"ward", "keep", "know", "watch", "act", "edge", "config"}, "app wires the rooms in flow order; nothing but a command starts it"},
	{"cmd", []string{"app", "config"}, "a command reads flags and calls app, so that every entry takes the same path"},
	{"test", []string{"ward", "keep", "know", "watch", "act", "edge", "config", "app"}, "test packages may look at everything"},
}

// capabilities share between their rooms through the parent, so the parent must stand below them.
var capabilities = []string{"keep", "know", "watch", "act", "edge"}

// impure are the standard packages through which the words could touch the world. net/netip, net/url and net/mail only
// parse and stay welcome.
var impure = regexp.MustCompile(`^(os(/.*)?|net|net/(http|rpc|smtp|textproto)(/.*)?|database/.*|log(/.*)?|syscall|plugin|C)$`)

// outside are the libraries that one place alone may speak to, so that replacing one stays a change in one place.
var outside = []struct {
	library string
	only    []string
	because string
}{
	{"modernc.org/sqlite", []string{"keep/store"}, "one store, one set of queries"},
	{"github.com/jackc/pgx", []string{"keep/store"}, "one store, one set of queries"},
	{"github.com/pressly/goose", []string{"keep/store"}, "the store migrates itself"},
	{"github.com/nats-io", []string{"keep/bus"}, "events in flight have one carrier"},
	{"github.com/parquet-go", []string{"keep/blocks"}, "the layout of kept events is known in one place"},
	{"github.com/minio", []string{"keep/blocks"}, "buckets stand behind one small interface"},
	{"github.com/danielgtaylor/huma", []string{"edge/api"}, "problems and the OpenAPI document are made in one place"},
	{"github.com/spf13/cobra", []string{"cmd"}, "flags end at the command"},
	{"github.com/knadh/koanf", []string{"config"}, "configuration is parsed once, strictly"},
}

// vague names say nothing about a hospital.
var vague = []string{"internal", "util", "utils", "helper", "helpers", "common", "manager", "misc", "lib", "pkg"}

// A pack is one package as the rules see it: its folder below the module ("" is the root), its name, and what its
// non-test files import.
type pack struct {
	dir, name string
	imports   []string
}

// broken lists every rule that the import graph breaks, each with its reason.
func broken(graph []pack) []string {
	var out []string
	for _, p := range graph {
		if p.name == "main" && !within(p.dir, "cmd") && !within(p.dir, "test/peers") { // a peer that fails is a process of its own
			out = append(out, fmt.Sprintf("%s: package main outside cmd/: there is one way in", p.dir))
		}
		for _, word := range append(strings.Split(p.dir, "/"), p.name) {
			if slices.Contains(vague, word) {
				out = append(out, fmt.Sprintf("%s: %q is no name: say what it is to a hospital", p.dir, word))
				break
			}
		}
		if p.dir != "" && roomOf(p.dir) == nil {
			out = append(out, fmt.Sprintf("%s: no room of that name: add it to the house with its reason, and write an ADR", p.dir))
			continue
		}
		for _, imp := range p.imports {
			if why := refused(p.dir, imp); why != "" {
				out = append(out, fmt.Sprintf("%s imports %s: %s", or(p.dir, "the root"), imp, why))
			}
		}
	}
	return out
}

// refused says why the package in folder from may not import imp, or nothing.
func refused(from, imp string) string {
	to, ours := strings.CutPrefix(imp, module+"/")
	if !ours {
		return refusedOutside(from, imp)
	}
	switch {
	case from == "":
		return "the root holds the story and no code"
	case within(from, "test"):
		return ""
	case within(to, "test"):
		return "test packages never ship"
	case within(from, to):
		return "" // an ancestor
	case top(from) != top(to):
		r := roomOf(from)
		if slices.Contains(r.may, top(to)) {
			return ""
		}
		return r.because
	case from == top(from) && slices.Contains(capabilities, from):
		return "the parent holds what its rooms share, so it stands below them; app joins them"
	case within(to, from):
		return "" // a room may have cupboards of its own
	}
	return "siblings never import each other: what they share lives in " + shared(from, to) + ", what one needs of the other is a small interface that app fills"
}

func refusedOutside(from, imp string) string {
	for _, o := range outside {
		if within(imp, o.library) && !slices.ContainsFunc(o.only, func(dir string) bool { return within(from, dir) }) && !within(from, "test") {
			return "only " + strings.Join(o.only, ", ") + ": " + o.because
		}
	}
	if !within(from, "ward") {
		return ""
	}
	if first, _, _ := strings.Cut(imp, "/"); strings.Contains(first, ".") {
		return "ward imports the standard library only: the words must outlive every library"
	}
	if impure.MatchString(imp) {
		return "ward does no I/O: its rules are pure, so that they can be trusted without a machine"
	}
	return ""
}

// within reports whether dir is parent or lies below it.
func within(dir, parent string) bool { return dir == parent || strings.HasPrefix(dir, parent+"/") }

func top(dir string) string { first, _, _ := strings.Cut(dir, "/"); return first }

// shared is the nearest folder above both.
func shared(a, b string) string {
	for !within(b, a) {
		a = path.Dir(a)
	}
	return a
}

func roomOf(dir string) *room {
	for i := range house {
		if house[i].name == top(dir) {
			return &house[i]
		}
	}
	return nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func TestWhoMayImportWhom(t *testing.T) {
	for _, b := range broken(packages(t)) {
		t.Error(b)
	}
}

// TestTheRuleBites plants each violation alone, beside neighbours that must pass.
func TestTheRuleBites(t *testing.T) {
	for _, row := range []struct {
		from, imp string
		want      string // part of the reason; empty where the import is right
	}{
		{"ward", "time", ""},
		{"ward", "net/netip", ""},
		{"ward", "net/url", ""},
		{"ward", "os", "no I/O"},
		{"ward", "os/exec", "no I/O"},
		{"ward", "net", "no I/O"},
		{"ward", "net/http/httptest", "no I/O"},
		{"ward", "database/sql", "no I/O"},
		{"ward", "github.com/pandatix/go-cvss/31", "standard library only"},
		{"ward", "wardwatch/keep/store", "lean on nothing"},
		{"keep/store", "wardwatch/ward", ""},
		{"keep/store", "modernc.org/sqlite", ""},
		{"keep/store", "wardwatch/know", "knows nothing of why"},
		{"keep/store", "wardwatch/keep/bus", "siblings"},
		{"keep", "wardwatch/keep/store", "stands below them"},
		{"know/match", "wardwatch/know", ""},
		{"know/match", "wardwatch/keep/store", ""},
		{"know/match", "wardwatch/know/estate", "lives in know,"},
		{"know/match", "modernc.org/sqlite", "one store"},
		{"know/matcher", "wardwatch/know/match", "siblings"},
		{"know/feeds/kev", "wardwatch/know/feeds", ""},
		{"know/feeds/kev", "wardwatch/know/feeds/nvd", "lives in know/feeds,"},
		{"know/feeds/kev", "wardwatch/know/intel", "lives in know,"},
		{"know/feeds", "wardwatch/know/feeds/kev", ""},
		{"know", "wardwatch/know/match", "stands below them"},
		{"know/estate", "wardwatch/act/findings", "app hands in the neighbour"},
		{"watch/detect", "wardwatch/know", "app hands in the neighbour"},
		{"act/alerts", "wardwatch/keep/store", ""},
		{"act/alerts", "wardwatch/act/responses", "siblings"},
		{"act/responses", "wardwatch/know/match", "app hands in the neighbour"},
		{"act/alerts", "wardwatch/edge/web", "app hands in the neighbour"},
		{"edge/web", "wardwatch/act/alerts", ""},
		{"edge/web", "wardwatch/edge", ""},
		{"edge/web", "wardwatch/keep/store", "the one domain function"},
		{"edge/web", "wardwatch/edge/access", "siblings"},
		{"edge/web", "github.com/danielgtaylor/huma/v2", "one place"},
		{"edge/api", "github.com/danielgtaylor/huma/v2", ""},
		{"config", "wardwatch/ward", ""},
		{"config", "wardwatch/app", "before anything exists"},
		{"app", "wardwatch/keep/store", ""},
		{"app", "wardwatch/app/demo", ""},
		{"app", "wardwatch/cmd/wardwatch", "nothing but a command"},
		{"app", "wardwatch/test/shared", "never ship"},
		{"cmd/wardwatch", "wardwatch/app", ""},
		{"cmd/wardwatch", "wardwatch/know/match", "the same path"},
		{"test/contract", "wardwatch/keep/store", ""},
		{"", "wardwatch/ward", "the story"},
		{"sundry", "fmt", "no room of that name"},
		{"know/internal/x", "fmt", "no name"},
		{"act/helper", "fmt", "no name"},
	} {
		t.Run(row.from+" "+row.imp, func(t *testing.T) {
			name := path.Base(row.from)
			if within(row.from, "cmd") {
				name = "main"
			}
			got := broken([]pack{{row.from, name, []string{"fmt", row.imp}}})
			switch {
			case row.want == "" && len(got) > 0:
				t.Errorf("refused: %s", got)
			case row.want != "" && (len(got) == 0 || !strings.Contains(got[0], row.want)):
				t.Errorf("got %q, want a reason with %q", got, row.want)
			}
		})
	}
	if got := broken([]pack{{"app", "main", nil}}); len(got) != 1 {
		t.Errorf("a main outside cmd/: got %q", got)
	}
}

// clocks are the only places that may ask the machine for the time; all others are handed a ward.Clock, so that tests and
// the demo can live through a month in a second.
var clocks = []struct{ path, because string }{
	{"ward/clock.go", "the one clock"},
	{"cmd/", "the machine's clock enters here"},
	{"test/", "a test may measure"},
	{"bench/", "a measurement is made of the machine's time"},
}

func TestTimeComesFromTheClock(t *testing.T) {
	for _, f := range sources(t) {
		if f.test || slices.ContainsFunc(clocks, func(c struct{ path, because string }) bool { return strings.HasPrefix(f.path, c.path) }) {
			continue
		}
		for _, at := range asksMachineTime(f.tree) {
			t.Errorf("%s: asks the machine for the time: take a ward.Clock", f.set.Position(at))
		}
	}
}

// asksMachineTime finds uses of time.Now and of what calls it.
func asksMachineTime(file *ast.File) []token.Pos {
	var at []token.Pos
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" && slices.Contains([]string{"Now", "Since", "Until"}, sel.Sel.Name) {
				at = append(at, sel.Pos())
			}
		}
		return true
	})
	return at
}

// TestSkipsAreSaidOnce keeps a green CI run honest: what a machine lacks goes through shared.Skip, which fails there.
func TestSkipsAreSaidOnce(t *testing.T) {
	for _, f := range sources(t) {
		if !f.test || within(f.path, "test/shared") {
			continue
		}
		for _, at := range skipsAlone(f.tree) {
			t.Errorf("%s: call shared.Skip, which fails where CI=true", f.set.Position(at))
		}
	}
}

// skipsAlone finds calls of Skip outside fuzz targets, where it turns an input away. -short makes benchmarks small; it leaves
// no test out.
func skipsAlone(file *ast.File) []token.Pos {
	var at []token.Pos
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			return !strings.HasPrefix(n.Name.Name, "Fuzz")
		case *ast.CallExpr:
			if sel, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name) {
				if on, ok := sel.X.(*ast.Ident); ok && on.Name != "shared" {
					at = append(at, n.Pos())
				}
			}
		}
		return true
	})
	return at
}

func TestTheSourceChecksBite(t *testing.T) {
	for _, row := range []struct {
		name, body string
		clocks     int
		skips      int
	}{
		{"now", `func f() time.Time { return time.Now() }`, 1, 0},
		{"since, as a value too", `var g = time.Since; func f() { _ = time.Until(x) }`, 2, 0},
		{"a clock", `func f(clock ward.Clock) time.Time { return clock.Now() }`, 0, 0},
		{"bare skip", `func TestX(t *testing.T) { t.Skip("no browser") }`, 0, 1},
		{"skip deep down", `func TestX(t *testing.T) { if missing { t.Run("", func(u *testing.T) { u.SkipNow() }) } }`, 0, 1},
		{"said", `func TestX(t *testing.T) { shared.Skip(t, "no browser") }`, 0, 0},
		{"short", `func TestX(t *testing.T) { if testing.Short() { t.Skip("slow") } }`, 0, 1},
		{"fuzz", `func FuzzX(f *testing.F) { f.Fuzz(func(t *testing.T, s string) { t.Skip() }) }`, 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\nimport \"time\"\n"+row.body, 0)
			if err != nil {
				t.Fatal(err)
			}
			if got := len(asksMachineTime(file)); got != row.clocks {
				t.Errorf("%d uses of the machine's time, want %d", got, row.clocks)
			}
			if got := len(skipsAlone(file)); got != row.skips {
				t.Errorf("%d skips, want %d", got, row.skips)
			}
		})
	}
}

// TestEveryPackageSaysItsJob wants one package comment that opens as godoc shows it.
func TestEveryPackageSaysItsJob(t *testing.T) {
	docs := map[string][]string{}
	names := map[string]string{}
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		dir := path.Dir(f.path)
		names[dir] = f.tree.Name.Name
		if f.tree.Doc != nil {
			docs[dir] = append(docs[dir], f.tree.Doc.Text())
		}
	}
	for dir, name := range names {
		opening := "Package " + name + " "
		if name == "main" {
			opening = "Command " + path.Base(dir) + " "
		}
		switch {
		case len(docs[dir]) != 1:
			t.Errorf("%s: %d package comments, want one: the job, what comes in, what goes out, what it never does", dir, len(docs[dir]))
		case !strings.HasPrefix(docs[dir][0], opening):
			t.Errorf("%s: the package comment must open with %q", dir, opening)
		}
	}
}

// parsers are the folders that read bytes from outside, as patterns; each that exists needs a fuzz target.
var parsers = []string{
	"config",
	"know", // CPE, package URL, version keys
	"know/feeds/*", "know/estate/*",
	"watch/ingest/*", "watch/detect/sigma", "watch/detect/pattern", "watch/detect/indicators",
}

// parseNothing are folders that a pattern of parsers reaches although no byte from outside does.
var parseNothing = map[string]string{}

func TestParsersHaveFuzzTargets(t *testing.T) {
	code, fuzzed := map[string]bool{}, map[string]bool{}
	for _, f := range sources(t) {
		dir := path.Dir(f.path)
		code[dir] = code[dir] || !f.test
		for _, d := range f.tree.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && f.test && strings.HasPrefix(fn.Name.Name, "Fuzz") {
				fuzzed[dir] = true
			}
		}
	}
	for dir := range code {
		reads := slices.ContainsFunc(parsers, func(pattern string) bool { ok, _ := path.Match(pattern, dir); return ok })
		if _, none := parseNothing[dir]; code[dir] && reads && !none && !fuzzed[dir] {
			t.Errorf("%s: parses bytes from outside and has no Fuzz function: seed one from real lines", dir)
		}
	}
}

// elsewhere are the names of a machine, a registry or a person's home that would make a file true in one place only.
// Fixtures under testdata quote what real machines said and are left alone.
var elsewhere = regexp.MustCompile(`(?:^|[\s"'` + "`" + `(=:,])(/(?:work|root|home|Users|workspace)/[\w.~-]+)|(registry\.npmjs\.org|proxy\.golang\.org|sum\.golang\.org|deb\.debian\.org)`)

func TestNoFileSpeaksOfAMachine(t *testing.T) {
	for _, name := range files(t) {
		if strings.Contains("/"+name, "/testdata/") {
			continue
		}
		text, err := os.ReadFile(filepath.FromSlash(name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue // deleted, and not yet committed
		case err != nil:
			t.Fatal(err)
		case bytes.IndexByte(text, 0) >= 0:
			continue // an image
		}
		for _, found := range speaks(text) {
			t.Errorf("%s: speaks of %q: say it in terms of the clone, the user's settings or the environment", name, found)
		}
	}
}

func speaks(text []byte) []string {
	var out []string
	for _, m := range elsewhere.FindAllSubmatch(text, -1) {
		out = append(out, string(m[1])+string(m[2]))
	}
	return out
}

func TestSpeakingOfAMachineIsNoticed(t *testing.T) {
	for text, want := range map[string]int{
		"see /" + "work/main/README.md":                                              1,
		"`/" + "home/jo/wardwatch`":                                                  1,
		"\"https://registry." + "npmjs.org/htmx\"":                                   1,
		"paths:\n/" + "Users/jo/x\n/" + "root/.ssh":                                  2,
		"href=\"/organisations/\" and https://trust.example" + "/work" + "/handbook": 0,
		"--data /var/lib/wardwatch":                                                  0,
		"know/estate" + "/root" + "/x":                                               0,
	} {
		if got := speaks([]byte(text)); len(got) != want {
			t.Errorf("%q: noticed %q, want %d", text, got, want)
		}
	}
}

// link is a relative link of a document; its anchor is left out.
var link = regexp.MustCompile(`\]\(([^)#:\s]+)(?:#[^)]*)?\)`)

// command is a line of a document's fenced shell that calls make.
var command = regexp.MustCompile(`(?m)^make ([a-z-]+)`)

func TestDocumentsSpeakOfWhatExists(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files(t) {
		if !strings.HasSuffix(name, ".md") || strings.Contains("/"+name, "/testdata/") {
			continue
		}
		text, err := os.ReadFile(filepath.FromSlash(name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), string(m[1]))); err != nil {
				t.Errorf("%s: links to %s, which is not there", name, m[1])
			}
		}
		for _, m := range command.FindAllSubmatch(text, -1) {
			if !bytes.Contains(makefile, append([]byte("\n"), append(m[1], ':')...)) {
				t.Errorf("%s: says make %s, which the Makefile does not know", name, m[1])
			}
		}
	}
}

// packages asks the go command for the module's packages; cupboards without non-test files come with no imports.
func packages(t *testing.T) []pack {
	t.Helper()
	var graph []pack
	dec := json.NewDecoder(bytes.NewReader(run(t, "go", "list", "-e", "-json=ImportPath,Name,Imports", "./...")))
	for {
		var p struct {
			ImportPath, Name string
			Imports          []string
		}
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			if len(graph) == 0 {
				t.Fatal("no packages")
			}
			return graph
		case err != nil:
			t.Fatal(err)
		}
		graph = append(graph, pack{strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/"), p.Name, p.Imports})
	}
}

// A source is one parsed Go file.
type source struct {
	path string
	test bool // a _test.go file
	set  *token.FileSet
	tree *ast.File
}

func sources(t *testing.T) []source {
	t.Helper()
	set := token.NewFileSet()
	var out []source
	for _, name := range files(t) {
		if !strings.HasSuffix(name, ".go") || strings.Contains("/"+name, "/testdata/") {
			continue
		}
		tree, err := parser.ParseFile(set, filepath.FromSlash(name), nil, parser.ParseComments)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			t.Fatal(err)
		}
		out = append(out, source{name, strings.HasSuffix(name, "_test.go"), set, tree})
	}
	return out
}

// files are what the repository holds or is about to hold, by slash path.
func files(t *testing.T) []string {
	t.Helper()
	out := run(t, "git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 })
}

func run(t *testing.T, name string, arg ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, arg...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(arg, " "), err, stderr.Bytes())
	}
	return out
}
