package ward

import "time"

// Class is the kind of an asset: what a source of inventory can or cannot see.
type Class string

// The classes.
const (
	Workstation      Class = "workstation"
	Server           Class = "server"
	Appliance        Class = "appliance" // network and edge
	MobileManagement Class = "mobile_management"
	MedicalDevice    Class = "medical_device"
	Cloud            Class = "cloud"
)

// Classes lists every class, in the order that pages show.
var Classes = []Class{Workstation, Server, Appliance, MobileManagement, MedicalDevice, Cloud}

// Grade says how strong evidence is.
type Grade string

// The grades, weakest first.
const (
	SelfDeclared Grade = "self-declared"
	ToolExport   Grade = "tool export"
	Independent  Grade = "independent"
)

// Tri is yes, no or not known. The zero value is not known.
type Tri int8

// The three answers.
const (
	NotKnown Tri = 0
	Yes      Tri = 1
	No       Tri = 2
)

// Asset is one machine, device or service. It has one operator and one or more accountable organisations, and is counted once.
type Asset struct {
	ID          AssetID
	Operator    OrgID
	Accountable []OrgID // sorted, never empty
	Name        string  // host name or label, unique within the operator, compared without case
	Class       Class
	Site        string   // site name or code as the source gave it
	Reachable   Tri      // from the internet
	Data        []string // categories it holds: patient_record, staff_contact, authentication_token, device_identifier...
	Services    []string // clinical services that it supports
	FirstSeen   time.Time
	LastSeen    time.Time // newest observation by any source that still lists it, or the last one before it went
	Gone        bool      // no source lists it any more: "no longer seen", which is never "fixed"
}

// DeclaredAppliance is a machine that a person declares by hand, with what runs on it.
type DeclaredAppliance struct {
	Org       OrgID
	Vendor    string
	Product   string
	Version   string
	Name      string // how people call it; empty: made from the product
	Class     Class  // empty: appliance
	Reachable Tri    // from the internet
	Site      string
}

// Software is one distinct identity of installed software, as a source gave it.
type Software struct {
	ID      SoftwareID
	Vendor  string
	Product string
	Version string // empty when the source did not say
	CPE     string // CPE 2.3 formatted string, or empty
	PURL    string // package URL, or empty
}

// String is the identity as it was given: the CPE, the package URL, or "vendor product version".
func (s Software) String() string {
	switch {
	case s.CPE != "":
		return s.CPE
	case s.PURL != "":
		return s.PURL
	}
	text := s.Vendor
	for _, part := range []string{s.Product, s.Version} {
		if part == "" {
			continue
		}
		if text != "" {
			text += " "
		}
		text += part
	}
	return text
}

// Install is one software identity on one asset as one source saw it: an interval of time.
type Install struct {
	Asset      AssetID
	Software   Software
	Source     SourceID
	SourceName string
	Grade      Grade
	FirstSeen  time.Time
	LastSeen   time.Time // of this source's newest import while Gone is false, else of the last import that listed it
	Gone       bool
}

// Source is one named supplier of inventory for one organisation.
type Source struct {
	ID         SourceID
	Org        OrgID
	Name       string // "defender", "appliance register"
	Format     string // "csv", "defender", "cyclonedx", "declaration"
	Grade      Grade
	Classes    []Class   // what it can see, and so speaks for
	ObservedAt time.Time // of its newest applied import
	Assets     int       // that it listed then
}

// Import is one delivery of a source's inventory.
type Import struct {
	ID         ImportID
	Source     SourceID
	Org        OrgID
	SourceName string
	Digest     string // SHA-256 of the content, hex
	ObservedAt time.Time
	ReceivedAt time.Time
	By         string
	State      ImportState
	Rows       int // read
	Rejected   int // rows that could not be read, listed in Problems (the first 100)
	Problems   []string
	Assets     int // listed
	Added      int // installs that were new
	Gone       int // installs no longer seen
	AssetsLost int // assets of this source no longer seen
}

// ImportState is where an import stands.
type ImportState string

// The states of an import.
const (
	ImportApplied   ImportState = "applied"
	ImportUnchanged ImportState = "unchanged" // the same content again
	ImportHeld      ImportState = "held"      // lost more than a fifth of its source's assets: a person decides
	ImportDiscarded ImportState = "discarded"
)

// Freshness is how far a class of an organisation's estate is covered by evidence.
type Freshness string

// The states of coverage.
const (
	Fresh    Freshness = "fresh" // an import observed within FreshFor
	Stale    Freshness = "stale"
	NoSource Freshness = "none"
	Declared Freshness = "self-declared"
)

// FreshFor is how long an observation can support "not exposed". Thirty days: the longest interval between inventories that
// the estates the product was designed with deliver at.
const FreshFor = 30 * 24 * time.Hour

// DeclaredFor is how long a person's declaration stands before it must be made again.
const DeclaredFor = 90 * 24 * time.Hour

// Coverage is one class of one organisation's estate: who could have seen it, and when.
type Coverage struct {
	Org        OrgID
	Class      Class
	Freshness  Freshness
	Source     string // the freshest source that covers the class
	ObservedAt time.Time
	Assets     int
}

// DeclaredAnswer is a person's answer to "Do you run PRODUCT?".
type DeclaredAnswer string

// The answers.
const (
	RunsIt   DeclaredAnswer = "yes"
	NotRun   DeclaredAnswer = "no"
	HostedBy DeclaredAnswer = "hosted"
)

// Declaration is a signed, dated answer to "Do you run PRODUCT?". It expires, and is graded self-declared.
type Declaration struct {
	ID        string
	Org       OrgID
	Vendor    string
	Product   string
	Answer    DeclaredAnswer
	Version   string // for yes
	Asset     string // for yes: which machine, when the person names it
	Class     Class  // of that machine, when known
	Reachable Tri    // that machine, from the internet
	Host      OrgID  // for hosted: who hosts it, when that is an organisation we know
	Words     string // anything the person added, or the host's name
	By        PersonID
	Name      string // who signed
	At        time.Time
	Expires   time.Time
}
