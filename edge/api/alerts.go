package api

import (
	"context"
	"net/http"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/ward"
)

// AlertID is the alert in a path.
type AlertID struct {
	ID string `path:"alert" maxLength:"40" example:"CC-900001"`
}

func (i AlertID) id() ward.AlertID { return ward.AlertID(i.ID) }

// AlertChange is a change of an alert without a body.
type AlertChange struct {
	AlertID
	Match
}

// PublishedAlert is what a publication came to.
type PublishedAlert struct {
	Alert    Alert        `json:"alert"`
	Notified int          `json:"notified" doc:"organisations that must answer"`
	Informed int          `json:"informed" doc:"organisations that read it"`
	Closed   []ward.OrgID `json:"closed,omitempty" doc:"chosen, and not told because they are closed"`
}

func publishedOf(p alerts.Published) PublishedAlert {
	return PublishedAlert{alertOf(p.Alert), p.Notified, p.Informed, p.Closed}
}

// AlertVersion is one version of an alert, with who made it.
type AlertVersion struct {
	At    time.Time `json:"at"`
	By    string    `json:"by"`
	Wrote bool      `json:"wrote" doc:"changed the text, and not only the state"`
	Alert Alert     `json:"alert"`
}

// Reason is why something is done.
type Reason struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500"`
}

