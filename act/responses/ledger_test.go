package responses_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"wardwatch/act/responses"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

const (
	cve1 = ward.CVE("CVE-2025-4427")
	cve2 = ward.CVE("CVE-2025-4428")
)

var lead = ground.Person("Lee", ward.Lead, "XZ1")

// sight is what a tool's export showed on the asset mdm1 at a time.
func sight(at time.Time, version string, status ward.Status, basis ward.Basis) ward.Seen {
	return ward.Seen{Asset: 1, Name: "mdm1", Software: "Ivanti Endpoint Manager Mobile " + version, Version: version, Status: status, Basis: basis,
		Fixed: "12.5.0.1", Source: "register", Grade: ward.ToolExport, ObservedAt: at}
}

func TestAnOrdinaryAnswer(t *testing.T) {
	g := ground.New(t, "XZ1", "XZ2")
	g.Exposed("XZ1", 1, "mdm1", "12.5.0.0", cve1, cve2)
	g.Words.Stand(ward.Standing{Org: "XZ1", State: ward.Exposed, Reason: "12.5.0.0 on 1 asset"})
	g.Words.Show("XZ1", sight(ground.Day0.Add(-24*time.Hour), "12.5.0.0", ward.Affected, ward.ByVersion))
	a := g.Publish()

	r := g.Response(a.ID, "XZ1")
	if r.State != ward.Unanswered || r.Standing.State != ward.Exposed || !r.RespondBy.Equal(ground.Day0.Add(48*time.Hour)) {
		t.Fatalf("opened as %+v", r)
	}
	if other := g.Response(a.ID, "XZ2"); other.Standing.State != ward.ExposureUnknown {
		t.Errorf("XZ2 stands as %q, want not known", other.Standing.State)
	}

	g.Clock.Advance(2 * time.Hour)
	r, err := g.Ledger.Acknowledge(g.Ctx, lead, a.ID, "XZ1", r.Version)
	if err != nil || r.State != ward.InProgress || !r.NextDue.Equal(g.Clock.Now().Add(72*time.Hour)) {
		t.Fatalf("acknowledged: %+v, %v", r, err)
	}
	claimed := g.Clock.Now()
	r, err = g.Ledger.Claim(g.Ctx, lead, a.ID, "XZ1", r.Version, time.Time{}, "updated tonight")
	if err != nil || r.State != ward.Remediated || r.Proof.Result != ward.Awaiting {
		t.Fatalf("claimed: %+v, %v", r, err)
	}

	// An import after the claim still shows the old version.
	g.Clock.Advance(24 * time.Hour)
	g.Imported("XZ1", sight(g.Clock.Now(), "12.5.0.0", ward.Affected, ward.ByVersion))
	g.Due()
	r = g.Response(a.ID, "XZ1")
	if r.Proof.Result != ward.Contradicted || !strings.Contains(r.Proof.Why, "mdm1") {
		t.Fatalf("proof %+v", r.Proof)
	}
	if _, err := g.Ledger.Close(g.Ctx, lead, a.ID, "XZ1", r.Version, ""); !errors.Is(err, ward.ErrState) || !strings.Contains(err.Error(), "mdm1") {
		t.Fatalf("closing a contradicted answer: %v", err)
	}

	// The next one shows the fixed version.
	g.Clock.Advance(24 * time.Hour)
	g.Imported("XZ1", sight(g.Clock.Now(), "12.5.0.1", ward.Fixed, ward.ByVersion))
	g.Due()
	r = g.Response(a.ID, "XZ1")
	if r.Proof.Result != ward.Confirmed || !r.ClaimedFixedAt.Equal(claimed) {
		t.Fatalf("proof %+v", r.Proof)
	}
	r, err = g.Ledger.Close(g.Ctx, lead, a.ID, "XZ1", r.Version, "done")
	if err != nil || r.State != ward.ClosedAnswer || r.ClosedAs != responses.ClosedConfirmed {
		t.Fatalf("closed: %+v, %v", r, err)
	}

	history, err := g.Ledger.History(g.Ctx, lead.Scope, a.ID, "XZ1")
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, e := range history {
		kinds = append(kinds, e.Kind)
	}
	if got, want := strings.Join(kinds, " "), "acknowledged claimed proof proof proof closed"; got != want {
		t.Errorf("history %q, want %q", got, want)
	}
	o, err := g.Ledger.Overview(g.Ctx, ward.Everything())
	if err != nil || len(o.Alerts) != 1 || o.Claimed != 1 || o.Confirmed != 1 || o.Alerts[0].ClosedConfirmed != 1 || o.Alerts[0].Unanswered != 1 || o.NotKnown != 1 {
		t.Errorf("overview %+v, %v", o, err)
	}
	if page, err := g.Outbox.Inbox(g.Ctx, lead.Scope, "XZ1", "", 0); err != nil || len(page.Items) != 2 {
		t.Errorf("inbox %+v, %v", page, err)
	}
}
