package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"wardwatch/edge/api"
)

// document is what the test needs of the OpenAPI document, as it is served.
type document struct {
	OpenAPI string                          `json:"openapi"`
	Paths   map[string]map[string]operation `json:"paths"`
	Parts   struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	ID         string      `json:"operationId"`
	Security   *[]any      `json:"security"`
	Parameters []parameter `json:"parameters"`
	Body       struct {
		Content map[string]struct {
			Schema schema `json:"schema"`
		} `json:"content"`
	} `json:"requestBody"`
}

type parameter struct {
	Name, In string
	Required bool
	Schema   schema
}

var inBraces = regexp.MustCompile(`\{(\w+)\}`)

type schema struct {
	Ref        string            `json:"$ref"`
	Type       any               `json:"type"`
	Format     string            `json:"format"`
	Enum       []any             `json:"enum"`
	Items      *schema           `json:"items"`
	Properties map[string]schema `json:"properties"`
	Required   []string          `json:"required"`
}

func (w *world) document() document {
	w.t.Helper()
	got := w.call("", http.MethodGet, "/openapi.json", "")
	var d document
	if err := json.Unmarshal([]byte(got.body), &d); err != nil || got.status != 200 {
		w.t.Fatalf("%d, %v", got.status, err)
	}
	return d
}

// example is a value that fits the schema.
func (d document) example(s schema, name string) any {
	if s.Ref != "" {
		return d.example(d.Parts.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]], name)
	}
	kind := fmt.Sprint(s.Type)
	switch {
	case len(s.Enum) > 0:
		return s.Enum[0]
	case strings.Contains(kind, "object"):
		o := map[string]any{}
		for property, ps := range s.Properties {
			if property != "finding" && property != "host" && property != "org" && !strings.HasPrefix(property, "$") {
				o[property] = d.example(ps, property)
			}
		}
		return o
	case strings.Contains(kind, "array"):
		return []any{d.example(*s.Items, name)}
	case strings.Contains(kind, "integer"), strings.Contains(kind, "number"):
		return 1
	case strings.Contains(kind, "boolean"):
		return true
	case s.Format == "date-time":
		return "2025-05-13T17:00:00Z"
	case name == "cves":
		return string(cve)
	case name == "email":
		return "new@hospital.example"
	case name == "organisations":
		return string(second)
	case name == "names":
		return "kev"
	}
	return "words"
}

// fillPath puts the first organisation's things into a path.
func (w *world) fillPath(path string) string {
	return strings.NewReplacer("{org}", string(first), "{alert}", string(w.alert.ID), "{asset}", fmt.Sprint(w.asset), "{finding}", string(w.finding), "{cve}", string(cve),
		"{import}", fmt.Sprint(w.held), "{notice}", "1", "{contact}", fmt.Sprint(w.contact), "{person}", string(w.people["first"].ID), "{token}", w.own.ID, "{ruling}", "ruling-1", "{item}", "held:"+fmt.Sprint(w.held), "{view}", "1", "{alias}", "alias-1", "{template}", "exploited", "{feed}", "kev", "{detection}", fmt.Sprint(w.detection), "{merge}", fmt.Sprint(w.merge), "{hunt}", fmt.Sprint(w.hunt)).Replace(path)
}

// A request that the document allows.
type request struct{ id, method, path, body, contentType string }

