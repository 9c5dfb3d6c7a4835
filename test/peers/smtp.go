// Package peers holds servers that stand in for those outside: a mail server that fails as told, a service shaped like GOV.UK
// Notify, and a receiver shaped like a Teams workflow. Requests come in; what was received can be asked. They never send anything on.
package peers

import (
	"bufio"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Stage is where a mail conversation stands.
type Stage string

// The stages at which a mail server can be told what to do.
const (
	AtConnect Stage = "connect"
	AtFrom    Stage = "from"
	AtTo      Stage = "to"
	AtData    Stage = "data"    // the command
	AtContent Stage = "content" // all of the message is in
	AtKept    Stage = "kept"    // the message is kept, and the answer not yet sent
)

// Do is what a server does instead of what it should: answer with a line, break off, or hang.
type Do struct {
	Say   string
	Break bool
	Hang  time.Duration
}

// Letter is a message that the server took.
type Letter struct {
	From, To string
	Text     string // with its headers, lines ended by \n
}

// Header is the first value of a header as it was sent, unfolded.
func (l Letter) Header(name string) string {
	head, _, _ := strings.Cut(l.Text, "\n\n")
	h, err := textproto.NewReader(bufio.NewReader(strings.NewReader(head + "\n\n"))).ReadMIMEHeader()
	if err != nil {
		return ""
	}
	return h.Get(name)
}

// Mail is a mail server on this machine. It speaks without TLS.
type Mail struct {
	Addr string

	listener net.Listener
	closed   atomic.Bool
	mu       sync.Mutex
	letters  []Letter
	plan     func(stage Stage, arg string) Do
	open     map[net.Conn]struct{}
}

// NewMail starts a mail server.
func NewMail() (*Mail, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it lives as long as the test
	if err != nil {
		return nil, err
	}
	m := &Mail{Addr: listener.Addr().String(), listener: listener, open: map[net.Conn]struct{}{}}
	go m.accept()
	return m, nil
}

// Close ends it and its conversations.
func (m *Mail) Close() {
	m.closed.Store(true)
	_ = m.listener.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	for c := range m.open {
		_ = c.Close()
	}
}

// Plan sets what it does at a stage; nil: what it should.
func (m *Mail) Plan(plan func(stage Stage, arg string) Do) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.plan = plan
}

// Letters lists what it took.
func (m *Mail) Letters() []Letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Letter(nil), m.letters...)
}

func (m *Mail) accept() {
	for {
		conn, err := m.listener.Accept()
		if err != nil {
			return
		}
		m.mu.Lock()
		m.open[conn] = struct{}{}
		m.mu.Unlock()
		go func() {
			m.talk(conn)
			_ = conn.Close()
			m.mu.Lock()
			delete(m.open, conn)
			m.mu.Unlock()
		}()
	}
}

func (m *Mail) do(stage Stage, arg string) Do {
	m.mu.Lock()
	plan := m.plan
	m.mu.Unlock()
	if plan == nil {
		return Do{}
	}
	return plan(stage, arg)
}

// talk holds one conversation (RFC 5321).
func (m *Mail) talk(conn net.Conn) {
	lines := textproto.NewReader(bufio.NewReader(conn))
	say := func(text string) bool { _, err := fmt.Fprintf(conn, "%s\r\n", text); return err == nil }
	// at answers at a stage, and says whether to go on and whether the stage was passed.
	at := func(stage Stage, arg, usual string) (on, passed bool) {
		d := m.do(stage, arg)
		if d.Hang > 0 {
			time.Sleep(d.Hang)
		}
		if d.Break {
			return false, false
		}
		if d.Say != "" {
			return say(d.Say), false
		}
		return usual == "" || say(usual), true
	}
	if on, passed := at(AtConnect, "", "220 mail.example ESMTP"); !on || !passed {
		return
	}
	var letter Letter
	for !m.closed.Load() {
		line, err := lines.ReadLine()
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(line, " ")
		var on, passed bool
		switch strings.ToUpper(verb) {
		case "EHLO", "HELO":
			on = say("250-mail.example\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES")
		case "MAIL":
			if on, passed = at(AtFrom, arg, "250 2.1.0 OK"); passed {
				letter = Letter{From: angled(arg)}
			}
		case "RCPT":
			if on, passed = at(AtTo, angled(arg), "250 2.1.5 OK"); passed {
				letter.To = angled(arg)
			}
		case "DATA":
			if on, passed = at(AtData, letter.To, "354 Go on"); on && passed {
				text, err := lines.ReadDotBytes()
				if err != nil {
					return
				}
				letter.Text = string(text)
				if on, passed = at(AtContent, letter.To, ""); on && passed {
					m.mu.Lock()
					m.letters = append(m.letters, letter)
					m.mu.Unlock()
					on, _ = at(AtKept, letter.To, "250 2.0.0 Queued")
				}
			}
		case "RSET", "NOOP":
			on = say("250 2.0.0 OK")
		case "QUIT":
			say("221 2.0.0 Bye")
			return
		default:
			on = say("502 5.5.2 Not understood")
		}
		if !on {
			return
		}
	}
}

func angled(arg string) string {
	_, rest, _ := strings.Cut(arg, "<")
	address, _, _ := strings.Cut(rest, ">")
	return address
}
