package duty_test

import (
	"context"
	"testing"
	"time"

	"wardwatch/act/duty"
	"wardwatch/ward"
)

type seen []ward.Detection

func (s seen) UrgentDetections(_ context.Context, scope ward.Scope, since time.Time) (all []ward.Detection, err error) {
	for _, d := range s {
		if scope.Sees(d.Org) && d.Noticed.After(since) {
			all = append(all, d)
		}
	}
	return all, nil
}

func TestADetectionInManyOrganisationsIsOneMatterOfTheNationalDesk(t *testing.T) {
	now := time.Date(2025, 5, 15, 3, 0, 0, 0, time.UTC)
	one := ward.Detection{ID: 1, Org: "ZZ1", Fingerprint: "a", Kind: "indicator", Indicator: "address 203.0.113.7", Title: "Known to be an attacker's", Level: "high", Count: 3, First: now.AddDate(0, 0, -11), Last: now, Noticed: now.Add(-time.Hour)}
	two, quiet, old := one, one, one
	two.ID, two.Org, two.Count, two.Level = 2, "ZZ2", 4, "critical"
	quiet.ID, quiet.Kind, quiet.Indicator, quiet.Fingerprint, quiet.Title = 3, "silence", "", "q", "The whole organisation has gone quiet"
	over := quiet
	over.Fingerprint, over.Ended = "o", now
	old.Fingerprint, old.Indicator, old.Noticed = "old", "address 203.0.113.8", now.AddDate(0, 0, -30)
	source := duty.FromDetections(seen{one, two, quiet, over, old}, ward.NewHandClock(now))
	items := func(scope ward.Scope) []ward.Item {
		all, err := source.Items(t.Context(), scope)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if all := items(ward.Everything()); len(all) != 2 || all[0].Reason != "7 events in 2 organisations; seen 10 days before we knew" || all[0].Org != "" || !all[0].Urgent || all[0].Mark != "2" || all[0].Link != "/detections/1" ||
		all[1].Reason != "nothing came since 03:00 UTC on 4 May 2025, against its rhythm" || all[1].Org != "ZZ1" {
		t.Errorf("%+v", all)
	}
	if all := items(ward.Only("ZZ2")); len(all) != 1 || all[0].Org != "ZZ2" || all[0].Reason != "4 events in 1 organisation; seen 10 days before we knew" {
		t.Errorf("%+v", all)
	}
	if all := items(ward.Scope{}); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}
