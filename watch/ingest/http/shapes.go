package http

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"wardwatch/ward"
	"wardwatch/watch"
)

// errShape is a body that is not of the shape that its address takes.
var errShape = errors.New("not the shape that this address takes")

var errLong = fmt.Errorf("an event of more than %d bytes", maxEvent)

// events are NDJSON, any sequence of JSON values, or lines of a format that the query names: ?format=combined.
var events = shape{
	read: func(r *request) error {
		format := watch.JSON
		if name := r.URL.Query().Get("format"); name != "" {
			var ok bool
			if format, ok = watch.FormatOf(name); !ok || format == watch.EVTX {
				return &ward.Invalid{Field: "format", Problem: fmt.Sprintf("%q is not known", name), Hint: strings.Join(watch.Formats(), ", ")}
			}
		} else if strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain") {
			format = watch.Unknown
		}
		if format == watch.Unknown {
			format = watch.Recognise(r.body[:min(len(r.body), 64<<10)])
		}
		if format == watch.JSON {
			return values(r)
		}
		r.lines(format)
		return nil
	},
	answer: func(w http.ResponseWriter, r *request) {
		reply(w, http.StatusOK, map[string]any{"accepted": len(r.taken), "refused": refusals(r)})
	},
	fail: problem,
}

type refusal struct {
	Event  int    `json:"event"` // 1 is the first of the request
	Reason string `json:"reason"`
}

func refusals(r *request) []refusal {
	all := []refusal{}
	for _, b := range r.bad {
		all = append(all, refusal{b.at + 1, b.err.Error()})
	}
	return all
}

// values takes a sequence of JSON values; those of {"value":[...]}, {"Records":[...]} and arrays one by one.
func values(r *request) error {
	at := 0
	for rest := r.body; ; at++ {
		value, after, err := watch.NextJSON(rest)
		if errors.Is(err, io.EOF) {
			return nil
		}
		switch {
		case err != nil:
			r.refuse(at, err, rest)
		case len(value) > maxEvent:
			r.refuse(at, errLong, value)
		default:
			each(value, func(one []byte) { r.add(len(r.taken)+len(r.bad), watch.JSON, "", one) })
		}
		if len(after) >= len(rest) {
			return nil
		}
		rest = after
	}
}

// each gives the events of an export that wraps them, or the value itself.
func each(value []byte, give func([]byte)) {
	if bytes.HasPrefix(value, []byte("{")) {
		var wrapped struct {
			Value   []json.RawMessage `json:"value"`
			Records []json.RawMessage `json:"Records"`
		}
		if (bytes.Contains(value[:min(len(value), 4096)], []byte(`"value"`)) || bytes.Contains(value[:min(len(value), 4096)], []byte(`"Records"`))) &&
			json.Unmarshal(value, &wrapped) == nil {
			if all := slices.Concat(wrapped.Value, wrapped.Records); len(all) > 0 && !slices.ContainsFunc(all, func(m json.RawMessage) bool { return m[0] != '{' }) {
				for _, one := range all {
					give(one)
				}
				return
			}
		}
	}
	give(value)
}

// lines takes lines of text; one that says what stands where stands above those that follow.
func (r *request) lines(format watch.Format) {
	var header []byte
	at := 0
	for line := range bytes.SplitSeq(r.body, []byte("\n")) {
		line = bytes.TrimSuffix(line, []byte("\r"))
		switch {
		case len(line) == 0:
			continue
		case len(line) > maxEvent:
			r.refuse(at, errLong, line)
		case format == watch.W3C && line[0] == '#':
			if bytes.HasPrefix(line, []byte("#Fields:")) {
				header = line
			}
			continue
		case format == watch.CSV && header == nil:
			header = line
			continue
		default:
			r.add(at, format, "", line)
			r.taken[len(r.taken)-1].Header = header
		}
		at++
	}
}

