package indicators

import (
	"bytes"
	"slices"
	"unsafe"

	"wardwatch/ward"
	"wardwatch/watch"
)

// A Hit is one statement that a record's value fulfils. Field and Value point into the record, and hold as long as it does.
type Hit struct {
	Field  []byte // the name of the value's field
	Value  []byte // the part of the value that matched, as it was written
	Warned string // the warning list that the value stands on: such a hit never alerts alone; empty: on none

	from *generation
	at   *entry
}

// Indicator is the statement, its value as it is compared.
func (h *Hit) Indicator() ward.Indicator { return h.from.indicator(h.at) }

// Look appends to hits what the record shows at this moment: every statement that counts now, once for each field that shows
// it, and once for a text that is known by several names. It allocates nothing but the room of hits, unless a record
// names hosts in letters outside ASCII.
func (x *Index) Look(r *watch.Record, hits []Hit) []Hit {
	l := look{x: x, s: x.now.Load(), hits: hits, others: len(hits), now: notAsked}
	if l.s.kinds == none {
		return hits
	}
	l.record(r)
	if l.flush(); !l.maybe {
		return hits
	}
	l.exact = true
	l.record(r)
	return l.hits
}

// look is one Look under way. It goes through a record once for its hashes alone, and asks the filters of many of them one
// after the other, because what takes the time is waiting for memory, and a processor waits for many places at once when
// nothing stands between. Only a record in which something may be is gone through again, with the exact tables.
type look struct {
	exact   bool // the second time
	maybe   bool
	waits   int
	waiting [32]uint64

	found  *found // a Keyer's: every key goes there, and nothing is looked for
	x      *Index
	s      *snapshot
	hits   []Hit
	others int // hits of before
	now    asked

	// Of the value that is looked at:
	field  []byte
	seeks  kinds
	path   bool
	named  int // up to where files' names were looked for
	urls   int // up to where URLs were followed
	nested int // URLs within the last
}

// record goes through a record's values.
func (l *look) record(r *watch.Record) {
	for i := range r.Values {
		v := &r.Values[i]
		if v.Kind != watch.Text || len(v.Text) < 3 {
			continue
		}
		t := byShape
		if int(v.Field) < len(l.x.fields) {
			t = l.x.fields[v.Field]
		}
		l.field = v.Name
		l.value(v.Text, t)
	}
}

// flush asks the filters of all the hashes that wait.
func (l *look) flush() {
	hashes := l.waiting[:l.waits]
	for _, g := range [2]*generation{l.s.sealed, l.s.live} {
		if g.filter.passed(hashes) && slices.ContainsFunc(hashes, g.may) {
			l.maybe = true
		}
	}
	l.waits = 0
}

// shown is what a record shows in one place, as a key. The text of it goes beside: a Hit keeps that, and a key that shared a
// struct with it could not stay on the stack.
type shown struct {
	kind kind
	key  []byte
}

// value looks for everything that a value may show.
func (l *look) value(t []byte, how treatment) {
	l.seeks, l.path, l.named, l.urls, l.nested = how.seeks&l.s.kinds, how.path, 0, 0, 0
	if len(t) >= 32 && l.seeks.has(digests) {
		if !how.path && l.digest(t) {
			return
		}
		l.digests(t)
	}
	if l.seeks.has(names) && (how.path || looksLikePath(t)) {
		l.lastName(t)
	}
	if !l.seeks.has(all&^digests) || l.whole(t) {
		return
	}
	dot, colon := bytes.IndexByte(t, '.'), -1
	if l.seeks.has(addresses | urls) {
		colon = bytes.IndexByte(t, ':')
	}
	for at := 0; dot >= 0 || colon >= 0; {
		if colon < 0 || dot >= 0 && dot < colon {
			at = l.dot(t, at, dot)
		} else {
			at = l.colon(t, at, colon)
		}
		dot, colon = next(t, dot, at, '.'), next(t, colon, at, ':')
	}
}

