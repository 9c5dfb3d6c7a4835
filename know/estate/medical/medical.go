// Package medical reads inventories of medical devices as CSV, as clinical engineering keeps them: one row for each device
// with its manufacturer, model, numbers, place, versions and what it is used for. The columns are those of Columns, which go by the names
// that such registers use; others are reached by a mapping. Every asset is a medical device. Patients, users and contacts are
// never read.
package medical

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"wardwatch/know/estate"
	"wardwatch/ward"
)

// Reader reads inventories of medical devices. Its zero value expects the headers that are known.
type Reader struct {
	// Mapping goes from a column's name to the header it has in the input.
	Mapping map[string]string
}

// Columns are the columns that are read, by the names of a mapping.
var Columns = []string{"asset_tag", "device_name", "host_name", "manufacturer", "model", "serial_number", "udi", "gmdn", "software_version", "firmware_version",
	"operating_system", "os_version", "location", "clinical_service", "data", "internet_facing", "mac_address"}

var sheet = estate.Sheet{
	Names: map[string][]string{
		"asset_tag":        {"assettag", "assetnumber", "assetno", "assetid", "asset", "equipmentnumber", "equipmentno", "equipmentid", "inventorynumber", "cmmsid", "barcode"},
		"device_name":      {"devicename", "equipmentdescription", "devicedescription", "description", "devicetype", "equipmenttype", "modality"},
		"host_name":        {"hostname", "computername", "networkname", "dnsname"},
		"manufacturer":     {"manufacturer", "make", "manufacturername", "vendor", "supplier"},
		"model":            {"model", "modelname", "modelnumber", "modelno", "devicemodel"},
		"serial_number":    {"serialnumber", "serialno", "serial", "sn"},
		"udi":              {"udi", "udidi", "deviceidentifier", "gtin"},
		"gmdn":             {"gmdn", "gmdncode", "gmdnterm", "umdns"},
		"software_version": {"softwareversion", "applicationversion", "swversion", "softwarerevision"},
		"firmware_version": {"firmwareversion", "firmware", "fwversion"},
		"operating_system": {"operatingsystem", "os", "osname"},
		"os_version":       {"osversion", "operatingsystemversion", "osbuild"},
		"location":         {"location", "site", "ward", "department", "room", "building"},
		"clinical_service": {"clinicalservice", "services", "service", "specialty", "speciality", "clinicalarea"},
		"data":             {"data", "dataheld", "phi"},
		"internet_facing":  {"internetfacing"},
		"mac_address":      {"macaddress", "mac", "ethernetmac"},
	},
	Needs: [][]string{{"asset_tag", "serial_number", "host_name"}, {"manufacturer"}, {"model"}},
	Hint:  "the first line names the columns: " + strings.Join(Columns, ", ") + "; map those that go by another name",
}

// telling are columns that only an inventory of medical devices has.
var telling = []string{"udi", "gmdn", "software_version", "firmware_version", "clinical_service"}

// Format implements estate.Reader.
func (Reader) Format() string { return "medical" }

// Classes implements estate.Knower.
func (Reader) Classes() []ward.Class { return []ward.Class{ward.MedicalDevice} }

// With implements estate.Mapper.
func (Reader) With(mapping map[string]string) estate.Reader { return Reader{Mapping: mapping} }

// Recognises implements estate.Reader.
func (Reader) Recognises(_ string, head []byte) bool {
	header, ok := sheet.HeaderOf(head)
	if !ok {
		return false
	}
	found := 0
	for _, column := range telling {
		if slices.ContainsFunc(header, func(title string) bool { return slices.Contains(sheet.Names[column], estate.Header(title)) }) {
			found++
		}
	}
	return found > 0 && !slices.ContainsFunc(header, func(title string) bool { return estate.Header(title) == "product" })
}

// Read implements estate.Reader.
func (r Reader) Read(in io.Reader, yield func(estate.Row) error) (estate.Summary, error) {
	for _, ours := range slices.Sorted(maps.Keys(r.Mapping)) {
		if !slices.Contains(Columns, ours) {
			return estate.Summary{}, fmt.Errorf("estate/medical: %w", &ward.Invalid{Field: "mapping", Problem: fmt.Sprintf("%q is no column", ours), Hint: "map one of " + strings.Join(Columns, ", ")})
		}
	}
	tally := estate.NewTally(yield)
	err := sheet.Mapped(r.Mapping).Read(in, tally, func(l estate.Line) (string, error) {
		row, reason := device(l)
		if reason != "" {
			return reason, nil
		}
		for _, sw := range runs(l) {
			row.Software = sw
			if err := tally.Row(row); err != nil {
				return "", err
			}
		}
		return "", nil
	})
	if err != nil {
		return tally.Summary, fmt.Errorf("estate/medical: %w", err)
	}
	return tally.Summary, nil
}

// device is the asset of one line. It goes by its name in the network, else by what the register calls it.
func device(l estate.Line) (row estate.Row, reason string) {
	reachable, ok := estate.ParseTri(l.Get("internet_facing"))
	if !ok {
		return row, fmt.Sprintf("internet_facing %.40q is neither yes nor no", l.Get("internet_facing"))
	}
	tag, serial := l.Get("asset_tag"), l.Get("serial_number")
	name := l.Get("host_name")
	switch what := estate.Clean(cmp.Or(l.Get("device_name"), l.Get("manufacturer")+" "+l.Get("model"))); {
	case name != "":
	case tag != "":
		name = estate.Clean(what + " " + tag)
	case serial != "":
		name = estate.Clean(what + " " + serial)
	default:
		return row, "has neither asset_tag, serial_number nor host_name"
	}
	row = estate.Row{Line: l.Number, Asset: name, Class: ward.MedicalDevice, Site: l.Get("location"), Reachable: reachable,
		Data: estate.ParseCategories(l.Get("data")), Services: estate.ParseList(l.Get("clinical_service"))}
	row.Marks.Add(estate.BySerial, serial)
	row.Marks.Add(estate.ByTag, tag)
	row.Marks.AddAll(estate.ByMAC, l.Get("mac_address"))
	row.Marks.Add(estate.ByFQDN, l.Get("host_name"))
	return row, ""
}

// runs is what runs on a device: its own software, by the model, and its operating system. A device without a version is
// listed by its model all the same: that it is there is what an alert asks first.
func runs(l estate.Line) []ward.Software {
	own := ward.Software{Vendor: l.Get("manufacturer"), Product: l.Get("model"), Version: cmp.Or(l.Get("software_version"), l.Get("firmware_version"))}
	if own.Product == "" {
		own.Product = l.Get("device_name")
	}
	if own.Product == "" {
		own = ward.Software{}
	}
	all := []ward.Software{own}
	if firmware := l.Get("firmware_version"); own.Product != "" && firmware != "" && firmware != own.Version {
		all = append(all, ward.Software{Vendor: own.Vendor, Product: own.Product + " firmware", Version: firmware})
	}
	if system := estate.OperatingSystem(l.Get("operating_system"), l.Get("os_version")); system != (ward.Software{}) {
		all = append(all, system)
	}
	return all
}
