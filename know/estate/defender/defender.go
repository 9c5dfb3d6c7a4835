// Package defender reads the software inventory of Microsoft Defender: a row for each device and title, as the API answers
// it (SoftwareInventoryByMachine and its twin for software without a CPE, one page, several pages or an array), as its export
// files hold it (one JSON object a line), and as CSV, also of the advanced hunting table DeviceTvmSoftwareInventory. Paths
// on disk and in the registry, which name people, are never read. The list of titles without devices is refused.
package defender

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"wardwatch/know/estate"
	"wardwatch/ward"
)

// Reader reads Defender's inventory.
type Reader struct{}

// Format implements estate.Reader.
func (Reader) Format() string { return "defender" }

// Classes implements estate.Knower: Defender sees what carries its agent.
func (Reader) Classes() []ward.Class { return []ward.Class{ward.Workstation, ward.Server} }

// Recognises implements estate.Reader.
func (Reader) Recognises(_ string, head []byte) bool {
	trimmed := bytes.TrimSpace(head)
	if len(trimmed) == 0 {
		return false
	}
	lower := bytes.ToLower(trimmed)
	if trimmed[0] == '{' || trimmed[0] == '[' {
		return bytes.Contains(lower, []byte(`"softwarename"`)) && (bytes.Contains(lower, []byte(`"deviceid"`)) || bytes.Contains(lower, []byte(`"devicename"`))) ||
			bytes.Contains(lower, []byte(`windowsdefenderatp.api.assetsoftware`))
	}
	line, _, _ := bytes.Cut(lower, []byte("\n"))
	return bytes.Contains(line, []byte("softwarename")) && bytes.Contains(line, []byte("device"))
}

// Read implements estate.Reader.
func (Reader) Read(r io.Reader, yield func(estate.Row) error) (estate.Summary, error) {
	text, err := estate.UTF8(r)
	if err != nil {
		return estate.Summary{}, fmt.Errorf("estate/defender: %w", err)
	}
	in := bufio.NewReader(text)
	first, err := firstByte(in)
	switch {
	case errors.Is(err, io.EOF):
		return estate.Summary{}, fmt.Errorf("estate/defender: %w", &ward.Invalid{Problem: "is empty"})
	case err != nil:
		return estate.Summary{}, fmt.Errorf("estate/defender: %w", err)
	}
	tally := estate.NewTally(yield)
	if first == '{' || first == '[' {
		err = readJSON(in, tally)
	} else {
		err = readCSV(in, tally)
	}
	if err != nil {
		return tally.Summary, fmt.Errorf("estate/defender: %w", err)
	}
	return tally.Summary, nil
}

func firstByte(in *bufio.Reader) (byte, error) {
	for {
		b, err := in.ReadByte()
		if err != nil {
			return 0, err
		}
		if !strings.ContainsRune(" \t\r\n", rune(b)) {
			return b, in.UnreadByte()
		}
	}
}

// entry is one device and title. The names are matched without case: the API writes deviceName, its files DeviceName.
type entry struct {
	DeviceID        string `json:"deviceId"`
	DeviceName      string `json:"deviceName"`
	OSPlatform      string `json:"osPlatform"`
	SoftwareVendor  string `json:"softwareVendor"`
	SoftwareName    string `json:"softwareName"`
	SoftwareVersion string `json:"softwareVersion"`
	ProductCodeCPE  string `json:"productCodeCpe"`
}

// device is by what the device of the row before is known, since hundreds of rows follow one another.
type device struct {
	id    string
	marks estate.Marks
}

func (e entry) row(line int, k *device) (row estate.Row, reason string) {
	name := e.DeviceName
	if name == "" {
		name = e.DeviceID
	}
	if name == "" {
		return row, "has neither deviceName nor deviceId"
	}
	cpe := e.ProductCodeCPE
	if !strings.HasPrefix(cpe, "cpe:") {
		cpe = "" // "Not Available"
	}
	if e.DeviceID != k.id {
		k.id, k.marks = e.DeviceID, nil
		k.marks.AddAgent("defender", e.DeviceID)
	}
	return estate.Row{Line: line, Asset: name, Class: class(e.OSPlatform), Marks: k.marks, Software: ward.Software{
		Vendor: e.SoftwareVendor, Product: e.SoftwareName, Version: e.SoftwareVersion, CPE: cpe,
	}}, ""
}

// class reads osPlatform: "Windows10", "Windows11", "WindowsServer2019", "macOS", "Ubuntu"... Defender for Linux is a
// product for servers. Phones are no class of ours.
func class(platform string) ward.Class {
	p := strings.ToLower(platform)
	switch {
	case strings.Contains(p, "server"):
		return ward.Server
	case strings.HasPrefix(p, "windows"), strings.HasPrefix(p, "macos"):
		return ward.Workstation
	}
	for _, distribution := range []string{"linux", "ubuntu", "debian", "redhat", "centos", "suse", "sles", "oracle", "amazon", "fedora", "rocky", "alma", "mariner"} {
		if strings.Contains(p, distribution) {
			return ward.Server
		}
	}
	return ""
}