// bulk is Elasticsearch's: a line that says what to do, then the document. Every index is the same place here.
var bulk = shape{
	read: func(r *request) error {
		at := 0
		rest := r.body
		for {
			rest = bytes.TrimLeft(rest, "\r\n ")
			if len(rest) == 0 {
				return nil
			}
			action, after, _ := bytes.Cut(rest, []byte("\n"))
			var does map[string]struct {
				ID string `json:"_id"`
			}
			if err := json.Unmarshal(action, &does); err != nil || len(does) != 1 {
				return fmt.Errorf("%w: line %q is no action of _bulk", errShape, action[:min(len(action), 80)])
			}
			for what, to := range does {
				switch what {
				case "create", "index":
					document, next, _ := bytes.Cut(after, []byte("\n"))
					after = next
					document = bytes.TrimSpace(document)
					if len(document) == 0 || document[0] != '{' || !json.Valid(document) || len(document) > maxEvent {
						r.refuse(at, errors.New("the document is no JSON object, or too long"), document)
						break
					}
					r.add(at, watch.JSON, "", document)
					if to.ID != "" && r.batch == "" { // the sender's own name of it: a repeat is known
						last := &r.taken[len(r.taken)-1]
						last.Batch, last.Sequence = "id:"+to.ID, 1
					}
				case "update":
					var change []byte
					change, after, _ = bytes.Cut(after, []byte("\n"))
					r.refuse(at, errors.New("events are not changed"), change)
				case "delete":
					r.refuse(at, errors.New("events are not deleted"), nil)
				default:
					return fmt.Errorf("%w: %q is no action of _bulk", errShape, what)
				}
			}
			rest = after
			at++
		}
	},
	answer: func(w http.ResponseWriter, r *request) {
		type result struct {
			Index  string `json:"_index"`
			ID     string `json:"_id"`
			Status int    `json:"status"`
			Result string `json:"result,omitempty"`
			Error  any    `json:"error,omitempty"`
		}
		items := make([]map[string]result, len(r.taken)+len(r.bad))
		index := r.PathValue("index")
		bad := map[int]error{}
		for _, b := range r.bad {
			bad[b.at] = b.err
		}
		for i := range items {
			one := result{Index: index, ID: fmt.Sprint(i), Status: http.StatusCreated, Result: "created"}
			if err := bad[i]; err != nil {
				one.Status, one.Result = http.StatusBadRequest, ""
				one.Error = map[string]string{"type": "mapper_parsing_exception", "reason": err.Error()}
			}
			items[i] = map[string]result{"create": one}
		}
		reply(w, http.StatusOK, map[string]any{"took": 1, "errors": len(r.bad) > 0, "items": items})
	},
	fail: func(w http.ResponseWriter, status int, err error) {
		reply(w, status, map[string]any{"error": map[string]any{"type": "wardwatch_exception", "reason": err.Error()}, "status": status})
	},
}

// elastic answers what clients of Elasticsearch ask before they send.
func (d *door) elastic(mux *http.ServeMux) {
	signed := func(answer func(w http.ResponseWriter, r *http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Elastic-Product", "Elasticsearch") // its clients ask for it before they send anything
			if _, err := d.sender(r.Context(), r); err != nil {
				bulk.fail(w, statusOf(err), err)
				return
			}
			answer(w, r)
		}
	}
	mux.HandleFunc("GET /{$}", signed(func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{
			"name": "wardwatch", "cluster_name": "wardwatch", "tagline": "events go in here, and are not searched through this door",
			"version": map[string]any{"number": "8.17.0", "build_flavor": "default", "minimum_wire_compatibility_version": "7.17.0", "minimum_index_compatibility_version": "7.0.0"},
		})
	}))
	mux.HandleFunc("GET /_license", signed(func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"license": map[string]any{"status": "active", "type": "basic", "uid": "wardwatch"}})
	}))
	known := signed(func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"acknowledged": true})
	})
	for _, pattern := range []string{
		"PUT /_index_template/{name}", "PUT /_ilm/policy/{name}", "PUT /_ingest/pipeline/{name}", "PUT /_data_stream/{name}", "GET /_ilm/policy/{name}",
		"GET /_index_template/{name}", "GET /_data_stream/{name}", "GET /_cluster/health", "GET /_ingest/pipeline/{name}",
	} {
		mux.HandleFunc(pattern, known)
	}
}

