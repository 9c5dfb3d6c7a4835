package sigma

// Options are what a set of rules needs beside the rules. The zero Options are fine for most sets.
type Options struct {
	// Lists are the values of the placeholders that rules ask for by |expand: the name without its percent signs, and the
	// values, in which wildcards count. A rule whose placeholder has no list is refused.
	Lists map[string][]string
}
