package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"wardwatch/ward"
)

// Condition is what verdicts on an identity wait for: its body is the room's own.
type Condition struct {
	ID       ward.ConditionID
	Software ward.SoftwareID
	Body     string
}

// EnsureCondition finds or makes a condition; added says that no asset was held against it yet.
func (tx *Tx) EnsureCondition(ctx context.Context, software ward.SoftwareID, digest, body string) (id ward.ConditionID, added bool, err error) {
	err = tx.repeatOne(ctx, &id, `SELECT id FROM conditions WHERE software = $1 AND digest = $2`, int64(software), digest)
	if errors.Is(err, sql.ErrNoRows) {
		added = true
		err = tx.repeatOne(ctx, &id, `INSERT INTO conditions (software, digest, body) VALUES ($1, $2, $3) RETURNING id`, int64(software), digest, body)
	}
	if err != nil {
		return 0, false, fmt.Errorf("store: condition of software %d: %w", software, err)
	}
	return id, added, nil
}

// ConditionsOf lists what verdicts on identities wait for, or waited for.
func (tx *Tx) ConditionsOf(ctx context.Context, ids []ward.SoftwareID) (all []Condition, err error) {
	err = chunked(ids, func(some []ward.SoftwareID) error {
		rows, err := tx.tx.QueryContext(ctx, `SELECT id, software, body FROM conditions WHERE software IN (`+integers(some)+`) ORDER BY id`)
		found, err := list(rows, err, func(rows *sql.Rows) (c Condition, err error) {
			err = rows.Scan(&c.ID, &c.Software, &c.Body)
			return c, err
		})
		all = append(all, found...)
		return err
	})
	return all, err
}

// Platform is the assets on which a condition stands alike.
type Platform struct {
	ID      ward.PlatformID
	Stands  string            // which parts of the condition hold
	Members []ward.SoftwareID // software that makes it so
}

// PlatformsOf lists the platforms of a condition.
func (tx *Tx) PlatformsOf(ctx context.Context, condition ward.ConditionID) ([]Platform, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT id, stands, members FROM platforms WHERE condition = $1 ORDER BY id`, int64(condition))
	return list(rows, err, func(rows *sql.Rows) (p Platform, err error) {
		var members string
		if err := rows.Scan(&p.ID, &p.Stands, &members); err != nil {
			return p, err
		}
		return p, json.Unmarshal([]byte(members), &p.Members)
	})
}

// SavePlatform makes a platform, or gives one other members.
func (tx *Tx) SavePlatform(ctx context.Context, condition ward.ConditionID, p Platform) (id ward.PlatformID, err error) {
	members, err := encode(p.Members)
	if err != nil {
		return 0, err
	}
	if err := tx.repeatOne(ctx, &id, `INSERT INTO platforms (condition, stands, members) VALUES ($1, $2, $3)
		ON CONFLICT (condition, stands) DO UPDATE SET members = excluded.members RETURNING id`, int64(condition), p.Stands, members); err != nil {
		return 0, fmt.Errorf("store: platform of condition %d: %w", condition, err)
	}
	return id, nil
}

// VerdictsOnPlatforms lists the verdicts that stand on an identity and a weakness where what else an asset runs decides.
func (tx *Tx) VerdictsOnPlatforms(ctx context.Context, cve ward.CVE, software ward.SoftwareID) ([]ward.Verdict, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+verdictColumns+` FROM verdicts v
		WHERE v.cve = $1 AND v.software = $2 AND v.platform > 0 AND v.until IS NULL ORDER BY v.platform`, string(cve), int64(software))
	return list(rows, err, scanVerdict)
}

// WaitingFor lists the verdicts that stand and wait for a condition.
func (tx *Tx) WaitingFor(ctx context.Context, condition ward.ConditionID) ([]ward.Verdict, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT `+verdictColumns+` FROM verdicts v WHERE v.waits = $1 AND v.waits <> 0 AND v.until IS NULL ORDER BY v.cve`, int64(condition))
	return list(rows, err, scanVerdict)
}

// Stay is an interval in which a source was believed to see an identity on an asset.
type Stay struct {
	Asset    ward.AssetID
	Software ward.SoftwareID
	From     time.Time
	To       time.Time // zero: still
}

// StaysOn lists all that was ever on assets, by asset. Platforms are worked out from it, for whoever answers for the assets.
func (tx *Tx) StaysOn(ctx context.Context, assets []ward.AssetID) (all []Stay, err error) {
	err = chunked(assets, func(some []ward.AssetID) error {
		rows, err := tx.tx.QueryContext(ctx, `SELECT i.asset, i.software, i.first_seen,
				CASE WHEN i.last_seen IS NOT NULL THEN MAX(i.last_seen, COALESCE(`+goneAt+`, i.last_seen)) END
			FROM (SELECT DISTINCT source, asset FROM presence WHERE asset IN (`+integers(some)+`)) p
			CROSS JOIN installs i ON i.source = p.source AND i.asset = p.asset ORDER BY i.asset, i.software`)
		found, err := list(rows, err, func(rows *sql.Rows) (s Stay, err error) {
			var from, to sql.NullInt64
			err = rows.Scan(&s.Asset, &s.Software, &from, &to)
			s.From, s.To = moment(from), moment(to)
			return s, err
		})
		all = append(all, found...)
		return err
	})
	return all, err
}