func (a *API) alerts() {
	b := a.rooms.Alerts
	shaped := func(item ward.Alert, err error) (*Versioned[Alert], error) {
		return versioned(item, item.Version, err, alertOf)
	}
	route(a, http.MethodGet, "/alerts", "alerts", "List alerts",
		func(ctx context.Context, who ward.Actor, in *struct {
			Paging
			State string `query:"state" enum:"draft,approved,published,closed,withdrawn,superseded"`
			Org   string `query:"org" maxLength:"20" doc:"only those that went to it"`
			CVE   string `query:"cve" maxLength:"30"`
			Text  string `query:"text" maxLength:"200" doc:"part of the threat ID or title"`
		}) (*Listed[Alert], error) {
			page, err := b.List(ctx, who.Scope, alerts.Query{State: ward.AlertState(in.State), Org: orgOf(in.Org), CVE: cveOf(in.CVE), Text: in.Text, After: in.After, Limit: in.Limit})
			return listed(page, err, alertOf)
		})
	route(a, http.MethodGet, "/alerts/{alert}", "alerts", "Read one alert",
		func(ctx context.Context, who ward.Actor, in *AlertID) (*Versioned[Alert], error) {
			return shaped(b.Get(ctx, who.Scope, in.id()))
		})
	route(a, http.MethodGet, "/alerts/{alert}/versions", "alerts", "Read every version of an alert",
		func(ctx context.Context, who ward.Actor, in *struct {
			AlertID
			Paging
		}) (*Listed[AlertVersion], error) {
			items, err := b.Versions(ctx, who.Scope, in.id())
			page, err := part(items, err, in.Paging)
			return listed(page, err, func(v alerts.Version) AlertVersion { return AlertVersion{v.At, v.By, v.Wrote, alertOf(v.Alert)} })
		})
	route(a, http.MethodGet, "/alerts/{alert}/compare", "alerts", "Compare two versions of an alert",
		func(ctx context.Context, who ward.Actor, in *struct {
			AlertID
			From int `query:"from" required:"true" minimum:"1"`
			To   int `query:"to" required:"true" minimum:"1"`
		}) (*Listed[FieldChange], error) {
			items, err := b.Compare(ctx, who.Scope, in.id(), in.From, in.To)
			return listed(ward.Page[alerts.FieldChange]{Items: items}, err, fieldChangeOf)
		})
	route(a, http.MethodGet, "/alerts/{alert}/audience", "alerts", "Say who must answer an alert and who reads it",
		func(ctx context.Context, who ward.Actor, in *AlertID) (*One[Audience], error) {
			audience, err := b.Who(ctx, who.Scope, in.id())
			return one(audience, err, audienceOf)
		})
	route(a, http.MethodPost, "/alerts", "alerts", "Draft an alert",
		func(ctx context.Context, who ward.Actor, in *struct{ Body AlertWords }) (*Versioned[Alert], error) {
			return shaped(b.Draft(ctx, who, in.Body.alert()))
		}, created)
	route(a, http.MethodPost, "/findings/{finding}/alert", "alerts", "Draft an alert from a finding",
		func(ctx context.Context, who ward.Actor, in *struct {
			ID string `path:"finding" maxLength:"100"`
		}) (*Versioned[Alert], error) {
			return shaped(b.DraftFromFinding(ctx, who, ward.FindingID(in.ID)))
		}, created)
	route(a, http.MethodPost, "/vulnerabilities/{cve}/alert", "alerts", "Draft an alert from a weakness",
		func(ctx context.Context, who ward.Actor, in *CVE) (*Versioned[Alert], error) {
			return shaped(b.DraftFromCVE(ctx, who, cveOf(in.CVE)))
		}, created)
	route(a, http.MethodPut, "/alerts/{alert}", "alerts", "Edit an alert",
		func(ctx context.Context, who ward.Actor, in *struct {
			AlertChange
			Body AlertWords
		}) (*Versioned[Alert], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return shaped(b.Edit(ctx, who, in.id(), version, in.Body.alert()))
		})
	route(a, http.MethodPut, "/alerts/{alert}/clocks", "alerts", "Change the clocks of an alert before it is published",
		func(ctx context.Context, who ward.Actor, in *struct {
			AlertChange
			Body struct {
				AcknowledgeWithin float64   `json:"acknowledge_within_hours,omitempty" minimum:"0" maximum:"8760" doc:"as the policy says when not given"`
				UpdateEvery       float64   `json:"update_every_hours,omitempty" minimum:"0" maximum:"8760" doc:"as the policy says when not given"`
				RemediateBy       time.Time `json:"remediate_by,omitempty,omitzero"`
				CheckRequired     bool      `json:"check_required,omitempty"`
				CheckWhy          string    `json:"check_why,omitempty" maxLength:"500"`
				Why               string    `json:"why,omitempty" maxLength:"500" doc:"needed where they differ from the policy's"`
			}
		}) (*Versioned[Alert], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			c := in.Body
			return shaped(b.SetClocks(ctx, who, in.id(), version, alerts.Clocks{AcknowledgeWithin: inHours(c.AcknowledgeWithin), UpdateEvery: inHours(c.UpdateEvery),
				RemediateBy: c.RemediateBy, CheckRequired: c.CheckRequired, CheckWhy: c.CheckWhy, Why: c.Why}))
		})
	bare := func(path, summary string, do func(context.Context, ward.Actor, ward.AlertID, int) (ward.Alert, error)) {
		route(a, http.MethodPost, "/alerts/{alert}/"+path, "alerts", summary,
			func(ctx context.Context, who ward.Actor, in *AlertChange) (*Versioned[Alert], error) {
				version, err := in.version()
				if err != nil {
					return nil, err
				}
				return shaped(do(ctx, who, in.id(), version))
			})
	}
	bare("approve", "Approve an alert that another drafted", b.Approve)
	bare("countersign", "Give the second approval of an alert that another published alone", b.Countersign)
	bare("close", "Close an alert", b.Close)
	route(a, http.MethodPost, "/alerts/{alert}/withdraw", "alerts", "Withdraw an alert",
		func(ctx context.Context, who ward.Actor, in *struct {
			AlertChange
			Body Reason
		}) (*Versioned[Alert], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return shaped(b.Withdraw(ctx, who, in.id(), version, in.Body.Reason))
		})
	route(a, http.MethodPost, "/alerts/{alert}/preview", "alerts", "Say who would be told what, by which channel, and what is known of each",
		func(ctx context.Context, who ward.Actor, in *struct {
			AlertID
			Body Audience
		}) (*Listed[Told], error) {
			preview, err := b.Preview(ctx, who, in.id(), in.Body.audience())
			return listed(ward.Page[alerts.Told]{Items: preview.Told}, err, toldOf)
		})
	route(a, http.MethodPost, "/alerts/{alert}/publish", "alerts", "Publish an approved alert",
		func(ctx context.Context, who ward.Actor, in *struct {
			AlertChange
			Body Audience
		}) (*Versioned[PublishedAlert], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			done, err := b.Publish(ctx, who, in.id(), version, in.Body.audience())
			return versioned(done, done.Alert.Version, err, publishedOf)
		})
	route(a, http.MethodPost, "/alerts/{alert}/publish-alone", "alerts", "Publish a draft alone, in an emergency",
		func(ctx context.Context, who ward.Actor, in *struct {
			AlertChange
			Body struct {
				Audience
				Reason
			}
		}) (*Versioned[PublishedAlert], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			done, err := b.PublishAlone(ctx, who, in.id(), version, in.Body.audience(), in.Body.Reason.Reason)
			return versioned(done, done.Alert.Version, err, publishedOf)
		}, document("Needs POST /account/confirm within the last ten minutes, in the same session. Everybody at the desk is told, and a second approval is owed within four hours."))
	route(a, http.MethodGet, "/countersigns", "alerts", "List the alerts whose second approval is owed",
		func(ctx context.Context, who ward.Actor, in *struct{ Paging }) (*Listed[Alert], error) {
			items, err := b.Countersigns(ctx, who.Scope)
			page, err := part(items, err, in.Paging)
			return listed(page, err, alertOf)
		})
}

