package estate

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/ward"
)

// Delivery is one inventory as it comes in: which organisation, by which source, observed when.
type Delivery struct {
	Org        ward.OrgID
	Source     string       // the name under which this organisation's inventories of one origin follow one another
	Format     string       // a reader's; empty or "auto": found from Name and content
	Classes    []ward.Class // what the source can see; none: as before, else what the format knows, else the source covers nothing
	Grade      ward.Grade   // empty: tool export
	ObservedAt time.Time    // when the inventory was true; zero: as the inventory itself says
	Body       io.Reader
	Name       string            // file name, a help to recognise the format
	Mapping    map[string]string // our column to the input's header; nil: as saved for this source
	Progress   func(rows int)    // called now and then while rows are read; may be nil
}

// MostBytes bounds an inventory.
const MostBytes = 4 << 30

// declared is the format of the sources that people's declarations make.
const declared = "declaration"

// Import takes a delivery in, all or nothing, and writes only what differs from the source's import before. It speaks for
// its own source alone: what that no longer lists becomes no longer seen.
//
// The same content observed at the same time changes nothing (ImportUnchanged). One that loses more than a fifth of its
// source's assets is kept aside for a person: the import comes back as ImportHeld together with ErrHeld. An observation in
// the future, or not after the source's newest, is ErrInvalid.
func (r *Register) Import(ctx context.Context, who ward.Actor, d Delivery) (ward.Import, error) {
	if err := who.NeedFor(ward.MayImport, d.Org); err != nil {
		return ward.Import{}, err
	}
	done, err := r.take(ctx, who, d)
	if err != nil {
		return done, fmt.Errorf("estate: import of %s by %s: %w", d.Source, d.Org, err)
	}
	return done, nil
}

func (r *Register) take(ctx context.Context, who ward.Actor, d Delivery) (ward.Import, error) {
	if err := d.check(r.clock.Now()); err != nil {
		return ward.Import{}, err
	}
	body, err := spool(d.Body)
	if err != nil {
		return ward.Import{}, err
	}
	defer body.Close()
	before, err := r.before(ctx, d.Org, d.Source)
	if err != nil {
		return ward.Import{}, err
	}
	if d.Mapping == nil {
		d.Mapping = before.mapping
	}
	if again, err := r.again(ctx, before.source.ID, body.digest, d.ObservedAt); err == nil || !errors.Is(err, ward.ErrNotFound) {
		return again, err
	}
	read, format, err := r.read(ctx, d, body, before.relations)
	if err != nil {
		return ward.Import{}, err
	}
	d.Format = format
	if d.ObservedAt.IsZero() {
		d.ObservedAt = read.ObservedAt
		if d.ObservedAt.IsZero() {
			return ward.Import{}, &ward.Invalid{Field: "observed_at", Problem: "is not given, and the inventory does not say it", Hint: "say when the inventory was taken"}
		}
		if err := d.check(r.clock.Now()); err != nil {
			return ward.Import{}, err
		}
		if again, err := r.again(ctx, before.source.ID, body.digest, d.ObservedAt); err == nil || !errors.Is(err, ward.ErrNotFound) {
			return again, err
		}
	}
	if len(read.assets) == 0 {
		problem := "lists no asset"
		if len(read.Problems) > 0 {
			problem += "; " + read.Problems[0]
		}
		return ward.Import{}, &ward.Invalid{Problem: problem, Hint: "an empty inventory is taken for a broken export"}
	}
	var done ward.Import
	err = r.store.Update(ctx, func(tx *store.Tx) error {
		done, err = r.apply(ctx, tx, who, application{Delivery: d, inventory: read, digest: body.digest, hold: body.compressed})
		return err
	})
	if err != nil {
		return ward.Import{}, err
	}
	if done.State == ward.ImportHeld {
		return done, fmt.Errorf("%d of %d assets would no longer be seen: %w", done.AssetsLost, before.source.Assets, ward.ErrHeld)
	}
	return done, nil
}

