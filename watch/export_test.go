package watch

import (
	"fmt"
	"slices"
	"strings"
)

// Tables is what the tables of this package say, as docs/fields.md prints it.
func Tables() string {
	var b strings.Builder
	names := func(aliases []alias) string {
		var out []string
		for _, a := range aliases {
			of := a.from
			if a.as != nil {
				of += " (rewritten)"
			}
			out = append(out, a.to+" of "+of)
		}
		return strings.Join(out, "; ")
	}
	log := func(l Log) string {
		return strings.Join(append([]string{l.Service}, l.Also...), ", ")
	}
	cell := func(s string) string { return strings.ReplaceAll(s, "|", ", ") }
	b.WriteString("## Windows channels\n\n| service | channels, or providers where an event has no channel |\n| --- | --- |\n")
	for _, c := range windowsChannels {
		if len(c.channels) == 0 {
			continue
		}
		service := log(c.log)
		if c.log.Product != "windows" {
			service = strings.Join(strings.Fields(c.log.Product+" "+service+" "+strings.Join(c.log.Categories, " ")), " ")
		}
		fmt.Fprintf(&b, "| %s | %s |\n", service, strings.Join(c.channels, ", "))
	}
	b.WriteString("\n## Windows events\n\n| log | event | kind | categories |\n| --- | --- | --- | --- |\n")
	for _, e := range windowsEvents {
		fmt.Fprintf(&b, "| %s %s | %d | %s | %s |\n", e.product, e.service, e.id, cell(e.kind), strings.Join(strings.Fields(e.categories), ", "))
	}
	b.WriteString("\n## Further names of Windows events\n\n| of | names |\n| --- | --- |\n")
	for _, w := range windowsNames {
		title := w.title
		if title == "" {
			title = "all"
		}
		fmt.Fprintf(&b, "| %s | %s |\n", title, names(w.names))
	}
	b.WriteString("\n## Logs that come as JSON\n\n| log | product | service | category | known by | further names |\n| --- | --- | --- | --- | --- | --- |\n")
	var seen []string
	for _, s := range sources {
		// The three places where ECS names the system differ in nothing else.
		title := s.title + " " + s.log.Product
		if strings.HasPrefix(s.title, "ECS") && slices.Contains(seen, title) {
			continue
		}
		seen = append(seen, title)
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", s.title, s.log.Product, log(s.log), strings.Join(s.log.Categories, ", "),
			strings.ReplaceAll(cell(s.when), " ", " and "), names(s.names))
	}
	return strings.ReplaceAll(strings.ReplaceAll(b.String(), ", and ", ", "), "|  |", "| |")
}

// SignsFit says whether all names that tell logs apart have a place in the set of them.
func SignsFit() bool {
	for i := range readers {
		for _, c := range strings.Fields(sources[i].when) {
			if int(markOf(clauseName(c))) >= 64*len(signs{}) {
				return false
			}
		}
	}
	return true
}