// next is where the byte comes next from at on, when was is where it came before.
func next(t []byte, was, at int, c byte) int {
	if was < 0 || was >= at {
		return was
	}
	i := bytes.IndexByte(t[at:], c)
	if i < 0 {
		return -1
	}
	return at + i
}

// digests looks for runs of hexadecimal digits as long as a digest. Only every 32nd byte is looked at where there is none.
func (l *look) digests(t []byte) {
	low := 0
	for i := 31; i < len(t); i += 32 {
		if nibble[t[i]] > 15 {
			continue
		}
		from, to := i, i+1
		for from > low && nibble[t[from-1]] < 16 {
			from--
		}
		for to < len(t) && nibble[t[to]] < 16 {
			to++
		}
		if !inWord(t, from-1) && !inWord(t, to) {
			l.digest(t[from:to])
		}
		low, i = to, to
	}
}

// inWord says whether the byte at i is a letter, a digit or '_', or outside ASCII.
func inWord(t []byte, i int) bool {
	return i >= 0 && i < len(t) && (letterOrDigit(t[i]) || t[i] == '_' || t[i] >= 0x80)
}

// digest looks for the digest that the text is, if it is one.
func (l *look) digest(t []byte) bool {
	var k kind
	switch len(t) {
	case 32:
		k = md5
	case 40:
		k = sha1
	case 64:
		k = sha256
	case 128:
		k = sha512
	default:
		return false
	}
	if nibble[t[0]]|nibble[t[len(t)-1]] > 15 {
		return false
	}
	var digest [64]byte
	odd := byte(0)
	for i := 0; i+1 < len(t) && i/2 < len(digest); i += 2 {
		high, low := nibble[t[i]], nibble[t[i+1]]
		odd |= high | low
		digest[i/2] = high<<4 | low
	}
	if odd > 15 {
		return false
	}
	if l.seeks.has(1 << k) {
		l.probe(t, shown{k, digest[:len(t)/2]})
	}
	return true
}

// colon looks at what is around a ':': a URL, or an address of IPv6. It returns from where on the text was not seen yet.
func (l *look) colon(t []byte, low, at int) int {
	if bytes.HasPrefix(t[at:], schemeEnd) {
		from := at
		for from > low && at-from < 16 && (letterOrDigit(t[from-1]) || t[from-1] == '+') {
			from--
		}
		host := at + len(schemeEnd)
		if from == 0 && l.seeks.has(urls) {
			if seen := l.webURL(t, host); seen > 0 {
				return seen
			}
		}
		if isScheme(t[from:at]) {
			l.url(t, from, host)
		}
		return host
	}
	if at+1 >= len(t) || nibble[t[at+1]] > 15 && t[at+1] != ':' {
		return at + 1
	}
	from, to, colons := at, at+1, 1
	for from > low && at-from <= 4 && nibble[t[from-1]] < 16 {
		from--
	}
	for to < len(t) && to-from < 48 && (nibble[t[to]] < 16 || t[to] == ':' || t[to] == '.') {
		if t[to] == ':' {
			colons++
		}
		to++
	}
	if colons < 2 || inWord(t, from-1) || inWord(t, to) {
		return at + 1
	}
	end := to
	for end > from && (t[end-1] == '.' || t[end-1] == ':' && t[end-2] != ':') { // the end of a sentence
		end--
	}
	ip, ok := parse6(t[from:end])
	if !ok {
		return at + 1
	}
	if l.seeks.has(addresses) {
		l.address(unmapped(&ip), t[from:end])
	}
	return to
}

// longestToken bounds how far a token is followed from a dot.
const longestToken = 320

