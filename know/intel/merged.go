package intel

import (
	"cmp"
	"slices"
	"strings"

	"wardwatch/know"
	"wardwatch/ward"
)

// Merged is what the sources together say of one weakness, for reading. Each fact is one source's: the CNA's title and
// description before the NVD's, the earliest publication, exploitation as the catalogue has it (else as the coordinator
// assessed it), the newest SSVC, every score, every reference once.
func Merged(reports []know.Report) ward.Vulnerability {
	reports = slices.Clone(reports)
	slices.SortStableFunc(reports, func(a, b know.Report) int {
		return cmp.Or(cmp.Compare(standing(a.Source), standing(b.Source)), cmp.Compare(a.Source, b.Source))
	})
	var v ward.Vulnerability
	rejected, withdrawn := false, false
	for _, r := range reports {
		v.ID = r.CVE
		if r.Source == Ruling {
			continue // a decision about matching: no fact about the weakness
		}
		v.Title = cmp.Or(v.Title, r.Title)
		v.Description = cmp.Or(v.Description, r.Description)
		if v.Published.IsZero() || !r.Published.IsZero() && r.Published.Before(v.Published) {
			v.Published = r.Published
		}
		if r.Modified.After(v.Modified) {
			v.Modified = r.Modified
		}
		// Who assigned the identifier may withdraw it; the NVD's word counts where the assigner's is not known.
		switch {
		case strings.HasPrefix(r.Source, "cna:"):
			withdrawn, rejected = true, r.Rejected
		case r.Source == "nvd" && !withdrawn:
			rejected = r.Rejected
		}
		if r.Exploited != nil && precedes(r.Exploited, v.Exploited) {
			v.Exploited = r.Exploited
		}
		if r.SSVC != nil && (v.SSVC == nil || r.SSVC.At.After(v.SSVC.At)) {
			v.SSVC = r.SSVC
		}
		for _, score := range r.CVSS {
			if !slices.ContainsFunc(v.CVSS, func(have ward.CVSS) bool { return repeats(score, have) }) {
				v.CVSS = append(v.CVSS, score)
			}
		}
		for _, link := range r.References {
			if !slices.Contains(v.References, link) {
				v.References = append(v.References, link)
			}
		}
	}
	v.Rejected = rejected
	if v.Exploited == nil && v.SSVC != nil && v.SSVC.Exploitation == "active" {
		// Coordinators often know days before a catalogue lists it, and those are the days that count.
		v.Exploited = &ward.Exploited{Provenance: v.SSVC.Provenance, Since: v.SSVC.At}
	}
	if v.Title == "" {
		v.Title = opening(v.Description)
	}
	slices.SortStableFunc(v.CVSS, func(a, b ward.CVSS) int { return strings.Compare(b.Version, a.Version) })
	return v
}

// precedes tells whether a statement of exploitation is to be shown before another: the catalogue's own before those who
// repeat it, then the earliest.
func precedes(a, b *ward.Exploited) bool {
	switch {
	case b == nil || a.Source == "kev":
		return true
	case b.Source == "kev":
		return false
	}
	return a.Since.Before(b.Since)
}

// standing orders sources for reading. The catalogue of exploited weaknesses names them well where the CNA gives no title.
func standing(source string) int {
	switch {
	case strings.HasPrefix(source, "cna:"):
		return 0
	case source == "nvd":
		return 1
	case source == "kev":
		return 2
	case strings.HasPrefix(source, "override:"):
		return 3
	case strings.HasPrefix(source, "adp:"):
		return 4
	}
	return 5
}

// repeats tells a score that another source only quotes, so that it is not shown twice.
func repeats(score, have ward.CVSS) bool {
	quoted := score.Source == have.Source || strings.Contains(score.Source, ", quoting ")
	return quoted && score.Version == have.Version && score.Vector == have.Vector
}

// opening is the first sentence of a description, short enough for a list.
func opening(description string) string {
	const most = 120
	text, _, _ := strings.Cut(description, "\n")
	if sentence, _, ok := strings.Cut(text, ". "); ok {
		text = sentence
	}
	text = strings.TrimSuffix(text, ".")
	if len(text) <= most {
		return text
	}
	if at := strings.LastIndexByte(text[:most], ' '); at > 0 {
		text = text[:at]
	} else {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text + "…"
}

// mostWords bounds the search words of one weakness, in bytes. Some name a thousand products.
const mostWords = 1000

// searchWords are the distinct lower-case words of identifier, titles, vendors and products.
func searchWords(v ward.Vulnerability, reports []know.Report) string {
	words := []string{strings.ToLower(string(v.ID))}
	size := len(words[0])
	seen := map[string]bool{}
	add := func(text string) {
		for _, word := range strings.Fields(strings.ToLower(text)) {
			if !seen[word] && size+1+len(word) <= mostWords {
				seen[word] = true
				words = append(words, word)
				size += 1 + len(word)
			}
		}
	}
	add(v.Title)
	for _, r := range reports {
		add(r.Title)
		for _, claim := range r.Claims {
			add(claim.Vendor + " " + claim.Product)
		}
		for _, tree := range r.Trees {
			tree.Walk(func(m know.CPEMatch) {
				if !m.Vulnerable || size > mostWords-20 {
					return
				}
				if parts := strings.SplitN(m.CPE, ":", 6); len(parts) > 4 {
					add(parts[3] + " " + strings.ReplaceAll(parts[4], "_", " "))
				}
			})
		}
	}
	return strings.Join(words, " ")
}
