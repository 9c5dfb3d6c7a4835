package duty

import (
	"context"
	"net/url"
	"strings"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

const (
	mostViews = 100 // of one person
	mostTitle = 80
	mostQuery = 1000
)

// Views lists the reader's saved views, and those that others shared with the reader's desk.
func (d *Desk) Views(ctx context.Context, who ward.Actor) (views []ward.SavedView, err error) {
	desk, err := deskOf(who, ward.MayRead)
	if err != nil {
		return nil, err
	}
	err = d.store.View(ctx, func(tx *store.Tx) error {
		views, err = tx.Views(ctx, desk, who.Person)
		return err
	})
	return views, err
}

// SaveView keeps a list as the actor left it. The same title again replaces it.
func (d *Desk) SaveView(ctx context.Context, who ward.Actor, v ward.SavedView) (ward.SavedView, error) {
	desk, err := deskOf(who, ward.MayRead)
	if err != nil {
		return v, err
	}
	if v.Shared && !who.May(ward.MayDesk) {
		return v, ward.ErrForbidden
	}
	if v.Title, err = act.Line("title", v.Title, mostTitle); err != nil {
		return v, err
	}
	if v.Title == "" {
		return v, &ward.Invalid{Field: "title", Problem: "is empty", Hint: "give the view a name"}
	}
	if err := ownPath(v.Path); err != nil {
		return v, err
	}
	query, err := url.ParseQuery(v.Query)
	if err != nil || len(v.Query) > mostQuery {
		return v, &ward.Invalid{Field: "query", Problem: "is no query string", Hint: "take what follows ? in the list's address"}
	}
	query.Del("after") // a view begins at its first page
	v.Query, v.Desk, v.Person, v.Name, v.At = query.Encode(), desk, who.Person, who.Name, d.clock.Now()
	err = d.store.Update(ctx, func(tx *store.Tx) error {
		views, err := tx.Views(ctx, desk, who.Person)
		if err != nil {
			return err
		}
		own := 0
		for _, old := range views {
			if old.Person == who.Person && old.Title != v.Title {
				own++
			}
		}
		if own >= mostViews {
			return &ward.Invalid{Field: "title", Problem: "would be one view too many", Hint: "remove one that you do not use"}
		}
		if v.ID, err = tx.SaveView(ctx, v); err != nil {
			return err
		}
		return tx.Audit(ctx, ward.AuditEntry{At: v.At, Person: who.Person, Name: who.Name, Action: "view.save", Subject: v.Path, Org: desk, Detail: v.Title})
	})
	return v, err
}

// ownPath refuses what would lead away from this server.
func ownPath(path string) error {
	parsed, err := url.Parse(path)
	if err != nil || len(path) > mostQuery || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\t\r\n") ||
		parsed.Host != "" || parsed.RawQuery != "" || parsed.Fragment != "" {
		return &ward.Invalid{Field: "path", Problem: "is not the path of a list on this server", Hint: "such as /desk"}
	}
	return nil
}

// DropView forgets one of the actor's own views.
func (d *Desk) DropView(ctx context.Context, who ward.Actor, id int64) error {
	desk, err := deskOf(who, ward.MayRead)
	if err != nil {
		return err
	}
	return d.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.DropView(ctx, who.Person, id); err != nil {
			return err
		}
		return tx.Audit(ctx, ward.AuditEntry{At: d.clock.Now(), Person: who.Person, Name: who.Name, Action: "view.drop", Org: desk})
	})
}
