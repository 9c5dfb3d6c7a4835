package duty

import (
	"context"
	"strings"
	"unicode/utf8"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Found is what a search came upon, within the reader's scope. Weaknesses are public and the same for everyone.
type Found struct {
	Words         []string // as they were searched for
	Items         []ward.Item
	Alerts        []ward.Alert
	Organisations []ward.Organisation
	Weaknesses    []ward.Vulnerability
}

const (
	mostSearched = 8 // words
	mostFound    = 20
)

// Search finds what holds every word of the text: items of the reader's desk, alerts, organisations and weaknesses, up to
// twenty of each.
func (d *Desk) Search(ctx context.Context, who ward.Actor, text string) (found Found, err error) {
	if _, err := deskOf(who, ward.MayRead); err != nil {
		return found, err
	}
	if !utf8.ValidString(text) {
		return found, &ward.Invalid{Field: "q", Problem: "is not valid UTF-8"}
	}
	words := strings.Fields(strings.ToLower(text))
	found.Words = words[:min(len(words), mostSearched)]
	if len([]rune(strings.Join(found.Words, ""))) < 2 {
		return found, &ward.Invalid{Field: "q", Problem: "is too short", Hint: "give at least two letters, such as a product, a CVE or an organisation"}
	}
	said := strings.Join(found.Words, " ")
	err = d.store.View(ctx, func(tx *store.Tx) error {
		if found.Alerts, err = tx.AlertsSaying(ctx, who.Scope, found.Words, mostFound); err != nil {
			return err
		}
		if found.Organisations, err = tx.OrganisationsSaying(ctx, who.Scope, found.Words, mostFound); err != nil {
			return err
		}
		weaknesses, err := tx.Vulnerabilities(ctx, store.VulnerabilityQuery{Text: said, Limit: mostFound})
		found.Weaknesses = weaknesses.Items
		return err
	})
	if err != nil {
		return found, err
	}
	items, err := d.Items(ctx, who, Query{Text: said, Limit: mostFound})
	found.Items = items.Items
	return found, err
}
