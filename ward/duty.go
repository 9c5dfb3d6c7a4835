package ward

import "time"

// ItemKind is why something waits for a person at a desk.
type ItemKind string

// The kinds, in the order in which a desk takes them up.
const (
	ItemCountersign  ItemKind = "countersign"  // an alert that one person published alone, until a second approves it
	ItemRevision     ItemKind = "revision"     // a change of a published alert that waits for a second person
	ItemDraft        ItemKind = "draft"        // an alert that waits for approval, or for publication
	ItemUnchecked    ItemKind = "unchecked"    // a compromise check: the national desk's to settle, or the organisation's to sign
	ItemContradicted ItemKind = "contradicted" // an answer that newer evidence contradicts
	ItemOverdue      ItemKind = "overdue"      // an answer that is late
	ItemDisputed     ItemKind = "disputed"     // a match that an organisation contests, or on which sources disagree
	ItemDetection    ItemKind = "detection"    // critical or high, seen in events
	ItemFinding      ItemKind = "finding"      // an update that is needed, and no alert in force asks for it
	ItemUndelivered  ItemKind = "undelivered"  // what was told reached nobody
	ItemHeld         ItemKind = "held"         // an import that lost too much of its source
	ItemFeed         ItemKind = "feed"         // a publisher's feed that is not read any more
	ItemRecurrence   ItemKind = "recurrence"   // confirmed fixed, and seen affected again within what its alert tolerates
	ItemDeclaration  ItemKind = "declaration"  // a declaration that expires soon
)

// ItemKinds lists every kind, in the order in which a desk takes them up.
var ItemKinds = []ItemKind{
	ItemCountersign, ItemRevision, ItemDraft, ItemUnchecked, ItemContradicted, ItemOverdue, ItemDisputed, ItemDetection, ItemFinding, ItemUndelivered, ItemHeld, ItemFeed,
	ItemRecurrence, ItemDeclaration,
}

// ItemID names an item by its kind and what it is about ("overdue:CC-900001:XZ1"): the same matter has the same ID.
type ItemID string

// Item is one thing that needs a person at a desk: a hospital's, or the national one.
type Item struct {
	ID      ItemID
	Kind    ItemKind
	Org     OrgID     // whose it is; empty when of none or of many
	Alert   AlertID   // empty when of none
	Finding FindingID // of an update, the most urgent finding, from which an alert can be drafted
	Title   string    // what it is about
	Reason  string    // why it waits, in words
	Link    string    // path on this server where it is done
	Since   time.Time
	Due     time.Time // by when; zero when no time is set
	Urgent  bool
	Mark    string // when it changes, the item is another matter, and one that was set aside shows again

	Owner     PersonID // who has it; empty while nobody has
	OwnerName string
	Taken     time.Time
	Aside     time.Time // when somebody of the desk set it aside; zero while it waits
	AsideBy   string
	Until     time.Time // comes back then; zero: when it is another matter
	Words     string    // why it was set aside
}

// LogEntry is one line of a desk's watch log: written by a person, or what the product recorded itself.
type LogEntry struct {
	ID      string // "note-12", "audit-44", "notice-3"
	At      time.Time
	By      string
	Kind    string // "note", "handover", or the action or notice: "alert.publish", "response.contradicted"
	Org     OrgID
	Alert   AlertID
	Subject string // the item, alert or import that it is about
	Words   string
	Written bool // by a person's hand
}

// Coming is what comes due at a desk, alike things together.
type Coming struct {
	At    time.Time // the first of them
	Kind  string    // "acknowledgement", "update", "declaration", "set aside", ...
	Alert AlertID
	Org   OrgID // when it is one organisation's
	Count int
	Words string
}

// SavedView is a list as a person left it, by name: own, or shared with the desk.
type SavedView struct {
	ID     int64
	Desk   OrgID
	Person PersonID
	Name   string // the person's
	Title  string
	Path   string // "/desk"
	Query  string // "kind=overdue&org=XZ1"
	Shared bool
	At     time.Time
}
