package watch

import "github.com/cespare/xxhash/v2"

// A Query is what a hunt looks for. What it asks of the archive is in two parts: needles, by which the archive leaves out
// what cannot hold a match without reading it, and a match, which decides about each event that is left. A hunt by needles
// finds what reading everything would find.
type Query interface {
	// Names are the fields that the match asks for by number.
	Names() *Names
	// Needles are keys (Key) of what an event must show: one of each list. Nil: any event may match. A list that is empty
	// cannot be fulfilled.
	Needles() [][]uint64
	// Matcher makes a match, for one goroutine.
	Matcher() Matcher
}

// A BlockQuery is a Query that leaves out more of a block once it is told which domains stand in it: a part of a name has no key, and
// the names that have the part do.
type BlockQuery interface {
	Query
	// NeedlesIn are the needles for one block. containing gives its domains that have the text in them, small letters.
	NeedlesIn(containing func(text string) ([]string, error)) ([][]uint64, error)
}

// A Matcher says what of a query an event shows.
type Matcher interface {
	// Match appends to matches what the record shows; nothing: it is no hit. Nothing that is appended points into the record.
	Match(r *Record, matches []Match) []Match
}

// A Match is one thing that a query asked for, in one place of an event.
type Match struct {
	Kind  string // address, network, domain, url, url-prefix, md5, sha1, sha256, sha512, email, file, rule, query
	Value string // what was asked for: the indicator as it is compared, the id of a rule, a query as it was written
	Field string // the field that shows it; empty where the format has none
	Text  string // what stands there
}

// A KeyKind is a kind of thing that the archive can find by its key.
type KeyKind uint8

// The kinds. Their numbers are in the filters of blocks that are years old: they are never given again.
const (
	AddressKey KeyKind = 1 + iota // 4 bytes, or 16; v4 in v6 is v4
	PrefixKey                     // a network's address without its host part, then its length in bits: 16, 24, or 32, 48, 64 of v6
	DomainKey                     // in small letters and ASCII (A-labels): the name itself and each of its parents of two labels and more
	URLKey                        // as indicators compare URLs
	DigestKey                     // the bytes of an MD5, SHA-1, SHA-256 or SHA-512
	EmailKey                      // in small letters
	UserKey                       // in small letters, without a domain before or behind it
	FileKey                       // the last name of a path, in small letters
	URLHostKey                    // what stands before the path of a URL: scheme but for the web's, host, port but for the usual
)

// Key is the key of one thing in one form. It does not change between versions: xxHash64 of the text, and
// by exclusive or that of the kind as one byte.
func Key(k KeyKind, text []byte) uint64 {
	return xxhash.Sum64(text) ^ keySalts[k]
}

var keySalts = func() (salts [256]uint64) {
	for k := range salts {
		salts[k] = xxhash.Sum64([]byte{byte(k)})
	}
	return salts
}()

// A Keyer gives the keys of everything in a record that a query can look for, and the domains in it as names; it may give one
// more than once. For one goroutine at a time.
type Keyer interface {
	// Keys appends to keys and domains what the record shows.
	Keys(r *Record, keys []uint64, domains []string) ([]uint64, []string)
}
