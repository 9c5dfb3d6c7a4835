package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"wardwatch/act/findings"
	"wardwatch/app"
	"wardwatch/config"
	"wardwatch/know/estate"
	"wardwatch/ward"
)

// Options of the demo.
type Options struct {
	Config  config.Config // an empty Data means a directory of its own, removed at the end
	Pace    time.Duration // how long a step of the story stands, when it is served
	Log     *slog.Logger
	Version string
	Out     io.Writer
}

// Result is what the product made of the story.
type Result struct {
	Organisations int                         `json:"organisations"`
	Assets        int                         `json:"assets"`
	Exposed       []ward.OrgID                `json:"exposed"`   // as at publication
	NotKnown      []ward.OrgID                `json:"not_known"` // as at publication
	Alert         AlertResult                 `json:"alert"`
	Responses     map[ward.OrgID]AnswerResult `json:"responses"`
	Contradicted  int                         `json:"contradicted"`                   // organisations that were so at any time
	Overdue       int                         `json:"overdue"`                        // organisations that were so at any time
	ToAlert       int64                       `json:"seconds_from_advisory_to_alert"` // of the story's clock
}

// AlertResult is the one alert of the story.
type AlertResult struct {
	ThreatID  ward.AlertID  `json:"threat_id"`
	Severity  ward.Severity `json:"severity"`
	Published time.Time     `json:"published"`
	Notified  int           `json:"notified"` // organisations
}

// AnswerResult is where one organisation's answer stands at the end; a nil proof is that nothing is claimed, or that a dispute
// was upheld.
type AnswerResult struct {
	State ward.ResponseState `json:"state"`
	Proof *ward.ProofResult  `json:"proof"`
}

// Text prints the result for reading.
func (r Result) Text(w io.Writer) {
	fmt.Fprintf(w, "%d organisations with %d assets\n", r.Organisations, r.Assets)
	fmt.Fprintf(w, "%s (%s) was published %s, %s after the advisory; %d organisations told\n", r.Alert.ThreatID, r.Alert.Severity,
		r.Alert.Published.Format("2 January 2006 15:04 UTC"), time.Duration(r.ToAlert)*time.Second, r.Alert.Notified)
	fmt.Fprintf(w, "exposed then: %v; not known: %v\n", r.Exposed, r.NotKnown)
	fmt.Fprintf(w, "contradicted at some time: %d; overdue at some time: %d\n", r.Contradicted, r.Overdue)
	for _, org := range sortedKeys(r.Responses) {
		a := r.Responses[org]
		proof := "nothing claimed"
		if a.Proof != nil {
			proof = strings.ReplaceAll(string(*a.Proof), "_", " ")
		}
		fmt.Fprintf(w, "  %s  %-12s %s\n", org, strings.ReplaceAll(string(a.State), "_", " "), proof)
	}
}

func sortedKeys(m map[ward.OrgID]AnswerResult) []ward.OrgID {
	keys := make([]ward.OrgID, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// Play plays the whole story on a clock of its own, as fast as the machine can, and reads back what the product made of it.
func Play(ctx context.Context, o Options) (result Result, err error) {
	steps, err := story("setup.json", "story.json")
	if err != nil {
		return result, err
	}
	hand := ward.NewHandClock(steps[0].At.Add(-time.Minute))
	p, done, err := start(ctx, &o, hand, len(steps))
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, done()) }()
	for _, s := range steps {
		if err := p.play(ctx, s); err != nil {
			return result, err
		}
	}
	return p.result(ctx)
}

