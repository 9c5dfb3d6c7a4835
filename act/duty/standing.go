package duty

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// standing is the Source of what can be read from the rows alone: answers, messages that reached nobody, updates that nobody
// asked for, held imports and declarations that expire.
type standing struct {
	store *store.Store
	clock ward.Clock
}

const (
	expiresSoon = 14 * 24 * time.Hour
	mostFixes   = 100

	// pressingRank bounds the updates that need a person now by findings.Rank: known exploitation, or a decision of act or attend.
	// What may wait for the ordinary round of updates stays in the queue of findings.
	pressingRank = "12"
)

// Items implements Source.
func (s standing) Items(ctx context.Context, scope ward.Scope) (all []ward.Item, err error) {
	now := s.clock.Now()
	err = s.store.View(ctx, func(tx *store.Tx) error {
		answers, err := tx.AnswersWaiting(ctx, scope, now)
		if err != nil {
			return err
		}
		for _, a := range answers {
			all = append(all, answerItems(scope, a, now)...)
		}
		if scope.All() {
			drafts, err := draftItems(ctx, tx)
			if err != nil {
				return err
			}
			all = append(all, drafts...)
		}
		fixes, err := tx.UnaskedFixes(ctx, scope, pressingRank, mostFixes)
		if err != nil {
			return err
		}
		for _, f := range fixes {
			all = append(all, fixItem(scope, f))
		}
		held, err := tx.HeldImports(ctx, scope)
		if err != nil {
			return err
		}
		for _, i := range held {
			all = append(all, heldItem(i))
		}
		unreached, err := tx.Unreached(ctx, scope)
		if err != nil {
			return err
		}
		for _, u := range unreached {
			all = append(all, unreachedItem(scope, u))
		}
		declarations, err := tx.Expiring(ctx, scope, now, now.Add(expiresSoon))
		for _, d := range declarations {
			all = append(all, declarationItem(d))
		}
		return err
	})
	return all, err
}

// Coming implements Calendar.
func (s standing) Coming(ctx context.Context, scope ward.Scope, from, until time.Time) (all []ward.Coming, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		if all, err = tx.ComingDue(ctx, scope, from, until); err != nil {
			return err
		}
		ending, err := tx.Ending(ctx, scope, from, until)
		if err != nil {
			return err
		}
		all = append(all, ending...)
		declarations, err := tx.Expiring(ctx, scope, from, until)
		for _, d := range declarations {
			all = append(all, ward.Coming{At: d.Expires, Kind: "declaration", Org: d.Org, Count: 1, Words: "declaration of " + d.Name + " about " + ward.ProductName(d.Vendor, d.Product)})
		}
		return err
	})
	return all, err
}

// about is an item about one organisation and an alert.
func about(scope ward.Scope, kind ward.ItemKind, alert ward.AlertID, org ward.OrgID) ward.Item {
	return ward.Item{ID: itemID(kind, string(alert), string(org)), Kind: kind, Org: org, Alert: alert, Link: answerLink(scope, alert, org)}
}

// answerItems is what an answer needs; it may be several things. What is seen again and tolerated is told by the ledger. A
// dispute waits at the national desk, which alone decides it; a check that is to be signed, with the organisation.
func answerItems(scope ward.Scope, a store.WaitingAnswer, now time.Time) (items []ward.Item) {
	as := func(kind ward.ItemKind, since time.Time, reason string) *ward.Item {
		one := about(scope, kind, a.Alert, a.Org)
		one.Since, one.Reason = since, reason
		items = append(items, one)
		return &items[len(items)-1]
	}
	r := a.Whole
	switch {
	case r.Proof.Result == ward.Contradicted && r.Recurrence.Since.IsZero():
		as(ward.ItemContradicted, r.Proof.ObservedAt, fmt.Sprintf("%s says that it is fixed, and %s", a.Org, r.Proof.Why))
	case r.Proof.Result == ward.Disputed && scope.All():
		why := r.Proof.Why
		if r.Dispute != "" {
			why = "it says: " + r.Dispute
		}
		as(ward.ItemDisputed, r.Updated, fmt.Sprintf("the match is disputed by %s: %s", a.Org, why)).Link = "/disputes"
	}
	if !scope.All() && r.Check.Owed() && r.Check.Result == "" && (!r.ClaimedFixedAt.IsZero() || r.Unchecked()) {
		at := r.ClaimedFixedAt
		if at.IsZero() {
			at = r.Updated
		}
		as(ward.ItemUnchecked, at, r.NotChecked()+": "+r.Check.Why)
	}
	if !a.Due.IsZero() && !a.Due.After(now) {
		what := "an update"
		if a.State == ward.Unanswered {
			what = "an acknowledgement"
		}
		as(ward.ItemOverdue, a.Due, fmt.Sprintf("%s owes %s since %s", a.Org, what, act.When(a.Due))).Due = a.Due
	}
	return items
}

