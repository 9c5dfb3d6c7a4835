package scratch_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/app"
	"wardwatch/config"
)

func TestProf(t *testing.T) {
	c := config.Default()
	c.Data = os.Getenv("DATA")
	a, err := app.New(t.Context(), c, app.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	s := httptest.NewServer(a.Handler())
	defer s.Close()
	jar, _ := cookiejar.New(nil)
	email := os.Getenv("EMAIL")
	if email == "" {
		email = "analyst@watch.example"
	}
	cl := &http.Client{Jar: jar}
	r, err := cl.PostForm(s.URL+"/sign-in", url.Values{"email": {email}, "password": {"measuring by generated light"}})
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	for _, path := range strings.Fields(os.Getenv("PATHS")) {
		var took []time.Duration
		n := 30
		size := 0
		for i := range n {
			p := path
			if strings.Contains(p, "XZG") {
				p = strings.Replace(p, "XZG000", fmt.Sprintf("XZG%03d", i%10), 1)
			}
			st := time.Now()
			r, err := cl.Get(s.URL + p)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(r.Body)
			r.Body.Close()
			size = len(body)
			took = append(took, time.Since(st))
			if r.StatusCode != 200 {
				fmt.Println(p, r.Status)
				break
			}
		}
		slices.Sort(took)
		fmt.Printf("%-60s med %v p95 %v size %d\n", path, took[len(took)/2], took[len(took)*95/100], size)
	}
}
