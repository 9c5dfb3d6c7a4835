package estate

import "wardwatch/ward"

// Directory is what organisation files say: organisations, their sites, and the dated relations between them.
type Directory struct {
	Organisations []ward.Organisation
	Sites         []ward.Site
	Relations     []ward.Relation
	Rejected      int
	Problems      []string // the first MostProblems rejected rows, each with file, line and reason
}
