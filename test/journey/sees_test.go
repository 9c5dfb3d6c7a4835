package journey_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"wardwatch/act/duty"
	"wardwatch/act/findings"
	"wardwatch/act/responses"
	"wardwatch/ward"
)

// same compares what a person sees with what the story expects, and words where it gives some.
func same[T comparable](got, want T, why, words string) error {
	if got != want || !strings.Contains(why, words) {
		return fmt.Errorf("it is %v: %s", got, why)
	}
	return nil
}

func (w *world) stands(org string, then bool, want ward.ExposureState, words string) error {
	if w.current == "" {
		return errors.New("there is no alert yet")
	}
	r, err := w.response(org)
	if err != nil {
		return err
	}
	s := r.Current
	if then {
		s = r.Standing
	}
	return same(s.State, want, s.Reason, words)
}

func (w *world) proof(org, want, words string) error {
	r, err := w.response(org)
	if err != nil {
		return err
	}
	result := ward.ProofResult(strings.ReplaceAll(want, " ", "_"))
	if want == "empty" {
		result = ""
	}
	return same(r.Proof.Result, result, r.Proof.Why, words)
}

// reads is how an answer stands for the national desk and for its organisation: the same words.
func (w *world) reads(org, want string) error {
	national, err := w.response(org)
	if err != nil {
		return err
	}
	who, err := w.lead(org)
	if err != nil {
		return err
	}
	own, err := w.Responses.Get(w.ctx, who.Scope, w.current, ward.OrgID(org))
	if err != nil {
		return err
	}
	if own.Reads() != national.Reads() {
		return fmt.Errorf("it reads %q to itself and %q to the desk", own.Reads(), national.Reads())
	}
	return same(own.Reads(), want, "", "")
}

// seen is how an answer reads to another organisation: as a successor, who sees all of it, or as a care board, which sees
// states and clocks; ErrNotFound for everybody else.
func (w *world) seen(by, org string) (string, error) {
	who, err := w.lead(by)
	if err != nil {
		return "", err
	}
	r, err := w.Responses.Get(w.ctx, who.Scope, w.current, ward.OrgID(org))
	if !errors.Is(err, ward.ErrNotFound) {
		return r.Reads(), err
	}
	members, err := w.Responses.States(w.ctx, who, who.Org)
	for _, s := range members {
		if s.Alert == w.current && s.Org == ward.OrgID(org) {
			return s.Reads, nil
		}
	}
	return "", errors.Join(err, ward.ErrNotFound)
}

func (w *world) seesThat(by, org, want string) error {
	got, err := w.seen(by, org)
	if err != nil {
		return err
	}
	return same(got, want, "", "")
}

func (w *world) seesNothing(by, org string) error {
	if got, err := w.seen(by, org); !errors.Is(err, ward.ErrNotFound) {
		return fmt.Errorf("it reads %q, %w", got, err)
	}
	return nil
}

func (w *world) history(org, words string) error {
	entries, err := w.Responses.History(w.ctx, ward.Everything(), w.current, ward.OrgID(org))
	var lines []string
	for _, e := range entries {
		line := fmt.Sprintf("%s: %s: %s", e.By, e.Kind, e.Words)
		if strings.Contains(line, words) {
			return err
		}
		lines = append(lines, line)
	}
	return errors.Join(err, fmt.Errorf("it says %q", lines))
}

func (w *world) check(org, words string) error {
	r, err := w.response(org)
	if err == nil && (!r.Check.Owed() || !strings.Contains(r.Check.Why, words)) {
		err = fmt.Errorf("it is %+v", r.Check)
	}
	return err
}

// owes compares the clock of an answer.
func (w *world) owes(org, what string, by time.Time) error {
	r, err := w.response(org)
	if err != nil {
		return err
	}
	var due time.Time
	switch {
	case what == "the fix":
		due = r.RemediateBy
	case r.State == ward.ClosedAnswer:
	case what == "an acknowledgement" && r.State == ward.Unanswered:
		due = r.RespondBy
	case what == "an update" && r.State != ward.Unanswered:
		due = r.NextDue
	}
	if !due.Equal(by) {
		return fmt.Errorf("it is due at %s, and the answer reads %q", due, r.Reads())
	}
	return nil
}

func (w *world) owesNothing(org string) error {
	r, err := w.response(org)
	if err == nil && r.State != ward.ClosedAnswer && !r.Lapsed && (r.State == ward.Unanswered || !r.NextDue.IsZero()) {
		err = fmt.Errorf("it reads %q, and the next update is due at %s", r.Reads(), r.NextDue)
	}
	return err
}

func (w *world) opensAgain(org string, at time.Time) error {
	r, err := w.response(org)
	if err == nil && !r.Until.Equal(at) {
		err = fmt.Errorf("it opens again at %s", r.Until)
	}
	return err
}

func (w *world) overdue(want []string, ever bool) error {
	all, err := w.Responses.ForAlert(w.ctx, ward.Everything(), w.current)
	if err != nil {
		return err
	}
	return thoseWho(all, want, func(r ward.Response) bool { return r.Overdue || (ever && r.EverOverdue) })
}

