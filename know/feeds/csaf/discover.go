package csaf

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"

	"wardwatch/know/feeds"
)

// list is the JSON of everything that leads to documents: an aggregator, a provider's metadata, a ROLIE service or feed.
type list struct {
	Providers []struct {
		Metadata struct {
			URL string `json:"url"`
		} `json:"metadata"`
	} `json:"csaf_providers"`
	Distributions []struct {
		Directory string   `json:"directory_url"` // 2.0
		Folder    struct { // 2.1
			URL string `json:"url"`
		} `json:"directory"`
		ROLIE struct {
			Feeds []struct {
				URL string `json:"url"`
			} `json:"feeds"`
		} `json:"rolie"`
	} `json:"distributions"`
	Service *struct {
		Workspaces []struct {
			Collections []struct {
				HREF string `json:"href"`
			} `json:"collection"`
		} `json:"workspace"`
	} `json:"service"`
	Feed *struct {
		Entries []struct {
			Updated string `json:"updated"`
			Content struct {
				Source string `json:"src"`
			} `json:"content"`
			Links []struct {
				Relation string `json:"rel"`
				HREF     string `json:"href"`
			} `json:"link"`
		} `json:"entry"`
	} `json:"feed"`
}

// Guide implements feeds.Guided: an aggregator's list and a provider's metadata lead to feeds and directories, these to the
// documents. Of a directory the list of changes is read ("changes.csv": path and time), or the plain list ("index.txt").
func (*Source) Guide(address string, body []byte) (leads []feeds.Lead, ok bool, err error) {
	base, err := url.Parse(address)
	if err != nil {
		return nil, false, err
	}
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF")))
	switch {
	case bytes.HasPrefix(body, []byte("{")):
		return guideJSON(base, body)
	case path.Base(base.Path) == "changes.csv":
		leads, err = guideChanges(base, body)
		return leads, true, err
	case path.Base(base.Path) == "index.txt":
		for line := range strings.Lines(string(body)) {
			if line = strings.TrimSpace(line); strings.HasSuffix(line, ".json") {
				leads = appendLead(leads, base, line, "", false)
			}
		}
		return leads, true, nil
	}
	return nil, false, nil
}

func guideJSON(base *url.URL, body []byte) (leads []feeds.Lead, ok bool, err error) {
	keys := feeds.Keys(body[:min(len(body), feeds.HeadSize)])
	if !slices.ContainsFunc(keys, func(key string) bool {
		return slices.Contains([]string{"csaf_providers", "distributions", "service", "feed", "canonical_url", "aggregator"}, key)
	}) {
		return nil, false, nil
	}
	var l list
	if err := json.Unmarshal(body, &l); err != nil {
		return nil, true, fmt.Errorf("feeds/csaf: %s: %w", base, err)
	}
	for _, p := range l.Providers {
		leads = appendLead(leads, base, p.Metadata.URL, "", true)
	}
	for _, d := range l.Distributions {
		for _, f := range d.ROLIE.Feeds {
			leads = appendLead(leads, base, f.URL, "", true)
		}
		for _, folder := range []string{d.Directory, d.Folder.URL} {
			if folder != "" && len(d.ROLIE.Feeds) == 0 {
				leads = appendLead(leads, base, strings.TrimSuffix(folder, "/")+"/changes.csv", "", true)
			}
		}
	}
	if l.Service != nil {
		for _, w := range l.Service.Workspaces {
			for _, c := range w.Collections {
				leads = appendLead(leads, base, c.HREF, "", true)
			}
		}
	}
	if l.Feed != nil {
		for _, e := range l.Feed.Entries {
			at := e.Content.Source
			for _, link := range e.Links {
				if at == "" && link.Relation == "self" {
					at = link.HREF
				}
			}
			leads = appendLead(leads, base, at, e.Updated, false)
		}
	}
	return leads, true, nil
}

// guideChanges reads a list of changes: a path and a time a line, newest first.
func guideChanges(base *url.URL, body []byte) (leads []feeds.Lead, err error) {
	lines := csv.NewReader(bytes.NewReader(body))
	lines.FieldsPerRecord = -1
	for {
		fields, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return leads, nil
		}
		if err != nil {
			return leads, fmt.Errorf("feeds/csaf: %s: %w", base, err)
		}
		if len(fields) >= 2 && strings.HasSuffix(fields[0], ".json") {
			leads = appendLead(leads, base, fields[0], fields[1], false)
		}
	}
}

// appendLead adds an address, which may be relative to that of the list. Anything but the web is left out.
func appendLead(leads []feeds.Lead, base *url.URL, at, updated string, list bool) []feeds.Lead {
	u, err := base.Parse(strings.TrimSpace(at))
	if err != nil || at == "" || u.Host == "" || u.Scheme != "https" && u.Scheme != base.Scheme || u.Scheme != "https" && u.Scheme != "http" {
		return leads
	}
	return append(leads, feeds.Lead{URL: u.String(), Updated: feeds.Moment(upper(updated)), List: list})
}
