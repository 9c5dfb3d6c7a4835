// Package browser drives a real browser through the pages in tests.
//
// In come addresses of a server that the test has started; out go screenshots, and failures of the test for what no page
// may do: a violation found by axe-core, a request to another host, an error on the console, a page wider than a telephone.
// It never reaches beyond the machine: axe-core is installed by npm at its pinned version and injected by the browser's own
// protocol, so the pages keep their content security policy.
package browser

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"wardwatch/test/npm"
	"wardwatch/test/shared"
)

//go:embed package.json package-lock.json
var manifest embed.FS

// Widths at which every page is checked: a desk and a telephone.
const (
	Desk      = 1280
	Tablet    = 768
	Telephone = 320
)

// Scheme is the colour scheme that the reader prefers.
type Scheme string

// The two schemes.
const (
	Light Scheme = "light"
	Dark  Scheme = "dark"
)

// patience is how long one step may take on a busy machine.
const patience = 60 * time.Second

// Browser is one browser with one tab.
type Browser struct {
	// Stop closes the tab and ends the browser. A test whose server ends first calls it before that, because an open page
	// goes on asking for what is new, and a refused connection is a fault of the page.
	Stop func()

	t   testing.TB
	ctx context.Context
	axe string

	mu      sync.Mutex
	allowed []string // addresses that may answer with an error, such as a page that shows one
	faults  []string
}

// Start starts a browser for the test and stops it at its end; whatever a page did wrong meanwhile fails the test then.
// Without a browser or npm it is skipped, and fails where CI=true.
func Start(t testing.TB) *Browser {
	t.Helper()
	program := find(t)
	axe := axeSource(t)
	opts := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(program),
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	)
	alloc, stopBrowser := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, closeTab := chromedp.NewContext(alloc)
	b := &Browser{t: t, ctx: ctx, axe: axe, Stop: func() { closeTab(); stopBrowser() }}
	t.Cleanup(func() {
		b.Stop()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, f := range b.faults {
			t.Error(f)
		}
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatalf("listen to %s: %v", program, err)
	}
	command(b, network.Enable, network.EnableParams{})
	command(b, runtime.Enable, cdp.Empty{})
	command(b, log.Enable, cdp.Empty{})
	b.Resize(Desk)
	return b
}

func find(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome"} {
		if at, err := exec.LookPath(name); err == nil {
			return at
		}
	}
	shared.Skip(t, "no browser: install one with `apt-get install chromium`")
	return ""
}

// axeSource reads axe-core at the version of package-lock.json.
func axeSource(t testing.TB) string {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(npm.Modules(t, manifest), "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

func (b *Browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if at, err := url.Parse(e.Request.URL); err == nil && !ours(at) {
			b.faults = append(b.faults, "request to another host: "+e.Request.URL)
		}
	case *runtime.EventExceptionThrown:
		b.faults = append(b.faults, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			var words []string
			for _, arg := range e.Args {
				words = append(words, string(arg.Value)+arg.Description)
			}
			b.faults = append(b.faults, "console error: "+strings.Join(words, " "))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && (e.Entry.Source != log.EntrySourceNetwork || !slices.Contains(b.allowed, e.Entry.URL)) {
			b.faults = append(b.faults, fmt.Sprintf("browser error: %s %s", e.Entry.Text, e.Entry.URL))
		}
	}
}

func ours(at *url.URL) bool {
	switch at.Scheme {
	case "data", "blob", "about":
		return true
	}
	return at.Hostname() == "127.0.0.1" || at.Hostname() == "localhost" || at.Hostname() == "::1"
}

// Run does steps of the browser's protocol; together they have the patience of a busy machine.
func (b *Browser) Run(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	value(b, chromedp.Steps(steps...))
}

// value does one step and gives what it found.
func value[T any](b *Browser, step chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, step)
	if err != nil {
		b.t.Fatalf("browser: %v", err)
	}
	return v
}

// command sends one command of the protocol.
func command[P, R any](b *Browser, c cdp.Command[P, R], params P) {
	b.t.Helper()
	value(b, func(ctx context.Context, t *chromedp.Target) (R, error) { return cdp.Call(ctx, t, c, params) })
}

// Navigate opens an address and waits until it is loaded.
func (b *Browser) Navigate(address string) {
	b.t.Helper()
	b.Run(chromedp.Navigate(address))
}

// NavigateError opens a page that is itself an error, whose status the browser would report.
func (b *Browser) NavigateError(address string) {
	b.t.Helper()
	b.Expect(address)
	b.Navigate(address)
}

// Expect lets an address answer with an error, such as a form that is refused.
func (b *Browser) Expect(address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.allowed = append(b.allowed, address)
}

// Click presses what the selector finds, on the page that stays.
func (b *Browser) Click(selector string) {
	b.t.Helper()
	b.Run(click(selector))
}

// Submit presses what the selector finds and waits until another document is loaded.
func (b *Browser) Submit(selector string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, click(selector)); err != nil {
		b.t.Fatalf("browser: press %q: %v", selector, err)
	}
}