// dot looks at what is around a '.': an address, the name of a host, an e-mail address, a file's name.
func (l *look) dot(t []byte, low, at int) int {
	from, to := at, at+1
	for from > low && at-from < longestToken && hostByte[t[from-1]] {
		from--
	}
	for to < len(t) && hostByte[t[to]] {
		to++
	}
	next, urlHost := to, bytes.HasSuffix(t[:from], schemeEnd)
	for from < to && (t[from] == '.' || t[from] == '-') {
		from++
	}
	for to > from && (t[to-1] == '.' || t[to-1] == '-') {
		to--
	}
	host, found := t[from:to], false
	if len(host) < 4 || len(host) > longestToken || from > at {
		l.word(t, at)
		return next
	}
	if '0' <= host[0] && host[0] <= '9' {
		if ip, ok := parse4(host); ok && !versionBefore(t, from) {
			if found = true; l.seeks.has(addresses) {
				l.address(ip[:], host)
			}
		}
	}
	if !found && !urlHost {
		l.word(t, at)
	}
	before := to < len(t) && t[to] == '@' // what comes before the '@' of an e-mail address
	if !found && !before && l.seeks.has(domains|emails|urls) && !l.inPath(t, from) && maybeHost(host) {
		found = true
		l.host(t, from, to)
	}
	if found && l.seeks.has(urls) && !urlHost && (from == 0 || t[from-1] != '@') {
		if end := portEnd(t, to); end > to || to < len(t) && t[to] == '/' {
			l.url(t, from, from)
		}
	}
	return next
}

// portEnd is where the port after a ':' at i ends, or i where there is none.
func portEnd(t []byte, i int) int {
	if i+1 >= len(t) || t[i] != ':' {
		return i
	}
	end := i + 1
	for end < len(t) && '0' <= t[end] && t[end] <= '9' {
		end++
	}
	if end == i+1 || end > i+6 {
		return i
	}
	return end
}

// versionBefore says whether an address there is a product's version: Browser/91.0.4.1.
func versionBefore(t []byte, i int) bool { return i >= 2 && t[i-1] == '/' && inWord(t, i-2) }

// inPath says whether a name there is a part of a path: after one separator, or in a field of paths not after two
// (\\host\share, //host/share).
func (l *look) inPath(t []byte, i int) bool {
	if i == 0 || t[i-1] != '/' && t[i-1] != '\\' {
		return l.path
	}
	return i < 2 || t[i-2] != t[i-1]
}

// maybeHost turns away what ends like no domain.
func maybeHost(t []byte) bool {
	last := bytes.LastIndexByte(t, '.')
	return last >= 1 && topLevel(t[last+1:])
}

// topLevel says whether a last label may be one of the DNS's.
func topLevel(t []byte) bool {
	if len(t) < 2 {
		return false
	}
	for _, c := range t {
		if c < '0' || c > '9' {
			return true
		}
	}
	return false
}

// host looks for a name, for those above it, and for the e-mail address that it may be a part of.
func (l *look) host(t []byte, from, to int) {
	var room [longestHost + 1]byte
	name, ok := appendHost(room[:0:longestHost+1], t[from:to])
	if !ok {
		return
	}
	if l.seeks.has(emails) && from > 0 && t[from-1] == '@' {
		start := from - 1
		for start > 0 && from-start <= 65 && localByte[t[start-1]] {
			start--
		}
		for start < from-1 && (t[start] == '.' || t[start] == '%') {
			start++
		}
		var room [longestHost + 256]byte
		if key, ok := appendEmail(room[:0], t[start:from-1], name); ok {
			l.probe(t[start:to], shown{email, key})
		}
	}
	if l.seeks.has(domains) {
		l.domain(t[from:to], name)
	}
}

// address looks for an address and for the networks that it is in.
func (l *look) address(ip, text []byte) {
	it := shown{address, ip}
	l.probe(text, it)
	if l.found != nil {
		l.found.networks(ip)
		return
	}
	for _, g := range [2]*generation{l.s.live, l.s.sealed} {
		if !g.covers(ip) {
			continue
		}
		if l.maybe = true; !l.exact {
			return
		}
		var room [17]byte
		for count := 8*len(ip) - 1; count > 0; count-- {
			if g.lengths[len(ip)/16][count] {
				key := appendNetwork(room[:0], ip, count)
				l.probeIn(g, text, it, network, hash(network, key), key)
			}
		}
	}
}

