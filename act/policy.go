package act

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"wardwatch/ward"
)

// Policy is what an alert's clocks, reminders and tolerance follow unless its approver says otherwise. The words are ward's,
// because an alert keeps the policy that it was issued with.
type Policy = ward.Policy

// shipped are the policies that every program carries.
//
//go:embed policies/*.yaml
var shipped embed.FS

// Default names the policy of an alert that names none.
const Default = "default"

// ShippedPolicies are those that every program carries, and nothing else.
func ShippedPolicies() Policies {
	all, err := LoadPolicies("")
	if err != nil {
		panic(err) // the program was built with a policy that no test has read
	}
	return all
}

// DefaultPolicy is the shipped policy that applies where nothing else does.
func DefaultPolicy() Policy { return ShippedPolicies().Named(Default) }

// Policies are the tables of clocks that an operator has, by name. The zero value has none.
type Policies struct{ byName map[string]Policy }

// LoadPolicies reads the shipped policies, and over them the files of dir (empty: none): a file of the same name takes the
// place of a shipped one. Every file is read strictly, and all that is wrong is reported at once.
func LoadPolicies(dir string) (Policies, error) {
	all := Policies{map[string]Policy{}}
	err := all.read(shipped, "policies", "shipped")
	if dir != "" {
		err = errors.Join(err, all.read(os.DirFS(dir), ".", dir))
	}
	if err != nil {
		return Policies{}, err
	}
	if all.byName[Default].Off {
		return Policies{}, &ward.Invalid{Field: "policies", Problem: "the default is off", Hint: "an alert that names no policy needs it"}
	}
	return all, nil
}

func (p Policies) read(from fs.FS, dir, said string) error {
	files, err := fs.ReadDir(from, dir)
	if err != nil {
		return fmt.Errorf("policies in %s: %w", said, err)
	}
	var wrong []error
	for _, file := range files {
		name, isPolicy := strings.CutSuffix(file.Name(), ".yaml")
		if file.IsDir() || !isPolicy {
			continue
		}
		text, err := readAtMost(from, path.Join(dir, file.Name()))
		if err == nil {
			var one Policy
			if one, err = ParsePolicy(name, text); err == nil {
				p.byName[name] = one
			}
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("policy %s in %s: %w", file.Name(), said, err))
		}
	}
	return errors.Join(wrong...)
}

// mostPolicy bounds a policy's file, in bytes.
const mostPolicy = 64 << 10

func readAtMost(from fs.FS, name string) ([]byte, error) {
	file, err := from.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, mostPolicy+1))
}

// Named is a policy by name, and the zero Policy when there is none of that name.
func (p Policies) Named(name string) Policy { return p.byName[name] }