func (a *API) revisions() {
	b := a.rooms.Alerts
	shaped := func(item ward.Revision, err error) (*Versioned[Revision], error) {
		return versioned(item, item.Version, err, revisionOf)
	}
	const path = "/alerts/{alert}/revision"
	route(a, http.MethodGet, "/revisions", "revisions", "List the revisions that wait for a second person",
		func(ctx context.Context, who ward.Actor, in *struct{ Paging }) (*Listed[Revision], error) {
			items, err := b.Revisions(ctx, who.Scope)
			page, err := part(items, err, in.Paging)
			return listed(page, err, revisionOf)
		})
	route(a, http.MethodGet, path, "revisions", "Read the revision of an alert that waits",
		func(ctx context.Context, who ward.Actor, in *AlertID) (*Versioned[Revision], error) {
			return shaped(b.Revision(ctx, who.Scope, in.id()))
		})
	route(a, http.MethodGet, path+"/compare", "revisions", "Compare the revision that waits with its alert",
		func(ctx context.Context, who ward.Actor, in *AlertID) (*Listed[FieldChange], error) {
			items, err := b.CompareRevision(ctx, who.Scope, in.id())
			return listed(ward.Page[alerts.FieldChange]{Items: items}, err, fieldChangeOf)
		})
	route(a, http.MethodPost, path+"/proposal", "revisions", "Say whether the rules call a new text material",
		func(ctx context.Context, who ward.Actor, in *struct {
			AlertID
			Body AlertWords
		}) (*One[Proposal], error) {
			p, err := b.Proposed(ctx, who, in.id(), in.Body.alert())
			return one(p, err, func(p alerts.Proposal) Proposal { return Proposal(p) })
		})
	route(a, http.MethodPost, path, "revisions", "Write a revision of a published alert",
		func(ctx context.Context, who ward.Actor, in *struct {
			AlertChange
			Body RevisionWords
		}) (*Versioned[Revision], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return shaped(b.Revise(ctx, who, in.id(), version, in.Body.Words.alert(), in.Body.change()))
		}, created, document("If-Match is the ETag of the alert."))
	route(a, http.MethodPut, path, "revisions", "Edit the revision that waits",
		func(ctx context.Context, who ward.Actor, in *struct {
			AlertChange
			Body RevisionWords
		}) (*Versioned[Revision], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return shaped(b.EditRevision(ctx, who, in.id(), version, in.Body.Words.alert(), in.Body.change()))
		})
	route(a, http.MethodDelete, path, "revisions", "Give the revision that waits up",
		func(ctx context.Context, who ward.Actor, in *AlertChange) (*Done, error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return &Done{}, b.DropRevision(ctx, who, in.id(), version)
		})
	route(a, http.MethodPost, path+"/approve", "revisions", "Issue the revision that waits as the next edition",
		func(ctx context.Context, who ward.Actor, in *AlertChange) (*Versioned[Alert], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			item, err := b.ApproveRevision(ctx, who, in.id(), version)
			return versioned(item, item.Version, err, alertOf)
		}, document("If-Match is the ETag of the revision."))
}

