package app

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"wardwatch/config"
	"wardwatch/know"
	"wardwatch/know/estate"
	"wardwatch/know/estate/cpelist"
	"wardwatch/know/estate/cyclonedx"
	"wardwatch/know/estate/osquery"
	"wardwatch/know/feeds"
	"wardwatch/know/match"
	"wardwatch/ward"
)

// ErrNothingRead is that of a match for which the inventory or all of the intelligence could not be read.
var ErrNothingRead = errors.New("nothing could be read")

// MatchOptions say what the stateless match holds against what.
type MatchOptions struct {
	Intel     []string // files, folders, archives or URLs of publishers' records
	Inventory string   // a file
	Format    string   // "auto" or empty, "csv", "defender", "cyclonedx", "spdx", "osquery", "nmap", "cpe-list"
	Together  bool     // every line is on one asset
	JSON      bool     // one object a line instead of text
	Out       io.Writer
	Err       io.Writer // what could not be read, counted and named
}

// matched is one line of the answer: one pair of asset and weakness.
type matched struct {
	Asset         string          `json:"asset"`
	Software      string          `json:"software"`
	Vulnerability ward.CVE        `json:"vulnerability"`
	Status        ward.Status     `json:"status"`
	Confidence    ward.Confidence `json:"confidence"`
	Source        string          `json:"source"`
	Fixed         string          `json:"fixed"`
	Why           string          `json:"why"`
}

// machine is one asset of the inventory with everything on it.
type machine struct {
	name     string
	software []*match.Identity
	has      map[*match.Identity]bool
}

// Match holds an inventory against publishers' records and keeps nothing. It writes one line for each pair of asset and
// weakness whose product is the same. What cannot be read is named on Err and the rest goes on.
func Match(ctx context.Context, o MatchOptions) error {
	machines, err := readInventory(o)
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, m := range machines {
		for _, id := range m.software {
			for _, key := range id.Keys {
				wanted[key] = true
			}
		}
	}
	weaknesses, err := readIntel(ctx, o, wanted)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(o.Out)
	for _, m := range machines {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, id := range m.software {
			for _, w := range of(weaknesses, id) {
				v, ok := w.Evaluate(id, m.software)
				if !ok {
					continue
				}
				if err := write(out, o.JSON, matched{m.name, id.Software.String(), v.CVE, v.Status, v.Confidence, v.Source, v.Fixed, v.Why}); err != nil {
					return fmt.Errorf("match: %w", err)
				}
			}
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("match: %w", err)
	}
	return nil
}

func write(out io.Writer, asJSON bool, line matched) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(line)
	}
	fixed := ""
	if line.Fixed != "" {
		fixed = " (fixed in " + line.Fixed + ")"
	}
	_, err := fmt.Fprintf(out, "%s: %s: %s %s%s\n    %s\n", line.Asset, line.Software, line.Vulnerability, line.Status, fixed, line.Why)
	return err
}

// of lists the weaknesses that name any of the identity's products, by name.
func of(weaknesses map[string][]*match.Weakness, id *match.Identity) []*match.Weakness {
	if len(id.Keys) == 1 {
		return weaknesses[id.Keys[0]]
	}
	var all []*match.Weakness
	for _, key := range id.Keys {
		all = append(all, weaknesses[key]...)
	}
	slices.SortFunc(all, byName)
	return slices.Compact(all)
}

func byName(a, b *match.Weakness) int { return cmp.Compare(a.CVE, b.CVE) }

// inventoryReaders are the formats that the stateless match reads, in the order in which they are asked.
var inventoryReaders = slices.Insert(readers(), 2, estate.Reader(cpelist.Reader{})) // before CSV, which recognises any text

