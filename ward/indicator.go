package ward

import (
	"strings"
	"time"
)

// An Indicator is something that attackers leave behind or use, which a record of telemetry can be held against: one
// statement of one source. Two sources that name the same value make two Indicators.
type Indicator struct {
	Kind   IndicatorKind
	Value  string    // 203.0.113.7, files.attacker.example, a digest in hexadecimal
	From   time.Time // it counts from then on; zero: since ever
	Until  time.Time // it counts no more at that time; zero: until it is withdrawn
	Source string    // who says so
	Grade  SourceGrade
	TLP    TLP
}

// Holds reports whether the indicator counts at the time t.
func (i *Indicator) Holds(t time.Time) bool {
	return !t.Before(i.From) && (i.Until.IsZero() || t.Before(i.Until))
}

// IndicatorKind says what an indicator's value is.
type IndicatorKind string

// The kinds of indicator.
const (
	IndicatorAddress   IndicatorKind = "address"    // one IPv4 or IPv6 address
	IndicatorNetwork   IndicatorKind = "network"    // addresses that share a prefix (CIDR)
	IndicatorDomain    IndicatorKind = "domain"     // a name in the DNS, and the names below it
	IndicatorURL       IndicatorKind = "url"        // one URL
	IndicatorURLPrefix IndicatorKind = "url-prefix" // every URL that begins so
	IndicatorMD5       IndicatorKind = "md5"
	IndicatorSHA1      IndicatorKind = "sha1"
	IndicatorSHA256    IndicatorKind = "sha256"
	IndicatorSHA512    IndicatorKind = "sha512"
	IndicatorEmail     IndicatorKind = "email"
	IndicatorFile      IndicatorKind = "file" // a file's name without its folder
)

// SourceGrade is how far a statement is trusted, as intelligence services grade it (the Admiralty system): A to F for how reliable
// the source is, then 1 to 6 for how credible this statement is ("B2"). Either may be all that is known of it; empty is not
// graded.
type SourceGrade string

// ParseSourceGrade reads a grade; letters may be small.
func ParseSourceGrade(text string) (SourceGrade, bool) {
	g := strings.ToUpper(strings.TrimSpace(text))
	rest := g
	if rest != "" && 'A' <= rest[0] && rest[0] <= 'F' {
		rest = rest[1:]
	}
	if rest != "" && '1' <= rest[0] && rest[0] <= '6' {
		rest = rest[1:]
	}
	return SourceGrade(g), rest == ""
}

// ParseTLP reads a marking with or without "TLP:", in any case. WHITE is what CLEAR was called before TLP 2.0; an empty text
// is no marking.
func ParseTLP(text string) (TLP, bool) {
	word := strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(text)), "TLP:")
	switch tlp := TLP("TLP:" + word); {
	case word == "":
		return "", text == ""
	case word == "WHITE":
		return TLPClear, true
	case tlp == TLPClear, tlp == TLPGreen, tlp == TLPAmber, tlp == TLPAmberStrict, tlp == TLPRed:
		return tlp, true
	}
	return "", false
}
