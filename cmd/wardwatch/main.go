// Command wardwatch is the whole product in one binary: the server, the demo, and the commands that work on a data
// directory or on plain files. It parses flags, listens for signals and calls app.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"wardwatch/app"
)

var version = "unknown" // set by the build

// errPrinted ends a command with 1 whose result says by itself that something does not hold.
var errPrinted = errors.New("the result says it")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string) int {
	root := newRoot()
	root.SetArgs(args)
	if ran, err := root.ExecuteContextC(ctx); err != nil {
		if errors.Is(err, errPrinted) {
			return 1
		}
		fmt.Fprintln(os.Stderr, "wardwatch:", err)
		if advice := app.Advice(err, ran.Flags().Changed("as")); advice != "" {
			fmt.Fprintln(os.Stderr, "  ("+advice+")")
		}
		return exitCode(err)
	}
	return 0
}
