package indicators_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/detect/indicators"
)

// TestAValueAloneShowsWhatItShowsInAText holds the ways for values that are one thing as a whole against the ways for texts: a
// blank before a value takes the first away and must change nothing.
func TestAValueAloneShowsWhatItShowsInAText(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	long := strings.Repeat("x", 63)
	label := func() string {
		return pick("a", "b", "attacker", "Attacker", "x-y", "_srv", "-a", "a-", "7", "203", "", long, long+"x", "é")
	}
	host := func() string {
		name := pick("attacker", "run")
		for range r.IntN(4) {
			name = label() + "." + name
		}
		return pick(name+pick(".example", ".exe", ".EXAMPLE", ".e", ".7", ""), "203.0.113.7", "203.0.113.07", "203.0.113.7.1", "198.51.100.9")
	}
	path := func() string {
		out := ""
		for range r.IntN(4) {
			out += pick("/", "//", "/a", "/A", "/.", "/..", "/.x", "/x.exe", "/%61", "/%7c", "/é", "/|", "?a=1", "?u=http://attacker.example/a", "#a", ";b", ":80")
		}
		return out
	}
	digest := func() string {
		return pick(strings.Repeat("0a", 16), strings.Repeat("0A", 20), strings.Repeat("0b", 32), strings.Repeat("0c", 64),
			strings.Repeat("0a", 15)+"0g", strings.Repeat("0a", 17), strings.Repeat("1", 31)+".")
	}
	lines := []string{"type,value", "ip,203.0.113.7", "cidr,198.51.100.0/28", "domain,attacker.example", "domain,a.attacker.example", "domain,a.b",
		"url,http://attacker.example/a", "url,http://attacker.example/A/a?a=1", "url-prefix,http://attacker.example/a*",
		"url,http://203.0.113.7/a", "url,ftp://attacker.example/a", "file,x.exe", "file,run.exe", "file,attacker.exe", "file,b.attacker.exe",
		"md5," + strings.Repeat("0a", 16), "sha1," + strings.Repeat("0a", 20), "sha256," + strings.Repeat("0b", 32), "sha512," + strings.Repeat("0c", 64)}
	names := watch.NewNames(indicators.Fields()...)
	every := index(t, ward.NewHandClock(day), names, lines...)
	all := 0
	for round := range 40_000 {
		x := every
		if round%100 == 0 { // some kinds only
			some := lines[:1:1]
			for _, line := range lines[1:] {
				if r.IntN(3) == 0 {
					some = append(some, line)
				}
			}
			x = index(t, ward.NewHandClock(day), names, some...)
		}
		value := pick(host(), host()+path(), pick("http://", "https://", "HTTP://", "ftp://", "hxxp://")+pick("", "", "u@")+host()+pick("", "", ":80", ":8080")+path()+pick("", "z"), digest())
		field := pick("v", "QueryName", "Image", "FileVersion")
		shows := func(text string) []string {
			out := []string{}
			for _, h := range x.Look(record(names, field+"="+text), nil) {
				i := h.Indicator()
				out = append(out, fmt.Sprint(i.Kind, " ", i.Value, " in ", string(h.Value)))
			}
			return out
		}
		if strings.ContainsAny(value[max(0, len(value)-1):], ".;:") {
			continue // the marks of a sentence belong to a value alone, and to no URL in a text
		}
		got, want := shows(value), shows(" "+value)
		if !slices.Equal(got, want) {
			t.Fatalf("%s=%s\n alone %q\nin text %q", field, value, got, want)
		}
		all += len(want)
	}
	if all < 10_000 {
		t.Errorf("%d hits: the values show too little to tell", all)
	}
}
