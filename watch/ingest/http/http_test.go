package http_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/ingest"
	door "wardwatch/watch/ingest/http"
)

const token = "wws_ok"

type senders struct{}

func (senders) ByToken(_ context.Context, t string) (ingest.Sender, error) {
	if t == token {
		return ingest.Sender{ID: "s", Org: "ZZ1", Name: "collector"}, nil
	}
	return ingest.Sender{}, ward.ErrNotFound
}

func (senders) ByCertificate(context.Context, []byte) (ingest.Sender, error) {
	return ingest.Sender{}, ward.ErrNotFound
}

type intake struct {
	busy, lost bool
	taken      []string
	dead       int
}

func (i *intake) Room(ingest.Sender, int) error {
	if i.busy {
		return &ingest.Busy{Reason: "busy", After: 3 * time.Second}
	}
	return nil
}

func (i *intake) Take(_ context.Context, s ingest.Sender, all []watch.Arrival) (ingest.Receipt, error) {
	for _, a := range all {
		i.taken = append(i.taken, fmt.Sprintf("%s|%s|%s|%d|%s|%s", s.Org, a.Source, a.Batch, a.Sequence, a.Format, a.Raw))
	}
	return receipt{i}, nil
}

func (i *intake) Dead(ingest.Sender, string, error, []byte) { i.dead++ }

type receipt struct{ *intake }

func (r receipt) Wait(context.Context) error {
	if r.lost {
		return errors.New("the disk is full")
	}
	return nil
}

func ask(in *intake, method, path, body string, headers ...string) (int, string, http.Header) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	door.New(door.Options{Senders: senders{}, Intake: in, MaxBody: 1 << 20}).ServeHTTP(w, r)
	answer, _ := io.ReadAll(w.Result().Body)
	return w.Code, strings.TrimSpace(string(answer)), w.Header()
}

