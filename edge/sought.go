package edge

import (
	"fmt"
	"regexp"
	"strings"

	"wardwatch/ward"
	"wardwatch/watch/detect/indicators"
)

// ruleLine is how a Sigma rule is told from a query.
var ruleLine = regexp.MustCompile(`(?m)^detection:`)

// Sought reads what somebody writes into the one box of a hunt: indicators one a line, a query, or a Sigma rule.
func Sought(text string) (s ward.Sought, err error) {
	text = strings.TrimSpace(text)
	if ruleLine.MatchString(text) {
		return ward.Sought{Rule: text}, nil
	}
	s, err = Indicators(text)
	if err != nil && !strings.Contains(text, "\n") && strings.ContainsAny(text, "=~ \"(") {
		return ward.Sought{Query: text}, nil // whoever carries it out says what is wrong with it
	}
	return s, err
}

// Indicators reads indicators, one a line, each once.
func Indicators(text string) (s ward.Sought, err error) {
	seen := map[[2]string]bool{}
	var wrong []string
	err = indicators.Read(strings.NewReader(text), "", func(i ward.Indicator) error {
		kind, value, err := indicators.Normal(i.Kind, i.Value)
		if err != nil {
			return err
		}
		if key := [2]string{string(kind), value}; !seen[key] {
			seen[key] = true
			s.Indicators = append(s.Indicators, i)
		}
		return nil
	}, func(line *indicators.BadLine) {
		if len(wrong) < 3 {
			wrong = append(wrong, line.Error())
		}
	})
	switch {
	case err != nil:
		return ward.Sought{}, &ward.Invalid{Field: "for", Problem: err.Error()}
	case len(wrong) > 0:
		return ward.Sought{}, &ward.Invalid{Field: "for", Problem: strings.Join(wrong, "; "), Hint: "write one address, network, domain, URL, digest, e-mail address or file a line, or a query such as user=jane"}
	case len(s.Indicators) == 0:
		return ward.Sought{}, &ward.Invalid{Field: "for", Problem: "is empty", Hint: fmt.Sprintf("write what to look for, such as %s or user=jane", "203.0.113.7")}
	}
	return s, nil
}
