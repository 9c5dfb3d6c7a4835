package syslog

import (
	"context"

	"wardwatch/watch/ingest"
)

// Feed frames bytes that come in pieces of so many.
func Feed(in ingest.Intake, sent []byte, piece, longest int) {
	l := &Listener{o: Options{Intake: in, MaxMessage: longest}}
	s := stream{l: l, who: ingest.Sender{Org: "ZZ1"}, peer: "peer", room: make([]byte, room)}
	for len(sent) > 0 {
		n := copy(s.room[s.held:], sent[:min(piece, len(sent))])
		sent = sent[n:]
		s.held += n
		if s.frames(len(sent) == 0) != nil || s.give(context.Background()) != nil {
			return
		}
		if s.shift(); s.held == len(s.room) {
			s.grow()
		}
	}
}
