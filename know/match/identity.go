package match

import (
	"strings"

	"wardwatch/know"
	"wardwatch/ward"
)

// Identity is one software identity made ready for evaluation: parsed once, compared often.
type Identity struct {
	Software ward.Software
	Keys     []string // product keys, sorted

	cpe     *know.CPE
	part    string // a, o, h; empty when nothing says
	vendor  string
	product string
	pkg     string // package key
	release string // of the distribution that a package was built for
	windows string // the release of a Windows that is known by its build: "22h2", "1809"
	family  string // of an operating system: windows, linux, macos, ios, android
	version string // as written; empty when there is none that can be compared
	key     string // version key of the vendor scheme
	update  string // key of its CPE's update
	branch  string
}

// Read makes an identity ready.
func Read(sw ward.Software) *Identity { return ReadAs(sw, know.Aliases{}) }

// ReadAs is Read with the names that analysts joined.
func ReadAs(sw ward.Software, names know.Aliases) *Identity {
	id := &Identity{Software: sw, Keys: names.ProductKeys(sw), vendor: sw.Vendor, product: sw.Product, version: sw.Version}
	if sw.CPE != "" {
		if c, err := know.ParseCPE(sw.CPE); err == nil {
			id.cpe, id.part = &c, c.Part
			id.update, _ = know.OrderKey(know.SchemeVendor, know.Plain(c.Update))
			if id.product == "" {
				id.vendor, id.product = know.Plain(c.Vendor), know.Plain(c.Product)
			}
			if !know.Usable(id.version) {
				id.version = know.Plain(c.Version)
				if early := know.Plain(c.Update); know.Early(early) {
					id.version += " " + early // 1.0:rc1 is before 1.0
				}
			}
		}
	}
	if sw.PURL != "" {
		id.pkg, id.release = know.PackageKey(sw.PURL), releaseOfPackage(sw.PURL)
		if !know.Usable(id.version) {
			id.version = know.PackageVersion(sw.PURL)
		}
	}
	if !know.Usable(id.version) {
		id.version = ""
	}
	id.family = family(id.vendor, id.product)
	if id.family == "windows" {
		id.readBuild()
	}
	id.key, _ = know.OrderKey(know.SchemeVendor, id.version)
	id.branch = know.Branch(id.version)
	if id.part == "" && id.family != "" {
		id.part = "o"
	}
	return id
}

// readBuild reads the version of a Windows: only a full build number tells what has been updated.
func (id *Identity) readBuild() {
	full, build := know.WindowsBuild(id.version)
	if release := know.WindowsProduct(build, strings.Contains(strings.ToLower(id.product), "server")); release != "" {
		id.windows = strings.ToLower(release[strings.LastIndexByte(release, ' ')+1:])
	}
	if build != "" || strings.Contains(strings.ToUpper(id.version), "KB") {
		id.version = full
	}
}

// at is the identity with another version: to ask what a source says of a fix.
func (id *Identity) at(version string) *Identity {
	other := *id
	other.version = version
	other.key, _ = know.OrderKey(know.SchemeVendor, version)
	other.branch = know.Branch(version)
	if id.cpe != nil {
		c := *id.cpe
		c.Version, c.Update = know.NewCPE("a", "", "", version).Version, know.AnyValue
		other.cpe, other.update = &c, noUpdate
	}
	return &other
}

// keyIn is the identity's version key in a scheme, and whether that scheme orders it.
func (id *Identity) keyIn(scheme string) (string, bool) {
	if scheme == "" || scheme == know.SchemeVendor || scheme == "custom" {
		return id.key, true
	}
	return know.OrderKey(scheme, id.version)
}

func (id *Identity) has(key string) bool {
	for _, own := range id.Keys {
		if own == key {
			return true
		}
	}
	return false
}

// name is the product as a sentence says it.
func (id *Identity) name() string {
	if id.product != "" {
		return id.product
	}
	return id.Software.String()
}

// families are words in the names of operating systems, first match wins.
var families = []struct{ word, family string }{
	{"windows_phone", ""}, {"windows", "windows"}, {"android", "android"}, {"iphone_os", "ios"}, {"ipados", "ios"}, {"ipad_os", "ios"},
	{"mac_os", "macos"}, {"macos", "macos"}, {"os_x", "macos"}, {"linux", "linux"}, {"ubuntu", "linux"}, {"debian", "linux"}, {"fedora", "linux"},
	{"centos", "linux"}, {"red_hat_enterprise", "linux"}, {"rhel", "linux"},
}

// makers are who makes operating systems: a word in a product's name alone is no proof ("Agent for Windows").
var makers = map[string]bool{
	"microsoft": true, "apple": true, "google": true, "linux": true, "canonical": true, "debian": true, "redhat": true, "red hat": true,
	"fedoraproject": true, "centos": true, "oracle": true, "suse": true, "opensuse": true, "almalinux": true, "rocky": true, "": true,
}

// family is the kind of operating system that a product is; empty when it is none.
func family(vendor, product string) string {
	maker := strings.ToLower(strings.TrimSpace(vendor))
	for _, form := range []string{" corporation", ", inc.", " inc.", " inc", " ltd", " llc"} {
		maker = strings.TrimSuffix(maker, form)
	}
	if !makers[maker] {
		return ""
	}
	name := strings.NewReplacer(" ", "_", "-", "_").Replace(strings.ToLower(strings.TrimSpace(product)))
	name = strings.TrimPrefix(strings.TrimPrefix(name, maker+"_"), "apple_")
	for _, f := range families {
		if strings.HasPrefix(name, f.word) && systemName(name[len(f.word):]) {
			return f.family
		}
	}
	if strings.HasSuffix(name, "_linux") {
		return "linux"
	}
	return ""
}

// systemName reports whether what follows an operating system's word still names one: an edition or number, not a product
// such as Windows Defender.
func systemName(rest string) bool {
	rest = strings.TrimLeft(rest, "_")
	if rest == "" || rest[0] >= '0' && rest[0] <= '9' {
		return true
	}
	for _, word := range []string{"server", "vista", "xp", "rt", "kernel", "enterprise", "linux", "x", "big", "me", "nt", "core", "pro", "home", "education", "desktop"} {
		if tail, ok := strings.CutPrefix(rest, word); ok && (tail == "" || tail[0] == '_' || tail[0] >= '0' && tail[0] <= '9') {
			return !strings.HasPrefix(rest, "server_update") // Windows Server Update Services is an application
		}
	}
	return false
}

// systems are the values of a CPE's target software that name an operating system.
var systems = map[string]string{
	"windows": "windows", "windows_10": "windows", "windows_11": "windows", "linux": "linux", "linux_kernel": "linux", "macos": "macos", "mac_os_x": "macos", "mac_os": "macos",
	"iphone_os": "ios", "ios": "ios", "ipados": "ios", "ipad_os": "ios", "android": "android",
}

// Key is the identity's version key in the vendor scheme: what versions are compared by.
func (id *Identity) Key() string { return id.key }
