package osquery

import (
	"cmp"
	"strings"

	"github.com/package-url/packageurl-go"

	"wardwatch/know"
	"wardwatch/ward"
)

// The tables that are read.
const (
	osVersion = "os_version"
	programs  = "programs"
	apps      = "apps"
	deb       = "deb_packages"
	rpm       = "rpm_packages"
)

// tableOf tells a row's table by its columns, since people name their queries as they like; empty for any other table.
func tableOf(c columns) string {
	has := func(names ...string) bool {
		for _, name := range names {
			if _, ok := c[name]; !ok {
				return false
			}
		}
		return true
	}
	switch {
	case has("platform", "major") || has("platform", "build", "version"):
		return osVersion
	case !has("name"):
		return ""
	case has("bundle_identifier") || has("bundle_short_version"):
		return apps
	case has("version", "release", "arch"):
		return rpm
	case has("version", "arch") && (has("revision") || has("status") || has("maintainer") || has("source")):
		return deb
	case has("version", "publisher") || has("version", "install_location") || has("version", "identifying_number"):
		return programs
	}
	return ""
}

// software reads a row; ok is false for what is no software, or no longer installed.
func (h *host) software(c columns) (sw ward.Software, ok bool) {
	switch tableOf(c) {
	case osVersion:
		return system(c)
	case programs:
		sw = ward.Software{Vendor: c.text("publisher"), Product: c.text("name"), Version: c.text("version")}
	case apps:
		sw = ward.Software{Product: strings.TrimSuffix(cmp.Or(c.text("display_name"), c.text("bundle_name"), c.text("name")), ".app"),
			Version: cmp.Or(c.text("bundle_short_version"), c.text("bundle_version"))}
	case deb:
		if status := c.text("status"); status != "" && !strings.HasSuffix(status, " installed") && status != "installed" {
			return sw, false // its settings are all that is left
		}
		sw = ward.Software{Product: c.text("name"), Version: c.text("version")}
		sw.PURL = packageURL("deb", h.debian(sw.Version), sw.Product, sw.Version, c, h.os)
	case rpm:
		sw = ward.Software{Vendor: c.text("vendor"), Product: c.text("name"), Version: c.text("version")}
		if release := c.text("release"); release != "" {
			sw.Version += "-" + release
		}
		sw.PURL = packageURL("rpm", h.redhat(sw.Vendor), sw.Product, sw.Version, c, h.os)
		if epoch := c.text("epoch"); epoch != "" && epoch != "0" {
			sw.Version = epoch + ":" + sw.Version
		}
	default:
		return sw, false
	}
	return sw, sw.Product != ""
}

// debian names the distribution of a host's packages: its own word, else what their versions betray.
func (h *host) debian(version string) string {
	switch platform := strings.ToLower(h.os.text("platform")); platform {
	case "debian", "ubuntu", "raspbian", "kali":
		return platform
	}
	switch like := strings.ToLower(h.os.text("platform_like")); {
	case strings.Contains(like, "ubuntu"), strings.Contains(version, "ubuntu"):
		return "ubuntu"
	case strings.Contains(like, "debian"), strings.Contains(version, "+deb"), strings.Contains(version, "~deb"):
		return "debian"
	}
	return ""
}

// spaces are the namespaces of package URLs by the platform that os_version names.
var spaces = map[string]string{
	"rhel": "redhat", "redhat": "redhat", "centos": "centos", "fedora": "fedora", "rocky": "rocky-linux", "almalinux": "almalinux", "amzn": "amazon",
	"ol": "oracle", "sles": "suse", "opensuse": "opensuse", "opensuse-leap": "opensuse", "opensuse-tumbleweed": "opensuse",
}

// makers are the namespaces of package URLs by how the vendor of a package begins.
var makers = []struct{ name, space string }{
	{"red hat", "redhat"}, {"centos", "centos"}, {"fedora", "fedora"}, {"rocky", "rocky-linux"}, {"almalinux", "almalinux"}, {"amazon", "amazon"},
	{"oracle", "oracle"}, {"suse", "suse"}, {"opensuse", "opensuse"},
}

func (h *host) redhat(vendor string) string {
	if space := spaces[strings.ToLower(h.os.text("platform"))]; space != "" {
		return space
	}
	for _, maker := range makers {
		if strings.HasPrefix(strings.ToLower(vendor), maker.name) {
			return maker.space
		}
	}
	return ""
}