// draftItems are the alerts that nobody was told of yet: each waits for a second person, or for whoever publishes it.
func draftItems(ctx context.Context, tx *store.Tx) (items []ward.Item, err error) {
	for _, state := range []ward.AlertState{ward.Drafted, ward.Approved} {
		page, err := tx.Alerts(ctx, ward.Everything(), store.AlertQuery{State: state, Limit: ward.MostPageSize})
		if err != nil {
			return nil, err
		}
		for _, a := range page.Items {
			item := ward.Item{ID: itemID(ward.ItemDraft, string(a.ID)), Kind: ward.ItemDraft, Alert: a.ID, Mark: string(state), Since: a.Created,
				Title: fmt.Sprintf("Approve %s: %s", a.ID, a.Title), Reason: fmt.Sprintf("%s, drafted by %s; somebody else approves it", a.Severity, a.Author),
				Link: "/alerts/" + url.PathEscape(string(a.ID)), Urgent: a.Severity == ward.High && !a.Exercise}
			if state == ward.Approved {
				item.Since, item.Title = a.ApprovedAt, fmt.Sprintf("Publish %s: %s", a.ID, a.Title)
				item.Reason = fmt.Sprintf("%s, approved by %s; nobody was told yet", a.Severity, a.Approver)
			}
			items = append(items, item)
		}
	}
	return items, nil
}

func unreachedItem(scope ward.Scope, u store.Unreached) ward.Item {
	item := about(scope, ward.ItemUndelivered, u.Alert, u.Org)
	how := strings.ReplaceAll(string(u.State), "_", " ")
	item.Since, item.Reason = u.At, fmt.Sprintf("no message reached anybody at %s (%s): telephone them", u.Org, how)
	if !scope.All() {
		item.Reason = fmt.Sprintf("no message reached any contact of %s (%s): put the contacts right", u.Org, how)
	}
	return item
}

// answerLink is where a reader sees an answer: the national desk beside the others, an organisation where it gives it.
func answerLink(scope ward.Scope, alert ward.AlertID, org ward.OrgID) string {
	if scope.All() {
		return "/alerts/" + url.PathEscape(string(alert)) + "/answers/" + url.PathEscape(string(org))
	}
	return "/alerts/" + url.PathEscape(string(alert)) + "/organisations/" + url.PathEscape(string(org))
}

func fixItem(scope ward.Scope, f store.UnaskedFix) ward.Item {
	product := ward.ProductName(f.Vendor, f.Product)
	title := strings.TrimSpace(product + " " + f.Branch)
	if f.Fix.Fix == "" {
		title += ": no source names a fixed version"
	} else {
		title = "Update " + title + " to " + f.Fix.Fix
	}
	reason := "no alert in force asks for it"
	if len(f.Priority.Reasons) > 0 {
		reason = strings.Join(f.Priority.Reasons, "; ") + "; " + reason
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{f.ProductKey, f.Branch, f.Fix.Fix}, "\x00")))
	item := ward.Item{
		ID: itemID(ward.ItemFinding, hex.EncodeToString(sum[:8])), Kind: ward.ItemFinding, Org: f.Org, Finding: f.Finding, Title: title,
		Reason: fmt.Sprintf("%s at %s: %s", act.Number(f.Assets, "asset"), act.Number(f.Orgs, "organisation"), reason),
		Since:  f.FirstSeen, Urgent: f.Priority.Exploited, Mark: fmt.Sprintf("%t %s %s", f.Priority.Exploited, f.Priority.SSVC, newest(f.CVEs)),
	}
	if scope.All() {
		item.Link = "/findings?q=" + url.QueryEscape(f.Product)
	} else {
		item.Link = "/organisations/" + url.PathEscape(string(scope.Orgs()[0]))
	}
	return item
}

// newest is the weakness with the greatest ID, which changes when another is added.
func newest(cves []ward.CVE) (last ward.CVE) {
	for _, cve := range cves {
		last = max(last, cve)
	}
	return last
}

func heldItem(i ward.Import) ward.Item {
	return ward.Item{
		ID: itemID(ward.ItemHeld, fmt.Sprint(int64(i.ID))), Kind: ward.ItemHeld, Org: i.Org, Title: fmt.Sprintf("Import of %s for %s", i.SourceName, i.Org),
		Reason: fmt.Sprintf("%s of the source would no longer be seen: release or discard it", act.Number(i.AssetsLost, "asset")),
		Since:  i.ReceivedAt, Link: "/organisations/" + url.PathEscape(string(i.Org)) + "/imports",
	}
}

func declarationItem(d ward.Declaration) ward.Item {
	return ward.Item{
		ID: itemID(ward.ItemDeclaration, d.ID), Kind: ward.ItemDeclaration, Org: d.Org, Title: fmt.Sprintf("Declaration of %s about %s", d.Org, ward.ProductName(d.Vendor, d.Product)),
		Reason: "expires at " + act.When(d.Expires) + ", and what it says is not known any more then: declare again",
		Since:  d.Expires.Add(-expiresSoon), Due: d.Expires, Link: "/organisations/" + url.PathEscape(string(d.Org)) + "/declare",
	}
}

func itemID(kind ward.ItemKind, parts ...string) ward.ItemID {
	return ward.ItemID(string(kind) + ":" + strings.Join(parts, ":"))
}
