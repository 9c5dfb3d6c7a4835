package api

import (
	"context"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/act/findings"
	"wardwatch/act/responses"
	"wardwatch/edge"
	"wardwatch/know"
	"wardwatch/know/estate"
	"wardwatch/know/feeds"
	"wardwatch/know/intel"
	"wardwatch/know/match"
	"wardwatch/ward"
)

// Rooms are the neighbours that the API speaks for.
type Rooms struct {
	Door       edge.People
	Repeats    Repeats
	Estate     Estate
	Matches    Matches
	Library    Library
	Feeds      Feeds
	Findings   Findings
	Alerts     Alerts
	Responses  Responses
	Inbox      Inbox
	Duty       Duty
	Coverage   Ears
	Detections Detections
	Telling    Telling
	Hunts      Hunts
	Ready      func(context.Context) error // whether the product can work now
}

// Repeats keeps the answers to requests that carry an Idempotency-Key: the store.
type Repeats interface {
	Begin(ctx context.Context, person ward.PersonID, name, request string, at time.Time) (fresh, same bool, answer []byte, err error)
	Finish(ctx context.Context, person ward.PersonID, name string, answer []byte) error
	Release(ctx context.Context, person ward.PersonID, name string) error
}

// Estate knows who runs what: *estate.Register.
type Estate interface {
	Organisations(ctx context.Context, scope ward.Scope) ([]ward.Organisation, error)
	Organisation(ctx context.Context, scope ward.Scope, id ward.OrgID) (ward.Organisation, error)
	Relations(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Relation, error)
	Sites(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Site, error)
	Assets(ctx context.Context, scope ward.Scope, q estate.AssetQuery) (ward.Page[ward.Asset], error)
	Asset(ctx context.Context, scope ward.Scope, id ward.AssetID) (ward.Asset, error)
	Installs(ctx context.Context, scope ward.Scope, id ward.AssetID) ([]ward.Install, error)
	Sources(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Source, error)
	Imports(ctx context.Context, scope ward.Scope, org ward.OrgID, limit int) ([]ward.Import, error)
	Coverage(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Coverage, error)
	Declarations(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Declaration, error)
	Import(ctx context.Context, who ward.Actor, d estate.Delivery) (ward.Import, error)
	Release(ctx context.Context, who ward.Actor, id ward.ImportID) (ward.Import, error)
	Discard(ctx context.Context, who ward.Actor, id ward.ImportID) (ward.Import, error)
	Declare(ctx context.Context, who ward.Actor, d ward.Declaration) (ward.Declaration, error)
	DeclareAppliance(ctx context.Context, who ward.Actor, a ward.DeclaredAppliance) (ward.Declaration, ward.Asset, error)
	Expiring(ctx context.Context, scope ward.Scope, within time.Duration) ([]ward.Declaration, error)
	ScannerFindings(ctx context.Context, scope ward.Scope, q estate.ScannerQuery) (ward.Page[ward.ScannerFinding], error)
	Merges(ctx context.Context, scope ward.Scope, q estate.MergeQuery) (ward.Page[ward.Merge], error)
	Merge(ctx context.Context, who ward.Actor, one, two ward.AssetID, reason string) (ward.Merge, error)
	Accept(ctx context.Context, who ward.Actor, id int64) (ward.Merge, error)
	Refuse(ctx context.Context, who ward.Actor, id int64, reason string) (ward.Merge, error)
	Unmerge(ctx context.Context, who ward.Actor, id int64, reason string) (ward.Merge, error)
	edge.Looks
	Views(ctx context.Context, scope ward.Scope, org ward.OrgID, after string, limit int) (ward.Page[ward.View], error)
}

// Matches knows who is exposed to what: *match.Matcher.
type Matches interface {
	Exposures(ctx context.Context, scope ward.Scope, q match.ExposureQuery) (ward.Page[ward.Exposure], error)
	Counts(ctx context.Context, scope ward.Scope, cve ward.CVE) ([]match.OrgCount, error)
	History(ctx context.Context, scope ward.Scope, cve ward.CVE) ([]match.Step, error)
	Changes(ctx context.Context, scope ward.Scope, q match.ChangeQuery) (ward.Page[ward.VerdictChange], error)
}

// Library knows the weaknesses: *intel.Library.
type Library interface {
	Vulnerability(ctx context.Context, cve ward.CVE) (ward.Vulnerability, error)
	Reports(ctx context.Context, cve ward.CVE) ([]know.Report, error)
	Search(ctx context.Context, q intel.Query) (ward.Page[ward.Vulnerability], error)
	Aliases(ctx context.Context) ([]ward.ProductAlias, error)
	Alias(ctx context.Context, who ward.Actor, a ward.ProductAlias) (ward.ProductAlias, error)
	Unalias(ctx context.Context, who ward.Actor, id, why string) (ward.ProductAlias, error)
}

// Feeds reads what publishers say: *feeds.Syncer.
type Feeds interface {
	List(ctx context.Context) ([]ward.Feed, error)
	Sync(ctx context.Context, who ward.Actor, names []string, from string, progress func(feeds.Progress)) (feeds.Result, error)
	Release(ctx context.Context, who ward.Actor, name string) (feeds.Result, error)
	Discard(ctx context.Context, who ward.Actor, name string) error
}

// Findings is the queue: *findings.Desk.
type Findings interface {
	Queue(ctx context.Context, scope ward.Scope, q findings.Query) (ward.Page[ward.Finding], error)
	Finding(ctx context.Context, scope ward.Scope, id ward.FindingID) (ward.Finding, error)
}

