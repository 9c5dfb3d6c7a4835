package api_test

import (
	"net/http"
	"strings"
	"testing"

	"wardwatch/edge/api"
)

// TestNamesAreJoinedAndTakenApart by the national desk alone; everybody may read what is joined, and only one's own changes.
func TestNamesAreJoinedAndTakenApart(t *testing.T) {
	w := open(t, api.Options{})
	const body = `{"vendor":"Ivanti","product":"Endpoint Manager Mobile","other_vendor":"Harbour Systems","other_product":"Ward Gateway","reason":"sold under that name"}`
	for _, as := range []string{"lead", "member", "reader", "admin"} {
		if got := w.call(as, http.MethodPost, "/api/v1/aliases", body); got.status != http.StatusForbidden {
			t.Errorf("%s joins names: %d %s", as, got.status, got.body)
		}
	}
	made := read[api.Alias](t, w.call("analyst", http.MethodPost, "/api/v1/aliases", body), http.StatusCreated)
	if made.ID == "" || made.By != "analyst" || !made.Undone.IsZero() {
		t.Errorf("%+v", made)
	}
	if got := w.call("analyst", http.MethodPost, "/api/v1/aliases", body); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.problem(t).Detail+got.body, "already") {
		t.Errorf("the same again: %d %s", got.status, got.body)
	}
	if got := w.call("lead", http.MethodPost, "/api/v1/aliases/"+made.ID+"/undo", ""); got.status != http.StatusForbidden {
		t.Errorf("a lead undoes: %d", got.status)
	}
	undone := read[api.Alias](t, w.call("analyst", http.MethodPost, "/api/v1/aliases/"+made.ID+"/undo", ""), http.StatusOK)
	if undone.Undone.IsZero() || undone.UndoneBy != "analyst" {
		t.Errorf("%+v", undone)
	}
	if got := w.call("analyst", http.MethodPost, "/api/v1/aliases/"+made.ID+"/undo", ""); got.status != http.StatusConflict {
		t.Errorf("undone twice: %d %s", got.status, got.body)
	}
	if all := read[api.Page[api.Alias]](t, w.call("reader", http.MethodGet, "/api/v1/aliases", ""), http.StatusOK); len(all.Items) != 1 {
		t.Errorf("%+v", all)
	}
	for as, want := range map[string]bool{"first": true, "analyst": true, "lead": false} {
		got := read[api.Page[api.VerdictChange]](t, w.call(as, http.MethodGet, "/api/v1/changes?cve="+string(cve), ""), http.StatusOK)
		if len(got.Items) > 0 != want {
			t.Errorf("%s reads %+v", as, got.Items)
		}
	}
	if got := w.call("lead", http.MethodPost, "/api/v1/feeds/kev/release", ""); got.status != http.StatusForbidden {
		t.Errorf("a lead releases a list: %d", got.status)
	}
	if got := w.call("admin", http.MethodPost, "/api/v1/feeds/kev/discard", ""); got.status != http.StatusNoContent {
		t.Errorf("an administrator discards a list: %d %s", got.status, got.body)
	}
}
