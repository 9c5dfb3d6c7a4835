package csaf

import (
	"cmp"
	"fmt"
	"strings"

	"wardwatch/know"
	"wardwatch/know/feeds"
)

// tree is the JSON of a product tree.
type tree struct {
	Branches      []branch       `json:"branches"`
	Names         []fullProduct  `json:"full_product_names"`
	Relationships []relationship `json:"relationships"` // 2.0
	Paths         []productPath  `json:"product_paths"` // 2.1
	Groups        []struct {
		ID       string   `json:"group_id"`
		Products []string `json:"product_ids"`
	} `json:"product_groups"`
}

type branch struct {
	Category string       `json:"category"`
	Name     string       `json:"name"`
	Product  *fullProduct `json:"product"`
	Branches []branch     `json:"branches"`
}

type fullProduct struct {
	ID   string `json:"product_id"`
	Name string `json:"name"`
	Help struct {
		CPE   string   `json:"cpe"`
		PURL  string   `json:"purl"`  // 2.0
		PURLs []string `json:"purls"` // 2.1
		Files []struct {
			Name   string `json:"filename"`
			Hashes []struct {
				Algorithm string `json:"algorithm"`
				Value     string `json:"value"`
			} `json:"file_hashes"`
		} `json:"hashes"`
		Models []string `json:"model_numbers"`
	} `json:"product_identification_helper"`
}

type relationship struct {
	Category  string      `json:"category"`
	Product   fullProduct `json:"full_product_name"`
	Reference string      `json:"product_reference"`
	RelatesTo string      `json:"relates_to_product_reference"`
}

func (r relationship) references() []string { return []string{r.Reference, r.RelatesTo} }

type productPath struct {
	Product   fullProduct `json:"full_product_name"`
	Beginning string      `json:"beginning_product_reference"`
	Subpaths  []struct {
		Category string `json:"category"`
		Next     string `json:"next_product_reference"`
	} `json:"subpaths"`
}

func (p productPath) references() []string {
	all := []string{p.Beginning}
	for _, s := range p.Subpaths {
		all = append(all, s.Next)
	}
	return all
}

// each visits every definition of a product.
func (t *tree) each(visit func(p fullProduct, at string)) {
	var down func(all []branch, at string)
	down = func(all []branch, at string) {
		for i := range all {
			here := fmt.Sprintf("%s/%d", at, i)
			if p := all[i].Product; p != nil {
				visit(*p, here+"/product")
			}
			down(all[i].Branches, here+"/branches")
		}
	}
	down(t.Branches, "/product_tree/branches")
	for i, p := range t.Names {
		visit(p, fmt.Sprintf("/product_tree/full_product_names/%d", i))
	}
	for i, r := range t.Relationships {
		visit(r.Product, fmt.Sprintf("/product_tree/relationships/%d/full_product_name", i))
	}
	for i, p := range t.Paths {
		visit(p.Product, fmt.Sprintf("/product_tree/product_paths/%d/full_product_name", i))
	}
}

// Hash is one file by which a product can be told.
type Hash struct{ File, Algorithm, Value string }

// product is one entry of the tree as the claims need it.
type product struct {
	name     string // as the document writes it in full
	vendor   string
	product  string
	versions []know.Range // without status; empty: every version, or none is named
	cpe      string       // as the document gives it
	cpes     []string     // for every version
	purls    []string     // without version
	models   []string
	files    []Hash
	on       []string // products that it is a part of or runs on
	within   []string // IDs of products that ship with it
	base     string   // the CPE name of the lowest of those that has one
	special  string   // the Ecosystem of a distribution's package
}

// place is where in the branches a product stands.
type place struct{ vendor, family, product, version, span, pack string }

// resolve works out every product of the tree. It has passed the tests, so that nothing is missing or circular.
func (t *tree) resolve(a *Advisory) map[string]product {
	all := map[string]product{}
	maker := ""
	if a.Role == "vendor" {
		maker = a.Publisher
	}
	var down func(branches []branch, at place)
	down = func(branches []branch, at place) {
		for _, b := range branches {
			here := at.inside(b)
			if b.Product != nil {
				all[b.Product.ID] = here.read(*b.Product, maker)
			}
			down(b.Branches, here)
		}
	}
	down(t.Branches, place{})
	for _, p := range t.Names {
		all[p.ID] = place{}.read(p, maker)
	}
	t.join(all)
	return all
}

func (at place) inside(b branch) place {
	name := strings.TrimSpace(b.Name)
	switch b.Category {
	case "vendor":
		at.vendor = name
	case "product_family":
		at.family = name
	case "product_name":
		at.product = name
	case "product_version":
		at.version = name
	case "product_version_range":
		at.span = name
	case "service_pack", "patch_level":
		at.pack = strings.TrimSpace(at.pack + " " + name)
	}
	return at
}

