package know_test

import (
	"strings"
	"testing"

	"wardwatch/know"
)

func TestCompare(t *testing.T) {
	for _, row := range []string{
		"vendor: 12.5 = 12.5.0.0", "vendor: 12.5.0.0 < 12.5.0.1", "vendor: 12.5.0.1 < 12.6.0.0", "vendor: 12.4.0.2 < 12.5.0.0", "vendor: 9.9 < 9.10",
		"vendor: 11.12.0.5 < 12.3.0.0", "vendor: v1.2 = 1.2", "vendor: V4.1.4 = 4.1.4", "vendor: Version 3 = 3", "vendor: 05.09 = 5.9",
		"vendor: 1.0-rc1 < 1.0", "vendor: 1.0.0-rc1 = 1.0-rc.1", "vendor: 1.0 < 1.0-sp1", "vendor: 1.0-sp1 < 1.0.1", "vendor: 1.0 beta 2 < 1.0 rc 1",
		"vendor: 1.0.2 < 1.0.2a", "vendor: 1.0.2a < 1.0.2k", "vendor: 1.0.2k < 1.0.2zb", "vendor: 1.0b2 < 1.0", "vendor: 1.0.2b < 1.0.3",
		"vendor: 3.0.0 p6 < 3.0.0 p7", "vendor: 3.0.0 Patch 7 = 3.0.0 p7", "vendor: 10 Service Pack 1 = 10 sp1", "vendor: 8.0 Update 2 = 8.0 U2", "vendor: 8.0U2 < 8.0U10",
		"vendor: 9.16(4) < 9.16(4)14", "vendor: 9.3(7) < 9.3(7a)", "vendor: 9.3(7a) < 9.3(8)", "vendor: 13.1-49.15 < 13.1-51.15", "vendor: 13.1 build 49.15 = 13.1-49.15",
		"vendor: 10.2.9 < 10.2.9-h1", "vendor: 10.2.9-h1 < 10.2.10", "vendor: 21.4R3-S4 < 21.4R3-S10", "vendor: R80.40 < R81.10", "vendor: 5.3.0.Final = 5.3.0",
		"vendor: 99999999999999999999 < 100000000000000000000", "vendor: 2024.1 < 2024.10",
		"semver: 1.0.0-alpha < 1.0.0-alpha.1", "semver: 1.0.0-alpha.1 < 1.0.0-alpha.beta", "semver: 1.0.0-alpha.beta < 1.0.0-beta", "semver: 1.0.0-beta < 1.0.0-beta.2",
		"semver: 1.0.0-beta.2 < 1.0.0-beta.11", "semver: 1.0.0-beta.11 < 1.0.0-rc.1", "semver: 1.0.0-rc.1 < 1.0.0", "semver: 1.0.0+a = 1.0.0+b", "semver: v1.2 = 1.2.0",
		"windows: 10.0.19041.0 < 10.0.19045.4291", "windows: 10.0.19045.4291 < 10.0.22000.1", "windows: 6.1.7601.24545 < 10.0.10240.0",
	} {
		scheme, order, _ := strings.Cut(row, ": ")
		want, sign := 0, " = "
		if strings.Contains(order, " < ") {
			want, sign = -1, " < "
		}
		a, b, _ := strings.Cut(order, sign)
		if got := know.Compare(scheme, a, b); got != want {
			t.Errorf("%s: got %d", row, got)
		}
		if got := know.Compare(scheme, b, a); got != -want {
			t.Errorf("%s, turned round: got %d", row, got)
		}
	}
}

func TestCommitsHaveNoOrder(t *testing.T) {
	if _, ordered := know.OrderKey("git", "1da177e4c3f4"); ordered {
		t.Error("git commits were given an order")
	}
	for version, want := range map[string]bool{"1.2.3": true, "1:1.2-3": true, "1.2~rc1": true, "any of 1.2": false, "1.2-": false} {
		if _, ordered := know.OrderKey("deb", version); ordered != want {
			t.Errorf("deb %s: ordered %v", version, ordered)
		}
	}
}

func TestBranch(t *testing.T) {
	for version, want := range map[string]string{
		"12.5.0.1": "12.5", "12.5": "12.5", "11.12.0.4": "11.12", "12": "12.0", "12.0.0.0": "12.0", "R81.10": "81.10", "": "", "unknown": "",
		"10.0.19045.4291": "10.0.19045", "9.16(4)14": "9.16", "v05.09": "5.9",
	} {
		if got := know.Branch(version); got != want {
			t.Errorf("%q: got %q, want %q", version, got, want)
		}
	}
}

// FuzzCompare holds the order to the laws of an order, whatever the text.
func FuzzCompare(f *testing.F) {
	f.Add("12.5", "12.5.0.0", "12.5.0.1")
	f.Add("1.0-rc1", "1.0", "1.0b")
	f.Add("9.16(4)", "9.16.4sp", "9.16.04")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		for _, scheme := range []string{know.SchemeVendor, know.SchemeSemver, know.SchemeWindows, "git", "custom"} {
			if know.Compare(scheme, a, a) != 0 {
				t.Fatalf("%s: %q differs from itself", scheme, a)
			}
			ab, bc, ac := know.Compare(scheme, a, b), know.Compare(scheme, b, c), know.Compare(scheme, a, c)
			if ab != -know.Compare(scheme, b, a) {
				t.Fatalf("%s: %q and %q are ordered in both directions", scheme, a, b)
			}
			if ab <= 0 && bc <= 0 && ac > 0 {
				t.Fatalf("%s: %q <= %q <= %q, and the first is above the last", scheme, a, b, c)
			}
			if scheme == know.SchemeVendor && know.Compare(scheme, a+".0.0", a) != 0 && !strings.ContainsAny(a, "\\") && endsInDigit(a) {
				t.Fatalf("%q differs from %q", a+".0.0", a)
			}
		}
	})
}

func endsInDigit(s string) bool { return s != "" && s[len(s)-1] >= '0' && s[len(s)-1] <= '9' }

func BenchmarkCompare(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		know.Compare(know.SchemeVendor, "12.5.0.0", "12.5.0.1")
	}
}
