// Package nmap reads the XML report of an Nmap scan: each host that answered is an asset, by its name or else its address,
// and each service that was recognised on an open port is software on it, with the CPE names that the scanner gives. What it
// only guesses from a port's number, and its guess at the operating system, are not taken for observations. Outputs of scripts,
// arguments and traces are never read. Hosts are read one by one, however long the report is.
package nmap

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"wardwatch/know/estate"
	"wardwatch/ward"
)

// Reader reads Nmap XML.
type Reader struct{}

// Format implements estate.Reader.
func (Reader) Format() string { return "nmap" }

// Recognises implements estate.Reader.
func (Reader) Recognises(_ string, head []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(head), []byte("<")) && bytes.Contains(head, []byte("<nmaprun"))
}

// mostServices bounds the services of one host: there are 65,536 ports for each of two protocols.
const mostServices = 1 << 17

// Read implements estate.Reader.
func (Reader) Read(r io.Reader, yield func(estate.Row) error) (estate.Summary, error) {
	in, err := estate.NewMarkup(r)
	if err != nil {
		return estate.Summary{}, fmt.Errorf("estate/nmap: %w", err)
	}
	report := report{in: in, tally: estate.NewTally(yield)}
	if err := report.read(); err != nil {
		return report.tally.Summary, fmt.Errorf("estate/nmap: %w", err)
	}
	return report.tally.Summary, nil
}

type report struct {
	in    *estate.Markup
	tally *estate.Tally
}

func (p *report) read() error {
	begun, ended := false, false
	for {
		token, err := p.in.Token()
		if errors.Is(err, io.EOF) {
			if !begun || !ended {
				return &ward.Invalid{Problem: "is empty, cut short or no report of Nmap", Hint: "give the file that nmap -oX wrote, of a scan that came to its end"}
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch {
			case !begun && e.Name.Local != "nmaprun":
				return &ward.Invalid{Problem: fmt.Sprintf("begins with <%.40s>, not <nmaprun>", e.Name.Local)}
			case !begun:
				begun = true
				p.observed(estate.Attribute(e, "start"))
			case e.Name.Local == "host":
				err = p.host()
			case e.Name.Local == "finished":
				p.observed(estate.Attribute(e, "time"))
			case e.Name.Local != "runstats":
				err = p.in.Skip()
			}
			if err != nil {
				return err
			}
		case xml.EndElement:
			ended = ended || e.Name.Local == "nmaprun"
		}
	}
}

// end says that an input which stops inside an element is cut short.
func end(err error) error {
	if errors.Is(err, io.EOF) {
		return &ward.Invalid{Problem: "is cut short", Hint: "export it again"}
	}
	return err
}

func (p *report) observed(seconds string) {
	if n, err := strconv.ParseInt(seconds, 10, 64); err == nil && n > 0 {
		if at := time.Unix(n, 0).UTC(); at.After(p.tally.ObservedAt) {
			p.tally.ObservedAt = at
		}
	}
}

// host is one host while it is read.
type host struct {
	line                  int
	up                    bool
	name, ipv4, ipv6, mac string
	class                 ward.Class
	software              []ward.Software
	seen                  map[ward.Software]bool
	service               *service // being read, on a port that may be open
}

type service struct {
	open          bool
	product, text string
	probed        bool
	cpes          []string
}

// host reads what follows <host>.
func (p *report) host() error {
	h := &host{line: p.in.Line(), up: true, seen: map[ward.Software]bool{}}
	for {
		token, err := p.in.Token()
		if err != nil {
			return end(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			if err := p.inside(h, e); err != nil {
				return err
			}
		case xml.EndElement:
			switch e.Name.Local {
			case "port":
				h.found()
			case "host":
				return p.yield(h)
			}
		}
	}
}

func (p *report) inside(h *host, e xml.StartElement) error {
	at := func(name string) string { return estate.Attribute(e, name) }
	switch e.Name.Local {
	case "status":
		h.up = at("state") != "down"
	case "address":
		switch at("addrtype") {
		case "ipv4":
			h.ipv4 = at("addr")
		case "ipv6":
			h.ipv6 = at("addr")
		case "mac":
			h.mac = at("addr")
		}
	case "hostname":
		if name := at("name"); h.name == "" || at("type") == "user" {
			h.name = name
		}
	case "port":
		h.service = &service{}
	case "state":
		if h.service != nil {
			h.service.open = at("state") == "open"
		}
	case "service":
		if h.service != nil {
			h.service.product, h.service.text, h.service.probed = at("product"), at("version"), at("method") == "probed"
			h.class = kind(at("devicetype"), h.class)
		}
	case "cpe":
		name, err := p.text()
		if h.service != nil && len(h.service.cpes) < 16 {
			h.service.cpes = append(h.service.cpes, strings.TrimSpace(name))
		}
		return err
	case "hostnames", "ports":
	default: // scripts, the guess at the operating system, traces, times
		return p.in.Skip()
	}
	return nil
}

// text reads what an element holds, to its end.
func (p *report) text() (string, error) {
	var b strings.Builder
	for {
		token, err := p.in.Token()
		if err != nil {
			return "", end(err)
		}
		switch t := token.(type) {
		case xml.CharData:
			b.Write(t)
		case xml.StartElement:
			if err := p.in.Skip(); err != nil {
				return "", err
			}
		case xml.EndElement:
			return b.String(), nil
		}
	}
}

// kind reads the scanner's word for what a device is; the words that tell nothing of a class of ours keep what is known.
func kind(device string, known ward.Class) ward.Class {
	switch device {
	case "firewall", "router", "switch", "WAP", "load balancer", "broadband router", "security-misc", "bridge", "proxy server", "VPN":
		return ward.Appliance
	}
	return known
}

// found takes in the service of a port that has ended: the product with the first name of an application, and every further
// name by itself.
func (h *host) found() {
	s := h.service
	h.service = nil
	if s == nil || !s.open || !s.probed && len(s.cpes) == 0 { // a CPE name comes of a probe, whatever is said of the method
		return
	}
	own := ward.Software{Product: s.product, Version: s.text}
	var others []ward.Software
	for _, cpe := range s.cpes {
		if own.CPE == "" && strings.HasPrefix(cpe, "cpe:/a:") {
			own.CPE = cpe
			continue
		}
		others = append(others, ward.Software{CPE: cpe})
	}
	if own.Product == "" && own.CPE == "" {
		own = ward.Software{} // a protocol, not a product
	}
	for _, sw := range append([]ward.Software{own}, others...) {
		if sw != (ward.Software{}) && len(h.software) < mostServices && !h.seen[sw] {
			h.seen[sw] = true
			h.software = append(h.software, sw)
		}
	}
}

func (p *report) yield(h *host) error {
	if !h.up {
		return nil
	}
	row := estate.Row{Line: h.line, Class: h.class}
	row.Marks.Add(estate.ByMAC, h.mac)
	for _, name := range []string{h.name, h.ipv4, h.ipv6, h.mac} {
		if row.Asset == "" {
			row.Asset = estate.Clean(name)
		}
	}
	if len(h.software) == 0 {
		return p.tally.Row(row)
	}
	for _, sw := range h.software {
		row.Software = sw
		if err := p.tally.Row(row); err != nil {
			return err
		}
	}
	return nil
}
