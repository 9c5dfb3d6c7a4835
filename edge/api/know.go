package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/edge"
	"wardwatch/know"
	"wardwatch/know/estate"
	"wardwatch/know/intel"
	"wardwatch/know/match"
	"wardwatch/ward"
)

// Org is the organisation in a path.
type Org struct {
	Org string `path:"org" minLength:"1" maxLength:"20" doc:"ODS code"`
}

// OrgPage is a page of one organisation's things.
type OrgPage struct {
	Org
	Paging
}

// ofOrg registers a list of one organisation's things, which is not found when the organisation is outside the scope.
func ofOrg[W, T any](a *API, what, summary string, list func(context.Context, ward.Scope, ward.OrgID) ([]W, error), shape func(W) T) {
	route(a, http.MethodGet, "/organisations/{org}/"+what, "organisations", summary, func(ctx context.Context, who ward.Actor, in *OrgPage) (*Listed[T], error) {
		org := orgOf(in.Org.Org)
		if err := who.NeedFor(ward.MayRead, org); err != nil {
			return nil, err
		}
		items, err := list(ctx, who.Scope, org)
		page, err := part(items, err, in.Paging)
		return listed(page, err, shape)
	})
}

func (a *API) organisations() {
	e := a.rooms.Estate
	route(a, http.MethodGet, "/organisations", "organisations", "List the organisations that you may see",
		func(ctx context.Context, who ward.Actor, in *struct{ Paging }) (*Listed[Organisation], error) {
			items, err := e.Organisations(ctx, who.Scope)
			page, err := part(items, err, in.Paging)
			return listed(page, err, organisationOf)
		})
	route(a, http.MethodGet, "/organisations/{org}", "organisations", "Read one organisation",
		func(ctx context.Context, who ward.Actor, in *Org) (*One[Organisation], error) {
			item, err := e.Organisation(ctx, who.Scope, orgOf(in.Org))
			return one(item, err, organisationOf)
		})
	ofOrg(a, "relations", "List how an organisation stands to others", e.Relations, relationOf)
	ofOrg(a, "sites", "List an organisation's sites", e.Sites, siteOf)
	ofOrg(a, "sources", "List who supplies an organisation's inventory", e.Sources, sourceOf)
	ofOrg(a, "coverage", "Say by class who could have seen what", e.Coverage, coverageOf)
	ofOrg(a, "declarations", "List an organisation's signed answers to \"Do you run PRODUCT?\"", e.Declarations, declarationOf)
	ofOrg(a, "owed", "List the responses that an organisation owes", a.rooms.Responses.Owed, responseOf)
	ofOrg(a, "imports", "List an organisation's imports, newest first",
		func(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Import, error) {
			return e.Imports(ctx, scope, org, ward.MostPageSize)
		}, importOf)
	route(a, http.MethodPost, "/organisations/{org}/declarations", "organisations", "Sign an answer to \"Do you run PRODUCT?\"",
		func(ctx context.Context, who ward.Actor, in *struct {
			Org
			Body struct {
				Vendor  string              `json:"vendor,omitempty" maxLength:"200"`
				Product string              `json:"product" minLength:"1" maxLength:"200"`
				Answer  ward.DeclaredAnswer `json:"answer" enum:"yes,no,hosted"`
				Version string              `json:"version,omitempty" maxLength:"200" doc:"for yes"`
				Host    string              `json:"host,omitempty" maxLength:"20" doc:"for hosted: the ODS code of who hosts it"`
				Words   string              `json:"words,omitempty" maxLength:"4000"`
			}
		}) (*One[Declaration], error) {
			b := in.Body
			item, err := e.Declare(ctx, who, ward.Declaration{Org: orgOf(in.Org.Org), Vendor: b.Vendor, Product: b.Product, Answer: b.Answer,
				Version: b.Version, Host: orgOf(b.Host), Words: b.Words})
			return one(item, err, declarationOf)
		}, created)
	a.uploads()
}

