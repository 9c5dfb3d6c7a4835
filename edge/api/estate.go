package api

import (
	"context"
	"net/http"
	"time"

	"wardwatch/edge"
	"wardwatch/know/estate"
	"wardwatch/ward"
)

// Look is one look of the national watch at what an organisation runs.
type Look struct {
	Org     ward.OrgID `json:"org"`
	Name    string     `json:"name"`
	Subject string     `json:"subject" example:"asset 12"`
	At      time.Time  `json:"at"`
}

// Merge is two assets that are, may be or were held for one device.
type Merge struct {
	ID         int64           `json:"id"`
	Operator   ward.OrgID      `json:"operator"`
	Kept       ward.AssetID    `json:"kept" doc:"under which both are shown"`
	KeptName   string          `json:"kept_name"`
	Merged     ward.AssetID    `json:"merged"`
	MergedName string          `json:"merged_name"`
	Rule       ward.MergeRule  `json:"rule" enum:"person,operator,strong,two,one,conflict"`
	Why        string          `json:"why"`
	State      ward.MergeState `json:"state" enum:"proposed,merged,refused,undone"`
	At         time.Time       `json:"at"`
	By         string          `json:"by"`
	DecidedAt  time.Time       `json:"decided_at,omitzero"`
	DecidedBy  string          `json:"decided_by,omitempty"`
	Reason     string          `json:"reason,omitempty"`
}

func mergeOf(m ward.Merge) Merge { return Merge(m) }

// ScannerFinding is what a vulnerability scanner reports on an asset, apart from what matching says.
type ScannerFinding struct {
	Org        ward.OrgID   `json:"org" doc:"whose source it is"`
	Asset      ward.AssetID `json:"asset"`
	AssetName  string       `json:"asset_name"`
	CVE        ward.CVE     `json:"cve"`
	Plugin     string       `json:"plugin" doc:"the scanner's number of its check"`
	Title      string       `json:"title"`
	Output     string       `json:"output,omitempty" doc:"what the check printed, shortened"`
	Severity   string       `json:"severity,omitempty" doc:"in the scanner's words"`
	Port       string       `json:"port,omitempty" example:"443/tcp"`
	Source     string       `json:"source"`
	Grade      ward.Grade   `json:"grade"`
	FirstSeen  time.Time    `json:"first_seen"`
	ObservedAt time.Time    `json:"observed_at"`
	Gone       bool         `json:"gone" doc:"a later scan of the same source reports it no longer, which does not say that it is fixed"`
}

func scannerFindingOf(f ward.ScannerFinding) ScannerFinding { return ScannerFinding(f) }

// DeclaredMachine is an appliance that a person declared, and the declaration that stands for it.
type DeclaredMachine struct {
	Asset       Asset       `json:"asset"`
	Declaration Declaration `json:"declaration"`
}

// MergePath names a merge.
type MergePath struct {
	ID int64 `path:"merge" minimum:"1"`
}

