package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"wardwatch/config"
	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/ingest/collect"
)

// CollectOptions say how a collector runs.
type CollectOptions struct {
	Once  bool // send what is there, and end
	Stdin io.Reader
	Log   *slog.Logger
}

// Collected is what a collector sent.
type Collected struct {
	Sent    int64 `json:"sent"`    // lines
	Refused int64 `json:"refused"` // batches that the watch could not read
}

// CollectFormats are the formats of files that a collector sends.
func CollectFormats() []string {
	return slices.DeleteFunc(watch.Formats(), func(f string) bool { return f == "evtx" })
}

// Collect sends what stands in files to a watch elsewhere, until ctx ends. It needs no data directory.
func Collect(ctx context.Context, c config.Collect, o CollectOptions) (Collected, error) {
	client, err := collectClient(c)
	if err != nil {
		return Collected{}, err
	}
	options := collect.Options{Clock: ward.WallClock{}, Client: client, URL: c.Watch, Token: c.Token, State: c.State, Log: o.Log}
	for _, f := range c.Files {
		options.Inputs = append(options.Inputs, collect.Input{Path: f.Path, Format: f.Format})
	}
	spool := filepath.Join(c.State, "stdin")
	if c.Stdin != "" {
		options.Inputs = append(options.Inputs, collect.Input{Path: filepath.Join(spool, "*.log"), Format: c.Stdin, Spool: true})
	}
	collector, err := collect.New(options)
	if err != nil {
		return Collected{}, err
	}
	spooled := make(chan error, 1)
	if c.Stdin != "" {
		go func() { spooled <- collect.Spool(ctx, ward.WallClock{}, o.Stdin, spool, int64(c.MaxMB)<<20) }() // a reader of standard input ends with it
	}
	if !o.Once {
		err = collector.Run(ctx)
		return Collected{collector.Sent, collector.Refused}, err
	}
	if c.Stdin != "" {
		err = <-spooled
	}
	err = errors.Join(err, collector.Once(ctx))
	return Collected{collector.Sent, collector.Refused}, err
}

func collectClient(c config.Collect) (*http.Client, error) {
	secure := &tls.Config{MinVersion: tls.VersionTLS12}
	var err error
	if secure.RootCAs, err = authorities(c.CA); err != nil {
		return nil, err
	}
	if c.TLS.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(c.TLS.Certificate, c.TLS.Key)
		if err != nil {
			return nil, fmt.Errorf("collect: %w", err)
		}
		secure.Certificates = []tls.Certificate{pair}
	}
	return &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: secure, Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}}, nil
}
