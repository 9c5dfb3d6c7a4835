package estate_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"wardwatch/keep/store"
	"wardwatch/know/estate"
	"wardwatch/know/estate/csv"
	"wardwatch/know/estate/cyclonedx"
	"wardwatch/know/estate/defender"
	"wardwatch/know/estate/ods"
	"wardwatch/test/shared"
	"wardwatch/ward"
)

var (
	ctx   = context.Background()
	start = time.Date(2025, 5, 13, 12, 0, 0, 0, time.UTC)
)

var readers = []estate.Reader{cyclonedx.Reader{}, defender.Reader{}, csv.Reader{}}

// house is a register with four organisations: XZ6F runs systems for XZ7G and once did for XZ9J, XZ1A stands alone.
type house struct {
	testing.TB
	store *store.Store
	clock *ward.HandClock
	*estate.Register
}

func open(t testing.TB) *house {
	t.Helper()
	s, err := store.Open(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	clock := ward.NewHandClock(start)
	h := &house{t, s, clock, estate.New(s, clock, readers...)}
	var d estate.Directory
	h.must(ods.Read("o.csv", strings.NewReader("ods_code,name\nXZ1A,Harrowmere\nXZ6F,Larkmoor\nXZ7G,Dunwater\nXZ9J,Netherby\n"), &d))
	h.must(ods.Read("r.csv", strings.NewReader("from,kind,to,since,until\nXZ6F,operates_for,XZ7G,2023-02-01,\nXZ6F,hosts,XZ9J,2020-02-01,2021-02-01\n"), &d))
	if _, err := h.ImportOrganisations(ctx, ward.System("test"), d); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func person(role ward.Role, org ward.OrgID) ward.Actor {
	scope := ward.Only(org)
	if role.National() {
		scope = ward.Everything()
	}
	return ward.Actor{Person: "p1", Name: "Pat", Org: org, Role: role, Scope: scope}
}

func delivery(org ward.OrgID, source, body string, at time.Time) estate.Delivery {
	return estate.Delivery{Org: org, Source: source, Body: strings.NewReader(body), ObservedAt: at, Name: "x.csv"}
}

// deliver imports at the hour, counted from start, and moves the clock there.
func (h *house) deliver(org ward.OrgID, source string, hour int, rows ...string) (ward.Import, error) {
	at := start.Add(time.Duration(hour) * time.Hour)
	h.clock.Set(at.Add(time.Minute))
	return h.Import(ctx, person(ward.Lead, org), delivery(org, source, "asset,class,operator,product,version,accountable\n"+strings.Join(rows, "\n")+"\n", at))
}

func (h *house) accept(org ward.OrgID, source string, hour int, rows ...string) ward.Import {
	h.Helper()
	done, err := h.deliver(org, source, hour, rows...)
	h.must(err)
	return done
}

func (h *house) assets(scope ward.Scope, q estate.AssetQuery) []ward.Asset {
	h.Helper()
	page, err := h.Assets(ctx, scope, q)
	h.must(err)
	return page.Items
}

func names(assets []ward.Asset) string {
	var all []string
	for _, a := range assets {
		all = append(all, a.Name)
	}
	return strings.Join(all, " ")
}

func (h *house) pending(room store.Room) (subjects []string) {
	h.Helper()
	h.must(h.store.View(ctx, func(tx *store.Tx) (err error) { subjects, err = tx.Pending(ctx, room, 100); return err }))
	return subjects
}

func TestAnImportIsWhatItsSourceSaw(t *testing.T) {
	h := open(t)
	done := h.accept("XZ1A", "edge", 0, "mdm1,mobile management,,EPMM,12.5.0.0", "MDM1,,,Apache,2.4", "mdm1,,,EPMM,12.5.0.0", "fw1,appliance,,,")
	if done.State != ward.ImportApplied || done.Assets != 2 || done.Added != 2 || done.Rows != 4 {
		t.Fatalf("%+v", done)
	}
	all := h.assets(ward.Only("XZ1A"), estate.AssetQuery{Org: "XZ1A"})
	if names(all) != "fw1 mdm1" || all[1].Class != ward.MobileManagement || !all[1].LastSeen.Equal(start) || all[1].Gone {
		t.Errorf("%+v", all)
	}
	installs, err := h.Installs(ctx, ward.Only("XZ1A"), all[1].ID)
	if err != nil || len(installs) != 2 || installs[1].Software.Version != "12.5.0.0" || installs[1].SourceName != "edge" || installs[1].Grade != ward.ToolExport {
		t.Errorf("%v, %+v", err, installs)
	}
	if got := h.pending(store.ForMatch); len(got) != 2 || !strings.HasPrefix(got[0], "software:") {
		t.Errorf("for match: %v", got)
	}
	if got := h.pending(store.ForProof); !slices.Equal(got, []string{"XZ1A"}) {
		t.Errorf("for proof: %v", got)
	}
}

func TestVersionsAreKeptAsGiven(t *testing.T) {
	h := open(t)
	if done := h.accept("XZ1A", "edge", 0, "a,,,EPMM,12.5", "b,,,EPMM,12.5.0.0"); done.Added != 2 {
		t.Errorf("%+v", done)
	}
	if got := h.pending(store.ForMatch); len(got) != 2 {
		t.Errorf("12.5 and 12.5.0.0 are %d identities", len(got))
	}
}

func TestTheSameFileTwiceChangesNothing(t *testing.T) {
	h := open(t)
	first := h.accept("XZ1A", "edge", 0, "mdm1,,,EPMM,12.5.0.0")
	again := h.accept("XZ1A", "edge", 0, "mdm1,,,EPMM,12.5.0.0")
	if again.State != ward.ImportUnchanged || again.ID != first.ID || again.Added != 0 {
		t.Errorf("%+v", again)
	}
	imports, err := h.Imports(ctx, ward.Only("XZ1A"), "XZ1A", 10)
	if err != nil || len(imports) != 1 {
		t.Errorf("%v, %d imports", err, len(imports))
	}
	later := h.accept("XZ1A", "edge", 5, "mdm1,,,EPMM,12.5.0.0")
	if later.State != ward.ImportApplied || later.Added != 0 || later.Gone != 0 {
		t.Errorf("the same content observed later: %+v", later)
	}
	if all := h.assets(ward.Everything(), estate.AssetQuery{}); !all[0].LastSeen.Equal(start.Add(5*time.Hour)) || !all[0].FirstSeen.Equal(start) {
		t.Errorf("%+v", all)
	}
}

func TestWhatDisappearsIsNoLongerSeen(t *testing.T) {
	h := open(t)
	h.accept("XZ1A", "edge", 0, "a,,,EPMM,12.5.0.0", "b,,,X,1", "c,,,X,1", "d,,,X,1", "e,,,X,1")
	h.accept("XZ1A", "other", 1, "a,,,EPMM,12.5.0.0")
	done := h.accept("XZ1A", "edge", 2, "b,,,X,2", "c,,,X,1", "d,,,X,1", "e,,,X,1")
	if done.AssetsLost != 1 || done.Gone != 2 || done.Added != 1 {
		t.Errorf("%+v", done)
	}
	a := h.assets(ward.Everything(), estate.AssetQuery{Text: "a"})[0]
	if a.Gone || !a.LastSeen.Equal(start.Add(time.Hour)) {
		t.Errorf("another source still lists it: %+v", a)
	}
	installs, err := h.Installs(ctx, ward.Everything(), a.ID)
	if err != nil || len(installs) != 2 || installs[0].Gone || !installs[1].Gone || installs[1].SourceName != "edge" || !installs[1].LastSeen.Equal(start) {
		t.Errorf("%v, %+v", err, installs)
	}
}

func TestAnImportThatLosesTooMuchIsHeld(t *testing.T) {
	h := open(t)
	h.accept("XZ1A", "edge", 0, "a,,,X,1", "b,,,X,1", "c,,,X,1", "d,,,X,1", "e,,,X,1")
	h.accept("XZ1A", "edge", 1, "a,,,X,1", "b,,,X,1", "c,,,X,1", "d,,,X,1") // exactly a fifth
	held, err := h.deliver("XZ1A", "edge", 2, "a,,,X,1", "b,,,X,1", "c,,,X,2")
	if !errors.Is(err, ward.ErrHeld) || held.State != ward.ImportHeld || held.AssetsLost != 1 || held.ID == 0 {
		t.Fatalf("%v, %+v", err, held)
	}
	if got := names(h.assets(ward.Everything(), estate.AssetQuery{})); got != "a b c d" {
		t.Errorf("a held import was applied: %s", got)
	}
	if again, err := h.deliver("XZ1A", "edge", 2, "a,,,X,1", "b,,,X,1", "c,,,X,2"); !errors.Is(err, ward.ErrHeld) || again.ID != held.ID {
		t.Errorf("again: %v, %+v", err, again)
	}
	for _, who := range []ward.Actor{person(ward.Member, "XZ1A"), person(ward.Reader, "XZ1A")} {
		if _, err := h.Release(ctx, who, held.ID); !errors.Is(err, ward.ErrForbidden) {
			t.Errorf("%s: %v", who.Role, err)
		}
	}
	if _, err := h.Release(ctx, person(ward.Lead, "XZ7G"), held.ID); !errors.Is(err, ward.ErrNotFound) {
		t.Errorf("another organisation: %v", err)
	}
	done, err := h.Release(ctx, person(ward.Lead, "XZ1A"), held.ID)
	if err != nil || done.State != ward.ImportApplied || done.AssetsLost != 1 || done.ID != held.ID {
		t.Errorf("%v, %+v", err, done)
	}
	if got := names(h.assets(ward.Everything(), estate.AssetQuery{})); got != "a b c" {
		t.Errorf("%s", got)
	}
	if got := names(h.assets(ward.Everything(), estate.AssetQuery{Gone: true})); got != "d e" {
		t.Errorf("%s", got)
	}
	if _, err := h.Release(ctx, person(ward.Lead, "XZ1A"), held.ID); !errors.Is(err, ward.ErrState) {
		t.Errorf("released twice: %v", err)
	}
	held, err = h.deliver("XZ1A", "edge", 3, "a,,,X,1")
	if !errors.Is(err, ward.ErrHeld) {
		t.Fatal(err)
	}
	if dropped, err := h.Discard(ctx, person(ward.Analyst, ""), held.ID); err != nil || dropped.State != ward.ImportDiscarded {
		t.Errorf("%v, %+v", err, dropped)
	}
	if got := names(h.assets(ward.Everything(), estate.AssetQuery{})); got != "a b c" {
		t.Errorf("%s", got)
	}
}

func TestDeliveriesRefused(t *testing.T) {
	h := open(t)
	h.clock.Set(start.Add(time.Hour))
	lead := person(ward.Lead, "XZ1A")
	good := "asset\na\n"
	d := delivery("XZ1A", "edge", good, start)
	d.Classes = []ward.Class{ward.Server, ward.Workstation}
	if _, err := h.Import(ctx, lead, d); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		change func(*estate.Delivery)
		who    ward.Actor
		want   error
		text   string
	}{
		{"observed in the future", func(d *estate.Delivery) { d.ObservedAt = start.Add(2 * time.Hour) }, lead, ward.ErrInvalid, "lies in the future"},
		{"older than the newest", func(d *estate.Delivery) { d.ObservedAt = start.Add(-time.Second) }, lead, ward.ErrInvalid, "not after the newest import"},
		{"other content at the same time", func(d *estate.Delivery) { d.ObservedAt = start }, lead, ward.ErrInvalid, "not after the newest import"},
		{"no time", func(d *estate.Delivery) { d.ObservedAt = time.Time{} }, lead, ward.ErrInvalid, "say when the inventory was taken"},
		{"no source", func(d *estate.Delivery) { d.Source = " " }, lead, ward.ErrInvalid, "source"},
		{"a declaration's name", func(d *estate.Delivery) { d.Source = "Declaration: X" }, lead, ward.ErrInvalid, "kept for declarations"},
		{"unknown class", func(d *estate.Delivery) { d.Classes = []ward.Class{"toaster"} }, lead, ward.ErrInvalid, "toaster"},
		{"fewer classes", func(d *estate.Delivery) { d.Classes = []ward.Class{ward.Workstation} }, lead, ward.ErrInvalid, "leave out server"},
		{"unknown format", func(d *estate.Delivery) { d.Format = "xlsx" }, lead, ward.ErrInvalid, "cyclonedx, defender, csv"},
		{"unknown grade", func(d *estate.Delivery) { d.Grade = "gospel" }, lead, ward.ErrInvalid, "grade"},
		{"no asset", func(d *estate.Delivery) { d.Body = strings.NewReader("asset\n") }, lead, ward.ErrInvalid, "lists no asset"},
		{"only bad rows", func(d *estate.Delivery) { d.Body = strings.NewReader("asset,class\n,\na,toaster\n") }, lead, ward.ErrInvalid, "lists no asset; line 2: asset is empty"},
		{"what nobody recognises", func(d *estate.Delivery) { d.Body, d.Name = strings.NewReader("<html>"), "" }, lead, ward.ErrInvalid, "not recognised"},
		{"a body that breaks off", func(d *estate.Delivery) { d.Body = iotest.ErrReader(io.ErrUnexpectedEOF) }, lead, io.ErrUnexpectedEOF, ""},
		{"another organisation's lead", func(*estate.Delivery) {}, person(ward.Lead, "XZ7G"), ward.ErrNotFound, ""},
		{"a reader", func(*estate.Delivery) {}, person(ward.Reader, "XZ1A"), ward.ErrForbidden, ""},
		{"an organisation that nobody knows", func(d *estate.Delivery) { d.Org = "XZ99" }, person(ward.Analyst, ""), ward.ErrNotFound, "XZ99"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := delivery("XZ1A", "edge", good+"b\n", start.Add(time.Minute))
			row.change(&d)
			_, err := h.Import(ctx, row.who, d)
			if !errors.Is(err, row.want) || !strings.Contains(fmt.Sprint(err), row.text) {
				t.Errorf("got %v", err)
			}
		})
	}
	if got := names(h.assets(ward.Everything(), estate.AssetQuery{})); got != "a" {
		t.Errorf("something of them was kept: %s", got)
	}
}

