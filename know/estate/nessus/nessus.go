// Package nessus reads the CSV exports of Tenable's scanners: Nessus (Plugin ID, CVE, Risk, Host, Protocol, Port, Name...,
// Plugin Output), Tenable.sc (Plugin, Severity, IP Address, DNS Name, Plugin Text) and Tenable Vulnerability
// Management (definition.cve, asset.name, output). Each host is an asset. What the scanner reports with a CVE becomes the
// scanner's own finding, which is kept apart from what matching says; what it enumerates (plugin 45590) is software.
// Other outputs are not kept, and home folders in those that are lose their owner.
package nessus

import (
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"wardwatch/know/estate"
	"wardwatch/ward"
)

// Reader reads Tenable's exports.
type Reader struct{}

var sheet = estate.Sheet{
	Names: map[string][]string{
		"plugin":   {"pluginid", "plugin", "definitionid"},
		"cve":      {"cve", "cves", "definitioncve"},
		"severity": {"risk", "severity", "riskfactor"},
		"host":     {"host", "assetname", "assetdisplayname"},
		"ip":       {"ipaddress", "hostip", "assetdisplayipv4address", "assetipv4addresses"},
		"dns":      {"dnsname", "fqdn", "assetdisplayfqdn", "assetfqdn"},
		"netbios":  {"netbiosname", "netbios", "assethostname", "assetnetbiosname"},
		"mac":      {"macaddress", "assetdisplaymacaddress", "assetmacaddresses"},
		"uuid":     {"agentid", "agentuuid", "assetid", "assetuuid", "hostid"},
		"port":     {"port", "assetport"},
		"protocol": {"protocol"},
		"title":    {"name", "pluginname", "definitionname"},
		"output":   {"pluginoutput", "plugintext", "output"},
	},
	Needs: [][]string{{"plugin"}, {"host", "ip", "dns"}, {"title"}, {"output", "cve"}},
	Wide:  true,
	Hint:  "export the scan as CSV with the columns Plugin ID, CVE, Risk, Host, Protocol, Port, Name and Plugin Output",
}

// Format implements estate.Reader.
func (Reader) Format() string { return "nessus" }

// Recognises implements estate.Reader.
func (Reader) Recognises(_ string, head []byte) bool {
	header, ok := sheet.HeaderOf(head)
	return ok && slices.ContainsFunc(header, func(title string) bool {
		return slices.Contains([]string{"pluginid", "plugin", "definitionid"}, estate.Header(title))
	})
}

// Read implements estate.Reader.
func (Reader) Read(r io.Reader, yield func(estate.Row) error) (estate.Summary, error) {
	tally := estate.NewTally(yield)
	err := sheet.Read(r, tally, func(l estate.Line) (string, error) {
		row := estate.Row{Line: l.Number, Asset: host(l)}
		if row.Asset == "" {
			return "has no host", nil
		}
		plugin := l.Get("plugin")
		if plugin == "" || strings.Trim(plugin, "0123456789") != "" {
			return fmt.Sprintf("plugin %.40q is no number", plugin), nil
		}
		row.Marks = marks(l, plugin)
		output := l.Get("output")
		if at, ok := began(plugin, output); ok && at.After(tally.ObservedAt) {
			tally.ObservedAt = at
		}
		if cves := weaknesses(l.Get("cve")); len(cves) > 0 {
			row.Found = &estate.Finding{CVEs: cves, Plugin: plugin, Port: port(l), Title: cut(l.Get("title"), 255), Output: cut(nameless(output), mostOutput), Severity: cut(l.Get("severity"), 40)}
		}
		if plugin != enumeration {
			return "", tally.Row(row)
		}
		return "", software(tally, row, output)
	})
	if err != nil {
		return tally.Summary, fmt.Errorf("estate/nessus: %w", err)
	}
	return tally.Summary, nil
}

// mostOutput bounds what is kept of a check's output, in bytes: enough to see the version and the path that it found.
const mostOutput = 1000