// requests are every operation, without and with each optional parameter, about the first organisation.
func (w *world) requests(d document) (all []request) {
	w.t.Helper()
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
			op := d.Paths[path][method]
			for _, name := range inBraces.FindAllStringSubmatch(path, -1) {
				if !slices.ContainsFunc(op.Parameters, func(p parameter) bool { return p.In == "path" && p.Name == name[1] }) {
					w.t.Errorf("%s %s: {%s} is not read", method, path, name[1])
				}
			}
			r := request{id: op.ID, method: strings.ToUpper(method), path: w.fillPath(path)}
			for contentType, c := range op.Body.Content {
				r.contentType, r.body = contentType, "asset,vendor,product,version\nmdm1,Ivanti,EPMM,1\n"
				if contentType == "application/json" && c.Schema.Format != "binary" {
					text, err := json.Marshal(d.example(c.Schema, ""))
					if err != nil {
						w.t.Fatal(err)
					}
					r.body = string(text)
				}
			}
			if strings.Contains(r.path, "{") {
				w.t.Errorf("%s: a path parameter that this test cannot fill", path)
			}
			need, full := url.Values{}, url.Values{}
			for _, p := range op.Parameters {
				if p.In != "query" {
					continue
				}
				value := fmt.Sprint(d.example(p.Schema, p.Name))
				switch p.Name {
				case "org":
					value = string(first)
				case "cve":
					value = string(cve)
				case "after", "text", "class", "software", "vendor", "product", "as_at", "state":
					continue
				case "from", "to":
					value = map[string]string{"from": "3", "to": "4"}[p.Name]
				case "mapping":
					value = "asset=Hostname"
				case "classes":
					value = "server"
				case "q":
					value = "title"
				}
				full.Set(p.Name, value)
				if p.Required {
					need.Set(p.Name, value)
				}
			}
			bare := r
			bare.path += query(need)
			all = append(all, bare)
			if len(full) > len(need) {
				r.path += query(full)
				all = append(all, r)
			}
		}
	}
	return all
}

func query(v url.Values) string {
	if len(v) == 0 {
		return ""
	}
	return "?" + v.Encode()
}

func (w *world) send(as string, r request) answer {
	w.t.Helper()
	header := []string{"If-Match", `"3"`}
	if r.contentType != "" {
		header = append(header, "Content-Type", r.contentType)
	}
	return w.call(as, r.method, r.path, r.body, header...)
}

func leaks(a answer) bool {
	return strings.Contains(a.body, canary) || strings.Contains(fmt.Sprint(a.header), canary)
}

// everything is what the first organisation has, as the national watch sees it.
func (w *world) everything() string {
	var all strings.Builder
	for _, path := range []string{"/assets", "/organisations/XZ1", "/organisations/XZ1/imports", "/organisations/XZ1/sources", "/organisations/XZ1/sites", "/organisations/XZ1/declarations",
		"/alerts", "/alerts/" + string(w.alert.ID) + "/responses/XZ1", "/inbox?org=XZ1", "/contacts?org=XZ1", "/rota?org=XZ1", "/hunts"} {
		all.WriteString(w.call("analyst", http.MethodGet, "/api/v1"+path, "").body)
	}
	return all.String()
}

// desk are the beginnings of what only the national watch reads: the control asks as an analyst.
var desk = []string{"get-alerts-alert-revision", "get-revisions", "get-templates", "get-countersigns"}

