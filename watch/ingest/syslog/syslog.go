// Package syslog takes syslog in over UDP, TCP and TLS. In: connections and datagrams of senders whom a certificate, or the listener
// and their address, makes an organisation's. Out: each message as it came, to an Intake. Syslog has no acknowledgement: what is
// read and not durable yet is bounded by the Intake's wait, and a sender over TCP is made to wait rather than turned away.
package syslog

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/ingest"
)

// Certificates says whose a certificate is; ingest.Senders is one.
type Certificates interface {
	ByCertificate(ctx context.Context, der []byte) (ingest.Sender, error)
}

// Options say where to listen and for whom.
type Options struct {
	Name      string // of the listener, for people
	Address   string // HOST:PORT
	Transport string // udp, tcp, tls
	// TLS is the server's side; required for tls. Where it asks for clients' certificates, Senders says whose they are.
	TLS     *tls.Config
	Senders Certificates
	// Org and Networks bind a listener without certificates to an organisation, and to the addresses that it sends from.
	Org      ward.OrgID
	Networks []netip.Prefix

	Intake ingest.Intake
	Clock  ward.Clock // of deadlines; default the machine's
	Log    *slog.Logger

	MaxMessage     int           // bytes of one message; default 1 MB
	MaxConnections int           // in all; default 4,096
	MaxPerPeer     int           // of one address; default 256
	Idle           time.Duration // after which a silent connection is closed; default 1 hour
	Handshake      time.Duration // TLS has so long; default 10 seconds
}

const (
	defaultMessage     = 1 << 20
	defaultConnections = 4096
	defaultPerPeer     = 256
	defaultIdle        = time.Hour
	defaultHandshake   = 10 * time.Second
	// slow is how long a message that began may take to arrive.
	slow = 30 * time.Second
	room = 64 << 10 // bytes read at a time
)

// Listener is an open listener.
type Listener struct {
	o        Options
	stream   net.Listener
	packets  net.PacketConn
	bound    ingest.Sender
	open     atomic.Int64
	mu       sync.Mutex
	peers    map[netip.Addr]int
	messages atomic.Int64
	dropped  atomic.Int64
}

