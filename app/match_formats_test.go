package app_test

import (
	"testing"

	"wardwatch/app"
)

// runningOnWindows is a record of a weakness in one product on one operating system.
const runningOnWindows = `{"id":"CVE-2099-0003","sourceIdentifier":"x","published":"2025-05-13T16:15:32.463","lastModified":"2025-05-13T19:35:18.080","vulnStatus":"Analyzed",
	"descriptions":[{"lang":"en","value":"x"}],"references":[],"configurations":[{"operator":"AND","nodes":[
	{"operator":"OR","negate":false,"cpeMatch":[{"vulnerable":true,"criteria":"cpe:2.3:a:acme:reader:*:*:*:*:*:*:*:*","versionEndExcluding":"2.5","matchCriteriaId":"A"}]},
	{"operator":"OR","negate":false,"cpeMatch":[{"vulnerable":false,"criteria":"cpe:2.3:o:microsoft:windows:-:*:*:*:*:*:*:*","matchCriteriaId":"B"}]}]}]}`

// TestMatchReadsEveryFormat has one reader on Windows, as each tool writes it: named with --format, and found by itself where the
// format shows. Without an operating system in the list it is platform_unknown.
func TestMatchReadsEveryFormat(t *testing.T) {
	record := file(t, "CVE-2099-0003.json", runningOnWindows)
	for _, row := range []struct {
		format, name, body string
		together           bool
		shows              bool // which format it is
		want               string
	}{
		{"csv", "estate.csv", "asset,vendor,product,version\npc1,Acme,Reader,2.4\npc1,Microsoft,Windows 10,10.0.19045.1\n", false, true, "affected"},
		{"csv", "estate.csv", "asset,vendor,product,version\npc1,Acme,Reader,2.4\npc2,Microsoft,Windows 10,10.0.19045.1\n", false, true, "platform_unknown"},
		{"csv", "estate.csv", "asset,vendor,product,version\npc1,Acme,Reader,2.4\npc2,Microsoft,Windows 10,10.0.19045.1\n", true, true, "affected"},
		{"defender", "machines.json", `{"value":[{"deviceName":"pc1","osPlatform":"Windows10","softwareVendor":"acme","softwareName":"reader","softwareVersion":"2.4"},
			{"deviceName":"pc1","osPlatform":"Windows10","softwareVendor":"microsoft","softwareName":"windows_10","softwareVersion":"10.0.19045.1"}]}`, false, true, "affected"},
		{"cyclonedx", "bom.json", `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"application","name":"reader","version":"2.4","cpe":"cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*"},
			{"type":"operating-system","name":"windows_10","version":"22h2","cpe":"cpe:2.3:o:microsoft:windows_10:22h2:*:*:*:*:*:*:*"}]}`, false, true, "affected"},
		{"cyclonedx", "bom.xml", `<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.5"><components><component type="application"><name>reader</name><version>2.4</version>
			<cpe>cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*</cpe></component></components></bom>`, false, true, "platform_unknown"},
		{"spdx", "box.spdx", "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: box\nDocumentNamespace: https://acme.example/1\nCreator: Tool: x\nCreated: 2025-01-01T00:00:00Z\n\n" +
			"PackageName: reader\nSPDXID: SPDXRef-1\nPackageVersion: 2.4\nPackageDownloadLocation: NOASSERTION\nExternalRef: SECURITY cpe23Type cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*\n", false, true, "platform_unknown"},
		{"spdx", "box.json", `{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"box","documentNamespace":"https://acme.example/2","creationInfo":{"creators":["Tool: x"],"created":"2025-01-01T00:00:00Z"},
			"packages":[{"SPDXID":"SPDXRef-1","name":"reader","versionInfo":"2.4","downloadLocation":"NOASSERTION","externalRefs":[{"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*"}]}]}`, false, true, "platform_unknown"},
		{"osquery", "results.log", `{"name":"p","hostIdentifier":"pc1","unixTime":1747000000,"snapshot":[{"name":"Acme Reader","version":"2.4","publisher":"Acme"}],"action":"snapshot"}
{"name":"o","hostIdentifier":"pc1","unixTime":1747000000,"snapshot":[{"name":"Microsoft Windows 10 Pro","major":"10","platform":"windows","version":"10.0.19045","build":"19045"}],"action":"snapshot"}`, false, true, "affected"},
		{"osquery", "rows.json", `[{"name":"Acme Reader","version":"2.4","publisher":"Acme"}]`, false, false, "platform_unknown"},
		{"osquery", "tables.json", `{"programs":[{"name":"Acme Reader","version":"2.4","publisher":"Acme"}],"os_version":[{"name":"Microsoft Windows 10 Pro","major":"10","platform":"windows","version":"10.0.19045","build":"19045"}]}`, false, false, "affected"},
		{"nmap", "scan.xml", `<?xml version="1.0"?><nmaprun scanner="nmap" start="1747000000"><host><status state="up"/><address addr="192.0.2.7" addrtype="ipv4"/><ports><port protocol="tcp" portid="80"><state state="open"/>
			<service name="http" product="Acme Reader" version="2.4" method="probed"><cpe>cpe:/a:acme:reader:2.4</cpe><cpe>cpe:/o:microsoft:windows</cpe></service></port></ports></host></nmaprun>`, false, true, "affected"},
		{"cpe-list", "list.txt", "cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*\ncpe:2.3:o:microsoft:windows_10:22h2:*:*:*:*:*:*:*\n", false, true, "platform_unknown"},
		{"cpe-list", "list.txt", "cpe:2.3:a:acme:reader:2.4:*:*:*:*:*:*:*\ncpe:/o:microsoft:windows_10:22h2\n", true, true, "affected"},
	} {
		inventory := file(t, row.name, row.body)
		for _, format := range []string{row.format, "auto"} {
			if format == "auto" && !row.shows {
				continue
			}
			lines, stderr, err := runMatch(t, app.MatchOptions{Intel: []string{record}, Inventory: inventory, Format: format, Together: row.together})
			if err != nil || len(lines) != 1 || lines[0].Status != row.want || lines[0].Fixed != "2.5" {
				t.Errorf("%s as %s, together %t: %+v, %v, %s; want %s", row.name, format, row.together, lines, err, stderr, row.want)
			}
		}
	}
}