// Proposal is what the rules make of a new text.
type Proposal struct {
	Material bool     `json:"material"`
	Reasons  []string `json:"reasons" nullable:"false"`
}

// TemplateName is the template in a path.
type TemplateName struct {
	Name string `path:"template" maxLength:"60" example:"exploited-weakness"`
}

func (a *API) templates() {
	b := a.rooms.Alerts
	shaped := func(item ward.Template, err error) (*Versioned[Template], error) {
		return versioned(item, item.Version, err, templateOf)
	}
	route(a, http.MethodGet, "/policies", "alerts", "List the policies, the default first",
		func(_ context.Context, who ward.Actor, in *struct{ Paging }) (*Listed[Policy], error) {
			page, err := part(b.PolicyList(), who.Need(ward.MayRead), in.Paging)
			return listed(page, err, policyOf)
		})
	const path = "/templates/{template}"
	route(a, http.MethodGet, "/templates", "templates", "List the kept drafts",
		func(ctx context.Context, who ward.Actor, in *struct{ Paging }) (*Listed[Template], error) {
			items, err := b.Templates(ctx, who)
			page, err := part(items, err, in.Paging)
			return listed(page, err, templateOf)
		})
	route(a, http.MethodGet, path, "templates", "Read one kept draft",
		func(ctx context.Context, who ward.Actor, in *TemplateName) (*Versioned[Template], error) {
			return shaped(b.Template(ctx, who, in.Name))
		})
	route(a, http.MethodPost, "/templates", "templates", "Keep a draft for the next time",
		func(ctx context.Context, who ward.Actor, in *struct {
			Body struct {
				Name string `json:"name" minLength:"1" maxLength:"60" doc:"small letters, digits and hyphens"`
				TemplateWords
			}
		}) (*Versioned[Template], error) {
			return shaped(b.SaveTemplate(ctx, who, ward.Template{Name: in.Body.Name, Title: in.Body.Title, Words: in.Body.Words.alert()}))
		}, created)
	route(a, http.MethodPut, path, "templates", "Edit a kept draft",
		func(ctx context.Context, who ward.Actor, in *struct {
			TemplateName
			Match
			Body TemplateWords
		}) (*Versioned[Template], error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return shaped(b.SaveTemplate(ctx, who, ward.Template{Name: in.Name, Version: version, Title: in.Body.Title, Words: in.Body.Words.alert()}))
		})
	route(a, http.MethodDelete, path, "templates", "Remove a kept draft",
		func(ctx context.Context, who ward.Actor, in *struct {
			TemplateName
			Match
		}) (*Done, error) {
			version, err := in.version()
			if err != nil {
				return nil, err
			}
			return &Done{}, b.DropTemplate(ctx, who, in.Name, version)
		})
	route(a, http.MethodPost, path+"/alert", "templates", "Draft an alert from a kept draft",
		func(ctx context.Context, who ward.Actor, in *TemplateName) (*Versioned[Alert], error) {
			item, err := b.DraftFromTemplate(ctx, who, in.Name)
			return versioned(item, item.Version, err, alertOf)
		}, created)
}
