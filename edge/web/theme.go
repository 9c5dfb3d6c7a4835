package web

import (
	"fmt"
	"math"
	"strconv"
)

// DefaultAccent is the accent colour where the operator has not chosen one: a violet, which no state uses.
const DefaultAccent = "#5b3fa8"

type colour struct{ r, g, b float64 } // 0 to 1, sRGB

var (
	white     = colour{1, 1, 1}
	black     = colour{0, 0, 0}
	ink       = colour{0x17 / 255.0, 0x1a / 255.0, 0x1f / 255.0} // --ww-ink, light
	lightSunk = colour{0xe9 / 255.0, 0xeb / 255.0, 0xef / 255.0} // --ww-sunk, light: the darkest ground of a light link
	darkSunk  = colour{0x24 / 255.0, 0x2a / 255.0, 0x30 / 255.0} // --ww-sunk, dark: the lightest ground of a dark link
)

// textContrast is what WCAG 2.2 asks between text and its ground at level AA.
const textContrast = 4.5

func parseColour(s string) (colour, error) {
	if len(s) != 7 || s[0] != '#' {
		return colour{}, fmt.Errorf("accent %q: want #rrggbb", s)
	}
	n, err := strconv.ParseUint(s[1:], 16, 24)
	if err != nil {
		return colour{}, fmt.Errorf("accent %q: want #rrggbb", s)
	}
	return colour{float64(n>>16) / 255, float64(n>>8&0xff) / 255, float64(n&0xff) / 255}, nil
}

func (c colour) String() string {
	byteOf := func(v float64) int { return int(math.Round(v * 255)) }
	return fmt.Sprintf("#%02x%02x%02x", byteOf(c.r), byteOf(c.g), byteOf(c.b))
}

// mix goes the share t of the way to another colour.
func (c colour) mix(to colour, t float64) colour {
	return colour{c.r + (to.r-c.r)*t, c.g + (to.g-c.g)*t, c.b + (to.b-c.b)*t}
}

func (c colour) luminance() float64 {
	linear := func(v float64) float64 {
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.r) + 0.7152*linear(c.g) + 0.0722*linear(c.b)
}

func contrast(a, b colour) float64 {
	la, lb := a.luminance(), b.luminance()
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// readableOn moves a colour towards an end until it can be read on the ground.
func (c colour) readableOn(ground, end colour) colour {
	for t := 0.0; t < 1; t += 0.02 {
		if m := c.mix(end, t); contrast(m, ground) >= textContrast {
			return m
		}
	}
	return end
}

// theme makes the style sheet of the operator's accent. Whatever colour is chosen, links and buttons stay readable: the
// accent is moved towards black on light and towards white on dark until they are.
func theme(accent string) ([]byte, error) {
	chosen, err := parseColour(accent)
	if err != nil {
		return nil, err
	}
	rules := func(ground, end colour, on colour) string {
		link := chosen.readableOn(ground, end)
		return fmt.Sprintf("--ww-accent:%s;--ww-accent-hover:%s;--ww-on-accent:%s;--ww-link:%s;--ww-link-hover:%s",
			link, link.mix(end, 0.25), on, link, link.mix(end, 0.35))
	}
	return fmt.Appendf(nil, ":root{%s}\n@media screen and (prefers-color-scheme:dark){:root{%s}}\n",
		rules(lightSunk, black, white), rules(darkSunk, white, ink)), nil
}
