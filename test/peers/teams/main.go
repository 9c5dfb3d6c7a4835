// Command teams is a receiver shaped like a Microsoft Teams workflow, for tests: it writes its certificate to the file that it is
// given, prints its address and serves until it is killed.
package main

import (
	"fmt"
	"os"

	"wardwatch/test/peers"
)

func main() {
	write := func(name string, text []byte) error { return os.WriteFile(name, text, 0o600) }
	if err := peers.Serve(peers.Teams(), os.Args[1], write, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
