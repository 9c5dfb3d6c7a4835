package lookback_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wardwatch/test/serving"
)

// TestItWasSeenElevenDaysBeforeWeKnew: events of the last month are in the archive, some came a moment ago; then an address becomes known.
// What is said of it counts every event once, wherever the server was killed, and what came after too.
func TestItWasSeenElevenDaysBeforeWeKnew(t *testing.T) {
	folder := t.TempDir()
	list := filepath.Join(folder, "known.txt")
	write := func(values ...string) {
		t.Helper()
		if err := os.WriteFile(list, []byte(strings.Join(values, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	known := []string{"198.51.100.200"}
	write(known...)
	s := serving.New(t, folder, "ingest: {http: {listen: '127.0.0.1:0'}}\narchive: {cut_after: 500ms}\ndetect: {indicators: ["+list+"]}\n")
	line := func(at time.Time, address string, n int) string {
		return fmt.Sprintf("<38>1 %s gate.example sshd %d - - Failed password for root from %s port 22 ssh2\n", at.UTC().Format(time.RFC3339), n, address)
	}
	const rounds, days = 3, 11
	address := func(round int) string { return fmt.Sprintf("203.0.113.%d", 10+round) }
	var old strings.Builder
	began := time.Now()
	for day := range days {
		for round := range rounds {
			old.WriteString(line(began.Add(-time.Duration(day+1)*24*time.Hour-time.Hour), address(round), day))
		}
	}
	file := filepath.Join(folder, "old.log")
	if err := os.WriteFile(file, []byte(old.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Run("archive", "import", "--org", "ZZ1", file)
	token := s.Token("ZZ1")
	s.Start()
	send := func(text string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.Ears["http"]+"/v1/events?format=syslog", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatal(answer.Status)
		}
	}
	type seen struct {
		Indicator      string
		Count          int
		First, Noticed time.Time
	}
	said := func(value string) (one seen) {
		t.Helper()
		out := s.Run("detections", "--json")
		var all []seen
		if err := json.Unmarshal(out, &all); err != nil {
			for l := range strings.Lines(string(out)) {
				var d seen
				if err := json.Unmarshal([]byte(l), &d); err != nil {
					t.Fatalf("%v: %.300s", err, out)
				}
				all = append(all, d)
			}
		}
		for _, d := range all {
			if d.Indicator == "address "+value {
				return d
			}
		}
		return one
	}
	for round := range rounds {
		send(line(time.Now(), address(round), 1) + line(time.Now(), address(round), 2)) // before anybody knows
		known = append(known, address(round))
		write(known...)
		if round > 0 {
			time.Sleep(time.Duration(3+round) * time.Second) // the file is read, the look-back has begun, or is over
			s.Stop(syscall.SIGKILL)
			s.Start()
		}
		want := days + 2
		var got seen
		for range 60 {
			if got = said(address(round)); got.Count >= want {
				break
			}
			time.Sleep(500 * time.Millisecond)
		}
		if got.Count != want || got.Noticed.Sub(got.First) < days*24*time.Hour || got.Noticed.Before(began) {
			t.Fatalf("round %d: %+v, want %d events", round, got, want)
		}
		send(line(time.Now(), address(round), 3)) // seen as it comes
		for range 20 {
			if got = said(address(round)); got.Count > want {
				break
			}
			time.Sleep(500 * time.Millisecond)
		}
		if got.Count != want+1 {
			t.Fatalf("round %d, live: %+v", round, got)
		}
	}
}
