package ward

import (
	"sync"
	"time"
)

// Clock tells the time. Every room takes its time from here, so that tests and the demo can move it.
type Clock interface {
	Now() time.Time // UTC, to the microsecond, which is what the store keeps
}

// WallClock is the machine's own clock.
type WallClock struct{}

// Now implements Clock.
func (WallClock) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// HandClock stands still until it is moved. Its zero value stands at the zero time.
type HandClock struct {
	mu  sync.Mutex
	now time.Time
}

// NewHandClock returns a clock that stands at t.
func NewHandClock(t time.Time) *HandClock { return &HandClock{now: t.UTC().Truncate(time.Microsecond)} }

// Now implements Clock.
func (c *HandClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Set moves the clock to t, forwards or back.
func (c *HandClock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t.UTC().Truncate(time.Microsecond)
}

// Advance moves the clock by d.
func (c *HandClock) Advance(d time.Duration) { c.Set(c.Now().Add(d)) }
