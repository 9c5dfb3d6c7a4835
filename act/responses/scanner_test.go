package responses_test

import (
	"strings"
	"testing"
	"time"

	"wardwatch/act/responses"
	"wardwatch/ward"
)

// TestAScannerCastsDoubtAndContradictsNothingByItself holds a claim against a scanner's finding beside what versions say.
func TestAScannerCastsDoubtAndContradictsNothingByItself(t *testing.T) {
	claimed := time.Date(2025, 5, 14, 9, 0, 0, 0, time.UTC)
	later := claimed.Add(time.Hour)
	scanned := ward.ScannerFinding{Asset: 1, AssetName: "mdm-1", CVE: "CVE-2025-4427", Plugin: "235860", Source: "nessus", Grade: ward.ToolExport, ObservedAt: later}
	old, gone := scanned, scanned
	old.ObservedAt, gone.Gone = claimed.Add(-time.Hour), true
	version := func(status ward.Status, number string, at time.Time) ward.Seen {
		return ward.Seen{Asset: 1, Name: "mdm-1", Version: number, Status: status, Basis: ward.ByVersion, Source: "register", Grade: ward.ToolExport, ObservedAt: at}
	}
	before, fixed, affected := version(ward.Affected, "12.5.0.0", claimed.Add(-time.Hour)), version(ward.Fixed, "12.5.0.1", later), version(ward.Affected, "12.5.0.0", later)
	for _, row := range []struct {
		name     string
		evidence []ward.Seen
		want     ward.ProofResult
		why      string
	}{
		{"a scan after the claim, and no version since", []ward.Seen{before, scanned.Sighting()}, ward.Disputed, "the scanner nessus"},
		{"a scan after the claim, and a fixed version", []ward.Seen{fixed, scanned.Sighting()}, ward.Disputed, "sources disagree"},
		{"a scan after the claim, and an affected version", []ward.Seen{affected, scanned.Sighting()}, ward.Contradicted, "12.5.0.0"},
		{"a scan before the claim, and a fixed version", []ward.Seen{fixed, old.Sighting()}, ward.Confirmed, ""},
		{"a scan that reports it no longer, and no version since", []ward.Seen{before, gone.Sighting()}, ward.Awaiting, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			proof := responses.Prove(responses.Statement{FixedAt: claimed}, nil, row.evidence, later.Add(time.Hour))
			if proof.Result != row.want || !strings.Contains(proof.Why, row.why) {
				t.Errorf("%s: %s", proof.Result, proof.Why)
			}
		})
	}
}
