// Package alerts is the board of alerts: drafted by one person, approved by another, published to chosen organisations,
// revised, and closed, withdrawn or superseded. Drafts and decisions come in; alerts, their versions, and what is known of
// each organisation before it is asked go out. Publishing is all or nothing. It never lets the writer of a text approve it,
// lets one person publish alone only in an emergency that everybody is told of, and shows an organisation only what was
// published to it.
package alerts

import (
	"context"
	"fmt"
	"slices"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Standings says what is known of organisations about a product and its weaknesses, and where a product would be seen.
type Standings interface {
	Standing(ctx context.Context, scope ward.Scope, about ward.About, orgs []ward.OrgID) ([]ward.Standing, error)
	ClassesOf(ctx context.Context, vendor, product string) ([]ward.Class, error)
}

// Answers keeps the response of each organisation that an alert asks, in the transaction of what the alert does: Open makes
// them, Reopen asks each to acknowledge again because a material revision was issued, and Lapse ends those that are open
// because the alert was withdrawn, or another took its place.
type Answers interface {
	Open(ctx context.Context, tx *store.Tx, alert ward.Alert, standings []ward.Standing) error
	Reopen(ctx context.Context, tx *store.Tx, alert ward.Alert) error
	Lapse(ctx context.Context, tx *store.Tx, alert ward.Alert) error
}

// Notices keeps what organisations are told.
type Notices interface {
	Add(ctx context.Context, tx *store.Tx, n ward.Notice) error
}

// Weaknesses reads what publishers say.
type Weaknesses interface {
	Vulnerability(ctx context.Context, cve ward.CVE) (ward.Vulnerability, error)
}

// Findings reads what the desk found.
type Findings interface {
	Finding(ctx context.Context, scope ward.Scope, id ward.FindingID) (ward.Finding, error)
}

// Named is a product that a publisher's record speaks of, with the fixed versions that it names.
type Named struct {
	Vendor  string
	Product string
	Fixed   []string
}

// Records reads which products the records of a weakness speak of, for a draft about something that no estate has shown yet.
type Records interface {
	Products(ctx context.Context, cve ward.CVE) ([]Named, error)
}

// Recipients says who would be told of a notice, by which channel; it sends nothing.
type Recipients interface {
	Recipients(ctx context.Context, scope ward.Scope, orgs []ward.OrgID, n ward.Notice) ([]ward.Recipient, error)
}

// Neighbours are the rooms that the board asks. Records may be nil: then a draft knows the products that estates show.
// Recipients may be nil: then a preview knows the in-app inbox alone.
type Neighbours struct {
	Standings  Standings
	Answers    Answers
	Notices    Notices
	Weaknesses Weaknesses
	Findings   Findings
	Records    Records
	Recipients Recipients
	Policies   act.Policies // the zero value: those that are shipped
}

// Board keeps the alerts.
type Board struct {
	store *store.Store
	clock ward.Clock
	Neighbours
}

// New returns the board with its neighbours.
func New(s *store.Store, clock ward.Clock, neighbours Neighbours) *Board {
	if len(neighbours.Policies.All()) == 0 {
		neighbours.Policies = act.ShippedPolicies()
	}
	return &Board{store: s, clock: clock, Neighbours: neighbours}
}

// Query chooses alerts.
type Query = store.AlertQuery

// Version is one version of an alert, with who made it.
type Version = store.AlertVersion

// Published is what publishing did.
type Published struct {
	Alert    ward.Alert
	Notified int          // organisations that must answer
	Informed int          // organisations that read it
	Closed   []ward.OrgID // chosen, and not asked because they are closed
}

// Get reads an alert. An organisation finds only those published to it.
func (b *Board) Get(ctx context.Context, scope ward.Scope, id ward.AlertID) (a ward.Alert, err error) {
	err = b.store.View(ctx, func(tx *store.Tx) error {
		a, err = tx.Alert(ctx, scope, id)
		return err
	})
	return a, err
}

// List lists alerts, newest first.
func (b *Board) List(ctx context.Context, scope ward.Scope, q Query) (page ward.Page[ward.Alert], err error) {
	err = b.store.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Alerts(ctx, scope, q)
		return err
	})
	return page, err
}

// Versions lists every version of an alert, oldest first. An organisation sees those since publication.
func (b *Board) Versions(ctx context.Context, scope ward.Scope, id ward.AlertID) (versions []Version, err error) {
	err = b.store.View(ctx, func(tx *store.Tx) error {
		versions, err = tx.AlertVersions(ctx, scope, id)
		return err
	})
	return versions, err
}

// Draft makes a draft, gives it its threat ID, and fills in what the drafter left to custom.
func (b *Board) Draft(ctx context.Context, who ward.Actor, draft ward.Alert) (ward.Alert, error) {
	if err := who.Need(ward.MayDraft); err != nil {
		return ward.Alert{}, err
	}
	a, err := b.checked(ctx, draft)
	if err != nil {
		return ward.Alert{}, err
	}
	if a, err = b.clocked(a, draft.Policy.Name, who); err != nil {
		return ward.Alert{}, err
	}
	now := b.clock.Now()
	a.State, a.Version, a.Created = ward.Drafted, 1, now
	a.Author, a.AuthorID = who.Name, who.Person
	err = b.store.Update(ctx, func(tx *store.Tx) error {
		// Threat IDs count upward; exercises have a range of their own, so that no exercise can be taken for the real thing.
		if err := b.supersedable(ctx, tx, a); err != nil {
			return err
		}
		counter, start := "alert", int64(1)
		if a.Exercise {
			counter, start = "alert.exercise", 900_001
		}
		number, err := tx.Count(ctx, counter, start)
		if err != nil {
			return err
		}
		a.ID = ward.AlertID(fmt.Sprintf("CC-%04d", number))
		return b.keep(ctx, tx, who, a, "alert.draft", true)
	})
	if err != nil {
		return ward.Alert{}, err
	}
	return a, nil
}

