package ward_test

import (
	"encoding/csv"
	"os"
	"strings"
	"testing"

	"wardwatch/test/shared"
	"wardwatch/ward"
)

// published reads one of the published decision tables: each row without its number.
func published(t *testing.T, name string, rows int) [][]string {
	t.Helper()
	f, err := os.Open(shared.File(t, "data", "vuln", "ref", "ssvc", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil || len(all) != rows+1 {
		t.Fatalf("%d rows, %v", len(all), err)
	}
	for i := range all {
		all[i] = all[i][1:]
	}
	return all[1:]
}

func TestCoordinatorAgainstThePublishedTable(t *testing.T) {
	for _, row := range published(t, "cisa_coordinator_2_0_3.csv", 36) {
		s := ward.SSVC{Exploitation: row[0], Automatable: row[1], Impact: row[2]}
		if got := s.Coordinator(ward.Mission(row[3])); got != row[4] {
			t.Errorf("%v: %q", row, got)
		}
		s.Exploitation = strings.TrimPrefix(strings.ToUpper(row[0]), "PUBLIC ")
		if got := s.Coordinator(ward.Mission(row[3])); got != row[4] {
			t.Errorf("%v as an older record spells it: %q", row, got)
		}
	}
}

func TestDeployerAgainstThePublishedTable(t *testing.T) {
	reach := map[string]ward.Tri{"small": ward.No, "controlled": ward.NotKnown, "open": ward.Yes}
	for _, row := range published(t, "deployer_patch_application_priority_1_0_0.csv", 72) {
		s := ward.SSVC{Exploitation: row[0], Automatable: row[2]}
		if got := s.Deployer(reach[row[1]], ward.Mission(row[3])); got != row[4] {
			t.Errorf("%v: %q", row, got)
		}
	}
}

func TestFederalTimelineAgainstThePublishedTable(t *testing.T) {
	reach := map[string]ward.Tri{"no": ward.No, "yes": ward.Yes}
	for _, row := range published(t, "cisa_bod_26_04_1_0_0.csv", 16) {
		s := ward.SSVC{Automatable: row[2], Impact: row[3]}
		if got := s.FederalTimeline(row[0] == "yes", reach[row[1]]); got != row[4] {
			t.Errorf("%v: %q", row, got)
		}
	}
}

func TestSSVCDecidesNothingFromHalfOfItsPoints(t *testing.T) {
	for _, s := range []ward.SSVC{{}, {Exploitation: "active", Automatable: "yes"}, {Automatable: "yes", Impact: "total"}, {Exploitation: "active", Impact: "total"}} {
		if got := s.Coordinator(ward.MissionHigh); got != "" {
			t.Errorf("%+v: %s", s, got)
		}
	}
	whole := ward.SSVC{Exploitation: "active", Automatable: "yes", Impact: "total"}
	if got := whole.Coordinator(""); got != "" {
		t.Errorf("without a mission: %s", got)
	}
	if got := whole.FederalTimeline(true, ward.NotKnown); got != "" {
		t.Errorf("without reach: %s", got)
	}
	if ward.MissionOf(nil) != ward.MissionMedium || ward.MissionOf([]string{"imaging"}) != ward.MissionHigh {
		t.Error("the mission impact is not that of the care")
	}
}
