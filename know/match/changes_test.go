package match_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/know/match"
	"wardwatch/ward"
)

var desk = ward.Actor{Person: "p-ann", Name: "Ann Example", Role: ward.Analyst, Scope: ward.Everything()}

// TestAnAnalystsAliasMatchesAndIsUndone follows one alias from its making to its undoing.
func TestAnAnalystsAliasMatchesAndIsUndone(t *testing.T) {
	w := open(t)
	w.learns(vendorSays("CVE-2025-4428"))
	w.imports("XZ1A", "register", "asset,vendor,product,version,class\nmdm1,Harbour Systems,Ward Gateway,12.5.0.0,mobile_management\n", ward.MobileManagement)
	if got := w.exposures(all, match.ExposureQuery{}); len(got) != 0 {
		t.Fatalf("before: %+v", got)
	}
	alias := ward.ProductAlias{Vendor: "Ivanti", Product: "Endpoint Manager Mobile", OtherVendor: "Harbour Systems", OtherProduct: "Ward  Gateway", Reason: "sold under that name"}
	for name, row := range map[string]struct {
		who    ward.Actor
		change func(a *ward.ProductAlias)
		want   error
	}{
		"a lead":         {ward.Actor{Role: ward.Lead}, func(*ward.ProductAlias) {}, ward.ErrForbidden},
		"no reason":      {desk, func(a *ward.ProductAlias) { a.Reason = " " }, ward.ErrInvalid},
		"no letters":     {desk, func(a *ward.ProductAlias) { a.OtherProduct = "-" }, ward.ErrInvalid},
		"itself":         {desk, func(a *ward.ProductAlias) { a.OtherVendor, a.OtherProduct = "ivanti inc", "EPMM" }, ward.ErrInvalid},
		"far too long":   {desk, func(a *ward.ProductAlias) { a.OtherProduct = strings.Repeat("x", 501) }, ward.ErrInvalid},
		"without vendor": {desk, func(a *ward.ProductAlias) { a.Vendor = "" }, ward.ErrInvalid},
	} {
		bad := alias
		row.change(&bad)
		if _, err := w.library.Alias(ctx, row.who, bad); !errors.Is(err, row.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	made, err := w.library.Alias(ctx, desk, alias)
	w.must(err)
	w.due()
	got := w.exposures(all, match.ExposureQuery{})
	if len(got) != 1 || got[0].Verdict.Confidence != ward.Alias || got[0].Verdict.Fixed != "12.5.0.1" {
		t.Fatalf("joined: %+v", got)
	}
	if by := w.exposures(all, match.ExposureQuery{Vendor: "Ivanti", Product: "EPMM"}); len(by) != 1 {
		t.Errorf("asked by the other name: %+v", by)
	}
	if s := w.standing("XZ1A"); s.State != ward.Exposed {
		t.Errorf("standing %+v", s)
	}
	if _, err := w.library.Alias(ctx, desk, alias); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("the same again: %v", err)
	}
	// What is imported while it stands is matched too.
	w.clock.Advance(time.Hour)
	w.imports("XZ9J", "register", "asset,vendor,product,version,class\nmdm2,Harbour Systems,Ward Gateway,12.4.0.0,mobile_management\n", ward.MobileManagement)
	if got := w.exposures(all, match.ExposureQuery{Org: "XZ9J"}); len(got) != 1 {
		t.Errorf("imported later: %+v", got)
	}

	w.clock.Advance(time.Hour)
	undone, err := w.library.Unalias(ctx, desk, made.ID, "two products after all")
	if err != nil || undone.UndoneBy != desk.Name || !undone.Undone.Equal(w.clock.Now()) {
		t.Errorf("%+v, %v", undone, err)
	}
	w.due()
	if got := w.exposures(all, match.ExposureQuery{Open: true}); len(got) != 0 {
		t.Errorf("undone: %+v", got)
	}
	if got := w.exposures(all, match.ExposureQuery{AsAt: w.clock.Now().Add(-time.Minute)}); len(got) != 2 {
		t.Errorf("what was exposed while it stood: %+v", got)
	}
	if _, err := w.library.Unalias(ctx, desk, made.ID, "two products after all"); !errors.Is(err, ward.ErrState) {
		t.Errorf("undone twice: %v", err)
	}
	if _, err := w.library.Unalias(ctx, desk, "none", ""); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("undone without being: %v", err)
	}
	if all, err := w.library.Aliases(ctx); err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	changes, err := w.Changes(ctx, all, match.ChangeQuery{CVE: "CVE-2025-4428"})
	if err != nil || len(changes.Items) != 2 || changes.Items[0].Became != "" || !strings.Contains(changes.Items[0].Words, "no source speaks of it any more") {
		t.Errorf("%+v, %v", changes, err)
	}
}

