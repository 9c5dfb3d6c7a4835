package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// LinkPath is where the pages take links: LinkPath and the token.
const LinkPath = "/a/"

// linkFor is how long a link can be used.
const linkFor = 7 * 24 * time.Hour

// Layout of a token before base64: the delivery (6 bytes), the minute at which it ends since 1970 (4), and a code over both and
// the delivery's key (14).
const (
	tokenHead = 10
	tokenSize = 24
)

// InvitationState is what can still be done with a link.
type InvitationState string

// The states of a link.
const (
	LinkOpen      InvitationState = "open"
	LinkUsed      InvitationState = "used"
	LinkExpired   InvitationState = "expired"
	LinkOvertaken InvitationState = "overtaken" // the organisation was told anew of the alert: its newer message asks
	LinkAnswered  InvitationState = "answered"  // the organisation acknowledged by another way
)

// Invitation is what a link stands for. Opening it does nothing, because mail scanners open links; only Redeem does.
type Invitation struct {
	State    InvitationState
	Delivery ward.Delivery
	Notice   ward.Notice
	Expires  time.Time
	Words    string // what can be done, or why nothing can
}

// secret is what tokens are signed with.
func (o *Outbox) secret(ctx context.Context, tx *store.Tx) ([]byte, error) {
	return tx.Secret(ctx, "notify.links", o.clock.Now())
}

// token is the same each time that a delivery is sent.
func token(secret []byte, d ward.Delivery) string {
	raw := make([]byte, tokenHead, tokenSize)
	var id [8]byte
	binary.BigEndian.PutUint64(id[:], uint64(d.ID)) //nolint:gosec // IDs are counted upward from 1
	copy(raw, id[2:])
	binary.BigEndian.PutUint32(raw[6:], uint32(d.Created.Add(linkFor).Unix()/60)) //nolint:gosec // minutes fit until the year 10000
	return base64.RawURLEncoding.EncodeToString(append(raw, code(secret, raw, d.Key)...))
}

func code(secret, head []byte, key string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(head)
	mac.Write([]byte(key))
	return mac.Sum(nil)[:tokenSize-tokenHead]
}

// Invited says what a link stands for, and changes nothing. A link that was not made here is ErrNotFound.
func (o *Outbox) Invited(ctx context.Context, link string) (Invitation, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(link)
	if err != nil || len(raw) != tokenSize {
		return Invitation{}, ward.ErrNotFound
	}
	var id [8]byte
	copy(id[2:], raw[:6])
	expires := time.Unix(int64(binary.BigEndian.Uint32(raw[6:]))*60, 0).UTC()
	i := Invitation{State: LinkOpen, Expires: expires}
	var overtaken bool
	err = o.store.View(ctx, func(tx *store.Tx) error {
		secret, err := tx.KnownSecret(ctx, "notify.links")
		if err != nil {
			return err
		}
		if i.Delivery, err = tx.DeliveryByID(ctx, int64(binary.BigEndian.Uint64(id[:]))); err != nil { //nolint:gosec // six bytes
			return err
		}
		if !hmac.Equal(raw[tokenHead:], code(secret, raw[:tokenHead], i.Delivery.Key)) {
			return ward.ErrNotFound
		}
		if i.Notice, err = tx.Notice(ctx, i.Delivery.Notice); err != nil {
			return err
		}
		overtaken, err = tx.Overtaken(ctx, i.Notice)
		return err
	})
	if err != nil {
		return Invitation{}, err
	}
	asks := i.Notice.Asks
	switch now := o.clock.Now(); {
	case !i.Delivery.Used.IsZero():
		i.State, i.Words = LinkUsed, "This link was used at "+act.When(i.Delivery.Used)+". It works once."
	case !now.Before(expires):
		i.State, i.Words = LinkExpired, "This link ended at "+act.When(expires)+". Sign in to answer."
	case asks && overtaken:
		i.State, i.Words = LinkOvertaken, "Your organisation was told anew of this alert since: use the link in the newer message, or sign in."
	case asks && o.Answers != nil:
		r, err := o.Answers.Get(ctx, ward.Only(i.Notice.Org), i.Notice.Alert, i.Notice.Org)
		if err != nil {
			return Invitation{}, err
		}
		if r.State != ward.Unanswered || r.Lapsed {
			i.State, i.Words = LinkAnswered, "Nothing is left to acknowledge: your organisation has answered, or the alert has ended."
		}
	}
	if i.State == LinkOpen {
		i.Words = "Press the button to acknowledge, for " + string(i.Notice.Org) + ", that you have read this alert."
		if !asks {
			i.Words = "Press the button to confirm that messages reach you here."
		}
	}
	return i, nil
}