// Listen opens the listener; Run takes what comes.
func Listen(ctx context.Context, o Options) (*Listener, error) {
	for value, otherwise := range map[*int]int{&o.MaxMessage: defaultMessage, &o.MaxConnections: defaultConnections, &o.MaxPerPeer: defaultPerPeer} {
		if *value <= 0 {
			*value = otherwise
		}
	}
	if o.Idle <= 0 {
		o.Idle = defaultIdle
	}
	if o.Handshake <= 0 {
		o.Handshake = defaultHandshake
	}
	if o.Clock == nil {
		o.Clock = ward.WallClock{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	byCertificate := o.Transport == "tls" && o.TLS != nil && o.TLS.ClientAuth != tls.NoClientCert
	switch {
	case o.Transport == "tls" && o.TLS == nil:
		return nil, &ward.Invalid{Field: "tls", Problem: "is missing"}
	case !byCertificate && (o.Org == "" || len(o.Networks) == 0):
		return nil, &ward.Invalid{Field: "organisation", Problem: "or networks are missing", Hint: "a listener that asks for no certificate takes from the networks of one organisation only"}
	}
	l := &Listener{o: o, bound: ingest.Sender{ID: "listener-" + o.Name, Org: o.Org, Name: o.Name}, peers: map[netip.Addr]int{}}
	var err error
	switch o.Transport {
	case "udp":
		l.packets, err = (&net.ListenConfig{}).ListenPacket(ctx, "udp", o.Address)
	case "tcp", "tls":
		l.stream, err = (&net.ListenConfig{}).Listen(ctx, "tcp", o.Address)
	default:
		err = &ward.Invalid{Field: "transport", Problem: fmt.Sprintf("%q is not known", o.Transport), Hint: "udp, tcp, tls"}
	}
	if err != nil {
		return nil, fmt.Errorf("syslog: %s: %w", o.Name, err)
	}
	return l, nil
}

// Address is where it listens.
func (l *Listener) Address() net.Addr {
	if l.packets != nil {
		return l.packets.LocalAddr()
	}
	return l.stream.Addr()
}

// Messages is how many were taken, Dropped how many datagrams there was no room for.
func (l *Listener) Messages() int64 { return l.messages.Load() }

// Dropped is how many datagrams were lost here, for want of room or because of whom they came from.
func (l *Listener) Dropped() int64 { return l.dropped.Load() }

// Close stops listening; Run does so too when it ends.
func (l *Listener) Close() error {
	var err error
	if l.packets != nil {
		err = l.packets.Close()
	} else {
		err = l.stream.Close()
	}
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Run takes what comes until ctx ends.
func (l *Listener) Run(ctx context.Context) error {
	if l.packets != nil {
		return l.datagrams(ctx)
	}
	defer context.AfterFunc(ctx, func() { _ = l.stream.Close() })() // to end Accept
	var working sync.WaitGroup
	defer working.Wait()
	for {
		c, err := l.stream.Accept()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			l.o.Log.Warn("connection not taken", "listener", l.o.Name, "err", err)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(50 * time.Millisecond): // too many files are open, most of the time
				continue
			}
		}
		peer, why := l.admit(c)
		if why != "" {
			l.o.Log.Warn("connection refused", "listener", l.o.Name, "peer", c.RemoteAddr().String(), "reason", why)
			_ = c.Close()
			continue
		}
		working.Go(func() {
			defer l.leave(peer)
			if err := l.connection(ctx, c, peer); err != nil && ctx.Err() == nil {
				l.o.Log.Info("connection closed", "listener", l.o.Name, "peer", peer.String(), "reason", err.Error())
			}
		})
	}
}

// admit counts a connection, or says why it is none.
func (l *Listener) admit(c net.Conn) (peer netip.Addr, why string) {
	at, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return peer, "its address cannot be read"
	}
	peer = at.Addr().Unmap()
	if !l.allowed(peer) {
		return peer, "its address is in none of the listener's networks"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open.Load() >= int64(l.o.MaxConnections) {
		return peer, "there are too many connections"
	}
	if l.peers[peer] >= l.o.MaxPerPeer {
		return peer, "its address has too many connections"
	}
	l.peers[peer]++
	l.open.Add(1)
	return peer, ""
}

func (l *Listener) leave(peer netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open.Add(-1)
	if l.peers[peer]--; l.peers[peer] == 0 {
		delete(l.peers, peer)
	}
}

func (l *Listener) allowed(peer netip.Addr) bool {
	return len(l.o.Networks) == 0 || slices.ContainsFunc(l.o.Networks, func(n netip.Prefix) bool { return n.Contains(peer) })
}

// sender is whose a connection is.
func (l *Listener) sender(ctx context.Context, c net.Conn) (net.Conn, ingest.Sender, error) {
	if l.o.TLS == nil {
		return c, l.bound, nil
	}
	secured := tls.Server(c, l.o.TLS)
	hurry, stop := context.WithTimeout(ctx, l.o.Handshake)
	defer stop()
	if err := secured.HandshakeContext(hurry); err != nil {
		return secured, ingest.Sender{}, err
	}
	shown := secured.ConnectionState().PeerCertificates
	if l.o.TLS.ClientAuth == tls.NoClientCert {
		return secured, l.bound, nil
	}
	if len(shown) == 0 {
		return secured, ingest.Sender{}, errors.New("it shows no certificate")
	}
	who, err := l.o.Senders.ByCertificate(ctx, shown[0].Raw)
	if err != nil {
		return secured, who, fmt.Errorf("its certificate %s is no sender's: %w", ingest.Fingerprint(shown[0].Raw), err)
	}
	return secured, who, nil
}

// connection takes the messages of one connection.
func (l *Listener) connection(ctx context.Context, c net.Conn, peer netip.Addr) error {
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })() // to end Read
	c, who, err := l.sender(ctx, c)
	if err != nil {
		return err
	}
	s := stream{l: l, who: who, peer: peer.String(), room: make([]byte, room)}
	for {
		wait := l.o.Idle
		if s.held > 0 {
			wait = slow
		}
		if err := c.SetReadDeadline(l.o.Clock.Now().Add(wait)); err != nil {
			return err
		}
		n, err := c.Read(s.room[s.held:])
		s.held += n
		if n > 0 {
			if err := s.frames(false); err != nil {
				return err
			}
			if err := s.give(ctx); err != nil {
				return err
			}
			s.shift()
		}
		if err != nil {
			var late net.Error
			if errors.As(err, &late) && late.Timeout() && s.held > 0 {
				s.dead(errSlow, s.room[:s.held])
				return errSlow
			}
			if err := s.frames(true); err != nil { // the last line may lack its end
				return err
			}
			return errors.Join(s.give(context.WithoutCancel(ctx)), ended(err))
		}
		if s.held == len(s.room) {
			s.grow()
		}
	}
}

