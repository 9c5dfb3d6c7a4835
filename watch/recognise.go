package watch

// Recognise says how a text is written, by how it begins.
func Recognise(sample []byte) Format {
	for _, c := range sample {
		switch c {
		case ' ', '\t', '\r', '\n', 0x1e:
			continue
		case '{', '[':
			return JSON
		}
		break
	}
	return Lines
}
