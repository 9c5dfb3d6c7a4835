package match

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"wardwatch/know"
)

// A span is one stretch of versions made ready for comparison.
type span struct {
	status               know.ClaimStatus
	scheme               string
	from, to             string // as written; empty: from the first, without end
	fromKey              string
	toKey                string
	fromBranch, toBranch string
	fromOpen             bool   // the start itself is outside
	toClosed             bool   // the end itself is inside
	exact                bool   // the one version in from
	unread               string // words that state no versions
	unsorted             bool   // the scheme has no order known here: equality alone says something
	changes              []point
}

// A point is a version from which another status holds.
type point struct {
	at, key string
	status  know.ClaimStatus
}

// every reports whether the span is all versions, which says nothing about any one.
func (s *span) every() bool {
	return s.from == "" && s.to == "" && !s.exact && s.unread == "" && len(s.changes) == 0
}

// holds is what the span says of a version: whether it lies inside, and whether that could be told.
func (s *span) holds(id *Identity) (inside, told bool) {
	if s.unread != "" {
		return false, false
	}
	if s.from == "" && s.to == "" {
		return true, true
	}
	key, ordered := id.keyIn(s.scheme)
	if s.exact {
		return key == s.fromKey, ordered || key == s.fromKey
	}
	if !ordered || s.unsorted {
		return false, false
	}
	if s.from != "" && (key < s.fromKey || s.fromOpen && key == s.fromKey) {
		return false, true
	}
	if s.to != "" && (key > s.toKey || !s.toClosed && key == s.toKey) {
		return false, true
	}
	return true, true
}

// statusAt is the status inside the span, after its changes.
func (s *span) statusAt(id *Identity) know.ClaimStatus {
	status := s.status
	key, _ := id.keyIn(s.scheme)
	for _, change := range s.changes {
		if change.key <= key {
			status = change.status
		}
	}
	return status
}

// words says the span as a person would.
func (s *span) words() string {
	switch {
	case s.unread != "":
		return strconv.Quote(s.unread)
	case s.exact:
		return s.from
	case s.from == "" && s.to == "":
		return "every version"
	case s.to == "" && s.fromOpen:
		return "every version after " + s.from
	case s.to == "":
		return s.from + " and later"
	case s.from == "" && s.toClosed:
		return "versions up to " + s.to
	case s.from == "":
		return "versions before " + s.to
	case s.toClosed:
		return s.from + " to " + s.to
	}
	return s.from + " up to, not including, " + s.to
}

// first reports whether a start of a range means "from the first version".
func first(version string) bool {
	switch strings.ToLower(strings.TrimSpace(version)) {
	case "", "0", "0.0", "0.0.0", "*", "-", "unspecified", "n/a", "unknown", "all", "all versions", "any":
		return true
	}
	return false
}

// endless reports whether an end of a range means "without end".
func endless(version string) bool {
	switch strings.ToLower(strings.TrimSpace(version)) {
	case "", "*", "-", "unspecified", "n/a", "all":
		return true
	}
	return false
}

// readRanges makes a range of a claim ready. A single version may be words, as many CNAs write: "All versions < V4.1.4", or
// a list of versions, which is as many stretches.
func readRanges(r know.Range) []span {
	if r.LessThan != "" || r.LessThanOrEqual != "" || len(r.Changes) > 0 || !strings.Contains(r.Version, ",") {
		return []span{readRange(r)}
	}
	var all []span
	for part := range strings.SplitSeq(afterName(r.Version), ",") {
		one := readRange(know.Range{Version: strings.TrimSpace(part), Scheme: r.Scheme, Status: r.Status})
		if !one.exact {
			return []span{readRange(r)} // bounds that belong together, or words
		}
		all = append(all, one)
	}
	return all
}

// afterName drops words before the first version ("FortiOS 6.2.0 and below."), and a full stop.
func afterName(text string) string {
	text = strings.TrimSuffix(strings.TrimSpace(text), ".")
	fields := strings.Fields(text)
	for i, field := range fields {
		if strings.ContainsAny(field, "0123456789<>=≤≥*") || slices.Contains(boundWords, strings.ToLower(field)) {
			return strings.Join(fields[i:], " ")
		}
	}
	return text
}

// boundWords begin a bound, so that they are no product's name.
var boundWords = []string{"before", "prior", "earlier", "lower", "older", "below", "through", "up", "until", "from"}

func readRange(r know.Range) span {
	s := span{status: r.Status, scheme: strings.ToLower(r.Scheme)}
	switch {
	case r.LessThan == "" && r.LessThanOrEqual == "" && len(r.Changes) > 0:
		if !first(r.Version) {
			s.from = r.Version
		}
	case r.LessThan == "" && r.LessThanOrEqual == "":
		s.readWords(r.Version)
	default:
		if !first(r.Version) {
			s.from = r.Version
		}
		end := r.LessThan
		if end == "" {
			end, s.toClosed = r.LessThanOrEqual, true
		}
		if !endless(end) {
			s.to = end
			if low, high, ok := wildcard(end); ok {
				s.to = low
				if s.toClosed {
					s.to, s.toClosed = high, false
				}
			}
		}
	}
	s.ready()
	if s.from != "" && s.to != "" && (s.fromKey > s.toKey || s.fromKey == s.toKey && !s.toClosed) {
		// A stretch of nothing. Where both ends are one version, its maker means what comes before (Chrome's records do);
		// an end before the start says nothing.
		if s.fromKey == s.toKey {
			s.from, s.fromKey = "", ""
		} else {
			s.unread = s.from + " up to " + s.to
		}
	}
	for _, change := range r.Changes {
		key, ordered := know.OrderKey(s.scheme, change.At)
		s.unsorted = s.unsorted || !ordered
		s.changes = append(s.changes, point{change.At, key, change.Status})
	}
	return s
}

