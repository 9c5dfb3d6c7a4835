// Package intune reads two exports of Microsoft Intune as CSV: discovered apps by device (the reports DetectedAppsRawData,
// AppInvRawData and AppInvByDevice), one row for each app on each device, and devices (the export of all devices, the reports
// Devices and DevicesWithInventory), one row for each device with its operating system. Users, their addresses and telephone
// numbers are never read. The list of apps without devices is refused.
package intune

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"wardwatch/know/estate"
	"wardwatch/ward"
)

// Reader reads Intune's exports.
type Reader struct{}

var sheet = estate.Sheet{
	Names: map[string][]string{
		"app":      {"applicationname", "appname"},
		"vendor":   {"applicationpublisher", "apppublisher"},
		"version":  {"applicationversion", "applicationshortversion", "appversion"},
		"id":       {"deviceid", "intunedeviceid"},
		"name":     {"devicename"},
		"serial":   {"serialnumber"},
		"entra":    {"microsoftentradeviceid", "azureaddeviceid", "aaddeviceid", "entradeviceid", "referenceid"},
		"mac":      {"wifimac", "wifimacaddress", "ethernetmac", "ethernetmacaddress"},
		"ethernet": {"ethernetmac", "ethernetmacaddress"},
		"os":       {"os", "platform", "operatingsystem"},
		"build":    {"osversion"},
		"checkin":  {"lastcheckin", "lastcontact", "enrollmentdate", "enrolleddate", "managedby", "jointype"},
	},
	Needs: [][]string{{"name", "id"}, {"app", "entra", "checkin"}},
	Hint:  "export the discovered apps by device (DetectedAppsRawData) or all devices; the list of apps does not say where they are",
}

// Format implements estate.Reader.
func (Reader) Format() string { return "intune" }

// Classes implements estate.Knower: Intune sees the workstations that it manages.
func (Reader) Classes() []ward.Class { return []ward.Class{ward.Workstation} }

// Recognises implements estate.Reader.
func (Reader) Recognises(_ string, head []byte) bool {
	header, ok := sheet.HeaderOf(head)
	if !ok {
		return false
	}
	has := func(titles ...string) bool {
		return slices.ContainsFunc(header, func(title string) bool { return slices.Contains(titles, estate.Header(title)) })
	}
	return has("applicationname") && has("applicationkey", "applicationpublisher", "applicationversion", "applicationshortversion") ||
		has("deviceid", "intunedeviceid") && has("lastcheckin", "lastcontact", "enrollmentdate", "enrolleddate") && has("osversion", "os")
}

// Read implements estate.Reader.
func (Reader) Read(r io.Reader, yield func(estate.Row) error) (estate.Summary, error) {
	tally := estate.NewTally(yield)
	err := sheet.Read(r, tally, func(l estate.Line) (string, error) {
		row := estate.Row{Line: l.Number, Asset: l.Get("name"), Class: estate.ClassOf(l.Get("os"))}
		if row.Asset == "" {
			row.Asset = l.Get("id")
		}
		if row.Asset == "" {
			return "has neither a device name nor a device id", nil
		}
		row.Marks.Add(estate.BySerial, l.Get("serial"))
		row.Marks.Add(estate.ByEntra, l.Get("entra"))
		row.Marks.AddAgent("intune", l.Get("id"))
		row.Marks.AddAll(estate.ByMAC, l.Get("mac"))
		row.Marks.AddAll(estate.ByMAC, l.Get("ethernet"))
		row.Software = ward.Software{Vendor: l.Get("vendor"), Product: l.Get("app"), Version: l.Get("version")}
		if row.Software.Product == "" {
			row.Software = estate.OperatingSystem(system(l.Get("os")), l.Get("build"))
		}
		return "", tally.Row(row)
	})
	if err != nil {
		return tally.Summary, fmt.Errorf("estate/intune: %w", err)
	}
	return tally.Summary, nil
}

// system is the name of an operating system that Intune's word for a platform means.
func system(platform string) string {
	if strings.HasPrefix(strings.ToLower(platform), "android") {
		return "Android"
	}
	return platform
}