// TestMatchHeedsWhatWasTakenBack: beside an advisory that was withdrawn, its older edition says nothing.
func TestMatchHeedsWhatWasTakenBack(t *testing.T) {
	older := file(t, "adv-7.json", `{"document":{"category":"csaf_security_advisory","csaf_version":"2.0","title":"T","publisher":{"category":"vendor","name":"Acme"},"tracking":{"id":"ADV-7","current_release_date":"2025-05-01T00:00:00Z"}},
		"product_tree":{"branches":[{"category":"vendor","name":"Acme","branches":[{"category":"product_name","name":"Pump","branches":[{"category":"product_version","name":"1.0","product":{"name":"Pump 1.0","product_id":"P1"}}]}]}]},
		"vulnerabilities":[{"cve":"CVE-2099-0007","product_status":{"known_affected":["P1"]}}]}`)
	withdrawn := file(t, "adv-7-2.json", `{"document":{"category":"csaf_withdrawn","csaf_version":"2.1","title":"T","publisher":{"category":"vendor","name":"Acme"},"tracking":{"id":"ADV-7","current_release_date":"2025-06-01T00:00:00Z"}}}`)
	inventory := file(t, "e.csv", "asset,vendor,product,version\np1,Acme,Pump,1.0\n")
	for want, intel := range map[int][]string{1: {older}, 0: {withdrawn, older}} {
		if lines, stderr, err := runMatch(t, app.MatchOptions{Intel: intel, Inventory: inventory}); err != nil || len(lines) != want {
			t.Errorf("%d: %+v, %s, %v", want, lines, stderr, err)
		}
	}
}
