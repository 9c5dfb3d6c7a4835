// Package estategen makes inventories of the size of real trusts, and weaknesses that touch them, for benchmarks: GENERATED
// data, of machines, products and versions that nobody runs. In: a size. Out: files as inventory tools and publishers write
// them, the same bytes for the same size. It never stands for how real estates are made up, only for how large they are.
package estategen

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"

	"wardwatch/ward"
)

// Trust is a generated organisation. The zero value of a size means that of a real trust.
type Trust struct {
	Org     ward.OrgID
	Devices int // 8,000
	Titles  int // on each device: 80
	Round   int // 0 is the first inventory; each later round updates about one install in a hundred
}

// catalogue is how many products there are; each device has the first third of its titles from the most common ones.
const catalogue = 1200

// Organisations are n generated organisations, with codes that cannot be issued.
func Organisations(n int) []ward.Organisation {
	all := make([]ward.Organisation, n)
	for i := range all {
		id := ward.OrgID(fmt.Sprintf("XZG%03d", i))
		all[i] = ward.Organisation{ID: id, Name: fmt.Sprintf("Generated Trust %03d", i), Kind: "trust", Country: "Exercise"}
	}
	return all
}

// WriteCSV writes the trust's inventory, one row for each device and title.
func (t Trust) WriteCSV(w io.Writer) error {
	if t.Devices == 0 {
		t.Devices = 8000
	}
	if t.Titles == 0 {
		t.Titles = 80
	}
	out := bufio.NewWriterSize(w, 1<<18)
	if _, err := out.WriteString("asset,class,site,internet_facing,vendor,product,version,last user\n"); err != nil {
		return err
	}
	for device := range t.Devices {
		random := rand.New(rand.NewPCG(uint64(device), 1))
		class, kind := ward.Workstation, "ws"
		if device%10 == 0 {
			class, kind = ward.Server, "srv"
		}
		start := random.IntN(catalogue)
		for title := range t.Titles {
			product := title
			if title >= t.Titles/3 {
				product = (start + title*7) % catalogue
			}
			release, luck := random.IntN(4), random.IntN(100)
			if luck < t.Round {
				release = 4 + t.Round
			}
			fmt.Fprintf(out, "%s-%s-%05d,%s,Site %d,no,Vendor %d Limited,Generated Product %d,%d.%d.%d,Person %d\n",
				t.Org, kind, device, class, device%7, product%300, product, 1+product%20, release, product%50, device)
		}
	}
	return out.Flush()
}
