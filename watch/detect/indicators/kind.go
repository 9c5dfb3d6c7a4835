package indicators

import (
	"encoding/hex"
	"hash/maphash"
	"net/netip"

	"wardwatch/ward"
)

// kind is what a key is, as tables keep it.
type kind uint8

const (
	address kind = iota // 4 or 16 bytes
	network             // 4 or 16 bytes, and one for how many bits count
	domain              // small letters, ASCII form, no dot at the end
	url                 // see appendURL
	prefix              // as url
	md5                 // the digest's bytes
	sha1
	sha256
	sha512
	email // small letters
	file  // folded
	// reach says of a host which lengths its prefixes have; the length stands where others have their origin. It is no
	// indicator: it is how those that begin a URL are found without trying every length.
	reach
	kindCount
)

var words = [kindCount]ward.IndicatorKind{
	address: ward.IndicatorAddress, network: ward.IndicatorNetwork, domain: ward.IndicatorDomain, url: ward.IndicatorURL,
	prefix: ward.IndicatorURLPrefix, md5: ward.IndicatorMD5, sha1: ward.IndicatorSHA1, sha256: ward.IndicatorSHA256,
	sha512: ward.IndicatorSHA512, email: ward.IndicatorEmail, file: ward.IndicatorFile,
}

// kinds is a set of kinds.
type kinds uint16

const (
	none      kinds = 0
	addresses       = 1<<address | 1<<network
	domains         = 1 << domain
	urls            = 1<<url | 1<<prefix
	digests         = 1<<md5 | 1<<sha1 | 1<<sha256 | 1<<sha512
	emails          = 1 << email
	names           = 1 << file
	all             = addresses | domains | urls | digests | emails | names
)

func (s kinds) has(some kinds) bool { return s&some != 0 }

// seed makes it unknown outside what hash a value has, so that nobody can choose many that share one.
var seed = maphash.MakeSeed()

// salts part keys of different kinds that have the same bytes.
var salts = func() (out [kindCount]uint64) {
	for k := range out {
		out[k] = maphash.Comparable(seed, k)
	}
	return out
}()

func hash(k kind, key []byte) uint64 { return maphash.Bytes(seed, key) ^ salts[k] }

// text writes a key as people read it.
func (k kind) text(key []byte) string {
	switch k {
	case address:
		a, _ := netip.AddrFromSlice(key)
		return a.String()
	case network:
		a, _ := netip.AddrFromSlice(key[:len(key)-1])
		return netip.PrefixFrom(a, int(key[len(key)-1])).String()
	case md5, sha1, sha256, sha512:
		return hex.EncodeToString(key)
	case prefix:
		return string(key) + "*"
	default:
		return string(key)
	}
}
