package journey_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"wardwatch/act/alerts"
	"wardwatch/act/responses"
	"wardwatch/know/estate"
	"wardwatch/know/estate/ods"
	"wardwatch/know/feeds"
	"wardwatch/test/ground"
	"wardwatch/ward"
)

// ---- what comes in

func (w *world) register(name string) error {
	d, err := ods.ReadPath(w.file(name))
	if err != nil {
		return err
	}
	_, err = w.Estate.ImportOrganisations(w.ctx, ward.System("register"), d)
	return err
}

func (w *world) publishers(name string) error {
	result, err := w.Feeds.Sync(w.ctx, ward.System("feeds"), nil, w.file(name), func(feeds.Progress) {})
	if err == nil && len(result.Feeds) == 0 {
		err = fmt.Errorf("nothing was understood: %+v", result)
	}
	return err
}

func (w *world) imports(org, name, source, classes string, seen time.Time) error {
	body, err := os.Open(w.file(name))
	if err != nil {
		return err
	}
	defer body.Close()
	d := estate.Delivery{Org: ward.OrgID(org), Source: source, ObservedAt: seen, Body: body, Name: name}
	for _, class := range strings.Split(strings.ReplaceAll(classes, " and ", ", "), ",") {
		d.Classes = append(d.Classes, ward.Class(strings.ReplaceAll(strings.TrimSpace(class), " ", "_")))
	}
	who, err := w.lead(org)
	if err == nil {
		_, err = w.Estate.Import(w.ctx, who, d)
	}
	return err
}

func (w *world) declares(org string, runs bool, vendor, product, version string) error {
	answer := ward.NotRun
	if runs {
		answer = ward.RunsIt
	}
	who, err := w.lead(org)
	if err == nil {
		_, err = w.Estate.Declare(w.ctx, who, ward.Declaration{Org: ward.OrgID(org), Vendor: vendor, Product: product, Answer: answer, Version: version})
	}
	return err
}

// names makes the contacts of an organisation, or of the national desk, one a rung.
func (w *world) names(org, rungs string) error {
	for rung := range strings.SplitSeq(strings.ReplaceAll(rungs, " and ", ", "), ", ") {
		who := "the " + rung
		if org != "" {
			who += " of " + org
		}
		c := ward.Contact{Org: ward.OrgID(org), Name: who, Kind: ward.PersonContact, Rungs: []ward.Rung{ward.Rung(strings.ReplaceAll(rung, " ", "_"))},
			Addresses: []ward.Address{{Channel: ward.Email, To: address(who)}}}
		if _, err := w.Notify.AddContact(w.ctx, ward.System("register"), c); err != nil {
			return err
		}
	}
	return nil
}

// ---- what the national watch does

func (w *world) alertNow() (ward.Alert, error) {
	return w.Alerts.Get(w.ctx, ward.Everything(), w.current)
}

// draft writes an alert; it becomes the one that the story speaks of.
func (w *world) draft(by, cves, vendor, product string, supersedes ward.AlertID) (ward.Alert, error) {
	draft := ground.Alert()
	draft.Exercise, draft.Vendor, draft.Product, draft.CVEs, draft.Classes, draft.Supersedes = false, vendor, product, nil, nil, supersedes
	for _, id := range list(cves) {
		draft.CVEs = append(draft.CVEs, ward.CVE(id))
	}
	a, err := w.Alerts.Draft(w.ctx, w.watcher(by), draft)
	if err == nil {
		w.current = a.ID
	}
	return a, err
}

// alert is drafted by Ann, approved and published by Bea.
func (w *world) alert(to, inform, cves, vendor, product string, supersedes ward.AlertID) error {
	a, err := w.draft("Ann", cves, vendor, product, supersedes)
	if err == nil {
		a, err = w.Alerts.Approve(w.ctx, w.watcher("Bea"), a.ID, a.Version)
	}
	if err == nil {
		_, err = w.Alerts.Publish(w.ctx, w.watcher("Bea"), a.ID, a.Version, alerts.Audience{Respond: audience(to), Inform: audience(inform)})
	}
	return err
}

// audience is nil for everyone.
func audience(to string) (orgs []ward.OrgID) {
	if to == "everyone" {
		return nil
	}
	for _, org := range list(to) {
		orgs = append(orgs, ward.OrgID(org))
	}
	return orgs
}

// change does something to the alert as it stands.
func (w *world) change(do func(ward.Alert) error) error {
	a, err := w.alertNow()
	if err == nil {
		err = do(a)
	}
	return err
}

func (w *world) publishAlone(by, to, reason string) error {
	return w.change(func(a ward.Alert) error {
		_, err := w.Alerts.PublishAlone(w.ctx, w.watcher(by), a.ID, a.Version, alerts.Audience{Respond: audience(to)}, reason)
		return err
	})
}