// check says what a delivery lacks, before its body is read.
func (d *Delivery) check(now time.Time) error {
	d.Source = Clean(d.Source)
	d.ObservedAt = d.ObservedAt.UTC().Truncate(time.Microsecond)
	if d.Grade == "" {
		d.Grade = ward.ToolExport
	}
	switch {
	case d.Source == "" || len(d.Source) > mostName:
		return &ward.Invalid{Field: "source", Problem: "is empty or too long", Hint: "name where the inventory comes from, such as defender"}
	case strings.HasPrefix(key(d.Source), declared):
		return &ward.Invalid{Field: "source", Problem: "is a name kept for declarations", Hint: "choose another"}
	case d.Body == nil:
		return &ward.Invalid{Field: "body", Problem: "is missing"}
	case !slices.Contains([]ward.Grade{ward.SelfDeclared, ward.ToolExport, ward.Independent}, d.Grade):
		return &ward.Invalid{Field: "grade", Problem: fmt.Sprintf("%.30q is not known", d.Grade), Hint: "self-declared, tool export or independent"}
	case d.ObservedAt.After(now):
		return &ward.Invalid{Field: "observed_at", Problem: d.ObservedAt.Format(time.RFC3339) + " lies in the future", Hint: "it is when the inventory was taken; check the clock and the time zone"}
	}
	for _, class := range d.Classes {
		if !slices.Contains(ward.Classes, class) {
			return &ward.Invalid{Field: "classes", Problem: fmt.Sprintf("%.30q is not known", class), Hint: "one or more of " + classNames()}
		}
	}
	return nil
}

// before is what is known of a source and its organisation before a delivery.
type before struct {
	source    ward.Source // zero when it is new
	mapping   map[string]string
	relations []ward.Relation
}

func (r *Register) before(ctx context.Context, org ward.OrgID, source string) (before, error) {
	scope := ward.Only(org)
	return view(ctx, r, func(tx *store.Tx) (b before, err error) {
		if _, err = tx.Organisation(ctx, scope, org); err != nil {
			return b, fmt.Errorf("organisation %s: %w", org, err)
		}
		if b.source, err = tx.SourceNamed(ctx, scope, org, source); err != nil && !errors.Is(err, ward.ErrNotFound) {
			return b, err
		}
		if b.mapping, err = tx.Mapping(ctx, scope, org, source); err != nil {
			return b, err
		}
		b.relations, err = tx.Relations(ctx, scope, org)
		return b, err
	})
}

// again answers a delivery that came before: unchanged, or still held. ErrNotFound: it is new.
func (r *Register) again(ctx context.Context, source ward.SourceID, digest string, observedAt time.Time) (ward.Import, error) {
	if source == 0 || observedAt.IsZero() {
		return ward.Import{}, ward.ErrNotFound
	}
	same, err := view(ctx, r, func(tx *store.Tx) (ward.Import, error) {
		return tx.SameImport(ctx, ward.Everything(), source, digest, observedAt)
	})
	switch {
	case err != nil:
		return ward.Import{}, err
	case same.State == ward.ImportHeld:
		return same, fmt.Errorf("import %d waits for a decision: %w", same.ID, ward.ErrHeld)
	}
	same.State, same.Added, same.Gone, same.AssetsLost = ward.ImportUnchanged, 0, 0, 0
	return same, nil
}

// spooled is a body on the disk, so that it can be read twice and never fills the memory.
type spooled struct {
	*os.File
	digest string // SHA-256, hex
}

func spool(body io.Reader) (*spooled, error) {
	file, err := os.CreateTemp("", "wardwatch-inventory-*")
	if err != nil {
		return nil, err
	}
	s := &spooled{File: file}
	if err := os.Remove(file.Name()); err != nil { // open and without a name: nothing of it stays behind, even after a kill
		s.Close()
		return nil, err
	}
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, hash), io.LimitReader(body, MostBytes+1))
	if err == nil && n > MostBytes {
		err = &ward.Invalid{Problem: fmt.Sprintf("is larger than %d GB", MostBytes>>30), Hint: "deliver it as several sources"}
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	s.digest = hex.EncodeToString(hash.Sum(nil))
	return s, nil
}

// compressed is the whole body as gzip.
func (s *spooled) compressed() ([]byte, error) {
	if _, err := s.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := io.Copy(w, s); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}