func TestFaultMidImportKeepsNothing(t *testing.T) {
	h := open(t)
	h.accept("XZ1A", "edge", 0, "a,,,X,1", "b,,,X,1")
	broken, stop := context.WithCancel(ctx)
	var body strings.Builder
	body.WriteString("asset,product,version\n")
	for i := range 30_000 {
		fmt.Fprintf(&body, "m%d,P%d,1\n", i%3000, i%700)
	}
	d := delivery("XZ1A", "edge", body.String(), start.Add(time.Second))
	d.Progress = func(rows int) {
		if rows >= 20_000 {
			stop()
		}
	}
	if _, err := h.Import(broken, person(ward.Lead, "XZ1A"), d); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if got := names(h.assets(ward.Everything(), estate.AssetQuery{})); got != "a b" {
		t.Errorf("%s", got)
	}
	if sources, err := h.Sources(ctx, ward.Everything(), "XZ1A"); err != nil || len(sources) != 1 || !sources[0].ObservedAt.Equal(start) {
		t.Errorf("%v, %+v", err, sources)
	}
}

// TestFaultKilledInTheMiddleOfAnImport kills a process while it writes an import, and looks at what it left.
func TestFaultKilledInTheMiddleOfAnImport(t *testing.T) {
	if dir := os.Getenv("WARDWATCH_TEST_KILLED_IN"); dir != "" {
		s, err := store.Open(ctx, dir)
		if err != nil {
			t.Fatal(err)
		}
		var body strings.Builder
		body.WriteString("asset,site\n")
		wide := strings.Repeat("w", 1000) // fills the store's cache with few rows, so that the log begins soon on a slow machine too
		for i := range 30_000 {
			fmt.Fprintf(&body, "m%d,%s\n", i, wide)
		}
		_, err = estate.New(s, ward.NewHandClock(start.Add(time.Hour)), csv.Reader{}).Import(ctx, person(ward.Lead, "XZ1A"), delivery("XZ1A", "big", body.String(), start))
		t.Fatalf("was not killed: %v", err)
	}
	h := open(t)
	h.accept("XZ1A", "edge", 0, "a,,,X,1")
	kept := h.pending(store.ForMatch)
	child := exec.Command(os.Args[0], "-test.run=^TestFaultKilledInTheMiddleOfAnImport$")
	child.Env = append(os.Environ(), "WARDWATCH_TEST_KILLED_IN="+filepath.Dir(h.store.Path()))
	h.must(child.Start())
	wal := h.store.Path() + "-wal"
	size := func() int64 {
		info, err := os.Stat(wal)
		if err != nil {
			return 0
		}
		return info.Size()
	}
	written := false
	for deadline := time.Now().Add(time.Minute); !written && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		written = size() > 8<<20 // far more than the log held before
	}
	h.must(child.Process.Kill())
	if err := child.Wait(); err == nil || !written {
		t.Fatalf("the import was over (%v) or had not begun (%v) when it was killed", err, written)
	}
	again, err := store.Open(ctx, filepath.Dir(h.store.Path()))
	h.must(err)
	t.Cleanup(func() { _ = again.Close() })
	h.store, h.Register = again, estate.New(again, h.clock, csv.Reader{})
	if got := names(h.assets(ward.Everything(), estate.AssetQuery{})); got != "a" {
		t.Errorf("left behind: %.200s", got)
	}
	if got := h.pending(store.ForMatch); !slices.Equal(got, kept) {
		t.Errorf("left behind: %v", got)
	}
	if done, err := h.deliver("XZ1A", "edge", 1, "a,,,X,2"); err != nil || done.Added != 1 {
		t.Errorf("%v, %+v", err, done)
	}
}