// TestAChangedSourceIsRecordedInWords: the CNA's default status gives way to NVD's ranges.
func TestAChangedSourceIsRecordedInWords(t *testing.T) {
	w := open(t)
	w.learns(vendorSays("CVE-2025-4428"))
	w.imports("XZ1A", "register", list("12.4.0.2"), ward.MobileManagement)
	w.clock.Set(time.Date(2025, 10, 24, 9, 0, 0, 0, time.UTC))
	w.learns(nvdSays("CVE-2025-4428"))
	page, err := w.Changes(ctx, all, match.ChangeQuery{})
	w.must(err)
	const want = "12.4.0.2 was affected by Ivanti (CNA)'s default status until 24 October 2025; NVD says fixed."
	if len(page.Items) != 1 || page.Items[0].Words != want || page.Items[0].Became != ward.Fixed || page.Items[0].Was != ward.Affected || !page.Items[0].At.Equal(w.clock.Now()) {
		t.Fatalf("%+v", page.Items)
	}
	for _, row := range []struct {
		scope ward.Scope
		q     match.ChangeQuery
		want  int
	}{
		{ward.Only("XZ1A"), match.ChangeQuery{}, 1},
		{ward.Only("XZ9J"), match.ChangeQuery{}, 0},
		{ward.Scope{}, match.ChangeQuery{}, 0},
		{all, match.ChangeQuery{CVE: "CVE-2025-4427"}, 0},
		{all, match.ChangeQuery{Org: "XZ1A", Software: page.Items[0].Software.ID}, 1},
		{all, match.ChangeQuery{Org: "XZ9J"}, 0},
	} {
		got, err := w.Changes(ctx, row.scope, row.q)
		if err != nil || len(got.Items) != row.want {
			t.Errorf("%+v: %+v, %v", row.q, got.Items, err)
		}
	}
	if _, err := w.Changes(ctx, ward.Only("XZ1A"), match.ChangeQuery{Org: "XZ9J"}); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("another organisation's: %v", err)
	}
	if _, err := w.Changes(ctx, all, match.ChangeQuery{After: "!"}); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("a cursor that no page gave: %v", err)
	}
}

// TestAChangedScoreReordersTheQueue: a new EPSS says nothing of versions, and moves what it is shown beside.
func TestAChangedScoreReordersTheQueue(t *testing.T) {
	w := open(t)
	score := func(cve ward.CVE, value float64, day int) {
		t.Helper()
		_, err := w.library.Merge(ctx, "epss", w.clock.Now(), []know.Report{{CVE: cve, Source: "epss",
			EPSS: &ward.EPSS{Provenance: ward.Provenance{Source: "epss", At: start.AddDate(0, 0, day)}, Score: value, Percentile: 0.5}}})
		w.must(err)
	}
	w.learns(vendorSays("CVE-2025-4428"))
	w.imports("XZ1A", "register", list("12.5.0.0"), ward.MobileManagement)
	w.pendingFor(store.ForFindings)
	for _, row := range []struct {
		what  string
		cve   ward.CVE
		value float64
		day   int
		want  int
	}{
		{"first score", "CVE-2025-4428", 0.4, 1, 1},
		{"the same on another day", "CVE-2025-4428", 0.4, 2, 0},
		{"less than is shown", "CVE-2025-4428", 0.4002, 3, 0},
		{"a rise", "CVE-2025-4428", 0.9, 4, 1},
		{"an older file", "CVE-2025-4428", 0.1, 3, 0},
		{"of what nobody runs", "CVE-2025-4427", 0.9, 4, 0},
	} {
		score(row.cve, row.value, row.day)
		if got := w.pendingFor(store.ForFindings); len(got) != row.want {
			t.Errorf("%s: %q", row.what, got)
		}
		if got := w.pendingFor(store.ForMatch); len(got) != 0 {
			t.Errorf("%s: left to match: %q", row.what, got)
		}
	}
}
