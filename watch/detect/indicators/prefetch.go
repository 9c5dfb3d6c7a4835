//go:build amd64 || arm64

package indicators

// prefetch lets the memory be brought near while the processor does other things. It is not Go because Go has no word for it.
//
//go:noescape
func prefetch(at *uint64)
