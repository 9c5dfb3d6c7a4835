package feeds

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"wardwatch/keep/store"
)

// Guided is a Source whose location may be, in place of its records, a list of where they are, or a list of such lists.
type Guided interface {
	// Guide says where the file at address leads; ok is false when it is no list.
	Guide(address string, body []byte) (leads []Lead, ok bool, err error)
}

// Lead is one address in a list.
type Lead struct {
	URL     string
	Updated time.Time // when it last changed; zero when the list does not say
	List    bool      // of a further list
}

// Bounds on what one location may lead to.
const (
	mostLists    = 500
	mostLeads    = 200_000
	mostListSize = 64 << 20
)

// guided reads a feed by the lists at its location. Only what has changed since the last reading is fetched. led is false
// when the location is no list: got is then its file.
func (r *run) guided(ctx context.Context, source Source, guide Guided, state store.Feed, got Fetched, started time.Time) (led bool, err error) {
	first, ok, err := follow(guide, state.Location, got)
	if !ok {
		return false, nil
	}
	f := r.result.feed(source.Name())
	if err != nil {
		f.Error = err.Error()
		return true, r.save(ctx, state, f, started)
	}
	f.Files++
	leads, err := r.gather(ctx, guide, state.Location, first, f)
	if err != nil {
		return true, err
	}
	since, _ := time.Parse(time.RFC3339Nano, state.Cursor)
	leads = slices.DeleteFunc(leads, func(l Lead) bool { return !l.Updated.IsZero() && !l.Updated.After(since) })
	slices.SortStableFunc(leads, func(a, b Lead) int { return a.Updated.Compare(b.Updated) })
	if len(leads) == 0 && f.Error == "" {
		f.Unchanged = true
	}
	if err := r.fetchLeads(ctx, source, &state, leads); err != nil {
		return true, err
	}
	state.ETag, state.LastModified = "", "" // the list's own say nothing of the lists and files below it
	return true, r.save(ctx, state, r.result.feed(source.Name()), started)
}

func follow(guide Guided, address string, got Fetched) (leads []Lead, ok bool, err error) {
	if got.Size > mostListSize {
		return nil, false, nil
	}
	body, err := os.ReadFile(got.Path)
	if err != nil {
		return nil, false, err
	}
	return guide.Guide(address, body)
}

// gather follows lists to the files that they lead to, each once. A list that cannot be read costs what it leads to.
func (r *run) gather(ctx context.Context, guide Guided, from string, waiting []Lead, f *FeedResult) (files []Lead, err error) {
	seen := map[string]bool{from: true}
	lists := 1
	for len(waiting) > 0 {
		lead := waiting[0]
		waiting = waiting[1:]
		if seen[lead.URL] {
			continue
		}
		seen[lead.URL] = true
		if !lead.List {
			files = append(files, lead)
			if len(files) == mostLeads {
				f.Error = cmp.Or(f.Error, fmt.Sprintf("leads to more than %d files", mostLeads))
				return files, nil
			}
			continue
		}
		if lists++; lists > mostLists {
			f.Error = cmp.Or(f.Error, fmt.Sprintf("leads to more than %d lists", mostLists))
			return files, nil
		}
		got, err := r.options.Fetcher.Get(ctx, lead.URL, Validators{})
		if folder, ok := strings.CutSuffix(lead.URL, "changes.csv"); ok && gone(err) {
			lead.URL = folder + "index.txt"
			got, err = r.options.Fetcher.Get(ctx, lead.URL, Validators{})
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			f.Error = cmp.Or(f.Error, err.Error())
			continue
		}
		more, ok, err := follow(guide, lead.URL, got)
		got.Remove()
		switch {
		case err != nil:
			f.Error = cmp.Or(f.Error, err.Error())
		case !ok:
			f.Error = cmp.Or(f.Error, lead.URL+": is no list of files")
		}
		waiting = append(waiting, more...)
		f.Files++
	}
	return files, nil
}

// fetchLeads reads the files, oldest first, so that the cursor can follow as far as nothing was missed.
func (r *run) fetchLeads(ctx context.Context, source Source, state *store.Feed, leads []Lead) error {
	missed := r.result.feed(source.Name()).Error != ""
	for i, lead := range leads {
		got, err := r.options.Fetcher.Get(ctx, lead.URL, Validators{})
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			f := r.result.feed(source.Name())
			f.Reject("%v", err)
			if !gone(err) { // what the publisher has removed is no reason to read all others again
				missed, f.Error = true, cmp.Or(f.Error, err.Error())
			}
			continue
		}
		err = r.load(ctx, got.Path, got.Name, []Source{source})
		got.Remove()
		if err != nil {
			return err
		}
		if last := i == len(leads)-1 || leads[i+1].Updated.After(lead.Updated); last && !missed && !lead.Updated.IsZero() {
			state.Cursor = lead.Updated.UTC().Format(time.RFC3339Nano)
		}
	}
	return nil
}

// Refused is an answer after which another try is of no use.
type Refused struct {
	Status  int
	address string
}

func (r *Refused) Error() string {
	return fmt.Sprintf("feeds: %s: %d %s", r.address, r.Status, http.StatusText(r.Status))
}

// gone tells that the publisher has no such file.
func gone(err error) bool {
	refused, ok := errors.AsType[*Refused](err)
	return ok && (refused.Status == http.StatusNotFound || refused.Status == http.StatusGone)
}
