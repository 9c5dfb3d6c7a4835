package watch

import "slices"

// A Source is what a rule says about the logs that it is for, in Sigma's words: a product (windows, linux, aws), a category
// (process_creation, webserver) and a service (sysmon, security, sshd). What is empty is not asked.
type Source struct {
	Product  string `json:"product,omitempty"`
	Category string `json:"category,omitempty"`
	Service  string `json:"service,omitempty"`
}

// Class is the number of one combination of product, service and categories that records come in. There are a few hundred,
// known before the first record is read (classes.go), so that what is prepared for each is prepared once. 0 is unknown.
type Class uint16

// A Log is what a Class stands for. One record may be of several categories: a Sysmon event 13 is a registry_set and a
// registry_event.
type Log struct {
	Product string
	Service string
	// Also are further services that it counts as: a line of sshd is one of auth.
	Also       []string
	Categories []string
}

// Is says whether a record of this log is one that the source asks for.
func (l Log) Is(s Source) bool {
	return (s.Product == "" || s.Product == l.Product) &&
		(s.Service == "" || s.Service == l.Service || slices.Contains(l.Also, s.Service)) &&
		(s.Category == "" || slices.Contains(l.Categories, s.Category))
}
