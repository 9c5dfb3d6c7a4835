package sigma

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"wardwatch/watch"
)

// A Set is what was loaded. It does not change, and many engines may share it.
type Set struct {
	Rules        []*Rule
	Correlations []*Correlation
	// Names are all fields that a rule, a group-by or an alias asks for.
	Names *watch.Names
}

// What a document may have. The community's rules have one condition, and some ten of all else.
const (
	maxConditions = 100
	maxFilters    = 200   // of one rule
	maxRefs       = 1_000 // rules of a correlation
	maxGroupBy    = 100
	maxReason     = 1_000 // bytes of a trouble, which may quote what is wrong
)

// A reader makes a Set and its Report of files.
type reader struct {
	Options
	strings      map[string]string // each text of the rules once
	expressions  map[string]*regexp.Regexp
	rules        []*draft
	correlations []*draft
	filters      []*draft
	report       Report
	spent        int // of maxRule, by the document that is read
}

// A draft is one document on its way into the set.
type draft struct {
	head
	rule        *Rule
	correlation *correlationDraft
	filter      *filter
	partly      []string // what it says and is not done
	filters     int      // that are added to it
	refused     string   // why it does not work
	quiet, loud bool     // what the correlations that refer to it want of it
	stands      *draft   // the rule whose aggregation this correlation is
}

// refuse says why a document does not work. A rule with an aggregation does not work without it.
func (d *draft) refuse(err error) {
	d.refused = err.Error()
	if d.stands != nil && d.stands.refused == "" {
		d.stands.refused = d.refused
	}
}

// A head is what all kinds of documents have.
type head struct {
	id, name, title, level, status, file string
	tags                                 []string
}

// called is how reports name a document.
func (h head) called() string {
	for _, s := range []string{h.id, h.name, h.title} {
		if s != "" {
			return s
		}
	}
	return ""
}

// trouble is what reports say of a document.
func (h head) trouble(reason string) Trouble {
	short := func(s string) string {
		if len(s) > maxReason {
			s = strings.ToValidUTF8(s[:maxReason], "") + "..."
		}
		return s
	}
	return Trouble{RuleID: short(h.called()), File: h.file, Reason: short(reason)}
}

// Parse makes a set of the documents in the files. It always gives both; what is wrong is in the Report.
func Parse(o Options, files ...File) (*Set, *Report) {
	r := &reader{Options: o, strings: map[string]string{}, expressions: map[string]*regexp.Regexp{}}
	for _, f := range files {
		r.file(f)
	}
	return r.finish()
}

// interned is the text itself, one copy for all rules.
func (r *reader) interned(s string) string {
	if known, ok := r.strings[s]; ok {
		return known
	}
	r.strings[s] = s
	return s
}

// file reads the documents of one file.
func (r *reader) file(f File) {
	refuse := func(doc yamlValue, err error) {
		r.report.Refused = append(r.report.Refused, headOf(f.Name, doc).trouble(err.Error()))
	}
	if f.Err != nil {
		refuse(yamlValue{}, f.Err)
		return
	}
	docs := documents(f.Text)
	if len(docs) == 0 {
		refuse(yamlValue{}, errors.New("no rule in it"))
	}
	var shared, last yamlValue // action: global, and the document before
	for _, doc := range docs {
		v := doc.yamlValue
		switch action := v.get("action").text; {
		case doc.err != nil:
			refuse(v, doc.err)
			continue
		case v.shape != yamlMap:
			refuse(v, fmt.Errorf("%v where a rule is expected", v.shape))
			continue
		case action == "global":
			shared = over(v, shared)
			continue
		case action == "reset":
			shared = yamlValue{}
			continue
		case action == "repeat":
			v = over(v, last)
		default:
			v = over(v, shared)
		}
		last = v
		r.document(f.Name, v)
	}
}

// headOf is the head of a document, but for what can be wrong in it.
func headOf(file string, doc yamlValue) head {
	return head{id: doc.get("id").text, name: doc.get("name").text, title: doc.get("title").text, file: file}
}

// over is the one map over the other, maps within maps too.
func over(doc, under yamlValue) yamlValue {
	if doc.shape != yamlMap || under.shape != yamlMap {
		return doc
	}
	merged := yamlValue{shape: yamlMap, keys: slices.Clone(doc.keys), list: slices.Clone(doc.list)}
	for i, key := range merged.keys {
		merged.list[i] = over(merged.list[i], under.get(key))
	}
	return merged.under(under)
}

