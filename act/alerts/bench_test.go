package alerts_test

import (
	"fmt"
	"testing"

	"wardwatch/test/ground"
	"wardwatch/ward"
)

// BenchmarkPublish publishes one alert to 230 organisations: responses, citations, notices and audit in one synced transaction.
func BenchmarkPublish(b *testing.B) {
	var orgs []ward.OrgID
	for i := range 230 {
		orgs = append(orgs, ward.OrgID(fmt.Sprintf("XZ%03d", i)))
	}
	g := ground.New(b, orgs...)
	for b.Loop() {
		g.Publish()
	}
}