// Alerts is the board: *alerts.Board.
type Alerts interface {
	List(ctx context.Context, scope ward.Scope, q alerts.Query) (ward.Page[ward.Alert], error)
	Get(ctx context.Context, scope ward.Scope, id ward.AlertID) (ward.Alert, error)
	Versions(ctx context.Context, scope ward.Scope, id ward.AlertID) ([]alerts.Version, error)
	Draft(ctx context.Context, who ward.Actor, a ward.Alert) (ward.Alert, error)
	DraftFromFinding(ctx context.Context, who ward.Actor, id ward.FindingID) (ward.Alert, error)
	DraftFromCVE(ctx context.Context, who ward.Actor, cve ward.CVE) (ward.Alert, error)
	Edit(ctx context.Context, who ward.Actor, id ward.AlertID, version int, a ward.Alert) (ward.Alert, error)
	Approve(ctx context.Context, who ward.Actor, id ward.AlertID, version int) (ward.Alert, error)
	SetClocks(ctx context.Context, who ward.Actor, id ward.AlertID, version int, clocks alerts.Clocks) (ward.Alert, error)
	Preview(ctx context.Context, who ward.Actor, id ward.AlertID, to ward.Audience) (alerts.Preview, error)
	Publish(ctx context.Context, who ward.Actor, id ward.AlertID, version int, to ward.Audience) (alerts.Published, error)
	PublishAlone(ctx context.Context, who ward.Actor, id ward.AlertID, version int, to ward.Audience, reason string) (alerts.Published, error)
	Countersign(ctx context.Context, who ward.Actor, id ward.AlertID, version int) (ward.Alert, error)
	Countersigns(ctx context.Context, scope ward.Scope) ([]ward.Alert, error)
	Who(ctx context.Context, scope ward.Scope, id ward.AlertID) (ward.Audience, error)
	Close(ctx context.Context, who ward.Actor, id ward.AlertID, version int) (ward.Alert, error)
	Withdraw(ctx context.Context, who ward.Actor, id ward.AlertID, version int, reason string) (ward.Alert, error)
	Compare(ctx context.Context, scope ward.Scope, id ward.AlertID, from, to int) ([]alerts.FieldChange, error)
	Revision(ctx context.Context, scope ward.Scope, id ward.AlertID) (ward.Revision, error)
	Revisions(ctx context.Context, scope ward.Scope) ([]ward.Revision, error)
	Proposed(ctx context.Context, who ward.Actor, id ward.AlertID, draft ward.Alert) (alerts.Proposal, error)
	Revise(ctx context.Context, who ward.Actor, id ward.AlertID, version int, draft ward.Alert, change alerts.Change) (ward.Revision, error)
	EditRevision(ctx context.Context, who ward.Actor, id ward.AlertID, version int, draft ward.Alert, change alerts.Change) (ward.Revision, error)
	ApproveRevision(ctx context.Context, who ward.Actor, id ward.AlertID, version int) (ward.Alert, error)
	DropRevision(ctx context.Context, who ward.Actor, id ward.AlertID, version int) error
	CompareRevision(ctx context.Context, scope ward.Scope, id ward.AlertID) ([]alerts.FieldChange, error)
	PolicyList() []ward.Policy
	Templates(ctx context.Context, who ward.Actor) ([]ward.Template, error)
	Template(ctx context.Context, who ward.Actor, name string) (ward.Template, error)
	SaveTemplate(ctx context.Context, who ward.Actor, t ward.Template) (ward.Template, error)
	DropTemplate(ctx context.Context, who ward.Actor, name string, version int) error
	DraftFromTemplate(ctx context.Context, who ward.Actor, name string) (ward.Alert, error)
}

// Responses is the ledger of answers: *responses.Ledger.
type Responses interface {
	Answers
	Get(ctx context.Context, scope ward.Scope, alert ward.AlertID, org ward.OrgID) (ward.Response, error)
	ForAlert(ctx context.Context, scope ward.Scope, alert ward.AlertID) ([]ward.Response, error)
	Owed(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Response, error)
	Overdue(ctx context.Context, scope ward.Scope) ([]ward.Response, error)
	Disputes(ctx context.Context, scope ward.Scope) ([]ward.Response, error)
	History(ctx context.Context, scope ward.Scope, alert ward.AlertID, org ward.OrgID) ([]ward.Entry, error)
	Acknowledge(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int) (ward.Response, error)
	Answer(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int, applies ward.Applicability, words string) (ward.Response, error)
	Claim(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int, fixedAt time.Time, words string) (ward.Response, error)
	Dispute(ctx context.Context, who ward.Actor, alert ward.AlertID, org ward.OrgID, version int, words string) (ward.Response, error)
	Rule(ctx context.Context, who ward.Actor, r ward.Ruling) (ward.Ruling, error)
	Unrule(ctx context.Context, who ward.Actor, id, reason string) error
	Rulings(ctx context.Context, cve ward.CVE) ([]ward.Ruling, error)
	Overview(ctx context.Context, scope ward.Scope) (responses.Overview, error)
}

// Inbox keeps notices: *notify.Outbox.
type Inbox interface {
	Inbox(ctx context.Context, scope ward.Scope, org ward.OrgID, after string, limit int) (ward.Page[ward.Notice], error)
	Unread(ctx context.Context, scope ward.Scope) (int, error)
	MarkRead(ctx context.Context, who ward.Actor, id int64) error
}