func TestOneAssetOfSeveralSourcesAndOrganisations(t *testing.T) {
	h := open(t)
	h.accept("XZ6F", "register", 0, "Mdm-01,mobile management,,EPMM,12.5.0.1,XZ7G")
	h.accept("XZ7G", "edge", 1, "mdm-01,,xz6f,EPMM,12.5.0.1", "mine,server,,,")
	for _, row := range []struct {
		scope ward.Scope
		want  string
		count int
	}{{ward.Everything(), "Mdm-01 mine", 2}, {ward.Only("XZ6F"), "Mdm-01", 1}, {ward.Only("XZ7G"), "Mdm-01 mine", 2}, {ward.Only("XZ6F", "XZ7G"), "Mdm-01 mine", 2}, {ward.Only("XZ1A"), "", 0}, {ward.Scope{}, "", 0}} {
		if got := names(h.assets(row.scope, estate.AssetQuery{})); got != row.want {
			t.Errorf("%v sees %q, want %q", row.scope, got, row.want)
		}
		if count, err := h.CountAssets(ctx, row.scope); err != nil || count != row.count {
			t.Errorf("%v counts %d, %v", row.scope, count, err)
		}
	}
	hosted := h.assets(ward.Only("XZ7G"), estate.AssetQuery{Org: "XZ7G", Text: "mdm"})[0]
	if hosted.Operator != "XZ6F" || hosted.Class != ward.MobileManagement || !slices.Equal(hosted.Accountable, []ward.OrgID{"XZ7G"}) {
		t.Errorf("%+v", hosted)
	}
	if own := h.assets(ward.Only("XZ6F"), estate.AssetQuery{})[0]; !slices.Equal(own.Accountable, []ward.OrgID{"XZ6F", "XZ7G"}) {
		t.Errorf("%+v", own)
	}
	installs, err := h.Installs(ctx, ward.Only("XZ7G"), hosted.ID)
	if err != nil || len(installs) != 2 {
		t.Errorf("%v, %+v", err, installs)
	}
}

