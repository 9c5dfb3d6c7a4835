package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"wardwatch/watch"
	"wardwatch/watch/detect"
	"wardwatch/watch/detect/sigma"
	"wardwatch/watch/ingest/file"
)

// ErrSamples is that of rules whose samples do not come out as they should.
var ErrSamples = errors.New("not all samples came out as they should")

// SamplesReport is what running the samples beside rules came to.
type SamplesReport struct {
	Rules   []TestedFile    `json:"rules"`
	Failed  int             `json:"failed"`
	Without []string        `json:"without"` // files of rules that have no samples
	Refused []sigma.Trouble `json:"refused"` // rules that could not be run at all
}

// A TestedFile is one file of rules, or one description of samples (info.yml), with its samples.
type TestedFile struct {
	File     string   `json:"file"`
	Records  int      `json:"records"` // of all its samples
	Matches  int      `json:"matches"`
	Failures []string `json:"failures"`
}

// Text prints a line for each file of rules, and last the counts.
func (r SamplesReport) Text(w io.Writer) {
	for _, f := range r.Rules {
		word := "ok  "
		if len(f.Failures) > 0 {
			word = "FAIL"
		}
		fmt.Fprintf(w, "%s  %s: %s, %s\n", word, f.File, counted(f.Records, "record"), matches(f.Matches))
		for _, failure := range f.Failures {
			fmt.Fprintf(w, "      %s\n", failure)
		}
	}
	tellTrouble(w, "refused", r.Refused)
	fmt.Fprintf(w, "%d of %s as they should be", len(r.Rules)-r.Failed, counted(len(r.Rules), "file"))
	if n := len(r.Without); n > 0 {
		fmt.Fprintf(w, ", %s of rules without samples", counted(n, "file"))
	}
	fmt.Fprintln(w)
}

// A sample is a file of events, and what its rules must make of it.
type sample struct {
	path  string
	fires bool
	count int // how often exactly; 0: by each record at least once, or once in all where a rule counts records
}

// An exam is one subject and its samples.
type exam struct {
	name    string
	about   func(detect.Detection) bool
	stream  bool // what fires needs several records
	samples []sample
}

// TestRules runs the samples that stand beside rules: NAME.true.* and NAME.false.* beside NAME.yml, and the folders of the
// community's rule set that an info.yml describes. The error is ErrSamples where one does not come out as it should.
func TestRules(ctx context.Context, o RulesOptions) (SamplesReport, error) {
	set, loaded, err := loadRules(o)
	if err != nil {
		return SamplesReport{}, err
	}
	report := SamplesReport{Rules: []TestedFile{}, Without: []string{}, Refused: byFile(loaded.Refused)}
	exams, err := exams(o.Dirs, set, &report)
	if err != nil {
		return report, err
	}
	if len(exams) == 0 {
		return report, fmt.Errorf("rules: no samples in %s: put NAME.true.log and NAME.false.log beside NAME.yml: %w", strings.Join(o.Dirs, ", "), ErrNothingRead)
	}
	look := newLooker(set)
	for _, e := range exams {
		tested := TestedFile{File: e.name, Failures: []string{}}
		for _, s := range e.samples {
			if err := look.run(ctx, e, s, &tested); err != nil {
				return report, err
			}
		}
		if len(tested.Failures) > 0 {
			report.Failed++
		}
		report.Rules = append(report.Rules, tested)
	}
	if report.Failed > 0 {
		err = fmt.Errorf("rules: %s: %w", counted(report.Failed, "file"), ErrSamples)
	}
	return report, err
}