// document reads one document, whatever it is.
func (r *reader) document(file string, doc yamlValue) {
	r.spent = 0
	d := &draft{head: headOf(file, doc)}
	d.status = r.interned(doc.get("status").text)
	tags, err := doc.get("tags").strings()
	if err != nil {
		d.partly = append(d.partly, "tags: "+err.Error())
	}
	for _, tag := range tags {
		d.tags = append(d.tags, r.interned(tag))
	}
	switch level := strings.ToLower(doc.get("level").text); level {
	case "", "informational", "low", "medium", "high", "critical":
		d.level = r.interned(level)
	default:
		d.partly = append(d.partly, fmt.Sprintf("level: %q is none", level))
	}
	if taxonomy := doc.get("taxonomy").text; taxonomy != "" && taxonomy != "sigma" {
		d.partly = append(d.partly, fmt.Sprintf("taxonomy %q: names of fields are taken as they are written", taxonomy))
	}
	has := func(key string) bool { return slices.Contains(doc.keys, key) }
	switch {
	case has("regression_tests_info") && !has("detection"):
		return // says which samples stand beside it, and is no rule
	case has("correlation"):
		r.correlations = append(r.correlations, d)
		err = r.readCorrelation(d, doc)
	case has("filter"):
		r.filters = append(r.filters, d)
		err = r.readFilter(d, doc)
	case has("detection"):
		r.rules = append(r.rules, d)
		err = r.readRule(d, doc)
	default:
		r.rules = append(r.rules, d)
		err = errors.New("none of detection, correlation and filter")
	}
	if err != nil {
		d.refuse(err)
	}
}

// readRule reads a rule.
func (r *reader) readRule(d *draft, doc yamlValue) error {
	source, err := r.source(doc.get("logsource"))
	if err != nil {
		return fmt.Errorf("logsource: %w", err)
	}
	d.rule = &Rule{
		ID: d.called(), Title: d.title, Level: d.level, Status: d.status, Tags: d.tags, File: d.file, Source: source,
	}
	if d.rule.ID == "" {
		d.rule.ID = d.file
	}
	return r.detection(d, doc.get("detection"))
}

// source reads a logsource.
func (r *reader) source(v yamlValue) (watch.Source, error) {
	if v.shape != yamlMap {
		return watch.Source{}, fmt.Errorf("%v where a map is expected", v.shape)
	}
	word := func(key string) string { return r.interned(strings.ToLower(strings.TrimSpace(v.get(key).text))) }
	s := watch.Source{Product: word("product"), Category: word("category"), Service: word("service")}
	if s == (watch.Source{}) {
		return s, errors.New("neither product nor category nor service")
	}
	return s, nil
}

// detection reads the search identifiers and the conditions of a rule.
func (r *reader) detection(d *draft, v yamlValue) error {
	if v.shape != yamlMap {
		return fmt.Errorf("detection: %v where a map is expected", v.shape)
	}
	texts, err := v.get("condition").strings()
	if err != nil {
		return fmt.Errorf("condition: %w", err)
	}
	if len(texts) == 0 {
		return errors.New("no condition")
	}
	if len(texts) > maxConditions {
		return fmt.Errorf("condition: %d of them, more than %d", len(texts), maxConditions)
	}
	s := r.searches(v, "condition", "timeframe")
	var each []Expr
	var failed []string
	timeframe := v.get("timeframe").text
	for _, text := range texts {
		text, behind, aggregated := strings.Cut(text, "|")
		e, err := s.condition(text)
		if err == nil && aggregated {
			if len(texts) > 1 {
				err = errors.New("condition: an aggregation beside other conditions")
			} else {
				err = r.aggregation(d, behind, timeframe)
			}
			timeframe = ""
		}
		if err != nil {
			failed = append(failed, err.Error())
			continue
		}
		each = append(each, e)
	}
	if len(each) == 0 {
		return errors.New(strings.Join(failed, "; "))
	}
	if timeframe != "" {
		failed = append(failed, "a timeframe without an aggregation")
	}
	d.partly = append(d.partly, failed...)
	d.partly = append(d.partly, s.unused()...)
	d.rule.Condition = anyOf(each)
	return nil
}

// searches are the search identifiers of one document, each read once.
type searches struct {
	reader *reader
	values map[string]yamlValue
	names  []string
	read   map[string]Expr
}

func (r *reader) searches(v yamlValue, except ...string) *searches {
	s := &searches{reader: r, values: make(map[string]yamlValue, len(v.keys)), read: make(map[string]Expr, len(v.keys))}
	for i, key := range v.keys {
		if !slices.Contains(except, key) {
			s.names = append(s.names, key)
			s.values[key] = v.list[i]
		}
	}
	return s
}

// condition reads one condition over the search identifiers.
func (s *searches) condition(text string) (Expr, error) {
	c := conditionReader{names: s.names, search: s.search}
	e, err := c.parse(text)
	var within searchError
	if err == nil && leaves(e, maxRule) >= maxRule {
		err = fmt.Errorf("more than %d comparisons, each search identifier counted as often as it is named", maxRule)
	}
	if err != nil && !errors.As(err, &within) {
		return nil, fmt.Errorf("condition: %w", err)
	}
	return e, err
}

