package nvd

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"wardwatch/know/feeds"
)

// The API's own limits: records a page, the longest span of modification times, and five questions in thirty seconds, or fifty with
// a key.
const (
	pageSize = 2000
	mostSpan = 120 * 24 * time.Hour
	manners  = 6 * time.Second
	keyed    = time.Second
)

// place is where a reading stands. Since zero: the first reading, which takes everything.
type place struct {
	Since time.Time `json:"since,omitzero"` // modified from
	Until time.Time `json:"until,omitzero"` // to; zero: not begun
	Start int       `json:"start,omitempty"`
}

func placeOf(cursor string, now time.Time) (place, error) {
	var p place
	if cursor != "" {
		if err := json.Unmarshal([]byte(cursor), &p); err != nil {
			return p, fmt.Errorf("nvd: cursor %q: %w", cursor, err)
		}
	}
	if p.Until.IsZero() {
		p.Start, p.Until = 0, now.UTC()
		if !p.Since.IsZero() && p.Until.Sub(p.Since) > mostSpan {
			p.Until = p.Since.Add(mostSpan)
		}
	}
	return p, nil
}

// Page implements feeds.Paged for locations that are the API.
func (s *Source) Page(cursor string, now time.Time) (address string, pause time.Duration, err error) {
	at, err := url.Parse(s.location)
	if err != nil || !strings.HasSuffix(strings.TrimSuffix(at.Path, "/"), "/cves/2.0") {
		return "", 0, nil //nolint:nilerr // an address that is none is for the fetcher to refuse
	}
	p, err := placeOf(cursor, now)
	if err != nil {
		return "", 0, err
	}
	query := at.Query()
	query.Set("resultsPerPage", strconv.Itoa(pageSize))
	query.Set("startIndex", strconv.Itoa(p.Start))
	if !p.Since.IsZero() {
		query.Set("lastModStartDate", p.Since.Format("2006-01-02T15:04:05.000Z"))
		query.Set("lastModEndDate", p.Until.Format("2006-01-02T15:04:05.000Z"))
	}
	at.RawQuery = query.Encode()
	if s.key != "" {
		return at.String(), keyed, nil
	}
	return at.String(), manners, nil
}

// Turn implements feeds.Paged.
func (s *Source) Turn(cursor string, now time.Time, sum feeds.Summary) (next string, more bool, err error) {
	p, err := placeOf(cursor, now)
	if err != nil {
		return "", false, err
	}
	read := sum.Records + sum.Rejected
	if p.Start += read; read > 0 && p.Start < sum.Total {
		more = true
	} else {
		more = p.Until.Before(now)
		p = place{Since: p.Until}
	}
	text, err := json.Marshal(p)
	return string(text), more, err
}
