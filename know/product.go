package know

import (
	"cmp"
	_ "embed"
	"encoding/csv"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/package-url/packageurl-go"

	"wardwatch/ward"
)

// ProductKey is the one key by which a product is known, however it is written: letters and digits of vendor and product,
// without the company's legal form, a repeated vendor, an abbreviation in brackets or the word firmware, and through the
// alias tables below. "Ivanti", "Endpoint Manager Mobile (EPMM)" and "MobileIron", "Core" share a key.
func ProductKey(vendor, product string) string {
	key := plainKey(vendor, product)
	if same, ok := aliases()[key]; ok {
		return same
	}
	return key
}

// plainKey is ProductKey before the table of other names. It is empty without a product.
func plainKey(vendor, product string) string {
	v := vendorName(vendor)
	p := fold(withoutBracket(product))
	if p == "" {
		return ""
	}
	if short := strings.TrimSuffix(p, "firmware"); short != "" {
		p = short
	}
	if short := strings.TrimPrefix(p, v); v != "" && short != "" && !digit(short[0]) {
		p = short
	}
	if v == "microsoft" {
		p = plainWindows(p)
	}
	return v + "/" + p
}

// PackageKey is the key of a package URL without its version and qualifiers; empty when it is none.
func PackageKey(purl string) string {
	p, err := packageurl.FromString(purl)
	if err != nil {
		return ""
	}
	key := "pkg:" + strings.ToLower(p.Type) + "/"
	if p.Namespace != "" {
		key += strings.ToLower(p.Namespace) + "/"
	}
	return key + strings.ToLower(p.Name)
}

// PackageVersion is the version that a package URL names, or empty.
func PackageVersion(purl string) string {
	p, err := packageurl.FromString(purl)
	if err != nil {
		return ""
	}
	return p.Version
}

// ProductKeys lists, sorted, every key under which software can be matched: those of its CPE, its package URL and its name.
func ProductKeys(sw ward.Software) []string {
	var keys []string
	if sw.CPE != "" {
		if c, err := ParseCPE(sw.CPE); err == nil {
			keys = append(keys, ProductKey(Plain(c.Vendor), Plain(c.Product)))
			keys = append(keys, windowsKeys(keys, Plain(c.Version))...)
		}
	}
	if sw.PURL != "" {
		keys = append(keys, PackageKey(sw.PURL))
	}
	keys = append(keys, NameKeys(sw.Vendor, sw.Product)...)
	keys = append(keys, windowsKeys(keys, sw.Version)...)
	return sortedKeys(keys)
}

// NameKeys lists the keys of a name. Where the vendor is missing, the first word or two of the product may be it.
func NameKeys(vendor, product string) []string {
	if fold(vendor) != "" {
		return sortedKeys([]string{ProductKey(vendor, product)})
	}
	words := strings.Fields(product)
	var keys []string
	for n := 1; n <= 2 && n < len(words); n++ {
		keys = append(keys, ProductKey(strings.Join(words[:n], " "), strings.Join(words[n:], " ")))
	}
	return sortedKeys(keys)
}

// ProductKeys lists, sorted, every key of the products that the report calls vulnerable.
func (r Report) ProductKeys() []string {
	var keys []string
	add := func(name string) {
		if c, err := ParseCPE(name); err == nil {
			keys = append(keys, ProductKey(Plain(c.Vendor), Plain(c.Product)))
		}
	}
	for _, claim := range r.Claims {
		if fold(claim.Vendor) != "" {
			keys = append(keys, ProductKey(claim.Vendor, claim.Product))
		}
		if claim.PURL != "" {
			keys = append(keys, PackageKey(claim.PURL))
		}
		for _, name := range claim.CPEs {
			add(name)
		}
	}
	for _, tree := range r.Trees {
		tree.Walk(func(m CPEMatch) {
			if m.Vulnerable {
				add(m.CPE)
			}
		})
	}
	return sortedKeys(keys)
}

// Walk visits every match of the tree.
func (n Node) Walk(visit func(CPEMatch)) {
	for _, m := range n.Matches {
		visit(m)
	}
	for _, child := range n.Children {
		child.Walk(visit)
	}
}

func sortedKeys(keys []string) []string {
	keys = slices.DeleteFunc(keys, func(key string) bool { return key == "" })
	slices.Sort(keys)
	return slices.Compact(keys)
}

