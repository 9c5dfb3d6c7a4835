package journey_test

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"wardwatch/act/responses"
	"wardwatch/ward"
)

// step is one kind of sentence. What its expression captures is given to do.
type step struct {
	form *regexp.Regexp
	do   func(w *world, part []string) error
}

// The words that stand for what a sentence names. WORDS may be left out, with its colon.
var spoken = strings.NewReplacer(
	"NOBODY", `(nobody|[A-Z0-9]{3,6}(?:(?:, | and )[A-Z0-9]{3,6})*)`,
	"ORGS", `(everyone|[A-Z0-9]{3,6}(?:(?:, | and )[A-Z0-9]{3,6})*)`,
	"ORG", `([A-Z0-9]{3,6})`,
	"TIME", `(\d{1,2} \w+ \d{4} \d\d:\d\d)`,
	"FILE", `(\S+\.\w+)`,
	"NAME", `"([^"]+)"`,
	"WHO", `(the desk|the (?:contact|lead|executive) of [A-Z0-9]{3,6}|the duty officer|[A-Z0-9]{3,6})`,
	"PERSON", `([A-Z][a-z]+)`,
	"CVES", `(CVE[-0-9, CVE]+)`,
	"WORDS", `(?:: (.+))?`,
)

func sentence(form string, do func(w *world, part []string) error) step {
	return step{regexp.MustCompile("^" + spoken.Replace(form) + "$"), do}
}

// says is a sentence in which an organisation answers.
func says(form string, answer func(w *world, part []string) (responses.Answer, error)) step {
	return sentence("ORG "+form, func(w *world, p []string) error {
		a, err := answer(w, p[1:])
		if err == nil {
			err = w.says(p[0], a)
		}
		return err
	})
}

var errNoStep = errors.New("no step understands this sentence")

// tell plays one sentence, and then everything that follows from it.
func (w *world) tell(line string) error {
	for _, s := range w.language {
		if part := s.form.FindStringSubmatch(line); part != nil {
			if err := s.do(w, part[1:]); err != nil {
				return err
			}
			return w.settle()
		}
	}
	return errNoStep
}

// language is every sentence. Times are UTC.
func language() []step { return slices.Concat(comesIn(), isDone(), isSaid(), isSeen()) }

func comesIn() []step {
	return []step{
		sentence(`it is TIME`, func(w *world, p []string) error { return w.until(when(p[0])) }),
		sentence(`(\d+) (minute|hour|day)s? later`, func(w *world, p []string) error {
			return w.until(w.clock.Now().Add(span(p[0], p[1])))
		}),
		sentence(`the (?:organisations|relations) of FILE are registered`, func(w *world, p []string) error { return w.register(p[0]) }),
		sentence(`ORG names its ([a-z_, ]+)`, func(w *world, p []string) error { return w.names(p[0], p[1]) }),
		sentence(`the watch names its duty officer`, func(w *world, _ []string) error { return w.names("", "duty officer") }),
		sentence(`publishers say FILE`, func(w *world, p []string) error { return w.publishers(p[0]) }),
		sentence(`ORG imports FILE from NAME, which covers ([a-z_, ]+), as seen at TIME`, func(w *world, p []string) error {
			return w.imports(p[0], p[1], p[2], p[3], when(p[4]))
		}),
		sentence(`ORG declares that it (runs|does not run) NAME NAME ?(\S*)`, func(w *world, p []string) error {
			return w.declares(p[0], p[1] == "runs", p[2], p[3], p[4])
		}),
	}
}