// The plugins whose output is read.
const (
	enumeration = "45590" // Common Platform Enumeration
	information = "19506" // Nessus Scan Information
	resolution  = "12053" // Host Fully Qualified Domain Name Resolution
	deviceName  = "55472" // Device Hostname
	ethernet    = "86420" // Ethernet MAC Addresses
)

// host is the name of the asset: a name before an address.
func host(l estate.Line) string {
	given, netbios := l.Get("host"), l.Get("netbios")
	if _, name, ok := strings.Cut(netbios, `\`); ok {
		netbios = name // DOMAIN\NAME
	}
	if _, err := netip.ParseAddr(given); err != nil && given != "" {
		return given
	}
	for _, name := range []string{l.Get("dns"), netbios, given, l.Get("ip")} {
		if name != "" {
			return strings.TrimSuffix(name, ".")
		}
	}
	return ""
}

var (
	resolves  = regexp.MustCompile(`resolves as ([^ ]+)`)
	hostname  = regexp.MustCompile(`Hostname : ([^ ]+)`)
	hardware  = regexp.MustCompile(`\b(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\b`)
	cveNumber = regexp.MustCompile(`(?i)CVE-\d{4}-\d{4,19}`)
	cpeName   = regexp.MustCompile(`cpe:(?:/[aoh]:|2\.3:[aoh]:)[^ ]+`)
	startDate = regexp.MustCompile(`Scan Start Date : (\d{4}/\d{1,2}/\d{1,2} \d{1,2}:\d{2}) (?:UTC|GMT)\b`)
	homes     = regexp.MustCompile(`(?i)((?:\\|/)(?:users|home|documents and settings)(?:\\|/))[^\\/"':;,]+`)
)

func marks(l estate.Line, plugin string) (m estate.Marks) {
	m.AddAgent("tenable", l.Get("uuid"))
	m.Add(estate.ByFQDN, l.Get("dns"))
	m.AddAll(estate.ByMAC, l.Get("mac"))
	if netbios := l.Get("netbios"); netbios != "" {
		m.Add(estate.ByHost, netbios[strings.LastIndexByte(netbios, '\\')+1:])
	}
	output := l.Get("output")
	switch plugin {
	case resolution:
		if found := resolves.FindStringSubmatch(output); found != nil {
			m.Add(estate.ByFQDN, found[1])
		}
	case deviceName:
		if found := hostname.FindStringSubmatch(output); found != nil {
			m.Add(estate.ByHost, found[1])
		}
	case ethernet:
		for _, address := range hardware.FindAllString(output, 8) {
			m.Add(estate.ByMAC, address)
		}
	}
	return m
}

// weaknesses reads the CVE numbers of one field.
func weaknesses(text string) (all []ward.CVE) {
	if text == "" {
		return nil
	}
	for _, number := range cveNumber.FindAllString(text, 1000) {
		if cve := ward.CVE(strings.ToUpper(number)); !slices.Contains(all, cve) {
			all = append(all, cve)
		}
	}
	return all
}

// port is "443/tcp", or empty where the finding is of the host.
func port(l estate.Line) string {
	number := l.Get("port")
	if number == "" || number == "0" {
		return ""
	}
	if protocol := strings.ToLower(l.Get("protocol")); protocol != "" {
		number += "/" + protocol
	}
	return cut(number, 40)
}

// began is when the scan began, where it says so in universal time: abbreviations of other zones mean several.
func began(plugin, output string) (time.Time, bool) {
	if plugin != information {
		return time.Time{}, false
	}
	found := startDate.FindStringSubmatch(output)
	if found == nil {
		return time.Time{}, false
	}
	at, err := time.Parse("2006/1/2 15:04", found[1])
	return at, err == nil
}

// software yields what the scanner enumerated on a host: each name once.
func software(tally *estate.Tally, row estate.Row, output string) error {
	names := cpeName.FindAllString(output, 1000)
	if len(names) == 0 {
		return tally.Row(row)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		row.Software = ward.Software{CPE: name}
		if err := tally.Row(row); err != nil {
			return err
		}
		row.Found = nil
	}
	return nil
}

// nameless takes the owner out of paths below a home folder.
func nameless(output string) string { return homes.ReplaceAllString(output, "${1}...") }

func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-3], "") + "..."
}
