package ward

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// A Block is one object of the archive: events of one organisation and one day of their own time (UTC).
type Block struct {
	ID    int64
	Org   OrgID
	Name  string // in the bucket; says what is in it by its hash
	Index string // the side index beside it
	Day   time.Time
	Rows  int64
	Bytes int64 // of both objects
	// First and Last are the times of its events, Received of the last to arrive.
	First, Last, Received time.Time
	Kinds                 []EventKind // of its events, sorted; none: not known
	State                 BlockState
	Reason                string    // why it is quarantined
	Sealed                time.Time // when it was written
	Verified              time.Time // when it was last read from end to end and was as written; zero: never since
	Ended                 time.Time // when it was merged or deleted; zero: it stands
}

// BlockState says whether a block can be searched.
type BlockState string

// The states of a block.
const (
	BlockKept        BlockState = "kept"
	BlockQuarantined BlockState = "quarantined" // its bytes are not what was written; the reason stands in the manifest
	BlockMerged      BlockState = "merged"      // its events are in another block; its objects go soon
	BlockDeleted     BlockState = "deleted"     // its objects go now
)

// An EventKind is a sort of events as rules name their log: product/service/category, each empty where it has none.
type EventKind string

// KindOf is the kind of a log.
func KindOf(product, service, category string) EventKind {
	return EventKind(product + "/" + service + "/" + category)
}

// Is says whether the kind is the named one: by its product, its service, its category, or all three as it is written.
func (k EventKind) Is(name string) bool {
	if string(k) == name {
		return true
	}
	for part := range strings.SplitSeq(string(k), "/") {
		if part != "" && strings.EqualFold(part, name) {
			return true
		}
	}
	return false
}

// A Hold keeps events from being deleted, whatever is said of how long they are kept.
type Hold struct {
	ID           int64     `json:"id"`
	Org          OrgID     `json:"organisation"` // empty: every organisation's
	Kind         string    `json:"kind"`         // as in Is; empty: every kind
	Since, Until time.Time `json:"-"`            // times of events; zero: no bound
	Reason       string    `json:"reason"`
	Set          time.Time `json:"set"`
	SetBy        string    `json:"set_by"`
	Released     time.Time `json:"released,omitzero"` // zero: it holds
	ReleasedBy   string    `json:"released_by,omitempty"`
}

// Covers says whether the hold keeps something of the block.
func (h Hold) Covers(b Block) bool {
	if !h.Released.IsZero() || h.Org != "" && h.Org != b.Org || !h.Since.IsZero() && b.Last.Before(h.Since) || !h.Until.IsZero() && b.First.After(h.Until) {
		return false
	}
	if h.Kind == "" || len(b.Kinds) == 0 {
		return true
	}
	for _, k := range b.Kinds {
		if k.Is(h.Kind) {
			return true
		}
	}
	return false
}

// A Deletion is what was deleted of the archive, and why. Each proves those before it: Chain is over the one before and this.
type Deletion struct {
	ID          int64       `json:"id"`
	At          time.Time   `json:"at"`
	Org         OrgID       `json:"organisation"`
	Block       string      `json:"block"` // whose name is the hash of what was in it
	Rows        int64       `json:"events"`
	First, Last time.Time   `json:"-"` // times of the events
	Kinds       []EventKind `json:"kinds"`
	Why         string      `json:"why"`
	Chain       string      `json:"chain"`
	Removed     time.Time   `json:"removed,omitzero"` // when its objects were gone; zero: they are still to go
}

// Link is what Chain must be after the given one ("" for the first).
func (d Deletion) Link(before string) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%d\n%q\n%q\n%d\n%d\n%d\n%q\n%q\n", before, d.At.UnixMicro(), d.Org, d.Block, d.Rows, d.First.UnixMicro(), d.Last.UnixMicro(), d.Kinds, d.Why)
	return hex.EncodeToString(sum.Sum(nil))
}
