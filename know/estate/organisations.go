package estate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Directory is what organisation files say: organisations, their sites, and the dated relations between them.
type Directory struct {
	Organisations []ward.Organisation
	Sites         []ward.Site
	Relations     []ward.Relation
	Rejected      int
	Problems      []string // the first MostProblems rejected rows, each with file, line and reason
}

// OrgReport is what importing a Directory came to.
type OrgReport struct {
	Organisations int      // read
	Added         int      // of them, new
	Changed       int      // of them, known and now different
	Sites         int      // kept
	Relations     int      // kept
	Orphans       []string // sites left out because nobody knows their parent, each with its name and parent
	Rejected      int
	Problems      []string
}

// ImportOrganisations merges organisation files into the register, all or nothing. What a file does not say stays as it
// is, so that an extract without positions takes none away. Sites and relations of unknown organisations are left out and named.
func (r *Register) ImportOrganisations(ctx context.Context, who ward.Actor, d Directory) (OrgReport, error) {
	if err := who.Need(ward.MayRegister); err != nil {
		return OrgReport{}, err
	}
	var report OrgReport
	err := r.store.Update(ctx, func(tx *store.Tx) error {
		var err error
		report, err = r.merge(ctx, tx, who, d)
		return err
	})
	if err != nil {
		return OrgReport{}, fmt.Errorf("estate: organisations: %w", err)
	}
	return report, nil
}

func (r *Register) merge(ctx context.Context, tx *store.Tx, who ward.Actor, d Directory) (OrgReport, error) {
	report := OrgReport{Organisations: len(d.Organisations), Rejected: d.Rejected, Problems: d.Problems}
	all, err := tx.Organisations(ctx, ward.Everything())
	if err != nil {
		return report, err
	}
	known := make(map[ward.OrgID]ward.Organisation, len(all))
	for _, o := range all {
		known[o.ID] = o
	}
	for _, o := range d.Organisations {
		before, is := known[o.ID]
		after := filled(before, o)
		known[o.ID] = after
		switch {
		case !is:
			report.Added++
		case after != before:
			report.Changed++
		default:
			continue
		}
		if err := tx.SaveOrganisation(ctx, after); err != nil {
			return report, err
		}
	}
	for _, s := range d.Sites {
		if _, is := known[s.Org]; !is {
			report.Orphans = append(report.Orphans, fmt.Sprintf("%s %s: parent %q is not registered", s.ID, s.Name, s.Org))
			continue
		}
		report.Sites++
		if err := tx.SaveSite(ctx, s); err != nil {
			return report, err
		}
	}
	for _, relation := range d.Relations {
		if missing := slices.DeleteFunc([]ward.OrgID{relation.From, relation.To}, func(id ward.OrgID) bool { _, is := known[id]; return is }); len(missing) > 0 {
			report.Rejected++
			if len(report.Problems) < MostProblems {
				report.Problems = append(report.Problems, fmt.Sprintf("%s %s %s: %s is not registered", relation.From, relation.Kind, relation.To, missing[0]))
			}
			continue
		}
		report.Relations++
		if err := tx.SaveRelation(ctx, relation); err != nil {
			return report, err
		}
	}
	tx.Hint("estate:", "")
	return report, audit(ctx, tx, who, r.clock.Now(), "estate.organisations", "organisations", "",
		"%d organisations read, %d new, %d changed; %d sites, %d relations kept; %d sites without a known parent; %d rows rejected",
		report.Organisations, report.Added, report.Changed, report.Sites, report.Relations, len(report.Orphans), report.Rejected)
}

// filled is what is known of an organisation after a file spoke: what the file says, else what was known. A name that
// differs in capitals alone stays, because the official extracts write in capitals.
func filled(before, o ward.Organisation) ward.Organisation {
	if strings.EqualFold(o.Name, before.Name) {
		o.Name = before.Name
	}
	if strings.EqualFold(o.Town, before.Town) {
		o.Town = before.Town
	}
	for _, text := range []struct{ now, before *string }{{&o.Name, &before.Name}, {&o.Kind, &before.Kind}, {&o.Town, &before.Town},
		{&o.Postcode, &before.Postcode}, {&o.Country, &before.Country}, {&o.Board, &before.Board}, {&o.Region, &before.Region}} {
		if *text.now == "" {
			*text.now = *text.before
		}
	}
	if o.Latitude == 0 && o.Longitude == 0 {
		o.Latitude, o.Longitude = before.Latitude, before.Longitude
	}
	if o.Opened.IsZero() {
		o.Opened = before.Opened
	}
	if o.Closed.IsZero() {
		o.Closed = before.Closed
	}
	return o
}
