package blocks

// A Row is one event as a block keeps it. The tags are the columns that other engines read; docs/fields.md describes them.
type Row struct {
	Time     int64  `parquet:"time,timestamp(microsecond),delta"`     // when it happened, UTC, microseconds since 1970
	Received int64  `parquet:"received,timestamp(microsecond),delta"` // when it came
	Source   string `parquet:"source,dict"`
	Batch    string `parquet:"batch,dict"`
	Sequence int64  `parquet:"sequence,delta"`
	Format   string `parquet:"format,dict"`
	Product  string `parquet:"product,dict"`
	Service  string `parquet:"service,dict"`
	Category string `parquet:"category,dict"`
	Host     string `parquet:"host,dict"` // the machine that it says it is about
	Header   []byte `parquet:"header,dict"`
	Raw      []byte `parquet:"raw"` // as it came; any bytes
}

// Found is what a row is found by: the keys of what it shows, its identity, and the domains in it. Keys are the caller's: a
// block knows nothing of what they stand for.
type Found struct {
	ID      uint64 // of the event; 0: it cannot come again
	Keys    []uint64
	Domains []string // what Domains lists
}
