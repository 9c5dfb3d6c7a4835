package alerts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Change is what a person says of a revision.
type Change struct {
	Material bool   // organisations acknowledge again
	Why      string // what changed; organisations read it
}

// Proposal is what the rules make of a revision. A person decides.
type Proposal struct {
	Material bool
	Reasons  []string
}

// ProposeChange proposes whether a revision is material, with the reasons: a new fix, exploitation that began, another
// severity, a weakness more, or less time. exploited are the weaknesses of the new text that are known to be exploited now.
func ProposeChange(before, after ward.Alert, exploited []ward.CVE) Proposal {
	var p Proposal
	because := func(format string, args ...any) { p.Reasons = append(p.Reasons, fmt.Sprintf(format, args...)) }
	if before.Severity != after.Severity {
		because("the severity changes from %s to %s", before.Severity, after.Severity)
	}
	for _, cve := range exploited {
		if !slices.Contains(before.Exploited, cve) {
			because("%s is known to be exploited, and was not when organisations last read the alert", cve)
		}
	}
	for _, step := range after.Steps {
		if step.Kind == ward.StepPatch && !slices.Contains(before.Steps, step) {
			because("there is a new fix: %s", clip(step.Text, mostLine))
		}
	}
	for _, cve := range after.CVEs {
		if !slices.Contains(before.CVEs, cve) {
			because("%s is new", cve)
		}
	}
	if after.Vendor != before.Vendor || after.Product != before.Product {
		because("it is about another product")
	}
	if !after.RemediateBy.IsZero() && (before.RemediateBy.IsZero() || after.RemediateBy.Before(before.RemediateBy)) {
		because("the remediation date comes forward to %s", after.RemediateBy.Format("2 January 2006"))
	}
	if after.AcknowledgeWithin < before.AcknowledgeWithin || after.UpdateEvery < before.UpdateEvery {
		because("there is less time to answer")
	}
	if after.CheckRequired && !before.CheckRequired {
		because("it asks for a compromise check")
	}
	p.Material = len(p.Reasons) > 0
	if !p.Material {
		p.Reasons = []string{"no new fix, no exploitation that began, the same severity"}
	}
	return p
}

// Proposed says what the rules make of a new text of a published alert, before it is kept.
func (b *Board) Proposed(ctx context.Context, who ward.Actor, id ward.AlertID, draft ward.Alert) (Proposal, error) {
	if err := who.Need(ward.MayDraft); err != nil {
		return Proposal{}, err
	}
	a, err := b.Get(ctx, who.Scope, id)
	if err != nil {
		return Proposal{}, err
	}
	words, err := b.newWords(ctx, who, a, draft)
	if err != nil {
		return Proposal{}, err
	}
	return b.proposal(ctx, a, words)
}

func (b *Board) proposal(ctx context.Context, before, after ward.Alert) (Proposal, error) {
	exploited, err := b.exploited(ctx, after.CVEs)
	if err != nil {
		return Proposal{}, err
	}
	return ProposeChange(before, after, exploited), nil
}

// newWords is a new text of a published alert: what a person may write, over what the alert is. Its policy stays the one
// that it was issued with, and clocks that are left out stay as they are.
func (b *Board) newWords(ctx context.Context, who ward.Actor, a, draft ward.Alert) (ward.Alert, error) {
	draft.AcknowledgeWithin = cmp.Or(draft.AcknowledgeWithin, a.AcknowledgeWithin)
	draft.UpdateEvery = cmp.Or(draft.UpdateEvery, a.UpdateEvery)
	words, err := b.checked(ctx, draft)
	if err != nil {
		return words, err
	}
	if draft.Exercise != a.Exercise {
		return words, &ward.Invalid{Field: "exercise", Problem: "cannot change once the alert has its threat ID", Hint: "draft another"}
	}
	words.Policy = a.Policy
	if words, err = b.timed(words, who); err != nil {
		return words, err
	}
	if !words.RemediateBy.Equal(a.RemediateBy) {
		if err := b.inTime(words.RemediateBy); err != nil {
			return words, err
		}
	}
	return over(a, words), nil
}

// over is an alert with other words: its identity, state and history stay.
func over(a, words ward.Alert) ward.Alert {
	words.ID, words.Version, words.State, words.Finding, words.Template = a.ID, a.Version, a.State, a.Finding, a.Template
	words.Exercise, words.Supersedes, words.SupersededBy = a.Exercise, a.Supersedes, a.SupersededBy
	words.Author, words.AuthorID, words.Approver, words.ApproverID = a.Author, a.AuthorID, a.Approver, a.ApproverID
	words.Created, words.ApprovedAt, words.Issued, words.Revised, words.Closed = a.Created, a.ApprovedAt, a.Issued, a.Revised, a.Closed
	words.Edition, words.Change, words.Emergency, words.EndWhy, words.Exploited = a.Edition, a.Change, a.Emergency, a.EndWhy, a.Exploited
	return words
}

