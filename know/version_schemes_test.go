package know_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"wardwatch/know"
)

// orders are chains of versions, each known from its ecosystem's own rules. Every pair of a chain is compared.
var orders = map[string][]string{
	know.SchemeSemver: {
		"1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-alpha.beta < 1.0.0-beta < 1.0.0-beta.2 < 1.0.0-beta.11 < 1.0.0-rc.1 < 1.0.0 = 1.0.0+build = 1 = v1.0 < 1.0.1 < 1.1.0 < 2.0.0",
		"1.0.0-0 < 1.0.0-1 < 1.0.0-10 < 1.0.0-99999999999999999999 < 1.0.0--1 < 1.0.0-1a < 1.0.0-A < 1.0.0-a < 1.0.0-a-b",
		"9.9.9 < 9.10.0 < 10.0.0-SNAPSHOT < 10.0.0 < 10.0.0.4",
		"0.0.0-dev < 0.0.0 < 0.0.1 < 999999999999999999999999991.0.0 < 999999999999999999999999999.0.0",
	},
	know.SchemeGo: {
		"v0.0.0-20180101000000-aaaaaaaaaaaa < v0.0.0-20240101120000-abcdefabcdef < v0.0.0 < v0.0.1 < v1.2.3-0.20240101120000-abcdefabcdef < v1.2.3-0.20240202120000-000000000000",
		"v1.2.3 < v1.2.4-0.20240101120000-abcdefabcdef < v1.2.4-pre < v1.2.4-pre.0.20240101120000-abcdefabcdef < v1.2.4-rc.1 < v1.2.4 = 1.2.4 = v1.2.4+incompatible < v2.0.0+incompatible = 2.0.0",
		"v1 = v1.0 = v1.0.0 < v1.0.1 < v1.9.0 < v1.10.0",
	},
	know.SchemePub: {
		"1.0.0-pre < 1.0.0-pre+1 < 1.0.0-pre+2 < 1.0.0-pre+10 < 1.0.0-pre+a < 1.0.0-pre.1 < 1.0.0 = v1.0.0 < 1.0.0+0 < 1.0.0+build < 1.0.0+build.1 < 1.0.1-dev < 1.0.1",
		"0.9.0 < 0.10.0 < 1.2.3-A < 1.2.3-a < 1.2.3 < 1.2.3+1z < 1.2.3+9a",
	},
	know.SchemeNuGet: {
		"1.0.0-1 < 1.0.0-2 < 1.0.0-10 < 1.0.0-alpha = 1.0.0-ALPHA = 1.0-Alpha+metadata < 1.0.0-alpha.1 < 1.0.0-beta < 1.0.0-beta2 < 1.0.0-rc.1 < 1.0.0 = 1 = 1.0 = 1.0.0.0 = 1.00.0+x < 1.0.0.1-pre < 1.0.0.1 < 1.0.1",
		"0.9.9.9 < 1.0.0-a < 1.0.0-b < 2.0.0 < 10.0.0 < 99999999999999999999",
	},
	know.SchemeDeb: {
		"1.0~~ < 1.0~~a < 1.0~ < 1.0~rc1-1 < 1.0 = 1.0-0 = 0:1.0 = 1.00 = 1.0-00 < 1.0-1~bpo11+1 < 1.0-1 < 1.0-1a < 1.0-1+b1 < 1.0-1.1 < 1.0-2 < 1.0-10 < 1.0a < 1.0+dfsg-1 < 1.0.1 < 1.1 < 1:0.1",
		"2.7.4-13 < 2.7.4-13ubuntu1 < 2.7.4-13+deb9u1 < 2.7.4-13.1",
		"1.1.1n-0+deb11u3 < 1.1.1n-0+deb11u4 < 1.1.1w-0~deb11u1 < 1.1.1w-0+deb11u1 < 3.0.11-1~deb12u2 < 3.0.11-1",
		"0:1-1-1 < 1:1-1 = 01:1-1 < 2:0 < 10:0",
		"1.a = 1.a0 < 1.a0b < 1.a1",
	},
	know.SchemeRPM: {
		"1.0~alpha < 1.0~rc1~git1 < 1.0~rc1 < 1.0~rc1^git1 < 1.0~rc2 < 1.0 = 1_0 = 1.00 = 0:1.0 = 1.0. < 1.0-1 < 1.0^git1~pre < 1.0^git1 < 1.0^git2 < 1.0a < 1.0aa < 1.0b < 1.0rc1 < 1.0.1 < 1.1 < 10 < 1:0.1",
		"1.0-1~rc1 < 1.0-1 < 1.0-1.el7 < 1.0-1.el7_9 = 1.0-1.el7.9 < 1.0-1.el8 < 1.0-1.1 < 1.0-2 < 1.0-10",
		"0:3.10.0-229.ael7b < 3.10.0-229.el7 < 3.10.0-229.1.2.ael7b < 3.10.0-229.4.2.el7",
		"A < a < aa < xyz10 < xyz10.1 < 2",
	},
	know.SchemeAPK: {
		"1.0_alpha_pre2 < 1.0_alpha < 1.0_alpha1 < 1.0_alpha2 < 1.0_alpha10 < 1.0_beta < 1.0_pre1 < 1.0_rc1 < 1.0 < 1.0-r0 < 1.0-r1 < 1.0-r10 < 1.0_cvs1 < 1.0_svn1 < 1.0_git20240101 < 1.0_hg1 < 1.0_p1 < 1.0_p1-r1 < 1.0_p2 < 1.0_p10 < 1.0a < 1.0a-r1 < 1.0b < 1.0.0 < 1.0.1 < 1.00",
		"1.01 < 1.010 < 1.02 < 1.1 < 1.2 < 1.10",
		"3.3.3-r0 < 3.3.3p1-r2 < 3.3.3p1-r3 < 3.3.3p2-r0 < 3.3.4-r0",
		"6 = 06 = 006 < 6b-r7 < 7 < 20240101",
	},
	know.SchemePyPI: {
		"1.0.dev456 < 1.0a1.dev1 < 1.0a1 = 1.0alpha1 = 1.0-a.1 < 1.0a2.dev456 < 1.0a12.dev456 < 1.0a12 < 1.0b1.dev456 < 1.0b2 < 1.0b2.post345.dev456 < 1.0b2.post345 < 1.0rc1.dev456 < 1.0rc1 = 1.0c1 = 1.0pre1 = 1.0.preview1 < 1.0 = 1 = 1.0.0 = V1.0 = 01.0 = 0!1 < 1.0+abc.5 < 1.0+abc.7 < 1.0+5 < 1.0.post456.dev34 < 1.0.post456 = 1.0-456 = 1.0.rev456 = 1.0r456 < 1.0.15 < 1.1.dev1 < 1.1 < 1!0.1",
		"1.0+a = 1.0+A < 1.0+a.b = 1.0+a-b = 1.0+a_b < 1.0+1 < 1.0+1.0 < 1.0+2 < 1.0+10",
		"0.1-bulbasaur < 0.9-doduo < 0.9-eevee < 1.0.dev0",
		"1.0a = 1.0a0 < 1.0a1 < 1.0.post = 1.0.post0 < 1.0.post1",
	},
	know.SchemeMaven: {
		"1-alpha < 1-alpha-1 = 1a1 = 1-ALPHA-1 = 1.alpha1 < 1-alpha-2 < 1-alpha-10 < 1-beta-1 = 1b1 = 1.0.0.beta1 < 1-milestone-1 = 1m1 < 1-rc = 1-cr < 1-rc-1 = 1.0.RC1 = 1.0.0-CR1 < 1-snapshot < 1 = 1.0 = 1.0.0 = 1-ga = 1.Final = 1-RELEASE = 1.0-0 = 1. = 1- = 01 < 1-sp < 1-abc < 1-x = 1x = 1.0-x < 1-xyz < 1-1 = 1-ga-1 = 1.0-1 < 1-2 < 1-10 < 1.0.1 < 1.1 < 1.10 < 2-alpha",
		"1.0-beta-1-SNAPSHOT < 1.0-beta-1 < 1.0-beta-2 < 1.0-SNAPSHOT < 1.0 < 1.0-jre < 1.0-1 < 1.0.1-SNAPSHOT < 1.0.1",
		"1-0.alpha < 1-0.beta < 1",
		"31.0-android < 31.0-jre < 31.0.1-android < 31.1-jre",
		"5.3.0.Beta1 < 5.3.0.CR1 < 5.3.0.CR2 < 5.3.0.Final = 5.3.0 < 5.3.1.Final < 20040616",
		"1-foo = 1.0.0-foo.0.0 < 1-foo-1 = 1foo1",
	},
	know.SchemeRubyGems: {
		"1.0.a < 1.0.a.1 = 1.0.a1 < 1.0.a.2 < 1.0.a.10 < 1.0.b = 1.b = 1.0.0.b < 1.0.b1 < 1.0.beta.1 < 1.0.pre.a = 1.0-a < 1.0-pre = 1.0.pre.pre < 1.0.pre = 1.0.pre.0 < 1.0.pre.1 = 1.0-1 < 1.0.rc < 1.0.rc1 < 1.0 = 1 = 1.0.0 = 01.0 < 1.0.0.1 < 1.0.1.pre < 1.0.1 < 1.1 < 1.10",
		"4.2.0.rc3 < 4.2.0 < 4.2.5.rc1 < 4.2.5 < 4.2.5.1 < 4.2.5.2 < 4.2.6.rc1 < 5.0.0.beta1 < 5.0.0.beta1.1 < 5.0.0.beta2 < 5.0.0.racecar1 < 5.0.0.rc1 < 5.0.0",
		"1.a.0.b < 1.a.0.0.b < 1.a = 1.a.0 < 1.a.0.0.1 < 1.a.0.1 < 1.a.1",
	},
	know.SchemePackagist: {
		"dev-foo < dev-master = master < 1.0-dev < 1.0-alpha-dev < 1.0-alpha = 1.0a < 1.0-alpha1 = 1.0a1 = 1.0.0-alpha.1 < 1.0-alpha2 < 1.0-alpha2.1 < 1.0-beta1 = 1.0.0.0b1 < 1.0-RC1 = 1.0rc1 = v1.0.0RC1 < 1.0 = 1 = v1.0.0 = 1.0.0.0 = 1.0-stable = 1.0.0+build = 1.0@dev < 1.0-p1 = 1.0pl1 = 1.0-patch1 < 1.0-p2 < 1.0.0.1 < 1.0.1 < 1.1 < 1.10 < 1.10.x-dev < 1.11 < 1.x-dev < 2.0-dev < 2",
		"4.3-2beta5 < 4.3-2RC1 < 4.3-2RC2 < 4.3-2 < 4.4",
		"20240101 < 20240102 < 20240102.1",
	},
	know.SchemeCRAN: {
		"0.1 = 0-1 = 0.01 < 0.1.0 = 0.1-0 = 0-1-0 < 0.1.0.0 < 0.1-2 < 0.2 < 0.9 < 0.75 < 1 < 1.0 < 1.0-0 < 1.0.1 < 1.0-10 < 1.1-0 < 2023.1 < 2023.10",
	},
	know.SchemeHackage: {
		"0 < 0.1 < 0.1.0 < 0.1.0.0 < 0.1.0.1 < 0.1.0.10 < 0.1.1 < 0.2 < 0.11.3.0 < 1 < 1.0 < 1.0.0 < 1.0.0.0 < 1.1 < 2 < 2023.1 < 99999999999999999999.0",
	},
	know.SchemeWindows: {
		"6.1.7601.24545 < 6.3.9600.20000 < 10.0.10240.0 = 10.0.10240 < 10.0.14393.6981 < 10.0.17763.737 < 10.0.17763.5820 < 10.0.19041.0 < 10.0.19045.4291 = 19045.4291 < 10.0.19045.4355 < 10.0.20348.2402 < 10.0.22000.1 < 10.0.22631.3447 < 10.0.26100.1",
	},
	know.SchemeVendor: {
		"12.4.0.2 < 12.5 = 12.5.0.0 = v12.5 = Version 12.5.0 < 12.5.0.1 < 12.6.0.0 < 12.10",
		"1.0 beta 2 < 1.0-rc1 = 1.0.0-rc.1 < 1.0 < 1.0a < 1.0-sp1 = 1.0 Service Pack 1 < 1.0.1",
		"9.16(4) < 9.16(4)14 < 9.16(5) < 9.18",
		"10.2.9 < 10.2.9-h1 < 10.2.9-h10 < 10.2.10",
		"21.4R3-S4 < 21.4R3-S10 < 22.1R1",
		"13.1-49.15 = 13.1 build 49.15 < 13.1-51.15 < 14.1-4.42",
		"R80.40 < R81 < R81.10 < R81.20",
		"1.0.2 < 1.0.2a < 1.0.2k < 1.0.2zb < 1.0.3",
	},
}

