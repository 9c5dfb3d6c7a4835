package indicators

import (
	"bytes"

	"wardwatch/watch"
)

// A Keyer gives the keys of everything in a record by which Look could find an indicator, and of its users. It goes through a
// record as Look does, so that what is kept with these keys is found by whatever would have been found live. For one goroutine
// at a time.
type Keyer struct {
	look  look
	users []bool // by watch.Field
	names map[string]string
	room  []byte
}

// NewKeyer makes a Keyer for records whose fields are numbered by names, which hold Fields and UserFields.
func NewKeyer(names *watch.Names) *Keyer {
	nothing := new(generation)
	k := &Keyer{names: map[string]string{}, users: make([]bool, names.Len()+1)}
	for _, name := range UserFields() {
		if f := names.Find([]byte(name)); f != 0 {
			k.users[f] = true
		}
	}
	k.look = look{
		x: &Index{fields: treatments(names)},
		s: &snapshot{sealed: nothing, live: nothing, warnings: nothing, kinds: all | 1<<reach},
	}
	return k
}

// Keys implements watch.Keyer.
func (k *Keyer) Keys(r *watch.Record, keys []uint64, domains []string) ([]uint64, []string) {
	k.look.found = &found{keys: keys, domains: domains, names: k.names}
	k.look.record(r)
	f := k.look.found
	k.look.found = nil
	for i := range r.Values {
		v := &r.Values[i]
		if int(v.Field) < len(k.users) && k.users[v.Field] && v.Kind == watch.Text {
			if k.room = User(k.room[:0], v.Text); len(k.room) > 0 {
				f.keys = append(f.keys, watch.Key(watch.UserKey, k.room))
			}
		}
	}
	return f.keys, f.domains
}

// found is what a Keyer has of a record. Keys are taken here and not through a function that is handed in, because whatever is
// handed to one of those cannot stay on the stack, in Look neither.
type found struct {
	keys    []uint64
	domains []string
	names   map[string]string
}

func (f *found) add(k kind, key []byte) {
	f.keys = append(f.keys, watch.Key(keyKinds[k], key))
	if k != domain {
		return
	}
	name, known := f.names[string(key)]
	if !known {
		if len(f.names) >= mostNames {
			clear(f.names)
		}
		name = string(key)
		f.names[name] = name
	}
	f.domains = append(f.domains, name)
}

// mostNames is how many names a Keyer knows at a time, so that it makes each once.
const mostNames = 1 << 16

// keyKinds are the kinds by which the archive finds what a table's kind is about.
var keyKinds = [kindCount]watch.KeyKind{
	address: watch.AddressKey, domain: watch.DomainKey, url: watch.URLKey, md5: watch.DigestKey, sha1: watch.DigestKey,
	sha256: watch.DigestKey, sha512: watch.DigestKey, email: watch.EmailKey, file: watch.FileKey, reach: watch.URLHostKey,
}

// shortened are the lengths of networks that have keys: of IPv4, of IPv6.
var shortened = [2][]int{{16, 24}, {32, 48, 64}}

// networks adds the keys of the networks that an address is in.
func (f *found) networks(ip []byte) {
	var room [17]byte
	for _, count := range shortened[len(ip)/16] {
		f.keys = append(f.keys, watch.Key(watch.PrefixKey, appendNetwork(room[:0], ip, count)))
	}
}

// UserFields are the names of fields whose values are users.
func UserFields() []string {
	return []string{
		"User", "UserName", "AccountName", "SubjectUserName", "TargetUserName", "SourceUser", "TargetUser", "ParentUser", "AccountUpn",
		"InitiatingProcessAccountName", "InitiatingProcessAccountUpn", "user.name", "source.user.name", "destination.user.name",
		"userIdentity.userName", "UserId", "UserPrincipalName", "suser", "duser", "usrName", "srcuser", "dstuser", "cs-username", "cs_username",
		"username", "acct", "auid", "uid",
	}
}

// User appends a user's name as keys have it: small letters, without the domain before or behind it.
func User(to, name []byte) []byte {
	if i := bytes.LastIndexAny(name, `\/`); i >= 0 {
		name = name[i+1:]
	}
	if i := bytes.IndexByte(name, '@'); i > 0 {
		name = name[:i]
	}
	if name = bytes.TrimSpace(name); len(name) == 0 || len(name) > longestName || string(name) == "-" {
		return to
	}
	return watch.Fold(to, name)
}
