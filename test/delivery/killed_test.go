package delivery_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/act/notify"
	"wardwatch/keep/store"
	"wardwatch/test/ground"
	"wardwatch/test/peers"
	"wardwatch/ward"
)

// What tells the child of a round what to do: WARDWATCH_TEST_ROUND is "publish" or "finish".
const (
	roundDir  = "WARDWATCH_TEST_ROUND_DIR"
	roundMail = "WARDWATCH_TEST_ROUND_MAIL"
	roundWork = "WARDWATCH_TEST_ROUND"
)

const (
	roundOrgs   = 4
	roundPeople = 3
	perAlert    = roundOrgs * roundPeople
)

// child publishes alerts and delivers what they tell, or delivers alone what is left and ends. It says each alert that is
// published, and at the end that it is done.
func child(t *testing.T, dir, addr string, publish bool) {
	g := ground.At(t, dir)
	g.Clock.Set(time.Now())
	outbox := notify.New(g.Store, ward.WallClock{})
	g.Board.Notices = outbox
	courier, err := notify.NewCourier(outbox, []notify.Carrier{mailTo(t, addr)}, notify.Options{Base: "https://watch.example"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	if err := courier.Begin(ctx); err != nil {
		t.Fatal(err)
	}
	go func() { ended <- courier.Run(ctx) }()
	for publish {
		a, err := g.Board.Draft(g.Ctx, ground.Ann, ground.Alert())
		if err == nil {
			a, err = g.Board.Approve(g.Ctx, ground.Bea, a.ID, a.Version)
		}
		if err == nil {
			fmt.Printf("publishing %s\n", a.ID)
			_, err = g.Board.Publish(g.Ctx, ground.Bea, a.ID, a.Version, alerts.Audience{})
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("published %s\n", a.ID)
	}
	for unsent(t, g.Store) > 0 {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	fmt.Println("done")
}

// unsent counts the deliveries that are neither handed over nor settled.
func unsent(t testing.TB, s *store.Store) (n int) {
	t.Helper()
	err := s.View(context.Background(), func(tx *store.Tx) error {
		for _, state := range []ward.DeliveryState{ward.DeliveryQueued, ward.DeliverySending} {
			page, err := tx.Deliveries(context.Background(), ward.Everything(), store.DeliveryQuery{State: state})
			if err != nil {
				return err
			}
			n += len(page.Items)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// rounds is how often a process is killed: a few times, and more where FAULTROUNDS says so, as make faults does.
func rounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv("FAULTROUNDS")
	if text == "" {
		return 5
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("FAULTROUNDS is %q", text)
	}
	return n
}

// run starts a child and returns what it said until it ended or was killed, which is so long after it began to publish (0: not at
// all).
func runChild(t *testing.T, dir, addr, work string, killAfter time.Duration) (said []string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run", "^TestFaultKilledWhilePublishingAndDelivering$")
	cmd.Env = append(os.Environ(), roundDir+"="+dir, roundMail+"="+addr, roundWork+"="+work)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if said = append(said, lines.Text()); len(said) == 1 && killAfter > 0 {
			time.AfterFunc(killAfter, func() { _ = cmd.Process.Kill() }) // SIGKILL
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if killed := errors.As(err, &exit) && exit.ExitCode() == -1; killed != (killAfter > 0) {
		t.Fatalf("%s ended with %v:\n%s", work, err, strings.Join(said, "\n"))
	}
	return said
}

func TestFaultKilledWhilePublishingAndDelivering(t *testing.T) {
	if dir := os.Getenv(roundDir); dir != "" {
		child(t, dir, os.Getenv(roundMail), os.Getenv(roundWork) == "publish")
		return
	}
	server, err := peers.NewMail()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	server.Plan(func(stage peers.Stage, _ string) peers.Do {
		if stage == peers.AtContent || stage == peers.AtKept { // so that a kill meets messages at every stage
			return peers.Do{Hang: time.Duration(rand.IntN(3)) * time.Millisecond} //nolint:gosec // no secret
		}
		return peers.Do{}
	})
	dir := filepath.Join(t.TempDir(), "data")
	prepare(t, dir)
	var total struct{ published, undone, messages, lost, twice, more int }
	counted := map[ward.AlertID]bool{}
	n := rounds(t)
	for range n {
		said := runChild(t, dir, server.Addr, "publish", time.Duration(rand.IntN(400_000))*time.Microsecond+time.Millisecond) //nolint:gosec // as above
		after := runChild(t, dir, server.Addr, "finish", 0)
		if after[0] != "done" {
			t.Fatalf("%q", after)
		}
		acknowledged := map[ward.AlertID]bool{}
		for _, line := range said {
			if id, ok := strings.CutPrefix(line, "published "); ok {
				acknowledged[ward.AlertID(id)] = true
			}
		}
		came := map[string]int{}
		for _, l := range server.Letters() {
			came[l.Header("Message-ID")]++
		}
		kept := keys(t, dir)
		for id, of := range kept {
			if counted[id] {
				continue
			}
			counted[id] = true
			total.published++
			if len(of) != perAlert {
				t.Errorf("%s was published with %d of %d messages", id, len(of), perAlert)
			}
			for _, key := range of {
				total.messages++
				switch times := came["<"+key+"@watch.example>"]; {
				case times == 0:
					total.lost++
					t.Errorf("%s of %s is lost", key, id)
				case times == 2:
					total.twice++
				case times > 2:
					total.more++
					t.Errorf("%s of %s came %d times", key, id, times)
				}
			}
		}
		for id := range acknowledged {
			if len(kept[id]) == 0 {
				total.lost += perAlert
				t.Errorf("%s was said to be published, and tells nobody", id)
			}
		}
		for _, line := range said {
			if id, ok := strings.CutPrefix(line, "publishing "); ok && len(kept[ward.AlertID(id)]) == 0 {
				total.undone++
			}
		}
	}
	sum := 0
	for _, l := range keys(t, dir) {
		sum += len(l)
	}
	ids := map[string]bool{}
	for _, l := range server.Letters() {
		ids[l.Header("Message-ID")] = true
	}
	if len(ids) != sum {
		t.Errorf("%d different messages came, and %d are kept: one was sent of an alert that was not published", len(ids), sum)
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight|tabwriter.Debug)
	fmt.Fprintln(w, "kills -9\talerts published\tcut off, nothing kept\tmessages\tlost\trepeated once, same key\trepeated more\t")
	fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", n, total.published, total.undone, total.messages, total.lost, total.twice, total.more)
	_ = w.Flush()
	fmt.Printf("\nkilled while publishing and delivering:\n%s\n", table.String())
}

// prepare makes the organisations and their contacts.
func prepare(t *testing.T, dir string) {
	t.Helper()
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	o := &office{Ground: &ground.Ground{T: t, Ctx: t.Context(), Store: s}}
	o.people(roundOrgs, roundPeople, ward.Email, "p%d-%d@hospital.example")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// keys are the messages that are kept, by alert.
func keys(t *testing.T, dir string) map[ward.AlertID][]string {
	t.Helper()
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	kept := map[ward.AlertID][]string{}
	err = s.View(t.Context(), func(tx *store.Tx) error {
		after := ""
		for {
			page, err := tx.Deliveries(t.Context(), ward.Everything(), store.DeliveryQuery{After: after, Limit: 500})
			if err != nil {
				return err
			}
			for _, d := range page.Items {
				kept[d.Alert] = append(kept[d.Alert], d.Key)
			}
			if after = page.Next; after == "" {
				return nil
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return kept
}
