package access

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"wardwatch/edge"
	"wardwatch/ward"
)

// fold is an email as it is kept and compared.
func fold(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

func isNotFound(err error) bool { return errors.Is(err, ward.ErrNotFound) }

// SignIn checks a password and makes the session in ctx the person's. ctx must come through Middleware; address is
// Door.Address of the request. A failure is edge.ErrSignIn or *edge.TooMany and tells no more. A person with MustChange may
// do nothing until ChangePassword.
func (d *Door) SignIn(ctx context.Context, email, password, address string) (ward.Person, error) {
	p, err := d.verify(ctx, fold(email), password, address)
	if err != nil {
		return ward.Person{}, err
	}
	if err := d.begin(ctx, p); err != nil {
		return ward.Person{}, fmt.Errorf("edge/access: %w", err)
	}
	if err := d.rows.Note(ctx, d.entry(p, "access.sign_in", p, "from "+address)); err != nil {
		return ward.Person{}, err
	}
	p.Hash = ""
	return p, nil
}

// verify is the whole check of a password, with the same work whether or not the account exists.
func (d *Door) verify(ctx context.Context, email, password, address string) (ward.Person, error) {
	if len(password) > 4*LongestPassword || len(email) > longestText {
		return ward.Person{}, edge.ErrSignIn
	}
	if err := d.throttle.enter(email, address, d.clock.Now()); err != nil {
		return ward.Person{}, err
	}
	p, _, err := d.rows.PersonByEmail(ctx, email)
	if err != nil && !isNotFound(err) {
		return ward.Person{}, err
	}
	match, weak, err := d.hashes.check(ctx, password, p.Hash)
	switch {
	case err != nil:
		return ward.Person{}, fmt.Errorf("edge/access: %w", err)
	case !match || p.Disabled:
		return ward.Person{}, errors.Join(edge.ErrSignIn, d.noteFailure(ctx, p, address))
	}
	d.throttle.succeed(email, address)
	if weak {
		hash, err := d.hashes.make(ctx, password)
		if err != nil {
			return ward.Person{}, err
		}
		if err := d.rows.Rehash(ctx, p.ID, p.Hash, hash); err != nil {
			return ward.Person{}, err
		}
		p.Hash = hash
	}
	return p, nil
}

// noteFailure never writes what was typed: people type passwords into the wrong box.
func (d *Door) noteFailure(ctx context.Context, p ward.Person, address string) error {
	entry := d.entry(p, "access.sign_in_failed", p, "from "+address)
	if p.ID == "" {
		entry.Name, entry.Subject = "not known", "no such account"
	}
	return d.rows.Note(ctx, entry)
}

// SignOut ends the session in ctx.
func (d *Door) SignOut(ctx context.Context) error {
	signed, ok := edge.In(ctx)
	if err := d.sessions.Destroy(ctx); err != nil {
		return fmt.Errorf("edge/access: %w", err)
	}
	if !ok {
		return nil
	}
	return d.rows.Note(ctx, d.entry(signed.Person, "access.sign_out", signed.Person, ""))
}

// Confirm keeps in the session that the signed-in person has just entered the password again, for what needs a fresh proof
// of who they are. The session goes on under a new key. An API token cannot confirm anything.
func (d *Door) Confirm(ctx context.Context, password string) error {
	signed, ok := edge.In(ctx)
	if !ok || signed.ByToken || signed.Person.MustChange {
		return edge.ErrUnsigned
	}
	p, err := d.verify(ctx, signed.Person.Email, password, edge.Address(ctx))
	if errors.Is(err, edge.ErrSignIn) {
		return &ward.Invalid{Field: "password", Problem: "is not right", Hint: "type the password that you sign in with"}
	}
	if err != nil {
		return err
	}
	if err := d.sessions.RenewToken(ctx); err != nil {
		return fmt.Errorf("edge/access: %w", err)
	}
	d.sessions.Put(ctx, sessionHash, digest(p.Hash)) // it may have been made anew at a better cost
	d.sessions.Put(ctx, sessionProof, d.clock.Now().UnixMilli())
	return d.rows.Note(ctx, d.entry(p, "access.confirm", p, "from "+edge.Address(ctx)))
}

// Confirmed is the actor of a person by sign-in name and password, freshly proved, for a command that does what needs it.
func (d *Door) Confirmed(ctx context.Context, email, password string) (ward.Actor, error) {
	p, err := d.verify(ctx, fold(email), password, "command line")
	if err != nil {
		return ward.Actor{}, err
	}
	if p.MustChange {
		return ward.Actor{}, edge.ErrMustChange
	}
	actor, err := d.ActorOf(ctx, p.Email)
	if err != nil {
		return ward.Actor{}, err
	}
	actor.SteppedUp = d.world.Now()
	return actor, d.rows.Note(ctx, d.entry(p, "access.confirm", p, "on the command line"))
}

// ChangePassword replaces the signed-in person's password. Every other session of the person ends; this one goes on, under
// a new key.
func (d *Door) ChangePassword(ctx context.Context, old, chosen, address string) error {
	signed, ok := edge.In(ctx)
	if !ok || signed.ByToken {
		return edge.ErrUnsigned
	}
	p, err := d.verify(ctx, signed.Person.Email, old, address)
	if errors.Is(err, edge.ErrSignIn) {
		return &ward.Invalid{Field: "old_password", Problem: "is not right", Hint: "type the password that you signed in with"}
	}
	if err != nil {
		return err
	}
	if old == chosen {
		return &ward.Invalid{Field: "password", Problem: "is the old one", Hint: "choose another"}
	}
	if err := checkPassword(p, chosen); err != nil {
		return err
	}
	if p.Hash, err = d.hashes.make(ctx, chosen); err != nil {
		return fmt.Errorf("edge/access: %w", err)
	}
	if err := d.rows.SetPassword(ctx, p.ID, p.Hash, false, d.entry(p, "access.change_password", p, "")); err != nil {
		return err
	}
	return d.begin(ctx, p)
}

// entry is a line of the audit record: by did action to about.
func (d *Door) entry(by ward.Person, action string, about ward.Person, detail string) ward.AuditEntry {
	return ward.AuditEntry{At: d.world.Now(), Person: by.ID, Name: by.Name, Action: action, Subject: "person/" + string(about.ID), Org: about.Org, Detail: detail}
}