// Because is why a person decided so.
type Because struct {
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"1000"`
	}
}

func (a *API) devices() {
	e := a.rooms.Estate
	route(a, http.MethodGet, "/organisations/{org}/views", "organisations", "List who at the centre looked at what an organisation runs",
		func(ctx context.Context, who ward.Actor, in *OrgPage) (*Listed[Look], error) {
			if err := who.NeedFor(ward.MayRead, orgOf(in.Org.Org)); err != nil {
				return nil, err
			}
			page, err := e.Views(ctx, who.Scope, orgOf(in.Org.Org), in.After, in.Limit)
			return listed(page, err, func(v ward.View) Look { return Look{v.Org, v.Name, v.Subject, v.At} })
		})
	route(a, http.MethodPost, "/organisations/{org}/appliances", "organisations", "Declare a machine by hand, with what runs on it",
		func(ctx context.Context, who ward.Actor, in *struct {
			Org
			Body struct {
				Vendor         string     `json:"vendor,omitempty" maxLength:"200"`
				Product        string     `json:"product" minLength:"1" maxLength:"200"`
				Version        string     `json:"version" minLength:"1" maxLength:"200"`
				Name           string     `json:"name,omitempty" maxLength:"200" doc:"how you call it; made from the product when not given"`
				Class          ward.Class `json:"class,omitempty" enum:"workstation,server,appliance,mobile_management,medical_device,cloud" doc:"appliance when not given"`
				InternetFacing string     `json:"internet_facing,omitempty" enum:"yes,no,not_known"`
				Site           string     `json:"site,omitempty" maxLength:"1000"`
			}
		}) (*One[DeclaredMachine], error) {
			b := in.Body
			reachable, _ := estate.ParseTri(b.InternetFacing) // one of the three
			d, asset, err := e.DeclareAppliance(ctx, who, ward.DeclaredAppliance{Org: orgOf(in.Org.Org), Vendor: b.Vendor, Product: b.Product, Version: b.Version,
				Name: b.Name, Class: b.Class, Reachable: reachable, Site: b.Site})
			return one(DeclaredMachine{assetOf(asset), declarationOf(d)}, err, func(m DeclaredMachine) DeclaredMachine { return m })
		}, created, document("It is graded self-declared and expires as a declaration does. The same name again is the same machine."))
	route(a, http.MethodGet, "/declarations/expiring", "organisations", "List declarations that expire soon, soonest first",
		func(ctx context.Context, who ward.Actor, in *struct {
			Paging
			Days int `query:"days" minimum:"1" maximum:"90" default:"14"`
		}) (*Listed[Declaration], error) {
			items, err := e.Expiring(ctx, who.Scope, time.Duration(in.Days)*24*time.Hour)
			page, err := part(items, err, in.Paging)
			return listed(page, err, declarationOf)
		})
	route(a, http.MethodGet, "/scanner-findings", "assets", "List what vulnerability scanners report, apart from what matching says",
		func(ctx context.Context, who ward.Actor, in *struct {
			Paging
			Org   string `query:"org" maxLength:"20"`
			Asset int64  `query:"asset" minimum:"0"`
			CVE   string `query:"cve" maxLength:"30"`
			Gone  bool   `query:"gone" doc:"those that the newest scan reports no longer, too"`
		}) (*Listed[ScannerFinding], error) {
			page, err := e.ScannerFindings(ctx, who.Scope, estate.ScannerQuery{Org: orgOf(in.Org), Asset: ward.AssetID(in.Asset), CVE: cveOf(in.CVE), Gone: in.Gone, After: in.After, Limit: in.Limit})
			if err == nil {
				err = edge.Looked(ctx, e, who, "scanner findings", page.Items, func(f ward.ScannerFinding) ward.OrgID { return f.Org })
			}
			return listed(page, err, scannerFindingOf)
		})
	a.merges()
}

func (a *API) merges() {
	e := a.rooms.Estate
	route(a, http.MethodGet, "/merges", "assets", "List which assets are, may be or were held for one device",
		func(ctx context.Context, who ward.Actor, in *struct {
			Paging
			Org   string `query:"org" maxLength:"20" doc:"that operates the assets"`
			Asset int64  `query:"asset" minimum:"0"`
			State string `query:"state" enum:"proposed,merged,refused,undone"`
		}) (*Listed[Merge], error) {
			page, err := e.Merges(ctx, who.Scope, estate.MergeQuery{Org: orgOf(in.Org), Asset: ward.AssetID(in.Asset), State: ward.MergeState(in.State), After: in.After, Limit: in.Limit})
			return listed(page, err, mergeOf)
		})
	route(a, http.MethodPost, "/merges", "assets", "Say that two assets are one device",
		func(ctx context.Context, who ward.Actor, in *struct {
			Body struct {
				One    int64  `json:"one" minimum:"1"`
				Two    int64  `json:"two" minimum:"1"`
				Reason string `json:"reason" minLength:"1" maxLength:"1000"`
			}
		}) (*One[Merge], error) {
			m, err := e.Merge(ctx, who, ward.AssetID(in.Body.One), ward.AssetID(in.Body.Two), in.Body.Reason)
			return one(m, err, mergeOf)
		}, created, document("It can be undone: what each source saw of each stays apart underneath."))
	route(a, http.MethodPost, "/merges/{merge}/accept", "assets", "Merge what a rule proposed",
		func(ctx context.Context, who ward.Actor, in *MergePath) (*One[Merge], error) {
			m, err := e.Accept(ctx, who, in.ID)
			return one(m, err, mergeOf)
		})
	type decided struct {
		MergePath
		Because
	}
	route(a, http.MethodPost, "/merges/{merge}/refuse", "assets", "Say that what a rule proposed are two devices",
		func(ctx context.Context, who ward.Actor, in *decided) (*One[Merge], error) {
			m, err := e.Refuse(ctx, who, in.ID, in.Body.Reason)
			return one(m, err, mergeOf)
		})
	route(a, http.MethodPost, "/merges/{merge}/undo", "assets", "Make two assets of one again",
		func(ctx context.Context, who ward.Actor, in *decided) (*One[Merge], error) {
			m, err := e.Unmerge(ctx, who, in.ID, in.Body.Reason)
			return one(m, err, mergeOf)
		})
}