// All lists the policies, the default first and the others by name; those that are off too.
func (p Policies) All() []Policy {
	var all []Policy
	for _, one := range p.byName {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Policy) int {
		if (a.Name == Default) != (b.Name == Default) {
			if a.Name == Default {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return all
}

// policyFile is a policy as people write it.
type policyFile struct {
	Title         string        `yaml:"title"`
	Source        string        `yaml:"source"`
	Link          string        `yaml:"link"`
	Checked       string        `yaml:"checked"`
	Off           bool          `yaml:"off"`
	RespondWithin time.Duration `yaml:"respond_within"`
	UpdateEvery   time.Duration `yaml:"update_every"`
	Remediate     []struct {
		Kind ward.SystemKind `yaml:"kind"`
		Days float64         `yaml:"days"`
	} `yaml:"remediate"`
	Tolerance struct {
		Share  float64       `yaml:"share"`
		Within time.Duration `yaml:"within"`
	} `yaml:"tolerance"`
	Reminders []struct {
		Before time.Duration `yaml:"before"`
		Tell   ward.Rung     `yaml:"tell"`
	} `yaml:"reminders"`
	Escalation []struct {
		After time.Duration `yaml:"after"`
		Tell  ward.Rung     `yaml:"tell"`
	} `yaml:"escalation"`
}

var policyName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,59}$`)

// The bounds of a policy's numbers: an hour to respond is the least that a person can keep, a year the most that is a clock.
const (
	leastClock = time.Hour
	mostClock  = 366 * 24 * time.Hour
	mostRungs  = 50
)

// ParsePolicy reads one policy strictly: an unknown field, a missing number or one out of bounds is a *ward.Invalid that
// names it. The name is the file's, without .yaml.
func ParsePolicy(name string, text []byte) (Policy, error) {
	if len(text) > mostPolicy {
		return Policy{}, &ward.Invalid{Problem: fmt.Sprintf("is longer than %d bytes", mostPolicy)}
	}
	if !policyName.MatchString(name) {
		return Policy{}, &ward.Invalid{Field: "name", Problem: fmt.Sprintf("%q is no name of a policy", name), Hint: "use small letters, digits and hyphens"}
	}
	var file policyFile
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil {
		return Policy{}, &ward.Invalid{Problem: strings.TrimPrefix(err.Error(), "yaml: "), Hint: "write it as the shipped policy is written"}
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Policy{}, &ward.Invalid{Problem: "holds more than one document", Hint: "one policy a file"}
	}
	return file.policy(name)
}

// A bounded is one number of a policy with what it may be.
type bounded struct {
	field       string
	value       time.Duration
	least, most time.Duration
}

func (f policyFile) policy(name string) (Policy, error) {
	p := Policy{Name: name, Link: f.Link, Off: f.Off, RespondWithin: f.RespondWithin, UpdateEvery: f.UpdateEvery,
		Tolerance: ward.Tolerance{Share: f.Tolerance.Share, Within: f.Tolerance.Within}}
	var wrong []error
	bad := func(field, problem, hint string) {
		wrong = append(wrong, &ward.Invalid{Field: field, Problem: problem, Hint: hint})
	}
	for _, words := range []struct {
		field, text string
		into        *string
	}{{"title", f.Title, &p.Title}, {"source", f.Source, &p.Source}} {
		text, err := Clean(words.field, words.text, 1000)
		if err != nil {
			wrong = append(wrong, err)
		} else if text == "" {
			bad(words.field, "is empty", "say it in words: every page that shows a clock shows it")
		}
		*words.into = text
	}
	if f.Link != "" && !strings.HasPrefix(f.Link, "https://") {
		bad("link", fmt.Sprintf("%q is not a web address", f.Link), "begin with https://")
	}
	if day, err := time.Parse(time.DateOnly, f.Checked); err != nil {
		bad("checked", fmt.Sprintf("%q is not a day", f.Checked), "the day on which its numbers were held against the source, such as 2026-01-31")
	} else {
		p.Checked = day
	}
	numbers := []bounded{
		{"respond_within", f.RespondWithin, leastClock, mostClock}, {"update_every", f.UpdateEvery, leastClock, mostClock},
		{"tolerance.within", f.Tolerance.Within, 0, mostClock},
	}
	for i, r := range f.Remediate {
		field := fmt.Sprintf("remediate[%d]", i)
		if !slices.Contains(ward.SystemKinds, r.Kind) {
			bad(field+".kind", fmt.Sprintf("%q is not a kind of system", r.Kind), "one of internet_facing, other, isolated")
		}
		if slices.ContainsFunc(p.Remediate, func(have ward.Remediation) bool { return have.Kind == r.Kind }) {
			bad(field+".kind", fmt.Sprintf("%q is there twice", r.Kind), "one line a kind")
		}
		within := mostClock + 1 // out of bounds, as a number that is none
		if days := r.Days * 24; days >= 0 && days <= mostClock.Hours() {
			within = time.Duration(math.Round(days * float64(time.Hour)))
		}
		numbers = append(numbers, bounded{field + ".days", within, leastClock, mostClock})
		p.Remediate = append(p.Remediate, ward.Remediation{Kind: r.Kind, Within: within})
	}
	if !(p.Tolerance.Share >= 0 && p.Tolerance.Share <= 1) {
		bad("tolerance.share", "is not a share", "write 0.02 for two in a hundred")
	}
	if max(len(f.Reminders), len(f.Escalation)) > mostRungs {
		bad("reminders", fmt.Sprintf("or escalation holds more than %d lines", mostRungs), "")
	}
	for i, r := range f.Reminders {
		field := fmt.Sprintf("reminders[%d]", i)
		numbers = append(numbers, bounded{field + ".before", r.Before, time.Minute, mostClock})
		if !r.Tell.Valid() {
			bad(field+".tell", fmt.Sprintf("%q is not a rung", r.Tell), rungHint)
		}
		p.Reminders = append(p.Reminders, ward.Reminder{Before: r.Before, Tell: r.Tell})
	}
	for i, e := range f.Escalation {
		field := fmt.Sprintf("escalation[%d]", i)
		numbers = append(numbers, bounded{field + ".after", e.After, 0, mostClock})
		if !e.Tell.Valid() {
			bad(field+".tell", fmt.Sprintf("%q is not a rung", e.Tell), rungHint)
		}
		p.Escalation = append(p.Escalation, ward.Escalation{After: e.After, Tell: e.Tell})
	}
	for _, n := range numbers {
		if n.value < n.least || n.value > n.most {
			bad(n.field, fmt.Sprintf("%v is out of bounds", n.value), fmt.Sprintf("from %v to %v", n.least, n.most))
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return Policy{}, err
	}
	slices.SortStableFunc(p.Reminders, func(a, b ward.Reminder) int { return cmp.Compare(b.Before, a.Before) })
	slices.SortStableFunc(p.Escalation, func(a, b ward.Escalation) int { return cmp.Compare(a.After, b.After) })
	return p, nil
}

const rungHint = "one of contact, lead, group_lead, executive, duty_officer"
