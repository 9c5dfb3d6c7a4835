package responses_test

import (
	"fmt"
	"testing"
	"time"

	"wardwatch/act/notify"
	"wardwatch/act/responses"
	"wardwatch/keep/store"
	"wardwatch/know/match"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

// hosted is a host with many clients, each with some machines of the product, over the real match.
func hosted(b *testing.B, clients int) (*ground.Ground, *responses.Ledger, ward.Alert, []ward.OrgID) {
	b.Helper()
	orgs := make([]ward.OrgID, clients)
	for i := range orgs {
		orgs[i] = ward.OrgID(fmt.Sprintf("XY%03d", i))
	}
	g := ground.New(b, append(orgs, "XZ6")...)
	since := g.Clock.Now().Add(-day)
	err := g.Store.Update(g.Ctx, func(tx *store.Tx) error {
		for _, org := range orgs {
			if err := tx.SaveRelation(g.Ctx, ward.Relation{From: "XZ6", Kind: ward.Hosts, To: org, Since: since}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for i, org := range orgs {
		g.Exposed(org, ward.AssetID(i+1), fmt.Sprintf("mdm-%d", i), fmt.Sprintf("12.4.%d.0", i%10), cve1)
	}
	matcher := match.New(g.Store, g.Clock)
	ledger := responses.New(g.Store, g.Clock, matcher, matcher, g.Words, notify.New(g.Store, g.Clock))
	a := g.Publish()
	return g, ledger, a, orgs
}

func BenchmarkAnswerForForty(b *testing.B) {
	g, ledger, a, orgs := hosted(b, 40)
	said := responses.Answer{Applies: ward.Applies, Claim: true, FixedAt: g.Clock.Now(), Words: "updated overnight"}
	for b.Loop() {
		results, err := ledger.AnswerForMany(g.Ctx, hostLead, a.ID, orgs, said, responses.Bulk{})
		if err != nil || len(results) != 40 {
			b.Fatal(len(results), err)
		}
	}
}

// year publishes a year's alerts to every organisation, most of them answered.
func year(b *testing.B, alerts, organisations int) *ground.Ground {
	b.Helper()
	orgs := make([]ward.OrgID, organisations)
	for i := range orgs {
		orgs[i] = ward.OrgID(fmt.Sprintf("XY%03d", i))
	}
	g := ground.New(b, orgs...)
	for n := range alerts {
		a := g.Publish()
		err := g.Store.Update(g.Ctx, func(tx *store.Tx) error {
			for i, org := range orgs {
				if (i+n)%10 == 0 {
					continue // does not answer
				}
				r, err := tx.Response(g.Ctx, ward.Everything(), a.ID, org)
				if err != nil {
					return err
				}
				r.Version++
				r.State, r.AcknowledgedAt, r.Applicability = ward.ClosedAnswer, a.Issued, ward.AppliesNot
				r.ClosedAt, r.ClosedAs, r.Outcome, r.Words = a.Issued, responses.ClosedNotApplying, ward.OutcomeNotApplicable, "we have none of it"
				if err := tx.SaveResponse(g.Ctx, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		g.Clock.Advance(33 * time.Hour)
	}
	return g
}

func BenchmarkOverviewOfAYear(b *testing.B) {
	alerts, organisations := 263, 230 // 13 High and 250 others, none of them closed
	if testing.Short() {
		alerts, organisations = 26, 23
	}
	g := year(b, alerts, organisations)
	b.Run("of the country", func(b *testing.B) {
		for b.Loop() {
			if o, err := g.Ledger.Overview(g.Ctx, ward.Everything()); err != nil || len(o.Alerts) != alerts {
				b.Fatal(len(o.Alerts), err)
			}
		}
	})
	b.Run("of one organisation", func(b *testing.B) {
		for b.Loop() {
			if o, err := g.Ledger.Overview(g.Ctx, ward.Only("XY007")); err != nil || len(o.Alerts) != alerts {
				b.Fatal(len(o.Alerts), err)
			}
		}
	})
	b.Run("job with nothing due", func(b *testing.B) {
		g.Due()
		for b.Loop() {
			g.Due()
		}
	})
}
