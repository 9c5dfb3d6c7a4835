package telemetry_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"wardwatch/test/telemetry"
)

func TestRedrawnEventsAreOthersOfTheSameShape(t *testing.T) {
	e := telemetry.Regression(t, 1)
	before := make([][]byte, len(e.All))
	for i, event := range e.All {
		before[i] = bytes.Clone(event)
	}
	e.Redraw(7)
	for i, event := range e.All {
		if bytes.Equal(event, before[i]) {
			t.Errorf("event %d is the same", i)
		}
		if len(event) != len(before[i]) || !json.Valid(event) {
			t.Errorf("event %d has lost its shape", i)
		}
	}
}