// progressEvery is how many rows pass between two calls of Delivery.Progress.
const progressEvery = 10_000

// read reads a body into memory with the reader that it needs.
func (r *Register) read(ctx context.Context, d Delivery, body io.Reader, relations []ward.Relation) (*inventory, string, error) {
	in := bufio.NewReaderSize(body, 1<<18)
	reader, err := r.readerFor(d, in)
	if err != nil {
		return nil, "", err
	}
	if mapper, ok := reader.(Mapper); ok && len(d.Mapping) > 0 {
		reader = mapper.With(d.Mapping)
	}
	v := newInventory()
	rows := 0
	operators := map[ward.OrgID]bool{"": true, d.Org: true}
	clients := map[ward.OrgID]bool{}
	at := d.ObservedAt
	if at.IsZero() {
		at = r.clock.Now()
	}
	summary, err := reader.Read(in, func(row Row) error {
		rows++
		if rows%progressEvery == 0 {
			if d.Progress != nil {
				d.Progress(rows)
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if row.Class == "" && len(d.Classes) == 1 {
			row.Class = d.Classes[0]
		}
		runs, asked := operators[row.Operator]
		if !asked {
			runs = operates(row.Operator, d.Org, relations, at)
			operators[row.Operator] = runs
			if !runs {
				v.note(row.Line, fmt.Sprintf("operator %.20s: no relation then in force says that it hosts, operates for or supplies %s, so the asset is kept as operated by %s",
					row.Operator, d.Org, d.Org))
			}
		}
		if row.Operator == "" || !runs {
			row.Operator = d.Org
		}
		if len(row.Accountable) > 0 {
			row.Accountable = r.clients(row, d.Org, clients, relations, at, v)
		}
		v.add(row, row.Operator)
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	v.finish()
	summary.Problems = append(summary.Problems, v.Problems...)
	v.Summary = summary
	return v, reader.Format(), nil
}

func (r *Register) readerFor(d Delivery, in *bufio.Reader) (Reader, error) {
	var formats []string
	for _, reader := range r.readers {
		formats = append(formats, reader.Format())
	}
	hint := "one of " + strings.Join(formats, ", ")
	if d.Format != "" && d.Format != "auto" {
		if reader, ok := ByFormat(r.readers, d.Format); ok {
			return reader, nil
		}
		return nil, &ward.Invalid{Field: "format", Problem: fmt.Sprintf("%.30q is not known", d.Format), Hint: hint}
	}
	head, err := in.Peek(HeadSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if reader, ok := Detect(r.readers, d.Name, head); ok {
		return reader, nil
	}
	if csv, ok := ByFormat(r.readers, "csv"); ok && len(d.Mapping) > 0 {
		return csv, nil
	}
	return nil, &ward.Invalid{Field: "format", Problem: "is not recognised", Hint: "say which it is: " + hint}
}

// operates reports whether operator runs systems for org: a claim that only a registered relation can make true, because
// it opens one organisation's asset to another.
func operates(operator, org ward.OrgID, relations []ward.Relation, at time.Time) bool {
	return slices.ContainsFunc(relations, func(r ward.Relation) bool {
		return r.From == operator && r.To == org && slices.Contains([]ward.RelationKind{ward.Hosts, ward.OperatesFor, ward.Supplier}, r.Kind) &&
			!r.Since.After(at) && (r.Until.IsZero() || r.Until.After(at))
	})
}

// clients are those of the organisations that a row names as accountable which the deliverer may name: its own, of its own
// assets. known remembers what was asked.
func (r *Register) clients(row Row, org ward.OrgID, known map[ward.OrgID]bool, relations []ward.Relation, at time.Time, v *inventory) (all []ward.OrgID) {
	if row.Operator != org {
		return nil
	}
	for _, client := range row.Accountable {
		if client == org {
			continue
		}
		may, asked := known[client]
		if !asked {
			may = operates(org, client, relations, at)
			known[client] = may
			if !may {
				v.note(row.Line, fmt.Sprintf("accountable %.20s: no relation then in force says that %s hosts, operates for or supplies it, so it is not named", client, org))
			}
		}
		if may {
			all = append(all, client)
		}
	}
	return all
}

// application is a delivery that has been read and may be written.
type application struct {
	Delivery
	inventory *inventory
	digest    string
	hold      func() ([]byte, error) // the body to keep should too much be lost; nil: a person has decided already
	decided   ward.ImportID          // the held import that is now released
}

// lostTooMuch is the rule of ErrHeld: more than a fifth.
func lostTooMuch(lost, before int) bool { return lost*5 > before }

// apply writes what differs. It is all of one transaction.
func (r *Register) apply(ctx context.Context, tx *store.Tx, who ward.Actor, a application) (ward.Import, error) {
	now := r.clock.Now()
	source, err := tx.SourceNamed(ctx, ward.Only(a.Org), a.Org, a.Source)
	if err != nil && !errors.Is(err, ward.ErrNotFound) {
		return ward.Import{}, err
	}
	last := source.ObservedAt // when its newest import listed what it lists
	if source, err = r.renewed(source, a); err != nil {
		return ward.Import{}, err
	}
	done := ward.Import{ID: a.decided, Source: source.ID, Org: a.Org, SourceName: a.Source, Digest: a.digest, ObservedAt: a.ObservedAt, ReceivedAt: now,
		By: who.Name, State: ward.ImportApplied, Rows: a.inventory.Rows, Rejected: a.inventory.Rejected, Problems: a.inventory.Problems, Assets: len(a.inventory.assets)}

	was := map[ward.AssetID]store.Listing{}
	if source.ID != 0 {
		if was, err = tx.Listed(ctx, source.ID); err != nil {
			return done, err
		}
	}
	known := &recognised{devices: map[ward.OrgID]*devices{}}
	members := make([]ward.AssetID, len(a.inventory.assets)) // as the source names them
	for i := range a.inventory.assets {
		asset := &a.inventory.assets[i]
		d := known.devices[asset.key.operator]
		if d == nil {
			if d, err = load(ctx, tx, asset.key.operator); err != nil {
				return done, err
			}
			known.devices[asset.key.operator] = d
		}
		asset.plain = asset.key.name
		if members[i], asset.key.name, err = identify(ctx, tx, a.Org, source.ID, *asset, d); err != nil {
			return done, err
		}
	}
	done.AssetsLost = len(lostOf(was, rootsOf(a, members, known)))
	if a.hold != nil && lostTooMuch(done.AssetsLost, len(was)) {
		return r.holdBack(ctx, tx, who, a, done, len(was))
	}

	if source.ID, err = tx.SaveSource(ctx, source); err != nil {
		return done, err
	}
	done.Source = source.ID
	fresh := map[ward.AssetID]bool{}
	for i, asset := range a.inventory.assets {
		if members[i] != 0 {
			continue
		}
		if members[i], err = tx.AddAsset(ctx, asset.key.operator, asset.name, asset.key.name, asset.says, a.ObservedAt); err != nil {
			return done, err
		}
		fresh[members[i]] = true
	}
	if err := r.recognise(ctx, tx, a, source.ID, members, fresh, known); err != nil {
		return done, err
	}
	if err := r.joinNamed(ctx, tx, a, members, fresh, known); err != nil {
		return done, err
	}
	clients, err := r.nameClients(ctx, tx, a, source.ID, members, known)
	if err != nil {
		return done, err
	}
	for _, d := range known.devices {
		if d.moved {
			if was, err = tx.Listed(ctx, source.ID); err != nil {
				return done, err
			}
			break
		}
	}
	ids := rootsOf(a, members, known)
	lost := lostOf(was, ids)
	done.AssetsLost = len(lost)
	renamed, err := writeAssets(ctx, tx, a, source.ID, last, ids, members, was, lost)
	if err != nil {
		return done, err
	}
	if err := r.writeInstalls(ctx, tx, a, source.ID, last, ids, renamed, &done); err != nil {
		return done, err
	}
	if err := writeFound(ctx, tx, a, source.ID, last, ids, renamed); err != nil {
		return done, err
	}
	if err := settle(ctx, tx, source.ID); err != nil {
		return done, err
	}
	if len(a.Mapping) > 0 {
		if err := tx.SaveMapping(ctx, a.Org, a.Source, a.Mapping); err != nil {
			return done, err
		}
	}
	if err := r.markTouched(ctx, tx, a.Org, source.ID, clients...); err != nil {
		return done, err
	}
	return r.record(ctx, tx, who, a, done, known.merged)
}

// rootsOf is under which asset each one of a delivery is shown; 0 for one that is new.
func rootsOf(a application, members []ward.AssetID, k *recognised) []ward.AssetID {
	roots := make([]ward.AssetID, len(members))
	for i, member := range members {
		if member != 0 {
			roots[i] = k.root(a.inventory.assets[i].key.operator, member)
		}
	}
	return roots
}

// lostOf lists what a source listed and lists no longer.
func lostOf(was map[ward.AssetID]store.Listing, now []ward.AssetID) (lost []ward.AssetID) {
	listed := make(map[ward.AssetID]bool, len(now))
	for _, id := range now {
		listed[id] = true
	}
	for id := range was {
		if !listed[id] {
			lost = append(lost, id)
		}
	}
	slices.Sort(lost)
	return lost
}

// identify finds the asset that org's source means, or 0, and the name to keep it under. What an organisation says of an
// asset that another operates is an asset of its own, until the operator's list names the organisation: who guesses a name
// must neither learn what the operator's sources say, nor write into it. Within an organisation one name is one asset, unless
// another source knows that by another serial number.
func identify(ctx context.Context, tx *store.Tx, org ward.OrgID, source ward.SourceID, asset listed, d *devices) (ward.AssetID, string, error) {
	key := asset.key
	if key.operator != org {
		apart := apartKey(key.name, org)
		if id, err := tx.FindAsset(ctx, key.operator, apart); err != nil || id != 0 {
			return id, apart, err
		}
		id, err := tx.FindAsset(ctx, key.operator, key.name)
		if err != nil || id == 0 {
			return 0, apart, err
		}
		own, others, err := tx.ListedBy(ctx, d.root(id), org)
		if err != nil || !own || others {
			return 0, apart, err
		}
		return id, key.name, nil // its own word, from before such words were kept apart
	}
	if asset.serial != "" {
		apart := key.name + "\x1f" + asset.serial
		if id, err := tx.FindAsset(ctx, org, apart); err != nil || id != 0 {
			return id, apart, err
		}
	}
	id, err := tx.FindAsset(ctx, org, key.name)
	if err != nil || id == 0 {
		return 0, key.name, err
	}
	own, others, err := tx.ListedBy(ctx, d.root(id), org)
	if err != nil {
		return 0, key.name, err
	}
	if others && !own { // a client's word of it, from before such words were kept apart
		apart := apartKey(key.name, org)
		id, err := tx.FindAsset(ctx, org, apart)
		return id, apart, err
	}
	if serial := d.marks[id].serial(); asset.serial != "" && serial != "" && serial != asset.serial && !slices.Contains(d.marks[id], Mark{BySerial, asset.serial}) {
		mine, err := tx.SourceIdentifiersOf(ctx, source, id)
		if err != nil {
			return 0, key.name, err
		}
		if !slices.ContainsFunc(mine, func(i store.Identifier) bool { return i.Kind == string(BySerial) }) {
			return 0, key.name + "\x1f" + asset.serial, nil
		}
	}
	return id, key.name, nil
}

// renewed is the source as the delivery leaves it.
func (r *Register) renewed(source ward.Source, a application) (ward.Source, error) {
	classes := a.Classes
	if source.ID == 0 {
		if len(classes) == 0 {
			if reader, ok := ByFormat(r.readers, a.Format); ok {
				if knower, ok := reader.(Knower); ok {
					classes = knower.Classes()
				}
			}
		}
	} else {
		if !a.ObservedAt.After(source.ObservedAt) {
			return source, &ward.Invalid{Field: "observed_at", Problem: fmt.Sprintf("%s is not after the newest import of this source (%s)",
				a.ObservedAt.Format(time.RFC3339), source.ObservedAt.Format(time.RFC3339)), Hint: "an older inventory cannot undo a newer one"}
		}
		if len(classes) == 0 {
			classes = source.Classes
		}
		for _, class := range source.Classes {
			if !slices.Contains(classes, class) {
				return source, &ward.Invalid{Field: "classes", Problem: fmt.Sprintf("leave out %s, which this source has covered so far", class),
					Hint: "deliver what sees less under the name of another source"}
			}
		}
	}
	return ward.Source{ID: source.ID, Org: a.Org, Name: a.Source, Format: a.Format, Grade: a.Grade, Classes: inOrder(classes),
		ObservedAt: a.ObservedAt, Assets: len(a.inventory.assets)}, nil
}

// inOrder is a set of classes in the order of ward.Classes.
func inOrder(classes []ward.Class) []ward.Class {
	ordered := []ward.Class{}
	for _, class := range ward.Classes {
		if slices.Contains(classes, class) {
			ordered = append(ordered, class)
		}
	}
	return ordered
}

// kept is how a held body is to be read when a person releases it.
type kept struct {
	Format  string            `json:"format"`
	Name    string            `json:"name"`
	Classes []ward.Class      `json:"classes"`
	Grade   ward.Grade        `json:"grade"`
	Mapping map[string]string `json:"mapping"`
}

// holdBack keeps an import aside for a person.
func (r *Register) holdBack(ctx context.Context, tx *store.Tx, who ward.Actor, a application, done ward.Import, assets int) (ward.Import, error) {
	body, err := a.hold()
	if err != nil {
		return done, err
	}
	how, err := json.Marshal(kept{a.Format, a.Name, a.Classes, a.Grade, a.Mapping})
	if err != nil {
		return done, err
	}
	done.State = ward.ImportHeld
	if done.ID, err = tx.AddImport(ctx, done, string(how), body); err != nil {
		return done, err
	}
	tx.Hint("estate:"+string(a.Org), a.Org)
	return done, audit(ctx, tx, who, done.ReceivedAt, "estate.hold", subject(done), a.Org, "%s observed %s: %d of %d assets would no longer be seen, so it waits for a person",
		a.Source, a.ObservedAt.Format(time.RFC3339), done.AssetsLost, assets)
}

func subject(i ward.Import) string { return fmt.Sprintf("%s/import/%d", i.Org, i.ID) }

// writeAssets writes who answers for the assets, and which of them the source lists with what it says. renamed are those
// that the source lists under another of their names than before.
func writeAssets(ctx context.Context, tx *store.Tx, a application, source ward.SourceID, last time.Time, ids, members []ward.AssetID, was map[ward.AssetID]store.Listing, lost []ward.AssetID) (renamed map[ward.AssetID]bool, err error) {
	renamed = map[ward.AssetID]bool{}
	for i, asset := range a.inventory.assets {
		before, is := was[ids[i]]
		if is && before.As == members[i] {
			if !same(before.Says, asset.says) {
				if err := tx.ChangePresence(ctx, source, ids[i], asset.says); err != nil {
					return nil, err
				}
			}
			continue
		}
		if is {
			renamed[ids[i]] = true
			if err := tx.EndPresence(ctx, source, ids[i], last); err != nil {
				return nil, err
			}
		}
		if ids[i] == members[i] {
			if err := tx.AnswersFor(ctx, a.Org, ids[i], asset.key.name, true, asset.key.operator == a.Org); err != nil {
				return nil, err
			}
			if asset.key.operator != a.Org {
				if err := tx.AnswersFor(ctx, asset.key.operator, ids[i], asset.key.name, false, true); err != nil {
					return nil, err
				}
			}
		}
		if err := tx.AddPresence(ctx, source, ids[i], store.Listing{Says: asset.says, As: members[i]}, a.ObservedAt); err != nil {
			return nil, err
		}
	}
	for _, id := range lost {
		if err := tx.EndPresence(ctx, source, id, last); err != nil {
			return nil, err
		}
	}
	return renamed, nil
}

// writeFound writes which findings of a scanner began and ended.
func writeFound(ctx context.Context, tx *store.Tx, a application, source ward.SourceID, last time.Time, ids []ward.AssetID, renamed map[ward.AssetID]bool) error {
	was, err := tx.FoundNow(ctx, source)
	if err != nil || len(was) == 0 && len(a.inventory.found) == 0 {
		return err
	}
	now := make(map[store.Found]store.Said, len(a.inventory.found))
	for key, said := range a.inventory.found {
		now[store.Found{Asset: ids[key.asset], CVE: key.cve, Plugin: key.plugin, Port: key.port}] = said
	}
	for found, said := range was {
		newer, still := now[found]
		switch {
		case !still || renamed[found.Asset]:
			err = tx.EndFound(ctx, source, found, last)
		case newer != said:
			err = tx.ChangeFound(ctx, source, found, newer)
		}
		if err != nil {
			return err
		}
	}
	for found, said := range now {
		if _, before := was[found]; before && !renamed[found.Asset] {
			continue
		}
		if err := tx.AddFound(ctx, source, found, said, a.ObservedAt); err != nil {
			return err
		}
	}
	return nil
}

// writeInstalls writes new software identities, and which installs began and ended.
func (r *Register) writeInstalls(ctx context.Context, tx *store.Tx, a application, source ward.SourceID, last time.Time, ids []ward.AssetID, renamed map[ward.AssetID]bool, done *ward.Import) error {
	pairs, err := tx.JoinedKeys(ctx)
	if err != nil {
		return err
	}
	names := know.NewAliases(pairs)
	software := make([]ward.SoftwareID, len(a.inventory.software))
	for i, sw := range a.inventory.software {
		id, added, err := tx.EnsureSoftware(ctx, sw, names.ProductKeys)
		if err != nil {
			return err
		}
		software[i] = id
		if added {
			if err := tx.Mark(ctx, store.ForMatch, done.ReceivedAt, fmt.Sprintf("software:%d", id)); err != nil {
				return err
			}
		}
	}
	now := make([]store.Installed, len(a.inventory.pairs))
	for i, pair := range a.inventory.pairs {
		now[i] = store.Installed{Asset: ids[pair.asset], Software: software[pair.software]}
	}
	slices.SortFunc(now, store.Installed.Compare)
	now = slices.Compact(now)
	var began, ended []store.Installed
	next := 0
	err = tx.ListedInstalls(ctx, source, func(was store.Installed) {
		for next < len(now) && now[next].Compare(was) < 0 {
			began = append(began, now[next])
			next++
		}
		if next < len(now) && now[next] == was && !renamed[was.Asset] {
			next++
			return
		}
		ended = append(ended, was)
	})
	if err != nil {
		return err
	}
	began = append(began, now[next:]...)
	done.Added, done.Gone = len(began), len(ended)
	if err := tx.EndInstalls(ctx, source, last, ended); err != nil {
		return err
	}
	return tx.AddInstalls(ctx, source, a.ObservedAt, began)
}

// settle describes each of a source's assets by what all its sources say.
func settle(ctx context.Context, tx *store.Tx, source ward.SourceID) error {
	described, err := tx.Describe(ctx, source)
	if err != nil {
		return err
	}
	return describe(ctx, tx, described)
}

func describe(ctx context.Context, tx *store.Tx, all []store.Described) error {
	for _, d := range all {
		if says := settled(d.Now, d.Says); !same(says, d.Now) {
			if err := tx.ChangeAsset(ctx, d.Asset, says); err != nil {
				return err
			}
		}
	}
	return nil
}

// markTouched leaves work for findings and proof of everyone who answers for an asset of the source: a newer observation
// of the same is news to both.
func (r *Register) markTouched(ctx context.Context, tx *store.Tx, org ward.OrgID, source ward.SourceID, others ...string) error {
	orgs, err := tx.Touched(ctx, source)
	if err != nil {
		return err
	}
	return r.touch(ctx, tx, joined(orgs, append(others, string(org))))
}

// touch leaves work for findings and proof of organisations whose estate has changed.
func (r *Register) touch(ctx context.Context, tx *store.Tx, orgs []string) error {
	for _, touched := range orgs {
		tx.Hint("estate:"+touched, ward.OrgID(touched))
	}
	now := r.clock.Now()
	return errors.Join(tx.Mark(ctx, store.ForFindings, now, orgs...), tx.Mark(ctx, store.ForProof, now, orgs...))
}

// record writes the import down.
func (r *Register) record(ctx context.Context, tx *store.Tx, who ward.Actor, a application, done ward.Import, merged int) (ward.Import, error) {
	action := "estate.import"
	var err error
	if a.decided != 0 {
		action = "estate.release"
		err = tx.SettleImport(ctx, done)
	} else {
		done.ID, err = tx.AddImport(ctx, done, "", nil)
	}
	if err != nil {
		return done, err
	}
	detail := fmt.Sprintf("%s observed %s: %d rows, %d rejected, %d assets; %d installs new, %d no longer seen, %d assets no longer seen",
		a.Source, a.ObservedAt.Format(time.RFC3339), done.Rows, done.Rejected, done.Assets, done.Added, done.Gone, done.AssetsLost)
	if merged > 0 {
		detail += fmt.Sprintf("; %d recognised as devices that other names stand for", merged)
	}
	return done, audit(ctx, tx, who, r.clock.Now(), action, subject(done), a.Org, "%s", detail)
}

// Release applies an import that was held: a person says that so much is really gone.
func (r *Register) Release(ctx context.Context, who ward.Actor, id ward.ImportID) (ward.Import, error) {
	held, err := r.held(ctx, who, id)
	if err != nil {
		return held, err
	}
	var how kept
	var body []byte
	var known before
	err = r.store.View(ctx, func(tx *store.Tx) error {
		text, zipped, err := tx.HeldBody(ctx, who.Scope, id)
		if err != nil {
			return err
		}
		body = zipped
		return json.Unmarshal([]byte(text), &how)
	})
	if err == nil {
		known, err = r.before(ctx, held.Org, held.SourceName)
	}
	if err != nil {
		return held, fmt.Errorf("estate: release of import %d: %w", id, err)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return held, fmt.Errorf("estate: release of import %d: %w", id, err)
	}
	d := Delivery{Org: held.Org, Source: held.SourceName, Format: how.Format, Classes: how.Classes, Grade: how.Grade, ObservedAt: held.ObservedAt, Name: how.Name, Mapping: how.Mapping}
	read, _, err := r.read(ctx, d, unzipped, known.relations)
	if err != nil {
		return held, fmt.Errorf("estate: release of import %d: %w", id, err)
	}
	var done ward.Import
	err = r.store.Update(ctx, func(tx *store.Tx) error {
		done, err = r.apply(ctx, tx, who, application{Delivery: d, inventory: read, digest: held.Digest, decided: id})
		return err
	})
	if err != nil {
		return held, fmt.Errorf("estate: release of import %d: %w", id, err)
	}
	done.ReceivedAt, done.By = held.ReceivedAt, held.By
	return done, nil
}

// Discard drops an import that was held: it never happened, but for its line in the record.
func (r *Register) Discard(ctx context.Context, who ward.Actor, id ward.ImportID) (ward.Import, error) {
	held, err := r.held(ctx, who, id)
	if err != nil {
		return held, err
	}
	held.State = ward.ImportDiscarded
	err = r.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.SettleImport(ctx, held); err != nil {
			return err
		}
		tx.Hint("estate:"+string(held.Org), held.Org)
		return audit(ctx, tx, who, r.clock.Now(), "estate.discard", subject(held), held.Org, "%s observed %s: discarded unapplied", held.SourceName, held.ObservedAt.Format(time.RFC3339))
	})
	if err != nil {
		return held, fmt.Errorf("estate: discard of import %d: %w", id, err)
	}
	return held, nil
}

// held finds an import that waits for a decision, for somebody who may take it.
func (r *Register) held(ctx context.Context, who ward.Actor, id ward.ImportID) (ward.Import, error) {
	held, err := view(ctx, r, func(tx *store.Tx) (ward.Import, error) { return tx.Import(ctx, who.Scope, id) })
	if err != nil {
		return held, fmt.Errorf("estate: import %d: %w", id, err)
	}
	if err := who.NeedFor(ward.MayRelease, held.Org); err != nil {
		return ward.Import{}, err
	}
	if held.State != ward.ImportHeld {
		return held, fmt.Errorf("estate: import %d is %s: %w", id, held.State, ward.ErrState)
	}
	return held, nil
}
