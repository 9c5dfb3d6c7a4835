package ward

import "time"

// ScannerFinding is a vulnerability scanner's own word that a weakness is on an asset. It is a third source of exposure:
// shown beside what matching says, never mixed with it.
type ScannerFinding struct {
	Org        OrgID // whose source it is
	Asset      AssetID
	AssetName  string
	CVE        CVE
	Plugin     string // the scanner's number of its check
	Title      string
	Output     string // what the check printed, shortened
	Severity   string // in the scanner's words
	Port       string // "443/tcp"; empty for the host as a whole
	Source     string
	Grade      Grade
	FirstSeen  time.Time
	ObservedAt time.Time // of the newest scan that reported it
	Gone       bool      // a later scan of the same source reports it no longer: which says that it was not found, not that it is fixed
}

// Sighting is the finding as evidence for a proof. Its basis is the scanner's own check, which may cast doubt on a claim and
// cannot contradict one by itself.
func (f ScannerFinding) Sighting() Seen {
	return Seen{Asset: f.Asset, Name: f.AssetName, Software: string(f.CVE) + " by check " + f.Plugin, Status: Affected, Basis: ByScanner, Why: f.Title,
		Source: f.Source, Grade: f.Grade, ObservedAt: f.ObservedAt, Gone: f.Gone}
}
