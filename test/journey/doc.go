// Package journey tells what people live through, as stories that a non-programmer can read: estates, advisories and answers
// go in; the alert, the lists and the proof that a person sees come out. Each story is a .txtar file: sentences first, the
// files that it speaks of after them. The rooms are the real ones, on a clock that the story moves, and everything that
// falls due on the way is done by the same jobs as in the product. Organisations hear by their inbox, and people by letter, each rung of the ladder by itself.
package journey