// packageURL is a package's URL; empty where its distribution is not known.
func packageURL(kind, space, name, version string, c, os columns) string {
	if space == "" || name == "" {
		return ""
	}
	qualifiers := map[string]string{}
	if arch := c.text("arch"); arch != "" {
		qualifiers["arch"] = arch
	}
	if epoch := c.text("epoch"); epoch != "" && epoch != "0" {
		qualifiers["epoch"] = epoch
	}
	if release := releaseOf(os); release != "" {
		qualifiers["distro"] = strings.ToLower(os.text("platform")) + "-" + release
	}
	return packageurl.NewPackageURL(kind, space, name, version, packageurl.QualifiersFromMap(qualifiers), "").ToString()
}

// releaseOf is the number of a system's release: 12, 22.04, 8.6.
func releaseOf(os columns) string {
	major, minor := os.text("major"), os.text("minor")
	switch {
	case major == "" || major == "0":
		return ""
	case minor == "" || minor == "0":
		return major
	}
	if os.text("platform") == "ubuntu" && len(minor) == 1 {
		minor = "0" + minor
	}
	return major + "." + minor
}

// classOf tells workstations from servers where the system does. A Linux may be either.
func classOf(os columns) ward.Class {
	switch platform, name := os.text("platform"), strings.ToLower(os.text("name")); {
	case platform == "windows" && strings.Contains(name, "server"):
		return ward.Server
	case platform == "windows", platform == "darwin":
		return ward.Workstation
	}
	return ""
}

// systems are how Linux distributions are named as products.
var systems = map[string]struct{ vendor, product, cpeVendor, cpeProduct string }{
	"debian": {"Debian", "Debian Linux", "debian", "debian_linux"}, "ubuntu": {"Canonical", "Ubuntu Linux", "canonical", "ubuntu_linux"},
	"rhel": {"Red Hat", "Enterprise Linux", "redhat", "enterprise_linux"}, "centos": {"CentOS", "CentOS", "centos", "centos"},
	"fedora": {"Fedora Project", "Fedora", "fedoraproject", "fedora"}, "rocky": {"Rocky Linux", "Rocky Linux", "resf", "rocky_linux"},
	"almalinux": {"AlmaLinux", "AlmaLinux", "almalinux", "almalinux"}, "amzn": {"Amazon", "Amazon Linux", "amazon", "linux"},
	"ol": {"Oracle", "Oracle Linux", "oracle", "linux"}, "sles": {"SUSE", "Linux Enterprise Server", "suse", "linux_enterprise_server"},
}

// system reads os_version as software.
func system(c columns) (ward.Software, bool) {
	name := c.text("name")
	switch platform := strings.ToLower(c.text("platform")); platform {
	case "windows":
		return windows(c), true
	case "darwin":
		version := c.text("version")
		return ward.Software{Vendor: "Apple", Product: "macOS", Version: version, CPE: cpe("apple", "macos", version)}, true
	default:
		if s, ok := systems[platform]; ok {
			version := releaseOf(c)
			return ward.Software{Vendor: s.vendor, Product: s.product, Version: version, CPE: cpe(s.cpeVendor, s.cpeProduct, version)}, true
		}
		return ward.Software{Product: name, Version: c.text("version")}, name != ""
	}
}

func cpe(vendor, product, version string) string {
	if version == "" {
		version = know.AnyValue
	}
	named := know.NewCPE("o", vendor, product, version)
	if version == know.AnyValue {
		named.Version = know.AnyValue
	}
	return named.String()
}

// windows reads a Windows by its full build number: 10.0.19045.4291. Without the revision the build says nothing of what has
// been updated, and the version is left unknown.
func windows(c columns) ward.Software {
	version, build, revision := c.text("version"), c.text("build"), c.text("revision")
	parts := strings.Split(version, ".")
	if build == "" && len(parts) > 2 {
		build = parts[2]
	}
	full := ""
	switch {
	case len(parts) == 4 && know.Usable(version):
		full = version
	case revision != "" && revision != "0" && len(parts) == 3:
		full = version + "." + revision
	case revision != "" && revision != "0" && len(parts) == 2 && build != "":
		full = version + "." + build + "." + revision
	}
	name := strings.TrimPrefix(c.text("name"), "Microsoft ")
	sw := ward.Software{Vendor: "Microsoft", Product: cmp.Or(name, "Windows"), Version: full}
	release := know.WindowsProduct(build, strings.Contains(strings.ToLower(name), "server"))
	if release == "" {
		return sw
	}
	sw.Product = release
	sw.CPE = cpe("microsoft", strings.NewReplacer(" version ", "_", " ", "_").Replace(strings.ToLower(sw.Product)), full)
	return sw
}