// Placement is an interval in which an asset was of a platform.
type Placement struct {
	Platform ward.PlatformID
	Since    time.Time
	Until    time.Time // zero: still
}

// PlacementsOf lists of which platforms an asset is and was.
func (tx *Tx) PlacementsOf(ctx context.Context, asset ward.AssetID) ([]Placement, error) {
	rows, err := tx.tx.QueryContext(ctx, `SELECT platform, since, until FROM placements WHERE asset = $1 ORDER BY platform, since`, int64(asset))
	return list(rows, err, func(rows *sql.Rows) (p Placement, err error) {
		var since, until sql.NullInt64
		err = rows.Scan(&p.Platform, &since, &until)
		p.Since, p.Until = moment(since), moment(until)
		return p, err
	})
}

// SavePlacements replaces of which platforms an asset is and was.
func (tx *Tx) SavePlacements(ctx context.Context, asset ward.AssetID, all []Placement) error {
	if err := tx.repeat(ctx, `DELETE FROM placements WHERE asset = $1`, int64(asset)); err != nil {
		return fmt.Errorf("store: platforms of asset %d: %w", asset, err)
	}
	for _, p := range all {
		if err := tx.repeat(ctx, `INSERT INTO placements (platform, asset, since, until) VALUES ($1, $2, $3, $4)`,
			int64(p.Platform), int64(asset), micros(p.Since), micros(p.Until)); err != nil {
			return fmt.Errorf("store: platforms of asset %d: %w", asset, err)
		}
	}
	return nil
}

// PlacedOn visits the assets within scope that are or were of any of the platforms, each platform in the order of time.
func (tx *Tx) PlacedOn(ctx context.Context, scope ward.Scope, platforms []ward.PlatformID, visit func(ward.AssetID, ward.PlatformID)) error {
	if len(platforms) == 0 {
		return nil
	}
	condition, args := within(scope, "o.org", 1)
	rows, err := tx.tx.QueryContext(ctx, `SELECT f.asset, f.platform FROM placements f WHERE f.platform IN (`+integers(platforms)+`)
		AND EXISTS (SELECT 1 FROM asset_orgs o WHERE o.asset = f.asset AND `+condition+`) ORDER BY f.since`, args...)
	_, err = list(rows, err, func(rows *sql.Rows) (struct{}, error) {
		var asset ward.AssetID
		var platform ward.PlatformID
		err := rows.Scan(&asset, &platform)
		visit(asset, platform)
		return struct{}{}, err
	})
	return err
}

// Answering lists the organisations that answer for any of the assets.
func (tx *Tx) Answering(ctx context.Context, assets []ward.AssetID) (all []string, err error) {
	seen := map[string]bool{}
	err = chunked(assets, func(some []ward.AssetID) error {
		orgs, err := texts(tx.tx.QueryContext(ctx, `SELECT DISTINCT org FROM asset_orgs WHERE asset IN (`+integers(some)+`)`))
		for _, org := range orgs {
			if !seen[org] {
				seen[org] = true
				all = append(all, org)
			}
		}
		return err
	})
	return all, err
}

// PlaceAll leaves to the match every asset that has or had any of the identities, where anything waits for what assets run.
func (tx *Tx) PlaceAll(ctx context.Context, ids []ward.SoftwareID) error {
	return chunked(ids, func(some []ward.SoftwareID) error {
		if _, err := tx.tx.ExecContext(ctx, `INSERT INTO pending (room, subject, since, turn)
			SELECT DISTINCT 'match', 'asset:' || i.asset, 0, 1 FROM installs i WHERE i.software IN (`+integers(some)+`) AND EXISTS (SELECT 1 FROM conditions)
			ON CONFLICT (room, subject) DO UPDATE SET turn = pending.turn + 1`); err != nil {
			return fmt.Errorf("store: assets to place: %w", err)
		}
		return nil
	})
}

// place leaves to the match, before all else, the assets of which the installs change, where anything waits for what assets run.
func (tx *Tx) place(ctx context.Context, assets ...ward.AssetID) error {
	var waits bool
	if err := tx.repeatOne(ctx, &waits, `SELECT EXISTS (SELECT 1 FROM conditions)`); err != nil || !waits {
		return err
	}
	last := ward.AssetID(0)
	for _, asset := range assets {
		if asset == last {
			continue
		}
		last = asset
		if err := tx.Mark(ctx, ForMatch, time.UnixMicro(0), "asset:"+strconv.FormatInt(int64(asset), 10)); err != nil {
			return err
		}
	}
	return nil
}

// placeThose is place for installs, sorted by asset.
func (tx *Tx) placeThose(ctx context.Context, all []Installed) error {
	assets := make([]ward.AssetID, len(all))
	for i, one := range all {
		assets[i] = one.Asset
	}
	return tx.place(ctx, assets...)
}
