package know

import (
	"regexp"
	"strings"
)

// windowsReleases are the names of Windows releases by build, as Microsoft writes them: public facts.
var windowsReleases = map[string]struct{ client, server string }{
	"6003": {"", "2008"}, "7601": {"7", "2008 R2"}, "9200": {"8", "2012"}, "9600": {"8.1", "2012 R2"},
	"10240": {"10 Version 1507", ""}, "10586": {"10 Version 1511", ""}, "14393": {"10 Version 1607", "2016"}, "15063": {"10 Version 1703", ""}, "16299": {"10 Version 1709", ""},
	"17134": {"10 Version 1803", ""}, "17763": {"10 Version 1809", "2019"}, "18362": {"10 Version 1903", ""}, "18363": {"10 Version 1909", ""}, "19041": {"10 Version 2004", ""},
	"19042": {"10 Version 20H2", ""}, "19043": {"10 Version 21H1", ""}, "19044": {"10 Version 21H2", ""}, "19045": {"10 Version 22H2", ""}, "20348": {"", "2022"},
	"22000": {"11 Version 21H2", ""}, "22621": {"11 Version 22H2", ""}, "22631": {"11 Version 23H2", ""}, "25398": {"", "2022 23H2"}, "26100": {"11 Version 24H2", "2025"},
	"26200": {"11 Version 25H2", ""},
}

// WindowsProduct names the release of Windows that a build belongs to: "Windows 10 Version 22H2" for 19045, "Windows Server
// 2019" for 17763 on a server. Empty when the build is not known.
func WindowsProduct(build string, server bool) string {
	release := windowsReleases[build]
	switch {
	case server && release.server != "":
		return "Windows Server " + release.server
	case !server && release.client != "":
		return "Windows " + release.client
	}
	return ""
}

var (
	windowsName    = regexp.MustCompile(`^windows(?:7|8|81|10|11|server(?:20\d\d)?(?:r2)?)?(sp\d|\d\dh\d|1\d0\d|2004)?$`)
	windowsNumbers = regexp.MustCompile(`^(?:(\d+\.\d+)\.)?(\d{4,5})(?:\.(\d+))?(?:\.\d+)?$`)
	// What Microsoft's advisories, its tools and inventories add to a release: editions, processors, ways of installing.
	windowsExtras = strings.NewReplacer("version", "", "edition", "", "servicepack", "sp", "proforworkstations", "",
		"professional", "", "enterprise", "", "education", "", "datacenter", "", "standard", "", "pro", "", "home", "",
		"forx64basedsystems", "", "for32bitsystems", "", "forarm64basedsystems", "", "x64basedsystems", "", "32bitsystems", "", "arm64basedsystems", "")
)

// plainWindows is the folded name of a release of Windows without its edition; any other name stays as it is.
func plainWindows(product string) string {
	if !strings.HasPrefix(product, "windows") {
		return product
	}
	if plain := windowsExtras.Replace(product); windowsName.MatchString(plain) {
		return plain
	}
	return product
}

// WindowsBuild reads the version of a Windows: its full build number, 10.0.19045.4291 also where the 10.0 is left out, and the
// build's number alone. Without a revision full is empty: the build says nothing of what has been updated since, and neither
// does a list of updates (KB).
func WindowsBuild(version string) (full, build string) {
	m := windowsNumbers.FindStringSubmatch(strings.TrimSpace(version))
	switch {
	case m == nil:
		return "", ""
	case m[3] == "":
		return "", m[2]
	case m[1] == "":
		return "10.0." + m[2] + "." + m[3], m[2]
	}
	return m[1] + "." + m[2] + "." + m[3], m[2]
}

// windowsKeys are the keys of the release that a build belongs to, where a name of Windows leaves the release out, and of the
// release without its way of installing: advisories tell Server Core apart, and most databases do not.
func windowsKeys(keys []string, version string) (more []string) {
	_, build := WindowsBuild(version)
	for _, key := range keys {
		name, ok := strings.CutPrefix(key, "microsoft/")
		name, core := strings.CutSuffix(name, "servercoreinstallation")
		if !ok || !windowsName.MatchString(name) {
			continue
		}
		if core {
			more = append(more, "microsoft/"+name)
		}
		if product := WindowsProduct(build, strings.HasPrefix(name, "windowsserver")); product != "" {
			more = append(more, ProductKey("Microsoft", product))
		}
	}
	return more
}
