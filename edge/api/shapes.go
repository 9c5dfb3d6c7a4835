package api

import (
	"strings"
	"time"

	"wardwatch/ward"
)

// The shapes are the API's contract: the words of ward in snake_case. A time that is not known is left out.

// Organisation is a body that provides or commissions care.
type Organisation struct {
	ID        ward.OrgID `json:"id" doc:"ODS code" example:"XZ1"`
	Name      string     `json:"name"`
	Kind      string     `json:"kind"`
	Town      string     `json:"town"`
	Postcode  string     `json:"postcode"`
	Country   string     `json:"country"`
	Board     string     `json:"board" doc:"code of its integrated care board"`
	Region    string     `json:"region"`
	Latitude  float64    `json:"latitude"`
	Longitude float64    `json:"longitude"`
	Opened    time.Time  `json:"opened,omitzero"`
	Closed    time.Time  `json:"closed,omitzero"`
}

func organisationOf(o ward.Organisation) Organisation { return Organisation(o) }

// Relation says how one organisation stands to another, and while when.
type Relation struct {
	From  ward.OrgID        `json:"from"`
	Kind  ward.RelationKind `json:"kind" enum:"group,board,hosts,operates_for,supplier,successor"`
	To    ward.OrgID        `json:"to"`
	Since time.Time         `json:"since,omitzero"`
	Until time.Time         `json:"until,omitzero"`
}

func relationOf(r ward.Relation) Relation { return Relation(r) }

// Site is a place where an organisation works.
type Site struct {
	ID        ward.SiteID `json:"id"`
	Org       ward.OrgID  `json:"org"`
	Name      string      `json:"name"`
	Postcode  string      `json:"postcode"`
	Latitude  float64     `json:"latitude"`
	Longitude float64     `json:"longitude"`
}

func siteOf(s ward.Site) Site { return Site(s) }

// Source is one named supplier of inventory.
type Source struct {
	ID         ward.SourceID `json:"id"`
	Org        ward.OrgID    `json:"org"`
	Name       string        `json:"name"`
	Format     string        `json:"format"`
	Grade      ward.Grade    `json:"grade" enum:"self-declared,tool export,independent"`
	Classes    []ward.Class  `json:"classes" doc:"what it can see, and so speaks for"`
	ObservedAt time.Time     `json:"observed_at,omitzero"`
	Assets     int           `json:"assets"`
}

func sourceOf(s ward.Source) Source { return Source(s) }

// Import is one delivery of a source's inventory.
type Import struct {
	ID         ward.ImportID    `json:"id"`
	Source     ward.SourceID    `json:"source"`
	Org        ward.OrgID       `json:"org"`
	SourceName string           `json:"source_name"`
	Digest     string           `json:"digest" doc:"SHA-256 of the content"`
	ObservedAt time.Time        `json:"observed_at,omitzero"`
	ReceivedAt time.Time        `json:"received_at,omitzero"`
	By         string           `json:"by"`
	State      ward.ImportState `json:"state" enum:"applied,unchanged,held,discarded"`
	Rows       int              `json:"rows"`
	Rejected   int              `json:"rejected"`
	Problems   []string         `json:"problems" doc:"rows that could not be read, the first 100"`
	Assets     int              `json:"assets"`
	Added      int              `json:"added"`
	Gone       int              `json:"gone" doc:"installs that are no longer seen, which is never fixed"`
	AssetsLost int              `json:"assets_lost"`
}

func importOf(i ward.Import) Import { return Import(i) }

// Coverage is one class of an organisation's estate: who could have seen it, and when.
type Coverage struct {
	Org        ward.OrgID     `json:"org"`
	Class      ward.Class     `json:"class"`
	Freshness  ward.Freshness `json:"freshness" enum:"fresh,stale,none,self-declared"`
	Source     string         `json:"source"`
	ObservedAt time.Time      `json:"observed_at,omitzero"`
	Assets     int            `json:"assets"`
}

func coverageOf(c ward.Coverage) Coverage { return Coverage(c) }

// Answer is yes, no or not known.
type Answer string

func answerOf(t ward.Tri) Answer {
	switch t {
	case ward.Yes:
		return "yes"
	case ward.No:
		return "no"
	}
	return "not_known"
}