func (w *world) countersign(by string) error {
	return w.change(func(a ward.Alert) error {
		_, err := w.Alerts.Countersign(w.ctx, w.watcher(by), a.ID, a.Version)
		return err
	})
}

// revise writes another text of the alert; the rules say whether it is material, and Bea issues it.
func (w *world) revise(write func(*ward.Alert), why string) error {
	return w.change(func(a ward.Alert) error {
		draft := a
		write(&draft)
		proposed, err := w.Alerts.Proposed(w.ctx, w.watcher("Ann"), a.ID, draft)
		if err != nil {
			return err
		}
		r, err := w.Alerts.Revise(w.ctx, w.watcher("Ann"), a.ID, a.Version, draft, alerts.Change{Material: proposed.Material, Why: why})
		if err == nil {
			_, err = w.Alerts.ApproveRevision(w.ctx, w.watcher("Bea"), a.ID, r.Version)
		}
		return err
	})
}

func (w *world) withdraw(reason string) error {
	return w.change(func(a ward.Alert) error {
		_, err := w.Alerts.Withdraw(w.ctx, w.watcher("Bea"), a.ID, a.Version, reason)
		return err
	})
}

func (w *world) closeAlert() error {
	return w.change(func(a ward.Alert) error {
		_, err := w.Alerts.Close(w.ctx, w.watcher("Bea"), a.ID, a.Version)
		return err
	})
}

func (w *world) rule(version string, status ward.Status, reason string) error {
	return w.change(func(a ward.Alert) (err error) {
		w.ruling, err = w.Responses.Rule(w.ctx, w.watcher("Ann"), ward.Ruling{CVEs: a.CVEs, Vendor: a.Vendor, Product: a.Product,
			Versions: []string{version}, Status: status, Reason: reason})
		return err
	})
}

func (w *world) unrule(reason string) error {
	return w.Responses.Unrule(w.ctx, w.watcher("Ann"), w.ruling.ID, reason)
}

func (w *world) settles(org, words string) error {
	r, err := w.response(org)
	if err == nil {
		_, err = w.Responses.SettleCheck(w.ctx, w.watcher("Ann"), r.Alert, r.Org, r.Version, words)
	}
	return err
}

// takes is "I have this", of whatever is on the desk's list about an organisation.
func (w *world) takes(by, what string) error {
	item, err := w.item(w.watcher(by), what)
	if err == nil {
		_, err = w.Duty.Take(w.ctx, w.watcher(by), item.ID)
	}
	return err
}

// ---- what an organisation says

func (w *world) response(org string) (ward.Response, error) {
	return w.Responses.Get(w.ctx, ward.Everything(), w.current, ward.OrgID(org))
}

// says gives an answer: an organisation's own, what the desk hears on the telephone, or one for others.
func (w *world) says(org string, a responses.Answer) error {
	who, err := w.lead(org)
	if err != nil {
		return err
	}
	if len(w.others) > 0 {
		results, err := w.Responses.AnswerForMany(w.ctx, who, w.current, w.others, a, responses.Bulk{})
		for _, r := range results {
			if r.Refused != "" {
				err = fmt.Errorf("%w; %s: %s", err, r.Org, r.Refused)
			}
		}
		return err
	}
	r, err := w.response(org)
	switch {
	case err != nil:
	case w.call.Speaker != "":
		_, err = w.Responses.ByTelephone(w.ctx, w.watcher("Ann"), w.call, w.current, r.Org, r.Version, a)
	default:
		_, err = w.Responses.Say(w.ctx, who, w.current, r.Org, r.Version, a)
	}
	return err
}

// onTheTelephone tells a sentence that the desk writes down from a call.
func (w *world) onTheTelephone(speaker, number, line string) error {
	w.call = ward.PhoneCall{Speaker: speaker, Number: number, At: w.clock.Now()}
	defer func() { w.call = ward.PhoneCall{} }()
	return w.tell(line)
}

// speaksFor tells what an organisation says for others.
func (w *world) speaksFor(org, others, line string) error {
	w.others = audience(others)
	defer func() { w.others = nil }()
	return w.tell(org + " " + line)
}

// refused tells a sentence that must not come true, for a reason.
func (w *world) refused(line, why string) error {
	err := w.tell(line)
	switch {
	case err == nil:
		return errors.New("it was possible")
	case errors.Is(err, errNoStep) || !strings.Contains(err.Error(), why):
		return fmt.Errorf("it was refused with: %w", err)
	}
	return nil
}

// left is what an organisation says is not fixed yet: the assets of a file.
func (w *world) left(name, reason string, until time.Time) ([]ward.Residual, error) {
	file, err := os.Open(w.file(name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, err
	}
	var left []ward.Residual
	for _, row := range rows[1:] {
		left = append(left, ward.Residual{Name: row[0], Reason: reason, Until: until})
	}
	return left, nil
}
