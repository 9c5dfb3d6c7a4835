package sigma

import (
	"encoding/binary"
	"slices"
)

// A tree is a condition as the compiler works on it: Not stands at leaves alone, and leaves are ids.
type tree struct {
	kind kind
	kids []tree
	leaf leaf
}

type kind uint8

const (
	isAnd kind = iota // an empty one holds
	isOr              // an empty one does not
	isLeaf
)

type leaf struct {
	id  uint32
	not bool
}

var (
	holds = tree{kind: isAnd}
	fails = tree{kind: isOr}
)

func (t tree) constant() bool { return t.kind != isLeaf && len(t.kids) == 0 }

// is says whether the tree is the constant.
func (t tree) is(constant tree) bool { return t.constant() && t.kind == constant.kind }

// join makes an And or an Or of the kids: those of the same kind are taken in, constants are settled.
func join(k kind, kids ...tree) tree {
	neutral, final := holds, fails
	if k == isOr {
		neutral, final = fails, holds
	}
	joined := tree{kind: k}
	for _, kid := range kids {
		switch {
		case kid.is(final):
			return final
		case kid.is(neutral):
		case kid.kind == k:
			joined.kids = append(joined.kids, kid.kids...)
		default:
			joined.kids = append(joined.kids, kid)
		}
	}
	switch len(joined.kids) {
	case 0:
		return neutral
	case 1:
		return joined.kids[0]
	}
	return joined
}

// tree makes the tree of a condition, or of its contrary.
func (p *planner) tree(e Expr, not bool) tree {
	switch e := e.(type) {
	case Not:
		return p.tree(e.Expr, !not)
	case And:
		return p.branch(isAnd, e, not)
	case Or:
		return p.branch(isOr, e, not)
	case *Predicate:
		return p.leaf(e, not)
	}
	// A rule without any condition says nothing.
	if not {
		return holds
	}
	return fails
}

func (p *planner) branch(k kind, parts []Expr, not bool) tree {
	if not {
		k = isOr - k
	}
	kids := make([]tree, len(parts))
	for i, part := range parts {
		kids[i] = p.tree(part, not)
	}
	return p.group(join(k, kids...))
}

// fewest is how many needles of one field an Or must have for an id of its own: fewer are quicker asked one by one.
const fewest = 3

// group puts one id in place of the needles of one field that an Or asks for (an And, of contraries), so that a list of a
// thousand literals is one step.
func (p *planner) group(t tree) tree {
	if t.kind == isLeaf {
		return t
	}
	byPlace := map[column][]uint32{}
	for _, kid := range t.kids {
		if p.groupable(t.kind, kid) {
			at := p.ids[kid.leaf.id].column
			byPlace[at] = append(byPlace[at], kid.leaf.id)
		}
	}
	kept := tree{kind: t.kind}
	var columns []column
	for _, kid := range t.kids {
		if p.groupable(t.kind, kid) {
			at := p.ids[kid.leaf.id].column
			if len(byPlace[at]) >= fewest {
				if !slices.Contains(columns, at) {
					columns = append(columns, at)
				}
				continue
			}
		}
		kept.kids = append(kept.kids, kid)
	}
	for _, at := range columns {
		kept.kids = append(kept.kids, tree{kind: isLeaf, leaf: leaf{p.oneOf(at, byPlace[at]), t.kind == isAnd}})
	}
	return join(kept.kind, kept.kids...)
}

func (p *planner) groupable(k kind, kid tree) bool {
	return kid.kind == isLeaf && kid.leaf.not == (k == isAnd) && p.ids[kid.leaf.id].needle
}

// oneOf is the id of an Or over needles of one column.
func (p *planner) oneOf(at column, needles []uint32) uint32 {
	slices.Sort(needles)
	needles = slices.Compact(needles)
	if len(needles) == 1 {
		return needles[0]
	}
	var key []byte
	for _, id := range needles {
		key = binary.LittleEndian.AppendUint32(key, id)
	}
	if id, ok := p.groups[string(key)]; ok {
		return id
	}
	id := p.newID(identity{column: at, members: needles})
	p.groups[string(key)] = id
	return id
}