// click presses what a CSS selector finds, or the first thing that an XPath expression ("//...") finds.
func click(selector string) chromedp.Action[chromedp.Void] {
	if strings.HasPrefix(selector, "//") {
		return chromedp.Click("("+selector+")[1]", chromedp.NodeVisible)
	}
	return chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible)
}

// Upload chooses a file for an input.
func (b *Browser) Upload(selector, file string) {
	b.t.Helper()
	b.Run(chromedp.SetUploadFiles(chromedp.CSS(selector), []string{file}))
}

// Scripts lets the scripts of pages that are opened from now on run, or not.
func (b *Browser) Scripts(on bool) {
	b.t.Helper()
	command(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
}

// Fill replaces the text of an input.
func (b *Browser) Fill(selector, text string) {
	b.t.Helper()
	b.Run(chromedp.WaitVisible(chromedp.CSS(selector)))
	Eval[bool](b, fmt.Sprintf("document.querySelector(%q).select(); true", selector))
	if text == "" {
		text = backspace
	}
	b.Run(chromedp.SendKeys(chromedp.CSS(selector), text))
}

const backspace = "\b"

// Press types keys at whatever has the focus.
func (b *Browser) Press(keys string) {
	b.t.Helper()
	b.Run(chromedp.KeyEvent(keys))
}

// Follow types keys at whatever has the focus and waits until another document is loaded.
func (b *Browser) Follow(keys string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.KeyEvent(keys)); err != nil {
		b.t.Fatalf("browser: press %q: %v", keys, err)
	}
}

// Text reads what a person reads in what the selector finds.
func (b *Browser) Text(selector string) string {
	b.t.Helper()
	return strings.TrimSpace(value(b, chromedp.Text(chromedp.CSS(selector))))
}

// Eval runs an expression in the page and gives its value; a promise is awaited.
func Eval[T any](b *Browser, expression string) T {
	b.t.Helper()
	return value(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Until waits until an expression in the page is true.
func (b *Browser) Until(expression string) {
	b.t.Helper()
	value(b, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(patience)))
}

// Resize sets the width of the window.
func (b *Browser) Resize(width int64) {
	b.t.Helper()
	b.Run(chromedp.EmulateViewport(width, 900))
}

// Prefer sets the colour scheme that the reader prefers.
func (b *Browser) Prefer(s Scheme) {
	b.t.Helper()
	command(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: string(s)}}})
}

