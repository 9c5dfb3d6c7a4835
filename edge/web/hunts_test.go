package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"wardwatch/keep/store"
	"wardwatch/test/browser"
	"wardwatch/test/ground"
	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/archive/hunts"
	"wardwatch/watch/detect"
	"wardwatch/watch/detect/indicators"
)

func huntsDesk(s *store.Store, clock ward.Clock) *hunts.Desk {
	return hunts.New(hunts.Options{Store: s, Clock: clock, Query: func(sought ward.Sought) (watch.Query, error) {
		if sought.Query != "" {
			return detect.ParseFieldQuery(sought.Query, clock)
		}
		return indicators.NewQuery(sought.Indicators, clock)
	}})
}

// hunted asks for a hunt, which has found what the words say in five days of events and goes on.
func (h *hospital) hunted(who ward.Actor, query string, source, raw string) ward.HuntID {
	h.t.Helper()
	hunt, err := h.hunts.Ask(h.ctx, who, hunts.Question{For: ward.Sought{Query: query}, Since: ground.Day0.AddDate(0, 0, -7)})
	if err != nil {
		h.t.Fatal(err)
	}
	hunt.State, hunt.Started, hunt.Blocks, hunt.Done, hunt.Unread, hunt.Events, hunt.Read, hunt.Hits = ward.HuntRunning, h.clock.Now(), 12, 5, 1, 4_000_000, 41_200, 10
	err = h.store.Update(h.ctx, func(tx *store.Tx) error {
		for n := range int64(60) {
			hit := ward.HuntHit{
				Number: n + 1, Org: "XZ1A", At: ground.Day0.Add(-time.Duration(n) * time.Hour), Kind: "query", Value: query, Field: "CommandLine", Source: source, Record: n + 1,
				Host: "gate.example", Raw: raw, Cut: n == 0,
			}
			if err := tx.AddHuntHit(h.ctx, hunt.ID, hit); err != nil {
				return err
			}
			hunt.Kept++
		}
		for n := range 5 {
			day := ward.HuntDay{Org: "XZ1A", Day: ground.Day0.AddDate(0, 0, -n).Truncate(24 * time.Hour), Blocks: 1, Unread: n / 4, Events: 800_000, Read: 8_240, Hits: int64(n)}
			if err := tx.AddHuntDay(h.ctx, hunt.ID, day); err != nil {
				return err
			}
		}
		_, err := tx.SaveHunt(h.ctx, hunt)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return hunt.ID
}

const hostileEvent = "<script>alert('x')</script> \x1b[31m \u202egnp.exe <b>bold</b> &amp; =cmd|' /C calc'!A0"

func TestAHuntByItsPages(t *testing.T) {
	h := openHospital(t)
	lead := h.visit("lead@saltmarsh.example")
	id := h.hunted(rosa, "CommandLine~"+`"<script>alert"`, hostileEvent, hostileEvent)
	path := fmt.Sprintf("/hunts/%d", id)
	for _, p := range []string{"/hunts", path} {
		body := lead.see(p)
		if strings.Contains(body, "<script>alert") || strings.Contains(body, "<b>bold") || strings.ContainsAny(body, "\x1b\u202e") {
			t.Errorf("%s: what an attacker wrote is more than text", p)
		}
	}
	body := lead.see(path)
	for _, want := range []string{
		"Seen 10 times so far, in 5 of 12 blocks", "4,000,000 events of 1 organisation", "1 block could not be read", `\u202egnp.exe`, "1 to 25 of 60", "cut here", "Cancel this hunt",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if status, file := lead.get(path + "/hits.csv"); status != http.StatusOK || strings.Count(file, "\r\n") != 61 || !strings.Contains(file, "<script>") {
		t.Errorf("%d %.300s", status, file)
	}
	// By its form: many indicators, a query, and what is neither.
	for _, row := range []struct {
		text, says string
		status     int
	}{
		{"203.0.113.7\nhxxps://files[.]attacker[.]example/x\n", "address 203.0.113.7, url", 200},
		{"user=jane and not host=srv1", "query user=jane and not host=srv1", 200},
		{"(user=jane", "lacks a closing bracket", 422},
		{"no such thing\n203.0.113.7", "line 1", 422},
		{"", "is empty", 422},
	} {
		status, body := lead.post("/hunts", url.Values{"for": {row.text}})
		if status != row.status || !strings.Contains(strings.ToLower(body), strings.ToLower(row.says)) || row.status == 422 && row.text != "" && !strings.Contains(body, strings.Split(row.text, "\n")[0]) {
			t.Errorf("%q: %d, or it does not say %q", row.text, status, row.says)
		}
	}
	if status, body := lead.post("/hunts", url.Values{"for": {"203.0.113.7"}, "since": {"soon"}}); status != 422 || !strings.Contains(body, "Is not a day") {
		t.Errorf("%d", status)
	}
	if status, _ := lead.post("/hunts", url.Values{"for": {"203.0.113.7"}, "org": {"XZ2B"}}); status != http.StatusNotFound {
		t.Errorf("another organisation's events: %d", status)
	}
	// Others.
	for _, row := range []struct {
		who    string
		path   string
		status int
	}{
		{"lead@drumlin.example", path, 404}, {"lead@drumlin.example", path + "/hits.csv", 404}, {"member@saltmarsh.example", "/hunts", 403}, {"reader@saltmarsh.example", path, 403},
		{"analyst@watch.example", path, 200}, {"lead@saltmarsh.example", "/hunts/999", 404}, {"lead@saltmarsh.example", "/hunts/x", 404},
	} {
		if status, _ := h.visit(row.who).get(row.path); status != row.status {
			t.Errorf("%s %s: %d", row.who, row.path, status)
		}
	}
	if body := lead.see("/organisations/XZ1A"); !strings.Contains(body, "Asha Lund") {
		t.Error("the organisation does not see that the centre read its events")
	}
	if status, body := lead.post(path+"/cancel", nil); status != http.StatusOK || !strings.Contains(body, "by Rosa Marsh") {
		t.Errorf("%d: it is not cancelled", status)
	}
}

func TestHuntPages(t *testing.T) {
	h := openHospital(t)
	b := browser.Start(t)
	signIn(h, b, "analyst@watch.example")
	b.Navigate(h.url + "/hunts")
	b.Check("hunts-empty")
	id := h.hunted(rosa, "CommandLine~mifs and not host=srv1", "gate/"+strings.Repeat("very-long-name-", 8), strings.Repeat("GET /mifs/rs/api/v2/featureusage?format=", 12)+hostileEvent)
	over := h.hunted(rosa, "user=nobody", "x", "y")
	if _, err := h.hunts.Cancel(h.ctx, rosa, over); err != nil {
		t.Fatal(err)
	}
	b.Navigate(h.url + "/hunts")
	b.Check("hunts")
	b.Navigate(fmt.Sprintf("%s/hunts/%d", h.url, id))
	b.Check("hunt-running")
	b.Navigate(fmt.Sprintf("%s/hunts/%d", h.url, over))
	b.Check("hunt-cancelled")
	b.Navigate(h.url + "/hunts")
	b.Expect(h.url + "/hunts")
	b.Fill("#for", "(user=jane")
	b.Submit("main form button")
	b.Check("hunts-wrong")
}
