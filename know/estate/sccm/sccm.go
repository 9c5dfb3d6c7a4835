// Package sccm reads software inventories of Microsoft Configuration Manager (SCCM) as CSV: results of queries over its views
// (v_GS_INSTALLED_SOFTWARE, v_GS_ADD_REMOVE_PROGRAMS and v_R_System with their columns such as Netbios_Name0 and
// ARPDisplayName0), reports that its report server exported, and CMPivot results. A row is one title on one device, or
// one device. Users, logons, registered owners and folders are never read.
package sccm

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"wardwatch/know/estate"
	"wardwatch/ward"
)

// Reader reads Configuration Manager's exports.
type Reader struct{}

var sheet = estate.Sheet{
	Names: map[string][]string{
		"name":      {"netbiosname", "computername", "name", "machinename", "systemname", "devicename", "device"},
		"fqdn":      {"fqdn", "fullcomputername", "resourcenames", "resourcename"},
		"domain":    {"fulldomainname"},
		"product":   {"arpdisplayname", "normalizedname", "displayname", "productname", "softwarename", "softwaretitle", "product"},
		"publisher": {"normalizedpublisher", "publisher", "softwarepublisher", "vendor"},
		"version":   {"productversion", "normalizedversion", "version", "displayversion", "softwareversion"},
		"serial":    {"serialnumber"},
		"tag":       {"smbiosassettag", "assettag"},
		"mac":       {"macaddresses", "macaddress"},
		"hardware":  {"smbiosguid"},
		"entra":     {"aaddeviceid"},
		"client":    {"smsuniqueidentifier", "smsid", "configmgruniqueidentifier"},
		"os":        {"operatingsystem", "operatingsystemnameand", "caption", "os"},
		"build":     {"build", "buildext", "osversion", "operatingsystemversion"},
	},
	Needs: [][]string{{"name"}, {"product", "os", "client"}},
	Hint:  "export a row for each title on each device, with the columns Netbios_Name0, ARPDisplayName0, Publisher0 and ProductVersion0",
}

// telling are headers that only Configuration Manager writes, folded.
var telling = []string{"netbiosname", "arpdisplayname", "smsuniqueidentifier", "normalizedname", "operatingsystemnameand", "resourceid", "configmgruniqueidentifier"}

// Format implements estate.Reader.
func (Reader) Format() string { return "sccm" }

// Classes implements estate.Knower: Configuration Manager sees what carries its client.
func (Reader) Classes() []ward.Class { return []ward.Class{ward.Workstation, ward.Server} }

// Recognises implements estate.Reader.
func (Reader) Recognises(_ string, head []byte) bool {
	header, ok := sheet.HeaderOf(head)
	return ok && slices.ContainsFunc(header, func(title string) bool { return slices.Contains(telling, estate.Header(title)) })
}

// Read implements estate.Reader.
func (Reader) Read(r io.Reader, yield func(estate.Row) error) (estate.Summary, error) {
	tally := estate.NewTally(yield)
	systems := map[string]bool{} // devices whose operating system has been listed
	err := sheet.Read(r, tally, func(l estate.Line) (string, error) {
		row := estate.Row{Line: l.Number, Asset: l.Get("name"), Class: estate.ClassOf(l.Get("os"))}
		if row.Asset == "" {
			return "has no name of a device", nil
		}
		row.Marks = marks(l, row.Asset)
		row.Software = ward.Software{Vendor: l.Get("publisher"), Product: l.Get("product"), Version: l.Get("version")}
		if row.Software.Product == "" {
			row.Software = ward.Software{}
		}
		listed := row.Software != ward.Software{}
		if system := operatingSystem(l.Get("os"), l.Get("build")); system != (ward.Software{}) && !systems[strings.ToLower(row.Asset)] {
			systems[strings.ToLower(row.Asset)] = true
			on := row
			on.Software = system
			if err := tally.Row(on); err != nil || !listed {
				return "", err
			}
		}
		return "", tally.Row(row)
	})
	if err != nil {
		return tally.Summary, fmt.Errorf("estate/sccm: %w", err)
	}
	return tally.Summary, nil
}

func marks(l estate.Line, name string) (m estate.Marks) {
	m.Add(estate.BySerial, l.Get("serial"))
	m.Add(estate.ByHardware, l.Get("hardware"))
	m.Add(estate.ByEntra, l.Get("entra"))
	m.AddAgent("sccm", l.Get("client"))
	m.AddAll(estate.ByFQDN, l.Get("fqdn"))
	if domain := l.Get("domain"); strings.Contains(domain, ".") && !strings.Contains(name, ".") {
		m.Add(estate.ByFQDN, name+"."+domain)
	}
	m.Add(estate.ByTag, l.Get("tag"))
	m.AddAll(estate.ByMAC, l.Get("mac"))
	return m
}

// operatingSystem reads "Microsoft Windows 11 Enterprise" and "10.0.22631.3593"; the kernel's name, "Microsoft Windows NT
// Workstation 10.0", is no product.
func operatingSystem(name, build string) ward.Software {
	if strings.Contains(name, "Windows NT") {
		name = "Windows"
		if !strings.Contains(build, ".") {
			return ward.Software{}
		}
	}
	return estate.OperatingSystem(name, build)
}
