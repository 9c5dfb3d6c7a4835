package indicators

import "math/bits"

// A filter turns away nearly every hash that was not added to it, with one look into memory: a hash chooses a word by its upper
// half, and sets four bits of it by its lower half.
type filter []uint64

// keysPerWord is a balance between memory and the share of hashes that pass without having been added: one in a hundred or two.
const keysPerWord = 4

func newFilter(keys int) filter {
	if keys == 0 {
		return nil
	}
	return make(filter, keys/keysPerWord+1)
}

func (f filter) add(h uint64) { f[f.place(h)] |= mask(h) }

func (f filter) may(h uint64) bool {
	if len(f) == 0 {
		return false
	}
	m := mask(h)
	return f[f.place(h)]&m == m
}

// soon says that a hash will be asked for.
func (f filter) soon(h uint64) {
	if len(f) > 0 {
		prefetch(&f[f.place(h)])
	}
}

// passed says whether any of the hashes may have been added. No look into memory waits for the one before.
func (f filter) passed(hashes []uint64) bool {
	if len(f) == 0 {
		return false
	}
	found := false
	for _, h := range hashes {
		if m := mask(h); f[f.place(h)]&m == m {
			found = true
		}
	}
	return found
}

func (f filter) place(h uint64) uint64 {
	at, _ := bits.Mul64(h, uint64(len(f)))
	return at
}

func mask(h uint64) uint64 {
	return 1<<(h&63) | 1<<(h>>6&63) | 1<<(h>>12&63) | 1<<(h>>18&63)
}
