package cyclonedx_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"wardwatch/know/estate"
	"wardwatch/know/estate/cyclonedx"
	"wardwatch/test/contract"
	"wardwatch/ward"
)

const example = `{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"metadata":{"timestamp":"2025-05-05T10:00:00+01:00",
"authors":[{"name":"Jane Example"}],"supplier":{"name":"Pumps Limited"},
"component":{"type":"device","name":"Pump Two","version":"4.2","author":"Jane Example","properties":[
{"name":"asset","value":"pump-7"},{"name":"class","value":"medical device"},{"name":"internet_facing","value":"no"},{"name":"services","value":"intensive care"}]}},
"components":[
{"type":"operating-system","name":"debian","version":"11","cpe":"cpe:2.3:o:debian:debian_linux:11.0:*:*:*:*:*:*:*","components":[
 {"type":"library","group":"org.example","name":"inner","version":"1.0","purl":"pkg:maven/org.example/inner@1.0"}]},
{"type":"file","name":"licence.txt"},
{"type":"application","supplier":{"name":"Maker"},"name":"tool","version":"2"}]}
`

var common = estate.Row{Asset: "pump-7", Class: ward.MedicalDevice, Reachable: ward.No, Services: []string{"intensive care"}}

func with(sw ward.Software) estate.Row {
	row := common
	row.Software = sw
	return row
}

var rows = []estate.Row{
	with(ward.Software{Vendor: "Pumps Limited", Product: "Pump Two", Version: "4.2"}),
	with(ward.Software{Product: "debian", Version: "11", CPE: "cpe:2.3:o:debian:debian_linux:11.0:*:*:*:*:*:*:*"}),
	with(ward.Software{Vendor: "org.example", Product: "inner", Version: "1.0", PURL: "pkg:maven/org.example/inner@1.0"}),
	with(ward.Software{Vendor: "Maker", Product: "tool", Version: "2"}),
}

func TestContract(t *testing.T) {
	contract.Inventory(t, cyclonedx.Reader{}, contract.InventoryExample{Name: "bom.json", Body: example, Want: rows, Secret: "Jane Example"})
}

const inXML = `<?xml version="1.0" encoding="UTF-8"?>
<bom xmlns="http://cyclonedx.org/schema/bom/1.5" version="1"><metadata><timestamp>2025-05-05T10:00:00+01:00</timestamp>
<authors><author><name>Jane Example</name></author></authors>
<component type="device"><author>Jane Example</author><name>Pump Two</name><version>4.2</version><properties><property name="asset">pump-7</property>
<property name="class">medical device</property><property name="internet_facing">no</property><property name="services">intensive care</property></properties></component>
<supplier><name>Pumps Limited</name></supplier></metadata>
<components>
<component type="operating-system"><name>debian</name><version>11</version><cpe>cpe:2.3:o:debian:debian_linux:11.0:*:*:*:*:*:*:*</cpe><components>
 <component type="library"><group>org.example</group><name>inner</name><version>1.0</version><purl>pkg:maven/org.example/inner@1.0</purl></component></components></component>
<component type="file"><name>licence.txt</name></component>
<component type="application"><supplier><name>Maker</name></supplier><name>tool</name><version>2</version></component>
</components><dependencies><dependency ref="a"/></dependencies></bom>
`

func TestContractOfXML(t *testing.T) {
	contract.Inventory(t, cyclonedx.Reader{}, contract.InventoryExample{Name: "bom.xml", Body: inXML, Want: rows, Secret: "Jane Example"})
}

func TestSeveralBillsAndTheirTime(t *testing.T) {
	var assets []string
	second := strings.NewReplacer("pump-7", "pump-8", "2025-05-05T10", "2025-05-06T10", `"1.5"`, `"1.6"`).Replace(example)
	summary, err := cyclonedx.Reader{}.Read(strings.NewReader(example+second), func(row estate.Row) error {
		assets = append(assets, row.Asset)
		return nil
	})
	if want := time.Date(2025, 5, 6, 9, 0, 0, 0, time.UTC); err != nil || !summary.ObservedAt.Equal(want) || len(assets) != 8 || assets[7] != "pump-8" {
		t.Errorf("%v, %v, %v", err, summary.ObservedAt, assets)
	}
}

func TestWholeInputsRefused(t *testing.T) {
	for _, row := range []struct{ name, body, want string }{
		{"empty", "", "is empty, cut short or no JSON"},
		{"cut short", example[:200], "cut short"},
		{"XML of another form", `<?xml version="1.0"?><bom/>`, "no CycloneDX document"},
		{"XML of an old version", strings.Replace(inXML, "bom/1.5", "bom/1.3", 1), `"1.3" is not read`},
		{"XML cut short", inXML[:len(inXML)-9], "cut short"},
		{"XML without an asset", `<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><components><component type="library"><name>a</name></component></components></bom>`, "it names the asset"},
		{"XML that nests without end", `<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><metadata>` + strings.Repeat("<component type='library'><name>a</name><components>", 20_000), "nest"},
		{"another format", `{"spdxVersion":"SPDX-2.3"}`, "no CycloneDX document"},
		{"old version", strings.Replace(example, `"1.5"`, `"1.2"`, 1), `"1.2" is not read`},
		{"no asset", `{"bomFormat":"CycloneDX","specVersion":"1.5","components":[]}`, "it names the asset"},
		{"asset without a name", `{"bomFormat":"CycloneDX","specVersion":"1.5","metadata":{"component":{"type":"device","name":" "}}}`, "has no name"},
		{"wrong shape", `{"bomFormat":"CycloneDX","specVersion":"1.5","components":7}`, "is not as CycloneDX 1.5 says"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := cyclonedx.Reader{}.Read(strings.NewReader(row.body), func(estate.Row) error { return nil })
			if !errors.Is(err, ward.ErrInvalid) || !strings.Contains(fmt.Sprint(err), row.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func Fuzz(f *testing.F) {
	contract.FuzzInventory(f, cyclonedx.Reader{}, nil, example, inXML,
		`{"bomFormat":"CycloneDX","specVersion":"1.4","metadata":{"component":{"name":"a"}},"components":[{"name":""}]}`)
}

// TestFaultABillOfVeryManyComponents is read component by component, in whichever order its members come, and dependencies that
// go round in a circle are nobody's concern.
func TestFaultABillOfVeryManyComponents(t *testing.T) {
	const many = 100_000
	var list strings.Builder
	list.WriteString(`"components":[`)
	for i := range many {
		if i > 0 {
			list.WriteByte(',')
		}
		fmt.Fprintf(&list, `{"type":"library","bom-ref":"c%d","name":"part-%d","version":"1.%d"}`, i, i, i%50)
	}
	list.WriteString(`]`)
	const head, about, circle = `"bomFormat":"CycloneDX","specVersion":"1.6"`, `"metadata":{"component":{"type":"application","name":"box"}}`,
		`"dependencies":[{"ref":"c0","dependsOn":["c1"]},{"ref":"c1","dependsOn":["c0"]}]`
	for _, members := range [][]string{{head, about, list.String(), circle}, {circle, list.String(), about, head}} {
		rows := 0
		sum, err := cyclonedx.Reader{}.Read(strings.NewReader("{"+strings.Join(members, ",")+"}"), func(r estate.Row) error {
			if r.Asset != "box" {
				return fmt.Errorf("asset %q", r.Asset)
			}
			rows++
			return nil
		})
		if err != nil || rows != many+1 || sum.Rejected != 0 { // and the asset itself
			t.Errorf("%d rows, %+v, %v", rows, sum, err)
		}
	}
}