// isDone are the sentences about the national watch.
func isDone() []step {
	return []step{
		sentence(`the watch alerts ORGS(?:, and informs ORGS,)? to CVES in NAME NAME`, func(w *world, p []string) error {
			return w.alert(p[0], p[1], p[2], p[3], p[4], "")
		}),
		sentence(`the watch replaces the alert by one for ORGS to CVES in NAME NAME`, func(w *world, p []string) error {
			return w.alert(p[0], "", p[1], p[2], p[3], w.current)
		}),
		sentence(`the watch adds a fix to the alert: (.+)`, func(w *world, p []string) error {
			return w.revise(func(a *ward.Alert) {
				a.Steps = append(slices.Clone(a.Steps), ward.Step{Kind: ward.StepPatch, Text: p[0]})
			}, p[0])
		}),
		sentence(`the watch words the alert better: (.+)`, func(w *world, p []string) error {
			return w.revise(func(a *ward.Alert) { a.Summary = p[0] }, "worded better")
		}),
		sentence(`the watch withdraws the alert: (.+)`, func(w *world, p []string) error { return w.withdraw(p[0]) }),
		sentence(`the watch closes the alert`, func(w *world, _ []string) error { return w.closeAlert() }),
		sentence(`the desk rules version (\S+) (affected|fixed|not affected): (.+)`, func(w *world, p []string) error {
			return w.rule(p[0], ward.Status(strings.ReplaceAll(p[1], " ", "_")), p[2])
		}),
		sentence(`the desk takes its ruling back: (.+)`, func(w *world, p []string) error { return w.unrule(p[0]) }),
		sentence(`the desk settles the compromise check of ORG: (.+)`, func(w *world, p []string) error { return w.settles(p[0], p[1]) }),
		sentence(`the desk hears from NAME on NAME: (.+)`, func(w *world, p []string) error { return w.onTheTelephone(p[0], p[1], p[2]) }),
		sentence(`PERSON takes ([a-z]+ \S+)`, func(w *world, p []string) error { return w.takes(p[0], p[1]) }),

		// One person awake.
		sentence(`PERSON drafts an alert to CVES in NAME NAME`, func(w *world, p []string) error {
			_, err := w.draft(p[0], p[1], p[2], p[3], "")
			return err
		}),
		sentence(`PERSON proves again who they are`, func(w *world, p []string) error {
			w.proved[p[0]] = w.clock.Now()
			return nil
		}),
		sentence(`PERSON publishes the alert alone to ORGS: (.+)`, func(w *world, p []string) error { return w.publishAlone(p[0], p[1], p[2]) }),
		sentence(`PERSON gives the second approval`, func(w *world, p []string) error { return w.countersign(p[0]) }),

		// What goes wrong is said around the sentence that is refused; and an earlier alert is spoken of again.
		sentence(`it is refused that (.+), because: (.+)`, func(w *world, p []string) error { return w.refused(p[0], p[1]) }),
		sentence(`as for alert (CC-\d+)`, func(w *world, p []string) error {
			w.current = ward.AlertID(p[0])
			return nil
		}),
	}
}

// isSaid are the sentences in which an organisation answers.
func isSaid() []step {
	return []step{
		says(`acknowledges`, func(*world, []string) (responses.Answer, error) { return responses.Answer{Acknowledge: true}, nil }),
		says(`answers (yes|partly|no|not run|hosted)(?: by ORG)?WORDS`, func(_ *world, p []string) (responses.Answer, error) {
			return responses.Answer{Applies: ward.Applicability(strings.ReplaceAll(p[0], " ", "_")), Host: ward.OrgID(p[1]), Words: p[2]}, nil
		}),
		says(`has done (\d+) of (\d+)(?:, held up by (.+?))?(?:, and wants help with (.+))?`, func(_ *world, p []string) (responses.Answer, error) {
			return responses.Answer{Progress: &ward.Progress{Done: number(p[0]), Affected: number(p[1]), Blocker: p[2], Help: p[3]}}, nil
		}),
		says(`says that it is fixed(?: since TIME)?WORDS`, func(_ *world, p []string) (responses.Answer, error) {
			return responses.Answer{Claim: true, FixedAt: when(p[0]), Words: p[1]}, nil
		}),
		says(`contests the match: (.+)`, func(_ *world, p []string) (responses.Answer, error) {
			return responses.Answer{Dispute: true, Words: p[0]}, nil
		}),
		says(`signs its compromise check as (no evidence|evidence found|cannot determine): (.+)`, func(_ *world, p []string) (responses.Answer, error) {
			return responses.Answer{Check: &responses.Signed{Result: ward.CheckResult(strings.ReplaceAll(p[0], " ", "_")), Coverage: p[1]}}, nil
		}),
		says(`closesWORDS`, func(_ *world, p []string) (responses.Answer, error) {
			return responses.Answer{Close: &ward.Closing{}, Words: p[0]}, nil
		}),
		says(`closes as controlled until TIME \((mitigated|isolated|awaiting manufacturer)\): (.+), looked after by (.+), shown by (.+)`, func(_ *world, p []string) (responses.Answer, error) {
			control := ward.Control{Kind: ward.ControlKind(strings.ReplaceAll(p[1], " ", "_")), What: p[2], Owner: p[3], Evidence: p[4], Review: when(p[0])}
			return responses.Answer{Close: &ward.Closing{Outcome: ward.OutcomeControlled, Control: control}}, nil
		}),
		says(`closes as a risk that (.+) accepts until TIME: (.+)`, func(_ *world, p []string) (responses.Answer, error) {
			return responses.Answer{Close: &ward.Closing{Outcome: ward.OutcomeAccepted, Acceptance: ward.Acceptance{Officer: p[0], Until: when(p[1]), Reason: p[2]}}}, nil
		}),
		says(`closes as fixed but for the assets of FILE until TIME: (.+)`, func(w *world, p []string) (responses.Answer, error) {
			left, err := w.left(p[0], p[2], when(p[1]))
			return responses.Answer{Close: &ward.Closing{Outcome: ward.OutcomeResidual, Residual: left}}, err
		}),
		sentence(`ORG speaks for ORGS and (.+)`, func(w *world, p []string) error { return w.speaksFor(p[0], p[1], p[2]) }),
	}
}