// fold keeps letters and digits, lower case; + and # are part of names such as C++ and C#.
func fold(name string) string {
	var b strings.Builder
	b.Grow(len(name))
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteByte(byte(r))
		case r == '+':
			b.WriteString("plus")
		case r == '#':
			b.WriteString("sharp")
		case unicode.IsLetter(r), unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// withoutBracket drops a bracket at the end that only abbreviates the name before it, or gives a processor: "Endpoint
// Manager Mobile (EPMM)", "7-Zip (x64)". Any other bracket tells products apart and stays.
func withoutBracket(product string) string {
	name, inside, ok := strings.Cut(strings.TrimSpace(product), "(")
	inside, closed := strings.CutSuffix(inside, ")")
	if !ok || !closed || fold(name) == "" {
		return product
	}
	switch word := fold(inside); {
	case word == "x64" || word == "x86" || word == "64bit" || word == "32bit" || word == "arm64":
		return name
	case word != "" && abbreviates(word, fold(name)):
		return name
	}
	return product
}

// abbreviates reports whether short is the first letter of name and more of its letters in order.
func abbreviates(short, name string) bool {
	if len(short) > 8 || short[0] != name[0] {
		return false
	}
	at := 0
	for i := 0; i < len(name) && at < len(short); i++ {
		if name[i] == short[at] {
			at++
		}
	}
	return at == len(short)
}

// legalForms end a company's name and tell nothing apart.
var legalForms = []string{
	"inc", "incorporated", "ltd", "limited", "llc", "corp", "corporation", "gmbh", "ag", "plc", "bv", "nv", "co", "company",
	"sa", "srl", "se", "oy", "ab", "as", "kg", "kgaa", "pty", "lp", "foundation", "project",
}

// vendorName folds a vendor's name, without legal forms and through the table of other names.
func vendorName(vendor string) string {
	words := strings.FieldsFunc(vendor, func(r rune) bool { return r == ' ' || r == ',' || r == '_' || r == '(' || r == ')' })
	if len(words) > 1 && strings.EqualFold(words[0], "the") {
		words = words[1:]
	}
	for len(words) > 1 && slices.Contains(legalForms, strings.ToLower(strings.ReplaceAll(words[len(words)-1], ".", ""))) {
		words = words[:len(words)-1]
	}
	v := fold(strings.Join(words, ""))
	if same, ok := vendors[v]; ok {
		return same
	}
	return v
}

// vendors are other spellings of one vendor's name, folded: public facts.
var vendors = map[string]string{
	"adobesystems":                   "adobe",
	"apachesoftware":                 "apache",
	"f5networks":                     "f5",
	"ciscosystems":                   "cisco",
	"citrixsystems":                  "citrix",
	"netscaler":                      "citrix",
	"connectwisellc":                 "connectwise",
	"gehealthcare":                   "ge",
	"generalelectric":                "ge",
	"gitlaborg":                      "gitlab",
	"hewlettpackardenterprise":       "hpe",
	"hewlettpackard":                 "hp",
	"microsoftcorp":                  "microsoft",
	"oraclecorp":                     "oracle",
	"paloalto":                       "paloaltonetworks",
	"philipshealthcare":              "philips",
	"progresssoftware":               "progress",
	"progressipswitch":               "progress",
	"pulsesecure":                    "ivanti",
	"mobileiron":                     "ivanti",
	"landesk":                        "ivanti",
	"sapse":                          "sap",
	"bectondickinson":                "bd",
	"bectondickinsonandbd":           "bd",
	"bectondickinsonand":             "bd",
	"siemenshealthcare":              "siemenshealthineers",
	"vmwarebybroadcom":               "vmware",
	"zohocorp":                       "zoho",
	"manageengine":                   "zoho",
	"zohocorpmanageengine":           "zoho",
	"barracudanetworks":              "barracuda",
	"checkpointsoftwaretechnologies": "checkpoint",
	"junipernetworks":                "juniper",
	"sonicwallinc":                   "sonicwall",
	"trendmicroinc":                  "trendmicro",
	"veeamsoftware":                  "veeam",
}

//go:embed names.csv
var namesFile string

// OtherName is one more name of a product, from the table of public facts: renamings, sales of a product line, and names
// that publishers write otherwise than the maker.
type OtherName struct {
	Vendor, Product           string // the name that is kept
	OtherVendor, OtherProduct string
	Why                       string // "renamed", "sold and renamed", "spelling"
}

// OtherNames is the table.
var OtherNames = sync.OnceValue(func() []OtherName {
	rows, err := csv.NewReader(strings.NewReader(namesFile)).ReadAll()
	if err != nil {
		panic("know: names.csv: " + err.Error()) // it is built in, and a test reads it
	}
	var all []OtherName
	for _, r := range rows[1:] {
		all = append(all, OtherName{r[0], r[1], r[2], r[3], r[4]})
	}
	return all
})

// aliases leads from the plain key of every other name to that of the name that is kept.
var aliases = sync.OnceValue(func() map[string]string {
	table := map[string]string{}
	for _, n := range OtherNames() {
		kept, key := plainKey(n.Vendor, n.Product), plainKey(n.OtherVendor, n.OtherProduct)
		if key != kept {
			table[key] = kept
		}
	}
	return table
})

// Recognised is how two names for one product came together: Name when they are the same words, Alias when it took the
// table of other names.
func Recognised(vendor, product, otherVendor, otherProduct string) ward.Confidence {
	if fold(product) != "" && fold(withoutBracket(product)) == fold(withoutBracket(otherProduct)) && fold(vendor) == fold(otherVendor) {
		return ward.Name
	}
	if plainKey(vendor, product) == plainKey(otherVendor, otherProduct) && vendorWords(vendor) == vendorWords(otherVendor) {
		return ward.Name
	}
	return ward.Alias
}

// vendorWords is vendorName before the table of other names.
func vendorWords(vendor string) string {
	v := vendorName(vendor)
	if plain := fold(vendor); vendors[plain] == v {
		return plain
	}
	return v
}

// Named gives software that came as a CPE alone a vendor, product and version that people can read, taken from the CPE. What
// a source said itself stays.
func Named(sw ward.Software) ward.Software {
	if sw.CPE == "" || (sw.Product != "" && sw.Version != "") {
		return sw
	}
	c, err := ParseCPE(sw.CPE)
	if err != nil {
		return sw
	}
	if sw.Product == "" {
		sw.Vendor, sw.Product = cmp.Or(sw.Vendor, readable(c.Vendor)), readable(c.Product)
	}
	sw.Version = cmp.Or(sw.Version, Plain(c.Version))
	return sw
}

// readable is a CPE component in words: "endpoint_manager_mobile" is "Endpoint manager mobile".
func readable(component string) string {
	words := strings.ReplaceAll(Plain(component), "_", " ")
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}
