package year_test

import (
	"strings"
	"testing"

	"wardwatch/test/year"
)

// TestAYear plays the year of a small watch: every reminder and escalation once, and none else.
func TestAYear(t *testing.T) {
	r := year.Play(t, year.Short)
	if r.Missed+r.Doubled > 0 {
		t.Errorf("%s\n%s", r, strings.Join(r.Examples, "\n"))
	}
	if r.Told < 100 {
		t.Errorf("nothing much happened: %s", r)
	}
	t.Log(r)
}
