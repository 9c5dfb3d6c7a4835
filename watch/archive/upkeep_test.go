package archive_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/keep/store"
	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/archive"
)

// standing lists the blocks that stand.
func (w *world) standing(t *testing.T) (all []ward.Block) {
	t.Helper()
	err := w.store.View(t.Context(), func(tx *store.Tx) (err error) {
		all, err = tx.BlocksBetween(t.Context(), ward.Everything(), time.Time{}, time.Time{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// objects lists what is in the bucket.
func (w *world) objects(t *testing.T) (names []string) {
	t.Helper()
	for name, err := range w.Bucket.Names(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

func (w *world) due(t *testing.T) {
	t.Helper()
	if _, err := w.Due(t.Context(), w.clock.Now()); err != nil {
		t.Fatal(err)
	}
}

const (
	sshdLine = "<34>1 2025-05-23T11:%02d:00Z gate.example sshd 1 - - Failed password from 192.0.2.7 port 22"
	webLine  = `192.0.2.7 - - [23/May/2025:11:00:00 +0000] "GET /%d HTTP/1.1" 200 5 "-" "curl/8"`
)

func TestSmallBlocksOfADayAreMerged(t *testing.T) {
	w := newWorld(t)
	for i := range 7 {
		w.keep(t, "ZZ1", "gate", fmt.Sprint("b", i), fmt.Sprintf(sshdLine, i))
	}
	w.due(t)
	if n := len(w.standing(t)); n != 7 {
		t.Fatalf("%d blocks: seven are too few to merge while the day goes on", n)
	}
	w.keep(t, "ZZ1", "gate", "b7", fmt.Sprintf(sshdLine, 7))
	idle, behind := false, true
	w.Idle, w.Behind = func(context.Context) bool { return idle }, func() bool { return behind }
	w.due(t)
	idle = true
	w.due(t)
	if n := len(w.standing(t)); n != 8 {
		t.Fatalf("%d blocks: who is busy, or behind, merges none", n)
	}
	behind = false
	before, _ := w.hunt(t, archive.HuntOptions{Query: query(t, "192.0.2.7"), Scope: ward.Everything()})
	w.keep(t, "ZZ2", "gate", "b", fmt.Sprintf(sshdLine, 1)) // another organisation's stays by itself
	w.due(t)
	if all := w.standing(t); len(all) != 2 || all[0].Rows+all[1].Rows != 9 {
		t.Fatalf("%+v", all)
	}
	after, s := w.hunt(t, archive.HuntOptions{Query: query(t, "192.0.2.7"), Scope: ward.Only("ZZ1")})
	if len(after) != 8 || s.Blocks != 1 || len(before) != 8 {
		t.Errorf("%d hits in %d blocks: %q", len(after), s.Blocks, after)
	}
	if n := w.keep(t, "ZZ1", "gate", "b3", fmt.Sprintf(sshdLine, 3)); n != 0 {
		t.Error("what is in a merged block is not known when it comes again")
	}
	if n := len(w.objects(t)); n != 2*(7+1+2) {
		t.Errorf("%d objects: those of merged blocks stay a while, for hunts that have begun", n)
	}
	w.clock.Advance(61 * time.Minute)
	w.due(t)
	if n := len(w.objects(t)); n != 4 {
		t.Errorf("%d objects, want those of two blocks: %q", n, w.objects(t))
	}
	w.keep(t, "ZZ1", "gate", "late", fmt.Sprintf(sshdLine, 30))
	w.clock.Advance(26 * time.Hour)
	w.due(t)
	if all := w.standing(t); len(all) != 2 {
		t.Errorf("%d blocks: two are merged when the day is over", len(all))
	}
	if r, err := w.Verify(t.Context(), archive.VerifyOptions{}); err != nil || len(r.Faults)+len(r.Unlisted) > 0 || r.Events != 10 {
		t.Error(r, err)
	}
}

func TestEventsAreKeptAsLongAsIsSaidAndNoLonger(t *testing.T) {
	day := 24 * time.Hour
	w := newWorld(t)
	w.Keep = []archive.Keep{{For: 365 * day}, {Kind: "webserver", For: 30 * day, Purpose: "attacks on web servers"}, {Org: "ZZ2", For: 10 * day}, {Org: "ZZ2", Kind: "webserver", For: 400 * day}}
	keep := func(org ward.OrgID) {
		c, d := w.Cutter(), watch.NewDecoder(w.Names)
		for i := range 3 {
			for format, line := range map[watch.Format]string{watch.Syslog: sshdLine, watch.Combined: webLine} {
				a := watch.Arrival{Org: org, Source: format.String(), Sequence: int64(i), Received: now.UnixMicro(), Format: format, Raw: fmt.Appendf(nil, line, i)}
				var r watch.Record
				if err := d.Event(a.Format, nil, a.Raw, &r); err != nil {
					t.Fatal(err)
				}
				if _, err := c.Add(t.Context(), &a, &r); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := c.Cut(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	keep("ZZ1")
	keep("ZZ2")
	left := func() (left []string) {
		hits, _ := w.hunt(t, archive.HuntOptions{Query: query(t, "192.0.2.7"), Scope: ward.Everything()})
		for _, h := range hits {
			left = append(left, h[:strings.IndexByte(h, ':')])
		}
		return slices.Compact(left)
	}
	set := func(h ward.Hold) (id int64) {
		err := w.store.Update(t.Context(), func(tx *store.Tx) (err error) { id, err = tx.AddHold(t.Context(), h); return err })
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	hold := set(ward.Hold{Org: "ZZ1", Since: now.Add(-day), Reason: "an inquiry", Set: now})
	for _, row := range []struct {
		days int
		want string
	}{
		{9, "ZZ1 combined,ZZ1 syslog,ZZ2 combined,ZZ2 syslog"},
		{2, "ZZ1 combined,ZZ1 syslog,ZZ2 combined"},
		{20, "ZZ1 combined,ZZ1 syslog,ZZ2 combined"}, // held
	} {
		w.clock.Advance(time.Duration(row.days) * day)
		w.due(t)
		if got := strings.Join(left(), ","); got != row.want {
			t.Errorf("after %d days more: %s, want %s", row.days, got, row.want)
		}
	}
	if err := w.store.Update(t.Context(), func(tx *store.Tx) error { return tx.ReleaseHold(t.Context(), hold, w.clock.Now(), "Ann") }); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		days int
		want string
	}{{0, "ZZ1 syslog,ZZ2 combined"}, {340, "ZZ2 combined"}, {400, ""}} {
		w.clock.Advance(time.Duration(row.days) * day)
		w.due(t)
		if got := strings.Join(left(), ","); got != row.want {
			t.Errorf("after %d days more: %s, want %s", row.days, got, row.want)
		}
	}
	if n := len(w.objects(t)); n != 0 {
		t.Errorf("%d objects of what was deleted are there", n)
	}
	var gone []ward.Deletion
	err := w.store.View(t.Context(), func(tx *store.Tx) (err error) {
		gone, err = tx.Deletions(t.Context(), ward.Everything())
		return err
	})
	if err != nil || len(gone) != 4 {
		t.Fatal(gone, err)
	}
	for _, d := range gone {
		if d.Rows != 3 || d.Removed.IsZero() || d.Why == "" {
			t.Errorf("%+v", d)
		}
	}
	if !strings.Contains(gone[1].Why, "attacks on web servers") {
		t.Error(gone[1].Why)
	}
	if r, err := w.Verify(t.Context(), archive.VerifyOptions{}); err != nil || len(r.Faults) > 0 || r.Deletions != 4 {
		t.Error(r, err)
	}
	// What was deleted comes back from a backup.
	path := filepath.Join(w.folder, gone[0].Block)
	if err := os.WriteFile(path, []byte("rows"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := w.Verify(t.Context(), archive.VerifyOptions{}); err != nil || len(r.Faults) != 1 || !strings.Contains(r.Faults[0].Problem, "was deleted, and is there") {
		t.Error(r, err)
	}
}

func TestAChangedRecordOfDeletionsIsSeen(t *testing.T) {
	before := ""
	var all []ward.Deletion
	for i := range 3 {
		d := ward.Deletion{At: now, Org: "ZZ1", Block: fmt.Sprint(i), Rows: 7, First: now, Last: now, Kinds: []ward.EventKind{"a/b/c"}, Why: "kept for 30 days"}
		d.Chain = d.Link(before)
		before = d.Chain
		all = append(all, d)
	}
	all[1].Rows = 6
	if all[1].Chain == all[1].Link(all[0].Chain) {
		t.Error("a changed record has the same seal")
	}
	if all[2].Chain == all[2].Link(all[0].Chain) {
		t.Error("a record that was taken out is not missed")
	}
}

func TestBlocksWithoutAManifestAreAdopted(t *testing.T) {
	w := newWorld(t)
	for i := range 3 {
		w.keep(t, "ZZ1.x", "gate", fmt.Sprint("~b", i), fmt.Sprintf(sshdLine, i), fmt.Sprintf(sshdLine, i))
	}
	all := w.standing(t)
	forget := func(blocks ...ward.Block) {
		err := w.store.Update(t.Context(), func(tx *store.Tx) error {
			for _, b := range blocks {
				if err := tx.RemoveBlock(t.Context(), b, now); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	forget(all...)
	if r, err := w.Verify(t.Context(), archive.VerifyOptions{}); err != nil || len(r.Faults) != 0 || len(r.Unlisted) != 6 || r.Events != 0 {
		t.Fatal(r, err)
	}
	if r, err := w.Verify(t.Context(), archive.VerifyOptions{Adopt: true}); err != nil || len(r.Faults) != 0 || r.Adopted != 6 {
		t.Fatal(r, err)
	}
	for i := range 6 { // eight are merged
		w.keep(t, "ZZ1.x", "gate", fmt.Sprint("~c", i), fmt.Sprintf(sshdLine, i))
	}
	w.due(t)
	if n := len(w.standing(t)); n != 1 {
		t.Fatal(n)
	}
	merged := w.standing(t)[0]
	var old []ward.Block
	if err := w.store.View(t.Context(), func(tx *store.Tx) (err error) {
		old, err = tx.EndedBlocks(t.Context(), ward.BlockMerged, w.clock.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	forget(old...) // their objects stayed: everything in them is in the merged one
	r, err := w.Verify(t.Context(), archive.VerifyOptions{Adopt: true})
	if err != nil || len(r.Faults) != 0 || r.Adopted != 0 || len(w.objects(t)) != 2 {
		t.Error(r, err, w.objects(t))
	}
	if hits, _ := w.hunt(t, archive.HuntOptions{Query: query(t, "192.0.2.7"), Scope: ward.Only("ZZ1.x")}); len(hits) != 12 || merged.Rows != 12 {
		t.Error(len(hits), merged.Rows)
	}
}