// readJSON reads one or more JSON values: pages with "value", arrays of entries, entries.
func readJSON(in io.Reader, tally *estate.Tally) error {
	d := json.NewDecoder(in)
	reader := pages{decoder: d, tally: tally}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return reader.cut(err)
		}
		switch token {
		case json.Delim('['):
			err = reader.array()
		case json.Delim('{'):
			err = reader.object()
		default:
			err = &ward.Invalid{Problem: "is no software inventory", Hint: `expected {"value": [...]}, an array or one object a line`}
		}
		if err != nil {
			return err
		}
	}
	if reader.next {
		return &ward.Invalid{Problem: "is one page of several, and what it does not list would look gone",
			Hint: "follow @odata.nextLink to the last page and put the pages after one another in one file"}
	}
	return nil
}

type pages struct {
	decoder *json.Decoder
	tally   *estate.Tally
	known   device
	element int  // counted over all pages, from 1
	next    bool // the newest page says that another follows
}

// cut names a syntax error by where it stands. An error of the input itself stays what it is.
func (p *pages) cut(err error) error {
	var syntax *json.SyntaxError
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &syntax) {
		return &ward.Invalid{Problem: fmt.Sprintf("is cut short or no JSON after element %d", p.element), Hint: "export it again"}
	}
	return err
}

func (p *pages) array() error {
	for p.decoder.More() {
		var raw json.RawMessage
		if err := p.decoder.Decode(&raw); err != nil {
			return p.cut(err)
		}
		if err := p.entry(raw); err != nil {
			return err
		}
	}
	if _, err := p.decoder.Token(); err != nil {
		return p.cut(err)
	}
	return nil
}

func (p *pages) entry(raw []byte) error {
	p.element++
	var e entry
	var row estate.Row
	reason := "is no entry of a software inventory"
	if json.Unmarshal(raw, &e) == nil {
		row, reason = e.row(p.element, &p.known)
	}
	if reason != "" {
		p.tally.Reject(p.element, reason)
		return nil
	}
	return p.tally.Row(row)
}

// object reads what follows an opening brace: a page, or an entry.
func (p *pages) object() error {
	fields := map[string]json.RawMessage{}
	page := false
	p.next = false
	for p.decoder.More() {
		token, err := p.decoder.Token()
		if err != nil {
			return p.cut(err)
		}
		name, _ := token.(string)
		if name == "value" {
			if token, err = p.decoder.Token(); err != nil {
				return p.cut(err)
			}
			if token != json.Delim('[') {
				return &ward.Invalid{Field: "value", Problem: "is no array"}
			}
			if err := p.array(); err != nil {
				return err
			}
			page = true
			continue
		}
		var raw json.RawMessage
		if err := p.decoder.Decode(&raw); err != nil {
			return p.cut(err)
		}
		if name == "@odata.nextLink" {
			p.next = string(raw) != "null" && string(raw) != `""`
		}
		fields[name] = raw
	}
	if _, err := p.decoder.Token(); err != nil {
		return p.cut(err)
	}
	if page {
		return nil
	}
	if problem, ok := fields["error"]; ok {
		return &ward.Invalid{Problem: fmt.Sprintf("is an error message of the API: %.120s", problem)}
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	return p.entry(raw)
}

// readCSV reads an export of separated values by its header.
func readCSV(in io.Reader, tally *estate.Tally) error {
	table, err := estate.NewTable(in)
	if err != nil {
		return err
	}
	header, _, err := table.Next()
	if err != nil {
		return err
	}
	at := map[string]int{}
	for i, title := range header {
		at[strings.ReplaceAll(estate.Key(title), "_", "")] = i
	}
	_, id := at["deviceid"]
	_, name := at["devicename"]
	if _, software := at["softwarename"]; !software || !id && !name {
		return &ward.Invalid{Problem: "has no columns DeviceName and SoftwareName",
			Hint: "export the inventory per device; the list of titles does not say where they are"}
	}
	width := len(header)
	var known device
	for {
		fields, line, err := table.Next()
		var bad *estate.BadRecord
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &bad):
			tally.Reject(bad.Line, bad.Reason)
			continue
		case err != nil:
			return err
		case len(fields) > width:
			tally.Reject(line, fmt.Sprintf("has %d fields and the header %d", len(fields), width))
			continue
		}
		get := func(column string) string {
			if i, ok := at[column]; ok && i < len(fields) {
				return fields[i]
			}
			return ""
		}
		row, reason := entry{
			DeviceID: get("deviceid"), DeviceName: get("devicename"), OSPlatform: get("osplatform"), SoftwareVendor: get("softwarevendor"),
			SoftwareName: get("softwarename"), SoftwareVersion: get("softwareversion"), ProductCodeCPE: get("productcodecpe"),
		}.row(line, &known)
		if reason != "" {
			tally.Reject(line, reason)
			continue
		}
		if err := tally.Row(row); err != nil {
			return err
		}
	}
}