// collector is Splunk's HTTP Event Collector: objects with an event in them.
var collector = shape{
	read: func(r *request) error {
		at := 0
		for rest := r.body; ; at++ {
			value, after, err := watch.NextJSON(rest)
			if errors.Is(err, io.EOF) {
				break
			}
			var wrapped struct {
				Event  json.RawMessage `json:"event"`
				Host   string          `json:"host"`
				Source string          `json:"source"`
			}
			switch {
			case err != nil:
				return fmt.Errorf("%w: event %d: %w", errShape, at+1, err)
			case json.Unmarshal(value, &wrapped) != nil || len(wrapped.Event) == 0 || string(wrapped.Event) == "null":
				return fmt.Errorf("%w: event %d has no field \"event\"", errShape, at+1)
			case len(value) > maxEvent:
				return fmt.Errorf("%w: event %d: %w", errShape, at+1, errLong)
			}
			source := clean(wrapped.Host)
			if source == "" {
				source = clean(wrapped.Source)
			}
			var text string
			if json.Unmarshal(wrapped.Event, &text) == nil {
				r.add(at, watch.Recognise([]byte(text)), source, []byte(text))
			} else if wrapped.Event[0] == '{' {
				r.add(at, watch.JSON, source, value) // with the time and host beside it
			} else {
				r.add(at, watch.Lines, source, wrapped.Event)
			}
			rest = after
		}
		if at == 0 {
			return fmt.Errorf("%w: no data", errShape)
		}
		return nil
	},
	answer: accepted,
	fail:   failed,
}

// rawCollector is the same for lines.
var rawCollector = shape{
	read: func(r *request) error {
		if source := clean(r.URL.Query().Get("host")); source != "" {
			r.source = source
		}
		r.lines(watch.Recognise(r.body[:min(len(r.body), 64<<10)]))
		return nil
	},
	answer: accepted,
	fail:   failed,
}

// accepted answers when everything is durable. Where a client asks for acknowledgements by a channel, it gets the number of one.
func accepted(w http.ResponseWriter, r *request) {
	body := map[string]any{"text": "Success", "code": 0}
	if channel(r.Request) != "" {
		body["ackId"] = r.number()
	}
	reply(w, http.StatusOK, body)
}

// channel is how a client of the collector names its stream; empty: it asks for no acknowledgements.
func channel(r *http.Request) string {
	return cmp.Or(r.Header.Get("X-Splunk-Request-Channel"), r.URL.Query().Get("channel"))
}

