package blocks_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"wardwatch/keep/blocks"
	"wardwatch/test/contract"
	"wardwatch/test/peers/s3"
)

func TestS3IsABucket(t *testing.T) {
	at := s3.Gateway(t)
	contract.Bucket(t, func(t *testing.T) blocks.Bucket {
		o := at
		o.Prefix = rand.Text() + "/"
		b, err := blocks.OpenS3(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return b
	})
}

func TestAnS3ThatCannotBeUsed(t *testing.T) {
	at := s3.Gateway(t)
	for what, change := range map[string]func(*blocks.S3Options){
		"no such bucket": func(o *blocks.S3Options) { o.Bucket = "other" },
		"wrong secret":   func(o *blocks.S3Options) { o.Secret = "wrong-secret" },
		"no slash":       func(o *blocks.S3Options) { o.Prefix = "events" },
		"climbs out":     func(o *blocks.S3Options) { o.Prefix = "../" },
		"a URL":          func(o *blocks.S3Options) { o.Endpoint = "http://" + o.Endpoint + "/path" },
	} {
		o := at
		change(&o)
		if _, err := blocks.OpenS3(t.Context(), o); err == nil {
			t.Errorf("%s: opened", what)
		} else {
			t.Logf("%s: %v", what, err)
		}
	}
	b, err := blocks.OpenS3(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Create(t.Context(), "a", strings.NewReader("text")); err != nil {
		t.Fatal(err)
	}
	o, err := b.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Remove(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := o.ReadAt(make([]byte, 4), 0); !errors.Is(err, blocks.ErrNotFound) {
		t.Errorf("reading what was removed: %v", err)
	}
}
