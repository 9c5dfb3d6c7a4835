package ward

import "time"

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
	State                 BlockState
	Reason                string    // why it is quarantined
	Sealed                time.Time // when it was written
}

// BlockState says whether a block can be searched.
type BlockState string

// The states of a block.
const (
	BlockKept        BlockState = "kept"
	BlockQuarantined BlockState = "quarantined" // its bytes are not what was written; the reason stands in the manifest
)
