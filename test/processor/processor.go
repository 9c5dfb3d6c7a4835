// Package processor tells how long a process has worked. In: nothing. Out: processor time, which on a machine with other work is
// about what a core of its own would take. It is for figures, and never for a test to pass or fail by.
package processor

import (
	"syscall"
	"testing"
	"time"
)

// Time is the processor time that this process has had, on all cores.
func Time(t testing.TB) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
