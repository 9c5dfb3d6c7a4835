package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"wardwatch/ward"
)

// Hints tells browsers which topics changed, so that the parts of a page that show them fetch themselves again. A hint
// carries no facts: what a reader may see is decided when the page is fetched. A lost hint costs one poll.
type Hints struct {
	// Beat is how often a quiet stream says that it lives; default 20 s, less than what proxies cut.
	Beat time.Duration

	mu      sync.Mutex
	readers map[chan ward.Hint]func(ward.Hint) bool
}

// hintBacklog is how many hints a slow reader may owe; more are dropped.
const hintBacklog = 32

// Send tells every reader whose filter lets the hint through. It never waits.
func (h *Hints) Send(hint ward.Hint) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch, wants := range h.readers {
		if wants != nil && !wants(hint) {
			continue
		}
		select {
		case ch <- hint:
		default:
		}
	}
}

// Serve streams the topics until the reader leaves or ctx, the server's own, ends. wants nil means every topic.
func (h *Hints) Serve(ctx context.Context, w http.ResponseWriter, r *http.Request, wants func(ward.Hint) bool) {
	ch := make(chan ward.Hint, hintBacklog)
	h.mu.Lock()
	if h.readers == nil {
		h.readers = map[chan ward.Hint]func(ward.Hint) bool{}
	}
	h.readers[ch] = wants
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.readers, ch)
		h.mu.Unlock()
	}()

	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(w)
	write := func(s string) bool {
		if _, err := fmt.Fprint(w, s); err != nil {
			return false
		}
		return out.Flush() == nil
	}
	_ = out.SetWriteDeadline(time.Time{}) // the stream outlives the server's write timeout; not every writer has one
	if !write("retry: 3000\n\n") {
		return
	}
	beat := h.Beat
	if beat <= 0 {
		beat = 20 * time.Second
	}
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.Context().Done():
			return
		case <-tick.C:
			if !write(": alive\n\n") {
				return
			}
		case hint := <-ch:
			if !write("data: " + strings.NewReplacer("\n", " ", "\r", " ").Replace(hint.Topic) + "\n\n") {
				return
			}
		}
	}
}
