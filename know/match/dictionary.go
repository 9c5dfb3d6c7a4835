package match

import (
	"strings"

	"wardwatch/know"
)

// A dictionary holds what records name again and again, read once: half a million conditions name some ten thousand products
// and as many stretches of versions. It is not safe for concurrent use while it grows; what it has given out never changes.
type dictionary struct {
	names     map[string]*name
	stretches map[bounds]*span
	products  map[product]key
	keys      map[string]int32 // numbers of product keys
}

func newDictionary() *dictionary {
	return &dictionary{map[string]*name{}, map[bounds]*span{}, map[product]key{}, map[string]int32{}}
}

// A name is one CPE pattern made ready.
type name struct {
	text   string // as written
	cpe    know.CPE
	key           // of the product
	family string // of a whole family of operating systems, "windows" for windows:-
	bare   bool   // says nothing beyond part, vendor, product, version and update
	open   bool   // nor of the update
	wild   bool   // its version is a pattern
	full   string // version key with the update in it, which some write as one: "3.2.0 p1"; empty without
	update string // key of its update
	span   *span  // of its version alone

	pattern bool // its product is one
}

// bounds are the ends of a stretch in a condition, as written.
type bounds struct{ startIncluding, startExcluding, endIncluding, endExcluding string }

type product struct{ vendor, product string } // as CPE values

// A key is a product key and its number in the dictionary.
type key struct {
	key     string
	product int32
}

// generic are products that stand for a whole family of operating systems when no version is given.
var generic = map[string]string{
	"microsoft/windows": "windows", "linux/kernel": "linux", "linux/linux": "linux", "apple/macos": "macos", "apple/macosx": "macos",
	"apple/iphoneos": "ios", "google/android": "android",
}

// name is nil for text that is no CPE.
func (d *dictionary) name(text string) *name {
	if n, ok := d.names[text]; ok {
		return n
	}
	cpe, err := know.ParseCPE(text)
	if err != nil {
		d.names[text] = nil
		return nil
	}
	n := &name{text: text, cpe: cpe, key: d.key(cpe.Vendor, cpe.Product), bare: true}
	if cpe.Version == know.AnyValue || cpe.Version == know.NoValue {
		n.family = generic[n.key.key]
	}
	for _, value := range [...]string{cpe.Edition, cpe.Language, cpe.SWEdition, cpe.TargetSW, cpe.TargetHW, cpe.Other} {
		n.bare = n.bare && value == know.AnyValue
	}
	n.open = n.bare && cpe.Update == know.AnyValue
	n.span = &span{status: know.ClaimAffected}
	if cpe.Version != know.AnyValue {
		n.span.exact, n.span.from = true, know.Plain(cpe.Version)
	}
	n.span.ready()
	n.pattern = strings.ContainsAny(cpe.Product, "*?")
	n.wild = cpe.Version != know.AnyValue && strings.ContainsAny(cpe.Version, "*?")
	update := know.Plain(cpe.Update)
	n.update, _ = know.OrderKey(know.SchemeVendor, update)
	if update != "" && n.span.from != "" {
		n.full, _ = know.OrderKey(know.SchemeVendor, n.span.from+" "+update)
	}
	d.names[text] = n
	return n
}

// key is the product key of a CPE's vendor and product.
func (d *dictionary) key(vendor, name string) key {
	p := product{vendor, name}
	k, ok := d.products[p]
	if !ok {
		k.key = know.ProductKey(know.Plain(vendor), know.Plain(name))
		k.product = d.number(k.key)
		d.products[p] = k
	}
	return k
}

// number is that of a product key.
func (d *dictionary) number(key string) int32 {
	n, ok := d.keys[key]
	if !ok {
		n = int32(len(d.keys))
		d.keys[key] = n
	}
	return n
}

// stretch is the versions that a condition is about.
func (d *dictionary) stretch(m know.CPEMatch, of *name) *span {
	b := bounds{m.StartIncluding, m.StartExcluding, m.EndIncluding, m.EndExcluding}
	if b == (bounds{}) {
		return of.span
	}
	s, ok := d.stretches[b]
	if !ok {
		s = &span{status: know.ClaimAffected, from: b.startIncluding, to: b.endExcluding}
		if b.startExcluding != "" {
			s.from, s.fromOpen = b.startExcluding, true
		}
		if b.endIncluding != "" {
			s.to, s.toClosed = b.endIncluding, true
		}
		s.ready()
		d.stretches[b] = s
	}
	return s
}
