package access

import (
	"sync"
	"time"

	"wardwatch/edge"
)

// throttle slows down guessing. Each attempt counts before its password is checked, so that many at once gain nothing, and
// is taken back when it succeeds. What is counted lives in memory: a restart forgives.
type throttle struct {
	mu    sync.Mutex
	tries map[string]*tries
}

// tries are the failures of one key.
type tries struct {
	count int
	until time.Time // closed until then
	last  time.Time
}

// A limit lets free failures pass, then closes the key for first, doubling up to most.
type limit struct {
	free        int
	first, most time.Duration
}

var (
	perAccountAndAddress = limit{5, 2 * time.Second, 15 * time.Minute}
	perAddress           = limit{50, 2 * time.Second, 5 * time.Minute}   // a hospital can stand behind one address
	perAccount           = limit{100, 30 * time.Second, 5 * time.Minute} // guessing from many addresses
)

const (
	forgetAfter = time.Hour // since the last attempt
	mostKeys    = 20_000
)

func newThrottle() *throttle { return &throttle{tries: map[string]*tries{}} }

type counted struct {
	key string
	limit
}

func keysOf(email, address string) []counted {
	return []counted{
		{"both\x00" + email + "\x00" + address, perAccountAndAddress},
		{"address\x00" + address, perAddress},
		{"account\x00" + email, perAccount},
	}
}

// enter counts an attempt, or refuses it with *edge.TooMany.
func (t *throttle) enter(email, address string, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(now)
	keys := keysOf(email, address)
	var wait time.Duration
	for _, k := range keys {
		if have := t.tries[k.key]; have != nil {
			wait = max(wait, have.until.Sub(now))
		}
	}
	if wait > 0 {
		return &edge.TooMany{After: wait}
	}
	for _, k := range keys {
		have := t.tries[k.key]
		if have == nil {
			have = &tries{}
			t.tries[k.key] = have
		}
		have.count++
		have.last = now
		if over := have.count - k.free; over >= 0 {
			closed := k.most
			if over < 16 {
				closed = min(k.most, k.first<<over)
			}
			have.until = now.Add(closed)
		}
	}
	return nil
}

// succeed takes the attempt back and forgives the account from this address.
func (t *throttle) succeed(email, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range keysOf(email, address) {
		have := t.tries[k.key]
		switch {
		case have == nil:
		case k.limit == perAccountAndAddress, have.count <= 1:
			delete(t.tries, k.key)
		default:
			have.count--
			have.until = time.Time{}
		}
	}
}

// forget drops old keys; when a crowd fills the table, the keys that are not closed go first, then all.
func (t *throttle) forget(now time.Time) {
	if len(t.tries) < mostKeys {
		return
	}
	for key, have := range t.tries {
		if now.Sub(have.last) > forgetAfter {
			delete(t.tries, key)
		}
	}
	for key, have := range t.tries {
		if len(t.tries) < mostKeys {
			return
		}
		if !have.until.After(now) {
			delete(t.tries, key)
		}
	}
	if len(t.tries) >= mostKeys {
		clear(t.tries)
	}
}
