package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wardwatch/edge"
	"wardwatch/edge/web"
	"wardwatch/ward"
)

func TestAStreamEndsSoThatTheReaderIsAskedAgain(t *testing.T) {
	site, err := web.NewSite(web.Rooms{}, ward.WallClock{}, web.Options{})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		reader := ward.Actor{Person: "p1", Name: "Pat", Org: "XZ1A", Role: ward.Reader, Scope: ward.Only("XZ1A")}
		rec := httptest.NewRecorder()
		began := time.Now()
		site.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/live", http.NoBody).WithContext(edge.WithActor(t.Context(), reader)))
		if lasted := time.Since(began); rec.Code != http.StatusOK || lasted < time.Minute || lasted > 10*time.Minute {
			t.Errorf("%d after %s: a person whose account is closed would go on hearing what changes", rec.Code, lasted)
		}
	})
}

func TestAStreamTellsOnlyWhatItsReaderMaySee(t *testing.T) {
	site, err := web.NewSite(web.Rooms{}, ward.WallClock{}, web.Options{})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		reader := ward.Actor{Person: "p1", Name: "Pat", Org: "XZ2B", Role: ward.Lead, Scope: ward.Only("XZ2B")}
		rec := httptest.NewRecorder()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			site.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/live", http.NoBody).WithContext(edge.WithActor(t.Context(), reader)))
		}()
		synctest.Wait()
		hints := make(chan ward.Hint, 2)
		hints <- ward.Hint{Topic: "estate:XZ1A", Org: "XZ1A"}
		hints <- ward.Hint{Topic: "estate:XZ2B", Org: "XZ2B"}
		close(hints)
		site.Tell(hints)
		<-ended
		if got := rec.Body.String(); strings.Contains(got, "XZ1A") || !strings.Contains(got, "data: estate:XZ2B") {
			t.Errorf("told %q", got)
		}
	})
}

func TestTooManySignInsSayWhenToComeBack(t *testing.T) {
	h := openHospital(t)
	var answer *http.Response
	for range 8 {
		got, err := http.PostForm(h.url+"/sign-in", url.Values{"email": {"nobody@trust.example"}, "password": {"wrong"}})
		if err != nil {
			t.Fatal(err)
		}
		_ = got.Body.Close()
		answer = got
	}
	after, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	if answer.StatusCode != http.StatusTooManyRequests || err != nil || after < 1 {
		t.Errorf("%d, Retry-After %q", answer.StatusCode, answer.Header.Get("Retry-After"))
	}
}