// isSeen are what people see, each beginning with "then".
func isSeen() []step {
	return []step{
		sentence(`then the alert is (in force|in force, and owes a second approval|closed|withdrawn|superseded by CC-\d+)`, func(w *world, p []string) error { return w.alertIs(p[0]) }),
		sentence(`then ORG (was|is) (exposed|not exposed|not known)WORDS`, func(w *world, p []string) error {
			return w.stands(p[0], p[1] == "was", ward.ExposureState(strings.ReplaceAll(p[2], " ", "_")), p[3])
		}),
		sentence(`then the proof of ORG is (confirmed|awaiting evidence|contradicted|disputed|empty)WORDS`, func(w *world, p []string) error {
			return w.proof(p[0], p[1], p[2])
		}),
		sentence(`then the answer of ORG reads: (.+)`, func(w *world, p []string) error { return w.reads(p[0], p[1]) }),
		sentence(`then ORG sees that the answer of ORG reads: (.+)`, func(w *world, p []string) error { return w.seesThat(p[0], p[1], p[2]) }),
		sentence(`then ORG sees nothing of the answer of ORG`, func(w *world, p []string) error { return w.seesNothing(p[0], p[1]) }),
		sentence(`then the history of ORG says: (.+)`, func(w *world, p []string) error { return w.history(p[0], p[1]) }),
		sentence(`then ORG owes (an acknowledgement|an update|the fix) by TIME`, func(w *world, p []string) error { return w.owes(p[0], p[1], when(p[2])) }),
		sentence(`then ORG owes a compromise check: (.+)`, func(w *world, p []string) error { return w.check(p[0], p[1]) }),
		sentence(`then ORG owes nothing`, func(w *world, p []string) error { return w.owesNothing(p[0]) }),
		sentence(`then the answer of ORG opens again at TIME`, func(w *world, p []string) error { return w.opensAgain(p[0], when(p[1])) }),
		sentence(`then NOBODY (?:is|are) overdue`, func(w *world, p []string) error { return w.overdue(names(p[0]), false) }),
		sentence(`then NOBODY (?:was|were) ever overdue`, func(w *world, p []string) error { return w.overdue(names(p[0]), true) }),
		sentence(`then NOBODY waits? for the desk`, func(w *world, p []string) error { return w.disputes(names(p[0])) }),
		sentence(`then the queue holds for ORG: (.+)`, func(w *world, p []string) error { return w.queue(p[0], p[1]) }),
		sentence(`then the queue holds nothing for ORG`, func(w *world, p []string) error { return w.queue(p[0], "") }),
		sentence(`then WHO has to take up: (.+)`, func(w *world, p []string) error { return w.lists(p[0], p[1]) }),
		sentence(`then WHO is told: (.+)`, func(w *world, p []string) error { return w.told(p[0], p[1], -1) }),
		sentence(`then WHO is told once: (.+)`, func(w *world, p []string) error { return w.told(p[0], p[1], 1) }),
		sentence(`then WHO is not told: (.+)`, func(w *world, p []string) error { return w.told(p[0], p[1], 0) }),
		sentence(`then the register of (controlled|accepted|residual) holds NOBODY`, func(w *world, p []string) error { return w.registers(p[0], names(p[1])) }),
		sentence(`then (\d+) claimed and (\d+) (?:is|are) confirmed`, func(w *world, p []string) error { return w.figures(p[0], p[1]) }),
	}
}

// list reads "XZ1A, XZ2B and XZ3C".
func list(text string) []string {
	return strings.FieldsFunc(strings.ReplaceAll(text, " and ", ", "), func(r rune) bool { return r == ',' || r == ' ' })
}

func names(text string) []string {
	if text == "nobody" {
		return nil
	}
	return list(text)
}

// when reads a time that the form of its sentence has already checked, but for the name of the month; none is the zero time.
func when(text string) (t time.Time) {
	if text == "" {
		return t
	}
	t, err := time.Parse("2 January 2006 15:04", text)
	if err != nil {
		panic(err)
	}
	return t
}

func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		panic(err)
	}
	return n
}

func span(count, unit string) time.Duration {
	return time.Duration(number(count)) * map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[unit]
}
