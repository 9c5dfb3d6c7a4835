package blocks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3Options say where an S3 bucket is and who asks.
type S3Options struct {
	Endpoint string // HOST or HOST:PORT
	Region   string // empty: the server is asked
	Bucket   string // it exists already
	Prefix   string // before every name, with its slash; empty: the bucket is ours alone
	Key      string // access key
	Secret   string
	Plain    bool              // HTTP without TLS: only to a server on this machine
	Through  http.RoundTripper // nil: the machine's own
}

// S3 is a Bucket at a server that speaks S3 and creates conditionally (If-None-Match).
type S3 struct {
	client *minio.Client
	bucket string
	prefix string
}

// maxPut is the largest object in bytes that S3 takes in one request. Only one request is conditional everywhere.
const maxPut = 5 << 30

// OpenS3 looks whether the bucket is there and may be used.
func OpenS3(ctx context.Context, o S3Options) (*S3, error) {
	if o.Prefix != "" {
		if name, ok := strings.CutSuffix(o.Prefix, "/"); !ok || checkName(name) != nil {
			return nil, fmt.Errorf("blocks: prefix %q: write it as a name that ends with a slash, events/ for one", o.Prefix)
		}
	}
	client, err := minio.New(o.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(o.Key, o.Secret, ""), Secure: !o.Plain, Region: o.Region, Transport: o.Through, BucketLookup: minio.BucketLookupAuto,
	})
	if err != nil {
		return nil, fmt.Errorf("blocks: S3 endpoint %q: %w (write it as HOST or HOST:PORT)", o.Endpoint, err)
	}
	there, err := client.BucketExists(ctx, o.Bucket)
	if err != nil {
		return nil, fmt.Errorf("blocks: S3 bucket %s at %s: %w", o.Bucket, o.Endpoint, err)
	}
	if !there {
		return nil, fmt.Errorf("blocks: S3 bucket %s at %s: %w: make it first", o.Bucket, o.Endpoint, ErrNotFound)
	}
	return &S3{client: client, bucket: o.Bucket, prefix: o.Prefix}, nil
}

// Create implements Bucket. The body is first written to a temporary file, because a server must know its length before it
// takes it, and because half a body must never arrive.
func (s *S3) Create(ctx context.Context, name string, body io.Reader) (err error) {
	if err := checkName(name); err != nil {
		return fmt.Errorf("blocks: create: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("blocks: create %s: %w", name, err)
		}
	}()
	f, err := os.CreateTemp("", "wardwatch-block-")
	if err != nil {
		return err
	}
	defer func() { _ = cmp.Or(f.Close(), os.Remove(f.Name())) }()
	size, err := io.Copy(f, untilDone{ctx, body})
	if err != nil {
		return err
	}
	if size > maxPut {
		return fmt.Errorf("%d bytes, S3 takes %d at most in one request", size, int64(maxPut))
	}
	// A server that is busy with another writer of the same name says so (409), and whoever asks again learns which it is.
	const tries = 5
	for range tries {
		options := minio.PutObjectOptions{ContentType: "application/octet-stream", DisableMultipart: true}
		options.SetMatchETagExcept("*")
		_, err = s.client.PutObject(ctx, s.bucket, s.prefix+name, io.NewSectionReader(f, 0, size), size, options)
		switch status(err) {
		case http.StatusPreconditionFailed:
			return ErrExists
		case http.StatusConflict:
			continue
		}
		return err
	}
	return err
}

// Open implements Bucket. Each range that is read is one request.
func (s *S3) Open(ctx context.Context, name string) (Object, error) {
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("blocks: open: %w", err)
	}
	info, err := s.client.StatObject(ctx, s.bucket, s.prefix+name, minio.StatObjectOptions{})
	if status(err) == http.StatusNotFound {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("blocks: open %s: %w", name, err)
	}
	return &remote{ctx: ctx, from: s, name: name, size: info.Size}, nil
}

// Names implements Bucket.
func (s *S3) Names(ctx context.Context, prefix, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		ctx, cancel := context.WithCancel(ctx) // whoever has enough ends the listing
		defer cancel()
		options := minio.ListObjectsOptions{Prefix: s.prefix + prefix, Recursive: true}
		if after != "" {
			options.StartAfter = s.prefix + after
		}
		for info := range s.client.ListObjectsIter(ctx, s.bucket, options) {
			if err := cmp.Or(info.Err, ctx.Err()); err != nil {
				yield("", fmt.Errorf("blocks: list %s: %w", prefix, err))
				return
			}
			name := strings.TrimPrefix(info.Key, s.prefix)
			if checkName(name) != nil || name <= after {
				continue // what others put there, a folder for one, is no object of ours
			}
			if !yield(name, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield("", fmt.Errorf("blocks: list %s: %w", prefix, err))
		}
	}
}

// Remove implements Bucket.
func (s *S3) Remove(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return fmt.Errorf("blocks: remove: %w", err)
	}
	err := s.client.RemoveObject(ctx, s.bucket, s.prefix+name, minio.RemoveObjectOptions{})
	if err != nil && status(err) != http.StatusNotFound {
		return fmt.Errorf("blocks: remove %s: %w", name, err)
	}
	return nil
}

// status is what the server answered with; 0 where it did not come to an answer, or the answer is good.
func status(err error) int {
	var answer minio.ErrorResponse
	if errors.As(err, &answer) {
		return answer.StatusCode
	}
	return 0
}

// remote is an Object at a server.
type remote struct {
	ctx  context.Context //nolint:containedctx // io.ReaderAt takes none: what is opened for a request is read for that request
	from *S3
	name string
	size int64
}

// Size implements Object.
func (r *remote) Size() int64 { return r.size }

// Close implements Object. Nothing stays open between two ranges.
func (r *remote) Close() error { return nil }

// ReadAt implements Object.
func (r *remote) ReadAt(p []byte, at int64) (n int, err error) {
	if at < 0 {
		return 0, fmt.Errorf("blocks: read %s at %d: before its beginning", r.name, at)
	}
	if len(p) == 0 {
		return 0, nil
	}
	if at >= r.size {
		return 0, io.EOF
	}
	want := min(int64(len(p)), r.size-at)
	options := minio.GetObjectOptions{}
	if err := options.SetRange(at, at+want-1); err != nil {
		return 0, fmt.Errorf("blocks: read %s: %w", r.name, err)
	}
	core := minio.Core{Client: r.from.client}
	body, _, _, err := core.GetObject(r.ctx, r.from.bucket, r.from.prefix+r.name, options)
	if status(err) == http.StatusNotFound {
		err = ErrNotFound
	}
	if err != nil {
		return 0, fmt.Errorf("blocks: read %s: %w", r.name, err)
	}
	n, err = io.ReadFull(body, p[:want])
	if err := cmp.Or(err, body.Close()); err != nil {
		return n, fmt.Errorf("blocks: read %s: %w", r.name, err)
	}
	if want < int64(len(p)) {
		return n, io.EOF
	}
	return n, nil
}
