package app_test

import (
	"errors"
	"strings"
	"testing"

	"wardwatch/app"
	"wardwatch/know"
)

func TestCompareVersions(t *testing.T) {
	for _, row := range []struct{ scheme, a, b, want string }{
		{"deb", "1.0~rc1", "1.0", "<"}, {"vendor", "12.5", "12.5.0.0", "="}, {"maven", "1-sp", "1", ">"},
	} {
		if got, err := app.CompareVersions(row.scheme, row.a, row.b); got != row.want || err != nil {
			t.Errorf("%s: %s %s: got %q, %v", row.scheme, row.a, row.b, got, err)
		}
	}
	if _, err := app.CompareVersions("hackage", "1.0", "1.0a"); !errors.Is(err, know.ErrVersion) {
		t.Errorf("no version: %v", err)
	}
	if _, err := app.CompareVersions("ebuild", "1", "2"); !errors.Is(err, know.ErrScheme) {
		t.Errorf("no scheme: %v", err)
	}
}

func TestVersionCasesNameWhatDoesNotHold(t *testing.T) {
	file := "\ufeff# of Debian\r\n\r\n1.0~rc1 < 1.0\r\n// the next is wrong\n1.0 < 1.0~rc1\n1.0 = 1.0-0\n2 > 1\nnonsense\n1.0- < 2\n1 < 2 < 3\n"
	result, err := app.CheckVersionCases("deb", strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	result.Text(&text)
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	for i, want := range []string{"does not hold: line 5: 1.0 < 1.0~rc1: the order is >", "does not hold: line 8: nonsense: ", "does not hold: line 9: 1.0- < 2: ", "does not hold: line 10: 1 < 2 < 3: ", "3 of 7 hold"} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d: want %q in\n%s", i, want, text.String())
		}
	}
	if _, err := app.CheckVersionCases("ebuild", strings.NewReader(file)); !errors.Is(err, know.ErrScheme) {
		t.Errorf("no scheme: %v", err)
	}
}