func TestClientsOfOneOperatorShareNothing(t *testing.T) {
	h := open(t)
	var d estate.Directory
	h.must(ods.Read("r.csv", strings.NewReader("from,kind,to,since,until\nXZ6F,supplier,XZ1A,2023-02-01,\n"), &d))
	if _, err := h.ImportOrganisations(ctx, ward.System("test"), d); err != nil {
		t.Fatal(err)
	}
	h.accept("XZ1A", "hosted", 0, "records,server,XZ6F,EPMM,12.5.0.0")
	for hour := 1; hour < 3; hour++ { // a guess, and the same again
		done := h.accept("XZ7G", "guess", hour, "records,,XZ6F,Anything,1")
		if len(done.Problems) != 0 {
			t.Errorf("it is told that the name is taken: %v", done.Problems)
		}
	}
	h.accept("XZ6F", "register", 3, "records,,,EPMM,12.5.0.0")
	guessed := h.assets(ward.Only("XZ7G"), estate.AssetQuery{})
	if len(guessed) != 1 || guessed[0].Name != "records" || guessed[0].Class != "" || guessed[0].Operator != "XZ6F" || !slices.Equal(guessed[0].Accountable, []ward.OrgID{"XZ7G"}) {
		t.Errorf("%+v", guessed)
	}
	installs, err := h.Installs(ctx, ward.Only("XZ7G"), guessed[0].ID)
	if err != nil || len(installs) != 1 || installs[0].Software.Product != "Anything" {
		t.Errorf("%v, %+v", err, installs)
	}
	theirs := func() (ward.Asset, []ward.Install) {
		all := h.assets(ward.Only("XZ1A"), estate.AssetQuery{})
		if len(all) != 1 || all[0].Class != ward.Server {
			t.Fatalf("%+v", all)
		}
		installs, err := h.Installs(ctx, ward.Only("XZ1A"), all[0].ID)
		h.must(err)
		return all[0], installs
	}
	if own, installs := theirs(); len(installs) != 1 || installs[0].SourceName != "hosted" {
		t.Errorf("what the operator's sources say of %d is open to whoever names it: %+v", own.ID, installs)
	}
	if all := h.assets(ward.Only("XZ6F"), estate.AssetQuery{}); len(all) != 3 {
		t.Errorf("the operator sees its own and what two clients say: %+v", all)
	}
}

