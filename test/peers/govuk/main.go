// Command govuk is a server shaped like GOV.UK Notify, for tests: it prints its address and serves until it is killed.
package main

import (
	"fmt"
	"os"

	"wardwatch/test/peers"
)

func main() {
	if err := peers.Serve(peers.GOVUK(), "", nil, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
