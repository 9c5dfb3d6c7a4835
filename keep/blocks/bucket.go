// Package blocks keeps events for years. In: whole objects, each written once under a name that is never taken again. Out:
// any range of their bytes, and their names in order. It never changes an object, and never says that one is kept before it
// would survive the loss of power.
package blocks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
)

// What a caller of a Bucket decides on.
var (
	ErrExists   = errors.New("kept already")
	ErrNotFound = errors.New("not kept")
	ErrName     = errors.New("not a name of an object")
)

// A Bucket keeps objects. It is used by many goroutines at a time, and by several processes: whatever they do, an object is
// there whole or not at all.
type Bucket interface {
	// Create keeps what body gives, to its end, under the name. When it returns nil the object survives a loss of power. Where
	// the name is taken it is ErrExists, and the object that was there is untouched; of several that create one name at a time
	// exactly one succeeds. After any other error nothing is kept under the name, or nothing is known of it where the bucket
	// itself failed: create it again, and take ErrExists for done where the name says what is in it.
	Create(ctx context.Context, name string, body io.Reader) error
	// Open gives an object to read for as long as ctx lasts, or ErrNotFound. Where it is removed meanwhile, reading goes on or
	// gives ErrNotFound, as the bucket is.
	Open(ctx context.Context, name string) (Object, error)
	// Names gives the names that begin with the prefix and sort after the given one ("": all), in the order of their bytes.
	Names(ctx context.Context, prefix, after string) iter.Seq2[string, error]
	// Remove forgets an object; one that is not there is no error. When it returns nil the object stays away.
	Remove(ctx context.Context, name string) error
}

// An Object is one kept object. Its bytes do not change.
type Object interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// maxName is the longest name in bytes: what S3 allows.
const maxName = 1024

// maxElement is the longest part between two slashes in bytes: what the file systems of servers allow.
const maxElement = 255

// checkName refuses what some bucket could not keep, so that what is kept in one can be moved to any other. Parts that begin
// with a full stop are the bucket's own.
func checkName(name string) error {
	if !fs.ValidPath(name) || len(name) > maxName {
		return fmt.Errorf("%w: %q: a path of at most %d bytes, without empty parts", ErrName, name, maxName)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part[0] == '.' || len(part) > maxElement {
			return fmt.Errorf("%w: %q: a part has at most %d bytes and does not begin with a full stop", ErrName, name, maxElement)
		}
	}
	if i := strings.IndexFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`\:*?"<>|%`, r) }); i >= 0 {
		return fmt.Errorf("%w: %q: only printable ASCII, without blanks and \\ : * ? \" < > | %%", ErrName, name)
	}
	return nil
}
