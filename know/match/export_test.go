package match

import (
	"encoding/binary"
	"hash/crc32"
)

// NoVersion is the key of an identity without a version.
var NoVersion = noUpdate

// Sealed is a snapshot's bytes with the checksum that makes them whole.
func Sealed(body []byte) []byte {
	return binary.LittleEndian.AppendUint32(body[:len(body):len(body)], crc32.Checksum(body, castagnoli))
}
