package estate

import (
	"sync"
	"time"

	"wardwatch/ward"
)

// seen remembers the looks of this hour, so that reading a page again writes nothing. What it forgets costs one write, which
// changes nothing.
type seen struct {
	mu    sync.Mutex
	hour  time.Time
	looks map[ward.View]bool
}

// mostLooks bounds what is remembered.
const mostLooks = 100_000

func ofHour(v ward.View) ward.View {
	v.At, v.Name = v.At.Truncate(time.Hour), ""
	return v
}

func (s *seen) again(v ward.View) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.looks[ofHour(v)]
}

func (s *seen) keep(v ward.View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if hour := v.At.Truncate(time.Hour); !hour.Equal(s.hour) || len(s.looks) >= mostLooks {
		s.hour, s.looks = hour, map[ward.View]bool{}
	}
	s.looks[ofHour(v)] = true
}
