package ingest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Senders knows who may send, by credential. It is used by many goroutines at a time.
type Senders struct {
	store *store.Store
	clock ward.Clock

	mu    sync.Mutex
	known map[[2]string]knownSender
}

type knownSender struct {
	sender Sender
	err    error
	until  time.Time
}

const (
	// believed is how long a credential is not asked for again: a revoked one ends within it.
	believed    = 3 * time.Second
	mostBelieve = 10_000
	tokenPrefix = "wws_"
)

// NewSenders makes Senders.
func NewSenders(s *store.Store, clock ward.Clock) *Senders {
	return &Senders{store: s, clock: clock, known: map[[2]string]knownSender{}}
}

// Add makes a sender. Without the fingerprint of a certificate it gets a token, which is given here and nowhere else.
func (s *Senders) Add(ctx context.Context, who ward.Actor, org ward.OrgID, name, certificate string) (added ward.Sender, token string, err error) {
	added = ward.Sender{ID: "sender-" + strings.ToLower(rand.Text()[:10]), Org: org, Name: strings.TrimSpace(name), Certificate: certificate, Created: s.clock.Now()}
	if added.Name == "" || len(added.Name) > 100 {
		return added, "", &ward.Invalid{Field: "name", Problem: "is empty or longer than 100 bytes", Hint: "say which machine or collector it is"}
	}
	hash := ""
	if certificate == "" {
		token = tokenPrefix + rand.Text()
		hash = digest(token)
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.AddSender(ctx, added, hash); err != nil {
			return err
		}
		return tx.Audit(ctx, ward.AuditEntry{At: added.Created, Person: who.Person, Name: who.Name, Action: "sender.add", Subject: added.ID, Org: org, Detail: added.Name})
	})
	return added, token, err
}

// Revoke ends a sender.
func (s *Senders) Revoke(ctx context.Context, who ward.Actor, id string) error {
	now := s.clock.Now()
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.RevokeSender(ctx, ward.Sender{ID: id, Revoked: now}); err != nil {
			return err
		}
		return tx.Audit(ctx, ward.AuditEntry{At: now, Person: who.Person, Name: who.Name, Action: "sender.revoke", Subject: id})
	})
	s.mu.Lock()
	clear(s.known)
	s.mu.Unlock()
	return err
}

// List lists the senders of a scope.
func (s *Senders) List(ctx context.Context, scope ward.Scope) (all []ward.Sender, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.Senders(ctx, scope)
		return err
	})
	return all, err
}

// ByToken is the sender with this token, or ward.ErrNotFound.
func (s *Senders) ByToken(ctx context.Context, token string) (Sender, error) {
	if !strings.HasPrefix(token, tokenPrefix) || len(token) > 100 {
		return Sender{}, fmt.Errorf("ingest: a token of another kind: %w", ward.ErrNotFound)
	}
	return s.by(ctx, digest(token), "")
}

// ByCertificate is the sender with this certificate (DER), or ward.ErrNotFound.
func (s *Senders) ByCertificate(ctx context.Context, der []byte) (Sender, error) {
	return s.by(ctx, "", digest(string(der)))
}

// Fingerprint is how a certificate (DER) is known.
func Fingerprint(der []byte) string { return digest(string(der)) }

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func (s *Senders) by(ctx context.Context, token, certificate string) (Sender, error) {
	key, now := [2]string{token, certificate}, s.clock.Now()
	s.mu.Lock()
	known, ok := s.known[key]
	s.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.sender, known.err
	}
	var found ward.Sender
	err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		found, err = tx.SenderBy(ctx, token, certificate)
		return err
	})
	if err != nil && !errors.Is(err, ward.ErrNotFound) {
		return Sender{}, err
	}
	known = knownSender{Sender{ID: found.ID, Org: found.Org, Name: found.Name}, err, now.Add(believed)}
	s.mu.Lock()
	if len(s.known) >= mostBelieve {
		clear(s.known)
	}
	s.known[key] = known
	s.mu.Unlock()
	return known.sender, err
}