// Redeem does what a link stands for: acknowledges the alert for the organisation, or confirms that the address works. It works
// once; a link that cannot be used any more is ErrState.
func (o *Outbox) Redeem(ctx context.Context, link string) (Invitation, error) {
	i, err := o.Invited(ctx, link)
	if err != nil {
		return i, err
	}
	if i.State != LinkOpen {
		return i, fmt.Errorf("%s: %w", i.Words, ward.ErrState)
	}
	by := i.Delivery.Name + ", by link"
	if i.Notice.Asks {
		if o.Answers == nil {
			return i, fmt.Errorf("acknowledging by link: %w", ward.ErrState)
		}
		who := ward.Actor{
			Person: ward.PersonID(fmt.Sprintf("contact:%d", i.Delivery.Contact)), Name: by, Org: i.Notice.Org, Role: ward.Lead, Scope: ward.Only(i.Notice.Org),
		}
		r, err := o.Answers.Get(ctx, who.Scope, i.Notice.Alert, i.Notice.Org)
		if err != nil {
			return i, err
		}
		if _, err := o.Answers.Acknowledge(ctx, who, i.Notice.Alert, i.Notice.Org, r.Version); err != nil {
			return i, err
		}
	}
	now := o.clock.Now()
	err = o.store.Update(ctx, func(tx *store.Tx) error {
		fresh, err := tx.UseLink(ctx, i.Delivery.ID, now, by)
		if err != nil {
			return err
		}
		if !fresh && !i.Notice.Asks {
			return fmt.Errorf("link: used before: %w", ward.ErrState)
		}
		if err := o.proved(ctx, tx, i.Delivery, now, "confirmed by link"); err != nil {
			return err
		}
		return tx.Audit(ctx, ward.AuditEntry{At: now, Name: by, Action: "notify.redeem", Subject: "delivery/" + i.Delivery.Key, Org: i.Notice.Org, Detail: i.Notice.Kind})
	})
	i.Delivery.Used = now
	return i, err
}

// proved keeps that a contact's address works.
func (o *Outbox) proved(ctx context.Context, tx *store.Tx, d ward.Delivery, at time.Time, how string) error {
	c, err := tx.Contact(ctx, ward.Everything(), d.Contact)
	if isNotFound(err) {
		return nil // taken off meanwhile
	}
	if err != nil {
		return err
	}
	for i, a := range c.Addresses {
		if a.Channel == d.Channel && a.To == d.To && a.Proved.Before(at) {
			c.Addresses[i].Proved, c.Addresses[i].How = at, how
			tx.Hint("contacts:"+string(c.Org), c.Org)
			_, err = tx.SaveContact(ctx, c)
			return err
		}
	}
	return nil
}

// Hook is one of a contact's webhooks, with the secret that its receiver checks signatures with, in the form of Standard Webhooks
// ("whsec_...").
type Hook struct {
	To     string
	Secret string
}

// Hooks lists a contact's webhooks with their secrets, for those who keep the contact. A new address has a new secret.
func (o *Outbox) Hooks(ctx context.Context, who ward.Actor, id ward.ContactID) (hooks []Hook, err error) {
	c, err := o.Contact(ctx, who.Scope, id)
	if err != nil {
		return nil, err
	}
	if err := who.NeedFor(ward.MayContact, c.Org); err != nil {
		return nil, err
	}
	err = o.store.Update(ctx, func(tx *store.Tx) error {
		secret, err := o.secret(ctx, tx)
		if err != nil {
			return err
		}
		for _, a := range c.Addresses {
			if a.Channel == ward.Webhook {
				hooks = append(hooks, Hook{a.To, "whsec_" + base64.StdEncoding.EncodeToString(hookSecret(secret, id, a.To))})
			}
		}
		return tx.Audit(ctx, ward.AuditEntry{At: o.clock.Now(), Person: who.Person, Name: who.Name, Action: "notify.show_secrets", Subject: fmt.Sprintf("contact/%d", id), Org: c.Org})
	})
	return hooks, err
}
