package match

import (
	"context"
	"fmt"
	"time"

	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/ward"
)

// ChangeQuery chooses recorded changes.
type ChangeQuery = store.ChangeQuery

// Changes lists verdicts that became others, newest first: what changed, why, and when.
func (m *Matcher) Changes(ctx context.Context, scope ward.Scope, q ChangeQuery) (page ward.Page[ward.VerdictChange], err error) {
	if q.Org != "" && !scope.Sees(q.Org) {
		return page, ward.ErrNotFound
	}
	err = m.store.View(ctx, func(tx *store.Tx) error {
		page, err = tx.Changes(ctx, scope, q)
		return err
	})
	return page, err
}

// aliases are the names that analysts joined.
func aliases(ctx context.Context, tx *store.Tx) (know.Aliases, error) {
	pairs, err := tx.JoinedKeys(ctx)
	return know.NewAliases(pairs), err
}

// changed records that a verdict became another; v is zero when no source speaks of it any more.
func changed(sw ward.Software, old, v ward.Verdict, at time.Time) ward.VerdictChange {
	c := ward.VerdictChange{At: at, CVE: old.CVE, Software: sw, Was: old.Status, WasSource: old.Source, Became: v.Status, BecameSource: v.Source}
	what := know.Named(sw)
	name := what.Version
	if name == "" {
		name = what.String() + " without a version"
	}
	says := "no source speaks of it any more"
	if v.Status != "" {
		says = ward.SourceName(v.Source) + " " + verb(v.Basis) + " " + inWords(v.Status)
	}
	c.Words = fmt.Sprintf("%s was %s by %s until %s; %s.", name, inWords(old.Status), authority(old), at.Format("2 January 2006"), says)
	return c
}

func verb(b ward.Basis) string {
	if b == ward.ByRuling {
		return "ruled"
	}
	return "says"
}

// authority is who said it and how strongly: "Ivanti (CNA)'s default status".
func authority(v ward.Verdict) string {
	name := ward.SourceName(v.Source)
	switch v.Basis {
	case ward.ByDefault:
		return name + "'s default status"
	case ward.ByRuling:
		return "a ruling"
	}
	return name
}

func inWords(s ward.Status) string {
	switch s {
	case ward.NotAffected:
		return "not affected"
	case ward.VersionUnknown:
		return "undecided for want of a version"
	case ward.PlatformUnknown:
		return "undecided for want of what it runs on"
	}
	return string(s)
}
