package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"wardwatch/edge/api"
)

func TestAHuntIsAskedForOnceAndCancelled(t *testing.T) {
	w := open(t, api.Options{})
	ask := func(as, body string, header ...string) (api.Hunt, answer) {
		got := w.call(as, http.MethodPost, "/api/v1/hunts", body, append(header, "Content-Type", "application/json")...)
		var h api.Hunt
		if got.status == http.StatusCreated {
			if err := json.Unmarshal([]byte(got.body), &h); err != nil {
				t.Fatal(err)
			}
		}
		return h, got
	}
	body := `{"indicators":["203.0.113.7","hxxp://files[.]attacker[.]example/x"],"since":"2025-05-13T00:00:00Z"}`
	one, got := ask("lead", body, "Idempotency-Key", "k1")
	if got.status != http.StatusCreated || one.State != "waiting" || !strings.HasPrefix(one.Words, "address 203.0.113.7, url ") || fmt.Sprint(one.Orgs) != "[XZ2]" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if again, _ := ask("lead", body, "Idempotency-Key", "k1"); again.ID != one.ID {
		t.Errorf("the same request made hunt %d beside %d", again.ID, one.ID)
	}
	for _, row := range []struct {
		as, body string
		status   int
	}{
		{"analyst", `{"query":"user=jane and not host=srv1","organisations":["XZ1"]}`, 201},
		{"lead", `{"query":"user=jane","organisations":["XZ1"]}`, 404},
		{"lead", `{"query":"(user=jane"}`, 422},
		{"lead", `{"indicators":["no such thing"]}`, 422},
		{"lead", `{}`, 422},
		{"lead", `{"query":"user=jane","indicators":["203.0.113.7"]}`, 422},
		{"member", `{"query":"user=jane"}`, 403},
		{"reader", `{"query":"user=jane"}`, 403},
		{"admin", `{"query":"user=jane"}`, 403},
	} {
		if _, got := ask(row.as, row.body); got.status != row.status {
			t.Errorf("%s %s: %d %s", row.as, row.body, got.status, got.body)
		}
	}
	path := fmt.Sprintf("/api/v1/hunts/%d", one.ID)
	if got := w.call("lead", http.MethodDelete, path, ""); got.status != http.StatusNoContent {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := w.call("lead", http.MethodGet, path, ""); !strings.Contains(got.body, `"state":"cancelled"`) {
		t.Errorf("%s", got.body)
	}
	if got := w.call("first", http.MethodGet, fmt.Sprintf("/api/v1/hunts/%d/hits.csv", w.hunt), ""); !strings.Contains(got.body, "'="+canary) || strings.Contains(got.body, ",="+canary) {
		t.Errorf("a spreadsheet would run it: %s", got.body)
	}
	before := w.call("first", http.MethodGet, "/api/v1/organisations/XZ1/views", "").body
	w.call("analyst", http.MethodGet, fmt.Sprintf("/api/v1/hunts/%d/hits", w.hunt), "")
	if after := w.call("first", http.MethodGet, "/api/v1/organisations/XZ1/views", "").body; after == before || !strings.Contains(after, "events") {
		t.Errorf("the organisation does not see that its events were read: %s", after)
	}
}
