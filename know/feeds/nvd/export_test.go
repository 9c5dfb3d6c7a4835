package nvd

import (
	"wardwatch/know"
	"wardwatch/know/feeds"
)

// Decoded is a record as the standard decoder reads it.
func Decoded(list string, raw []byte) ([]know.Report, error) { return read(list, raw) }

// Walked is a record as the walker reads it; false where it leaves the record to the decoder.
func Walked(list string, raw []byte) ([]know.Report, bool) { return walk(new(feeds.Walker), list, raw) }