// Revise keeps a new text of a published alert, which stands at version, until a second person issues it. There is one
// revision of an alert at a time: while one waits, another is a conflict that shows it.
func (b *Board) Revise(ctx context.Context, who ward.Actor, id ward.AlertID, version int, draft ward.Alert, change Change) (ward.Revision, error) {
	return b.revise(ctx, who, id, draft, change, func(ctx context.Context, tx *store.Tx, a ward.Alert, fresh ward.Revision) (ward.Revision, error) {
		if a.Version != version {
			versions, err := tx.AlertVersions(ctx, ward.Everything(), id)
			if err != nil {
				return fresh, err
			}
			return fresh, &ward.Conflict{What: "alert " + string(id), Yours: text(fresh.Draft), Theirs: text(a), By: versions[len(versions)-1].By}
		}
		switch waiting, err := tx.Revision(ctx, id); {
		case err == nil:
			return fresh, conflictOf(waiting, fresh.Draft)
		case !errors.Is(err, ward.ErrNotFound):
			return fresh, err
		}
		fresh.Base, fresh.Begun = a.Version, fresh.Updated
		return fresh, tx.SaveRevision(ctx, fresh, 0)
	})
}

// EditRevision writes another text into the revision that stands at version.
func (b *Board) EditRevision(ctx context.Context, who ward.Actor, id ward.AlertID, version int, draft ward.Alert, change Change) (ward.Revision, error) {
	return b.revise(ctx, who, id, draft, change, func(ctx context.Context, tx *store.Tx, _ ward.Alert, fresh ward.Revision) (ward.Revision, error) {
		waiting, err := b.waiting(ctx, tx, id, version, fresh.Draft)
		if err != nil {
			return fresh, err
		}
		fresh.Base, fresh.Begun, fresh.Writers = waiting.Base, waiting.Begun, waiting.Writers
		if !slices.Contains(fresh.Writers, writer(who)) {
			fresh.Writers = append(fresh.Writers, writer(who))
		}
		return fresh, tx.SaveRevision(ctx, fresh, version)
	})
}

// waiting is the revision that stands at version, or the conflict with the one that does.
func (b *Board) waiting(ctx context.Context, tx *store.Tx, id ward.AlertID, version int, yours ward.Alert) (ward.Revision, error) {
	r, err := tx.Revision(ctx, id)
	if err == nil && r.Version != version {
		err = conflictOf(r, yours)
	}
	return r, err
}

func conflictOf(waiting ward.Revision, yours ward.Alert) error {
	mine := text(yours)
	if yours.ID == "" {
		mine = "the revision as you read it"
	}
	return &ward.Conflict{What: "revision of " + string(waiting.Alert), Yours: mine, Theirs: text(waiting.Draft), By: waiting.Change.By}
}

func (b *Board) revise(ctx context.Context, who ward.Actor, id ward.AlertID, draft ward.Alert, change Change,
	save func(context.Context, *store.Tx, ward.Alert, ward.Revision) (ward.Revision, error)) (kept ward.Revision, err error) {
	if err := who.Need(ward.MayDraft); err != nil {
		return kept, err
	}
	why, err := act.Clean("why", change.Why, mostLine)
	if err != nil {
		return kept, err
	}
	if why == "" {
		return kept, &ward.Invalid{Field: "why", Problem: "is empty", Hint: "say what changed: every organisation reads it"}
	}
	before, err := b.Get(ctx, who.Scope, id)
	if err != nil {
		return kept, err
	}
	words, err := b.newWords(ctx, who, before, draft)
	if err != nil {
		return kept, err
	}
	proposal, err := b.proposal(ctx, before, words)
	if err != nil {
		return kept, err
	}
	err = b.store.Update(ctx, func(tx *store.Tx) error {
		a, err := tx.Alert(ctx, ward.Everything(), id)
		if err != nil {
			return err
		}
		if a.State != ward.Published {
			return fmt.Errorf("alert %s is %s: %w", id, a.State, ward.ErrState)
		}
		// A number that no other revision ever had: what was approved cannot be mistaken for a later one.
		number, err := tx.Count(ctx, "alert.revision", 1)
		if err != nil {
			return err
		}
		now := b.clock.Now()
		fresh := ward.Revision{Alert: id, Version: int(number), Draft: over(a, words), Updated: now, Writers: []ward.PersonID{writer(who)},
			Change: ward.AlertChange{Material: change.Material, Why: why, Proposed: proposal.Material, Reasons: proposal.Reasons, By: who.Name, ByID: writer(who)}}
		if kept, err = save(ctx, tx, a, fresh); err != nil {
			return err
		}
		tx.Hint("queue", "")
		return tx.Audit(ctx, ward.AuditEntry{At: now, Person: who.Person, Name: who.Name, Action: "alert.revise", Subject: string(id),
			Detail: fmt.Sprintf("%s, revision %d: %s", kindOf(change.Material), kept.Version, why)})
	})
	if err != nil {
		return ward.Revision{}, err
	}
	return kept, nil
}

