package watch_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"wardwatch/watch"
)

// line is the record in one line: name=text in the order of the values, null for a null.
func line(r *watch.Record) string {
	var parts []string
	for _, v := range r.Values {
		text := string(v.Text)
		if v.Kind == watch.Null {
			text = "<null>"
		}
		parts = append(parts, fmt.Sprintf("%s=%s", v.Name, text))
	}
	return strings.Join(parts, " ")
}

func TestJSONValues(t *testing.T) {
	for name, row := range map[string]struct{ event, want string }{
		"kinds":             {`{"a":"x","b":-1.50e+3,"c":true,"d":false,"e":null}`, "a=x b=-1.50e+3 c=true d=false e=<null>"},
		"white space":       {"{ \"a\" :\t1 ,\r\n \"b\" : [ 1 , 2 ] }", "a=1 b=1 b=2"},
		"nested":            {`{"a":{"b":{"c":1},"d":2},"e":3}`, "a.b.c=1 a.d=2 e=3"},
		"lists":             {`{"a":[1,[2,3],{"b":4},{"b":5}]}`, "a=1 a=2 a=3 a.b=4 a.b=5"},
		"empty":             {`{"a":"","b":{},"c":[],"d":[{}]}`, "a= b=<null> c=<null> d=<null>"},
		"no members":        {`{}`, ""},
		"duplicates":        {`{"a":1,"a":2}`, "a=1 a=2"},
		"escapes":           {`{"a":"\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00"}`, "a=\"\\/\b\f\n\r\té😀"},
		"escaped name":      {`{"a\u0062\"c":1}`, `ab"c=1`},
		"lone surrogates":   {`{"a":"\ud800x","b":"\udc00","c":"\ud800\u0041"}`, "a=\uFFFDx b=\uFFFD c=\uFFFDA"},
		"bytes kept":        {"{\"a\":\"\xff\xfe\",\"b\":\"\\n\xc3\"}", "a=\xff\xfe b=\n\xc3"},
		"no escape":         {`{"a":"C:\Windows\system32"}`, `a=C:\Windows\system32`},
		"control character": {"{\"a\":\"x\x01y\tz\"}", "a=x\x01y\tz"},
		"byte order mark":   {"\uFEFF{\"a\":1}", "a=1"},
		"long": {`{"a":"` + strings.Repeat(`0123456789\\`, 9000) + `","b":"` + strings.Repeat("x", 99) + `"}`,
			"a=" + strings.Repeat(`0123456789\`, 9000) + " b=" + strings.Repeat("x", 99)},
	} {
		t.Run(name, func(t *testing.T) {
			d := watch.NewDecoder(watch.NewNames())
			var r watch.Record
			for range 2 { // the second time with what the first has taught
				if _, err := d.JSON([]byte(row.event), &r); err != nil {
					t.Fatal(err)
				}
				if got := line(&r); got != row.want {
					t.Errorf("%.500q instead of %.500q", got, row.want)
				}
			}
		})
	}
}

func TestJSONRefuses(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 10000) + "1" + strings.Repeat("}", 10000)
	lists := `{"a":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + "}"
	for name, row := range map[string]struct {
		event string
		want  error
	}{
		"nothing":            {" \n", io.EOF},
		"a number":           {`5`, watch.ErrNotObject},
		"a word":             {`nonsense`, watch.ErrNotObject},
		"brace":              {`{`, watch.ErrTruncated},
		"name":               {`{"a`, watch.ErrTruncated},
		"name with escape":   {`{"a\`, watch.ErrTruncated},
		"behind the name":    {`{"a"`, watch.ErrTruncated},
		"behind the colon":   {`{"a":`, watch.ErrTruncated},
		"string":             {`{"a":"x`, watch.ErrTruncated},
		"escape":             {`{"a":"x\`, watch.ErrTruncated},
		"half a code":        {`{"a":"x\u00`, watch.ErrTruncated},
		"behind an escape":   {`{"a":"x\n`, watch.ErrTruncated},
		"behind the value":   {`{"a":1`, watch.ErrTruncated},
		"list":               {`{"a":[1,`, watch.ErrTruncated},
		"word":               {`{"a":tru`, watch.ErrTruncated},
		"no name":            {`{a:1}`, nil},
		"no colon":           {`{"a" 1}`, nil},
		"no comma":           {`{"a":1 "b":2}`, nil},
		"comma at the end":   {`{"a":1,}`, nil},
		"comma in a list":    {`{"a":[1,]}`, nil},
		"no comma in a list": {`{"a":[1 2]}`, nil},
		"wrong word":         {`{"a":trux}`, nil},
		"leading zero":       {`{"a":01}`, nil},
		"fraction":           {`{"a":1.}`, nil},
		"exponent":           {`{"a":1e}`, nil},
		"code":               {`{"a":"\u00zz"}`, nil},
		"deep":               {deep, watch.ErrDeep},
		"deep lists":         {lists, watch.ErrDeep},
	} {
		t.Run(name, func(t *testing.T) {
			d := watch.NewDecoder(watch.NewNames("a"))
			var r watch.Record
			_, err := d.JSON([]byte(row.event), &r)
			if err == nil || (row.want != nil && !errors.Is(err, row.want)) {
				t.Fatalf("error %v instead of %v", err, row.want)
			}
			if len(r.Values) != 0 {
				t.Errorf("a broken event gave %s", line(&r))
			}
			// What follows is not touched.
			if errors.Is(err, io.EOF) {
				return
			}
			rest, err := d.JSON([]byte(row.event+"\n"+`{"a":"good"}`), &r)
			if err == nil {
				t.Fatal("the event is good with another behind it")
			}
			if _, err := d.JSON(rest, &r); err != nil || line(&r) != "a=good" {
				t.Errorf("the good event behind it: %s, %v", line(&r), err)
			}
		})
	}
}

func TestSequences(t *testing.T) {
	for name, row := range map[string]struct {
		text string
		want []string
		bad  int
	}{
		"lines":         {"{\"a\":1}\n\n{\"a\":2}\r\n", []string{`{"a":1}`, `{"a":2}`}, 0},
		"no divider":    {`{"a":1}{"a":2}`, []string{`{"a":1}`, `{"a":2}`}, 0},
		"array":         {"[ {\"a\":1},\n{\"a\":[2]} ]\n", []string{`{"a":1}`, `{"a":[2]}`}, 0},
		"pretty":        {"{\n  \"a\":\n{\n\"b\": [\n{\"c\":1}]}\n}\n{\n\"a\": 2\n}", []string{"{\n  \"a\":\n{\n\"b\": [\n{\"c\":1}]}\n}", "{\n\"a\": 2\n}"}, 0},
		"separators":    {"\x1e{\"a\":1}\n\x1e{\"a\":2}\n", []string{`{"a":1}`, `{"a":2}`}, 0},
		"CloudTrail":    {`{"Records": [{"a":1},{"a":2}]}`, []string{`{"a":1}`, `{"a":2}`}, 0},
		"Azure":         {`{ "records" : [ {"a":1}]}` + "\n" + `{"records":[]}`, []string{`{"a":1}`}, 0},
		"not wrapped":   {`{"records":[1,2]}`, []string{`{"records":[1,2]}`}, 0},
		"braces quoted": {`{"a":"}{\"}"}` + "\n{}", []string{`{"a":"}{\"}"}`, `{}`}, 0},
		"cut off":       {"{\"a\":\"trunc\n{\"a\":1}\n{\"a\":{\"b\":1}\n{\"a\":2}\n{\"a\"", []string{`{"a":1}`, `{"a":2}`}, 3},
		"text between":  {"error: none\n{\"a\":1}\n", []string{`{"a":1}`}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			bad := 0
			for rest := []byte(row.text); ; {
				value, after, err := watch.NextJSON(rest)
				if errors.Is(err, io.EOF) {
					break
				}
				if len(after) >= len(rest) {
					t.Fatalf("no progress at %q", rest)
				}
				if rest = after; err != nil {
					bad++
					continue
				}
				got = append(got, string(value))
			}
			if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", row.want) || bad != row.bad {
				t.Errorf("%q and %d bad instead of %q and %d", got, bad, row.want, row.bad)
			}
			d := watch.NewDecoder(watch.NewNames())
			var r watch.Record
			read := 0
			for rest := []byte(row.text); ; {
				var err error
				if rest, err = d.JSON(rest, &r); errors.Is(err, io.EOF) {
					break
				} else if err == nil {
					read++
				}
			}
			if read != len(row.want) {
				t.Errorf("the decoder read %d", read)
			}
		})
	}
}

// A container that a rule asks for by name is there, as it is written.
func TestJSONContainersAskedFor(t *testing.T) {
	d := watch.NewDecoder(watch.NewNames("b", "c"))
	var r watch.Record
	if _, err := d.JSON([]byte(`{"a":{"x":1},"b":{"x":[1]},"c":[{"y":1},{"y":2}]}`), &r); err != nil {
		t.Fatal(err)
	}
	want := `a.x=1 b.x=1 b={"x":[1]} c.y=1 c={"y":1} c.y=2 c={"y":2}`
	if got := line(&r); got != want {
		t.Errorf("%s instead of %s", got, want)
	}
}

func TestHugeEvent(t *testing.T) {
	d := watch.NewDecoder(watch.NewNames("ScriptBlockText"))
	text := strings.Repeat(`\"x\\`, 10<<20)
	event := []byte(`{"EventID":4104,"Channel":"Microsoft-Windows-PowerShell/Operational","ScriptBlockText":"` + text + `"}`)
	var r watch.Record
	if _, err := d.JSON(event, &r); err != nil {
		t.Fatal(err)
	}
	if got := r.Values[2].Text; len(got) != 30<<20 || !bytes.HasSuffix(got, []byte(`"x\`)) {
		t.Errorf("%d bytes", len(got))
	}
	// Members by the million, each with a name of its own.
	var many bytes.Buffer
	many.WriteString(`{"a":{`)
	for i := range 1_000_000 {
		fmt.Fprintf(&many, `"k%d":%d,`, i, i)
	}
	many.WriteString(`"EventID":1}}`)
	if _, err := d.JSON(many.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Values) != 1_000_001 {
		t.Errorf("%d values", len(r.Values))
	}
	if _, err := d.JSON([]byte(`{"ScriptBlockText":"x"}`), &r); err != nil || r.Values[0].Field != 1 {
		t.Errorf("the small event behind it: %v, %v", r.Values, err)
	}
}

// scalars are the values of a document as encoding/json reads it, in order, by dotted names.
func scalars(t testing.TB, text []byte) []string {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var out []string
	var value func(name string, top bool)
	token := func() json.Token {
		tok, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		return tok
	}
	value = func(name string, top bool) {
		switch tok := token().(type) {
		case json.Delim:
			if tok == '{' {
				if !decoder.More() && !top {
					out = append(out, name+"=<null>")
				}
				for decoder.More() {
					key, _ := token().(string)
					if !top {
						key = name + "." + key
					}
					value(key, false)
				}
			} else {
				if !decoder.More() {
					out = append(out, name+"=<null>")
				}
				for decoder.More() {
					value(name, false)
				}
			}
			token()
		case nil:
			out = append(out, name+"=<null>")
		default:
			out = append(out, fmt.Sprintf("%s=%v", name, tok))
		}
	}
	value("", true)
	return out
}

// What encoding/json reads is read the same way; what it refuses may be refused, but never loops or panics.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"Event":{"System":{"EventID":{"#attributes":{"Qualifiers":1},"#text":4688},"Channel":"Security"},"EventData":{"Data":[{"@Name":"a","#text":"b"}]}}}`,
		`{"a":"\ud83d\ude00 \"\\","b":[1,2.5e-3,{"c":null}],"d":{}}`,
		`{"eventSource":"s3.amazonaws.com","eventName":"PutObject","awsRegion":"eu-west-2","requestParameters":{"x":[true]}}`,
		"[{\"a\":1},\n{\"a\":\"\xff\"}]", `{"Records":[{"a":1}]}`,
	} {
		f.Add([]byte(seed))
	}
	d := watch.NewDecoder(watch.NewNames())
	f.Fuzz(func(t *testing.T, text []byte) {
		var r watch.Record
		for rest := text; ; {
			after, err := d.JSON(rest, &r)
			if errors.Is(err, io.EOF) {
				break
			}
			if len(after) >= len(rest) {
				t.Fatal("no progress")
			}
			rest = after
		}
		event, _, err := watch.NextJSON(text)
		if err != nil || !json.Valid(event) || len(event) > 1000 {
			return
		}
		// Names that the tables of Windows and Azure write otherwise have tests of their own; control characters as
		// encoding/json reads them.
		want := scalars(t, event)
		for _, w := range want {
			if name, _, _ := strings.Cut(w, "="); strings.Contains(name, ".") || strings.Contains(name, "Data") {
				return
			}
		}
		if _, err := d.JSON(event, &r); err != nil {
			t.Fatalf("%q: %v", event, err)
		}
		for i, v := range r.Values[:min(len(r.Values), len(want))] {
			got := fmt.Sprintf("%s=%s", bytes.ToValidUTF8(v.Name, []byte("\uFFFD")), bytes.ToValidUTF8(v.Text, []byte("\uFFFD")))
			if v.Kind == watch.Null {
				got = fmt.Sprintf("%s=<null>", bytes.ToValidUTF8(v.Name, []byte("\uFFFD")))
			}
			if collapse(got) != collapse(want[i]) {
				t.Fatalf("%q: %q instead of %q", event, got, want[i])
			}
		}
		if len(r.Values) < len(want) {
			t.Fatalf("%q: %d values instead of %d", event, len(r.Values), len(want))
		}
	})
}

// collapse makes one of replacement characters beside each other: how many stand for broken bytes is a matter of taste.
func collapse(s string) string {
	for strings.Contains(s, "\uFFFD\uFFFD") {
		s = strings.ReplaceAll(s, "\uFFFD\uFFFD", "\uFFFD")
	}
	return s
}
