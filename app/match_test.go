package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wardwatch/app"
	"wardwatch/test/shared"
)

// matchLine is a line of the answer as a program reads it.
type matchLine struct {
	Asset, Software, Vulnerability, Status, Confidence, Source, Fixed, Why string
}

func runMatch(t *testing.T, o app.MatchOptions) (lines []matchLine, stderr string, err error) {
	t.Helper()
	var out, problems bytes.Buffer
	o.JSON, o.Out, o.Err = true, &out, &problems
	err = app.Match(context.Background(), o)
	decoder := json.NewDecoder(&out)
	decoder.DisallowUnknownFields()
	for decoder.More() {
		var line matchLine
		if err := decoder.Decode(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return lines, problems.String(), err
}

func file(t *testing.T, name, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestMatchOnTheDay has the vendor's two records and the catalogue of exploited weaknesses, which speaks of no version.
func TestMatchOnTheDay(t *testing.T) {
	records := t.TempDir()
	for _, name := range []string{"CVE-2025-4427.cve5.1.json", "CVE-2025-4428.cve5.1.json"} {
		body, err := os.ReadFile(shared.File(t, "data", "vuln", "cve5", "ivanti-epmm-2025-05", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(records, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	intel := []string{shared.File(t, "data", "vuln", "kev"), records}
	for _, inventory := range []string{
		file(t, "estate.csv", "asset,vendor,product,version\nmdm1,Ivanti,Endpoint Manager Mobile,12.5.0.0\nmdm2,Ivanti,Endpoint Manager Mobile,12.5.0.1\nmdm3,Ivanti,Endpoint Manager Mobile,12.6.0.0\nother,Acme,Pump,1\n"),
		file(t, "list.txt", "cpe:2.3:a:ivanti:endpoint_manager_mobile:12.5.0.0:*:*:*:*:*:*:*\ncpe:2.3:a:ivanti:endpoint_manager_mobile:12.5.0.1:*:*:*:*:*:*:*\ncpe:2.3:a:ivanti:endpoint_manager_mobile:12.6.0.0:*:*:*:*:*:*:*\n"),
	} {
		lines, stderr, err := runMatch(t, app.MatchOptions{Intel: intel, Inventory: inventory})
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) != 6 {
			t.Fatalf("%d lines, want one for each of three assets and two weaknesses: %+v\n%s", len(lines), lines, stderr)
		}
		for _, line := range lines {
			want := "fixed"
			if strings.Contains(line.Software, "12.5.0.0") {
				want = "affected"
			}
			if line.Status != want || line.Source != "cna:ivanti" || line.Fixed != "12.5.0.1" || line.Why == "" || line.Confidence == "" {
				t.Errorf("%+v", line)
			}
		}
	}
}

// TestMatchTogether evaluates "running on" against everything on the same asset.
func TestMatchTogether(t *testing.T) {
	record := file(t, "CVE-2099-0003.json", `{"id":"CVE-2099-0003","sourceIdentifier":"x","published":"2025-05-13T16:15:32.463","lastModified":"2025-05-13T19:35:18.080","vulnStatus":"Analyzed",
	"descriptions":[{"lang":"en","value":"x"}],"references":[],"configurations":[{"operator":"AND","nodes":[
	{"operator":"OR","negate":false,"cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:a:acme:reader:*:*:*:*:*:*:*:*","versionEndExcluding":"2.5","matchCriteriaId":"A"}]},
	{"operator":"OR","negate":false,"cpeMatch":[{"vulnerable":false,"criteria":"cpe:2.3:o:microsoft:windows:-:*:*:*:*:*:*:*","matchCriteriaId":"B"}]}]}]}`)
	inventory := file(t, "estate.csv", "asset,vendor,product,version\n"+
		"pc1,Acme,Reader,2.4\npc2,Acme,Reader,2.4\npc1,Microsoft,Windows 10,10.0.19045.1\npc2,Canonical,Ubuntu Linux,22.04\npc3,Acme,Reader,2.4\n")
	lines, _, err := runMatch(t, app.MatchOptions{Intel: []string{record}, Inventory: inventory})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"pc1": "affected", "pc2": "not_affected", "pc3": "platform_unknown"}
	for _, line := range lines {
		if line.Status != want[line.Asset] {
			t.Errorf("%s: %s: %s", line.Asset, line.Status, line.Why)
		}
	}
	if len(lines) != 3 {
		t.Errorf("%d lines", len(lines))
	}
}

func TestMatchBadInput(t *testing.T) {
	good := file(t, "r.json", `{"dataType":"CVE_RECORD","dataVersion":"5.1","cveMetadata":{"cveId":"CVE-2099-0004","state":"PUBLISHED","assignerShortName":"acme"},
	"containers":{"cna":{"affected":[{"vendor":"Acme","product":"Pump","defaultStatus":"affected"}],"descriptions":[],"providerMetadata":{"orgId":"x","shortName":"acme"},"references":[]}}}`)
	lines, stderr, err := runMatch(t, app.MatchOptions{Intel: []string{good, file(t, "broken.json", `{"dataType":"CVE_RECORD","cveMeta`), filepath.Join(t.TempDir(), "missing")},
		Inventory: file(t, "e.csv", "asset,vendor,product,version\np1,Acme,Pump,1\n,Acme,Pump,1\n")})
	if err != nil || len(lines) != 1 || lines[0].Status != "affected" {
		t.Errorf("%+v, %v", lines, err)
	}
	for _, part := range []string{"1 of 2 rows", "broken.json", "missing"} {
		if !strings.Contains(stderr, part) {
			t.Errorf("stderr does not name %q: %s", part, stderr)
		}
	}
	for name, o := range map[string]app.MatchOptions{
		"no inventory":        {Intel: []string{good}, Inventory: filepath.Join(t.TempDir(), "none")},
		"unknown format":      {Intel: []string{good}, Inventory: file(t, "x.bin", "\x00\x01")},
		"no intelligence":     {Intel: []string{file(t, "broken.json", "{")}, Inventory: file(t, "e.csv", "asset,vendor,product,version\np1,Acme,Pump,1\n")},
		"nothing that is one": {Intel: []string{good}, Inventory: file(t, "l.txt", "cpe:nonsense\n")},
	} {
		if _, _, err := runMatch(t, o); !errors.Is(err, app.ErrNothingRead) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