func TestTheOperatorOpensItsAssetToAClientAndClosesItAgain(t *testing.T) {
	h := open(t)
	count := func(org ward.OrgID, assets, installs int) {
		t.Helper()
		all := h.assets(ward.Only(org), estate.AssetQuery{})
		seen := 0
		for _, asset := range all {
			on, err := h.Installs(ctx, ward.Only(org), asset.ID)
			h.must(err)
			seen += len(on)
		}
		if len(all) != assets || seen != installs {
			t.Errorf("%s sees %d assets with %d installs, want %d and %d: %+v", org, len(all), seen, assets, installs, all)
		}
	}
	h.accept("XZ7G", "edge", 0, "mdm-01,,XZ6F,EPMM,12.4.0.1")
	h.accept("XZ6F", "register", 1, "mdm-01,,,EPMM,12.5.0.1", "mdm-02,,,EPMM,12.5.0.1")
	count("XZ7G", 1, 1)
	count("XZ6F", 3, 3)
	for hour := 2; hour < 6; hour += 2 {
		h.accept("XZ6F", "register", hour, "mdm-01,,,EPMM,12.5.0.1,XZ7G;XZ9J", "mdm-02,,,EPMM,12.5.0.1,XZ7G") // its relation to XZ9J has ended
		count("XZ7G", 2, 3)
		count("XZ6F", 2, 3)
		count("XZ9J", 0, 0)
		h.accept("XZ6F", "register", hour+1, "mdm-01,,,EPMM,12.5.0.1", "mdm-02,,,EPMM,12.5.0.1")
		count("XZ7G", 1, 1)
		count("XZ6F", 3, 3)
	}
	h.accept("XZ6F", "register", 6, "mdm-01,,,EPMM,12.5.0.1,XZ7G", "mdm-02,,,EPMM,12.5.0.1,XZ7G")
	h.accept("XZ7G", "edge", 7, "mdm-01,,XZ6F,EPMM,12.4.0.1", "mdm-02,,XZ6F,EPMM,12.4.0.1") // joins at once what is named already
	count("XZ7G", 2, 4)
	count("XZ6F", 2, 4)
}

