package senders_test

import (
	"bytes"
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"wardwatch/test/peers/s3"
	"wardwatch/test/serving"
)

// TestEventsCarriedAndKeptElsewhere serves with a NATS server and an S3 server of other processes' making, and is killed.
func TestEventsCarriedAndKeptElsewhere(t *testing.T) {
	carrier, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true, SyncAlways: true, MaxPayload: 20 << 20})
	if err != nil {
		t.Fatal(err)
	}
	go carrier.Start()
	defer carrier.Shutdown()
	if !carrier.ReadyForConnections(20 * time.Second) {
		t.Fatal("the carrier does not start")
	}
	bucket := s3.Gateway(t)
	s := serving.New(t, t.TempDir(), fmt.Sprintf(`ingest:
  http: {listen: "127.0.0.1:0"}
  bus: {url: %q, prefix: north}
archive:
  cut_after: 300ms
  s3: {endpoint: %q, region: us-east-1, bucket: %s, prefix: "north/", key: %s, secret: %s, plain: true}
`, carrier.ClientURL(), bucket.Endpoint, bucket.Bucket, bucket.Key, bucket.Secret))
	token := s.Token("XZ9A1")
	s.Start()
	send := func(batch int) {
		var body bytes.Buffer
		for i := range 50 {
			fmt.Fprintf(&body, "{\"@timestamp\":%q,\"url.domain\":\"n%d.elsewhere.example\"}\n", time.Now().UTC().Format(time.RFC3339Nano), 50*batch+i)
		}
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.Ears["http"]+"/v1/events", &body)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatal(answer.Status)
		}
	}
	for batch := range 10 {
		send(batch)
		if batch%3 == 2 {
			s.Stop(syscall.SIGKILL)
			s.Start()
		}
	}
	s.Found("elsewhere.example", 500)
	s.Run("archive", "verify")
}
