package watch

import (
	"unicode"
	"unicode/utf8"
)

// Fold appends text to to with its letters small, as every comparison that does not care about case sees it: ASCII letters
// byte by byte, others by Unicode's own small letter, unless that one is ASCII (the Kelvin sign is no k). Bytes that are not
// UTF-8 stay as they are, so that folding never makes two different texts longer or shorter than their bytes allow to search.
func Fold(to, text []byte) []byte {
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			to = append(to, small(c))
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if s := unicode.ToLower(r); s != r && s >= utf8.RuneSelf && (r != utf8.RuneError || size > 1) {
			to = utf8.AppendRune(to, s)
		} else {
			to = append(to, text[i:i+size]...)
		}
		i += size
	}
	return to
}
