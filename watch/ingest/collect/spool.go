package collect

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"wardwatch/ward"
)

const (
	spoolFile = 16 << 20 // bytes of one
	spoolWait = 100 * time.Millisecond
	longest   = 1 << 20 // of a line; more is cut there
)

// Spool writes a stream into files, for a Collector to send: what was read is on disk before more is. It holds most bytes at the most,
// and then reads no more until some were sent. It ends with the stream.
func Spool(ctx context.Context, clock ward.Clock, from io.Reader, folder string, most int64) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("collect: %w", err)
	}
	lines := bufio.NewReaderSize(from, longest)
	for ctx.Err() == nil {
		if held(folder) >= most {
			select {
			case <-ctx.Done():
			case <-time.After(spoolWait):
			}
			continue
		}
		more, err := spool(lines, filepath.Join(folder, fmt.Sprintf("%020d.log", clock.Now().UnixNano()))) // a name that rises, over restarts too
		if err != nil {
			return fmt.Errorf("collect: spool: %w", err)
		}
		if !more {
			return nil
		}
	}
	return nil
}

// held is how many bytes wait in a folder.
func held(folder string) (bytes int64) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}

// spool writes one file, synced whenever nothing more waits to be read. more is false at the end of the stream.
func spool(lines *bufio.Reader, path string) (more bool, err error) {
	to, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	for written := 0; written < spoolFile; {
		line, reading := lines.ReadSlice('\n')
		if errors.Is(reading, bufio.ErrBufferFull) {
			line, reading = append(line[:len(line):len(line)], '\n'), nil
		}
		if len(line) > 0 && line[len(line)-1] != '\n' {
			line = append(line[:len(line):len(line)], '\n')
		}
		n, err := to.Write(line)
		written += n
		if lines.Buffered() == 0 || reading != nil {
			err = cmp.Or(err, to.Sync())
		}
		if err != nil {
			return false, err
		}
		if reading != nil {
			if errors.Is(reading, io.EOF) {
				return false, nil
			}
			return false, reading
		}
	}
	return true, to.Sync()
}
