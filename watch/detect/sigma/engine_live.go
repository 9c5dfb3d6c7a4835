package sigma

import "sync/atomic"

// Live is the Program of now, that may be replaced while records are matched. Who matches asks for it between two records, and
// when it is another one makes an Engine and a reader of it: numbers of fields and places of rules are those of one Set. A
// record is so held against the rules of one Set, old or new, and never of none.
type Live struct{ program atomic.Pointer[Program] }

// NewLive begins with the Program.
func NewLive(p *Program) *Live {
	l := &Live{}
	l.program.Store(p)
	return l
}

// Program is the one of now.
func (l *Live) Program() *Program { return l.program.Load() }

// Replace puts a Program, which is ready, in the place of the one of now.
func (l *Live) Replace(p *Program) { l.program.Store(p) }
