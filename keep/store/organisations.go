package store

import (
	"context"
	"database/sql"
	"fmt"

	"wardwatch/ward"
)

const organisationColumns = `id, name, kind, town, postcode, country, board, region, latitude, longitude, opened, closed`

// SaveOrganisation adds an organisation or replaces what is kept of it.
func (tx *Tx) SaveOrganisation(ctx context.Context, o ward.Organisation) error {
	if _, err := tx.tx.ExecContext(ctx, `INSERT INTO organisations (`+organisationColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind, town = excluded.town, postcode = excluded.postcode,
			country = excluded.country, board = excluded.board, region = excluded.region, latitude = excluded.latitude,
			longitude = excluded.longitude, opened = excluded.opened, closed = excluded.closed`,
		string(o.ID), o.Name, o.Kind, o.Town, o.Postcode, o.Country, o.Board, o.Region, o.Latitude, o.Longitude,
		micros(o.Opened), micros(o.Closed)); err != nil {
		return fmt.Errorf("store: organisation %s: %w", o.ID, err)
	}
	return nil
}

// Organisations lists the organisations within scope, by name.
func (tx *Tx) Organisations(ctx context.Context, scope ward.Scope) ([]ward.Organisation, error) {
	condition, args := within(scope, "id", 1)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+organisationColumns+` FROM organisations WHERE `+condition+` ORDER BY name, id`, args...)
	return list(rows, err, scanOrganisation)
}

// Organisation is one organisation within scope.
func (tx *Tx) Organisation(ctx context.Context, scope ward.Scope, id ward.OrgID) (ward.Organisation, error) {
	condition, args := within(scope, "id", 2)
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+organisationColumns+` FROM organisations WHERE id = $1 AND `+condition,
		append([]any{string(id)}, args...)...)
	return only(list(rows, err, scanOrganisation))
}

func scanOrganisation(rows *sql.Rows) (o ward.Organisation, err error) {
	var opened, closed sql.NullInt64
	err = rows.Scan(&o.ID, &o.Name, &o.Kind, &o.Town, &o.Postcode, &o.Country, &o.Board, &o.Region, &o.Latitude, &o.Longitude, &opened, &closed)
	o.Opened, o.Closed = moment(opened), moment(closed)
	return o, err
}

// only is the one row of a list, or ErrNotFound.
func only[T any](all []T, err error) (one T, _ error) {
	if err != nil {
		return one, err
	}
	if len(all) == 0 {
		return one, ward.ErrNotFound
	}
	return all[0], nil
}

// SaveSite adds a site or replaces what is kept of it.
func (tx *Tx) SaveSite(ctx context.Context, s ward.Site) error {
	if _, err := tx.tx.ExecContext(ctx, `INSERT INTO sites (id, org, name, postcode, latitude, longitude) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET org = excluded.org, name = excluded.name, postcode = excluded.postcode,
			latitude = excluded.latitude, longitude = excluded.longitude`,
		string(s.ID), string(s.Org), s.Name, s.Postcode, s.Latitude, s.Longitude); err != nil {
		return fmt.Errorf("store: site %s: %w", s.ID, err)
	}
	return nil
}

// Sites lists the sites within scope, of one organisation or (org empty) of all, by name.
func (tx *Tx) Sites(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Site, error) {
	condition, args := within(scope, "org", 3)
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, org, name, postcode, latitude, longitude FROM sites
		WHERE ($1 = '' OR org = $2) AND `+condition+` ORDER BY name, id`, append([]any{string(org), string(org)}, args...)...)
	return list(rows, err, func(rows *sql.Rows) (s ward.Site, err error) {
		err = rows.Scan(&s.ID, &s.Org, &s.Name, &s.Postcode, &s.Latitude, &s.Longitude)
		return s, err
	})
}

// SaveRelation adds a relation or changes the end of the one that began then.
func (tx *Tx) SaveRelation(ctx context.Context, r ward.Relation) error {
	if _, err := tx.tx.ExecContext(ctx, `INSERT INTO relations (from_org, kind, to_org, since, until) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (from_org, kind, to_org, since) DO UPDATE SET until = excluded.until`,
		string(r.From), string(r.Kind), string(r.To), micros(r.Since), micros(r.Until)); err != nil {
		return fmt.Errorf("store: relation %s %s %s: %w", r.From, r.Kind, r.To, err)
	}
	return nil
}

// Relations lists the relations that touch an organisation within scope, of one organisation or (org empty) of all.
func (tx *Tx) Relations(ctx context.Context, scope ward.Scope, org ward.OrgID) ([]ward.Relation, error) {
	from, args := within(scope, "from_org", 4)
	to, _ := within(scope, "to_org", 4)
	rows, err := tx.tx.QueryContext(ctx, `SELECT from_org, kind, to_org, since, until FROM relations
		WHERE ($1 = '' OR from_org = $2 OR to_org = $3) AND (`+from+` OR `+to+`) ORDER BY from_org, kind, to_org, since`,
		append([]any{string(org), string(org), string(org)}, args...)...)
	return list(rows, err, func(rows *sql.Rows) (r ward.Relation, err error) {
		var since, until sql.NullInt64
		err = rows.Scan(&r.From, &r.Kind, &r.To, &since, &until)
		r.Since, r.Until = moment(since), moment(until)
		return r, err
	})
}
