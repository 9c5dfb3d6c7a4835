package match

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"wardwatch/keep/store"
	"wardwatch/ward"
)

// onAssets stands for identities of which other things are said on other assets: each way in which what runs beside decides is
// an identity of the question by itself, with an ID below zero.
type onAssets struct {
	*question
	digests map[ward.PlatformID]string // of the condition
	members map[ward.PlatformID][]*Identity
	places  map[spot][]ward.PlatformID // one a condition
	ways    map[string]ward.SoftwareID
}

type spot struct {
	software ward.SoftwareID
	asset    ward.AssetID
}

// onAssets gathers of which platforms the assets within scope are, for the identities of which something depends on that.
func (q *question) onAssets(ctx context.Context, tx *store.Tx, scope ward.Scope) (*onAssets, error) {
	on := &onAssets{question: q, digests: map[ward.PlatformID]string{}, members: map[ward.PlatformID][]*Identity{}, places: map[spot][]ward.PlatformID{}, ways: map[string]ward.SoftwareID{}}
	all, err := tx.ConditionsOf(ctx, slices.Sorted(maps.Keys(q.waiting)))
	if err != nil {
		return nil, err
	}
	of := map[ward.PlatformID]ward.SoftwareID{}
	var ids []ward.SoftwareID
	for _, c := range all {
		platforms, err := tx.PlatformsOf(ctx, c.ID)
		if err != nil {
			return nil, err
		}
		p, err := readProviso(c.Body)
		if err != nil {
			return nil, fmt.Errorf("condition %d: %w", c.ID, err)
		}
		_, digest := p.body()
		for _, one := range platforms {
			of[one.ID], on.digests[one.ID] = c.Software, digest
			ids = append(ids, one.Members...)
			for _, id := range one.Members {
				on.members[one.ID] = append(on.members[one.ID], &Identity{Software: ward.Software{ID: id}})
			}
		}
	}
	slices.Sort(ids)
	members, err := tx.SoftwareByID(ctx, slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	read := map[ward.SoftwareID]*Identity{}
	for _, sw := range members {
		read[sw.ID] = ReadAs(sw, q.names)
	}
	for _, some := range on.members {
		for i, id := range some {
			some[i] = cmp.Or(read[id.Software.ID], id)
		}
	}
	err = tx.PlacedOn(ctx, scope, slices.Sorted(maps.Keys(of)), func(asset ward.AssetID, platform ward.PlatformID) {
		at := spot{of[platform], asset}
		same := func(other ward.PlatformID) bool { return on.digests[other] == on.digests[platform] }
		on.places[at] = append(slices.DeleteFunc(on.places[at], same), platform) // the last is where it is
	})
	return on, err
}

// of is the identity that stands for one on an asset.
func (on *onAssets) of(software ward.SoftwareID, asset ward.AssetID) ward.SoftwareID {
	id, waits := on.waiting[software]
	places := on.places[spot{software, asset}]
	if !waits || len(places) == 0 {
		return software
	}
	slices.Sort(places)
	key := fmt.Sprint(software, places)
	if way, known := on.ways[key]; known {
		return way
	}
	beside := map[string][]*Identity{}
	for _, platform := range places {
		beside[on.digests[platform]] = on.members[platform]
	}
	way := -ward.SoftwareID(len(on.ways) + 1)
	on.ways[key], on.software[way] = way, on.software[software]
	on.said[way] = ward.Verdict{Software: software, Status: ward.PlatformUnknown, Basis: ward.ByDefault, Why: "No source speaks of " + on.name + " on what this asset runs."}
	if worst, _ := on.worst(id, beside); worst != nil {
		on.said[way] = *worst
	}
	return way
}

// split parts what a source lists by what is said of it on each asset.
func (on *onAssets) split(r store.Running) (all []store.Running) {
	if on.waiting[r.Software] == nil {
		return []store.Running{r}
	}
	at := map[ward.SoftwareID]int{}
	for _, asset := range r.Assets {
		way := on.of(r.Software, asset)
		i, known := at[way]
		if !known {
			i = len(all)
			at[way] = i
			some := r
			some.Software, some.Assets = way, nil
			all = append(all, some)
		}
		all[i].Assets = append(all[i].Assets, asset)
	}
	return all
}
