package access

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"time"

	"wardwatch/edge"
	"wardwatch/ward"
)

// tokenPrefix lets scanners of leaked secrets know ours.
const tokenPrefix = "ww_"

// How long a token may live.
const (
	TokenFor     = 90 * 24 * time.Hour // when nobody says
	MostTokenFor = 366 * 24 * time.Hour
)

// AddToken makes an API token for a person and returns its secret, to be shown once. People make their own, signed in with a
// password; the product itself, by a command, makes anybody's. An administrator does not: a token acts as its person.
func (d *Door) AddToken(ctx context.Context, who ward.Actor, person ward.PersonID, name string, expires time.Time) (ward.Token, string, error) {
	p, err := d.tokenOwner(ctx, who, person)
	if err != nil {
		return ward.Token{}, "", err
	}
	now := d.clock.Now()
	if expires.IsZero() {
		expires = now.Add(TokenFor)
	}
	name = strings.TrimSpace(name)
	switch {
	case !plain(name):
		return ward.Token{}, "", &ward.Invalid{Field: "name", Problem: "is empty, too long or holds control characters", Hint: "say what the token is for"}
	case !expires.After(now):
		return ward.Token{}, "", &ward.Invalid{Field: "expires", Problem: "is in the past", Hint: "give a time to come"}
	case expires.Sub(now) > MostTokenFor:
		return ward.Token{}, "", &ward.Invalid{Field: "expires", Problem: "is too far away", Hint: "give a time within a year"}
	}
	var b [32]byte
	_, _ = rand.Read(b[:]) // crypto/rand never fails: it ends the program instead
	secret := tokenPrefix + base64.RawURLEncoding.EncodeToString(b[:])
	t := ward.Token{ID: newID(), Person: p.ID, Name: name, Created: now, Expires: expires.UTC().Truncate(time.Microsecond)}
	if err := d.rows.AddToken(ctx, t, digest(secret), d.entryBy(who, "access.add_token", p, t.Name)); err != nil {
		return ward.Token{}, "", err
	}
	return t, secret, nil
}

// tokenOwner returns the person whose tokens who may make, list and drop.
func (d *Door) tokenOwner(ctx context.Context, who ward.Actor, person ward.PersonID) (ward.Person, error) {
	itself := who.Person == "" && who.May(ward.MayPeople)
	if !itself && (who.Person == "" || who.Person != person) {
		return ward.Person{}, ward.ErrForbidden
	}
	if signed, ok := edge.In(ctx); ok && signed.ByToken {
		return ward.Person{}, ward.ErrForbidden
	}
	p, _, err := d.rows.Person(ctx, person)
	return p, err
}

// Tokens lists a person's tokens, newest first.
func (d *Door) Tokens(ctx context.Context, who ward.Actor, person ward.PersonID) ([]ward.Token, error) {
	if who.Person == "" || who.Person != person {
		if err := who.Need(ward.MayPeople); err != nil {
			return nil, err
		}
	}
	return d.rows.Tokens(ctx, person)
}

// DropToken ends a token: the person's own, or anybody's for who keeps accounts.
func (d *Door) DropToken(ctx context.Context, who ward.Actor, person ward.PersonID, id string) error {
	if who.Person == "" || who.Person != person {
		if err := who.Need(ward.MayPeople); err != nil {
			return err
		}
	}
	p, _, err := d.rows.Person(ctx, person)
	if err != nil {
		return err
	}
	return d.rows.DropToken(ctx, person, id, d.entryBy(who, "access.drop_token", p, id))
}

// personOfToken returns whom a token's secret stands for, and false when it is not known, expired or its person closed.
func (d *Door) personOfToken(ctx context.Context, secret string) (ward.Person, []ward.Relation, bool, error) {
	if !strings.HasPrefix(secret, tokenPrefix) || len(secret) > longestText {
		return ward.Person{}, nil, false, nil
	}
	t, err := d.rows.TokenByHash(ctx, digest(secret))
	if err != nil {
		return ward.Person{}, nil, false, unlessNotFound(err)
	}
	now := d.clock.Now()
	if !t.Expires.After(now) {
		return ward.Person{}, nil, false, nil
	}
	p, relations, err := d.rows.Person(ctx, t.Person)
	if err != nil || p.Disabled {
		return ward.Person{}, nil, false, unlessNotFound(err)
	}
	if now.Sub(t.Used) > seenWithin {
		if err := d.rows.TokenUsed(ctx, t.ID, now); err != nil {
			return ward.Person{}, nil, false, err
		}
	}
	return p, relations, true, nil
}

func unlessNotFound(err error) error {
	if isNotFound(err) {
		return nil
	}
	return err
}
