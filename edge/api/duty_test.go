package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"wardwatch/edge/api"
	"wardwatch/test/ground"
)

// TestTheDesk takes one item through everything that can happen to it, by program.
func TestTheDesk(t *testing.T) {
	w := open(t, api.Options{})
	item := fmt.Sprintf("/api/v1/desk/items/held:%d", w.held)
	later := ground.Day0.Add(3 * time.Hour).Format(time.RFC3339)
	for _, row := range []struct {
		as, method, path, body string
		status                 int
		want                   string
	}{
		{"analyst", "GET", "/api/v1/desk/items", "", 200, `"kind":"held"`},
		{"analyst", "GET", "/api/v1/desk/items?kind=gossip", "", 422, "kind"},
		{"analyst", "GET", "/api/v1/desk/items?after=zz", "", 422, "cursor"},
		{"analyst", "GET", "/api/v1/desk/counts", "", 200, `"held":1`},
		{"analyst", "POST", item + "/take", "", 200, `"owner":"analyst"`},
		{"approver", "POST", item + "/take", "", 409, "analyst"},
		{"approver", "POST", item + "/take-over", `{"words":"she went home"}`, 200, `"owner":"approver"`},
		{"approver", "POST", item + "/take-over", `{}`, 422, "words"},
		{"analyst", "POST", item + "/release", `{}`, 409, "approver"},
		{"approver", "POST", item + "/release", `{"words":"to the day shift"}`, 200, `"title"`},
		{"approver", "POST", item + "/release", `{}`, 409, ""},
		{"analyst", "POST", item + "/snooze", `{"until":"` + later + `","words":"they call back"}`, 200, `"until"`},
		{"analyst", "POST", item + "/snooze", `{"until":"1999-01-01T00:00:00Z"}`, 422, "until"},
		{"analyst", "GET", "/api/v1/desk/items?set_aside=true", "", 200, `"they call back"`},
		{"analyst", "POST", item + "/wake", "", 200, `"title"`},
		{"analyst", "POST", item + "/done", `{"words":"asked the hospital"}`, 200, `"set_aside_by":"analyst"`},
		{"first", "GET", item, "", 200, `"kind":"held"`}, // a desk decides nothing for another
		{"first", "POST", "/api/v1/desk/take", `{}`, 422, "ids"},
		{"first", "POST", "/api/v1/desk/take", `{"all":true,"kind":"held"}`, 200, `"changed":1`},
		{"first", "POST", "/api/v1/desk/release", `{"ids":["held:999"]}`, 200, `"does not wait any more"`},
		{"first", "POST", "/api/v1/desk/log", `{"words":"we look into it"}`, 201, `"written":true`},
		{"first", "POST", "/api/v1/desk/log", `{"words":""}`, 422, "words"},
		{"first", "GET", "/api/v1/desk/log?written=true", "", 200, "we look into it"},
		{"first", "GET", "/api/v1/desk/log?since=yesterday", "", 422, "since"},
		{"first", "GET", "/api/v1/desk/handover?hours=12", "", 200, `"coming"`},
		{"first", "GET", "/api/v1/desk/handover?hours=9999", "", 422, "hours"},
		{"first", "POST", "/api/v1/desk/handover", `{"words":"quiet"}`, 201, "gave back 1"},
		{"first", "POST", "/api/v1/desk/views", `{"title":"held","path":"/desk","query":"kind=held"}`, 201, `"query":"kind=held"`},
		{"first", "POST", "/api/v1/desk/views", `{"title":"held","path":"//evil.example"}`, 422, "path"},
		{"lead", "DELETE", "/api/v1/desk/views/2", "", 404, ""},
		{"first", "DELETE", "/api/v1/desk/views/x", "", 404, ""},
		{"first", "DELETE", "/api/v1/desk/views/2", "", 204, ""},
		{"first", "GET", "/api/v1/search?q=title", "", 200, `"` + string(w.alert.ID) + `"`},
		{"first", "GET", "/api/v1/search?q=a", "", 422, "short"},
		{"reader", "POST", item + "/take", "", 403, ""},
		{"lead", "POST", item + "/take", "", 404, ""},
		{"admin", "GET", "/api/v1/desk/items", "", 403, ""},
	} {
		got := w.call(row.as, row.method, row.path, row.body)
		if got.status != row.status || !strings.Contains(got.body, row.want) {
			t.Errorf("%s %s %s %s: %d %s, want %d with %q", row.as, row.method, row.path, row.body, got.status, got.body, row.status, row.want)
		}
		if got.status >= 400 {
			got.problem(t)
		}
	}
	if got := w.call("reader", http.MethodGet, "/api/v1/desk/items", ""); got.status != 200 || strings.Contains(got.body, "held:") {
		t.Errorf("%d %s", got.status, got.body)
	}
}