// Asset is one machine, device or service.
type Asset struct {
	ID          ward.AssetID `json:"id"`
	Operator    ward.OrgID   `json:"operator"`
	Accountable []ward.OrgID `json:"accountable"`
	Name        string       `json:"name"`
	Class       ward.Class   `json:"class"`
	Site        string       `json:"site"`
	Reachable   Answer       `json:"reachable" enum:"yes,no,not_known" doc:"from the internet"`
	Data        []string     `json:"data" doc:"categories of data that it holds"`
	Services    []string     `json:"services" doc:"clinical services that it supports"`
	FirstSeen   time.Time    `json:"first_seen,omitzero"`
	LastSeen    time.Time    `json:"last_seen,omitzero"`
	Gone        bool         `json:"gone" doc:"no longer seen by any source, which is never fixed"`
}

func assetOf(a ward.Asset) Asset {
	return Asset{a.ID, a.Operator, a.Accountable, a.Name, a.Class, a.Site, answerOf(a.Reachable), a.Data, a.Services, a.FirstSeen, a.LastSeen, a.Gone}
}

// Software is one identity of installed software, as a source gave it.
type Software struct {
	ID      ward.SoftwareID `json:"id"`
	Vendor  string          `json:"vendor"`
	Product string          `json:"product"`
	Version string          `json:"version"`
	CPE     string          `json:"cpe,omitempty"`
	PURL    string          `json:"purl,omitempty"`
}

func softwareOf(s ward.Software) Software { return Software(s) }

// Install is software on an asset as one source saw it.
type Install struct {
	Software  Software      `json:"software"`
	Source    ward.SourceID `json:"source"`
	SeenBy    string        `json:"seen_by" doc:"the source's name"`
	Grade     ward.Grade    `json:"grade"`
	FirstSeen time.Time     `json:"first_seen,omitzero"`
	LastSeen  time.Time     `json:"last_seen,omitzero"`
	Gone      bool          `json:"gone"`
}

func installOf(i ward.Install) Install {
	return Install{softwareOf(i.Software), i.Source, i.SourceName, i.Grade, i.FirstSeen, i.LastSeen, i.Gone}
}

// Exposure is one weakness on one asset over an interval of time, with the reason.
type Exposure struct {
	Org         ward.OrgID      `json:"org"`
	CVE         ward.CVE        `json:"cve"`
	Asset       Asset           `json:"asset"`
	Software    Software        `json:"software"`
	Status      ward.Status     `json:"status"`
	Confidence  ward.Confidence `json:"confidence"`
	Basis       ward.Basis      `json:"basis"`
	StatedBy    string          `json:"stated_by" doc:"whose statement decided"`
	Fixed       string          `json:"fixed" doc:"lowest fixed version on the installed branch"`
	Why         string          `json:"why"`
	SeenBy      string          `json:"seen_by" doc:"the source of inventory that saw the software"`
	Grade       ward.Grade      `json:"grade"`
	FirstSeen   time.Time       `json:"first_seen,omitzero"`
	LastSeen    time.Time       `json:"last_seen,omitzero"`
	Ended       string          `json:"ended,omitempty" doc:"how it ended; absent while it is open"`
	VerdictFrom time.Time       `json:"verdict_from,omitzero"`
}

func exposureOf(e ward.Exposure) Exposure {
	return Exposure{e.Org, e.Verdict.CVE, assetOf(e.Asset), softwareOf(e.Software), e.Verdict.Status, e.Verdict.Confidence, e.Verdict.Basis,
		e.Verdict.Source, e.Verdict.Fixed, e.Verdict.Why, e.Source, e.Grade, e.FirstSeen, e.LastSeen, e.Ended, e.Verdict.Since}
}

