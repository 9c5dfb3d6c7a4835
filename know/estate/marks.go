package estate

import (
	"net/netip"
	"slices"
	"strings"
	"unicode"
)

// MarkKind is what a mark of a device is.
type MarkKind string

// The kinds of marks.
const (
	BySerial   MarkKind = "serial number"
	ByHardware MarkKind = "hardware id" // SMBIOS UUID
	ByEntra    MarkKind = "entra device id"
	ByCloud    MarkKind = "cloud instance id"
	ByAgent    MarkKind = "agent id" // a tool's own number, with the tool's name before it: "intune:..."
	ByFQDN     MarkKind = "domain name"
	ByMAC      MarkKind = "mac address"
	ByTag      MarkKind = "asset tag"
	ByHost     MarkKind = "host name"
)

// Strong kinds are shared by no two devices, so that one is enough to say that two assets are one.
var strongKinds = []MarkKind{BySerial, ByHardware, ByEntra, ByCloud, ByAgent, ByFQDN}

// Own kinds belong to the device itself: where two assets differ in one, they are two.
var ownKinds = []MarkKind{BySerial, ByHardware, ByEntra, ByCloud}

// Mark is one thing by which a device can be told from others.
type Mark struct {
	Kind  MarkKind
	Value string // folded, so that equal marks are equal
}

// Marks are what one row says of a device.
type Marks []Mark

// Add takes a value in, unless it is empty, a maker's placeholder or no such thing.
func (m *Marks) Add(kind MarkKind, text string) {
	value := fold(kind, text)
	if value == "" || len(value) > mostMark {
		return
	}
	mark := Mark{kind, value}
	if !slices.Contains(*m, mark) && len(*m) < mostMarks {
		*m = append(*m, mark)
	}
}

// AddAll takes in several values from one field: a list, as tools write addresses.
func (m *Marks) AddAll(kind MarkKind, text string) {
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(",;| \t", r) }) {
		m.Add(kind, part)
	}
}

// AddAgent takes in a tool's own number of a device.
func (m *Marks) AddAgent(tool, id string) {
	if id = fold(ByAgent, id); id != "" {
		m.Add(ByAgent, tool+":"+id)
	}
}

// Bounds of one row's marks: a machine has a handful of network cards.
const (
	mostMark  = 200 // bytes
	mostMarks = 24
)

// placeholders are what makers and virtual machines write where an identifier was never set, folded.
var placeholders = map[string]bool{
	"": true, "none": true, "n/a": true, "na": true, "null": true, "nil": true, "unknown": true, "default": true, "defaultstring": true, "notavailable": true,
	"notspecified": true, "notapplicable": true, "notprovided": true, "tobefilledbyo.e.m.": true, "tobefilledbyoem": true, "systemserialnumber": true, "serialnumber": true,
	"chassisserialnumber": true, "noassettag": true, "noassettaginformation": true, "assettag": true, "invalid": true, "oem": true, "o.e.m.": true, "empty": true,
	"123456789": true, "1234567890": true, "0123456789": true, "123456789012": true, "03000200-0400-0500-0006-000700080009": true, "vmware": true, "parallels": true, "tbd": true, "x": true,
}

// fold makes equal values of one kind equal; empty: it identifies nothing.
func fold(kind MarkKind, text string) string {
	value := strings.ToLower(Clean(text))
	bare := strings.Trim(strings.ReplaceAll(value, " ", ""), `"'{}`)
	if placeholders[bare] || strings.Trim(bare, "0-.:x*#_/f") == "" {
		return ""
	}
	switch kind {
	case BySerial, ByTag:
		if len(bare) < 4 && kind == BySerial {
			return "" // too short to be one device's alone
		}
		return bare
	case ByHardware, ByEntra, ByCloud, ByAgent:
		return strings.TrimPrefix(bare, "guid:")
	case ByMAC:
		return foldMAC(bare)
	case ByFQDN:
		name := strings.TrimSuffix(value, ".")
		last := name[strings.LastIndexByte(name, '.')+1:]
		if !hostName(name) || last == name || !strings.ContainsFunc(last, unicode.IsLetter) {
			return ""
		}
		return name
	case ByHost:
		if !hostName(value) || generic[value] {
			return ""
		}
		return value
	}
	return ""
}

// foldMAC is an address as twelve hexadecimal digits. One that is made up by software, as phones and virtual machines do,
// identifies nothing.
func foldMAC(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9' || r >= 'a' && r <= 'f':
			b.WriteRune(r)
		case r != ':' && r != '-' && r != '.':
			return ""
		}
	}
	mac := b.String()
	if len(mac) != 12 || !strings.ContainsRune("048c", rune(mac[1])) { // locally administered, or of a group
		return ""
	}
	return mac
}

// generic are names that systems carry out of the box.
var generic = map[string]bool{"localhost": true, "iphone": true, "ipad": true, "android": true, "macbook": true, "desktop": true, "laptop": true, "server": true, "printer": true, "windows": true, "ubuntu": true, "debian": true}

// hostName reports whether a text is a host's name, folded, and not an address.
func hostName(text string) bool {
	if text == "" || len(text) > 253 {
		return false
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return false
	}
	for _, r := range text {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_' {
			return false
		}
	}
	return !strings.HasPrefix(text, ".") && !strings.Contains(text, "..")
}

// addNames takes in what an asset's name says: a domain name and the host's name in it.
func (m *Marks) addNames(asset string) {
	m.Add(ByFQDN, asset)
	host, _, _ := strings.Cut(strings.ToLower(asset), ".")
	if hostName(strings.ToLower(asset)) {
		m.Add(ByHost, host)
	}
	for _, mark := range *m {
		if mark.Kind == ByFQDN {
			host, _, _ := strings.Cut(mark.Value, ".")
			m.Add(ByHost, host)
		}
	}
}

// serial is the first serial number of the marks, or empty.
func (m Marks) serial() string {
	for _, mark := range m {
		if mark.Kind == BySerial {
			return mark.Value
		}
	}
	return ""
}