// exams finds the samples in the folders.
func exams(dirs []string, set *sigma.Set, report *SamplesReport) ([]*exam, error) {
	var names []string
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() {
				names = append(names, path)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("rules: %w: %w", err, ErrNothingRead)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	counting := map[string]bool{} // files of rules, and whether one of theirs counts records
	for _, r := range set.Rules {
		counting[r.File] = counting[r.File] || false
	}
	for _, c := range set.Correlations {
		counting[c.File] = true
	}
	beside := map[string]*exam{}
	var described []*exam
	for _, path := range names {
		if filepath.Base(path) == "info.yml" {
			more, err := describedBy(path)
			if err != nil {
				return nil, fmt.Errorf("rules: %s: %w", path, err)
			}
			described = append(described, more...)
			continue
		}
		rules, fires, ok := sampleOf(path)
		if !ok {
			continue
		}
		for _, ext := range []string{".yml", ".yaml"} {
			if _, err := os.Stat(rules + ext); err != nil {
				continue
			}
			e := beside[rules+ext]
			if e == nil {
				name := rules + ext
				e = &exam{name: name, stream: counting[name], about: func(d detect.Detection) bool { return d.Origin == name }}
				beside[name] = e
			}
			e.samples = append(e.samples, sample{path: path, fires: fires})
		}
	}
	for name := range counting {
		if beside[name] == nil {
			report.Without = append(report.Without, name)
		}
	}
	slices.Sort(report.Without)
	var all []*exam
	for _, name := range slices.Sorted(maps.Keys(beside)) {
		all = append(all, beside[name])
	}
	return append(all, described...), nil
}

// sampleOf reads a sample's name: NAME.true.log fires the rules of NAME.yml.
func sampleOf(path string) (rules string, fires, ok bool) {
	for _, word := range []string{".true.", ".false."} {
		if at := strings.LastIndex(filepath.Base(path), word); at > 0 {
			return path[:len(path)-len(filepath.Base(path))+at], word == ".true.", true
		}
	}
	return "", false, false
}

// describedBy reads a description of samples as the community's rule set has them: which rule fires how often on a file that
// stands beside it.
func describedBy(path string) ([]*exam, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the operator names the folder
	if err != nil {
		return nil, err
	}
	var info struct {
		Rules []struct {
			ID string `yaml:"id"`
		} `yaml:"rule_metadata"`
		Samples []struct {
			Path  string `yaml:"path"`
			Count int    `yaml:"match_count"`
		} `yaml:"regression_tests_info"`
	}
	if err := yaml.Unmarshal(text, &info); err != nil {
		return nil, err
	}
	var samples []sample
	for _, s := range info.Samples {
		beside := filepath.Join(filepath.Dir(path), filepath.Base(filepath.FromSlash(s.Path)))
		samples = append(samples, sample{beside, true, s.Count})
		if json := strings.TrimSuffix(beside, filepath.Ext(beside)) + ".json"; json != beside {
			if _, err := os.Stat(json); err == nil { // the same events once more
				samples = append(samples, sample{json, true, s.Count})
			}
		}
	}
	var all []*exam
	for _, r := range info.Rules {
		if len(samples) > 0 {
			all = append(all, &exam{name: path, stream: true, samples: samples, about: func(d detect.Detection) bool { return d.Rule == r.ID }})
		}
	}
	return all, nil
}

// A looker holds samples against one set of rules.
type looker struct {
	program *sigma.Program
	decoder *watch.Decoder
	record  watch.Record
}

func newLooker(set *sigma.Set) *looker {
	return &looker{program: sigma.Compile(set), decoder: watch.NewDecoder(set.Names)}
}

// mostFailures are named of one sample.
const mostFailures = 5

// run holds one sample against the rules, and adds what is wrong with it.
func (l *looker) run(ctx context.Context, e *exam, s sample, tested *TestedFile) error {
	detector := detect.New(detect.Options{Rules: l.program.Set(), Engine: l.program.Engine()}) // correlations begin anew
	var found []detect.Detection
	records, matched, failures := 0, 0, 0
	fail := func(format string, args ...any) {
		if failures++; failures <= mostFailures {
			tested.Failures = append(tested.Failures, fmt.Sprintf(format, args...))
		}
	}
	count := func(where string, each bool) {
		n := 0
		for _, f := range found {
			if e.about(f) {
				n++
				if !s.fires {
					fail("%s%s: %q matches and should not: %s", s.path, where, f.Title, printable(values(f), 200))
				}
			}
		}
		if matched += n; s.fires && each && n == 0 {
			fail("%s%s: no rule matches", s.path, where)
		}
	}
	trouble := func(t file.Trouble) { fail("%v", t) }
	err := file.Each(ctx, []string{s.path}, file.Options{Trouble: trouble}, func(event file.Event) error {
		if err := l.decoder.Event(event.Format, event.Header, event.Raw, &l.record); err != nil {
			fail("%s, record %d: %v", event.File, event.Record, err)
			return nil
		}
		records++
		found = detector.Look(&l.record, detect.Event{File: event.File, Record: event.Record}, found[:0])
		count(fmt.Sprintf(", record %d", event.Record), !e.stream)
		return nil
	})
	if err != nil {
		return err
	}
	found = detector.End(found[:0])
	count(" at its end", false)
	switch {
	case records == 0 && failures == 0:
		fail("%s: no event in it", s.path)
	case s.count > 0 && matched != s.count:
		fail("%s: %s, want %d", s.path, matches(matched), s.count)
	case s.fires && matched == 0 && failures == 0:
		fail("%s: no rule matches", s.path)
	}
	if failures > mostFailures {
		tested.Failures = append(tested.Failures, fmt.Sprintf("%s: %d more", s.path, failures-mostFailures))
	}
	tested.Records += records
	tested.Matches += matched
	return nil
}

// matches is a number of them: "1 match", "2 matches".
func matches(n int) string {
	if n == 1 {
		return "1 match"
	}
	return fmt.Sprintf("%d matches", n)
}

// values are what a detection was seen by, on one line.
func values(f detect.Detection) string {
	var all []string
	for _, m := range shown(f) {
		all = append(all, m.Field+"="+m.Value)
	}
	return strings.Join(all, ", ")
}
