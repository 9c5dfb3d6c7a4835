package feeds

import (
	"strings"

	"wardwatch/know"
)

// Configuration is one CPE configuration in the form that NVD 2.0, CVE 5 (cpeApplicability) and overrides share. NVD 1.1
// has the same tree with other names, and children in place of nodes.
type Configuration struct {
	Operator string          `json:"operator"`
	Negate   bool            `json:"negate"`
	Nodes    []Configuration `json:"nodes"`
	Children []Configuration `json:"children"`
	CPEMatch []cpeMatch      `json:"cpeMatch"`
	Match11  []cpeMatch      `json:"cpe_match"`
}

type cpeMatch struct {
	Vulnerable     bool   `json:"vulnerable"`
	Criteria       string `json:"criteria"`
	URI            string `json:"cpe23Uri"`
	StartIncluding string `json:"versionStartIncluding"`
	StartExcluding string `json:"versionStartExcluding"`
	EndIncluding   string `json:"versionEndIncluding"`
	EndExcluding   string `json:"versionEndExcluding"`
}

// Trees is the configurations as know holds them. What is empty is left out, and a layer around a single node is taken off.
func Trees(all []Configuration) []know.Node {
	var trees []know.Node
	for _, c := range all {
		if node, ok := c.node(); ok {
			trees = append(trees, node)
		}
	}
	return trees
}

func (c Configuration) node() (know.Node, bool) {
	node := know.Node{And: strings.EqualFold(c.Operator, "AND"), Negate: c.Negate}
	for _, matches := range [][]cpeMatch{c.CPEMatch, c.Match11} {
		for _, m := range matches {
			if m.Criteria == "" {
				m.Criteria = m.URI
			}
			if m.Criteria == "" {
				continue
			}
			node.Matches = append(node.Matches, know.CPEMatch{CPE: m.Criteria, Vulnerable: m.Vulnerable,
				StartIncluding: m.StartIncluding, StartExcluding: m.StartExcluding,
				EndIncluding: m.EndIncluding, EndExcluding: m.EndExcluding})
		}
	}
	node.Children = append(Trees(c.Nodes), Trees(c.Children)...)
	return trimmed(node)
}

// trimmed takes a layer around a single node off; it is false for a node of nothing.
func trimmed(node know.Node) (know.Node, bool) {
	if len(node.Matches) == 0 && len(node.Children) == 1 && !node.Negate {
		return node.Children[0], true
	}
	return node, len(node.Matches)+len(node.Children) > 0
}