func (s *span) ready() {
	for _, side := range []struct {
		version     string
		key, branch *string
	}{{s.from, &s.fromKey, &s.fromBranch}, {s.to, &s.toKey, &s.toBranch}} {
		if side.version == "" {
			continue
		}
		key, ordered := know.OrderKey(s.scheme, side.version)
		*side.key, *side.branch = key, know.Branch(side.version)
		s.unsorted = s.unsorted || !ordered
		if !know.Usable(side.version) && !s.exact {
			s.unread = side.version
		}
	}
}

var (
	lead     = regexp.MustCompile(`^(?:all\s+)?(?:versions?|releases?|firmware versions?)\s+`)
	bound    = regexp.MustCompile(`^(<=|>=|<|>|=|≤|≥|before|prior to|earlier than|lower than|older than|below|through|up to and including|up to|until)\s*(\S+)$`)
	andPrior = regexp.MustCompile(`^(\S+)\s+(?:and|or)\s+(?:all\s+)?(prior|earlier|below|older|lower|previous|before|later|newer|above|higher)(?:\s+versions?)?$`)
	fromTo   = regexp.MustCompile(`^(?:from\s+)?(\S+)\s+(?:-|–|to|through|thru)\s+(\S+)$`)
	dotted   = regexp.MustCompile(`^v?(\d+(?:\.\d+)*)\.[x*]$`)
	release  = regexp.MustCompile(`^(?:\S+\s+)?\S*\d\S*(?:\s+\S+){0,3}$`)
)

// readWords reads the version of an entry without an end: mostly one version, but often words.
func (s *span) readWords(text string) {
	plain := strings.ToLower(strings.Join(strings.Fields(text), " "))
	switch plain {
	case "*", "all", "all versions", "any", "any version", "every version":
		return
	case "", "-", "n/a", "na", "unspecified", "unknown", "multiple versions", "see references", "see reference":
		s.unread = or(text, "no version")
		return
	}
	words := lead.ReplaceAllString(afterName(plain), "")
	parts := strings.Split(words, ",")
	if s.readBounds(parts) {
		return
	}
	if m := andPrior.FindStringSubmatch(words); len(m) > 2 && know.Usable(m[1]) {
		switch m[2] {
		case "later", "newer", "above", "higher":
			s.from = m[1]
		default:
			s.to, s.toClosed = m[1], true
		}
		return
	}
	if m := fromTo.FindStringSubmatch(words); len(m) > 2 && know.Usable(m[1]) && know.Usable(m[2]) {
		s.from, s.to, s.toClosed = m[1], m[2], true
		if _, high, ok := wildcard(m[2]); ok {
			s.to, s.toClosed = high, false
		}
		return
	}
	if low, high, ok := wildcard(words); ok {
		s.from, s.to = low, high
		return
	}
	if !know.Usable(text) || !release.MatchString(words) || strings.ContainsAny(words, "<>;") || strings.Contains(words, ",") {
		s.unread = text
		return
	}
	s.from, s.exact = strings.TrimSpace(text), true
}

// readBounds reads ">= 1.0, < 2.0" and its like; it is false, and leaves the span, when any part is something else.
func (s *span) readBounds(parts []string) bool {
	try := *s
	for _, part := range parts {
		m := bound.FindStringSubmatch(strings.TrimSpace(part))
		if len(m) < 3 || !know.Usable(m[2]) {
			return false
		}
		low, high, wild := wildcard(m[2])
		switch m[1] {
		case "=":
			try.from, try.exact = m[2], true
		case ">=", "≥":
			try.from = m[2]
			if wild {
				try.from = low
			}
		case ">":
			try.from, try.fromOpen = m[2], true
			if wild {
				try.from, try.fromOpen = high, false
			}
		case "<=", "≤", "through", "up to and including", "up to", "until":
			try.to, try.toClosed = m[2], true
			if wild {
				try.to, try.toClosed = high, false
			}
		default:
			try.to = m[2]
			if wild {
				try.to = low
			}
		}
	}
	*s = try
	return true
}

// wildcard reads 12.5.x as 12.5 up to, not including, 12.6.
func wildcard(text string) (low, high string, ok bool) {
	m := dotted.FindStringSubmatch(strings.ToLower(text))
	if m == nil {
		return "", "", false
	}
	head, last := "", m[1]
	if i := strings.LastIndexByte(last, '.'); i >= 0 {
		head, last = last[:i+1], last[i+1:]
	}
	n, err := strconv.Atoi(last)
	if err != nil {
		return "", "", false
	}
	return m[1], head + strconv.Itoa(n+1), true
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
