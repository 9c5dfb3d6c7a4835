package api_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"wardwatch/edge/api"
	"wardwatch/ward"
)

const draft = `{"severity":"High","title":"A weakness in a gateway","cves":["CVE-2025-4427"],"steps":[{"kind":"Patch","text":"Update."}],"acknowledge_within_hours":24}`

// read decodes an answer that must have the status.
func read[T any](t *testing.T, a answer, status int) (v T) {
	t.Helper()
	if a.status != status {
		t.Fatalf("%d, want %d: %s", a.status, status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return v
}

func TestAnAlertFromDraftToAnswer(t *testing.T) {
	w := open(t, api.Options{})
	got := w.call("analyst", "POST", "/api/v1/alerts", draft)
	a := read[api.Alert](t, got, 201)
	if a.State != ward.Drafted || a.AcknowledgeWithin != 24 || got.header.Get("ETag") != `"1"` {
		t.Fatalf("%+v, ETag %s", a, got.header.Get("ETag"))
	}
	at := "/api/v1/alerts/" + string(a.ID)
	if got := w.call("reader", "GET", at, ""); got.status != 404 {
		t.Errorf("a draft is shown to an organisation: %d", got.status)
	}
	edited := read[api.Alert](t, w.call("analyst", "PUT", at, strings.Replace(draft, "a gateway", "gateways", 1), "If-Match", `"1"`), 200)
	if edited.Version != 2 || !strings.Contains(edited.Title, "gateways") {
		t.Errorf("%+v", edited)
	}
	if p := w.call("analyst", "PUT", at, draft, "If-Match", `"1"`); p.status != 412 || p.problem(t).Type != "urn:wardwatch:problem:conflict" {
		t.Errorf("an edit of an older version: %d %s", p.status, p.body)
	}
	if p := w.call("analyst", "PUT", at, draft); p.status != 428 {
		t.Errorf("an edit without If-Match: %d %s", p.status, p.body)
	}
	for _, bad := range []string{"2", `W/"2"`, `"02"`, `"two"`, "*", `"2", "3"`} {
		if p := w.call("analyst", "PUT", at, draft, "If-Match", bad); p.status != 422 {
			t.Errorf("If-Match %s: %d %s", bad, p.status, p.body)
		}
	}
	if p := w.call("analyst", "POST", at+"/approve", "", "If-Match", `"2"`); p.status != 403 {
		t.Errorf("an analyst approves: %d %s", p.status, p.body)
	}
	approved := read[api.Alert](t, w.call("approver", "POST", at+"/approve", "", "If-Match", `"2"`), 200)
	standings := read[api.Page[api.Standing]](t, w.call("approver", "POST", at+"/preview", `{"organisations":["xz1","XZ2"]}`), 200)
	if len(standings.Items) != 2 {
		t.Errorf("preview %+v", standings)
	}
	done := read[api.PublishedAlert](t, w.call("approver", "POST", at+"/publish", `{"organisations":["XZ2"]}`, "If-Match", fmt.Sprintf("%q", fmt.Sprint(approved.Version))), 200)
	if done.Notified != 1 || done.Alert.State != ward.Published {
		t.Errorf("published %+v", done)
	}

	own := at + "/responses/xz2"
	got = w.call("lead", "GET", own, "")
	r := read[api.Response](t, got, 200)
	if r.State != ward.Unanswered || r.Org != second {
		t.Errorf("%+v", r)
	}
	if p := w.call("reader", "POST", own+"/acknowledge", "", "If-Match", got.header.Get("ETag")); p.status != 403 {
		t.Errorf("a reader acknowledges: %d", p.status)
	}
	got = w.call("lead", "POST", own+"/acknowledge", "", "If-Match", got.header.Get("ETag"))
	if r = read[api.Response](t, got, 200); r.State != ward.InProgress {
		t.Errorf("%+v", r)
	}
	tag := got.header.Get("ETag")
	got = w.call("lead", "POST", own+"/answer", `{"applicability":"yes","words":"we run it"}`, "If-Match", tag)
	read[api.Response](t, got, 200)
	second := w.call("lead", "POST", own+"/answer", `{"applicability":"no","words":"we do not"}`, "If-Match", tag)
	p := second.problem(t)
	if second.status != 412 || !strings.Contains(p.Theirs, "we run it") || !strings.Contains(p.Yours, "we do not") || p.By == "" {
		t.Errorf("two people answer at once: %d %+v", second.status, p)
	}
	history := read[api.Page[api.Entry]](t, w.call("lead", "GET", own+"/history", ""), 200)
	if len(history.Items) < 2 {
		t.Errorf("history %+v", history)
	}
	inbox := read[api.Page[api.Notice]](t, w.call("lead", "GET", "/api/v1/inbox", ""), 200)
	if len(inbox.Items) != 1 || !inbox.Items[0].Read.IsZero() {
		t.Fatalf("inbox %+v", inbox)
	}
	if got := w.call("lead", "POST", fmt.Sprintf("/api/v1/inbox/%d/read", inbox.Items[0].ID), ""); got.status != 204 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if o := read[api.Overview](t, w.call("analyst", "GET", "/api/v1/overview", ""), 200); len(o.Alerts) != 2 || o.StaleFeeds != 1 {
		t.Errorf("%+v", o)
	}
}

func TestBadInput(t *testing.T) {
	w := open(t, api.Options{MostBody: 4096, MostUpload: 100_000})
	const alerts = "/api/v1/alerts"
	imports := "/api/v1/organisations/XZ2/imports?source=defender"
	for _, row := range []struct {
		name, as, method, path, body string
		header                       []string
		want                         int
	}{
		{"malformed JSON", "analyst", "POST", alerts, `{"title": "x"`, nil, 400},
		{"not JSON", "analyst", "POST", alerts, "<alert/>", nil, 400},
		{"wrong content type", "analyst", "POST", alerts, "<alert/>", []string{"Content-Type", "application/xml"}, 415},
		{"form", "analyst", "POST", alerts, "title=x", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		{"empty", "analyst", "POST", alerts, "", nil, 400},
		{"null", "analyst", "POST", alerts, "null", nil, 422},
		{"array", "analyst", "POST", alerts, "[]", nil, 422},
		{"unknown field", "analyst", "POST", alerts, `{"severity":"High","title":"x","approver":"me"}`, nil, 422},
		{"wrong type", "analyst", "POST", alerts, `{"severity":"High","title":7}`, nil, 422},
		{"unheard-of severity", "analyst", "POST", alerts, `{"severity":"Purple","title":"x"}`, nil, 422},
		{"no title", "analyst", "POST", alerts, `{"severity":"High"}`, nil, 422},
		{"long title", "analyst", "POST", alerts, `{"severity":"High","title":"` + strings.Repeat("x", 400) + `"}`, nil, 422},
		{"huge body", "analyst", "POST", alerts, `{"severity":"High","title":"` + strings.Repeat("x", 10_000) + `"}`, nil, 413},
		{"huge body with a key", "analyst", "POST", alerts, strings.Repeat("x", 10_000), []string{"Idempotency-Key", "k1"}, 413},
		{"deep JSON", "analyst", "POST", alerts, strings.Repeat("[", 2000) + strings.Repeat("]", 2000), nil, 422},
		{"bad date", "lead", "POST", "/api/v1/alerts/CC-900001/responses/XZ2/claim", `{"fixed_at":"yesterday"}`, []string{"If-Match", `"1"`}, 422},
		{"long key", "analyst", "POST", alerts, draft, []string{"Idempotency-Key", strings.Repeat("k", 201)}, 422},
		{"binary key", "analyst", "POST", alerts, draft, []string{"Idempotency-Key", "k\x80"}, 422},
		{"unknown parameter", "analyst", "GET", alerts + "?colour=red", "", nil, 422},
		{"limit of nothing", "analyst", "GET", alerts + "?limit=0", "", nil, 422},
		{"limit of too much", "analyst", "GET", alerts + "?limit=501", "", nil, 422},
		{"limit in words", "analyst", "GET", alerts + "?limit=many", "", nil, 422},
		{"made-up cursor", "analyst", "GET", alerts + "?after=%00%ff", "", nil, 422},
		{"cursor of another list", "analyst", "GET", "/api/v1/organisations?after=-1", "", nil, 422},
		{"audit cursor", "analyst", "GET", "/api/v1/audit?after=x", "", nil, 422},
		{"SQL in a filter", "lead", "GET", "/api/v1/findings?org=" + url.QueryEscape("XZ1' OR '1'='1"), "", nil, 200},
		{"no CVE", "analyst", "GET", "/api/v1/vulnerabilities/CVE-x", "", nil, 422},
		{"header in a path", "analyst", "GET", "/api/v1/alerts/CC-1%0d%0aSet-Cookie:%20x=y", "", nil, 404},
		{"negative asset", "analyst", "GET", "/api/v1/assets/-1", "", nil, 422},
		{"asset beyond numbers", "analyst", "GET", "/api/v1/assets/99999999999999999999", "", nil, 422},
		{"traversal", "analyst", "GET", "/api/v1/alerts/..%2f..%2fpeople", "", nil, 404},
		{"import without a source", "lead", "POST", "/api/v1/organisations/XZ2/imports", "x", []string{"Content-Type", "text/csv"}, 422},
		{"import of another's", "lead", "POST", "/api/v1/organisations/XZ1/imports?source=x", "x", []string{"Content-Type", "text/csv"}, 404},
		{"import by a reader", "reader", "POST", imports, "x", []string{"Content-Type", "text/csv"}, 403},
		{"import that is too large", "lead", "POST", imports, strings.Repeat("x", 100_001), []string{"Content-Type", "text/csv"}, 413},
		{"mapping that is no pair", "lead", "POST", imports + "&mapping=asset", "x", []string{"Content-Type", "text/csv"}, 422},
		{"feeds by a lead", "lead", "POST", "/api/v1/feeds/sync", "{}", nil, 403},
		{"feeds from a file", "analyst", "POST", "/api/v1/feeds/sync", `{"from":"/etc/passwd"}`, nil, 422},
		{"a token makes a token", "lead", "POST", "/api/v1/people/me/tokens", `{"name":"x"}`, nil, 403},
		{"a token makes a person", "admin", "POST", "/api/v1/people", `{"name":"x","email":"x@y.example","role":"admin"}`, nil, 403},
		{"a token resets a password", "admin", "POST", "/api/v1/people/me/reset-password", "", nil, 403},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := w.call(row.as, row.method, row.path, row.body, row.header...)
			if got.status != row.want {
				t.Errorf("%d, want %d: %s", got.status, row.want, got.body)
			}
			if got.header.Get("Set-Cookie") != "" {
				t.Errorf("a cookie: %q", got.header)
			}
			if got.status >= 400 {
				got.problem(t)
				if len(got.body) > 3000 {
					t.Errorf("the answer sends %d bytes back", len(got.body))
				}
			}
		})
	}
}

func TestOnce(t *testing.T) {
	w := open(t, api.Options{})
	const alerts = "/api/v1/alerts"
	firstTime := w.call("analyst", "POST", alerts, draft, "Idempotency-Key", "k")
	a := read[api.Alert](t, firstTime, 201)
	again := w.call("analyst", "POST", alerts, draft, "Idempotency-Key", "k")
	if again.status != 201 || again.body != firstTime.body || again.header.Get("ETag") != firstTime.header.Get("ETag") || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("again: %d %s %v", again.status, again.body, again.header)
	}
	if other := w.call("analyst", "POST", alerts, strings.Replace(draft, "High", "Low", 1), "Idempotency-Key", "k"); other.status != 422 || other.problem(t).Type != "urn:wardwatch:problem:key-reused" {
		t.Errorf("another request with the key: %d %s", other.status, other.body)
	}
	if theirs := read[api.Alert](t, w.call("approver", "POST", alerts, draft, "Idempotency-Key", "k"), 201); theirs.ID == a.ID {
		t.Error("another person was given the first one's answer")
	}
	// What failed changed nothing, and may be tried again.
	if bad := w.call("analyst", "POST", alerts, "{}", "Idempotency-Key", "k2"); bad.status != 422 {
		t.Error(bad.status)
	}
	read[api.Alert](t, w.call("analyst", "POST", alerts, draft, "Idempotency-Key", "k2"), 201)

	var wait sync.WaitGroup
	var mu sync.Mutex
	ids := map[string]int{}
	for range 8 {
		wait.Go(func() {
			got := w.call("analyst", "POST", alerts, draft, "Idempotency-Key", "k3")
			mu.Lock()
			defer mu.Unlock()
			if got.status == 201 {
				var a api.Alert
				_ = json.Unmarshal([]byte(got.body), &a)
				ids[string(a.ID)]++
			} else if got.status != 409 {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	wait.Wait()
	if len(ids) != 1 {
		t.Errorf("eight at once made %v", ids)
	}
}

// signedIn is a browser with the session of a person.
func (w *world) signedIn(name string) *http.Client {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	got, err := c.PostForm(w.url+"/in", url.Values{"email": {name + "@hospital.example"}, "password": {password}})
	if err != nil {
		w.t.Fatal(err)
	}
	got.Body.Close()
	if got.StatusCode != http.StatusOK {
		w.t.Fatal(got.StatusCode)
	}
	return c
}

func TestSecretsAreShownOnce(t *testing.T) {
	w := open(t, api.Options{})
	w.client = w.signedIn("admin")
	body := `{"name":"New","email":"n@hospital.example","org":"xz2","role":"reader"}`
	p := read[api.WithPassword](t, w.call("", "POST", "/api/v1/people", body, "Idempotency-Key", "p"), 201)
	if p.OneTimePassword == "" || p.Org != second || !p.MustChange {
		t.Errorf("%+v", p)
	}
	again := w.call("", "POST", "/api/v1/people", body, "Idempotency-Key", "p")
	if again.status != 410 || strings.Contains(again.body, p.OneTimePassword) {
		t.Errorf("again: %d %s", again.status, again.body)
	}
	got := w.call("", "POST", "/api/v1/people/me/tokens", `{"name":"reporting"}`)
	token := read[api.WithSecret](t, got, 201)
	w.tokens["made"] = token.Secret
	w.client = nil
	if got := w.call("made", "GET", "/api/v1/people/me", ""); got.status != 200 {
		t.Errorf("the new token: %d %s", got.status, got.body)
	}
	if list := w.call("made", "GET", "/api/v1/people/me/tokens", ""); strings.Contains(list.body, token.Secret) {
		t.Error("the list shows a secret")
	}
	if got := w.call("made", "DELETE", "/api/v1/people/me/tokens/"+token.ID, ""); got.status != 204 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := w.call("made", "GET", "/api/v1/people/me", ""); got.status != 401 {
		t.Errorf("the ended token: %d", got.status)
	}
}

// TestSessionsPostFromHereOnly: a browser's cookie goes with every request, so a post from another site is refused.
func TestSessionsPostFromHereOnly(t *testing.T) {
	w := open(t, api.Options{})
	w.client = w.signedIn("analyst")
	if got := w.call("", "POST", "/api/v1/alerts", draft, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"); got.status != 403 {
		t.Errorf("%d %s", got.status, got.body)
	}
	read[api.Alert](t, w.call("", "POST", "/api/v1/alerts", draft, "Sec-Fetch-Site", "same-origin"), 201)
}

func TestPagesFollowEachOther(t *testing.T) {
	w := open(t, api.Options{})
	for i := range 5 {
		read[api.Alert](t, w.call("analyst", "POST", "/api/v1/alerts", strings.Replace(draft, "a gateway", fmt.Sprint("gateway ", i), 1)), 201)
	}
	for _, list := range []string{"/api/v1/alerts?limit=2", "/api/v1/organisations?limit=2", "/api/v1/audit?limit=2"} {
		all := read[api.Page[json.RawMessage]](t, w.call("analyst", "GET", strings.Replace(list, "limit=2", "limit=500", 1), ""), 200)
		var seen []string
		for after := ""; ; {
			page := read[api.Page[json.RawMessage]](t, w.call("analyst", "GET", list+"&after="+url.QueryEscape(after), ""), 200)
			if len(page.Items) > 2 {
				t.Fatalf("%s: %d items", list, len(page.Items))
			}
			for _, item := range page.Items {
				seen = append(seen, string(item))
			}
			if after = page.Next; after == "" {
				break
			}
			if len(seen) > 100 {
				t.Fatalf("%s: has no end", list)
			}
		}
		if len(seen) != len(all.Items) || len(slices.Compact(slices.Sorted(slices.Values(seen)))) != len(seen) || len(seen) < 3 {
			t.Errorf("%s: %d items in pages, %d at once", list, len(seen), len(all.Items))
		}
	}
}

func TestExportsHoldNoFormula(t *testing.T) {
	w := open(t, api.Options{})
	lead := ward.Actor{Person: "l", Name: "L", Org: second, Role: ward.Lead, Scope: ward.Only(second)}
	a := w.Publish(second)
	if _, err := w.Ledger.Acknowledge(w.Ctx, lead, a.ID, second, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Ledger.Dispute(w.Ctx, lead, a.ID, second, 2, "=HYPERLINK(\"https://evil.example\")"); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		as, path string
		rows     int
		guarded  int // the organisation's last words are those of its dispute; each of ten assets stands at a site with a formula's name
	}{{"lead", "/api/v1/alerts/" + string(a.ID) + "/responses.csv", 1, 2}, {"first", "/api/v1/exposures.csv", 10, 10}} {
		as, path := row.as, row.path
		got := w.call(as, "GET", path, "")
		if got.status != 200 || !strings.HasPrefix(got.header.Get("Content-Type"), "text/csv") || !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") {
			t.Fatalf("%d %v", got.status, got.header)
		}
		rows, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
		if err != nil || len(rows) != row.rows+1 {
			t.Fatalf("%v: %q", err, got.body)
		}
		guarded := 0
		for _, cell := range slices.Concat(rows...) {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
				t.Errorf("%s: a formula %q", path, cell)
			}
			if strings.HasPrefix(cell, "'=") {
				guarded++
			}
		}
		if guarded != row.guarded {
			t.Errorf("%s: %d cells guarded in %q", path, guarded, got.body)
		}
	}
}

func TestImportIsStreamedHeldAndReleased(t *testing.T) {
	w := open(t, api.Options{MostBody: 1024})
	const imports = "/api/v1/organisations/xz2/imports?source=register&classes=server,appliance&mapping=asset%3DHostname"
	inventory := func(machines int) string {
		rows := "Hostname,vendor,product,version\n"
		for i := range machines {
			rows += fmt.Sprintf("host%d,Ivanti,Endpoint Manager Mobile,12.5.0.%d\n", i, i)
		}
		return rows
	}
	send := func(machines int, at string) answer {
		return w.call("lead", "POST", imports+"&observed_at="+at, inventory(machines), "Content-Type", "text/csv", "Idempotency-Key", "not needed")
	}
	if i := read[api.Import](t, send(100, "2025-05-13T09:00:00Z"), 201); i.Assets != 100 || i.SourceName != "register" || i.Org != second || i.State != ward.ImportApplied {
		t.Errorf("%+v", i)
	}
	if i := read[api.Import](t, send(100, "2025-05-13T09:00:00Z"), 200); i.State != ward.ImportUnchanged {
		t.Errorf("%+v", i)
	}
	held := read[api.Import](t, send(10, "2025-05-13T10:00:00Z"), 202)
	if held.State != ward.ImportHeld || held.AssetsLost != 90 {
		t.Errorf("%+v", held)
	}
	at := fmt.Sprintf("/api/v1/imports/%d/", held.ID)
	if got := w.call("first", "POST", at+"release", ""); got.status != 404 {
		t.Errorf("another organisation releases it: %d %s", got.status, got.body)
	}
	if got := w.call("member", "POST", at+"release", ""); got.status != 403 {
		t.Errorf("a member releases it: %d %s", got.status, got.body)
	}
	if i := read[api.Import](t, w.call("lead", "POST", at+"release", ""), 200); i.State != ward.ImportApplied {
		t.Errorf("%+v", i)
	}
	if got := w.call("lead", "POST", at+"discard", ""); got.status != 409 {
		t.Errorf("discarded after release: %d %s", got.status, got.body)
	}
	found := read[api.Page[api.Asset]](t, w.call("lead", "GET", "/api/v1/assets?software=endpoint&text=host7", ""), 200)
	if len(found.Items) != 1 || found.Items[0].Name != "host7" {
		t.Fatalf("%+v", found)
	}
	detail := read[api.AssetDetail](t, w.call("lead", "GET", fmt.Sprintf("/api/v1/assets/%d", found.Items[0].ID), ""), 200)
	if len(detail.Software) != 1 || detail.Software[0].SeenBy != "register" || detail.Software[0].Software.Version != "12.5.0.7" {
		t.Errorf("%+v", detail)
	}
	if d := read[api.Declaration](t, w.call("lead", "POST", "/api/v1/organisations/XZ2/declarations", `{"product":"Sentry","answer":"no"}`), 201); d.Name != "lead" || d.Expires.IsZero() {
		t.Errorf("%+v", d)
	}
	// Who looked from outside stands in the organisation's record.
	w.call("analyst", "GET", fmt.Sprintf("/api/v1/assets/%d", found.Items[0].ID), "")
	record := read[api.Page[api.AuditEntry]](t, w.call("lead", "GET", "/api/v1/audit", ""), 200)
	if !slices.ContainsFunc(record.Items, func(e api.AuditEntry) bool { return e.Action == "asset.view" && e.Name == "analyst" }) {
		t.Errorf("the record does not say who looked: %+v", record.Items)
	}
}

func TestThePaceIsHeld(t *testing.T) {
	w := open(t, api.Options{Rate: 1, Burst: 3})
	for i := range 3 {
		if got := w.call("lead", "GET", "/api/v1/overview", ""); got.status != 200 {
			t.Fatalf("%d: %d", i, got.status)
		}
	}
	got := w.call("lead", "GET", "/api/v1/overview", "")
	if got.status != 429 || got.header.Get("Retry-After") != "1" {
		t.Errorf("%d %v", got.status, got.header)
	}
	got.problem(t)
	if got := w.call("reader", "GET", "/api/v1/overview", ""); got.status != 200 {
		t.Errorf("another person waits too: %d", got.status)
	}
	w.Clock.Advance(1_000_000_000)
	if got := w.call("lead", "GET", "/api/v1/overview", ""); got.status != 200 {
		t.Errorf("after the wait: %d", got.status)
	}
}

func TestMarkupStaysText(t *testing.T) {
	w := open(t, api.Options{})
	body := strings.Replace(draft, "A weakness in a gateway", `<script>alert(1)</script>`, 1)
	got := w.call("analyst", "POST", "/api/v1/alerts", body)
	a := read[api.Alert](t, got, 201)
	if a.Title != "<script>alert(1)</script>" || got.header.Get("Content-Type") != "application/json" || got.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%q as %v", a.Title, got.header)
	}
}

func TestFeedsKeepTheServersPathsToItself(t *testing.T) {
	w := open(t, api.Options{})
	if got := w.call("reader", "GET", "/api/v1/feeds", ""); strings.Contains(got.body, "/srv") || !strings.Contains(got.body, "could not be read") {
		t.Errorf("%s", got.body)
	}
	if got := w.call("analyst", "GET", "/api/v1/feeds", ""); !strings.Contains(got.body, "/srv/kev") {
		t.Errorf("%s", got.body)
	}
}

func FuzzRequests(f *testing.F) {
	f.Add("POST", "/alerts", draft, `"1"`)
	f.Add("PUT", "/alerts/CC-900002", draft, `"1"`)
	f.Add("POST", "/alerts/CC-900001/responses/XZ2/answer", `{"applicability":"yes"}`, `"9"`)
	f.Add("GET", "/exposures?as_at=2025-05-13T00:00:00Z&open=false", "", "")
	f.Add("POST", "/rulings", `{"cves":["CVE-2025-4427"],"product":"x","versions":["1"],"status":"fixed","reason":"r"}`, "")
	w := open(f, api.Options{})
	f.Fuzz(func(t *testing.T, method, path, body, match string) {
		if r, err := http.NewRequest(method, w.url+"/api/v1"+path, strings.NewReader(body)); err != nil || r.URL.Path == "" || strings.ContainsAny(match, "\r\n\x00") {
			t.Skip()
		}
		got, err := w.try("lead", method, "/api/v1"+path, body, "If-Match", match)
		if err != nil {
			t.Skip() // the client itself refuses to send it
		}
		if got.status >= 500 && got.status != 501 {
			t.Errorf("%d %s", got.status, got.body)
		}
		if strings.Contains(got.body, canary) {
			t.Errorf("shows %s", got.body)
		}
	})
}

func TestOnePersonAwakePublishesAloneOverTheAPI(t *testing.T) {
	w := open(t, api.Options{})
	a := read[api.Alert](t, w.call("approver", "POST", "/api/v1/alerts", draft), 201)
	at := "/api/v1/alerts/" + string(a.ID)
	alone := `{"organisations":["XZ2"],"inform":["XZ1"],"reason":"nobody else is awake"}`
	// A token proves nobody awake.
	if p := w.call("approver", "POST", at+"/publish-alone", alone, "If-Match", `"1"`); p.status != 403 || p.problem(t).Type != "urn:wardwatch:problem:step-up" {
		t.Errorf("by a token: %d %s", p.status, p.body)
	}
	if p := w.call("approver", "POST", "/api/v1/account/confirm", `{"password":"`+password+`"}`); p.status != 403 {
		t.Errorf("a token confirms: %d %s", p.status, p.body)
	}
	w.client = w.signedIn("approver")
	if p := w.call("", "POST", at+"/publish-alone", alone, "If-Match", `"1"`); p.status != 403 {
		t.Errorf("signed in, and nothing proved: %d %s", p.status, p.body)
	}
	if p := w.call("", "POST", "/api/v1/account/confirm", `{"password":"something else"}`); p.status != 422 || p.problem(t).Field != "password" {
		t.Errorf("another password: %d %s", p.status, p.body)
	}
	if p := w.call("", "POST", "/api/v1/account/confirm", `{"password":"`+password+`"}`, "Idempotency-Key", "confirm"); p.status != 204 {
		t.Fatalf("%d %s", p.status, p.body)
	}
	published := read[api.PublishedAlert](t, w.call("", "POST", at+"/publish-alone", alone, "If-Match", `"1"`), 200)
	if e := published.Alert.Emergency; published.Notified != 1 || published.Informed != 1 || e == nil || e.Reason != "nobody else is awake" || !e.SecondAt.IsZero() {
		t.Errorf("%+v", published)
	}
	if owed := read[api.Page[api.Alert]](t, w.call("", "GET", "/api/v1/countersigns", ""), 200); len(owed.Items) != 1 || owed.Items[0].ID != a.ID {
		t.Errorf("%+v", owed)
	}
	if p := w.call("", "POST", at+"/countersign", "", "If-Match", `"2"`); p.status != 403 {
		t.Errorf("the same person signs: %d %s", p.status, p.body)
	}
	w.client = nil
	if who := read[api.Audience](t, w.call("lead", "GET", at+"/audience", ""), 200); len(who.Organisations) != 1 || len(who.Inform) != 0 {
		t.Errorf("an organisation reads of others: %+v", who)
	}
	if p := w.call("lead", "GET", "/api/v1/countersigns", ""); p.status != 200 || strings.Contains(p.body, string(a.ID)) {
		t.Errorf("%d %s", p.status, p.body)
	}
}

func TestARevisionOverTheAPI(t *testing.T) {
	w := open(t, api.Options{})
	at := "/api/v1/alerts/" + string(w.alert.ID)
	// One waits already: another is a conflict that shows it.
	words := `{"material":true,"why":"a fix","words":` + strings.Replace(draft, `"acknowledge_within_hours":24`, `"exercise":true`, 1) + `}`
	if p := w.call("analyst", "POST", at+"/revision", words, "If-Match", `"4"`); p.status != 412 || p.problem(t).Theirs == "" {
		t.Errorf("%d %s", p.status, p.body)
	}
	got := w.call("analyst", "GET", at+"/revision", "")
	waiting := read[api.Revision](t, got, 200)
	if proposal := read[api.Proposal](t, w.call("analyst", "POST", at+"/revision/proposal", strings.Replace(draft, `"acknowledge_within_hours":24`, `"exercise":true`, 1)), 200); !proposal.Material {
		t.Errorf("%+v", proposal)
	}
	edited := w.call("analyst", "PUT", at+"/revision", words, "If-Match", got.header.Get("ETag"))
	if r := read[api.Revision](t, edited, 200); !r.Change.Material || r.Version == waiting.Version {
		t.Errorf("%+v", r)
	}
	if p := w.call("approver", "POST", at+"/revision/approve", "", "If-Match", got.header.Get("ETag")); p.status != 412 {
		t.Errorf("approved as it was: %d %s", p.status, p.body)
	}
	issued := read[api.Alert](t, w.call("approver", "POST", at+"/revision/approve", "", "If-Match", edited.header.Get("ETag")), 200)
	if issued.Edition != 3 || issued.Change == nil || issued.Change.By != "analyst" || issued.Change.Approver != "approver" {
		t.Errorf("%+v", issued)
	}
	changes := read[api.Page[api.FieldChange]](t, w.call("first", "GET", at+"/compare?from=4&to=5", ""), 200)
	if len(changes.Items) == 0 || len(changes.Items[0].Words) == 0 {
		t.Errorf("%+v", changes)
	}
	if p := w.call("analyst", "DELETE", at+"/revision", "", "If-Match", edited.header.Get("ETag")); p.status != 404 {
		t.Errorf("%d %s", p.status, p.body)
	}
	if p := w.call("approver", "POST", at+"/withdraw", `{"reason":"it was a mistake"}`, "If-Match", `"5"`); read[api.Alert](t, p, 200).EndWhy != "it was a mistake" {
		t.Errorf("%s", p.body)
	}
}