// What ends a connection, or a message.
var (
	errSlow    = errors.New("a message took too long to arrive")
	errTooLong = errors.New("a message is longer than it may be")
	errFraming = errors.New("the length of a message cannot be read")
)

// ended is an end that is no error.
func ended(err error) error {
	if errors.Is(err, net.ErrClosed) || err.Error() == "EOF" {
		return nil
	}
	return err
}

// stream finds the messages in the bytes of one connection. RFC 6587: a message that begins with a digit has its length before it;
// any other ends with a line feed, or a NUL.
type stream struct {
	l     *Listener
	who   ingest.Sender
	peer  string
	room  []byte
	held  int    // bytes in room
	left  []byte // of room: a message that is not whole
	skip  int    // bytes of a message that is too long, still to come; -1: up to the end of its line
	batch []watch.Arrival
	hosts map[string]string
}

// grow makes room for a message that is longer than the room.
func (s *stream) grow() {
	larger := make([]byte, min(2*len(s.room), s.l.o.MaxMessage+64))
	if len(larger) <= len(s.room) {
		return
	}
	copy(larger, s.room[:s.held])
	s.room = larger
}

// frames takes the whole messages out of the room. They point into it, until shift.
func (s *stream) frames(end bool) error {
	rest := s.room[:s.held]
	for len(rest) > 0 {
		if s.skip != 0 {
			if rest = s.skipped(rest); s.skip != 0 {
				break
			}
			continue
		}
		if rest[0] == '\n' || rest[0] == 0 || rest[0] == '\r' || rest[0] == ' ' {
			rest = rest[1:]
			continue
		}
		message, after, err := s.frame(rest, end)
		if err != nil {
			return err
		}
		if after == nil {
			break
		}
		if len(message) > 0 {
			s.take(message)
		}
		rest = after
	}
	s.left = rest
	return nil
}

// shift puts what is left of a message before what comes next. What was taken must have been given.
func (s *stream) shift() {
	s.held = copy(s.room, s.left)
	s.left = nil
}

// skipped passes over a message that is too long.
func (s *stream) skipped(rest []byte) []byte {
	if s.skip > 0 {
		n := min(s.skip, len(rest))
		s.skip -= n
		return rest[n:]
	}
	if i := bytes.IndexByte(rest, '\n'); i >= 0 {
		s.skip = 0
		return rest[i+1:]
	}
	return nil
}

// frame is the first message in rest; after is nil where it is not whole yet.
func (s *stream) frame(rest []byte, end bool) (message, after []byte, err error) {
	if '1' <= rest[0] && rest[0] <= '9' {
		if blank := bytes.IndexByte(rest[:min(len(rest), 11)], ' '); blank > 0 {
			if n, err := strconv.Atoi(string(rest[:blank])); err == nil {
				return s.counted(rest, blank+1, n)
			}
		}
		if digits(rest[:min(len(rest), 10)]) && len(rest) < 11 && !end {
			return nil, nil, nil
		}
		if digits(rest[:min(len(rest), 10)]) {
			s.dead(errFraming, rest)
			return nil, nil, errFraming
		}
	}
	i := bytes.IndexAny(rest, "\n\x00")
	switch {
	case i >= 0:
		if i > s.l.o.MaxMessage {
			s.dead(errTooLong, rest)
			return nil, rest[i+1:], nil
		}
		return bytes.TrimSuffix(rest[:i], []byte("\r")), rest[i+1:], nil
	case len(rest) > s.l.o.MaxMessage:
		s.dead(errTooLong, rest)
		s.skip = -1
		return nil, rest[len(rest):], nil
	case end:
		return rest, rest[len(rest):], nil
	}
	return nil, nil, nil
}