func TestAnOperatorNeedsARelation(t *testing.T) {
	h := open(t)
	h.accept("XZ6F", "register", 0, "mdm-01,,,EPMM,12.5.0.1")
	for _, org := range []ward.OrgID{"XZ1A", "XZ9J"} { // none, and one that has ended
		done := h.accept(org, "edge", 1, "mdm-01,,XZ6F,EPMM,12.4.0.0")
		if len(done.Problems) != 1 || !strings.Contains(done.Problems[0], "kept as operated by "+string(org)) || done.Rejected != 0 {
			t.Errorf("%+v", done)
		}
		all := h.assets(ward.Only(org), estate.AssetQuery{})
		if len(all) != 1 || all[0].Operator != org {
			t.Errorf("%+v", all)
		}
	}
	if all := h.assets(ward.Only("XZ6F"), estate.AssetQuery{}); len(all) != 1 || len(all[0].Accountable) != 1 {
		t.Errorf("%+v", all)
	}
}

func TestNothingOfAnotherOrganisation(t *testing.T) {
	h := open(t)
	h.accept("XZ1A", "edge", 0, "mdm1,server,,EPMM,12.5.0.0")
	id := h.assets(ward.Everything(), estate.AssetQuery{})[0].ID
	for _, scope := range []ward.Scope{{}, ward.Only("XZ7G")} {
		for name, read := range map[string]func() (any, error){
			"asset":        func() (any, error) { return h.Asset(ctx, scope, id) },
			"installs":     func() (any, error) { return h.Installs(ctx, scope, id) },
			"sightings":    func() (any, error) { return h.Sightings(ctx, scope, id) },
			"assets":       func() (any, error) { return h.Assets(ctx, scope, estate.AssetQuery{Org: "XZ1A"}) },
			"sites":        func() (any, error) { return h.Sites(ctx, scope, "XZ1A") },
			"sources":      func() (any, error) { return h.Sources(ctx, scope, "XZ1A") },
			"imports":      func() (any, error) { return h.Imports(ctx, scope, "XZ1A", 10) },
			"coverage":     func() (any, error) { return h.Coverage(ctx, scope, "XZ1A") },
			"declarations": func() (any, error) { return h.Declarations(ctx, scope, "XZ1A") },
			"relations":    func() (any, error) { return h.Relations(ctx, scope, "XZ1A") },
			"organisation": func() (any, error) { return h.Organisation(ctx, scope, "XZ1A") },
		} {
			if _, err := read(); !errors.Is(err, ward.ErrNotFound) {
				t.Errorf("%v, %s: %v", scope, name, err)
			}
		}
		if all := h.assets(scope, estate.AssetQuery{Software: "EPMM"}); len(all) != 0 {
			t.Errorf("%v: %+v", scope, all)
		}
	}
}

func TestKnownBeatsUnknownAndNewestWins(t *testing.T) {
	h := open(t)
	put := func(source string, hour int, row string) ward.Asset {
		h.Helper()
		at := start.Add(time.Duration(hour) * time.Hour)
		h.clock.Set(at)
		_, err := h.Import(ctx, person(ward.Lead, "XZ1A"), delivery("XZ1A", source, "asset,class,site,internet_facing,data\n"+row+"\n", at))
		h.must(err)
		return h.assets(ward.Everything(), estate.AssetQuery{})[0]
	}
	put("register", 0, "a,server,Main,yes,patient record")
	if a := put("scanner", 1, "a,,,,"); a.Class != ward.Server || a.Site != "Main" || a.Reachable != ward.Yes || len(a.Data) != 1 {
		t.Errorf("unknown beat known: %+v", a)
	}
	if a := put("scanner", 2, "a,appliance,,no,"); a.Class != ward.Appliance || a.Site != "Main" || a.Reachable != ward.No {
		t.Errorf("the newest did not win: %+v", a)
	}
	if a := put("register", 3, "a,server,Main,yes,patient record"); a.Class != ward.Server || a.Reachable != ward.Yes {
		t.Errorf("the newest did not win back: %+v", a)
	}
	if a := put("register", 4, "a,,,,"); a.Class != ward.Appliance || a.Site != "Main" || a.Reachable != ward.No {
		t.Errorf("what it no longer says still counted: %+v", a)
	}
}