// appendNetwork appends the key of the network that an address is in when so many bits count.
func appendNetwork(to, ip []byte, count int) []byte {
	to = append(to, ip...)
	if part := count % 8; part > 0 {
		to[count/8] &^= 0xff >> part
		clear(to[count/8+1:])
	} else {
		clear(to[count/8:])
	}
	return append(to, byte(count))
}

// word looks for the file's name around a dot.
func (l *look) word(t []byte, at int) {
	if !l.seeks.has(names) || at < l.named {
		return
	}
	from, to := at, at+1
	for from > 0 && at-from <= longestName && fileByte[t[from-1]] {
		from--
	}
	for to < len(t) && fileByte[t[to]] {
		to++
	}
	l.named = to
	for from < to && (t[from] == '(' || t[from] == '[' || t[from] == '{') {
		from++
	}
	for to > from && (t[to-1] == ')' || t[to-1] == ']' || t[to-1] == '}' || t[to-1] == '.' || t[to-1] == '!') {
		to--
	}
	l.name(t[from:to])
}

// lastName looks for the name after the last separator of a path.
func (l *look) lastName(t []byte) {
	end := len(t)
	for end > 0 && (t[end-1] == '"' || t[end-1] == ' ') {
		end--
	}
	from := end
	for from > 0 && end-from <= longestName && t[from-1] != '/' && t[from-1] != '\\' {
		from--
	}
	for from < end && (t[from] == '"' || t[from] == ' ') {
		from++
	}
	l.name(t[from:end])
}

func (l *look) name(t []byte) {
	if len(t) == 0 || len(t) > longestName {
		return
	}
	if small(t) {
		l.probe(t, shown{file, t})
		return
	}
	l.folded(t)
}

// folded stands alone for its room, which takes time to make.
func (l *look) folded(t []byte) {
	var room [2 * longestName]byte
	l.probe(t, shown{file, watch.Fold(room[:0], t)})
}

// looksLikePath says whether a value begins as paths do: /x, \x, ~/x, %VAR%\x, C:\x.
func looksLikePath(t []byte) bool {
	switch t[0] {
	case '/', '\\', '~', '%':
		return true
	}
	return len(t) > 2 && t[1] == ':' && t[2] == '\\'
}

// fileByte are the bytes of a file's name in a text; one with blanks, commas and the like is found as a path's end only.
var fileByte = func() (out [256]bool) {
	for i := range out {
		out[i] = i > ' ' && i != 0x7f && !bytes.ContainsRune([]byte("\"'`<>|*?:/\\,;=&"), rune(i))
	}
	return out
}()

// mostNested bounds how many URLs are looked for within one: each may be as long as the rest of it.
const mostNested = 4

// url looks for the URL that begins at from and whose host begins at host, and for what begins it.
func (l *look) url(t []byte, from, host int) {
	if !l.seeks.has(urls) {
		return
	}
	if from < l.urls {
		if l.nested++; l.nested > mostNested {
			return
		}
	} else {
		l.nested = 0
	}
	quoted := from > 0 && t[from-1] == '\''
	to := host
	for to < len(t) && to-host < 2*longestURL && urlByte[t[to]] && (!quoted || t[to] != '\'') {
		to++
	}
	l.urls = max(l.urls, to)
	if from > 0 || to < len(t) { // in a text, what ends a sentence or closes a bracket is not of the URL
		to = trimmed(t, host, to)
	}
	var room [longestURL]byte
	key, _, whole, ok := appendURL(room[:0], t[from:to])
	if !ok {
		return
	}
	if whole {
		l.urlKey(t[from:to], key)
	} else {
		l.prefixes(t[from:to], key)
	}
}

