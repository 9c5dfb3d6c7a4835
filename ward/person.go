package ward

import "time"

// Role is what a person may do. One role a person.
type Role string

// The roles.
const (
	Analyst  Role = "analyst"  // national: reads everything, drafts, rules on disputes
	Approver Role = "approver" // national: as an analyst, and approves and publishes
	Lead     Role = "lead"     // an organisation's cyber lead: answers, declares, imports
	Member   Role = "member"   // works for an organisation's lead: imports, saves drafts of answers
	Reader   Role = "reader"   // reads what its scope allows
	Admin    Role = "admin"    // people, feeds and settings; sees no organisation's answers or assets
)

// Permission is one kind of thing that a role allows.
type Permission string

// The permissions.
const (
	MayRead     Permission = "read"     // what the scope shows
	MayWatch    Permission = "watch"    // the national pages: queue, all organisations together
	MayDraft    Permission = "draft"    // draft and edit alerts
	MayApprove  Permission = "approve"  // approve and publish alerts that another drafted
	MayRule     Permission = "rule"     // decide a dispute for every organisation
	MayAnswer   Permission = "answer"   // acknowledge, answer, claim, dispute, close, for the own organisation
	MayRecord   Permission = "record"   // write down what an organisation answered by telephone
	MayPrepare  Permission = "prepare"  // save drafts of answers
	MayDeclare  Permission = "declare"  // answer "Do you run PRODUCT?"
	MayImport   Permission = "import"   // estates of the own organisation, or of all for the national watch
	MayRelease  Permission = "release"  // apply or discard an import that was held
	MayFeeds    Permission = "feeds"    // synchronise feeds
	MayPeople   Permission = "people"   // make and disable accounts
	MayRegister Permission = "register" // organisations, relations, sites
	MayAudit    Permission = "audit"    // read the audit record within the scope
	MayDesk     Permission = "desk"     // take what waits at the desk, write its watch log, hand over
	MayContact  Permission = "contact"  // keep contacts and rotas of the own organisation, or of all for the national watch
	MayHunt     Permission = "hunt"     // search kept events of the own organisation, or of all for the national watch, and read them
)

// permissions is the whole table of what each role allows.
var permissions = map[Role][]Permission{
	Analyst:  {MayRead, MayWatch, MayDraft, MayRule, MayRecord, MayImport, MayRelease, MayFeeds, MayRegister, MayAudit, MayContact, MayDesk, MayHunt},
	Approver: {MayRead, MayWatch, MayDraft, MayApprove, MayRule, MayRecord, MayImport, MayRelease, MayFeeds, MayRegister, MayAudit, MayContact, MayDesk, MayHunt},
	Lead:     {MayRead, MayAnswer, MayPrepare, MayDeclare, MayImport, MayRelease, MayAudit, MayContact, MayDesk, MayHunt},
	Member:   {MayRead, MayPrepare, MayImport, MayDesk},
	Reader:   {MayRead},
	Admin:    {MayPeople, MayFeeds, MayRegister, MayAudit},
}

// National reports whether the role belongs to the national watch, so that its scope is everything.
func (r Role) National() bool { return r == Analyst || r == Approver }

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool { _, ok := permissions[r]; return ok }

// Person is somebody who can sign in.
type Person struct {
	ID         PersonID
	Name       string
	Email      string // the sign-in name, lower case
	Org        OrgID  // empty for the national watch
	Role       Role
	Hash       string // argon2id in PHC form; never leaves store and access
	MustChange bool   // signed in with a one-time password: choose a new one first
	Disabled   bool
	Created    time.Time
}

// Token lets a program act as a person, with that person's role and scope at the time of each request. Its secret is shown
// once, when it is made.
type Token struct {
	ID      string
	Person  PersonID
	Name    string // what it is for, in the person's words
	Created time.Time
	Expires time.Time
	Used    time.Time // to within minutes; zero when never
}

// Actor is who does something: a person with a scope, or the product itself. The zero Actor may do nothing.
type Actor struct {
	Person PersonID
	Name   string // as shown beside what was done
	Org    OrgID  // empty for the national watch
	Role   Role
	Scope  Scope
	// SteppedUp is when the person last proved again who they are, by the product's clock; zero when not in this session.
	// What one person may do alone needs it to be recent.
	SteppedUp time.Time
	system    bool
}

// System is the product itself: its jobs, and commands run by someone who holds the data directory.
func System(name string) Actor {
	return Actor{Name: name, Scope: Everything(), system: true}
}

// May reports whether the actor's role allows p. It says nothing about whose data: ask Scope as well.
func (a Actor) May(p Permission) bool {
	if a.system {
		return true
	}
	for _, have := range permissions[a.Role] {
		if have == p {
			return true
		}
	}
	return false
}

// Need returns ErrForbidden unless the actor's role allows p.
func (a Actor) Need(p Permission) error {
	if a.May(p) {
		return nil
	}
	return ErrForbidden
}

// NeedFor is Need for one organisation's data: outside the scope it is ErrNotFound, so that existence does not leak.
func (a Actor) NeedFor(p Permission, org OrgID) error {
	if !a.Scope.Sees(org) {
		return ErrNotFound
	}
	return a.Need(p)
}

// AuditEntry is one line of the append-only record of who did or saw what.
type AuditEntry struct {
	ID      int64
	At      time.Time
	Person  PersonID
	Name    string // the person's name at that time
	Action  string // "alert.publish", "estate.import", "asset.view"
	Subject string // "CC-900001", "XZ1A1/asset/12"
	Org     OrgID  // whose data it was about; empty when no one organisation's
	Detail  string // plain words
}
