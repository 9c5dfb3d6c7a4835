package estate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// nameClients keeps which organisations an operator's own list names as accountable, and joins their asset of that name
// with the operator's: the operator alone can open its asset to a client, and what it opens it can close again.
func (r *Register) nameClients(ctx context.Context, tx *store.Tx, a application, source ward.SourceID, members []ward.AssetID, k *recognised) (touched []string, err error) {
	before, err := tx.ClientsNamed(ctx, source)
	if err != nil {
		return nil, err
	}
	for i, asset := range a.inventory.assets {
		if asset.key.operator != a.Org {
			continue
		}
		for _, client := range asset.clients {
			if slices.Contains(before[members[i]], client) {
				continue
			}
			if err := tx.NameClient(ctx, source, members[i], client); err != nil {
				return nil, err
			}
			theirs, err := tx.FindAsset(ctx, a.Org, apartKey(asset.key.name, client))
			if err != nil {
				return nil, err
			}
			if err := r.joinClient(ctx, tx, a.Source, k.devices[a.Org], members[i], theirs, client); err != nil {
				return nil, err
			}
			touched = append(touched, string(client))
		}
		for _, client := range before[members[i]] {
			if slices.Contains(asset.clients, client) {
				continue
			}
			if err := tx.UnnameClient(ctx, source, members[i], client); err != nil {
				return nil, err
			}
			if err := r.leaveClient(ctx, tx, a.Source, k.devices[a.Org], members[i], asset.key.name, client); err != nil {
				return nil, err
			}
			touched = append(touched, string(client))
		}
	}
	return touched, nil
}

// joinNamed joins what a client's source lists of its operator's assets with those of them whose lists name the client.
func (r *Register) joinNamed(ctx context.Context, tx *store.Tx, a application, members []ward.AssetID, fresh map[ward.AssetID]bool, k *recognised) error {
	for i, asset := range a.inventory.assets {
		if asset.key.operator == a.Org || !fresh[members[i]] {
			continue
		}
		theirs, err := tx.FindAsset(ctx, asset.key.operator, asset.plain)
		if err != nil || theirs == 0 {
			if err != nil {
				return err
			}
			continue
		}
		named, err := tx.NamesClient(ctx, theirs, a.Org)
		if err != nil {
			return err
		}
		if !named {
			continue
		}
		if err := r.joinClient(ctx, tx, a.Source, k.devices[asset.key.operator], theirs, members[i], a.Org); err != nil {
			return err
		}
	}
	return nil
}

// joinClient makes a client accountable for an operator's asset, with what its own sources say of it.
func (r *Register) joinClient(ctx context.Context, tx *store.Tx, by string, d *devices, operators, clients ward.AssetID, client ward.OrgID) error {
	kept, err := tx.NamedAsset(ctx, d.root(operators))
	if err != nil {
		return err
	}
	if clients == 0 || d.root(clients) == kept.ID {
		return tx.AnswersFor(ctx, client, kept.ID, kept.Key, true, false)
	}
	merged := d.root(clients)
	m, known := d.earlier(d.under(merged), d.under(kept.ID))
	if known && m.State == ward.MergeRefused {
		return tx.AnswersFor(ctx, client, kept.ID, kept.Key, true, false)
	}
	answers, err := tx.Answerers(ctx, merged)
	if err != nil {
		return err
	}
	if len(answers) == 0 {
		answers = []store.Answerer{{Org: client, Accountable: true}, {Org: d.operator, Operates: true}}
	}
	_, err = d.merge(ctx, tx, ward.Merge{ID: m.ID, Kept: kept.ID, Merged: merged, Rule: ward.ByOperator, Why: fmt.Sprintf("the list of %s names %s as accountable", d.operator, client),
		At: r.clock.Now(), By: by}, kept.Key, answers)
	return err
}

// leaveClient takes a client away from an operator's asset that no list of the operator gives it any more.
func (r *Register) leaveClient(ctx context.Context, tx *store.Tx, by string, d *devices, operators ward.AssetID, name string, client ward.OrgID) error {
	if named, err := tx.NamesClient(ctx, operators, client); err != nil || named {
		return err
	}
	theirs, err := tx.FindAsset(ctx, d.operator, apartKey(name, client))
	if err != nil {
		return err
	}
	root := d.root(operators)
	if into, merged := d.into[theirs]; theirs != 0 && merged {
		m, ok := d.said[pairOf(into, theirs)]
		if !ok {
			return errors.New("a client's asset is merged without a record")
		}
		if _, err := d.split(ctx, tx, m, by, fmt.Sprintf("the list of %s names %s no longer", d.operator, client), r.clock.Now()); err != nil {
			return err
		}
	}
	return tx.StopAnswering(ctx, client, root)
}

// apartKey is the name under which a client's word on its operator's asset is kept, apart from the operator's own.
func apartKey(name string, client ward.OrgID) string { return name + "\x1f" + string(client) }
