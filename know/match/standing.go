package match

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"wardwatch/keep/store"
	"wardwatch/know"
	"wardwatch/ward"
)

// question is what an alert asks of estates, made ready: which identities it is about, and what is said of each.
type question struct {
	about    ward.About
	name     string // of the product, as sentences say it
	keys     []string
	software map[ward.SoftwareID]ward.Software
	said     map[ward.SoftwareID]ward.Verdict // the worst over the weaknesses
	ids      []ward.SoftwareID
	waiting  map[ward.SoftwareID]*Identity // of which some verdict depends on what else the asset runs
	known    *library
	names    know.Aliases
}

// ask gathers the identities of the product, and of every product that the weaknesses name when none is given, and holds
// each against all the weaknesses.
func ask(ctx context.Context, tx *store.Tx, about ward.About) (*question, error) {
	q := &question{about: about, name: productName(about), software: map[ward.SoftwareID]ward.Software{}, said: map[ward.SoftwareID]ward.Verdict{},
		waiting: map[ward.SoftwareID]*Identity{}, known: newLibrary()}
	known := q.known
	if err := known.load(ctx, tx, about.CVEs...); err != nil {
		return nil, err
	}
	q.keys = know.NameKeys(about.Vendor, about.Product)
	if key := know.ProductKey(about.Vendor, about.Product); key != "" && !slices.Contains(q.keys, key) {
		q.keys = append(q.keys, key)
	}
	names, err := aliases(ctx, tx)
	if err != nil {
		return nil, err
	}
	q.names = names
	q.keys = names.Also(q.keys)
	keys := slices.Clone(q.keys)
	for _, cve := range about.CVEs {
		if w := known.compiled[cve].weakness; w != nil {
			keys = append(keys, w.Keys...)
		}
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	if len(q.keys) == 0 {
		q.keys = keys
	}
	all, err := tx.SoftwareByKeys(ctx, keys)
	if err != nil {
		return nil, err
	}
	for _, sw := range all {
		id := ReadAs(sw, names)
		worst, waits := q.worst(id, nil)
		if waits {
			q.waiting[sw.ID] = id
		}
		ours := slices.ContainsFunc(id.Keys, func(key string) bool { return slices.Contains(q.keys, key) })
		switch {
		case worst != nil:
			q.said[sw.ID] = *worst
		case !ours:
			continue
		case len(about.CVEs) == 0:
			q.said[sw.ID] = ward.Verdict{Software: sw.ID, Status: ward.Affected, Basis: ward.ByDefault, Why: "The alert is about every version of " + q.name + "."}
		default:
			q.said[sw.ID] = ward.Verdict{Software: sw.ID, Status: ward.VersionUnknown, Basis: ward.ByDefault, Why: "No source says which versions of " + q.name + " are affected."}
		}
		q.software[sw.ID] = sw
		q.ids = append(q.ids, sw.ID)
	}
	return q, nil
}

// worst is what is said of an identity over all the weaknesses, with what runs beside it for each condition, and whether any
// of it depends on that.
func (q *question) worst(id *Identity, beside map[string][]*Identity) (worst *ward.Verdict, waits bool) {
	for _, cve := range q.about.CVEs {
		w := q.known.compiled[cve].weakness
		if w == nil {
			continue
		}
		v, opinions := w.decide(id, nil)
		if len(opinions) == 0 {
			continue
		}
		if on, depends := w.waitsFor(id, opinions); depends {
			waits = true
			_, digest := on.body()
			if members, told := beside[digest]; told {
				if v, opinions = w.decide(id, members); len(opinions) == 0 {
					continue // nobody speaks of it there
				}
			}
		}
		if v.Why = why(opinions); worst == nil || worse(v, *worst) {
			worst = &v
		}
	}
	return worst, waits
}

// worse orders verdicts of several weaknesses on one identity: what must not be missed first, then the stronger statement,
// then the later fix, since that one resolves both.
func worse(a, b ward.Verdict) bool {
	return cmp.Or(cmp.Compare(severity(a.Status), severity(b.Status)), cmp.Compare(strength(a.Basis), strength(b.Basis)),
		know.Compare(know.SchemeVendor, b.Fixed, a.Fixed)) < 0
}

func productName(about ward.About) string {
	if about.Product == "" {
		return "what the alert is about"
	}
	if about.Vendor == "" || strings.HasPrefix(strings.ToLower(about.Product), strings.ToLower(about.Vendor)) {
		return about.Product
	}
	return ward.ProductName(about.Vendor, about.Product)
}

// evidence is everything that standings are worked out from, for all organisations at once.
type evidence struct {
	*question
	now      time.Time
	classes  []ward.Class
	running  map[ward.OrgID][]store.Running
	vanished map[ward.OrgID][]store.Vanished
	sources  map[ward.OrgID][]ward.Source
	declared map[ward.OrgID]ward.Declaration
}

// Standing says what is known of each organisation about a product and its weaknesses: exposed, by what some source lists
// now; not exposed, only when a fresh source covers every class where the product would be seen, or a person of the
// organisation declared it and that has not expired; else not known. Each comes with its reason in words.
func (m *Matcher) Standing(ctx context.Context, scope ward.Scope, about ward.About, orgs []ward.OrgID) (all []ward.Standing, err error) {
	for _, org := range orgs {
		if !scope.Sees(org) {
			return nil, ward.ErrNotFound
		}
	}
	if len(orgs) == 0 {
		return nil, nil
	}
	if len(orgs) == 1 {
		scope = scope.Within(orgs[0])
	}
	err = m.store.View(ctx, func(tx *store.Tx) error {
		e, err := m.gather(ctx, tx, scope, about)
		if err != nil {
			return err
		}
		for _, org := range orgs {
			all = append(all, e.standing(org))
		}
		return nil
	})
	return all, err
}

func (m *Matcher) gather(ctx context.Context, tx *store.Tx, scope ward.Scope, about ward.About) (*evidence, error) {
	q, err := ask(ctx, tx, about)
	if err != nil {
		return nil, err
	}
	e := &evidence{question: q, now: m.clock.Now(), classes: about.Classes, running: map[ward.OrgID][]store.Running{}, vanished: map[ward.OrgID][]store.Vanished{}, sources: map[ward.OrgID][]ward.Source{}}
	if len(e.classes) == 0 {
		if e.classes, err = classesOf(ctx, tx, q.keys); err != nil {
			return nil, err
		}
	}
	running, err := tx.RunningNow(ctx, scope, q.ids)
	if err != nil {
		return nil, err
	}
	on, err := q.onAssets(ctx, tx, scope)
	if err != nil {
		return nil, err
	}
	for _, r := range running {
		e.running[r.Org] = append(e.running[r.Org], on.split(r)...)
	}
	var open []ward.SoftwareID
	for _, id := range q.ids {
		if !settled(q.said[id].Status) {
			open = append(open, id)
		}
	}
	vanished, err := tx.VanishedSince(ctx, scope, open, e.now.Add(-ward.FreshFor))
	if err != nil {
		return nil, err
	}
	for _, v := range vanished {
		e.vanished[v.Org] = append(e.vanished[v.Org], v)
	}
	sources, err := tx.SourcesWithin(ctx, scope)
	if err != nil {
		return nil, err
	}
	for _, s := range sources {
		e.sources[s.Org] = append(e.sources[s.Org], s)
	}
	e.declared, err = tx.DeclaredOn(ctx, scope, q.keys)
	return e, err
}

// declaration is the format of the source that holds what persons declared.
const declaration = "declaration"

func (e *evidence) standing(org ward.OrgID) ward.Standing {
	s := ward.Standing{Org: org, AsAt: e.now}
	declared, asked := e.declared[org]
	valid := asked && e.now.Before(declared.Expires)
	var listed []store.Running
	for _, r := range e.running[org] {
		if r.Format == declaration && !valid {
			continue // what a person declared counts until it expires
		}
		listed = append(listed, r)
	}
	switch {
	case e.exposed(&s, listed):
	case e.unclear(&s, listed):
	case e.gone(&s, declared, valid):
	case valid && e.byDeclaration(&s, declared):
	default:
		e.byCoverage(&s, org, listed, declared, asked)
	}
	return s
}

// exposed: an affected version is listed now.
func (e *evidence) exposed(s *ward.Standing, listed []store.Running) bool {
	found := e.with(listed, func(status ward.Status) bool { return status == ward.Affected })
	if len(found) == 0 {
		return false
	}
	s.State, s.Assets = ward.Exposed, distinct(found)
	best := strongest(found)
	s.Source, s.ObservedAt, s.Grade = best.Source, best.ObservedAt, best.Grade
	s.Reason = fmt.Sprintf("%s on %s by %s, observed on %s.", e.versions(found), assets(s.Assets), sourceNames(found), day(best.ObservedAt))
	if e.now.Sub(best.ObservedAt) > ward.FreshFor {
		s.Reason += " That is more than 30 days ago."
	}
	return true
}

// unclear: the product is listed, and whether that version is affected cannot be told.
func (e *evidence) unclear(s *ward.Standing, listed []store.Running) bool {
	found := e.with(listed, func(status ward.Status) bool { return !settled(status) })
	if len(found) == 0 {
		return false
	}
	best := strongest(found)
	s.State, s.Source, s.ObservedAt, s.Grade = ward.ExposureUnknown, best.Source, best.ObservedAt, best.Grade
	said := e.said[best.Software]
	lack := "whether that version is affected is not known"
	switch {
	case !know.Usable(Read(e.software[best.Software]).version):
		lack = "its version is not known"
	case said.Status == ward.PlatformUnknown:
		lack = "whether it is affected depends on what else runs there, which no source tells"
	}
	s.Reason = fmt.Sprintf("%s is on %s by %s, observed on %s, and %s.", e.nameOf(best.Software), assets(distinct(found)), best.Source, day(best.ObservedAt), lack)
	return true
}

// gone: an affected version was listed lately on an asset that nobody lists any more, which says nothing of a fix.
func (e *evidence) gone(s *ward.Standing, declared ward.Declaration, valid bool) bool {
	all := e.vanished[s.Org]
	if len(all) == 0 || valid && !all[0].LastSeen.After(declared.At) {
		return false // a person has answered since
	}
	last := all[0]
	s.State, s.Source, s.ObservedAt = ward.ExposureUnknown, last.Source, last.LastSeen
	s.Reason = fmt.Sprintf("%s was on %s by %s until %s, and that asset is no longer listed: nothing says whether it was removed or fixed.", e.nameOf(last.Software), last.Asset, last.Source, day(last.LastSeen))
	return true
}

// byDeclaration: a person of the organisation answered "Do you run it?".
func (e *evidence) byDeclaration(s *ward.Standing, d ward.Declaration) bool {
	s.Source, s.ObservedAt, s.Grade = declaration, d.At, ward.SelfDeclared
	signed := fmt.Sprintf("%s declared on %s", or(d.Name, "A person of the organisation"), day(d.At))
	switch d.Answer {
	case ward.NotRun:
		s.State = ward.NotExposed
		s.Reason = fmt.Sprintf("%s that the organisation does not run %s (self-declared, until %s).", signed, e.name, day(d.Expires))
	case ward.HostedBy:
		s.State = ward.ExposureUnknown
		s.Reason = fmt.Sprintf("%s that %s is hosted by %s: the host has to say whether it is affected.", signed, e.name, or(string(d.Host), or(d.Words, "another")))
	case ward.RunsIt:
		id := Read(ward.Software{Vendor: d.Vendor, Product: d.Product, Version: d.Version})
		if id.version == "" {
			s.State = ward.ExposureUnknown
			s.Reason = fmt.Sprintf("%s that the organisation runs %s, without a version.", signed, e.name)
			return true
		}
		if v, ok := e.saidOf(id); !ok || !settled(v.Status) {
			return false
		}
		s.State = ward.NotExposed
		s.Reason = fmt.Sprintf("%s that the organisation runs %s %s, which is fixed or not affected (self-declared, until %s).", signed, e.name, d.Version, day(d.Expires))
	default:
		return false
	}
	return true
}

// saidOf finds what is said of an identity with the same product and version.
func (e *evidence) saidOf(id *Identity) (ward.Verdict, bool) {
	for _, known := range e.ids {
		other := Read(e.software[known])
		if other.key == id.key && other.version != "" && slices.ContainsFunc(other.Keys, id.has) {
			return e.said[known], true
		}
	}
	return ward.Verdict{}, false
}

// byCoverage: nothing affected is listed, which says something only where every class was looked at lately.
func (e *evidence) byCoverage(s *ward.Standing, org ward.OrgID, listed []store.Running, declared ward.Declaration, asked bool) {
	s.State = ward.ExposureUnknown
	if len(e.classes) == 0 {
		s.Reason = fmt.Sprintf("Nobody knows on which class of asset %s would be seen, so no inventory can show that it is not there.", e.name)
		return
	}
	var covering []ward.Source
	var missing, old []string
	for _, class := range e.classes {
		best, ok := freshest(e.sources[org], class)
		switch {
		case !ok:
			missing = append(missing, classWord(class))
		case e.now.Sub(best.ObservedAt) > ward.FreshFor:
			old = append(old, fmt.Sprintf("%s was last covered by %s on %s, more than 30 days ago", classWord(class), best.Name, day(best.ObservedAt)))
			s.Source, s.ObservedAt, s.Grade = best.Name, best.ObservedAt, best.Grade
		default:
			covering = append(covering, best)
		}
	}
	if len(missing)+len(old) > 0 {
		var parts []string
		if len(missing) > 0 {
			parts = append(parts, "no source covers "+words(missing, "or"))
		}
		s.Reason = sentence(strings.Join(append(parts, old...), "; "))
		if asked && !e.now.Before(declared.Expires) {
			s.Reason += fmt.Sprintf(" A declaration of %s has expired.", day(declared.At))
		}
		return
	}
	s.State = ward.NotExposed
	weakest := covering[0]
	var names []string
	for _, c := range covering {
		if c.ObservedAt.Before(weakest.ObservedAt) {
			weakest = c
		}
		if name := fmt.Sprintf("%s (observed on %s)", c.Name, day(c.ObservedAt)); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	s.Source, s.ObservedAt, s.Grade = weakest.Name, weakest.ObservedAt, weakest.Grade
	for _, c := range covering {
		if gradeRank(c.Grade) < gradeRank(s.Grade) {
			s.Grade = c.Grade
		}
	}
	classes := make([]string, len(e.classes))
	for i, class := range e.classes {
		classes[i] = classWord(class)
	}
	what := "no " + e.name
	if len(listed) > 0 {
		what = e.versions(listed) + " only, which is fixed or not affected"
	}
	verb := "covers"
	if len(names) > 1 {
		verb = "cover"
	}
	s.Reason = sentence(fmt.Sprintf("%s %s %s and %s %s", words(names, "and"), verb, words(classes, "and"), map[bool]string{true: "list", false: "lists"}[len(names) > 1], what))
}

// with keeps what a status holds of.
func (e *evidence) with(listed []store.Running, holds func(ward.Status) bool) []store.Running {
	var all []store.Running
	for _, r := range listed {
		if holds(e.said[r.Software].Status) {
			all = append(all, r)
		}
	}
	return all
}

// versions says what is listed: "Ivanti Endpoint Manager Mobile 12.4.0.1 and 12.5.0.0", or the first few of many.
func (e *evidence) versions(found []store.Running) string {
	const most = 3
	var names []string
	last := ""
	for _, r := range found {
		name, version := spokenOf(e.software[r.Software])
		text := strings.TrimSpace(name + " " + version)
		if name == last && version != "" {
			text = version
		}
		if !slices.Contains(names, text) && (len(names) == 0 || names[0] != strings.TrimSpace(name+" "+version)) {
			names = append(names, text)
		}
		last = name
	}
	if len(names) > most {
		names = append(names[:most], fmt.Sprintf("%d more", len(names)-most))
	}
	return words(names, "and")
}

// nameOf says an identity as a person would.
func (e *evidence) nameOf(id ward.SoftwareID) string { return spoken(e.software[id]) }

func spoken(sw ward.Software) string {
	name, version := spokenOf(sw)
	return strings.TrimSpace(name + " " + version)
}

func spokenOf(sw ward.Software) (name, version string) {
	id := Read(sw)
	name = id.product
	if id.vendor != "" && !strings.HasPrefix(strings.ToLower(name), strings.ToLower(id.vendor)) {
		name = id.vendor + " " + name
	}
	if name == "" {
		return sw.String(), ""
	}
	if sw.Product == "" { // words of a CPE
		name = strings.ReplaceAll(name, "_", " ")
	}
	return name, id.version
}

func distinct(found []store.Running) int {
	seen := map[ward.AssetID]bool{}
	for _, r := range found {
		for _, asset := range r.Assets {
			seen[asset] = true
		}
	}
	return len(seen)
}

// strongest is the listing of the best grade, and of those the newest.
func strongest(found []store.Running) store.Running {
	return slices.MaxFunc(found, func(a, b store.Running) int {
		return cmp.Or(cmp.Compare(gradeRank(a.Grade), gradeRank(b.Grade)), a.ObservedAt.Compare(b.ObservedAt))
	})
}

func gradeRank(g ward.Grade) int {
	return slices.Index([]ward.Grade{ward.SelfDeclared, ward.ToolExport, ward.Independent}, g)
}

func sourceNames(found []store.Running) string {
	var names []string
	for _, r := range found {
		if !slices.Contains(names, r.Source) {
			names = append(names, r.Source)
		}
	}
	return words(names, "and")
}

// freshest is the source that covered a class last. Declarations cover no class.
func freshest(sources []ward.Source, class ward.Class) (best ward.Source, ok bool) {
	for _, s := range sources {
		if s.Format != declaration && slices.Contains(s.Classes, class) && (!ok || s.ObservedAt.After(best.ObservedAt)) {
			best, ok = s, true
		}
	}
	return best, ok
}

var classWords = map[ward.Class]string{
	ward.Workstation: "workstations", ward.Server: "servers", ward.Appliance: "network and edge appliances", ward.MobileManagement: "mobile management",
	ward.MedicalDevice: "medical devices", ward.Cloud: "cloud services",
}

func classWord(class ward.Class) string { return or(classWords[class], string(class)) }

func assets(n int) string {
	if n == 1 {
		return "1 asset"
	}
	return fmt.Sprintf("%d assets", n)
}

func words(all []string, join string) string {
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + " " + join + " " + all[len(all)-1]
}

func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:] + "."
}