// read works out one product from where it stands and what helps to identify it.
func (at place) read(p fullProduct, maker string) product {
	out := product{name: strings.TrimSpace(p.Name), vendor: at.vendor, product: cmp.Or(at.product, at.family), models: p.Help.Models}
	for _, f := range p.Help.Files {
		for _, h := range f.Hashes {
			out.files = append(out.files, Hash{f.Name, h.Algorithm, h.Value})
		}
	}
	scheme := ""
	exact := at.version
	if exact != "" && at.pack != "" {
		exact += " " + at.pack
	}
	helped := out.help(p, &scheme)
	if out.product == "" { // no name of its own: the package's, or the full name without its version
		if name := packageName(out.purls); name != "" {
			out.product = name
		} else {
			var version string
			out.product, version = splitName(out.name, cmp.Or(at.version, helped))
			helped = cmp.Or(helped, version)
		}
	}
	if out.vendor == "" && len(out.purls)+len(out.cpes) == 0 {
		out.vendor = maker
	}
	switch {
	case at.span != "":
		out.versions = ranges(at.span, scheme)
	case helped != "" && (scheme != "" || exact == ""): // a package's own version is its order's; a branch's name may be a file's
		out.versions = []know.Range{{Version: helped, Scheme: scheme}}
	case exact != "":
		out.versions = ranges(exact, scheme)
	}
	return out
}

// help takes in what identifies the product, and returns the version that it names.
func (p *product) help(full fullProduct, scheme *string) (version string) {
	purls := full.Help.PURLs
	if full.Help.PURL != "" {
		purls = append([]string{full.Help.PURL}, purls...)
	}
	for _, purl := range purls {
		bare, v, order := feeds.Package(purl)
		if bare == "" {
			continue
		}
		p.purls = add(p.purls, bare)
		version, *scheme = cmp.Or(version, v), cmp.Or(*scheme, order)
	}
	p.cpe = cmp.Or(full.Help.CPE, p.cpe)
	if cpe, v := feeds.AnyVersion(full.Help.CPE); cpe != "" {
		p.cpes = add(p.cpes, cpe)
		version = cmp.Or(version, v)
	}
	return version
}

func packageName(purls []string) string {
	if len(purls) == 0 {
		return ""
	}
	name, _, _ := strings.Cut(purls[0], "?")
	return name[strings.LastIndexByte(name, '/')+1:]
}

// splitName takes the version off the end of a full name: the one that is known, else a last word that is one.
func splitName(name, version string) (product, found string) {
	if version != "" {
		if short := strings.TrimSpace(strings.TrimSuffix(name, version)); short != "" {
			return short, version
		}
		return name, version
	}
	at := strings.LastIndexByte(name, ' ')
	if at > 0 && isVersion(name[at+1:]) && strings.ContainsAny(name[at+1:], ".") {
		return strings.TrimSpace(name[:at]), name[at+1:]
	}
	return name, ""
}

// join works out the products that are made of others: the first is the subject, the others are what it is a part of or
// runs on.
func (t *tree) join(all map[string]product) {
	type made struct {
		fullProduct
		subject string
		others  []string
		inside  bool // the subject ships in the others
	}
	waiting := map[string]made{}
	for _, r := range t.Relationships {
		waiting[r.Product.ID] = made{r.Product, r.Reference, []string{r.RelatesTo}, r.Category == "default_component_of"}
	}
	for _, p := range t.Paths {
		m := made{p.Product, p.Beginning, nil, true}
		for _, s := range p.Subpaths {
			m.others, m.inside = append(m.others, s.Next), m.inside && s.Category == "default_component_of"
		}
		waiting[p.Product.ID] = m
	}
	var finish func(id string) product
	finish = func(id string) product { // the tests leave no circle
		m, ok := waiting[id]
		if !ok {
			return all[id]
		}
		delete(waiting, id)
		subject := finish(m.subject)
		for _, other := range m.others {
			finish(other)
		}
		all[id] = subject.part(m.fullProduct, m.others, m.inside, all)
		return all[id]
	}
	for id := range waiting {
		finish(id)
	}
}

// part is the subject as a part of others, or running on them.
func (p product) part(full fullProduct, others []string, ships bool, all map[string]product) product {
	p.name = strings.TrimSpace(full.Name)
	p.on, p.within, p.cpes, p.purls = clone(p.on), clone(p.within), clone(p.cpes), clone(p.purls)
	var scheme string
	if version := p.help(full, &scheme); version != "" && len(p.versions) == 0 {
		p.versions = []know.Range{{Version: version, Scheme: scheme}}
	}
	for _, id := range others {
		other := all[id]
		p.on = add(p.on, other.name)
		if ships && len(p.purls) == 0 {
			p.within = add(p.within, id)
		}
		p.base = cmp.Or(p.base, other.cpe, other.base)
	}
	if p.special == "" {
		p.special = ecosystem(p.purls, p.base)
	}
	return p
}

// ecosystem names the release of a distribution as OSV does, from the CPE name of the product that a package is a part of.
func ecosystem(purls []string, cpe string) string {
	if len(purls) == 0 || !strings.HasPrefix(purls[0], "pkg:rpm/redhat/") {
		return ""
	}
	for _, part := range []string{"cpe:/o:redhat:", "cpe:/a:redhat:"} {
		if release, ok := strings.CutPrefix(cpe, part); ok {
			return "Red Hat:" + release
		}
	}
	return ""
}

func add(all []string, one string) []string {
	for _, have := range all {
		if have == one {
			return all
		}
	}
	return append(all, one)
}

func clone(all []string) []string { return append([]string(nil), all...) }