func (a *API) uploads() {
	e := a.rooms.Estate
	route(a, http.MethodPost, "/organisations/{org}/imports", "organisations", "Import an inventory",
		func(ctx context.Context, who ward.Actor, in *struct {
			Org
			Source     string    `query:"source" required:"true" minLength:"1" maxLength:"200" doc:"the name of who supplies it, such as defender"`
			Format     string    `query:"format" default:"auto" maxLength:"40" doc:"csv, defender, intune, sccm, medical, nessus, cyclonedx, spdx, osquery, nmap, or auto"`
			Name       string    `query:"name" maxLength:"300" doc:"the file's name, which helps to tell its format"`
			Classes    []string  `query:"classes" maxItems:"20" doc:"the classes that the source speaks for"`
			Grade      string    `query:"grade" enum:"self-declared,tool export,independent" default:"tool export"`
			ObservedAt time.Time `query:"observed_at" doc:"when the inventory was true; as it says itself when not given"`
			Mapping    []string  `query:"mapping" maxItems:"40" doc:"other headers of a CSV file: asset=Hostname"`
			Upload
		}) (*Taken, error) {
			d := estate.Delivery{Org: orgOf(in.Org.Org), Source: in.Source, Format: in.Format, Name: in.Name, Grade: ward.Grade(in.Grade), ObservedAt: in.ObservedAt, Body: in.body}
			for _, class := range in.Classes {
				d.Classes = append(d.Classes, ward.Class(class))
			}
			for _, pair := range in.Mapping {
				ours, theirs, ok := strings.Cut(pair, "=")
				if !ok {
					return nil, &ward.Invalid{Field: "mapping", Problem: "is not a pair", Hint: "give it as asset=Hostname"}
				}
				if d.Mapping == nil {
					d.Mapping = map[string]string{}
				}
				d.Mapping[ours] = theirs
			}
			item, err := e.Import(ctx, who, d)
			switch {
			case errors.Is(err, ward.ErrHeld):
				return &Taken{http.StatusAccepted, importOf(item)}, nil
			case err != nil:
				return nil, err
			case item.State == ward.ImportUnchanged:
				return &Taken{http.StatusOK, importOf(item)}, nil
			}
			return &Taken{http.StatusCreated, importOf(item)}, nil
		}, created,
		document("The body is the file itself. The same file twice changes nothing, so no Idempotency-Key is needed. An import that loses more than a fifth of its source's assets is held, with 202: release or discard it."))
	a.takes("/organisations/{org}/imports", "text/csv", "application/json", "application/octet-stream")
	type held struct {
		ID int64 `path:"import" minimum:"1"`
	}
	route(a, http.MethodPost, "/imports/{import}/release", "organisations", "Apply an import that is held",
		func(ctx context.Context, who ward.Actor, in *held) (*One[Import], error) {
			item, err := e.Release(ctx, who, ward.ImportID(in.ID))
			return one(item, err, importOf)
		})
	route(a, http.MethodPost, "/imports/{import}/discard", "organisations", "Discard an import that is held",
		func(ctx context.Context, who ward.Actor, in *held) (*One[Import], error) {
			item, err := e.Discard(ctx, who, ward.ImportID(in.ID))
			return one(item, err, importOf)
		})
}

// Taken is what became of an import: 201 applied, 200 unchanged, 202 held.
type Taken struct {
	Status int
	Body   Import
}

// AssetDetail is an asset with what runs on it and what that exposes.
type AssetDetail struct {
	Asset
	Software  []Install        `json:"software" nullable:"false"`
	Exposures []Exposure       `json:"exposures" nullable:"false" doc:"the first 500, past ones too"`
	Scanners  []ScannerFinding `json:"scanner_findings" nullable:"false" doc:"what vulnerability scanners report there by themselves: the first 500"`
	Merges    []Merge          `json:"merges" nullable:"false" doc:"what it was, may be or is one device with"`
}