func digits(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c < '0' || c > '9' })
}

// counted is a message of n bytes that begins at from.
func (s *stream) counted(rest []byte, from, n int) (message, after []byte, err error) {
	if n > s.l.o.MaxMessage {
		s.dead(errTooLong, rest)
		s.skip = n
		return nil, rest[from:], nil
	}
	if len(rest) < from+n {
		if need := from + n; need > len(s.room) {
			larger := make([]byte, need+room)
			copy(larger, rest)
			s.room = larger
		}
		return nil, nil, nil
	}
	return bytes.TrimRight(rest[from:from+n], "\r\n\x00"), rest[from+n:], nil
}

func (s *stream) take(message []byte) {
	s.batch = append(s.batch, watch.Arrival{Source: s.source(message), Format: watch.Syslog, Raw: message})
}

// longestSource is how much of a host's name counts.
const longestSource = 255

// source is the host of a message, or the address that it came from.
func (s *stream) source(message []byte) string {
	host := watch.SyslogHost(message)
	if len(host) == 0 || len(host) > longestSource {
		return s.peer
	}
	known, ok := s.hosts[string(host)]
	if !ok {
		if slices.ContainsFunc(host, func(c byte) bool { return c <= ' ' || c >= 0x7f }) {
			return s.peer
		}
		if s.hosts == nil || len(s.hosts) > 4096 {
			s.hosts = map[string]string{}
		}
		known = string(host)
		s.hosts[known] = known
	}
	return known
}

func (s *stream) dead(reason error, raw []byte) { s.l.o.Intake.Dead(s.who, s.peer, reason, raw) }

// give hands the batch on, and waits while there is no room: the sender then waits too.
func (s *stream) give(ctx context.Context) error {
	if len(s.batch) == 0 {
		return nil
	}
	for {
		_, err := s.l.o.Intake.Take(ctx, s.who, s.batch)
		var busy *ingest.Busy
		if !errors.As(err, &busy) {
			s.l.messages.Add(int64(len(s.batch)))
			clear(s.batch)
			s.batch = s.batch[:0]
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// datagrams takes messages over UDP, one a datagram.
func (l *Listener) datagrams(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { _ = l.packets.Close() })() // to end ReadFrom
	if c, ok := l.packets.(*net.UDPConn); ok {
		_ = c.SetReadBuffer(8 << 20) // as much as the machine allows
	}
	buffer := make([]byte, 64<<10)
	streams := map[netip.Addr]*stream{}
	for {
		n, from, err := l.packets.ReadFrom(buffer)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			l.o.Log.Warn("datagram not read", "listener", l.o.Name, "err", err)
			continue
		}
		at, err := netip.ParseAddrPort(from.String())
		if err != nil || !l.allowed(at.Addr().Unmap()) {
			l.dropped.Add(1)
			continue
		}
		peer := at.Addr().Unmap()
		s := streams[peer]
		if s == nil {
			if len(streams) >= l.o.MaxConnections {
				clear(streams)
			}
			s = &stream{l: l, who: l.bound, peer: peer.String()}
			streams[peer] = s
		}
		message := bytes.TrimRight(buffer[:n], "\r\n\x00")
		if len(message) == 0 {
			continue
		}
		s.take(message)
		if _, err := l.o.Intake.Take(ctx, s.who, s.batch); err != nil {
			l.dropped.Add(1)
		} else {
			l.messages.Add(1)
		}
		clear(s.batch)
		s.batch = s.batch[:0]
	}
}