// Paper shows the page as it would be printed.
func (b *Browser) Paper() {
	b.t.Helper()
	command(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
}

// Screenshot writes the whole page at a width to $WARDWATCH_SHOTS, or to a directory of the test, and returns its path.
func (b *Browser) Screenshot(name string, width int64) string {
	b.t.Helper()
	dir := os.Getenv("WARDWATCH_SHOTS")
	if dir == "" {
		dir = b.t.TempDir()
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	b.Resize(width)
	Eval[bool](b, `scrollTo(0, 0); document.activeElement.blur(); true`) // what sticks would stand in the middle otherwise
	full := value(b, chromedp.FullScreenshot(100))
	file := filepath.Join(dir, fmt.Sprintf("%s-%d.png", name, width))
	if err := os.WriteFile(file, full, 0o644); err != nil {
		b.t.Fatal(err)
	}
	return file
}

// Picture is the top of the page as a PNG of few bytes, for documents: a palette holds every colour of a page without photographs.
func (b *Browser) Picture(width, height int64) []byte {
	b.t.Helper()
	b.Run(chromedp.EmulateViewport(width, height))
	Eval[bool](b, `scrollTo(0, 0); document.activeElement.blur(); true`)
	full, _, err := image.Decode(bytes.NewReader(value(b, chromedp.CaptureScreenshot())))
	if err != nil {
		b.t.Fatal(err)
	}
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, indexed(full)); err != nil {
		b.t.Fatal(err)
	}
	b.Resize(Desk)
	return small.Bytes()
}

// indexed keeps the 256 colours that a picture uses most, and gives every other pixel the nearest of them.
func indexed(full image.Image) image.Image {
	count := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(full.At(x, y)).(color.RGBA) }
	box := full.Bounds()
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			count[at(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(count[b]-count[a], slices.Compare([]uint8{a.R, a.G, a.B}, []uint8{b.R, b.G, b.B}))
	})
	var palette color.Palette
	for _, c := range colours[:min(256, len(colours))] {
		palette = append(palette, c)
	}
	small := image.NewPaletted(box, palette)
	index := map[color.RGBA]uint8{}
	for c := range count {
		index[c] = uint8(palette.Index(c))
	}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			small.SetColorIndex(x, y, index[at(x, y)])
		}
	}
	return small
}

type violation struct {
	ID     string `json:"id"`
	Impact string `json:"impact"`
	Help   string `json:"help"`
	Nodes  []struct {
		Target  []any  `json:"target"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// maxNodes is how many places of one violation are told; a table repeats the same one in every row.
const maxNodes = 4

// Axe fails the test for every violation of the open page, at the desk's and the telephone's width, and where it is wider
// than the telephone.
func (b *Browser) Axe(name string) {
	b.t.Helper()
	for _, width := range []int64{Desk, Telephone} {
		b.Resize(width)
		Eval[int](b, b.axe+";0")
		found := Eval[string](b, `axe.run(document, {resultTypes: ["violations"]}).then((r) => JSON.stringify(r.violations))`)
		var violations []violation
		if err := json.Unmarshal([]byte(found), &violations); err != nil {
			b.t.Fatalf("axe on %s: %v", name, err)
		}
		for _, v := range violations {
			for i, n := range v.Nodes {
				if i == maxNodes {
					b.t.Errorf("%s at %d px: axe %s: and %d more", name, width, v.ID, len(v.Nodes)-i)
					break
				}
				b.t.Errorf("%s at %d px: axe %s (%s): %s: %v: %s", name, width, v.ID, v.Impact, v.Help, n.Target, n.Summary)
			}
		}
		b.NoSideScroll(name)
	}
	b.Resize(Desk)
}

// NoSideScroll fails the test where the open page is wider than the window, and names what sticks out.
func (b *Browser) NoSideScroll(name string) {
	b.t.Helper()
	wide := Eval[[]string](b, `document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("main *, header *, footer *")]
		.filter((e) => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5)
		.map((e) => e.tagName + "." + (e.getAttribute("class") || "") + " to " + Math.round(e.getBoundingClientRect().right)).concat("page")`)
	if len(wide) > 0 {
		b.t.Errorf("%s: wider than the window: %s", name, strings.Join(wide, "; "))
	}
}

// Check looks at the open page in every way: axe, width, both schemes, and a screenshot of each where $WARDWATCH_SHOTS says
// that somebody looks at them.
func (b *Browser) Check(name string) {
	b.t.Helper()
	for _, s := range []Scheme{Light, Dark} {
		b.Prefer(s)
		b.Axe(name + " (" + string(s) + ")")
		for _, width := range []int64{Desk, Telephone} {
			if os.Getenv("WARDWATCH_SHOTS") == "" {
				break
			}
			b.Screenshot(name+"-"+string(s), width)
		}
	}
	b.Prefer(Light)
	b.Resize(Desk)
}