// leaves is how many leaves a tree has, with what it shares counted each time, up to the most.
func leaves(e Expr, most int) int {
	switch e := e.(type) {
	case And:
		return leavesOf(e, most)
	case Or:
		return leavesOf(e, most)
	case Not:
		return leaves(e.Expr, most)
	default:
		return 1
	}
}

func leavesOf(each []Expr, most int) int {
	n := 1
	for _, e := range each {
		if n += leaves(e, most-n); n >= most {
			break
		}
	}
	return n
}

// A searchError is what is wrong with a search identifier, not with the condition that names it.
type searchError struct {
	name string
	error
}

func (e searchError) Error() string { return e.name + ": " + e.error.Error() }

// search is what a search identifier stands for.
func (s *searches) search(name string) (Expr, error) {
	if e, done := s.read[name]; done {
		return e, nil
	}
	e, err := s.reader.search(s.values[name])
	if err != nil {
		return nil, searchError{name, err}
	}
	s.read[name] = e
	return e, nil
}

// unused says what is wrong with search identifiers that no condition has asked for.
func (s *searches) unused() []string {
	var wrong []string
	for _, name := range s.names {
		if _, err := s.search(name); err != nil {
			wrong = append(wrong, "not used by the condition: "+err.Error())
		}
	}
	return wrong
}

// search reads a search identifier: a map of fields, or a list of maps and keywords, or one keyword.
func (r *reader) search(v yamlValue) (Expr, error) {
	switch v.shape {
	case yamlScalar:
		return r.item("", v)
	case yamlMap:
		if len(v.keys) == 0 {
			return nil, errors.New("empty")
		}
		each := make([]Expr, len(v.keys))
		for i, key := range v.keys {
			e, err := r.item(key, v.list[i])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			each[i] = e
		}
		return allOf(each), nil
	case yamlList:
		if len(v.list) == 0 {
			return nil, errors.New("empty")
		}
		each := make([]Expr, len(v.list))
		for i, element := range v.list {
			if element.shape == yamlList {
				return nil, errors.New("a list in a list")
			}
			e, err := r.search(element)
			if err != nil {
				return nil, err
			}
			each[i] = e
		}
		return anyOf(each), nil
	default:
		return nil, errors.New("empty")
	}
}

// finish joins what was read: filters into rules, references into places, troubles into the report.
func (r *reader) finish() (*Set, *Report) {
	r.once()
	r.applyFilters()
	set := &Set{}
	places := map[*draft]int{}
	for _, d := range r.rules {
		if d.refused == "" {
			places[d] = len(set.Rules)
			set.Rules = append(set.Rules, d.rule)
		}
	}
	set.Correlations = r.correlate(places)
	for _, d := range slices.Concat(r.rules, r.correlations, r.filters) {
		switch {
		case d.stands != nil: // one document with its rule
		case d.refused != "":
			r.report.Refused = append(r.report.Refused, d.trouble(d.refused))
		case len(d.partly) > 0:
			r.report.Partly = append(r.report.Partly, d.trouble(strings.Join(d.partly, "; ")))
		default:
			r.report.Loaded++
		}
	}
	set.Names = watch.NewNames(append(set.fields(), r.Fields...)...)
	return set, &r.report
}

// once refuses what has the id of one before it: both would say the same of one record.
func (r *reader) once() {
	first := map[string]*draft{}
	for _, d := range slices.Concat(r.rules, r.correlations, r.filters) {
		if d.id == "" || d.refused != "" || d.stands != nil {
			continue
		}
		if other := first[d.id]; other != nil {
			d.refused = fmt.Sprintf("its id is that of %q in %s", other.title, other.file)
			continue
		}
		first[d.id] = d
	}
}

// fields are the names of all fields that the set asks for, each as often as it does.
func (s *Set) fields() []string {
	var names []string
	add := func(more ...string) {
		for _, name := range more {
			if name != "" {
				names = append(names, name)
			}
		}
	}
	for _, rule := range s.Rules {
		Walk(rule.Condition, func(p *Predicate) { add(p.Field, p.Other) })
	}
	for _, c := range s.Correlations {
		add(c.Fields...)
		for _, ref := range c.Refs {
			add(ref.Fields...)
		}
	}
	return slices.Compact(names)
}

// Walk calls visit with each predicate of a condition, in the order written.
func Walk(e Expr, visit func(*Predicate)) {
	switch e := e.(type) {
	case And:
		for _, e := range e {
			Walk(e, visit)
		}
	case Or:
		for _, e := range e {
			Walk(e, visit)
		}
	case Not:
		Walk(e.Expr, visit)
	case *Predicate:
		visit(e)
	}
}
