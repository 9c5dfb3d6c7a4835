package feeds

import (
	"fmt"
	"slices"

	"wardwatch/ward"
)

// Result is what a synchronisation came to.
type Result struct {
	Feeds  []FeedResult // that were read, in the order first met
	Passed []Passed     // files that no feed understands
}

// FeedResult is what one feed came to.
type FeedResult struct {
	Summary
	Name      string
	Files     int
	Changed   int  // records that said something new
	Withdrawn int  // records that the publisher no longer lists
	Unchanged bool // the publisher says that nothing is new since the last time
	Error     string
	held      *ward.FeedHold // a list that shrank too far
}

// Passed is one file that was not read, and why.
type Passed struct{ Name, Reason string }

// Reasons groups what was passed over: each reason with the files, most frequent first.
func (r Result) Reasons() []Reason {
	var all []Reason
	for _, p := range r.Passed {
		at := slices.IndexFunc(all, func(have Reason) bool { return have.Reason == p.Reason })
		if at < 0 {
			all, at = append(all, Reason{Reason: p.Reason}), len(all)
		}
		all[at].Files = append(all[at].Files, p.Name)
	}
	slices.SortStableFunc(all, func(a, b Reason) int { return len(b.Files) - len(a.Files) })
	return all
}

// Reason is one reason and the files that were passed over for it.
type Reason struct {
	Reason string
	Files  []string
}

// Failed tells whether any feed could not be read to its end.
func (r Result) Failed() bool {
	return slices.ContainsFunc(r.Feeds, func(f FeedResult) bool { return f.Error != "" })
}

func (r *Result) pass(name, reason string) { r.Passed = append(r.Passed, Passed{name, reason}) }

// feed is the result of the named feed, which is begun when it is new.
func (r *Result) feed(name string) *FeedResult {
	at := slices.IndexFunc(r.Feeds, func(f FeedResult) bool { return f.Name == name })
	if at < 0 {
		r.Feeds, at = append(r.Feeds, FeedResult{Name: name}), len(r.Feeds)
	}
	return &r.Feeds[at]
}

// read takes in one file.
func (f *FeedResult) read(file string, sum Summary, err error) {
	f.Files++
	for i, problem := range sum.Problems {
		sum.Problems[i] = file + ": " + problem
	}
	f.Add(sum)
	if err != nil && f.Error == "" {
		f.Error = fmt.Sprintf("%s: %v", file, err)
	}
}
