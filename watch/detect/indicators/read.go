package indicators

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"wardwatch/ward"
)

// A BadLine is a line of a file that was passed over.
type BadLine struct {
	Line int // 1 is the first
	Err  error
}

func (b *BadLine) Error() string { return fmt.Sprintf("line %d: %v", b.Line, b.Err) }

// Unwrap gives what is wrong with the line.
func (b *BadLine) Unwrap() error { return b.Err }

// columns are what a line of CSV or an object of NDJSON may say; only value must be said.
var columns = []string{"type", "value", "valid_from", "valid_until", "source", "grade", "tlp"}

// longestLine is how long a line may be.
const longestLine = 64 << 10

// Read gives the indicators of a file: one value a line, whose kind is told by its shape; or CSV under a line that names its
// columns; or NDJSON of the same names. Values may be defanged (hxxp://files[.]attacker[.]example/). Empty lines and lines
// that begin with '#' are passed over. source is who says so where the file does not.
//
// A line that is wrong is named to bad, and the others go on; so is one whose indicator give refuses as ward.ErrInvalid. Any
// other error of give ends the reading, as does a file that cannot be read or whose header is wrong.
func Read(r io.Reader, source string, give func(ward.Indicator) error, bad func(*BadLine)) error {
	lines := bufio.NewReaderSize(r, longestLine)
	var understand func(line []byte) (ward.Indicator, error)
	for n := 1; ; n++ {
		line, err := nextLine(lines)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		line = bytes.TrimSpace(line)
		switch {
		case err != nil:
			bad(&BadLine{n, fmt.Errorf("is longer than %d bytes", longestLine)})
			continue
		case len(line) == 0, line[0] == '#':
			continue
		case !utf8.Valid(line):
			bad(&BadLine{n, errors.New("is not UTF-8")})
			continue
		case understand == nil:
			var header bool
			if understand, header, err = format(line); err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
			if header {
				continue
			}
		}
		i, err := understand(line)
		if err == nil {
			if i.Source == "" {
				i.Source = source
			}
			if err = give(i); err != nil && !errors.Is(err, ward.ErrInvalid) {
				return err
			}
		}
		if err != nil {
			bad(&BadLine{n, err})
		}
	}
}

// nextLine reads one line; of one that is too long it reads all and gives ErrBufferFull.
func nextLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, io.EOF) && len(line) > 0 {
		err = nil
	}
	for long := err; errors.Is(long, bufio.ErrBufferFull); {
		_, long = r.ReadSlice('\n')
	}
	return line, err
}

// format tells by the first line how a file is written.
func format(line []byte) (understand func([]byte) (ward.Indicator, error), header bool, err error) {
	if line[0] == '{' {
		return ofJSON, false, nil
	}
	fields, header := headerOf(string(line))
	if !header {
		return ofList, false, nil
	}
	for i, f := range fields {
		fields[i] = strings.ToLower(strings.TrimSpace(f))
		switch {
		case !slices.Contains(columns, fields[i]):
			return nil, true, fmt.Errorf("column %q is none of %s", f, strings.Join(columns, ", "))
		case slices.Contains(fields[:i], fields[i]):
			return nil, true, fmt.Errorf("column %q is there twice", f)
		}
	}
	return func(line []byte) (ward.Indicator, error) { return ofCSV(fields, line) }, true, nil
}

// headerOf takes a line for a header when one of its columns is called value.
func headerOf(line string) ([]string, bool) {
	fields, err := splitCSV(line)
	return fields, err == nil && slices.ContainsFunc(fields, func(f string) bool {
		return strings.EqualFold(strings.TrimSpace(f), "value")
	})
}

func ofList(line []byte) (ward.Indicator, error) { return of(map[string]string{"value": string(line)}) }

func ofCSV(header []string, line []byte) (ward.Indicator, error) {
	fields, err := splitCSV(string(line))
	if err != nil {
		return ward.Indicator{}, err
	}
	if len(fields) != len(header) {
		return ward.Indicator{}, fmt.Errorf("has %d columns, and the header has %d", len(fields), len(header))
	}
	said := make(map[string]string, len(fields))
	for i, f := range fields {
		said[header[i]] = f
	}
	return of(said)
}

