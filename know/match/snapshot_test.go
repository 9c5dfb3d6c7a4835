package match_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"wardwatch/know"
	"wardwatch/know/match"
	"wardwatch/ward"
)

// some is a made-up catalogue, and the weaknesses in it.
func some(seed uint64) (c *match.Catalogue, weaknesses []*match.Weakness) {
	r := rand.New(rand.NewPCG(seed, 2))
	c = match.NewCatalogue()
	for n := range 80 {
		cve := ward.CVE(fmt.Sprintf("CVE-2099-%04d", n))
		reports := anyReports(r, cve)
		for i := range reports {
			for j := range reports[i].Claims {
				reports[i].Claims[j].Platforms = []string{"Windows"}
				reports[i].Claims[j].CPEs = []string{"cpe:2.3:a:acme:gateway:*:*:*:*:*:*:*:*"}
				reports[i].Claims[j].Versions = append(reports[i].Claims[j].Versions, know.Range{Version: "1", LessThan: "*", Status: know.ClaimAffected, Changes: []know.Change{{At: "2.0", Status: know.ClaimUnaffected}}})
			}
			c.Add(reports[i])
		}
		if w := match.Compile(reports); w != nil {
			weaknesses = append(weaknesses, w)
		}
	}
	return c, weaknesses
}

func TestASnapshotAnswersTheSame(t *testing.T) {
	for seed := range uint64(4) {
		c, weaknesses := some(seed)
		var file bytes.Buffer
		if n, err := c.WriteTo(&file); err != nil || n != int64(file.Len()) {
			t.Fatal(n, err)
		}
		read, err := match.ReadCatalogue(&file)
		if err != nil || read.Len() != c.Len() {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(seed, 3))
		var identities []*match.Identity
		for range 100 {
			identities = append(identities, match.Read(anySoftware(r)))
		}
		if kept := sameAnswers(t, read, weaknesses, identities); kept < 1000 {
			t.Fatalf("only %d verdicts were worth keeping", kept)
		}
		for _, w := range weaknesses {
			for _, id := range identities {
				want, _ := w.Evaluate(id, identities[:3])
				if have, _ := read.Weakness(w.CVE).Evaluate(id, identities[:3]); have != want {
					t.Fatalf("%+v, want %+v", have, want)
				}
			}
		}
	}
}

func TestFaultDamagedSnapshotIsRefused(t *testing.T) {
	c, _ := some(1)
	var file bytes.Buffer
	if _, err := c.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	whole := file.Bytes()
	refused := func(body []byte, how string) {
		t.Helper()
		if _, err := match.ReadCatalogue(bytes.NewReader(body)); !errors.Is(err, match.ErrSnapshot) {
			t.Fatalf("%s: %v", how, err)
		}
	}
	for cut := 0; cut < len(whole); cut += 97 {
		refused(whole[:cut], fmt.Sprintf("cut at %d", cut))
	}
	for at := 0; at < len(whole); at += 101 {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 0x20
		refused(damaged, fmt.Sprintf("damaged at %d", at))
	}
	refused(append(bytes.Clone(whole), 0), "with more behind it")
}

func FuzzReadCatalogue(f *testing.F) {
	c, _ := some(1)
	var file bytes.Buffer
	if _, err := c.WriteTo(&file); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes()[:file.Len()-4])
	f.Add([]byte("wardwatch catalogue\x01\x00\x00"))
	f.Fuzz(func(_ *testing.T, body []byte) {
		c, err := match.ReadCatalogue(bytes.NewReader(match.Sealed(body)))
		if err == nil {
			c.Ready()
		}
	})
}
