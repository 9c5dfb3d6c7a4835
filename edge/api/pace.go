package api

import (
	"sync"
	"time"

	"wardwatch/edge"
)

// pace lets each person make so many requests: a bucket that fills at rate a second up to burst.
type pace struct {
	rate, burst float64
	mu          sync.Mutex
	buckets     map[string]*bucket
}

type bucket struct {
	left float64
	at   time.Time
}

// mostBuckets bounds the table; full buckets are forgotten first.
const mostBuckets = 10_000

func newPace(rate, burst float64) *pace {
	return &pace{rate: rate, burst: burst, buckets: map[string]*bucket{}}
}

func (p *pace) enter(key string, now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.buckets[key]
	if b == nil {
		p.forget(now)
		b = &bucket{left: p.burst, at: now}
		p.buckets[key] = b
	}
	b.left = min(p.burst, b.left+max(0, now.Sub(b.at).Seconds())*p.rate)
	b.at = now
	if b.left < 1 {
		return &edge.TooMany{After: time.Duration((1 - b.left) / p.rate * float64(time.Second))}
	}
	b.left--
	return nil
}

func (p *pace) forget(now time.Time) {
	if len(p.buckets) < mostBuckets {
		return
	}
	for key, b := range p.buckets {
		if b.left+now.Sub(b.at).Seconds()*p.rate >= p.burst {
			delete(p.buckets, key)
		}
	}
	if len(p.buckets) >= mostBuckets {
		clear(p.buckets)
	}
}
