package sigma

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// aggregationText reads what older rules write behind a bar in their condition, with a timeframe beside it: count() by User > 5.
// It is what a correlation is today, and becomes one.
var aggregationText = regexp.MustCompile(`(?i)^(\w+)\s*\(\s*([^()]*?)\s*\)\s*(?:by\s+(.+?)\s*)?(<=|>=|==|!=|=|<|>)\s*(\d+(?:\.\d+)?)$`)

var aggregations = map[string]Kind{"count": EventCount, "sum": ValueSum, "avg": ValueAvg}

var signs = map[string]BoundOp{"<": Less, "<=": LessOrAs, ">": More, ">=": MoreOrAs, "=": Same, "==": Same, "!=": Different}

// aggregation adds the correlation that an aggregation stands for.
func (r *reader) aggregation(d *draft, text, timeframe string) error {
	text = strings.TrimSpace(text)
	m := aggregationText.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("condition: aggregation %q (a correlation says it today)", text)
	}
	c := &correlationDraft{Correlation: d.head.correlation()}
	var known bool
	if c.Kind, known = aggregations[strings.ToLower(m[1])]; !known {
		return fmt.Errorf("condition: aggregation %s (a correlation says it today)", m[1])
	}
	if m[2] != "" {
		c.Fields = []string{m[2]}
		if c.Kind == EventCount {
			c.Kind = ValueCount
		}
	} else if c.Kind != EventCount {
		return fmt.Errorf("condition: aggregation %s without a field", m[1])
	}
	for field := range strings.SplitSeq(m[3], ",") {
		if field = strings.TrimSpace(field); field != "" && !slices.Contains(c.GroupBy, field) {
			c.GroupBy = append(c.GroupBy, field)
		}
	}
	n, err := strconv.ParseFloat(m[5], 64)
	if err != nil {
		return fmt.Errorf("condition: aggregation: %q is no number", m[5])
	}
	c.Bounds = []Bound{{signs[m[4]], n}}
	if timeframe == "" {
		return errors.New("condition: an aggregation without a timeframe")
	}
	if c.Timespan, err = parseTimespan(timeframe); err != nil {
		return fmt.Errorf("condition: %w", err)
	}
	r.correlations = append(r.correlations, &draft{head: d.head, correlation: c, stands: d})
	return nil
}
