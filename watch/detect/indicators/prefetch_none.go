//go:build !amd64 && !arm64

package indicators

func prefetch(*uint64) {}
