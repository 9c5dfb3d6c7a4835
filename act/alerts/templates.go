package alerts

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

var templateName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,59}$`)

// Templates lists the kept drafts by name.
func (b *Board) Templates(ctx context.Context, who ward.Actor) (all []ward.Template, err error) {
	if err := who.Need(ward.MayDraft); err != nil {
		return nil, err
	}
	err = b.store.View(ctx, func(tx *store.Tx) error {
		all, err = tx.Templates(ctx)
		return err
	})
	return all, err
}

// Template reads one kept draft.
func (b *Board) Template(ctx context.Context, who ward.Actor, name string) (t ward.Template, err error) {
	if err := who.Need(ward.MayDraft); err != nil {
		return t, err
	}
	err = b.store.View(ctx, func(tx *store.Tx) error {
		t, err = tx.Template(ctx, name)
		return err
	})
	return t, err
}

// SaveTemplate keeps a draft for the next time: a new one at version 0, else in the place of the one that stands at version.
func (b *Board) SaveTemplate(ctx context.Context, who ward.Actor, t ward.Template) (ward.Template, error) {
	if err := who.Need(ward.MayDraft); err != nil {
		return ward.Template{}, err
	}
	t.Name = strings.TrimSpace(t.Name)
	if !templateName.MatchString(t.Name) {
		return ward.Template{}, &ward.Invalid{Field: "name", Problem: fmt.Sprintf("%q is no name of a template", t.Name), Hint: "use small letters, digits and hyphens"}
	}
	title, err := act.Line("title", t.Title, mostTitle)
	if err != nil {
		return ward.Template{}, err
	}
	if title == "" {
		return ward.Template{}, &ward.Invalid{Field: "title", Problem: "is empty", Hint: "say what it is for"}
	}
	words, err := b.checked(ctx, t.Words)
	if err != nil {
		return ward.Template{}, err
	}
	words.Finding, words.Supersedes, words.Template, words.SeverityWhy = "", "", "", nil
	policy := t.Words.Policy.Name
	if _, err := b.clocked(words, policy, who); err != nil {
		return ward.Template{}, err
	}
	words.Policy = ward.Policy{Name: policy} // its numbers are those of the day on which it is used
	kept := ward.Template{Name: t.Name, Version: t.Version + 1, Title: title, Words: words, By: who.Name, Updated: b.clock.Now()}
	err = b.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.SaveTemplate(ctx, kept); err != nil {
			return b.templateConflict(ctx, tx, kept, err)
		}
		return tx.Audit(ctx, ward.AuditEntry{At: kept.Updated, Person: who.Person, Name: who.Name, Action: "alert.save_template", Subject: "template/" + kept.Name,
			Detail: fmt.Sprintf("version %d", kept.Version)})
	})
	if err != nil {
		return ward.Template{}, err
	}
	return kept, nil
}

// templateConflict shows both texts of a template that another person wrote first.
func (b *Board) templateConflict(ctx context.Context, tx *store.Tx, yours ward.Template, err error) error {
	if !errors.Is(err, ward.ErrConflict) {
		return err
	}
	theirs, gone := tx.Template(ctx, yours.Name)
	if gone != nil {
		return gone
	}
	return &ward.Conflict{What: "template " + yours.Name, Yours: yours.Title + ". " + text(yours.Words), Theirs: theirs.Title + ". " + text(theirs.Words), By: theirs.By}
}

// DropTemplate removes the template that stands at version. Drafts that were made from it stay.
func (b *Board) DropTemplate(ctx context.Context, who ward.Actor, name string, version int) error {
	if err := who.Need(ward.MayDraft); err != nil {
		return err
	}
	return b.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Template(ctx, name); err != nil {
			return err
		}
		if err := tx.DropTemplate(ctx, name, version); err != nil {
			return err
		}
		return tx.Audit(ctx, ward.AuditEntry{At: b.clock.Now(), Person: who.Person, Name: who.Name, Action: "alert.drop_template", Subject: "template/" + name})
	})
}

// PrefillFrom is what a draft from a template would hold, with nothing kept: a form that a person finishes.
func (b *Board) PrefillFrom(ctx context.Context, who ward.Actor, name string) (ward.Alert, error) {
	t, err := b.Template(ctx, who, name)
	if err != nil {
		return ward.Alert{}, err
	}
	t.Words.Template = t.Name
	return t.Words, nil
}

// DraftFromTemplate drafts an alert from a template as it stands.
func (b *Board) DraftFromTemplate(ctx context.Context, who ward.Actor, name string) (ward.Alert, error) {
	words, err := b.PrefillFrom(ctx, who, name)
	if err != nil {
		return ward.Alert{}, err
	}
	return b.Draft(ctx, who, words)
}