// splitCSV parts one line by RFC 4180; a field never goes on in the next line.
func splitCSV(line string) ([]string, error) {
	var out []string
	for {
		if !strings.HasPrefix(line, `"`) {
			field, rest, more := strings.Cut(line, ",")
			if strings.Contains(field, `"`) {
				return nil, errors.New("has a quote in the middle of a column")
			}
			if out = append(out, field); !more {
				return out, nil
			}
			line = rest
			continue
		}
		var field strings.Builder
		for line = line[1:]; ; {
			part, rest, closed := strings.Cut(line, `"`)
			if !closed {
				return nil, errors.New("has a quote that is not closed")
			}
			field.WriteString(part)
			if line = rest; !strings.HasPrefix(line, `"`) {
				break
			}
			field.WriteByte('"')
			line = line[1:]
		}
		out = append(out, field.String())
		if line == "" {
			return out, nil
		}
		if line[0] != ',' {
			return nil, errors.New("has text after a quote")
		}
		line = line[1:]
	}
}

func ofJSON(line []byte) (ward.Indicator, error) {
	var said map[string]string
	if err := json.Unmarshal(line, &said); err != nil {
		return ward.Indicator{}, errors.New("is no JSON object of texts")
	}
	for name := range said {
		if !slices.Contains(columns, name) {
			return ward.Indicator{}, fmt.Errorf("%q is none of %s", name, strings.Join(columns, ", "))
		}
	}
	return of(said)
}

// kindNames are what files call kinds, beside the words of ward.
var kindNames = map[string]ward.IndicatorKind{
	"ip": ward.IndicatorAddress, "ipv4": ward.IndicatorAddress, "ipv6": ward.IndicatorAddress,
	"cidr": ward.IndicatorNetwork, "hostname": ward.IndicatorDomain, "filename": ward.IndicatorFile,
	"sha-1": ward.IndicatorSHA1, "sha-256": ward.IndicatorSHA256, "sha-512": ward.IndicatorSHA512,
}

// of understands what a line says.
func of(said map[string]string) (i ward.Indicator, err error) {
	for name, text := range said {
		said[name] = strings.TrimSpace(text)
	}
	value := refang(said["value"])
	if value == "" {
		return i, bad("is empty")
	}
	word := ward.IndicatorKind(strings.ToLower(said["type"]))
	switch other, is := kindNames[string(word)]; {
	case is:
		word = other
	case word == "":
		word = guess(value)
	case word == "hash":
		if word = guess(value); len(value) < 32 {
			return i, bad("is no digest")
		}
	}
	if i.Kind, i.Value, err = Normal(word, value); err != nil {
		return i, err
	}
	if i.From, err = instant("valid_from", said["valid_from"]); err != nil {
		return i, err
	}
	if i.Until, err = instant("valid_until", said["valid_until"]); err != nil {
		return i, err
	}
	if !i.Until.IsZero() && !i.From.Before(i.Until) {
		return i, &ward.Invalid{Field: "valid_until", Problem: "is not after valid_from"}
	}
	i.Source = said["source"]
	var ok bool
	if i.Grade, ok = ward.ParseSourceGrade(said["grade"]); !ok {
		return i, &ward.Invalid{Field: "grade", Problem: fmt.Sprintf("%q is no grade", said["grade"]), Hint: "A to F, then 1 to 6, such as B2"}
	}
	if i.TLP, ok = ward.ParseTLP(said["tlp"]); !ok {
		return i, &ward.Invalid{Field: "tlp", Problem: fmt.Sprintf("%q is no marking", said["tlp"]), Hint: "such as TLP:AMBER"}
	}
	return i, nil
}

// instant reads a time, or a day, which begins at midnight UTC.
func instant(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, &ward.Invalid{Field: field, Problem: fmt.Sprintf("%q is no time", text), Hint: "such as 2025-05-13T09:30:00Z, or 2025-05-13"}
}