// Vulnerability is one weakness, each fact with who said it.
type Vulnerability struct {
	ID          ward.CVE        `json:"id" example:"CVE-2025-4427"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Published   time.Time       `json:"published,omitzero"`
	Modified    time.Time       `json:"modified,omitzero"`
	Rejected    bool            `json:"rejected"`
	Exploited   *ward.Exploited `json:"exploited,omitempty"`
	EPSS        *ward.EPSS      `json:"epss,omitempty"`
	SSVC        *ward.SSVC      `json:"ssvc,omitempty"`
	CVSS        []ward.CVSS     `json:"cvss"`
	References  []string        `json:"references"`
}

func vulnerabilityOf(v ward.Vulnerability) Vulnerability { return Vulnerability(v) }

// Finding is one fix for one organisation.
type Finding struct {
	ID        ward.FindingID    `json:"id"`
	Org       ward.OrgID        `json:"org"`
	Vendor    string            `json:"vendor"`
	Product   string            `json:"product"`
	Branch    string            `json:"branch"`
	Fix       string            `json:"fix" doc:"lowest version on the branch that resolves every CVE; empty while none is published"`
	CVEs      []ward.CVE        `json:"cves" doc:"worst first"`
	Assets    int               `json:"assets"`
	State     ward.FindingState `json:"state" enum:"open,replaced,ended"`
	Replaces  ward.FindingID    `json:"replaces,omitempty"`
	FirstSeen time.Time         `json:"first_seen,omitzero"`
	LastSeen  time.Time         `json:"last_seen,omitzero"`
	Priority  Priority          `json:"priority"`
	Alert     ward.AlertID      `json:"alert,omitempty"`
}

// Priority says why a finding stands where it stands in the queue.
type Priority struct {
	Exploited bool     `json:"exploited"`
	SSVC      string   `json:"ssvc"`
	Reachable Answer   `json:"reachable" enum:"yes,no,not_known"`
	Care      []string `json:"care"`
	EPSS      float64  `json:"epss"`
	Reasons   []string `json:"reasons"`
}

func findingOf(f ward.Finding) Finding {
	p := f.Priority
	return Finding{f.ID, f.Org, f.Vendor, f.Product, f.Branch, f.Fix, f.CVEs, f.Assets, f.State, f.Replaces, f.FirstSeen, f.LastSeen,
		Priority{p.Exploited, p.SSVC, answerOf(p.Reachable), p.Care, p.EPSS, p.Reasons}, f.Alert}
}

// Standing is what is known of one organisation about an alert's product before it answers.
type Standing struct {
	Org        ward.OrgID         `json:"org"`
	State      ward.ExposureState `json:"state" enum:"exposed,not_exposed,not_known"`
	Reason     string             `json:"reason"`
	Source     string             `json:"source"`
	ObservedAt time.Time          `json:"observed_at,omitzero"`
	Grade      ward.Grade         `json:"grade"`
	Assets     int                `json:"assets"`
	AsAt       time.Time          `json:"as_at,omitzero"`
}

func standingOf(s ward.Standing) Standing { return Standing(s) }

// Proof is a claim held against evidence.
type Proof struct {
	Result     ward.ProofResult `json:"result" doc:"confirmed, awaiting_evidence, contradicted or disputed; empty while nothing is claimed"`
	Why        string           `json:"why"`
	Source     string           `json:"source"`
	ObservedAt time.Time        `json:"observed_at,omitzero"`
	Grade      ward.Grade       `json:"grade"`
	Assets     []Seen           `json:"assets"`
	At         time.Time        `json:"at,omitzero"`
}

// Seen is what one source last showed on one asset.
type Seen struct {
	Asset      ward.AssetID `json:"asset"`
	Name       string       `json:"name"`
	Software   string       `json:"software"`
	Version    string       `json:"version"`
	Status     ward.Status  `json:"status"`
	Basis      ward.Basis   `json:"basis"`
	Fixed      string       `json:"fixed"`
	Why        string       `json:"why"`
	Source     string       `json:"source"`
	Grade      ward.Grade   `json:"grade"`
	ObservedAt time.Time    `json:"observed_at,omitzero"`
	Gone       bool         `json:"gone" doc:"no longer seen, which confirms nothing"`
}

func proofOf(p ward.Proof) Proof {
	assets := make([]Seen, len(p.Assets))
	for i, s := range p.Assets {
		assets[i] = Seen(s)
	}
	return Proof{p.Result, p.Why, p.Source, p.ObservedAt, p.Grade, assets, p.At}
}

// Response is one organisation's answer to one alert.
type Response struct {
	Alert          ward.AlertID       `json:"alert"`
	Org            ward.OrgID         `json:"org"`
	Version        int                `json:"version" doc:"the ETag"`
	State          ward.ResponseState `json:"state" enum:"unanswered,in_progress,remediated,closed"`
	Standing       Standing           `json:"standing" doc:"as at publication"`
	Applicability  ward.Applicability `json:"applicability" doc:"empty while not answered"`
	RespondBy      time.Time          `json:"respond_by,omitzero"`
	AcknowledgedAt time.Time          `json:"acknowledged_at,omitzero"`
	AcknowledgedBy string             `json:"acknowledged_by,omitempty"`
	NextDue        time.Time          `json:"next_due,omitzero"`
	RemediateBy    time.Time          `json:"remediate_by,omitzero" doc:"the alert's date, else its policy's for the kind of system"`
	ClaimedFixedAt time.Time          `json:"claimed_fixed_at,omitzero"`
	Words          string             `json:"words"`
	Dispute        string             `json:"dispute,omitempty"`
	Proof          Proof              `json:"proof"`
	Reads          string             `json:"reads" doc:"where it stands, in words"`
	Host           ward.OrgID         `json:"host,omitempty" doc:"who runs it, for hosted"`
	Outcome        ward.Outcome       `json:"outcome,omitempty" doc:"that it closed as, or asked to close as while a compromise check is owed"`
	Progress       ward.Progress      `json:"progress,omitzero"`
	Control        ward.Control       `json:"control,omitzero"`
	Acceptance     ward.Acceptance    `json:"acceptance,omitzero"`
	Residual       []ward.Residual    `json:"residual,omitempty"`
	Until          time.Time          `json:"until,omitzero" doc:"when a closed answer opens again"`
	Check          ward.Check         `json:"check"`
	Call           ward.PhoneCall     `json:"call,omitzero" doc:"by which its words came, when they were recorded on its behalf"`
	Spoke          ward.OrgID         `json:"spoke,omitempty" doc:"who said its words, when not the organisation itself"`
	Recurrence     ward.Recurrence    `json:"recurrence,omitzero"`
	ConfirmedAt    time.Time          `json:"confirmed_at,omitzero"`
	From           []ward.OrgID       `json:"from,omitempty" doc:"whose answers it took over by mergers"`
	MovedTo        ward.OrgID         `json:"moved_to,omitempty" doc:"who took this answer over"`
	LapsedTo       ward.AlertID       `json:"lapsed_to,omitempty" doc:"the alert that took its alert's place"`
	ClosedAt       time.Time          `json:"closed_at,omitzero"`
	ClosedAs       string             `json:"closed_as,omitempty"`
	Overdue        bool               `json:"overdue"`
	EverOverdue    bool               `json:"ever_overdue"`
	UpdatedBy      string             `json:"updated_by,omitempty"`
	Updated        time.Time          `json:"updated,omitzero"`
}

func responseOf(r ward.Response) Response {
	return Response{r.Alert, r.Org, r.Version, r.State, standingOf(r.Standing), r.Applicability, r.RespondBy, r.AcknowledgedAt, r.AcknowledgedBy,
		r.NextDue, r.RemediateBy, r.ClaimedFixedAt, r.Words, r.Dispute, proofOf(r.Proof), r.Reads(), r.Host, r.Outcome, r.Progress, r.Control, r.Acceptance, r.Residual, r.Until, r.Check, r.Call,
		r.Spoke, r.Recurrence, r.ConfirmedAt, r.From, r.MovedTo, r.LapsedTo, r.ClosedAt, r.ClosedAs, r.Overdue, r.EverOverdue, r.UpdatedBy, r.Updated}
}

// Entry is one line of a response's history.
type Entry struct {
	At    time.Time `json:"at,omitzero"`
	By    string    `json:"by"`
	Kind  string    `json:"kind"`
	Words string    `json:"words"`
}

func entryOf(e ward.Entry) Entry { return Entry(e) }

// Ruling is the national desk's decision on a disputed match.
type Ruling struct {
	ID       string      `json:"id"`
	CVEs     []ward.CVE  `json:"cves"`
	Vendor   string      `json:"vendor"`
	Product  string      `json:"product"`
	Versions []string    `json:"versions"`
	Status   ward.Status `json:"status" enum:"affected,fixed,not_affected"`
	Reason   string      `json:"reason"`
	Name     string      `json:"name" doc:"who ruled"`
	At       time.Time   `json:"at,omitzero"`
	Undone   time.Time   `json:"undone,omitzero"`
}

func rulingOf(r ward.Ruling) Ruling {
	return Ruling{r.ID, r.CVEs, r.Vendor, r.Product, r.Versions, r.Status, r.Reason, r.Name, r.At, r.Undone}
}

// Declaration is a signed, dated answer to "Do you run PRODUCT?".
type Declaration struct {
	ID      string              `json:"id"`
	Org     ward.OrgID          `json:"org"`
	Vendor  string              `json:"vendor"`
	Product string              `json:"product"`
	Answer  ward.DeclaredAnswer `json:"answer" enum:"yes,no,hosted"`
	Version string              `json:"version,omitempty"`
	Host    ward.OrgID          `json:"host,omitempty"`
	Words   string              `json:"words,omitempty"`
	Name    string              `json:"name" doc:"who signed"`
	At      time.Time           `json:"at,omitzero"`
	Expires time.Time           `json:"expires,omitzero"`
}

func declarationOf(d ward.Declaration) Declaration {
	return Declaration{d.ID, d.Org, d.Vendor, d.Product, d.Answer, d.Version, d.Host, d.Words, d.Name, d.At, d.Expires}
}

// Notice is one message.
type Notice struct {
	ID      int64        `json:"id"`
	Org     ward.OrgID   `json:"org,omitempty"`
	Kind    string       `json:"kind"`
	Alert   ward.AlertID `json:"alert,omitempty"`
	Subject string       `json:"subject"`
	Body    string       `json:"body"`
	Link    string       `json:"link"`
	Created time.Time    `json:"created,omitzero"`
	Read    time.Time    `json:"read,omitzero"`
	ReadBy  string       `json:"read_by,omitempty"`
}

func noticeOf(n ward.Notice) Notice {
	return Notice{n.ID, n.Org, n.Kind, n.Alert, n.Subject, n.Body, n.Link, n.Created, n.Read, n.ReadBy}
}

// Feed is how one publisher's feed stands.
type Feed struct {
	Name      string    `json:"name"`
	Location  string    `json:"location"`
	Attempted time.Time `json:"attempted,omitzero"`
	Succeeded time.Time `json:"succeeded,omitzero"`
	Observed  time.Time `json:"observed,omitzero" doc:"the publisher's own date of what was read"`
	NextDue   time.Time `json:"next_due,omitzero"`
	Records   int       `json:"records"`
	Changed   int       `json:"changed"`
	Rejected  int       `json:"rejected"`
	Error     string    `json:"error,omitempty"`
	Stale     bool      `json:"stale"`
	Held      *FeedHold `json:"held,omitempty" doc:"a reading that lost more than half of the list, and waits for a person"`
}

// FeedHold is a reading that shrank too far to be taken without a person.
type FeedHold struct {
	At       time.Time `json:"at"`
	Records  int       `json:"records" doc:"that it has"`
	Had      int       `json:"had" doc:"that the last reading had"`
	Observed time.Time `json:"observed,omitzero" doc:"the publisher's own date of it"`
}

func feedOf(f ward.Feed) Feed {
	shape := Feed{f.Name, f.Location, f.Attempted, f.Succeeded, f.Observed, f.NextDue, f.Records, f.Changed, f.Rejected, f.Error, f.Stale, nil}
	if h := f.Held; h != nil {
		shape.Held = &FeedHold{h.At, h.Records, h.Had, h.Observed}
	}
	return shape
}

// Person is somebody who can sign in.
type Person struct {
	ID         ward.PersonID `json:"id"`
	Name       string        `json:"name"`
	Email      string        `json:"email"`
	Org        ward.OrgID    `json:"org,omitempty"`
	Role       ward.Role     `json:"role" enum:"analyst,approver,lead,member,reader,admin"`
	MustChange bool          `json:"must_change"`
	Disabled   bool          `json:"disabled"`
	Created    time.Time     `json:"created,omitzero"`
}

func personOf(p ward.Person) Person {
	return Person{p.ID, p.Name, p.Email, p.Org, p.Role, p.MustChange, p.Disabled, p.Created}
}

// Token lets a program act as a person.
type Token struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Created time.Time `json:"created,omitzero"`
	Expires time.Time `json:"expires,omitzero"`
	Used    time.Time `json:"used,omitzero"`
}

func tokenOf(t ward.Token) Token { return Token{t.ID, t.Name, t.Created, t.Expires, t.Used} }

// AuditEntry is one line of the append-only record.
type AuditEntry struct {
	ID      int64      `json:"id"`
	At      time.Time  `json:"at,omitzero"`
	Name    string     `json:"name"`
	Action  string     `json:"action"`
	Subject string     `json:"subject"`
	Org     ward.OrgID `json:"org,omitempty"`
	Detail  string     `json:"detail,omitempty"`
}

func auditOf(e ward.AuditEntry) AuditEntry {
	return AuditEntry{e.ID, e.At, e.Name, e.Action, e.Subject, e.Org, e.Detail}
}

// orgOf and cveOf read codes as people type them.
func orgOf(code string) ward.OrgID { return ward.OrgID(strings.ToUpper(strings.TrimSpace(code))) }
func cveOf(id string) ward.CVE     { return ward.CVE(strings.ToUpper(strings.TrimSpace(id))) }