func (a *API) assets() {
	e := a.rooms.Estate
	route(a, http.MethodGet, "/assets", "assets", "List assets",
		func(ctx context.Context, who ward.Actor, in *struct {
			Paging
			Org      string `query:"org" maxLength:"20"`
			Class    string `query:"class" maxLength:"40"`
			Text     string `query:"text" maxLength:"200" doc:"part of the name"`
			Software string `query:"software" maxLength:"200" doc:"part of what runs on it"`
			Gone     bool   `query:"gone" doc:"those that are no longer seen, instead"`
		}) (*Listed[Asset], error) {
			page, err := e.Assets(ctx, who.Scope, estate.AssetQuery{Org: orgOf(in.Org), Class: ward.Class(in.Class), Text: in.Text, Software: in.Software, Gone: in.Gone, After: in.After, Limit: in.Limit})
			if err == nil && in.Org != "" && len(page.Items) > 0 {
				err = a.rooms.Door.Seen(ctx, who, "assets.view", string(orgOf(in.Org)), orgOf(in.Org))
			}
			if err == nil {
				err = edge.Looked(ctx, e, who, "assets", page.Items, func(asset ward.Asset) ward.OrgID { return asset.Operator })
			}
			return listed(page, err, assetOf)
		})
	route(a, http.MethodGet, "/assets/{asset}", "assets", "Read one asset, its software and its exposures",
		func(ctx context.Context, who ward.Actor, in *struct {
			ID int64 `path:"asset" minimum:"1"`
		}) (*One[AssetDetail], error) {
			asset, err := e.Asset(ctx, who.Scope, ward.AssetID(in.ID))
			if err != nil {
				return nil, err
			}
			id := asset.ID // another, where the asset is merged
			installs, err := e.Installs(ctx, who.Scope, id)
			if err != nil {
				return nil, err
			}
			exposures, err := a.rooms.Matches.Exposures(ctx, who.Scope, match.ExposureQuery{Asset: id, Limit: ward.MostPageSize})
			if err != nil {
				return nil, err
			}
			if who.Scope.All() {
				if err := a.rooms.Door.Seen(ctx, who, "asset.view", fmt.Sprintf("%s/asset/%d", asset.Operator, id), asset.Operator); err != nil {
					return nil, err
				}
			}
			reported, err := e.ScannerFindings(ctx, who.Scope, estate.ScannerQuery{Asset: id, Limit: ward.MostPageSize})
			if err != nil {
				return nil, err
			}
			merges, err := e.Merges(ctx, who.Scope, estate.MergeQuery{Asset: id, Limit: ward.MostPageSize})
			if err != nil {
				return nil, err
			}
			return &One[AssetDetail]{AssetDetail{assetOf(asset), shapes(installs, installOf), shapes(exposures.Items, exposureOf),
				shapes(reported.Items, scannerFindingOf), shapes(merges.Items, mergeOf)}}, nil
		})
}

// CVE is the weakness in a path.
type CVE struct {
	CVE string `path:"cve" pattern:"^[Cc][Vv][Ee]-[0-9]{4}-[0-9]{4,19}$" example:"CVE-2025-4427"`
}

// Count is how many of an organisation's assets are exposed.
type Count struct {
	Org    ward.OrgID `json:"org"`
	Assets int        `json:"assets"`
}

// HistoryStep is how many assets and organisations were exposed from a moment on.
type HistoryStep struct {
	At     time.Time `json:"at"`
	Assets int       `json:"assets"`
	Orgs   int       `json:"organisations"`
}

func (a *API) vulnerabilities() {
	l, m := a.rooms.Library, a.rooms.Matches
	route(a, http.MethodGet, "/vulnerabilities", "vulnerabilities", "Search weaknesses",
		func(ctx context.Context, who ward.Actor, in *struct {
			Paging
			Text      string `query:"text" maxLength:"200" doc:"an identifier, or words of the title"`
			Exploited bool   `query:"exploited" doc:"only those known to be exploited"`
		}) (*Listed[Vulnerability], error) {
			if err := who.Need(ward.MayRead); err != nil {
				return nil, err
			}
			page, err := l.Search(ctx, intel.Query{Text: in.Text, Exploited: in.Exploited, After: in.After, Limit: in.Limit})
			return listed(page, err, vulnerabilityOf)
		})
	route(a, http.MethodGet, "/vulnerabilities/{cve}", "vulnerabilities", "Read one weakness",
		func(ctx context.Context, who ward.Actor, in *CVE) (*One[Vulnerability], error) {
			if err := who.Need(ward.MayRead); err != nil {
				return nil, err
			}
			item, err := l.Vulnerability(ctx, cveOf(in.CVE))
			return one(item, err, vulnerabilityOf)
		})
	route(a, http.MethodGet, "/vulnerabilities/{cve}/reports", "vulnerabilities", "Say who says what of a weakness, side by side",
		func(ctx context.Context, who ward.Actor, in *struct {
			CVE
			Paging
		}) (*Listed[know.Report], error) {
			if err := who.Need(ward.MayRead); err != nil {
				return nil, err
			}
			items, err := l.Reports(ctx, cveOf(in.CVE.CVE))
			page, err := part(items, err, in.Paging)
			return listed(page, err, func(r know.Report) know.Report { return r })
		})
	route(a, http.MethodGet, "/vulnerabilities/{cve}/counts", "vulnerabilities", "Count exposed assets by organisation, now",
		func(ctx context.Context, who ward.Actor, in *struct {
			CVE
			Paging
		}) (*Listed[Count], error) {
			items, err := m.Counts(ctx, who.Scope, cveOf(in.CVE.CVE))
			page, err := part(items, err, in.Paging)
			return listed(page, err, func(c match.OrgCount) Count { return Count{c.Org, c.Assets} })
		})
	route(a, http.MethodGet, "/vulnerabilities/{cve}/history", "vulnerabilities", "Say who was exposed over time",
		func(ctx context.Context, who ward.Actor, in *struct {
			CVE
			Paging
		}) (*Listed[HistoryStep], error) {
			items, err := m.History(ctx, who.Scope, cveOf(in.CVE.CVE))
			page, err := part(items, err, in.Paging)
			return listed(page, err, func(s match.Step) HistoryStep { return HistoryStep{s.At, s.Assets, s.Orgs} })
		})
}

