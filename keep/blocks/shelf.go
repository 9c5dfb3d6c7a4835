package blocks

import (
	"container/list"
	"context"
	"errors"
	"sync"

	"wardwatch/ward"
)

// A Shelf keeps blocks open that were used last, in a bounded amount of memory. It is used by many goroutines at a time.
type Shelf struct {
	bucket Bucket
	budget int64

	mu   sync.Mutex
	held map[string]*list.Element // of *place, by the index's name
	used list.List                // the last used first
	size int64
}

// mostOpen is how many blocks are open at a time: each has two files.
const mostOpen = 1024

type place struct {
	name  string
	block *Block
	size  int64
	users int
	gone  bool // closed when the last user is done
}

// NewShelf makes a Shelf that holds about so many bytes; 0 is 512 MB.
func NewShelf(bucket Bucket, budget int64) *Shelf {
	if budget <= 0 {
		budget = 512 << 20
	}
	return &Shelf{bucket: bucket, budget: budget, held: map[string]*list.Element{}}
}

// With opens the block, or takes the one that is open, for as long as do runs.
func (s *Shelf) With(ctx context.Context, b ward.Block, do func(*Block) error) error {
	p, err := s.take(ctx, b)
	if err != nil {
		return err
	}
	defer s.back(p)
	return do(p.block)
}

func (s *Shelf) take(ctx context.Context, b ward.Block) (*place, error) {
	s.mu.Lock()
	if at, ok := s.held[b.Index]; ok {
		p, _ := at.Value.(*place)
		p.users++
		s.used.MoveToFront(at)
		s.mu.Unlock()
		return p, nil
	}
	s.mu.Unlock()
	block, err := Open(context.WithoutCancel(ctx), s.bucket, b)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.held[b.Index]; ok { // somebody was quicker
		p, _ := at.Value.(*place)
		p.users++
		return p, block.Close()
	}
	p := &place{name: b.Index, block: block, users: 1}
	s.held[b.Index] = s.used.PushFront(p)
	return p, nil
}

// back gives a block back, and closes those that there is no room for.
func (s *Shelf) back(p *place) {
	size := p.block.Size()
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.users--; p.gone {
		if p.users == 0 {
			_ = p.block.Close() // it was only read
		}
		return
	}
	s.size += size - p.size
	p.size = size
	for (s.size > s.budget || s.used.Len() > mostOpen) && s.used.Len() > 1 {
		at := s.used.Back()
		last, _ := at.Value.(*place)
		if last == p {
			break
		}
		s.forget(at, last)
	}
}

func (s *Shelf) forget(at *list.Element, p *place) {
	s.used.Remove(at)
	delete(s.held, p.name)
	s.size -= p.size
	if p.gone = true; p.users == 0 {
		_ = p.block.Close() // it was only read
	}
}

// Forget closes the block, because it was removed or written anew.
func (s *Shelf) Forget(b ward.Block) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.held[b.Index]; ok {
		p, _ := at.Value.(*place)
		s.forget(at, p)
	}
}

// Close closes every block; none may be in use.
func (s *Shelf) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for _, at := range s.held {
		p, _ := at.Value.(*place)
		err = errors.Join(err, p.block.Close())
	}
	s.held, s.size = map[string]*list.Element{}, 0
	s.used.Init()
	return err
}
