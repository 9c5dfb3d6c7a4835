package estate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"wardwatch/ward"
)

// verdictOf says whether the marks of two assets make them one device, by which rule and why. An empty rule: nothing
// speaks for it. The rules, in order:
//
//   - one equal strong mark (serial number, hardware, Entra, cloud or agent id, full domain name) merges;
//   - two equal weaker marks of different kinds (MAC address, asset tag, host name) merge;
//   - one equal weaker mark alone proposes;
//   - where the two differ in a mark of the device itself (serial number, hardware, Entra or cloud id) nothing merges: an equal
//     mark of the device itself, or of its agent, proposes as a conflict, and any other says nothing.
func verdictOf(a, b Marks) (rule ward.MergeRule, why string) {
	shared := map[MarkKind]string{}
	for _, mark := range a {
		if slices.Contains(b, mark) {
			shared[mark.Kind] = cmp.Or(shared[mark.Kind], mark.Value)
		}
	}
	if len(shared) == 0 {
		return "", ""
	}
	var agreed, differing []string
	strong, weak := 0, 0
	for _, kind := range append(slices.Clone(strongKinds), ByMAC, ByTag, ByHost) {
		value, ok := shared[kind]
		if !ok {
			continue
		}
		agreed = append(agreed, fmt.Sprintf("%s %s", kind, value))
		if slices.Contains(strongKinds, kind) {
			strong++
		} else {
			weak++
		}
	}
	for _, kind := range ownKinds {
		if _, ok := shared[kind]; !ok && a.has(kind) && b.has(kind) {
			differing = append(differing, string(kind))
		}
	}
	why = "the same " + strings.Join(agreed, ", ")
	if len(differing) > 0 {
		_, byName := shared[ByFQDN]
		if strong == 0 || strong == 1 && byName {
			return "", "" // a name or an address handed on to another device
		}
		return ward.ByConflict, why + "; another " + strings.Join(differing, ", ")
	}
	if _, equal := shared[ByHost]; equal && strong == 0 && a.has(ByFQDN) && b.has(ByFQDN) {
		weak-- // one name in two domains is two names
	}
	switch {
	case strong+weak == 0:
		return "", ""
	case strong > 0:
		return ward.ByStrongID, why
	case weak > 1:
		return ward.ByTwoMarks, why
	}
	return ward.ByOneMark, why
}

// merges reports whether a rule merges by itself.
func merges(rule ward.MergeRule) bool {
	return slices.Contains([]ward.MergeRule{ward.ByPerson, ward.ByOperator, ward.ByStrongID, ward.ByTwoMarks}, rule)
}

func (m Marks) has(kind MarkKind) bool {
	return slices.ContainsFunc(m, func(mark Mark) bool { return mark.Kind == kind })
}

// tooCommon is how many devices of an estate may carry one mark before it says nothing: a placeholder that nobody listed.
const tooCommon = 4