// keep writes a version of an alert, with its line in the audit record.
func (b *Board) keep(ctx context.Context, tx *store.Tx, who ward.Actor, a ward.Alert, action string, wrote bool) error {
	now := b.clock.Now()
	if err := tx.SaveAlert(ctx, store.AlertVersion{At: now, ByPerson: writer(who), By: who.Name, Wrote: wrote, Alert: a}); err != nil {
		return err
	}
	tx.Hint("alert:"+string(a.ID), "")
	tx.Hint("queue", "")
	return tx.Audit(ctx, ward.AuditEntry{At: now, Person: who.Person, Name: who.Name, Action: action, Subject: string(a.ID),
		Detail: fmt.Sprintf("%s %s, version %d", a.Severity, a.State, a.Version)})
}

// writer tells people apart, and commands run by someone who holds the data directory by the name that they gave.
func writer(who ward.Actor) ward.PersonID {
	if who.Person == "" {
		return ward.PersonID("command:" + who.Name)
	}
	return who.Person
}

// change runs do on the alert that stands at version, and keeps it as the next version.
func (b *Board) change(ctx context.Context, who ward.Actor, id ward.AlertID, version int, action, yours string, wrote bool, do func(*store.Tx, *ward.Alert) error) (ward.Alert, error) {
	return b.changeAs(ctx, who, id, version, action, yours, &wrote, do)
}

// changeAs is change where do finds out whether the version is another text.
func (b *Board) changeAs(ctx context.Context, who ward.Actor, id ward.AlertID, version int, action, yours string, wrote *bool, do func(*store.Tx, *ward.Alert) error) (ward.Alert, error) {
	var kept ward.Alert
	err := b.store.Update(ctx, func(tx *store.Tx) error {
		a, err := tx.Alert(ctx, ward.Everything(), id)
		if err != nil {
			return err
		}
		if a.Version != version {
			versions, err := tx.AlertVersions(ctx, ward.Everything(), id)
			if err != nil {
				return err
			}
			return &ward.Conflict{What: "alert " + string(id), Yours: yours, Theirs: text(a), By: versions[len(versions)-1].By}
		}
		if err := do(tx, &a); err != nil {
			return err
		}
		a.Version++
		kept = a
		return b.keep(ctx, tx, who, a, action, *wrote)
	})
	if err != nil {
		return ward.Alert{}, err
	}
	return kept, nil
}

// text is an alert in words, for the person whose own words met a conflict.
func text(a ward.Alert) string {
	return fmt.Sprintf("%s, %s: %s. %s", a.State, a.Severity, a.Title, a.Summary)
}

// Edit writes new words into a draft. What was approved is a draft again, since another text was approved.
func (b *Board) Edit(ctx context.Context, who ward.Actor, id ward.AlertID, version int, draft ward.Alert) (ward.Alert, error) {
	if err := who.Need(ward.MayDraft); err != nil {
		return ward.Alert{}, err
	}
	words, err := b.checked(ctx, draft)
	if err != nil {
		return ward.Alert{}, err
	}
	if words, err = b.clocked(words, draft.Policy.Name, who); err != nil {
		return ward.Alert{}, err
	}
	return b.change(ctx, who, id, version, "alert.edit", text(words), true, func(tx *store.Tx, a *ward.Alert) error {
		if a.State != ward.Drafted && a.State != ward.Approved {
			return fmt.Errorf("alert %s is %s: %w", id, a.State, ward.ErrState)
		}
		if words.Exercise != a.Exercise {
			return &ward.Invalid{Field: "exercise", Problem: "cannot change once the alert has its threat ID", Hint: "draft another"}
		}
		words.ID, words.Version, words.State, words.Created = a.ID, a.Version, ward.Drafted, a.Created
		words.Author, words.AuthorID, words.Finding, words.Template = a.Author, a.AuthorID, a.Finding, a.Template
		*a = words
		return b.supersedable(ctx, tx, *a)
	})
}

// errOwnText is the answer to whoever would approve what is theirs.
var errOwnText = fmt.Errorf("who wrote an alert does not approve it: ask another approver: %w", ward.ErrForbidden)

// wrote reports whether who wrote any version of an alert up to its publication.
func (b *Board) wrote(ctx context.Context, tx *store.Tx, who ward.Actor, id ward.AlertID) (bool, error) {
	versions, err := tx.AlertVersions(ctx, ward.Everything(), id)
	return slices.ContainsFunc(versions, func(v Version) bool { return v.Wrote && v.ByPerson == writer(who) }), err
}

// Approve says that a second person stands for the text. Whoever wrote any version of it cannot.
func (b *Board) Approve(ctx context.Context, who ward.Actor, id ward.AlertID, version int) (ward.Alert, error) {
	if err := who.Need(ward.MayApprove); err != nil {
		return ward.Alert{}, err
	}
	return b.change(ctx, who, id, version, "alert.approve", "approved", false, func(tx *store.Tx, a *ward.Alert) error {
		if a.State != ward.Drafted {
			return fmt.Errorf("alert %s is %s: %w", id, a.State, ward.ErrState)
		}
		if wrote, err := b.wrote(ctx, tx, who, id); err != nil {
			return err
		} else if wrote {
			return errOwnText
		}
		a.State, a.Approver, a.ApproverID, a.ApprovedAt = ward.Approved, who.Name, who.Person, b.clock.Now()
		return nil
	})
}
