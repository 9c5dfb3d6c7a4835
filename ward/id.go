package ward

// OrgID is an organisation's ODS code, upper case ("RX1", "XZ1A1").
type OrgID string

// SiteID is an organisation site's ODS code.
type SiteID string

// AssetID numbers an asset. The store assigns it: install rows are counted in millions, so assets and software have
// integer keys where everything else has text.
type AssetID int64

// SoftwareID numbers a distinct software identity.
type SoftwareID int64

// SourceID numbers one named source of one organisation's estate ("defender" of XZ1).
type SourceID int64

// ImportID numbers one import of a source.
type ImportID int64

// CVE is a vulnerability's identifier in the CVE programme ("CVE-2025-4427").
type CVE string

// AlertID is an alert's threat ID ("CC-4601").
type AlertID string

// FindingID is a finding's fingerprint: hash of organisation, product, installed branch and fixed version.
type FindingID string

// PersonID identifies a person who can sign in.
type PersonID string