// readInventory gathers the rows by asset, in the order in which assets first came.
func readInventory(o MatchOptions) ([]*machine, error) {
	file, err := os.Open(o.Inventory)
	if err != nil {
		return nil, fmt.Errorf("match: inventory: %w: %w", err, ErrNothingRead)
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, estate.HeadSize)
	reader, ok := estate.ByFormat(inventoryReaders, o.Format)
	if o.Format == "" || o.Format == "auto" {
		head, err := in.Peek(estate.HeadSize)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("match: inventory %s: %w: %w", o.Inventory, err, ErrNothingRead)
		}
		if reader, ok = estate.Detect(inventoryReaders, filepath.Base(o.Inventory), head); !ok {
			return nil, fmt.Errorf("match: inventory %s: its format is not recognised: name it with --format csv, defender, intune, sccm, medical, nessus, cyclonedx, spdx, osquery, nmap or cpe-list: %w", o.Inventory, ErrNothingRead)
		}
	}
	switch name := filepath.Base(o.Inventory); reader.(type) { // of one machine, which the file does not name
	case osquery.Reader:
		reader = osquery.Reader{Host: name}
	case cyclonedx.Reader:
		reader = cyclonedx.Reader{Asset: name}
	}
	if !ok {
		return nil, fmt.Errorf("match: %w", &ward.Invalid{Field: "format", Problem: fmt.Sprintf("%q is not known", o.Format), Hint: "auto, csv, defender, intune, sccm, medical, nessus, cyclonedx, spdx, osquery, nmap or cpe-list"})
	}
	var machines []*machine
	byName := map[string]*machine{}
	read := map[ward.Software]*match.Identity{}
	apart := reader.Format() == (cpelist.Reader{}).Format() && !o.Together // each of its lines is an asset of its own
	sum, err := reader.Read(in, func(row estate.Row) error {
		if o.Together {
			row.Asset = filepath.Base(o.Inventory)
		}
		m := byName[row.Asset]
		if m == nil || apart {
			m = &machine{name: row.Asset, has: map[*match.Identity]bool{}}
			byName[row.Asset], machines = m, append(machines, m)
		}
		if row.Software == (ward.Software{}) {
			return nil
		}
		id := read[row.Software]
		if id == nil {
			id = match.Read(row.Software)
			read[row.Software] = id
		}
		if !m.has[id] {
			m.has[id] = true
			m.software = append(m.software, id)
		}
		return nil
	})
	if sum.Rejected > 0 {
		fmt.Fprintf(o.Err, "inventory %s: %d of %d rows could not be read\n", o.Inventory, sum.Rejected, sum.Rows)
		for _, problem := range sum.Problems {
			fmt.Fprintf(o.Err, "  %s\n", problem)
		}
	}
	switch {
	case err != nil && len(machines) == 0:
		return nil, fmt.Errorf("match: inventory %s: %w: %w", o.Inventory, err, ErrNothingRead)
	case err != nil:
		fmt.Fprintf(o.Err, "inventory %s: read in part: %v\n", o.Inventory, err)
	case len(machines) == 0 && sum.Rejected > 0:
		return nil, fmt.Errorf("match: inventory %s: no row could be read: %w", o.Inventory, ErrNothingRead)
	}
	return machines, nil
}

// readIntel gathers, by product key, the weaknesses that name a wanted product.
func readIntel(ctx context.Context, o MatchOptions, wanted map[string]bool) (map[string][]*match.Weakness, error) {
	reports := map[ward.CVE][]know.Report{}
	var editions []know.Edition
	records := 0
	for _, location := range o.Intel {
		result, err := feeds.Read(ctx, location, sources(config.Config{}), func(r know.Report) error {
			if r.Edition != nil {
				editions = append(editions, *r.Edition)
			}
			if r.Rejected || slices.ContainsFunc(r.ProductKeys(), func(key string) bool { return wanted[key] }) {
				r.Description, r.References, r.CVSS = "", nil, nil
				reports[r.CVE] = append(reports[r.CVE], r)
			}
			return nil
		})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			fmt.Fprintf(o.Err, "intelligence %s: %v\n", location, err)
		}
		records += tell(o.Err, location, result)
	}
	if records == 0 {
		return nil, fmt.Errorf("match: no record of intelligence was understood: %w", ErrNothingRead)
	}
	takeBack(reports, editions)
	weaknesses := map[string][]*match.Weakness{}
	catalogue := match.NewCatalogue()
	for cve, known := range reports {
		catalogue.Put(cve, known)
		w := catalogue.Weakness(cve)
		if w == nil {
			continue
		}
		for _, key := range w.Keys {
			if wanted[key] {
				weaknesses[key] = append(weaknesses[key], w)
			}
		}
	}
	for _, all := range weaknesses {
		slices.SortFunc(all, byName)
	}
	return weaknesses, nil
}

// takeBack drops what older editions of documents said and newer ones do not.
func takeBack(reports map[ward.CVE][]know.Report, editions []know.Edition) {
	newest := map[string]know.Edition{} // by the first of the names under which the document speaks
	for _, e := range editions {
		if before, ok := newest[e.Sources[0]]; !ok || e.At.After(before.At) {
			newest[e.Sources[0]] = e
		}
	}
	speaks := map[string]know.Edition{}
	for _, e := range newest {
		for _, source := range e.Sources {
			speaks[source] = e
		}
	}
	for cve, said := range reports {
		reports[cve] = slices.DeleteFunc(said, func(r know.Report) bool {
			e, ok := speaks[r.Source]
			return ok && e.Takes(r)
		})
	}
}

// tell names what a location had that could not be understood, and counts what could.
func tell(to io.Writer, location string, result feeds.Result) (records int) {
	const most = 20
	for _, feed := range result.Feeds {
		records += feed.Records
		if feed.Rejected > 0 {
			fmt.Fprintf(to, "intelligence %s: %s: %d records could not be read\n", location, feed.Name, feed.Rejected)
			for i, problem := range feed.Problems {
				if i == most {
					fmt.Fprintf(to, "  and %d more\n", len(feed.Problems)-most)
					break
				}
				fmt.Fprintf(to, "  %s\n", problem)
			}
		}
		if feed.Error != "" {
			fmt.Fprintf(to, "intelligence %s: %s: %s\n", location, feed.Name, feed.Error)
		}
	}
	for _, reason := range result.Reasons() {
		fmt.Fprintf(to, "intelligence %s: %d files passed over: %s (%s)\n", location, len(reason.Files), reason.Reason, firstOf(reason.Files))
	}
	return records
}

func firstOf(files []string) string {
	if len(files) == 1 {
		return files[0]
	}
	return files[0] + " and others"
}