func (w *world) disputes(want []string) error {
	all, err := w.Responses.Disputes(w.ctx, ward.Everything())
	if err != nil {
		return err
	}
	return thoseWho(all, want, func(ward.Response) bool { return true })
}

func thoseWho(all []ward.Response, want []string, is func(ward.Response) bool) error {
	var got []string
	for _, r := range all {
		if is(r) {
			got = append(got, string(r.Org))
		}
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("it is %v", got)
	}
	return nil
}

func (w *world) alertIs(want string) error {
	return w.change(func(a ward.Alert) error {
		got := string(a.State)
		switch {
		case a.Emergency.Owed():
			got = "in force, and owes a second approval"
		case a.InForce():
			got = "in force"
		case a.State == ward.Superseded:
			got = "superseded by " + string(a.SupersededBy)
		}
		return same(got, want, a.EndWhy, "")
	})
}

func (w *world) queue(org, words string) error {
	page, err := w.Findings.Queue(w.ctx, ward.Everything(), findings.Query{Org: ward.OrgID(org)})
	if err != nil {
		return err
	}
	var got []string
	for _, f := range page.Items {
		got = append(got, fmt.Sprintf("%s %s on %d assets", f.Product, f.Fix, f.Assets))
	}
	if text := strings.Join(got, "; "); text != words {
		return fmt.Errorf("it holds %q", text)
	}
	return nil
}

// deskOf is whose list is meant: the desk's, or an organisation's.
func (w *world) deskOf(who string) (ward.Actor, error) {
	if who == "the desk" {
		return w.watcher("Ann"), nil
	}
	return w.lead(who)
}

// item finds what is on somebody's list, by its kind and organisation or alert: "overdue XZ1A".
func (w *world) item(who ward.Actor, what string) (ward.Item, error) {
	page, err := w.Duty.Items(w.ctx, who, duty.Query{})
	for _, i := range page.Items {
		if lineOf(i) == what {
			return i, nil
		}
	}
	return ward.Item{}, errors.Join(err, fmt.Errorf("there is no %q on the list", what))
}

func lineOf(i ward.Item) string {
	if i.Org == "" {
		return fmt.Sprintf("%s %s", i.Kind, i.Alert)
	}
	return fmt.Sprintf("%s %s", i.Kind, i.Org)
}

// lists compares all that waits for people at a desk, the most pressing first.
func (w *world) lists(whose, want string) error {
	who, err := w.deskOf(whose)
	if err != nil {
		return err
	}
	page, err := w.Duty.Items(w.ctx, who, duty.Query{})
	if err != nil {
		return err
	}
	var got []string
	for _, i := range page.Items {
		if i.Kind == ward.ItemFeed {
			continue // a story's publishers speak once, and then their feeds are old
		}
		line := lineOf(i)
		if i.OwnerName != "" {
			line += " (" + i.OwnerName + " has it)"
		}
		got = append(got, line)
	}
	if want == "nothing" {
		want = ""
	}
	return same(strings.Join(got, ", "), want, "", "")
}

// heard lists what somebody was told: an organisation and the desk in their inbox, a person by letter.
func (w *world) heard(who string) (subjects []string, err error) {
	if strings.HasPrefix(who, "the ") && who != "the desk" {
		w.letters.mu.Lock()
		defer w.letters.mu.Unlock()
		for _, m := range w.letters.sent {
			if m.To == address(who) {
				subjects = append(subjects, m.Subject)
			}
		}
		return subjects, nil
	}
	org := ward.OrgID(who)
	if who == "the desk" {
		org = ""
	}
	page, err := w.Notify.Inbox(w.ctx, ward.Everything(), org, "", 100)
	for _, n := range page.Items {
		subjects = append(subjects, n.Subject)
	}
	return subjects, err
}

// told counts what somebody was told with some words; -1: at least once.
func (w *world) told(who, words string, times int) error {
	subjects, err := w.heard(who)
	if err != nil {
		return err
	}
	found := 0
	for _, s := range subjects {
		if strings.Contains(s, words) {
			found++
		}
	}
	if found == times || times < 0 && found > 0 {
		return nil
	}
	return fmt.Errorf("told %d times; in all: %q", found, subjects)
}

func (w *world) figures(claimed, confirmed string) error {
	o, err := w.Responses.Overview(w.ctx, ward.Everything())
	if err != nil {
		return err
	}
	got := strconv.Itoa(o.Claimed) + " " + strconv.Itoa(o.Confirmed)
	return same(got, claimed+" "+confirmed, "", "")
}

// register compares a register of what closed until a date.
func (w *world) registers(which string, want []string) error {
	read := map[string]func() ([]responses.Held, error){
		"controlled": func() ([]responses.Held, error) { return w.Responses.Controlled(w.ctx, ward.Everything()) },
		"accepted":   func() ([]responses.Held, error) { return w.Responses.Accepted(w.ctx, ward.Everything()) },
		"residual":   func() ([]responses.Held, error) { return w.Responses.Residuals(w.ctx, ward.Everything()) },
	}[which]
	held, err := read()
	if err != nil {
		return err
	}
	var all []ward.Response
	for _, h := range held {
		all = append(all, h.Response)
	}
	return thoseWho(all, want, func(ward.Response) bool { return true })
}