func day(t time.Time) string { return t.Format("2 January 2006") }

// Evidence lists, for every asset of org that ever had software of the product or was exposed to the weaknesses, what each
// source last showed there, with what is said of it now. What is no longer listed is Gone, and confirms nothing. Installs
// that ended before since are left out; a zero since leaves nothing out.
func (m *Matcher) Evidence(ctx context.Context, tx *store.Tx, org ward.OrgID, about ward.About, since time.Time) ([]ward.Seen, error) {
	q, err := ask(ctx, tx, about)
	if err != nil {
		return nil, err
	}
	found, err := tx.SightingsOf(ctx, ward.Only(org), org, q.ids, since)
	if err != nil {
		return nil, err
	}
	on, err := q.onAssets(ctx, tx, ward.Only(org))
	if err != nil {
		return nil, err
	}
	declared, err := tx.DeclaredOn(ctx, ward.Only(org), q.keys)
	if err != nil {
		return nil, err
	}
	type place struct {
		asset  ward.AssetID
		source ward.SourceID
	}
	current := map[place]bool{}
	last := map[place]time.Time{}
	for _, s := range found {
		at := place{s.Asset, s.SourceID}
		current[at] = current[at] || !s.Gone
		last[at] = later(last[at], s.LastSeen)
	}
	var all []ward.Seen
	for _, s := range found {
		at := place{s.Asset, s.SourceID}
		if s.Gone && (current[at] || s.LastSeen.Before(last[at])) {
			continue // the source has shown another version there since
		}
		if d, ok := declared[org]; s.Format == declaration && (!ok || !m.clock.Now().Before(d.Expires)) {
			continue
		}
		there := on.of(s.Software, s.Asset)
		sw, v := q.software[there], q.said[there]
		seen := ward.Seen{
			Asset: s.Asset, Name: s.Name, Software: spoken(sw), Version: Read(sw).version, Status: v.Status, Basis: v.Basis, Fixed: v.Fixed, Why: v.Why,
			Source: s.Source, Grade: s.Grade, ObservedAt: s.LastSeen, Gone: s.Gone,
		}
		all = append(all, seen)
	}
	slices.SortStableFunc(all, func(a, b ward.Seen) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.Asset, b.Asset), b.ObservedAt.Compare(a.ObservedAt))
	})
	return all, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
