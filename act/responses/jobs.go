package responses

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// product is who speaks when no person does.
const product = "Wardwatch"

// daily names the stamp of the last time that every answer was proved anew without being asked.
const daily = "responses.daily"

// Due does what is due now: follows mergers, opens what closed until a date, says each word of the ladder, and proves the answers of organisations whose evidence changed, and of
// all once a day. It returns when to be called next.
func (l *Ledger) Due(ctx context.Context, now time.Time) (time.Time, error) {
	for _, job := range []func(context.Context, time.Time) error{l.follow, l.ends, l.remind} {
		if err := job(ctx, now); err != nil {
			return time.Time{}, err
		}
	}
	again, err := l.everyDay(ctx, now)
	if err != nil {
		return time.Time{}, err
	}
	if err := l.reprove(ctx); err != nil {
		return time.Time{}, err
	}
	var next time.Time
	err = l.store.View(ctx, func(tx *store.Tx) error {
		next, err = tx.NextResponseDue(ctx, now)
		return err
	})
	if next.IsZero() || (!again.IsZero() && again.Before(next)) {
		next = again
	}
	return next, err
}

// everyDay marks every organisation that was asked, once a day: what is fresh today is stale one day.
func (l *Ledger) everyDay(ctx context.Context, now time.Time) (next time.Time, err error) {
	const day = 24 * time.Hour
	var last time.Time
	var asked bool
	err = l.store.View(ctx, func(tx *store.Tx) error {
		if last, err = tx.Stamp(ctx, daily); err != nil {
			return err
		}
		asked, err = tx.Asked(ctx)
		return err
	})
	switch {
	case err != nil || !asked:
		return time.Time{}, err
	case !last.IsZero() && now.Before(last.Add(day)):
		return last.Add(day), nil
	}
	return now.Add(day), l.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.SetStamp(ctx, daily, now); err != nil {
			return err
		}
		if last.IsZero() {
			return nil // the first alert was only just published
		}
		if err := tx.ForgetReminders(ctx, now); err != nil {
			return err
		}
		orgs, err := tx.AskedOrgs(ctx)
		if err != nil {
			return err
		}
		return tx.Mark(ctx, store.ForProof, now, orgs...)
	})
}

// reprove proves the answers of the organisations that wait for it, and those to the alerts about the weaknesses that do; a
// transaction a subject, so that a kill loses nothing and one organisation's trouble does not stop the others.
func (l *Ledger) reprove(ctx context.Context) error {
	const most = 1_000_000 // all
	var waiting []store.Work
	var alerts []ward.Alert
	err := l.store.View(ctx, func(tx *store.Tx) (err error) {
		if waiting, err = tx.Waiting(ctx, store.ForProof, most); err != nil || len(waiting) == 0 {
			return err
		}
		alerts, err = tx.AlertsOf(ctx, nil)
		return err
	})
	if err != nil || len(waiting) == 0 {
		return err
	}
	var orgs []ward.OrgID
	var failed []error
	for _, work := range waiting {
		cve, about := strings.CutPrefix(work.Subject, "cve:")
		if !about {
			orgs = append(orgs, ward.OrgID(work.Subject))
			continue
		}
		if err := l.reproveAbout(ctx, work, ward.CVE(cve), alerts); err != nil {
			failed = append(failed, fmt.Errorf("proof about %s: %w", cve, err))
		}
	}
	now := map[key]ward.Standing{}
	for _, a := range alerts {
		if err := l.stand(ctx, now, a, orgs); err != nil {
			return err
		}
	}
	for _, work := range waiting {
		if strings.Contains(work.Subject, ":") {
			continue
		}
		if err := l.reproveOne(ctx, work, now); err != nil {
			failed = append(failed, fmt.Errorf("proof for %s: %w", work.Subject, err))
		}
	}
	return errors.Join(failed...)
}

