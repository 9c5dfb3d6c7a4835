package sigma

// A filter is added to the conditions of the rules that it names.
type filter struct{}

func (r *reader) readFilter(*draft, yamlValue) error { return nil }
func (r *reader) applyFilters()                      {}

type correlationDraft struct{}

func (r *reader) readCorrelation(*draft, yamlValue) error { return nil }
func (r *reader) correlate(map[*draft]int) []*Correlation { return nil }