// Serve starts the product with the federation in place, and plays the story at its pace while people look.
func Serve(ctx context.Context, o Options) (err error) {
	setup, err := story("setup.json")
	if err != nil {
		return err
	}
	rest, err := story("story.json")
	if err != nil {
		return err
	}
	later, err := story("epilogue.json")
	if err != nil {
		return err
	}
	running := &runningClock{}
	running.Set(setup[0].At.Add(-time.Minute))
	p, done, err := start(ctx, &o, running, len(rest)+len(later))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	for _, s := range setup {
		if err := p.play(ctx, s); err != nil {
			return err
		}
	}
	p.mu.Lock()
	p.played = nil // the page tells the story proper
	p.mu.Unlock()

	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var telling sync.WaitGroup
	defer telling.Wait()
	ready := func(address string) {
		fmt.Fprintf(o.Out, "The demo is at %s and its story at %s/story. Stop with Ctrl-C.\n", address, address)
		p.printAccounts(o.Out)
		telling.Go(func() {
			err := p.tell(ctx, rest, o.Pace)
			if err == nil {
				err = p.tell(ctx, later, lookAround*o.Pace) // years of weaknesses come after; first there is time to look at May
			}
			if err != nil && ctx.Err() == nil {
				stop(err)
			}
		})
	}
	err = p.app.Run(ctx, ready)
	if cause := context.Cause(ctx); err == nil && cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// lookAround is how many times longer a step of the epilogue waits: ten minutes at the usual pace.
const lookAround = 150

// tell plays steps, one every pace.
func (p *player) tell(ctx context.Context, steps []step, pace time.Duration) error {
	for _, s := range steps {
		timer := time.NewTimer(pace)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
		if err := p.play(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// start opens the product on the story's clock, in a directory of its own unless one is named.
func start(ctx context.Context, o *Options, c clock, total int) (p *player, done func() error, err error) {
	remove := func() error { return nil }
	if o.Config.Data == "" {
		if o.Config.Data, err = os.MkdirTemp("", "wardwatch-demo-"); err != nil {
			return nil, nil, fmt.Errorf("demo: %w", err)
		}
		remove = func() error { return os.RemoveAll(o.Config.Data) }
	} else if _, err := os.Stat(o.Config.Data + "/wardwatch.db"); err == nil {
		return nil, nil, fmt.Errorf("demo: %s already holds a database: name a directory that does not, or none", o.Config.Data)
	}
	o.Config.Exercise = true
	o.Config.Feeds = nil // nothing is fetched: the story brings its own
	p = &player{}
	a, err := app.New(ctx, o.Config, app.Options{Clock: c, Log: o.Log, Version: o.Version, Story: p})
	if err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	if err := p.begin(a, c, total); err != nil {
		return nil, nil, errors.Join(err, a.Close(), remove())
	}
	return p, func() error { return errors.Join(p.close(), a.Close(), remove()) }, nil
}

func story(names ...string) (steps []step, err error) {
	for _, name := range names {
		more, err := read[[]step](name)
		if err != nil {
			return nil, err
		}
		steps = append(steps, more...)
	}
	return steps, nil
}

// result reads back what the product made of the story.
func (p *player) result(ctx context.Context) (r Result, err error) {
	all := ward.Everything()
	orgs, err := p.app.Estate.Organisations(ctx, all)
	if err != nil {
		return r, err
	}
	r.Organisations = len(orgs)
	if r.Assets, err = p.countAssets(ctx); err != nil {
		return r, err
	}
	for _, id := range p.alerts { // the story has one
		alert, err := p.app.Alerts.Get(ctx, all, id)
		if err != nil {
			return r, err
		}
		responses, err := p.app.Responses.ForAlert(ctx, all, id)
		if err != nil {
			return r, err
		}
		r.Alert = AlertResult{ThreatID: alert.ID, Severity: alert.Severity, Published: alert.Issued, Notified: p.notified}
		r.ToAlert = int64(alert.Issued.Sub(p.advisory) / time.Second)
		r.Responses = make(map[ward.OrgID]AnswerResult, len(responses))
		for _, answer := range responses {
			switch answer.Standing.State {
			case ward.Exposed:
				r.Exposed = append(r.Exposed, answer.Org)
			case ward.ExposureUnknown:
				r.NotKnown = append(r.NotKnown, answer.Org)
			}
			if answer.EverOverdue {
				r.Overdue++
			}
			if p.contradicted[answer.Org] {
				r.Contradicted++
			}
			shown := AnswerResult{State: answer.State}
			if answer.Proof.Result != "" {
				shown.Proof = &answer.Proof.Result
			}
			r.Responses[answer.Org] = shown
		}
	}
	return r, nil
}

func (p *player) countAssets(ctx context.Context) (n int, err error) {
	query := estate.AssetQuery{Limit: ward.MostPageSize}
	for {
		page, err := p.app.Estate.Assets(ctx, ward.Everything(), query)
		if err != nil {
			return 0, err
		}
		n += len(page.Items)
		if page.Next == "" {
			return n, nil
		}
		query.After = page.Next
	}
}

func queueQuery() findings.Query { return findings.Query{Limit: ward.MostPageSize} }

// runningClock is the story's clock while people look: it goes on from the last step at the speed of the wall's.
type runningClock struct {
	mu     sync.Mutex
	offset time.Duration // from the wall's
}

// Now implements ward.Clock.
func (c *runningClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return ward.WallClock{}.Now().Add(c.offset)
}

// Set moves the clock to t.
func (c *runningClock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = t.Sub(ward.WallClock{}.Now())
}
