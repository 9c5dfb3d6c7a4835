package estate

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"wardwatch/ward"
)

// UTF8 reads text in whatever Unicode encoding it came: a byte order mark is taken off, UTF-16 (with or without the mark)
// becomes UTF-8. What is no text, such as a workbook or an archive, is an error that says what to do. Bytes in other
// encodings pass through: Table reads lines that are no UTF-8 as Windows-1252.
func UTF8(r io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	head, err := in.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	refuse := func(problem, hint string) (io.Reader, error) {
		return nil, &ward.Invalid{Problem: problem, Hint: hint}
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = in.Discard(3) // just peeked
		return in, nil
	case bytes.Equal(head, []byte("\xff\xfe\x00\x00")), bytes.Equal(head, []byte("\x00\x00\xfe\xff")):
		return refuse("is UTF-32", "save it as UTF-8")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return refuse("is a workbook or an archive, not text", "save the sheet as CSV (UTF-8), or unpack the archive")
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return refuse("is compressed with gzip", "unpack it first")
	case bytes.HasPrefix(head, []byte("%PDF")):
		return refuse("is a PDF, not an inventory", "export CSV or JSON")
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		_, _ = in.Discard(2)
		return &utf16Reader{in: in, order: binary.LittleEndian}, nil
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		_, _ = in.Discard(2)
		return &utf16Reader{in: in, order: binary.BigEndian}, nil
	case len(head) == 4 && head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		return &utf16Reader{in: in, order: binary.LittleEndian}, nil
	case len(head) == 4 && head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		return &utf16Reader{in: in, order: binary.BigEndian}, nil
	}
	return in, nil
}

// headText is the first bytes of an input as UTF-8, for recognition; what is no text stays as it is.
func headText(head []byte) []byte {
	r, err := UTF8(bytes.NewReader(head))
	if err != nil {
		return head
	}
	text, err := io.ReadAll(r)
	if err != nil && len(text) == 0 {
		return head
	}
	return text
}

// utf16Reader turns UTF-16 into UTF-8.
type utf16Reader struct {
	in    *bufio.Reader
	order binary.ByteOrder
	out   []byte // decoded and not yet handed out
	high  uint16 // the first half of a pair whose second has not come yet
	err   error
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.out) == 0 && u.err == nil {
		u.fill()
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	if n == 0 {
		return 0, u.err
	}
	return n, nil
}

func (u *utf16Reader) fill() {
	var raw [4096]byte
	n, err := io.ReadFull(u.in, raw[:])
	out := u.out[:0]
	for i := 0; i+1 < n; i += 2 {
		unit := u.order.Uint16(raw[i:])
		if u.high != 0 {
			pair := utf16.DecodeRune(rune(u.high), rune(unit))
			out = utf8.AppendRune(out, pair)
			u.high = 0
			if pair != utf8.RuneError {
				continue
			}
		}
		if unit >= 0xd800 && unit < 0xdc00 {
			u.high = unit
			continue
		}
		out = utf8.AppendRune(out, rune(unit))
	}
	u.out = out
	switch err {
	case nil:
	case io.EOF, io.ErrUnexpectedEOF:
		u.err = io.EOF
		if n%2 != 0 {
			u.err = fmt.Errorf("UTF-16 text ends in half a character: %w", io.ErrUnexpectedEOF)
		}
	default:
		u.err = err
	}
}

// windows1252 holds what bytes 0x80 to 0x9f mean there; the rest is as in Latin-1.
var windows1252 = [32]rune{
	'€', '\ufffd', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\ufffd', 'Ž', '\ufffd',
	'\ufffd', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\ufffd', 'ž', 'Ÿ',
}

// fromWindows1252 decodes a line that is no UTF-8: what spreadsheet programs write on machines set to western Europe.
func fromWindows1252(line []byte) []byte {
	out := make([]byte, 0, len(line)+16)
	for _, b := range line {
		r := rune(b)
		if b >= 0x80 && b <= 0x9f {
			r = windows1252[b-0x80]
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}
