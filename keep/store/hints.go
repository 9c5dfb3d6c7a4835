package store

import (
	"context"
	"sync"

	"wardwatch/ward"
)

// Hint tells watching browsers, once the transaction is kept, that something of org changed.
func (tx *Tx) Hint(topic string, org ward.OrgID) {
	tx.hints = append(tx.hints, ward.Hint{Topic: topic, Org: org})
}

// fanOut hands hints to whoever listens. The store is the truth, so a slow listener loses hints and nothing waits.
type fanOut struct {
	mu        sync.Mutex
	listeners map[chan ward.Hint]struct{}
}

// Hints returns a channel of what changes until ctx ends, when it is closed.
func (s *Store) Hints(ctx context.Context) <-chan ward.Hint {
	listener := make(chan ward.Hint, 64)
	s.fan.mu.Lock()
	if s.fan.listeners == nil {
		s.fan.listeners = map[chan ward.Hint]struct{}{}
	}
	s.fan.listeners[listener] = struct{}{}
	s.fan.mu.Unlock()
	context.AfterFunc(ctx, func() {
		s.fan.mu.Lock()
		defer s.fan.mu.Unlock()
		delete(s.fan.listeners, listener)
		close(listener)
	})
	return listener
}

func (f *fanOut) send(hints []ward.Hint) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for listener := range f.listeners {
		for _, hint := range hints {
			select {
			case listener <- hint:
			default:
			}
		}
	}
}
