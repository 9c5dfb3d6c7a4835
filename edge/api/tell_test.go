package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"wardwatch/edge/api"
	"wardwatch/ward"
)

func TestAContactAndWhatBecomesOfItsMessages(t *testing.T) {
	w := open(t, api.Options{})
	const words = `{"name":"=HYPERLINK(\"https://evil.example\")","kind":"person","hours":"Mon-Fri 08:00-18:00","rungs":["contact","lead"],
		"addresses":[{"channel":"email","to":"pat@hospital.example"},{"channel":"voice","to":"01632 960002"},{"channel":"webhook","to":"https://hooks.example/secret-path"}]}`
	got := w.call("lead", "POST", "/api/v1/contacts", words)
	c := read[api.Contact](t, got, 201)
	if c.Org != second || c.Version != 1 || c.Addresses[2].To != "https://hooks.example/secret-path" || got.header.Get("ETag") != `"1"` {
		t.Fatalf("%+v", c)
	}
	own := fmt.Sprintf("/api/v1/contacts/%d", c.ID)
	// A reader of the organisation sees that there is a webhook, and not the address that holds the right to post.
	if seen := read[api.Contact](t, w.call("reader", "GET", own, ""), 200); seen.Addresses[2].To != "hooks.example" {
		t.Errorf("%+v", seen)
	}
	if got := w.call("reader", "POST", "/api/v1/contacts", words); got.status != 403 {
		t.Errorf("a reader adds a contact: %d", got.status)
	}
	hooks := read[api.Page[api.Hook]](t, w.call("lead", "GET", own+"/webhooks", ""), 200)
	if len(hooks.Items) != 1 || !strings.HasPrefix(hooks.Items[0].Secret, "whsec_") {
		t.Errorf("%+v", hooks)
	}
	if got := w.call("reader", "GET", own+"/webhooks", ""); got.status != 403 {
		t.Errorf("a reader reads the secret: %d", got.status)
	}
	changed := strings.Replace(words, "Mon-Fri", "daily", 1)
	if got := w.call("lead", "PUT", own, changed); got.status != 428 {
		t.Errorf("without If-Match: %d", got.status)
	}
	if c = read[api.Contact](t, w.call("lead", "PUT", own, changed, "If-Match", `"1"`), 200); c.Version != 2 || c.Hours != "daily 08:00-18:00" {
		t.Errorf("%+v", c)
	}
	if got := w.call("lead", "PUT", own, words, "If-Match", `"1"`); got.status != 412 {
		t.Errorf("an old version: %d %s", got.status, got.body)
	}
	for _, bad := range []string{"8 till late", "Mon 08:00-08:00"} {
		text, err := json.Marshal(bad)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.call("lead", "PUT", own, strings.Replace(words, `"Mon-Fri 08:00-18:00"`, string(text), 1), "If-Match", `"2"`); got.status != 422 || !strings.Contains(got.body, "hours") {
			t.Errorf("%q: %d %s", bad, got.status, got.body)
		}
	}
	list := w.call("lead", "GET", "/api/v1/call-list.csv", "")
	if list.status != 200 || !strings.Contains(list.body, "'=HYPERLINK") || strings.Contains(list.body, `,=`) || strings.Contains(list.body, `,"=`) {
		t.Errorf("%d %s", list.status, list.body)
	}
	to := read[api.Page[api.Recipient]](t, w.call("lead", "GET", "/api/v1/recipients?severity=High", ""), 200)
	if len(to.Items) != 1 || to.Items[0].Channel != ward.Email {
		t.Errorf("%+v", to.Items)
	}
	if n := read[api.Tested](t, w.call("lead", "POST", "/api/v1/contact-tests", ""), 200); n.Contacts != 1 {
		t.Errorf("%+v", n)
	}
	if sent := read[api.Page[api.Delivery]](t, w.call("lead", "GET", "/api/v1/deliveries?org=XZ2", ""), 200); len(sent.Items) != 1 || sent.Items[0].State != ward.DeliveryQueued {
		t.Errorf("%+v", sent)
	}
	if told := read[api.Delivered](t, w.call("analyst", "GET", "/api/v1/alerts/"+string(w.alert.ID)+"/delivered", ""), 200); told.Organisations != 1 || told.Words == "" {
		t.Errorf("%+v", told)
	}
	turns := fmt.Sprintf(`{"rung":"executive","contacts":[%d],"from":"2025-05-13T09:00:00Z","days":7,"turns":2}`, c.ID)
	if rota := read[api.Page[api.Shift]](t, w.call("lead", "POST", "/api/v1/rota", turns), 200); len(rota.Items) != 2 {
		t.Errorf("%+v", rota)
	}
	if got := w.call("lead", "DELETE", own, ""); got.status != 204 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if sent := read[api.Page[api.Delivery]](t, w.call("lead", "GET", "/api/v1/deliveries?org=XZ2", ""), 200); sent.Items[0].State != ward.DeliveryFailed {
		t.Errorf("what waited for a contact that is gone: %+v", sent)
	}
}