// eachPair calls do for every pair of every chain of a scheme, with the sign between them.
func eachPair(scheme string, do func(a, sign, b string)) {
	for _, chain := range orders[scheme] {
		words := strings.Split(strings.ReplaceAll(strings.ReplaceAll(chain, " < ", "\x00<\x00"), " = ", "\x00=\x00"), "\x00")
		for i := 0; i < len(words); i += 2 {
			sign := "="
			for j := i + 2; j < len(words); j += 2 {
				if words[j-1] == "<" {
					sign = "<"
				}
				do(words[i], sign, words[j])
			}
		}
	}
}

func key(t *testing.T, scheme, version string) string {
	t.Helper()
	k, err := know.VersionKey(scheme, version)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestVersionKeysOrderAsTheEcosystemsDo(t *testing.T) {
	for _, scheme := range know.Schemes() {
		t.Run(scheme, func(t *testing.T) {
			pairs := 0
			eachPair(scheme, func(a, sign, b string) {
				pairs++
				got := map[int]string{-1: "<", 0: "=", 1: ">"}[strings.Compare(key(t, scheme, a), key(t, scheme, b))]
				if got != sign {
					t.Errorf("%s %s %s: the order is %s", a, sign, b, got)
				}
				if order := know.Compare(scheme, a, b); order != strings.Compare(key(t, scheme, a), key(t, scheme, b)) {
					t.Errorf("%s %s %s: Compare says %d", a, sign, b, order)
				}
			})
			if pairs < 40 {
				t.Errorf("only %d comparisons", pairs)
			}
		})
	}
}

func TestVersionsThatASchemeRefuses(t *testing.T) {
	for scheme, versions := range map[string][]string{
		know.SchemeSemver:    {"", " ", "a", "1.", ".1", "1..2", "1.0-", "1.0-a..b", "1.0+", "1.0.0-ä", "1 0", "latest", strings.Repeat("1", 300)},
		know.SchemeGo:        {"", "1.2.3.4", "v01.2.3", "v1.2-pre", "go1.22", "master", "v1.0.0-"},
		know.SchemePub:       {"", "1.x", "any", "1.0.0-", "1.0.0.b"},
		know.SchemeNuGet:     {"", "v1.0", "1.2.3.4.5", "1.0-", "*", "1.*"},
		know.SchemeDeb:       {"", "a:1", ":1", "1:", "1.0-", "-1", "1.0_1", "1.0 1", "1.0-1:2", "1.2.3-not-a:version!"},
		know.SchemeRPM:       {"", "1:", "-1", "1.0 1"},
		know.SchemeAPK:       {"", "a1", "_rc1", "-r1", ".1"},
		know.SchemePyPI:      {"", "1.0 1", "\x001"},
		know.SchemeMaven:     {"", "1.0 1", "1.0\x00"},
		know.SchemeRubyGems:  {"", "a", ".1", "1.", "1..2", "1.0_1", "1-", "junk"},
		know.SchemePackagist: {"", "dev-", "v", "foo", "~1.0", "^2"},
		know.SchemeCRAN:      {"", "1.", "1.0a", "-1", "1--2", "1_0"},
		know.SchemeHackage:   {"", "1.", "1-0", "1.0a"},
		know.SchemeWindows:   {"", "KB5034441", "10.0.19045.x", "22H2", "10.", "1.2.3.4.5.6"},
		know.SchemeVendor:    {"", "unknown", "n/a", strings.Repeat("1", 300)},
	} {
		for _, version := range versions {
			if k, err := know.VersionKey(scheme, version); !errors.Is(err, know.ErrVersion) || k != "" {
				t.Errorf("%s %q: got key %q, error %v", scheme, version, k, err)
			} else if !strings.Contains(err.Error(), scheme) {
				t.Errorf("%s %q: the error does not name the scheme: %v", scheme, version, err)
			}
		}
	}
	if _, err := know.VersionKey("ebuild", "1.0"); !errors.Is(err, know.ErrScheme) {
		t.Errorf("an unknown scheme: %v", err)
	}
}

// What publishers call their scheme is read as the ecosystem's; what the ecosystem refuses has no order, and stays apart.
func TestOrderKeyReadsPublishersWords(t *testing.T) {
	for _, row := range []struct {
		scheme, a, b string
		want         int
	}{
		{"npm", "1.0.0-rc.1", "1.0.0", -1}, {"python", "1.0.post1", "1.0", 1}, {"gem", "1.0.a", "1", -1}, {"rpm", "1:0", "2", 1},
		{"Debian", "1.0~rc1", "1.0", -1}, {"custom", "12.5", "12.5.0.0", 0}, {"", "9.9", "9.10", -1}, {"golang", "v1.2.3+incompatible", "1.2.3", 0},
		{"semver", "R12 update 2", "R12 update 10", -1}, {"windows", "10.0 build 19045", "10.0.19045", 0}, {"deb", "no version", "0", -1},
	} {
		if got := know.Compare(row.scheme, row.a, row.b); got != row.want {
			t.Errorf("%s: %s against %s: got %d", row.scheme, row.a, row.b, got)
		}
	}
}

// FuzzVersionKey holds every scheme to the laws of an order, on text that is close to versions and on any other.
func FuzzVersionKey(f *testing.F) {
	for _, scheme := range know.Schemes() {
		for _, chain := range orders[scheme] {
			words := strings.FieldsFunc(chain, func(r rune) bool { return r == ' ' || r == '<' || r == '=' })
			for i := range len(words) - 2 {
				f.Add(words[i], words[i+1], words[i+2])
			}
		}
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		for _, scheme := range know.Schemes() {
			ab, bc, ac := know.Compare(scheme, a, b), know.Compare(scheme, b, c), know.Compare(scheme, a, c)
			if ab != -know.Compare(scheme, b, a) || know.Compare(scheme, a, a) != 0 {
				t.Fatalf("%s: %q and %q are ordered in both directions", scheme, a, b)
			}
			if ab <= 0 && bc <= 0 && ac > 0 {
				t.Fatalf("%s: %q <= %q <= %q, and the first is above the last", scheme, a, b, c)
			}
			k, err := know.VersionKey(scheme, a)
			if err != nil {
				continue
			}
			if again := key(t, scheme, " "+a+"\n"); again != k {
				t.Fatalf("%s: %q and its trimmed form differ", scheme, a)
			}
			if other, err := know.VersionKey(scheme, b); err == nil && k != other && (strings.HasPrefix(k, other) || strings.HasPrefix(other, k)) && scheme != know.SchemePackagist {
				t.Fatalf("%s: the key of one of %q and %q begins with the other's, so nothing may follow a key", scheme, a, b)
			}
		}
	})
}

func BenchmarkVersionKey(b *testing.B) {
	for _, scheme := range know.Schemes() {
		var versions []string
		bytes := 0
		eachPair(scheme, func(a, _, _ string) {
			if !slices.Contains(versions, a) {
				versions = append(versions, a)
			}
		})
		for _, v := range versions {
			k, _ := know.VersionKey(scheme, v)
			bytes += len(k)
		}
		b.Run(scheme, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := know.VersionKey(scheme, versions[i%len(versions)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "keys/s")
			b.ReportMetric(float64(bytes)/float64(len(versions)), "bytes/key")
		})
	}
}
