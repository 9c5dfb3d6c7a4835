package http

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// deepest is how far values of OTLP may stand in each other.
const deepest = 64

// otlpJSON gives the request of an exporter that speaks Protocol Buffers as one that speaks JSON writes it, so that both are read by
// one reader. The numbers are those of fields in opentelemetry/proto/collector/logs/v1 and what it names.
func otlpJSON(body []byte) ([]byte, error) {
	request, err := message(body, func(o object, number protowire.Number, v value) error {
		if number == 1 {
			return o.add("resourceLogs", v, resourceLogs)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(request)
}

// An object is a message on its way to JSON.
type object map[string]any

// A value is one field of a message: bytes, or a number.
type value struct {
	bytes  []byte
	number uint64
	depth  int
}

// add reads a message within and appends it to a list.
func (o object) add(name string, v value, read func(value) (any, error)) error {
	one, err := read(v)
	if err != nil {
		return err
	}
	list, _ := o[name].([]any)
	o[name] = append(list, one)
	return nil
}

// message reads the fields of a message, one after the other.
func message(b []byte, field func(o object, number protowire.Number, v value) error) (object, error) {
	return messageAt(value{bytes: b}, field)
}

func messageAt(of value, field func(o object, number protowire.Number, v value) error) (object, error) {
	o := object{}
	if of.depth > deepest {
		return nil, fmt.Errorf("%w: values within values, more than %d deep", errShape, deepest)
	}
	for b := of.bytes; len(b) > 0; {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, fmt.Errorf("%w: %w", errShape, protowire.ParseError(n))
		}
		b = b[n:]
		v := value{depth: of.depth + 1}
		switch kind {
		case protowire.BytesType:
			v.bytes, n = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			v.number, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			v.number, n = protowire.ConsumeFixed64(b)
		case protowire.Fixed32Type:
			var short uint32
			short, n = protowire.ConsumeFixed32(b)
			v.number = uint64(short)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return nil, fmt.Errorf("%w: %w", errShape, protowire.ParseError(n))
		}
		b = b[n:]
		if err := field(o, number, v); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func resourceLogs(v value) (any, error) {
	return messageAt(v, func(o object, number protowire.Number, v value) (err error) {
		switch number {
		case 1:
			o["resource"], err = messageAt(v, func(o object, number protowire.Number, v value) error {
				if number == 1 {
					return o.add("attributes", v, keyValue)
				}
				return nil
			})
		case 2:
			err = o.add("scopeLogs", v, scopeLogs)
		}
		return err
	})
}

func scopeLogs(v value) (any, error) {
	return messageAt(v, func(o object, number protowire.Number, v value) error {
		if number == 2 {
			return o.add("logRecords", v, logRecord)
		}
		return nil
	})
}

func logRecord(v value) (any, error) {
	return messageAt(v, func(o object, number protowire.Number, v value) (err error) {
		switch number {
		case 1:
			o["timeUnixNano"] = strconv.FormatUint(v.number, 10)
		case 11:
			o["observedTimeUnixNano"] = strconv.FormatUint(v.number, 10)
		case 2:
			o["severityNumber"] = v.number
		case 3:
			o["severityText"] = string(v.bytes)
		case 5:
			o["body"], err = anyValue(v)
		case 6:
			err = o.add("attributes", v, keyValue)
		case 9:
			o["traceId"] = hex.EncodeToString(v.bytes)
		case 10:
			o["spanId"] = hex.EncodeToString(v.bytes)
		case 12:
			o["eventName"] = string(v.bytes)
		}
		return err
	})
}

func keyValue(v value) (any, error) {
	return messageAt(v, func(o object, number protowire.Number, v value) (err error) {
		switch number {
		case 1:
			o["key"] = string(v.bytes)
		case 2:
			o["value"], err = anyValue(v)
		}
		return err
	})
}

func anyValue(v value) (any, error) {
	return messageAt(v, func(o object, number protowire.Number, v value) (err error) {
		switch number {
		case 1:
			o["stringValue"] = string(v.bytes)
		case 2:
			o["boolValue"] = v.number != 0
		case 3:
			o["intValue"] = strconv.FormatInt(int64(v.number), 10) //nolint:gosec // as the format has it
		case 4:
			if f := math.Float64frombits(v.number); math.IsNaN(f) || math.IsInf(f, 0) {
				o["stringValue"] = strconv.FormatFloat(f, 'g', -1, 64) // JSON has no such number
			} else {
				o["doubleValue"] = f
			}
		case 5:
			o["arrayValue"], err = messageAt(v, func(o object, number protowire.Number, v value) error {
				if number == 1 {
					return o.add("values", v, anyValue)
				}
				return nil
			})
		case 6:
			o["kvlistValue"], err = messageAt(v, func(o object, number protowire.Number, v value) error {
				if number == 1 {
					return o.add("values", v, keyValue)
				}
				return nil
			})
		case 7:
			o["bytesValue"] = base64.StdEncoding.EncodeToString(v.bytes)
		}
		return err
	})
}

// otlpAnswer is the answer to an exporter that speaks Protocol Buffers: empty where everything was taken.
func otlpAnswer(rejected int, why string) []byte {
	if rejected == 0 {
		return nil
	}
	var partial []byte
	partial = protowire.AppendTag(partial, 1, protowire.VarintType)
	partial = protowire.AppendVarint(partial, uint64(rejected)) //nolint:gosec // a count
	partial = protowire.AppendTag(partial, 2, protowire.BytesType)
	partial = protowire.AppendString(partial, why)
	out := protowire.AppendTag(nil, 1, protowire.BytesType)
	return protowire.AppendBytes(out, partial)
}
