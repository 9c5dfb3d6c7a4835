package indicators_test

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"wardwatch/test/processor"
	"wardwatch/ward"
	"wardwatch/watch"
	"wardwatch/watch/detect/indicators"
)

// generated makes indicators that stand for how many there are, and not for what is in them: a third domains, a quarter
// digests, a fifth URLs and addresses each, some networks, e-mail addresses and files, each with a window of its own.
func generated(n int, give func(ward.Indicator)) {
	for i := range n {
		k, v := made(i)
		from := day.Add(time.Duration(i%100_000-100_000) * time.Second)
		give(ward.Indicator{Kind: k, Value: v, From: from, Until: from.Add(90 * 24 * time.Hour), Source: "feed-" + string(rune('a'+i%20)), Grade: "B2", TLP: ward.TLPGreen})
	}
}

// made is the i-th generated value.
func made(i int) (ward.IndicatorKind, string) {
	r := rand.New(rand.NewPCG(uint64(i), 7))
	switch i % 30 {
	case 0, 1, 2, 3, 4, 5, 6, 7, 8, 9:
		return ward.IndicatorDomain, domainOf(r)
	case 10, 11, 12, 13:
		return ward.IndicatorSHA256, digestOf(r, 32)
	case 14, 15:
		return ward.IndicatorSHA1, digestOf(r, 20)
	case 16, 17:
		return ward.IndicatorMD5, digestOf(r, 16)
	case 18, 19, 20, 21, 22:
		return ward.IndicatorURL, "http://" + domainOf(r) + fmt.Sprintf("/%x/%x.php?id=%d", r.Uint32(), r.Uint32(), r.IntN(1000))
	case 23, 24, 25, 26, 27:
		return ward.IndicatorAddress, addressOf(r)
	case 28:
		if i%300 < 30 {
			return ward.IndicatorNetwork, addressOf(r) + "/28"
		}
		return ward.IndicatorEmail, fmt.Sprintf("%x@%s", r.Uint32(), domainOf(r))
	}
	return ward.IndicatorFile, fmt.Sprintf("%x-%x.exe", r.Uint32(), r.Uint32())
}

func domainOf(r *rand.Rand) string {
	return fmt.Sprintf("%x.%x.example", r.Uint64()&0xfffffffff, r.Uint32())
}

func digestOf(r *rand.Rand, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(r.Uint32())
	}
	return hex.EncodeToString(out)
}

func addressOf(r *rand.Rand) string {
	n := r.Uint32() | 1<<31 // 128.0.0.0 and above
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}).String()
}

// event is what is promised of: two addresses, a domain of four labels, a URL, a digest.
type event [5]string

var eventFields = [5][]byte{[]byte("src_ip"), []byte("dst_ip"), []byte("query"), []byte("url"), []byte("sha256")}

// numbered are the names that a decoder numbers for the index, as wherever both stand together.
var numbered = watch.NewNames(indicators.Fields()...)

var eventNumbers = func() (out [5]watch.Field) {
	for i, name := range eventFields {
		out[i] = numbered.Find(name)
	}
	return out
}()

// into writes the event over the record, in one buffer, as a decoder does.
func (e *event) into(r *watch.Record, room []byte) []byte {
	r.Values, room = r.Values[:0], room[:0]
	for i, text := range e {
		from := len(room)
		room = append(room, text...)
		r.Values = append(r.Values, watch.Value{Field: eventNumbers[i], Name: eventFields[i], Text: room[from:]})
	}
	return room
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// BenchmarkLook holds events against ten million indicators, all of them generated.
func BenchmarkLook(b *testing.B) {
	n := 10_000_000
	if testing.Short() {
		n = 100_000
	}
	before, began := heap(), processor.Time(b)
	x, err := indicators.New(indicators.Options{Clock: ward.NewHandClock(day), Names: numbered})
	if err != nil {
		b.Fatal(err)
	}
	if err := x.Fill(func(give func(ward.Indicator) error) (err error) {
		generated(n, func(i ward.Indicator) {
			if err == nil {
				err = give(i)
			}
		})
		return err
	}); err != nil {
		b.Fatal(err)
	}
	took := processor.Time(b) - began
	memory := heap() - before
	making := processor.Time(b)
	generated(n, func(ward.Indicator) {})
	took -= processor.Time(b) - making
	honest, hostile := make([]event, 1<<14), make([]event, 1<<14)
	for i := range honest {
		r := rand.New(rand.NewPCG(uint64(i), 9))
		honest[i] = event{"10.1.2." + fmt.Sprint(i%256), addressOf(r), "www.cdn." + domainOf(r), "https://" + domainOf(r) + "/assets/app.js?v=" + fmt.Sprint(i), digestOf(r, 32)}
		j := r.IntN(n/30) * 30
		_, from := made(j + 23)
		_, to := made(j + 24)
		_, host := made(j)
		_, link := made(j + 18)
		_, digest := made(j + 10)
		hostile[i] = event{from, to, "www.cdn." + host, link, digest}
	}
	for _, run := range []struct {
		name   string
		events []event
		least  int
	}{{"honest", honest, 0}, {"hostile", hostile, 5}} {
		runtime.GC()
		b.Run(run.name, func(b *testing.B) {
			b.ReportAllocs()
			hits := make([]indicators.Hit, 0, 64)
			r, room, i := &watch.Record{}, make([]byte, 0, 1024), 0
			began := processor.Time(b)
			for b.Loop() {
				room = run.events[i&(1<<14-1)].into(r, room)
				if hits = x.Look(r, hits[:0]); len(hits) < run.least {
					b.Fatalf("event %d: %d hits", i, len(hits))
				}
				i++
			}
			looking := processor.Time(b) - began
			began = processor.Time(b)
			for i := range b.N { // what writing the same events costs, which is the decoder's and not the index's
				room = run.events[i&(1<<14-1)].into(r, room)
			}
			writing := processor.Time(b) - began
			b.ReportMetric(memory/1e6, "MB")
			b.ReportMetric(took.Seconds(), "build-s")
			b.ReportMetric(float64((looking-writing).Nanoseconds())/float64(b.N), "cpu-ns/event")
			b.ReportMetric(float64(writing.Nanoseconds())/float64(b.N), "writing-ns/event")
		})
	}
	floor := make(map[uint64]uint32, n)
	for i := range n {
		floor[rand.New(rand.NewPCG(uint64(i), 1)).Uint64()] = uint32(i)
	}
	b.Run("floor: one look-up in a map of as many", func(b *testing.B) {
		found, key := 0, uint64(1)
		began := processor.Time(b)
		for b.Loop() {
			key = key*6364136223846793005 + 1442695040888963407
			if _, ok := floor[key]; ok {
				found++
			}
		}
		b.ReportMetric(float64((processor.Time(b)-began).Nanoseconds())/float64(b.N), "cpu-ns/event")
		if found > b.N/2 {
			b.Fatal("keys repeat")
		}
	})
}