// urlKey looks for a URL and for what begins it.
func (l *look) urlKey(text, key []byte) {
	l.probe(text, shown{url, key})
	l.prefixes(text, key)
}

// prefixes looks for what begins a URL.
func (l *look) prefixes(text, key []byte) {
	if !l.seeks.has(1 << prefix) {
		return
	}
	it, at := shown{url, key}, key[:hostEnd(key)]
	if l.found != nil {
		l.found.add(reach, at)
		return
	}
	h := hash(reach, at)
	if !l.exact {
		l.wait(h)
		return
	}
	for _, g := range [2]*generation{l.s.live, l.s.sealed} {
		bucket := g.bucket(h)
		for i := range bucket {
			if e := &bucket[i]; g.is(e, h, reach, at) && int(e.origin) <= len(key) {
				begins := key[:e.origin]
				l.probeIn(g, text, it, prefix, hash(prefix, begins), begins)
			}
		}
	}
}

// urlByte are the bytes that a URL in a text is followed over.
var urlByte = func() (out [256]bool) {
	for i := range out {
		out[i] = i > ' ' && i != 0x7f && !bytes.ContainsRune([]byte("\"<>`"), rune(i))
	}
	return out
}()

// trimmed is where a URL ends that is followed by the marks of a sentence, a few at most.
func trimmed(t []byte, from, to int) int {
	for range 8 {
		if to == from {
			break
		}
		open := byte(0)
		switch t[to-1] {
		case '.', ',', ';', ':', '!', '?', '\'', '*':
		case ')':
			open = '('
		case ']':
			open = '['
		case '}':
			open = '{'
		default:
			return to
		}
		if open != 0 && bytes.IndexByte(t[from:to], open) >= 0 {
			return to
		}
		to--
	}
	return to
}

// probe looks for what is shown.
func (l *look) probe(text []byte, it shown) { l.probeFor(text, it, it.kind, it.key) }

// probeFor looks for a key that follows from what is shown.
func (l *look) probeFor(text []byte, it shown, k kind, key []byte) {
	if l.found != nil {
		l.found.add(k, key)
		return
	}
	h := hash(k, key)
	if !l.exact {
		l.wait(h)
		return
	}
	l.probeIn(l.s.live, text, it, k, h, key)
	l.probeIn(l.s.sealed, text, it, k, h, key)
}

func (l *look) wait(h uint64) {
	if l.waits == len(l.waiting) {
		l.flush()
	}
	l.s.sealed.filter.soon(h)
	l.waiting[l.waits] = h
	l.waits++
}

func (l *look) probeIn(g *generation, text []byte, it shown, k kind, h uint64, key []byte) {
	bucket := g.bucket(h)
	for i := range bucket {
		e := &bucket[i]
		if !g.is(e, h, k, key) || e.marked(withdrawn) || e.marked(alone) && len(key) < len(it.key) {
			continue
		}
		if g == l.s.sealed && l.s.live.states(h, k, key, g.origins[e.origin].source) {
			continue
		}
		if now := l.now.of(l.x.clock); now < e.from || now >= e.until || l.known(e, text) {
			continue
		}
		l.hits = append(l.hits, Hit{Field: l.field, Value: text, Warned: l.s.warnings.warned(g, e, it), from: g, at: e})
	}
}

// remembered is how many of the last hits are compared with a new one: a text that repeats thousands of indicators in turn
// gives some of them again rather than costing their square.
const remembered = 128

// known says whether the statement was found already in this field, or in this very text under another name.
func (l *look) known(e *entry, text []byte) bool {
	for i := len(l.hits) - 1; i >= max(l.others, len(l.hits)-remembered); i-- {
		h := &l.hits[i]
		if h.at == e && (unsafe.SliceData(h.Field) == unsafe.SliceData(l.field) || unsafe.SliceData(h.Value) == unsafe.SliceData(text)) {
			return true
		}
	}
	return false
}