func TestNothingOfAnotherOrganisationIsEverInAnAnswer(t *testing.T) {
	w := open(t, api.Options{})
	d := w.document()
	if !strings.HasPrefix(d.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %q", d.OpenAPI)
	}
	requests := w.requests(d)
	if len(requests) < 80 {
		t.Fatalf("only %d requests", len(requests))
	}
	// The control: the organisation itself is shown each of its things, so the test would notice one.
	shown := map[string]bool{}
	for _, r := range requests {
		if r.method == http.MethodGet {
			got := w.send("first", r)
			if national := slices.ContainsFunc(desk, func(id string) bool { return strings.HasPrefix(r.id, id) }); national {
				if got.status < 400 && leaks(got) {
					t.Errorf("%s shows what is the desk's own: %s", r.path, got.body)
				}
				got = w.send("analyst", r)
			}
			if got.status >= 400 && !strings.HasPrefix(r.id, "get-people") {
				t.Errorf("its own %s: %d %s", r.path, got.status, got.body)
			}
			shown[r.id] = shown[r.id] || leaks(got)
		}
	}
	for _, id := range []string{
		"get-detections", "get-detections-detection", "get-organisations-org-event-coverage", "get-organisations", "get-organisations-org", "get-organisations-org-sites", "get-organisations-org-sources",
		"get-organisations-org-coverage", "get-organisations-org-declarations", "get-organisations-org-owed", "get-organisations-org-imports", "get-assets",
		"get-assets-asset", "get-merges", "get-scanner-findings", "get-organisations-org-views", "get-exposures", "get-exposures-csv", "get-findings", "get-findings-finding",
		"get-alerts", "get-alerts-alert", "get-alerts-alert-versions", "get-alerts-alert-responses", "get-alerts-alert-responses-csv", "get-alerts-alert-responses-org",
		"get-alerts-alert-compare", "get-alerts-alert-revision", "get-alerts-alert-revision-compare", "get-revisions", "get-templates", "get-templates-template",
		"get-alerts-alert-responses-org-history", "get-alerts-alert-responses-org-pack", "get-alerts-alert-responses-org-pack-csv", "get-disputes", "get-inbox", "get-contacts", "get-contacts-contact", "get-contacts-contact-webhooks", "get-rota", "get-call-list", "get-call-list-csv", "get-deliveries", "get-recipients", "get-people-person-tokens", "get-overview", "get-changes",
		"get-desk-items", "get-desk-items-item", "get-desk-log", "get-desk-handover", "get-desk-views", "get-search", "get-hunts", "get-hunts-hunt", "get-hunts-hunt-hits", "get-hunts-hunt-hits-csv",
	} {
		if !shown[id] {
			t.Errorf("%s shows its own organisation nothing: the test would not notice a leak", id)
		}
	}
	before := w.everything()
	for _, as := range []string{"lead", "member", "reader", "admin"} {
		t.Run(as, func(t *testing.T) {
			for _, r := range requests {
				got := w.send(as, r)
				// An administrator keeps the accounts, and so sees the name that a person gave to a token.
				if leaks(got) && (as != "admin" || !strings.Contains(r.path, "/tokens") && !strings.Contains(r.path, "/audit")) {
					t.Errorf("%s %s shows %s", r.method, r.path, got.body)
				}
				if got.status >= 500 {
					t.Errorf("%s %s: %d %s", r.method, r.path, got.status, got.body)
				}
				if got.status >= 400 {
					got.problem(t)
				}
			}
		})
	}
	if after := w.everything(); after != before {
		t.Errorf("another organisation changed the first's:\n%s\nto\n%s", before, after)
	}
	if r := w.Response(w.alert.ID, first); r.Version != 3 {
		t.Errorf("another organisation changed the answer: %+v", r)
	}
}

func TestNobodyAndClosedAccountsAreTurnedAway(t *testing.T) {
	w := open(t, api.Options{})
	d := w.document()
	for _, r := range w.requests(d) {
		if !strings.HasPrefix(r.path, "/api/") {
			continue
		}
		for _, as := range []string{"", "closed"} {
			got := w.send(as, r)
			if got.status != http.StatusUnauthorized || got.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%q %s %s: %d %s", as, r.method, r.path, got.status, got.body)
			}
			got.problem(t)
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/openapi.json"} {
		if got := w.call("", http.MethodGet, path, ""); got.status != 200 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

// TestOtherMethods asks every path with every method that the document does not name.
func TestOtherMethods(t *testing.T) {
	w := open(t, api.Options{})
	for path, operations := range w.document().Paths {
		if !strings.HasPrefix(path, "/api/") {
			continue
		}
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace, "BREW"} {
			if _, named := operations[strings.ToLower(method)]; named {
				continue
			}
			got := w.call("lead", method, w.fillPath(path), "")
			if got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") == "" || leaks(got) {
				t.Errorf("%s %s: %d %s", method, path, got.status, got.body)
			}
			got.problem(t)
		}
	}
	w.call("lead", http.MethodGet, "/api/v1/nothing", "").problem(t)
}
