//go:build !race

package sigma_test

// underRace says that times mean nothing: the race detector multiplies them.
const underRace = false
