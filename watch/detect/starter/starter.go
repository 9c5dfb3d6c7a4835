// Package starter has the rules that the product brings with it, in the language of package sigma. In: nothing. Out: their
// files, as they stand in the folder rules beside their samples. They cover what the incident of May 2025 was made of
// (servers of device management and appliances at the edge of networks, what was staged, fetched and stolen, and the way on to
// medical devices), and never take the place of the community's rules, which the operator loads beside them.
package starter

import (
	"embed"
	"io/fs"
)

//go:embed rules/*.yml
var files embed.FS

// Rules are the rules' files, NAME.yml each. Samples (NAME.true.*, NAME.false.*) stay with the source.
func Rules() fs.FS {
	rules, err := fs.Sub(files, "rules")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return rules
}