// WhichExposures asks for exposures.
type WhichExposures struct {
	Org     string    `query:"org" maxLength:"20"`
	CVE     string    `query:"cve" maxLength:"30"`
	Asset   int64     `query:"asset" minimum:"0"`
	Vendor  string    `query:"vendor" maxLength:"200"`
	Product string    `query:"product" maxLength:"200"`
	AsAt    time.Time `query:"as_at" doc:"as it stood then, by what was known by then"`
	Status  string    `query:"status" enum:"affected,version_unknown,platform_unknown" default:"affected"`
	Open    bool      `query:"open" doc:"only those that have not ended"`
}

func (w WhichExposures) query(after string, limit int) match.ExposureQuery {
	return match.ExposureQuery{Org: orgOf(w.Org), CVE: cveOf(w.CVE), Asset: ward.AssetID(w.Asset), Vendor: w.Vendor, Product: w.Product, Status: ward.Status(w.Status), AsAt: w.AsAt, Open: w.Open, After: after, Limit: limit}
}

func (a *API) exposures() {
	m := a.rooms.Matches
	route(a, http.MethodGet, "/exposures", "exposures", "List exposures by weakness, organisation, asset or product",
		func(ctx context.Context, who ward.Actor, in *struct {
			Paging
			WhichExposures
		}) (*Listed[Exposure], error) {
			page, err := m.Exposures(ctx, who.Scope, in.query(in.After, in.Limit))
			if err == nil {
				err = edge.Looked(ctx, a.rooms.Estate, who, "exposures", page.Items, func(e ward.Exposure) ward.OrgID { return e.Org })
			}
			return listed(page, err, exposureOf)
		})
	header := []string{"org", "cve", "asset", "class", "site", "software", "version", "status", "fixed", "why", "stated_by", "seen_by", "grade", "first_seen", "last_seen", "ended"}
	route(a, http.MethodGet, "/exposures.csv", "exposures", "Export exposures as CSV",
		func(ctx context.Context, who ward.Actor, in *struct{ WhichExposures }) (*huma.StreamResponse, error) {
			first, err := m.Exposures(ctx, who.Scope, in.query("", ward.MostPageSize))
			if err != nil {
				return nil, err
			}
			if err := a.rooms.Door.Seen(ctx, who, "exposures.export", strings.Join(slices.DeleteFunc([]string{in.Org, in.CVE}, func(s string) bool { return s == "" }), " "), orgOf(in.Org)); err != nil {
				return nil, err
			}
			page := first
			return a.table(ctx, "exposures.csv", header, func() (rows [][]string, more bool, err error) {
				if err := edge.Looked(ctx, a.rooms.Estate, who, "exposures", page.Items, func(e ward.Exposure) ward.OrgID { return e.Org }); err != nil {
					return nil, false, err
				}
				for _, e := range page.Items {
					rows = append(rows, []string{string(e.Org), string(e.Verdict.CVE), e.Asset.Name, string(e.Asset.Class), e.Asset.Site, e.Software.String(), e.Software.Version,
						string(e.Verdict.Status), e.Verdict.Fixed, e.Verdict.Why, e.Verdict.Source, e.Source, string(e.Grade), stamp(e.FirstSeen), stamp(e.LastSeen), e.Ended})
				}
				if page.Next == "" {
					return rows, false, nil
				}
				page, err = m.Exposures(ctx, who.Scope, in.query(page.Next, ward.MostPageSize))
				return rows, true, err
			}), nil
		}, asCSV)
}
