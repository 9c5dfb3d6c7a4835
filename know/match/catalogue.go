package match

import (
	"slices"

	"wardwatch/know"
	"wardwatch/ward"
)

// A Catalogue is every weakness made ready, by the products that it names: one identity is held against all of them at once.
// It answers as Weakness.Evaluate does for an identity alone, and asks only the weaknesses that can be worth keeping. One
// goroutine at a time uses it.
type Catalogue struct {
	words      *dictionary
	weaknesses map[ward.CVE]*Weakness
	shelves    map[string]*shelf // by product key

	desk desk
}

// A desk is where one identity is worked on.
type desk struct {
	seen  map[*Weakness]bool // while the identity is under more than one key
	trees []heard            // by tree of the shelf
	held  []int32            // the entries of which some condition may hold the identity
	on    []bool             // whether an entry is among them
	known confidences

	verdict ward.Verdict
}

// NewCatalogue returns a catalogue of nothing.
func NewCatalogue() *Catalogue {
	return &Catalogue{words: newDictionary(), weaknesses: map[ward.CVE]*Weakness{}, shelves: map[string]*shelf{}}
}

// Put takes in the reports of one weakness, in place of all that was there.
func (c *Catalogue) Put(cve ward.CVE, reports []know.Report) {
	w := &Weakness{CVE: cve}
	for _, r := range reports {
		w.hear(c.words, r)
	}
	if old := c.weaknesses[cve]; old != nil {
		c.takeOff(old)
	}
	c.shelve(w)
}

// Add takes in one report, in place of an older one by its source.
func (c *Catalogue) Add(r know.Report) {
	w := c.weaknesses[r.CVE]
	if w == nil {
		w = &Weakness{CVE: r.CVE}
	} else {
		c.takeOff(w)
	}
	w.hear(c.words, r)
	c.shelve(w)
}

func (c *Catalogue) shelve(w *Weakness) {
	w.silent = !w.index()
	c.weaknesses[w.CVE] = w
	if w.silent {
		return
	}
	for _, text := range w.Keys {
		s := c.shelves[text]
		if s == nil {
			s = &shelf{key: key{text, c.words.number(text)}}
			c.shelves[text] = s
		}
		s.weaknesses, s.ready = append(s.weaknesses, w), false
	}
}

func (c *Catalogue) takeOff(old *Weakness) {
	if old.silent {
		return
	}
	for _, key := range old.Keys {
		s := c.shelves[key]
		s.weaknesses = slices.DeleteFunc(s.weaknesses, func(w *Weakness) bool { return w == old })
		s.ready = false
	}
}

// Weakness is one weakness made ready, or nil when nobody says anything of its versions.
func (c *Catalogue) Weakness(cve ward.CVE) *Weakness {
	if w := c.weaknesses[cve]; w != nil && !w.silent {
		return w
	}
	return nil
}

// Len is how many weaknesses were taken in, those of which nobody says anything of versions too.
func (c *Catalogue) Len() int { return len(c.weaknesses) }

// Ready makes every shelf ready, which Match else does at the first question about a product.
func (c *Catalogue) Ready() {
	for _, s := range c.shelves {
		s.prepare()
	}
}

// Match calls yield for each weakness of which a person may have to act on what is said of the identity alone: affected,
// platform unknown, and version unknown where the identity has none. The verdicts have no sentence yet: Weakness.Evaluate of
// the same identity gives the same verdict with it. A verdict is good until yield returns, and their order is of no meaning.
func (c *Catalogue) Match(id *Identity, yield func(*Weakness, *ward.Verdict)) {
	if len(id.Keys) == 1 {
		if s := c.shelves[id.Keys[0]]; s != nil {
			s.prepare()
			s.match(&c.desk, id, yield)
		}
		return
	}
	if c.desk.seen == nil {
		c.desk.seen = map[*Weakness]bool{}
	}
	clear(c.desk.seen)
	for _, key := range id.Keys { // whatever is asked of it by one of its names is answered for all of them
		s := c.shelves[key]
		if s == nil {
			continue
		}
		s.prepare()
		for _, w := range s.candidates(id) {
			if !c.desk.seen[w] {
				c.desk.seen[w] = true
				keep(w, id, yield)
			}
		}
	}
}

// Beside is the same catalogue for one more goroutine. It is made ready first, and nothing is taken in while both are in use.
func (c *Catalogue) Beside() *Catalogue {
	c.Ready()
	other := *c
	other.desk = desk{}
	return &other
}

// keep asks a weakness in full.
func keep(w *Weakness, id *Identity, yield func(*Weakness, *ward.Verdict)) {
	if v, opinions := w.decide(id, nil); len(opinions) > 0 && worthKeeping(v, id) {
		yield(w, &v)
	}
}