// acknowledge says what became of numbers that a client was given: as none is given before everything is durable, all of them are.
func acknowledge(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Acks []int64 `json:"acks"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&asked); err != nil {
		failed(w, http.StatusBadRequest, fmt.Errorf("%w: %w", errShape, err))
		return
	}
	if channel(r) == "" {
		reply(w, http.StatusBadRequest, map[string]any{"text": "Data channel is missing", "code": 10})
		return
	}
	durable := map[string]bool{}
	for _, id := range asked.Acks {
		durable[strconv.FormatInt(id, 10)] = true
	}
	reply(w, http.StatusOK, map[string]any{"acks": durable})
}

func failed(w http.ResponseWriter, status int, err error) {
	code := map[int]int{http.StatusUnauthorized: 4, http.StatusTooManyRequests: 9, http.StatusServiceUnavailable: 9, http.StatusBadRequest: 6}[status]
	reply(w, status, map[string]any{"text": err.Error(), "code": code})
}

// protobuf says whether an exporter speaks Protocol Buffers.
func protobuf(r *request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-protobuf")
}

// logs are OTLP's, as JSON or Protocol Buffers: each record beside the resource that it is of.
var logs = shape{
	read: func(r *request) error {
		if protobuf(r) {
			var err error
			if r.body, err = otlpJSON(r.body); err != nil {
				return err
			}
		}
		var all struct {
			ResourceLogs []struct {
				Resource struct {
					Attributes []attribute `json:"attributes"`
				} `json:"resource"`
				ScopeLogs []struct {
					LogRecords []map[string]json.RawMessage `json:"logRecords"`
				} `json:"scopeLogs"`
			} `json:"resourceLogs"`
		}
		if err := json.Unmarshal(r.body, &all); err != nil {
			return fmt.Errorf("%w: %w", errShape, err)
		}
		for _, of := range all.ResourceLogs {
			resource := map[string]any{}
			for _, a := range of.Resource.Attributes {
				resource[a.Key] = a.value()
			}
			host, _ := resource["host.name"].(string)
			for _, scope := range of.ScopeLogs {
				for _, record := range scope.LogRecords {
					raw, err := flattened(record, resource)
					if err != nil {
						r.refuse(len(r.taken)+len(r.bad), err, nil)
						continue
					}
					r.add(len(r.taken)+len(r.bad), watch.JSON, clean(host), raw)
				}
			}
		}
		return nil
	},
	answer: func(w http.ResponseWriter, r *request) {
		if protobuf(r) {
			why := ""
			if len(r.bad) > 0 {
				why = r.bad[0].err.Error()
			}
			w.Header().Set("Content-Type", "application/x-protobuf")
			_, _ = w.Write(otlpAnswer(len(r.bad), why)) // who asked may be gone
			return
		}
		body := map[string]any{}
		if len(r.bad) > 0 {
			body["partialSuccess"] = map[string]any{"rejectedLogRecords": len(r.bad), "errorMessage": r.bad[0].err.Error()}
		}
		reply(w, http.StatusOK, body)
	},
	fail: func(w http.ResponseWriter, status int, err error) {
		reply(w, status, map[string]any{"code": status, "message": err.Error()})
	},
}

// An attribute is a name and one of several kinds of values.
type attribute struct {
	Key   string                     `json:"key"`
	Value map[string]json.RawMessage `json:"value"`
}

func (a attribute) value() any { return plain(a.Value) }

func plain(of map[string]json.RawMessage) any {
	for kind, raw := range of {
		var value any
		if kind == "stringValue" || kind == "boolValue" || kind == "intValue" || kind == "doubleValue" || kind == "bytesValue" {
			if json.Unmarshal(raw, &value) == nil {
				return value
			}
		}
		return raw
	}
	return nil
}

// flattened is a record of OTLP under the names that the rest of the house knows: @timestamp, message, and each attribute by its own.
func flattened(record map[string]json.RawMessage, resource map[string]any) ([]byte, error) {
	out := map[string]any{}
	for key, value := range resource {
		out[key] = value
	}
	var attributes []attribute
	if raw, ok := record["attributes"]; ok {
		if err := json.Unmarshal(raw, &attributes); err != nil {
			return nil, err
		}
	}
	for _, a := range attributes {
		out[a.Key] = a.value()
	}
	if raw, ok := record["body"]; ok {
		var body map[string]json.RawMessage
		if err := json.Unmarshal(raw, &body); err != nil {
			return nil, err
		}
		out["message"] = plain(body)
	}
	for _, name := range []string{"timeUnixNano", "observedTimeUnixNano"} {
		if raw, ok := record[name]; ok && out["@timestamp"] == nil {
			out["@timestamp"] = strings.Trim(string(raw), `"`)
		}
	}
	for _, name := range []string{"severityText", "traceId", "spanId"} {
		if raw, ok := record[name]; ok {
			out[name] = raw
		}
	}
	return json.Marshal(out)
}