func TestCoverage(t *testing.T) {
	h := open(t)
	h.clock.Set(start.Add(time.Hour))
	put := func(source string, at time.Time, grade ward.Grade, classes ...ward.Class) {
		d := delivery("XZ1A", source, "asset,class\na,workstation\nb,server\nc,medical device\n", at)
		d.Classes, d.Grade = classes, grade
		_, err := h.Import(ctx, person(ward.Lead, "XZ1A"), d)
		h.must(err)
	}
	put("clients", start, ward.ToolExport, ward.Workstation)
	put("old", start.Add(-31*24*time.Hour), ward.ToolExport, ward.Server, ward.Workstation)
	put("spreadsheet", start, ward.SelfDeclared, ward.MedicalDevice)
	put("nothing said", start, ward.Independent)
	coverage, err := h.Coverage(ctx, ward.Only("XZ1A"), "XZ1A")
	h.must(err)
	var got []string
	for _, c := range coverage {
		got = append(got, fmt.Sprint(c.Class, " ", c.Freshness, " ", c.Source, " ", c.Assets))
	}
	if want := []string{"workstation fresh clients 1", "server stale old 1", "appliance none  0", "mobile_management none  0", "medical_device self-declared spreadsheet 1", "cloud none  0"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	h.clock.Advance(ward.FreshFor)
	if coverage, _ = h.Coverage(ctx, ward.Only("XZ1A"), "XZ1A"); coverage[0].Freshness != ward.Stale {
		t.Errorf("%+v", coverage[0])
	}
}

func TestDeclarations(t *testing.T) {
	h := open(t)
	lead := person(ward.Lead, "XZ1A")
	ask := func(answer ward.DeclaredAnswer, version string) (ward.Declaration, error) {
		h.clock.Advance(time.Hour)
		return h.Declare(ctx, lead, ward.Declaration{Org: "XZ1A", Vendor: "Ivanti", Product: "Endpoint Manager Mobile", Answer: answer, Version: version, Asset: "mdm1", Class: "MDM", Words: "found it"})
	}
	yes, err := ask(ward.RunsIt, "12.5.0.0")
	if err != nil || yes.Name != "Pat" || !yes.Expires.Equal(h.clock.Now().Add(ward.DeclaredFor)) {
		t.Fatalf("%v, %+v", err, yes)
	}
	asset := h.assets(ward.Only("XZ1A"), estate.AssetQuery{Software: "endpoint manager"})[0]
	installs, err := h.Installs(ctx, ward.Only("XZ1A"), asset.ID)
	if err != nil || asset.Class != ward.MobileManagement || len(installs) != 1 || installs[0].Grade != ward.SelfDeclared || installs[0].Software.Version != "12.5.0.0" {
		t.Errorf("%v, %+v, %+v", err, asset, installs)
	}
	_, err = ask(ward.RunsIt, "12.5.0.1")
	h.must(err)
	if installs, _ = h.Installs(ctx, ward.Only("XZ1A"), asset.ID); len(installs) != 2 || installs[0].Software.Version != "12.5.0.1" || !installs[1].Gone {
		t.Errorf("%+v", installs)
	}
	_, err = ask(ward.NotRun, "")
	h.must(err)
	if all := h.assets(ward.Only("XZ1A"), estate.AssetQuery{}); len(all) != 0 {
		t.Errorf("still listed: %+v", all)
	}
	if all, err := h.Declarations(ctx, ward.Only("XZ1A"), "XZ1A"); err != nil || len(all) != 3 || all[0].Answer != ward.NotRun {
		t.Errorf("%v, %+v", err, all)
	}
	coverage, err := h.Coverage(ctx, ward.Only("XZ1A"), "XZ1A")
	if err != nil || slices.ContainsFunc(coverage, func(c ward.Coverage) bool { return c.Freshness != ward.NoSource }) {
		t.Errorf("a declaration covers no class: %v, %+v", err, coverage)
	}
	for _, row := range []struct {
		name string
		who  ward.Actor
		d    ward.Declaration
		want error
	}{
		{"no version", lead, ward.Declaration{Org: "XZ1A", Product: "X", Answer: ward.RunsIt}, ward.ErrInvalid},
		{"no product", lead, ward.Declaration{Org: "XZ1A", Answer: ward.NotRun}, ward.ErrInvalid},
		{"no answer", lead, ward.Declaration{Org: "XZ1A", Product: "X"}, ward.ErrInvalid},
		{"hosted by nobody", lead, ward.Declaration{Org: "XZ1A", Product: "X", Answer: ward.HostedBy}, ward.ErrInvalid},
		{"hosted by a stranger", lead, ward.Declaration{Org: "XZ1A", Product: "X", Answer: ward.HostedBy, Host: "XZ99"}, ward.ErrInvalid},
		{"a member", person(ward.Member, "XZ1A"), ward.Declaration{Org: "XZ1A", Product: "X", Answer: ward.NotRun}, ward.ErrForbidden},
		{"another organisation", lead, ward.Declaration{Org: "XZ7G", Product: "X", Answer: ward.NotRun}, ward.ErrNotFound},
	} {
		if _, err := h.Declare(ctx, row.who, row.d); !errors.Is(err, row.want) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

func TestMappingsAreKept(t *testing.T) {
	h := open(t)
	h.clock.Set(start.Add(time.Hour))
	d := delivery("XZ1A", "cmdb", "Hostname;Title\nmdm1;EPMM\n", start)
	if _, err := h.Import(ctx, person(ward.Lead, "XZ1A"), d); !errors.Is(err, ward.ErrInvalid) || !strings.Contains(err.Error(), `"Hostname"`) {
		t.Errorf("got %v", err)
	}
	d = delivery("XZ1A", "cmdb", "Hostname;Title\nmdm1;EPMM\n", start)
	d.Mapping = map[string]string{"asset": "hostname", "product": "Title"}
	_, err := h.Import(ctx, person(ward.Lead, "XZ1A"), d)
	h.must(err)
	done, err := h.Import(ctx, person(ward.Lead, "XZ1A"), delivery("XZ1A", "cmdb", "Hostname;Title\nmdm1;EPMM\nmdm2;EPMM\n", start.Add(time.Minute)))
	if err != nil || done.Assets != 2 || done.Added != 1 {
		t.Errorf("%v, %+v", err, done)
	}
}

func TestPagesFollowOneAnother(t *testing.T) {
	h := open(t)
	var rows []string
	for i := range 25 {
		rows = append(rows, fmt.Sprintf("m%02d,server,,P,1", 24-i))
	}
	h.accept("XZ1A", "edge", 0, rows...)
	for _, q := range []estate.AssetQuery{{Org: "XZ1A", Limit: 10}, {Limit: 10}} {
		var all []string
		for pages := 0; ; pages++ {
			page, err := h.Assets(ctx, ward.Only("XZ1A"), q)
			h.must(err)
			all = append(all, names(page.Items))
			if q.After = page.Next; page.Next == "" || pages == 5 {
				break
			}
		}
		if len(all) != 3 || !strings.HasPrefix(all[0], "m00 m01") || !strings.HasSuffix(all[2], "m23 m24") {
			t.Errorf("%q", all)
		}
	}
	if _, err := h.Assets(ctx, ward.Only("XZ1A"), estate.AssetQuery{After: "?"}); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

func TestTextsAreDataOnly(t *testing.T) {
	h := open(t)
	h.accept("XZ1A", "edge", 0, `"=HYPERLINK(""x"")",,,<b>X</b>,1`, "100%_sure,,,X,1", "'; DROP TABLE assets; --,,,X,1")
	if got := names(h.assets(ward.Everything(), estate.AssetQuery{})); got != `'; DROP TABLE assets; -- 100%_sure =HYPERLINK("x")` {
		t.Errorf("%s", got)
	}
	for text, want := range map[string]string{"%": "100%_sure", "_": "100%_sure", `\`: "", "DROP": "'; DROP TABLE assets; --"} {
		if got := names(h.assets(ward.Everything(), estate.AssetQuery{Text: text})); got != want {
			t.Errorf("%q finds %q", text, got)
		}
	}
}

func TestOrganisationsMergeAndOrphansAreNamed(t *testing.T) {
	h := open(t)
	d, err := ods.ReadPath(shared.File(t, "data", "org"))
	h.must(err)
	if _, err := h.ImportOrganisations(ctx, person(ward.Lead, "XZ1A"), d); !errors.Is(err, ward.ErrForbidden) {
		t.Errorf("got %v", err)
	}
	report, err := h.ImportOrganisations(ctx, person(ward.Admin, ""), d)
	if err != nil || report.Organisations != 242 || report.Added != 242 || len(report.Orphans) != 28 || report.Sites != 339-28 || report.Rejected != 0 {
		t.Errorf("%v, %d added, %d orphans, %d sites, %v", err, report.Added, len(report.Orphans), report.Sites, report.Problems)
	}
	if report, err = h.ImportOrganisations(ctx, person(ward.Admin, ""), d); err != nil || report.Added != 0 || report.Changed != 0 {
		t.Errorf("again: %v, %+v", err, report)
	}
	before, err := h.Organisation(ctx, ward.Everything(), "R0A")
	h.must(err)
	_, err = h.ImportOrganisations(ctx, person(ward.Admin, ""), estate.Directory{Organisations: []ward.Organisation{{ID: "R0A", Name: strings.ToUpper(before.Name), Closed: start}}})
	h.must(err)
	after, err := h.Organisation(ctx, ward.Everything(), "R0A")
	want := before
	want.Closed = start
	if err != nil || after != want {
		t.Errorf("%v, %+v, want %+v", err, after, want)
	}
}
