package journey_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"wardwatch/ward"
)

// TestStories plays every story. A sentence that no step understands, and one that does not come true, fail with its line.
func TestStories(t *testing.T) {
	names, err := filepath.Glob("*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(name, ".txtar"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			sentences, files := split(string(text))
			w := open(t, files)
			thens := 0
			for i, line := range sentences {
				line = strings.TrimSpace(line)
				if line == "" || strings.HasPrefix(line, "#") {
					continue
				}
				if strings.HasPrefix(line, "then ") {
					thens++
				}
				if err := w.tell(line); err != nil {
					t.Fatalf("%s:%d: %s\n\t%v", name, i+1, line, err)
				}
			}
			if thens == 0 {
				t.Errorf("%s expects nothing", name)
			}
		})
	}
}

// split separates the sentences of a story from its files, each below a line "-- name --".
func split(text string) (sentences []string, files map[string]string) {
	files = map[string]string{}
	name := ""
	for line := range strings.Lines(text) {
		mark := strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(mark, "-- ") && strings.HasSuffix(mark, " --"):
			name = strings.TrimSpace(mark[2 : len(mark)-2])
			files[name] = ""
		case name == "":
			sentences = append(sentences, strings.TrimRight(line, "\n"))
		default:
			files[name] += line
		}
	}
	return sentences, files
}

// step is one kind of sentence. What its expression captures is given to do.
type step struct {
	form *regexp.Regexp
	do   func(w *world, part []string) error
}

func sentence(form string, do func(w *world, part []string) error) step {
	for short, long := range map[string]string{"ORG": `([A-Z0-9]{3,6})`, "TIME": `(\d{1,2} \w+ \d{4} \d\d:\d\d)`, "FILE": `(\S+\.\w+)`, "NAME": `"([^"]+)"`, "WORDS": `(?:: (.+))?`} {
		form = strings.ReplaceAll(form, short, long)
	}
	return step{regexp.MustCompile("^" + form + "$"), do}
}

// tell plays one sentence, and then everything that follows from it.
func (w *world) tell(line string) error {
	for _, s := range steps {
		if part := s.form.FindStringSubmatch(line); part != nil {
			if err := s.do(w, part[1:]); err != nil {
				return err
			}
			return w.settle()
		}
	}
	return fmt.Errorf("no step understands this sentence")
}

// steps are the sentences of the language. Times are UTC.
var steps = []step{
	// What comes in.
	sentence(`it is TIME`, func(w *world, p []string) error { return w.until(when(p[0])) }),
	sentence(`(\d+) (minute|hour|day)s? later`, func(w *world, p []string) error {
		return w.until(w.clock.Now().Add(span(p[0], p[1])))
	}),
	sentence(`the organisations of FILE are registered`, func(w *world, p []string) error { return w.register(p[0]) }),
	sentence(`publishers say FILE`, func(w *world, p []string) error { return w.publish(p[0]) }),
	sentence(`ORG imports FILE from NAME, which covers ([a-z_, ]+), as seen at TIME`, func(w *world, p []string) error {
		return w.imports(p[0], p[1], p[2], p[3], when(p[4]))
	}),
	sentence(`ORG declares that it (runs|does not run) NAME NAME ?(\S*)`, func(w *world, p []string) error {
		return w.declares(p[0], p[1] == "runs", p[2], p[3], p[4])
	}),

	// What the national watch does.
	sentence(`the watch alerts (everyone|[A-Z0-9, ]+) to (CVE[-0-9, CVE]+) in NAME NAME`, func(w *world, p []string) error {
		return w.alert(p[0], list(p[1]), p[2], p[3])
	}),
	sentence(`the desk rules version (\S+) (affected|fixed|not affected): (.+)`, func(w *world, p []string) error {
		return w.rule(p[0], ward.Status(strings.ReplaceAll(p[1], " ", "_")), p[2])
	}),
	sentence(`the desk takes its ruling back: (.+)`, func(w *world, p []string) error { return w.unrule(p[0]) }),
	sentence(`the watch closes the alert`, func(w *world, _ []string) error { return w.closeAlert() }),

	// What an organisation says.
	sentence(`ORG acknowledges`, func(w *world, p []string) error { return w.says(p[0], "acknowledge", "", "") }),
	sentence(`ORG answers (yes|partly|no|hosted|not_run)WORDS`, func(w *world, p []string) error { return w.says(p[0], "answer", p[1], p[2]) }),
	sentence(`ORG says that it is fixedWORDS`, func(w *world, p []string) error { return w.says(p[0], "claim", "", p[1]) }),
	sentence(`ORG says that it is fixed since TIMEWORDS`, func(w *world, p []string) error { return w.says(p[0], "claim", p[1], p[2]) }),
	sentence(`ORG contests the match: (.+)`, func(w *world, p []string) error { return w.says(p[0], "dispute", "", p[1]) }),
	sentence(`ORG closesWORDS`, func(w *world, p []string) error { return w.says(p[0], "close", "", p[1]) }),
	sentence(`ORG cannot close: (.+)`, func(w *world, p []string) error { return w.refused(p[0], p[1]) }),

	// What people see.
	sentence(`then ORG (was|is) (exposed|not exposed|not known)WORDS`, func(w *world, p []string) error {
		return w.stands(p[0], p[1] == "was", ward.ExposureState(strings.ReplaceAll(p[2], " ", "_")), p[3])
	}),
	sentence(`then the proof of ORG is (confirmed|awaiting evidence|contradicted|disputed|empty)WORDS`, func(w *world, p []string) error {
		return w.proof(p[0], p[1], p[2])
	}),
	sentence(`then the answer of ORG is (unanswered|in progress|remediated|closed, confirmed|closed, not confirmed|not applicable)`, func(w *world, p []string) error {
		return w.answer(p[0], p[1])
	}),
	sentence(`then (nobody|[A-Z0-9, ]+) (?:is|are) overdue`, func(w *world, p []string) error { return w.overdue(names(p[0]), false) }),
	sentence(`then (nobody|[A-Z0-9, ]+) (?:was|were) ever overdue`, func(w *world, p []string) error { return w.overdue(names(p[0]), true) }),
	sentence(`then (nobody|[A-Z0-9, ]+) waits? for the desk`, func(w *world, p []string) error { return w.disputes(names(p[0])) }),
	sentence(`then the queue holds for ORG: (.+)`, func(w *world, p []string) error { return w.queue(p[0], p[1]) }),
	sentence(`then the queue holds nothing for ORG`, func(w *world, p []string) error { return w.queue(p[0], "") }),
	sentence(`then (ORG|the desk) is told: (.+)`, func(w *world, p []string) error { return w.told(p[0], p[len(p)-1]) }),
	sentence(`then (\d+) claimed and (\d+) (?:is|are) confirmed`, func(w *world, p []string) error { return w.figures(p[0], p[1]) }),
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func names(text string) []string {
	if text == "nobody" {
		return nil
	}
	return list(text)
}

// when reads a time that the form of its sentence has already checked, but for the name of the month.
func when(text string) time.Time {
	t, err := time.Parse("2 January 2006 15:04", text)
	if err != nil {
		panic(err)
	}
	return t
}

func span(number, unit string) time.Duration {
	d, err := time.ParseDuration(number + map[string]string{"minute": "m", "hour": "h", "day": "h"}[unit])
	if err != nil {
		panic(err)
	}
	if unit == "day" {
		d *= 24
	}
	return d
}
