package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed static
var staticFiles embed.FS

// StaticPath is where Static must be mounted.
const StaticPath = "/static/"

// asset is one file that a browser may keep for ever, because its address changes with its content.
type asset struct {
	kind  string // Content-Type
	plain []byte
	small []byte // gzip; nil when it saves nothing
}

// assets holds every file by its address; addresses holds the address by the file's name.
type assets struct {
	files     map[string]asset
	addresses map[string]string
}

func loadAssets(theme []byte) (*assets, error) {
	a := &assets{files: map[string]asset{}, addresses: map[string]string{}}
	if err := a.add("theme.css", theme); err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(staticFiles, "static")
	if err != nil {
		return nil, fmt.Errorf("edge/web: static files: %w", err)
	}
	for _, e := range entries {
		body, err := fs.ReadFile(staticFiles, "static/"+e.Name())
		if err != nil {
			return nil, fmt.Errorf("edge/web: static file %q: %w", e.Name(), err)
		}
		if err := a.add(e.Name(), body); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *assets) add(name string, body []byte) error {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	address := StaticPath + strings.TrimSuffix(name, ext) + "-" + hex.EncodeToString(sum[:6]) + ext
	kind := mime.TypeByExtension(ext)
	switch ext { // the host's mime table must not decide what a strict browser refuses
	case ".css":
		kind = "text/css; charset=utf-8"
	case ".js":
		kind = "text/javascript; charset=utf-8"
	case ".svg":
		kind = "image/svg+xml"
	case ".txt":
		kind = "text/plain; charset=utf-8"
	}
	if kind == "" {
		return fmt.Errorf("edge/web: static file %q: no content type for %q", name, ext)
	}
	var small bytes.Buffer
	zip, err := gzip.NewWriterLevel(&small, gzip.BestCompression)
	if err != nil {
		return fmt.Errorf("edge/web: static file %q: %w", name, err)
	}
	if _, err := zip.Write(body); err != nil {
		return fmt.Errorf("edge/web: static file %q: %w", name, err)
	}
	if err := zip.Close(); err != nil {
		return fmt.Errorf("edge/web: static file %q: %w", name, err)
	}
	f := asset{kind: kind, plain: body}
	if small.Len() < len(body) {
		f.small = small.Bytes()
	}
	a.files[address] = f
	a.addresses[name] = address
	return nil
}

// address is the template function that turns a file's name into its address of today.
func (a *assets) address(name string) (string, error) {
	at, ok := a.addresses[name]
	if !ok {
		return "", fmt.Errorf("no static file %q", name)
	}
	return at, nil
}

func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	body := f.plain
	if f.small != nil {
		h.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			h.Set("Content-Encoding", "gzip")
			body = f.small
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body)
	}
}

// acceptsGzip reads Accept-Encoding; "gzip;q=0" is a refusal.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		q, found := strings.CutPrefix(strings.TrimSpace(params), "q=")
		if !found {
			return true
		}
		weight, err := strconv.ParseFloat(q, 64)
		return err == nil && weight > 0
	}
	return false
}