// stand works out where organisations stand on an alert.
func (l *Ledger) stand(ctx context.Context, now map[key]ward.Standing, a ward.Alert, orgs []ward.OrgID) error {
	standings, err := l.standings.Standing(ctx, ward.Everything(), aboutAlert(a), orgs)
	if err != nil {
		return fmt.Errorf("standing for %s: %w", a.ID, err)
	}
	for _, s := range standings {
		now[key{alert: a.ID, org: s.Org}] = s
	}
	return nil
}

// reproveAbout proves the answers to every alert that names the weakness.
func (l *Ledger) reproveAbout(ctx context.Context, work store.Work, cve ward.CVE, alerts []ward.Alert) error {
	var answers []ward.Response
	now := map[key]ward.Standing{}
	for _, a := range alerts {
		if !slices.Contains(a.CVEs, cve) {
			continue
		}
		asked, err := l.ForAlert(ctx, ward.Everything(), a.ID)
		if err != nil {
			return err
		}
		orgs := make([]ward.OrgID, len(asked))
		for i, r := range asked {
			orgs[i] = r.Org
		}
		if err := l.stand(ctx, now, a, orgs); err != nil {
			return err
		}
		answers = append(answers, asked...)
	}
	return l.store.Update(ctx, func(tx *store.Tx) error {
		for _, asked := range answers {
			r, err := tx.Response(ctx, ward.Everything(), asked.Alert, asked.Org)
			if err != nil {
				return err
			}
			if err := l.reproveAnswer(ctx, tx, r, now); err != nil {
				return err
			}
		}
		return tx.Finish(ctx, store.ForProof, work)
	})
}

func (l *Ledger) reproveOne(ctx context.Context, work store.Work, standings map[key]ward.Standing) error {
	return l.store.Update(ctx, func(tx *store.Tx) error {
		all, err := tx.ResponsesStanding(ctx, ward.OrgID(work.Subject))
		if err != nil {
			return err
		}
		for _, r := range all {
			if r.MovedTo != "" { // evidence about its machines is evidence for whoever took its answer over
				if err := tx.Mark(ctx, store.ForProof, l.clock.Now(), string(r.MovedTo)); err != nil {
					return err
				}
			}
			if err := l.reproveAnswer(ctx, tx, r, standings); err != nil {
				return err
			}
		}
		return tx.Finish(ctx, store.ForProof, work)
	})
}

// reproveAnswer proves one answer, as its organisation stands now, and keeps what changed.
func (l *Ledger) reproveAnswer(ctx context.Context, tx *store.Tx, r ward.Response, standings map[key]ward.Standing) error {
	c, err := l.begin(ctx, tx, product, r)
	if errors.Is(err, ward.ErrState) {
		return nil // the alert is closed
	}
	if err != nil {
		return err
	}
	standing, known := standings[key{alert: r.Alert, org: r.Org}]
	moved := known && (standing.State != r.Current.State || standing.Reason != r.Current.Reason || !standing.ObservedAt.Equal(r.Current.ObservedAt))
	if moved {
		c.r.Current = standing
	}
	if err := c.prove(ctx); err != nil {
		return err
	}
	if !moved && same(r.Proof, c.r.Proof) && len(c.entries) == 0 && c.r.Check == r.Check {
		return nil
	}
	return c.refresh(ctx, r)
}

// refresh keeps what evidence changed. The version counts what people say: it moves only when the answer was opened again
// or closes as something else, so that an import does not refuse the words that a person is writing.
func (c *answering) refresh(ctx context.Context, before ward.Response) error {
	c.wind()
	if c.r.State != before.State || c.r.ClosedAs != before.ClosedAs || c.r.Outcome != before.Outcome {
		c.r.Version++
		c.r.UpdatedBy, c.r.Updated = c.who, c.now
		if err := c.tx.SaveResponse(ctx, c.r); err != nil {
			return err
		}
	} else if err := c.tx.RefreshResponse(ctx, c.r); err != nil {
		return err
	}
	return c.tell(ctx)
}
