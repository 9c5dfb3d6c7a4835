package sigma

import "unicode/utf8"

// likeFolded says whether the pattern matches the whole of the text, whose ASCII letters may be large unless exact. When what
// follows a '*' does not match, only that last '*' takes one character more: those before it have nothing to gain.
func likeFolded(p Pattern, text []byte, exact bool) bool {
	piece, at := 0, 0
	star, resume := -1, 0
	for {
		if piece == len(p) {
			if at == len(text) {
				return true
			}
		} else {
			switch hole := p[piece].Hole; hole {
			case Any:
				star, resume = piece, at
				piece++
				continue
			case One:
				if at < len(text) {
					at += characterSize(text[at:])
					piece++
					continue
				}
			case None:
				if size := len(p[piece].Literal); begins(text[at:], p[piece].Literal, exact) {
					at += size
					piece++
					continue
				}
			}
		}
		if star < 0 || resume >= len(text) {
			return false
		}
		resume += characterSize(text[resume:])
		piece, at = star+1, resume
	}
}

func begins(text []byte, lit string, exact bool) bool {
	if len(text) < len(lit) {
		return false
	}
	if exact {
		return string(text[:len(lit)]) == lit
	}
	return equalFolded(lit, text[:len(lit)])
}

func characterSize(text []byte) int {
	if text[0] < utf8.RuneSelf {
		return 1
	}
	_, size := utf8.DecodeRune(text)
	return size
}
