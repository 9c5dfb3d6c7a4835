package notify

import "wardwatch/ward"

// kind is how notices of a kind reach people where their sender does not say.
type kind struct {
	urgency ward.Urgency
	wakes   bool // may wake one person by a text message, where the severity is worth it
	asks    bool // carries a link that acknowledges the alert
	folds   bool // one cause makes many of these at once, such as an import that contradicts ten answers: the first pages
}

// kinds of notices. One that is not named here waits for the digest.
var kinds = map[string]kind{
	"alert.published":        {urgency: ward.AtOnce, wakes: true, asks: true},
	"alert.revised":          {urgency: ward.AtOnce, wakes: true, asks: true},
	"alert.withdrawn":        {urgency: ward.AtOnce},
	"alert.superseded":       {urgency: ward.AtOnce},
	"alert.published_alone":  {urgency: ward.AtOnce},
	"alert.countersign_owed": {urgency: ward.AtOnce, wakes: true},
	"response.reminder":      {urgency: ward.AtOnce},
	"response.overdue":       {urgency: ward.AtOnce},
	"response.escalated":     {urgency: ward.AtOnce, wakes: true},
	"response.contradicted":  {urgency: ward.AtOnce, folds: true},
	"response.reopened":      {urgency: ward.AtOnce, folds: true},
	"response.recorded":      {urgency: ward.AtOnce},
	"response.help":          {urgency: ward.AtOnce},
	unreached:                {urgency: ward.AtOnce, wakes: true},
}

// wakes reports whether a notice may wake somebody by a text message.
func wakes(n ward.Notice) bool {
	return n.Urgency == ward.AtOnce && kinds[n.Kind].wakes && (n.Severity == ward.High || n.Severity == "")
}

// The kinds of notices that this room makes itself.
const (
	digestKind = "digest"
	testKind   = "contact.test"
	unreached  = "delivery.unreached"
)

// usual fills in what the sender of a notice left open.
func usual(n ward.Notice) ward.Notice {
	k := kinds[n.Kind]
	if n.Urgency == "" {
		n.Urgency = k.urgency
		// The national desk has its lists: of what it is told about one organisation, only what is sent to a rung by name wakes it.
		if n.Org == "" && n.Rung == "" && n.Kind != unreached {
			n.Urgency = ward.InDigest
		}
		if n.Urgency == "" {
			n.Urgency = ward.InDigest
		}
	}
	n.Asks = (n.Asks || k.asks) && n.Alert != "" && n.Org != ""
	if n.Event == "" && k.folds {
		n.Event = n.Kind + "@" + n.Created.UTC().Truncate(foldWithin).Format("2006-01-02T15:04")
	}
	return n
}