func TestShapes(t *testing.T) {
	for name, row := range map[string]struct {
		path, body string
		headers    []string
		status     int
		answer     string
		taken      []string
	}{
		"NDJSON": {"/v1/events", "{\"a\":1}\n{\"b\":2}\n", nil, 200, `{"accepted":2,"refused":[]}`, []string{`ZZ1|collector||0|json|{"a":1}`, `ZZ1|collector||0|json|{"b":2}`}},
		"NDJSON, a bad one": {"/v1/events", "{\"a\":1}\n{\"b\":\n{\"c\":3}\n", []string{"Wardwatch-Batch", "b7", "Wardwatch-Source", "web"}, 200,
			`{"accepted":2,"refused":[{"event":2,"reason":"watch: event of 5 bytes: the event ends before it is complete"}]}`, []string{`ZZ1|web|b7|1|json|{"a":1}`, `ZZ1|web|b7|3|json|{"c":3}`}},
		"an export":         {"/v1/events", `{"value":[{"a":1},{"b":2}]}`, nil, 200, `{"accepted":2,"refused":[]}`, []string{`ZZ1|collector||0|json|{"a":1}`, `ZZ1|collector||0|json|{"b":2}`}},
		"lines":             {"/v1/events?format=syslog", "<34>one\r\n\n<34>two", nil, 200, `{"accepted":2,"refused":[]}`, []string{`ZZ1|collector||0|syslog|<34>one`, `ZZ1|collector||0|syslog|<34>two`}},
		"an unknown format": {"/v1/events?format=x", "x", nil, 400, `"format`, nil},
		"_bulk": {"/logs/_bulk", "{\"create\":{}}\n{\"a\":1}\n{\"index\":{\"_id\":\"x1\"}}\n{\"b\":2}\n", nil, 200, `"errors":false`,
			[]string{`ZZ1|collector||0|json|{"a":1}`, `ZZ1|collector|id:x1|1|json|{"b":2}`}},
		"_bulk, a bad one":    {"/_bulk", "{\"create\":{}}\n{\"a\":\n{\"delete\":{\"_id\":\"1\"}}\n{\"create\":{}}\n{\"b\":2}\n", nil, 200, `"errors":true`, []string{`ZZ1|collector||0|json|{"b":2}`}},
		"_bulk of no actions": {"/_bulk", "{\"a\":1}\nx\n", nil, 400, "is no action", nil},
		"HEC": {"/services/collector/event", `{"event":"<34>one","host":"h1"}{"event":{"x":1},"time":1}`, []string{"Authorization", "Splunk " + token}, 200,
			`{"code":0,"text":"Success"}`, []string{`ZZ1|h1||0|syslog|<34>one`, `ZZ1|collector||0|json|{"event":{"x":1},"time":1}`}},
		"HEC without an event": {"/services/collector", `{"host":"h1"}`, nil, 400, `"code":6`, nil},
		"HEC raw":              {"/services/collector/raw?host=h2", "one two\nthree four\n", nil, 200, `"code":0`, []string{`ZZ1|h2||0|lines|one two`, `ZZ1|h2||0|lines|three four`}},
		"OTLP": {"/v1/logs", `{"resourceLogs":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"h3"}}]},"scopeLogs":[{"logRecords":[{"timeUnixNano":"1747281607000000000","body":{"stringValue":"text"},"attributes":[{"key":"user.name","value":{"stringValue":"alice"}}]}]}]}]}`,
			nil, 200, `{}`, []string{`ZZ1|h3||0|json|{"@timestamp":"1747281607000000000","host.name":"h3","message":"text","user.name":"alice"}`}},
		"no credential":       {"/v1/events", `{}`, []string{"Authorization", ""}, 401, "sender add", nil},
		"a wrong one":         {"/_bulk", `{}`, []string{"Authorization", "Bearer wws_no"}, 401, "sender add", nil},
		"an API key":          {"/v1/events", `{}`, []string{"Authorization", "ApiKey " + base64.StdEncoding.EncodeToString([]byte("id:"+token))}, 200, "", []string{`ZZ1|collector||0|json|{}`}},
		"a password":          {"/v1/events", `{}`, []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("any:"+token))}, 200, "", []string{`ZZ1|collector||0|json|{}`}},
		"too large":           {"/v1/events", strings.Repeat(" ", 2<<20), nil, 413, "fewer events", nil},
		"packed by no means":  {"/v1/events", "x", []string{"Content-Encoding", "br"}, 400, "unpacked", nil},
		"no gzip":             {"/v1/events", "x", []string{"Content-Encoding", "gzip"}, 400, "unpacked", nil},
		"a batch of ours":     {"/v1/events", `{}`, []string{"Wardwatch-Batch", "~x"}, 400, "begins with", nil},
		"a source of control": {"/v1/events", `{}`, []string{"Wardwatch-Source", "a\tb"}, 200, "", []string{`ZZ1|collector||0|json|{}`}},
	} {
		t.Run(name, func(t *testing.T) {
			in := &intake{}
			status, answer, _ := ask(in, http.MethodPost, row.path, row.body, row.headers...)
			if status != row.status || !strings.Contains(answer, row.answer) {
				t.Errorf("%d %s", status, answer)
			}
			if fmt.Sprint(in.taken) != fmt.Sprint(row.taken) {
				t.Errorf("%q, want %q", in.taken, row.taken)
			}
		})
	}
}

func TestItAnswersWhenItIsDurable(t *testing.T) {
	if status, answer, _ := ask(&intake{lost: true}, http.MethodPost, "/v1/events", "{}"); status != 503 || !strings.Contains(answer, "send it again") {
		t.Error(status, answer)
	}
	in := &intake{busy: true}
	if status, _, header := ask(in, http.MethodPost, "/_bulk", "{\"create\":{}}\n{}\n"); status != 429 || header.Get("Retry-After") != "3" || len(in.taken) != 0 {
		t.Error(status, header)
	}
}

func TestAnUnpackedBodyIsBounded(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(bytes.Repeat([]byte("{}\n"), 1<<20))
	_ = w.Close()
	if status, _, _ := ask(&intake{}, http.MethodPost, "/v1/events", packed.String(), "Content-Encoding", "gzip"); status != 413 {
		t.Error(status)
	}
}

func TestClientsOfElasticsearchFindWhatTheyAskFor(t *testing.T) {
	for _, path := range []string{"/", "/_license", "/_cluster/health"} {
		if status, _, header := ask(&intake{}, http.MethodGet, path, ""); status != 200 || header.Get("X-Elastic-Product") != "Elasticsearch" {
			t.Error(path, status, header)
		}
		if status, _, _ := ask(&intake{}, http.MethodGet, path, "", "Authorization", "Bearer x"); status != 401 {
			t.Error(path, status)
		}
	}
}

// field is one field of a message of Protocol Buffers.
func field(number protowire.Number, parts ...[]byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), bytes.Join(parts, nil))
}

func text(number protowire.Number, value string) []byte { return field(number, []byte(value)) }

func varint(number protowire.Number, value uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), value)
}