func kindOf(material bool) string {
	if material {
		return "material"
	}
	return "editorial"
}

// Revision reads the revision of an alert that waits. Only the national watch sees it.
func (b *Board) Revision(ctx context.Context, scope ward.Scope, id ward.AlertID) (r ward.Revision, err error) {
	if !scope.All() {
		return r, fmt.Errorf("revision of %s: %w", id, ward.ErrNotFound)
	}
	err = b.store.View(ctx, func(tx *store.Tx) error {
		r, err = tx.Revision(ctx, id)
		return err
	})
	return r, err
}

// Revisions lists every revision that waits for a second person, the longest waiting first. Only the national watch has them.
func (b *Board) Revisions(ctx context.Context, scope ward.Scope) (all []ward.Revision, err error) {
	if !scope.All() {
		return nil, nil
	}
	err = b.store.View(ctx, func(tx *store.Tx) error {
		all, err = tx.Revisions(ctx)
		return err
	})
	return all, err
}

// ApproveRevision issues the revision that stands at version as the alert's next edition: everybody who was told of the
// alert is told, and after a material one every organisation acknowledges again. Nobody who wrote it can.
func (b *Board) ApproveRevision(ctx context.Context, who ward.Actor, id ward.AlertID, version int) (ward.Alert, error) {
	if err := who.Need(ward.MayApprove); err != nil {
		return ward.Alert{}, err
	}
	r, err := b.Revision(ctx, ward.Everything(), id)
	if err != nil {
		return ward.Alert{}, err
	}
	exploited, err := b.exploited(ctx, r.Draft.CVEs)
	if err != nil {
		return ward.Alert{}, err
	}
	var kept ward.Alert
	err = b.store.Update(ctx, func(tx *store.Tx) error {
		r, err := b.waiting(ctx, tx, id, version, ward.Alert{})
		if err != nil {
			return err
		}
		if slices.Contains(r.Writers, writer(who)) {
			return errOwnText
		}
		before, err := tx.Alert(ctx, ward.Everything(), id)
		if err != nil {
			return err
		}
		if before.State != ward.Published {
			return fmt.Errorf("alert %s is %s: %w", id, before.State, ward.ErrState)
		}
		now := b.clock.Now()
		a := over(before, r.Draft)
		a.Version, a.Edition, a.Revised, a.Exploited = before.Version+1, max(before.Edition, 1)+1, now, exploited
		a.Change = r.Change
		a.Change.Approver, a.Change.ApproverID, a.Change.At = who.Name, writer(who), now
		kept = a
		if err := b.keep(ctx, tx, who, a, "alert.issue_revision", false); err != nil {
			return err
		}
		if err := tx.DropRevision(ctx, id); err != nil {
			return err
		}
		return b.reissue(ctx, tx, before, a)
	})
	if err != nil {
		return ward.Alert{}, err
	}
	return kept, nil
}

// reissue does what follows from a new edition.
func (b *Board) reissue(ctx context.Context, tx *store.Tx, before, a ward.Alert) error {
	to, err := tx.AlertAudience(ctx, ward.Everything(), a.ID)
	if err != nil {
		return err
	}
	if !slices.Equal(before.CVEs, a.CVEs) || before.Product != a.Product {
		if err := tx.Cite(ctx, "alert", string(a.ID), a.CVEs, to.Respond); err != nil {
			return err
		}
		asked := make([]string, len(to.Respond))
		for i, org := range to.Respond {
			asked[i] = string(org)
		}
		if err := tx.Mark(ctx, store.ForProof, a.Revised, asked...); err != nil {
			return err
		}
	}
	if a.Change.Material {
		if err := b.Answers.Reopen(ctx, tx, a); err != nil {
			return fmt.Errorf("responses to %s: %w", a.ID, err)
		}
	}
	return b.tell(ctx, tx, a, to, revised, reread)
}

// DropRevision gives the revision that stands at version up; the alert stays as it is.
func (b *Board) DropRevision(ctx context.Context, who ward.Actor, id ward.AlertID, version int) error {
	if err := who.Need(ward.MayDraft); err != nil {
		return err
	}
	return b.store.Update(ctx, func(tx *store.Tx) error {
		r, err := b.waiting(ctx, tx, id, version, ward.Alert{})
		if err != nil {
			return err
		}
		if err := tx.DropRevision(ctx, id); err != nil {
			return err
		}
		tx.Hint("queue", "")
		return tx.Audit(ctx, ward.AuditEntry{At: b.clock.Now(), Person: who.Person, Name: who.Name, Action: "alert.drop_revision", Subject: string(id),
			Detail: fmt.Sprintf("revision %d by %s", r.Version, r.Change.By)})
	})
}
