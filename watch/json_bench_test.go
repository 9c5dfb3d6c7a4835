package watch_test

import (
	"encoding/json"
	"testing"

	"wardwatch/test/processor"
	"wardwatch/test/telemetry"
	"wardwatch/watch"
)

// asked are names as a set of rules asks for them.
var asked = []string{"EventID", "Channel", "Provider_Name", "Image", "CommandLine", "ParentImage", "ParentCommandLine", "OriginalFileName",
	"TargetObject", "Details", "TargetFilename", "ImageLoaded", "Hashes", "GrantedAccess", "CallTrace", "SourceImage", "TargetImage",
	"User", "IntegrityLevel", "DestinationIp", "DestinationPort", "Initiated", "QueryName", "PipeName", "ScriptBlockText", "Payload",
	"ObjectName", "ProcessName", "ServiceName", "SubjectUserName", "TargetUserName", "eventName", "eventSource", "Data", "EventType"}

func BenchmarkJSON(b *testing.B) {
	events := telemetry.OTRF(b).All
	run := func(name string, each func(event []byte)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for _, e := range events {
				each(e)
			}
			b.ResetTimer()
			from := processor.Time(b)
			n, size := 0, 0
			for b.Loop() {
				e := events[n%len(events)]
				each(e)
				n++
				size += len(e)
			}
			used := (processor.Time(b) - from).Seconds()
			b.ReportMetric(float64(n)/used, "events/s")
			b.ReportMetric(float64(size)/used/1e6, "MB/s")
			b.ReportMetric(used/float64(n)*1e9, "cpu-ns/event")
		})
	}
	d := watch.NewDecoder(watch.NewNames(asked...))
	var r watch.Record
	run("decode", func(event []byte) {
		if _, err := d.JSON(event, &r); err != nil {
			b.Fatal(err)
		}
	})
	run("split", func(event []byte) {
		if _, _, err := watch.NextJSON(event); err != nil {
			b.Fatal(err)
		}
	})
	run("valid", func(event []byte) {
		if !json.Valid(event) {
			b.Fatal("not valid")
		}
	})
	sum := 0
	run("bytes", func(event []byte) {
		for _, c := range event {
			sum += int(c)
		}
	})
}