func fixed(number protowire.Number, value uint64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(nil, number, protowire.Fixed64Type), value)
}

// exported is a request as an exporter of OpenTelemetry sends it.
func exported() []byte {
	resource := field(1, field(1, text(1, "host.name"), field(2, text(1, "h3"))))
	record := field(2, fixed(1, 1747281607000000000), varint(2, 9), field(5, text(1, "text")),
		field(6, text(1, "user.name"), field(2, text(1, "alice"))), field(6, text(1, "tries"), field(2, varint(3, 7))), field(6, text(1, "ok"), field(2, varint(2, 1))), varint(99, 1))
	return field(1, resource, field(2, field(1, text(1, "scope")), record))
}

func TestAnExporterMaySpeakProtocolBuffers(t *testing.T) {
	in := &intake{}
	status, answer, header := ask(in, http.MethodPost, "/v1/logs", string(exported()), "Content-Type", "application/x-protobuf")
	if status != 200 || answer != "" || header.Get("Content-Type") != "application/x-protobuf" {
		t.Errorf("%d %q %v", status, answer, header)
	}
	want := `[ZZ1|h3||0|json|{"@timestamp":"1747281607000000000","host.name":"h3","message":"text","ok":true,"tries":"7","user.name":"alice"}]`
	if fmt.Sprint(in.taken) != want {
		t.Errorf("%s, want %s", in.taken, want)
	}
	for _, bad := range []string{"\x0a\xff", "\xff\xff", string(exported()[:40])} {
		if status, _, _ := ask(&intake{}, http.MethodPost, "/v1/logs", bad, "Content-Type", "application/x-protobuf"); status != 400 {
			t.Errorf("%q: %d", bad, status)
		}
	}
	deep := text(1, "x")
	for range 5000 {
		deep = field(5, field(1, deep))
	}
	if status, _, _ := ask(&intake{}, http.MethodPost, "/v1/logs", string(field(1, field(2, field(2, field(5, deep))))), "Content-Type", "application/x-protobuf"); status != 400 {
		t.Error("values ten thousand deep:", status)
	}
}

func TestACollectorsClientAsksWhatBecameOfItsEvents(t *testing.T) {
	in := &intake{}
	open := door.New(door.Options{Senders: senders{}, Intake: in})
	call := func(path, body string) string {
		q := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		q.Header.Set("Authorization", "Splunk "+token)
		q.Header.Set("X-Splunk-Request-Channel", "FE0ECFAD-13D5-401B-847D-77833BD77131")
		out := httptest.NewRecorder()
		open.ServeHTTP(out, q)
		return strings.TrimSpace(out.Body.String())
	}
	for i := range 2 {
		if got := call("/services/collector", `{"event":"x"}`); got != fmt.Sprintf(`{"ackId":%d,"code":0,"text":"Success"}`, i) {
			t.Error(got)
		}
	}
	if got := call("/services/collector/ack", `{"acks":[0,1]}`); got != `{"acks":{"0":true,"1":true}}` {
		t.Error(got)
	}
	if status, answer, _ := ask(in, http.MethodPost, "/services/collector/ack", `{"acks":[0]}`); status != 400 || !strings.Contains(answer, "channel") {
		t.Error(status, answer)
	}
	if status, _, _ := ask(in, http.MethodPost, "/services/collector/ack", `{"acks":[0]}`, "Authorization", "Splunk no"); status != 401 {
		t.Error(status)
	}
}

func FuzzShapes(f *testing.F) {
	paths := []string{"/v1/events", "/v1/events?format=csv", "/_bulk", "/services/collector", "/services/collector/raw", "/v1/logs"}
	f.Add(0, []byte("{\"a\":1}\n[{}]"))
	f.Add(2, []byte("{\"create\":{}}\n{}\n"))
	f.Add(3, []byte(`{"event":"x"}`))
	f.Add(5, []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}`))
	f.Add(-1, exported())
	f.Fuzz(func(t *testing.T, which int, body []byte) {
		in := &intake{}
		var headers []string
		if which < 0 {
			headers = []string{"Content-Type", "application/x-protobuf"}
		}
		status, answer, _ := ask(in, http.MethodPost, paths[uint(which)%uint(len(paths))], string(body), headers...)
		if status != 200 && status != 400 {
			t.Fatal(status, answer)
		}
		if status != 200 && len(in.taken) > 0 {
			t.Fatal("taken, and answered with", status)
		}
	})
}
