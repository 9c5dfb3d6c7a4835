package demo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/app/demo"
	"wardwatch/config"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

func options(t *testing.T) demo.Options {
	c := config.Default()
	c.Data, c.Listen = "", "127.0.0.1:0"
	return demo.Options{Config: c, Out: io.Discard, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))}
}

// What the product should make of the story, in the terms of the people in it.
func TestTheStoryOfMay2025(t *testing.T) {
	got, err := demo.Play(t.Context(), options(t))
	if err != nil {
		t.Fatal(err)
	}
	if got.Organisations != 12 || got.Assets < 100 {
		t.Errorf("%d organisations with %d assets", got.Organisations, got.Assets)
	}
	if want := []ward.OrgID{"XZ1A", "XZ2B", "XZ3C"}; !slices.Equal(got.Exposed, want) {
		t.Errorf("exposed %v, want %v", got.Exposed, want)
	}
	if want := []ward.OrgID{"XZ4D", "XZ5E"}; !slices.Equal(got.NotKnown, want) {
		t.Errorf("not known %v, want %v", got.NotKnown, want)
	}
	if got.Alert.ThreatID != "CC-900001" || got.Alert.Severity != ward.High || got.Alert.Notified != 12 {
		t.Errorf("alert %+v", got.Alert)
	}
	for org, want := range map[ward.OrgID]ward.ProofResult{
		"XZ1A": ward.Confirmed, "XZ2B": ward.Confirmed, "XZ4D": ward.Awaiting,
	} {
		if proof := got.Responses[org].Proof; proof == nil || *proof != want {
			t.Errorf("%s: proof %v, want %s", org, proof, want)
		}
	}
	if proof := got.Responses["XZ3C"].Proof; proof != nil {
		t.Errorf("XZ3C: proof %s after the desk upheld its dispute", *proof)
	}
	for org, answer := range got.Responses {
		if answer.State != ward.ClosedAnswer {
			t.Errorf("%s is %s at the end", org, answer.State)
		}
	}
	if got.Contradicted != 1 || got.Overdue != 1 {
		t.Errorf("%d contradicted and %d overdue at any time, want one of each", got.Contradicted, got.Overdue)
	}
	if got.ToAlert != 18*60 {
		t.Errorf("%d seconds from advisory to alert, want 18 minutes", got.ToAlert)
	}
	line, err := json.Marshal(got)
	if err != nil || bytes.ContainsRune(line, '\n') {
		t.Errorf("the result is not one line of JSON: %v", err)
	}
}

func TestADemoNeverTakesOverADatabase(t *testing.T) {
	o := options(t)
	o.Config.Data = t.TempDir()
	kept, err := store.Open(t.Context(), o.Config.Data)
	if err != nil {
		t.Fatal(err)
	}
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := demo.Play(t.Context(), o); err == nil || !strings.Contains(err.Error(), "already holds a database") {
		t.Errorf("a demo in the directory of a database: %v", err)
	}
}

// patience is how long the server may take to set its scene under the race detector, on a machine that does more than this.
const patience = 5 * time.Minute

// output is a writer that a test may read while a server writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func TestServeSaysWhereAndWho(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	out := &output{}
	o := options(t)
	o.Out, o.Pace = out, time.Millisecond
	o.Config.Data = filepath.Join(t.TempDir(), "data")
	ended := make(chan error, 1)
	go func() { ended <- demo.Serve(ctx, o) }()
	var address string
	for deadline := time.Now().Add(patience); address == ""; time.Sleep(10 * time.Millisecond) {
		if _, rest, found := strings.Cut(out.String(), "The demo is at "); found && strings.Contains(rest, "leon.garth") {
			address, _, _ = strings.Cut(rest, " ")
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing was served: %s", out)
		}
	}
	response, err := http.Get(address + "/sign-in")
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil || response.StatusCode != http.StatusOK || !bytes.Contains(page, []byte("EXERCISE")) || !bytes.Contains(page, []byte("nadia.frost@watch.example")) {
		t.Errorf("sign-in page: %d %v\n%.400s", response.StatusCode, err, page)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the demo did not end in order: %v", err)
	}
}
