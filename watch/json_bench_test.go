package watch_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"wardwatch/test/shared"
	"wardwatch/watch"
)

// otrf are the recorded events of the public Security-Datasets, one beside the other.
func otrf(t testing.TB) [][]byte {
	t.Helper()
	archives, err := filepath.Glob(filepath.Join(shared.Dir(t), "data", "events", "otrf", "*.zip"))
	if err != nil || len(archives) == 0 {
		t.Fatalf("no recorded events: %v", err)
	}
	slices.Sort(archives)
	var events [][]byte
	for _, name := range archives {
		archive, err := zip.OpenReader(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, member := range archive.File {
			if strings.Contains(member.Name, "__MACOSX") || member.FileInfo().IsDir() {
				continue
			}
			file, err := member.Open()
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(file)
			if err != nil {
				t.Fatal(err)
			}
			_ = file.Close()
			for {
				event, rest, err := watch.NextJSON(text)
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%s: %v", member.Name, err)
				}
				events, text = append(events, bytes.Clone(event)), rest
			}
		}
		_ = archive.Close()
	}
	return events
}

// asked are names as a set of rules asks for them.
var asked = []string{"EventID", "Channel", "Provider_Name", "Image", "CommandLine", "ParentImage", "ParentCommandLine", "OriginalFileName",
	"TargetObject", "Details", "TargetFilename", "ImageLoaded", "Hashes", "GrantedAccess", "CallTrace", "SourceImage", "TargetImage",
	"User", "IntegrityLevel", "DestinationIp", "DestinationPort", "Initiated", "QueryName", "PipeName", "ScriptBlockText", "Payload",
	"ObjectName", "ProcessName", "ServiceName", "SubjectUserName", "TargetUserName", "eventName", "eventSource", "Data", "EventType"}

// processorTime is what this process has used of the processor.
func processorTime(t testing.TB) float64 {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
}

func BenchmarkJSON(b *testing.B) {
	events := otrf(b)
	bytesOf := 0
	for _, e := range events {
		bytesOf += len(e)
	}
	run := func(name string, each func(event []byte)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for _, e := range events {
				each(e)
			}
			b.ResetTimer()
			from := processorTime(b)
			n, size := 0, 0
			for b.Loop() {
				e := events[n%len(events)]
				each(e)
				n++
				size += len(e)
			}
			used := processorTime(b) - from
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
