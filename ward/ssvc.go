package ward

import (
	"slices"
	"strings"
)

// Mission is how badly care and the organisation's mission would suffer: SSVC's mission and well-being impact.
type Mission string

// The levels. Nobody's word is needed for Medium: it is what is taken while nothing is known to depend on an asset, and Low
// is never guessed.
const (
	MissionLow    Mission = "low"
	MissionMedium Mission = "medium"
	MissionHigh   Mission = "high" // a clinical service depends on it
	// MissionVeryHigh is the deployer's table's alone: people would come to harm, which only a person can say.
	MissionVeryHigh Mission = "very high"
)

// MissionOf is the mission impact of assets on which these clinical services depend.
func MissionOf(care []string) Mission {
	if len(care) > 0 {
		return MissionHigh
	}
	return MissionMedium
}

// Decisions are those of the coordinator's table, least urgent first; empty: the decision points are not all known.
var Decisions = []string{"", "track", "track*", "attend", "act"}

// The decision points in the order of the published tables, and the decisions row by row.
var (
	exploitations = []string{"none", "poc", "active"}
	yesNo         = []string{"no", "yes"}
	impacts       = []string{"partial", "total"}
	missions      = []Mission{MissionLow, MissionMedium, MissionHigh, MissionVeryHigh}
	exposures     = []Tri{No, NotKnown, Yes} // small, controlled, open

	// CISA Levels 1.1.0, coordinator 2.0.3: exploitation, automatable, technical impact, mission. t track, s track*, a attend, A act.
	coordinator = "ttt tts tta tta" + " tts tsa tta tsa" + " tta taA aaA aAA"
	// Deployer patch application priority 1.0.0: exploitation, exposure, automatable, human impact (low, medium, high, very
	// high). d defer, s scheduled, o out-of-cycle, i immediate.
	deployer = "ddss dsss dsss ssss dsss ssso" + " dsss ssss dsss ssso ssso ssoo" + " ssoo sooo ssoo oooo sooi ooii"
)

var deployerWords = map[byte]string{'d': "defer", 's': "scheduled", 'o': "out-of-cycle", 'i': "immediate"}

// exploitation is the point with CERT/CC's newer spelling of it.
func (s SSVC) exploitation() int {
	return slices.Index(exploitations, strings.TrimPrefix(strings.ToLower(s.Exploitation), "public "))
}

// Coordinator is the decision of CISA's coordinator table: track, track*, attend or act; empty when a point is not known.
func (s SSVC) Coordinator(m Mission) string {
	e, a, i, h := s.exploitation(), slices.Index(yesNo, strings.ToLower(s.Automatable)), slices.Index(impacts, strings.ToLower(s.Impact)), slices.Index(missions, m)
	if e < 0 || a < 0 || i < 0 || h < 0 || m == MissionVeryHigh {
		return ""
	}
	row := strings.ReplaceAll(coordinator, " ", "")[((e*2+a)*2+i)*3+h]
	return map[byte]string{'t': "track", 's': "track*", 'a': "attend", 'A': "act"}[row]
}

// Deployer is how soon whoever runs the assets would patch by SSVC's deployer table: defer, scheduled, out-of-cycle or
// immediate; empty when a point is not known. Reachable from the internet is open, not known is controlled; the human impact
// is that of the care.
func (s SSVC) Deployer(reachable Tri, human Mission) string {
	e, x, a, h := s.exploitation(), slices.Index(exposures, reachable), slices.Index(yesNo, strings.ToLower(s.Automatable)), slices.Index(missions, human)
	if e < 0 || x < 0 || a < 0 || h < 0 {
		return ""
	}
	return deployerWords[strings.ReplaceAll(deployer, " ", "")[((e*3+x)*2+a)*4+h]]
}

// FederalTimeline is how soon CISA's directive BOD 26-04 would have it fixed, by whether the catalogue lists it, whether it can
// be reached from the internet, and its decision points; empty when a point is not known.
func (s SSVC) FederalTimeline(listed bool, reachable Tri) string {
	a, i := slices.Index(yesNo, strings.ToLower(s.Automatable)), slices.Index(impacts, strings.ToLower(s.Impact))
	if a < 0 || i < 0 || reachable == NotKnown {
		return ""
	}
	aggravating, exposed := a, reachable == Yes
	if exposed {
		aggravating++
	}
	switch {
	case listed && i == 1 && aggravating > 0:
		return "3 days & forensic investigation"
	case listed && aggravating == 2, !listed && aggravating == 2 && i == 1:
		return "3 days"
	case listed, aggravating == 2, exposed && i == 1:
		return "14 days"
	case aggravating == 1:
		return "60 days"
	}
	return "fix on system upgrade"
}
