package access_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"wardwatch/edge"
	"wardwatch/edge/access"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// house is a door over a real store, behind a server with the few pages that a test needs.
type house struct {
	door  *access.Door
	store *store.Store
	clock *ward.HandClock
	url   string
}

func open(t *testing.T, options access.Options) *house {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	h := &house{store: s, clock: ward.NewHandClock(start)}
	options.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	if h.door, err = access.New(s.Accounts(), h.clock, options); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /in", func(w http.ResponseWriter, r *http.Request) {
		p, err := h.door.SignIn(r.Context(), r.FormValue("email"), r.FormValue("password"), h.door.Address(r))
		answer(w, p.Name, err)
	})
	mux.HandleFunc("POST /out", func(w http.ResponseWriter, r *http.Request) { answer(w, "out", h.door.SignOut(r.Context())) })
	mux.HandleFunc("POST /password", func(w http.ResponseWriter, r *http.Request) {
		answer(w, "changed", h.door.ChangePassword(r.Context(), r.FormValue("old"), r.FormValue("new"), h.door.Address(r)))
	})
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
		signed, ok := edge.In(r.Context())
		if !ok {
			answer(w, "", edge.ErrUnsigned)
			return
		}
		if signed.Person.Hash != "" {
			t.Error("a hash left the door")
		}
		if edge.Actor(r.Context()).Person == "" {
			answer(w, "", edge.ErrMustChange)
			return
		}
		answer(w, edge.Actor(r.Context()).Name, nil)
	})
	server := httptest.NewServer(h.door.Middleware(mux))
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

func answer(w http.ResponseWriter, text string, err error) {
	if err != nil {
		http.Error(w, edge.ProblemOf(err).Detail, edge.ProblemOf(err).Status)
		return
	}
	_, _ = io.WriteString(w, text)
}

// add makes an account whose password is its own.
func (h *house) add(t *testing.T, email string, role ward.Role, org ward.OrgID) ward.Person {
	t.Helper()
	if org != "" {
		h.organisation(t, org)
	}
	p, _, err := h.door.AddPerson(t.Context(), ward.System("test"), ward.Person{Name: "Name of " + email, Email: email, Role: role, Org: org}, goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (h *house) organisation(t *testing.T, org ward.OrgID) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+h.store.Path()+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `INSERT INTO organisations (id, name, kind, town, postcode, country, board, region, latitude, longitude)
		VALUES ($1, $1, '', '', '', '', '', '', 0, 0) ON CONFLICT DO NOTHING`, string(org)); err != nil {
		t.Fatal(err)
	}
}

const goodPassword = "lantern orbit thistle"

// browser keeps cookies.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

func post(t *testing.T, c *http.Client, to string, form url.Values) (int, string) {
	t.Helper()
	answer, err := c.PostForm(to, form)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body)
}

func get(t *testing.T, c *http.Client, from string) (int, string) {
	t.Helper()
	answer, err := c.Get(from)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body)
}

func in(email, password string) url.Values {
	return url.Values{"email": {email}, "password": {password}}
}

func (h *house) session(c *http.Client) string {
	at, _ := url.Parse(h.url)
	for _, cookie := range c.Jar.Cookies(at) {
		return cookie.Value
	}
	return ""
}

func TestScopeOf(t *testing.T) {
	now := start
	past, ended := now.AddDate(-1, 0, 0), now.AddDate(0, -1, 0)
	relations := []ward.Relation{
		{From: "XZ1", Kind: ward.GroupLead, To: "XZ2", Since: past},
		{From: "XZ1", Kind: ward.Successor, To: "XZ3", Since: past, Until: ended},
		{From: "XZ1", Kind: ward.Successor, To: "XZ4", Since: now.AddDate(0, 1, 0)},
		{From: "XZ1", Kind: ward.Successor, To: "XZ5", Since: past},
		{From: "XZ1", Kind: ward.CareBoard, To: "XZ6", Since: past},
		{From: "XZ1", Kind: ward.Supplier, To: "XZ7", Since: past},
		{From: "XZ1", Kind: ward.Hosts, To: "XZ8", Since: past},
		{From: "XZ9", Kind: ward.GroupLead, To: "XZ8", Since: past},
	}
	for _, row := range []struct {
		name   string
		person ward.Person
		all    bool
		want   string
	}{
		{"analyst", ward.Person{Role: ward.Analyst}, true, ""},
		{"approver", ward.Person{Role: ward.Approver}, true, ""},
		{"disabled analyst", ward.Person{Role: ward.Analyst, Disabled: true}, false, ""},
		{"administrator", ward.Person{Role: ward.Admin}, false, ""},
		{"lead", ward.Person{Role: ward.Lead, Org: "XZ1"}, false, "XZ1 XZ5"},
		{"member", ward.Person{Role: ward.Member, Org: "XZ1"}, false, "XZ1 XZ5"},
		{"reader of no organisation", ward.Person{Role: ward.Reader}, false, ""},
		{"no role", ward.Person{Org: "XZ1"}, false, ""},
		{"unheard-of role", ward.Person{Org: "XZ1", Role: "root"}, false, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			scope := access.ScopeOf(row.person, relations, now)
			var got []string
			for _, org := range scope.Orgs() {
				got = append(got, string(org))
			}
			if scope.All() != row.all || strings.Join(got, " ") != row.want {
				t.Errorf("all %v, %q; want %v, %q", scope.All(), got, row.all, row.want)
			}
		})
	}
}

func TestFirstAdminOnceAndMustChange(t *testing.T) {
	h := open(t, access.Options{})
	email, password, created, err := h.door.FirstAdmin(t.Context())
	if err != nil || !created || len(password) < access.ShortestPassword {
		t.Fatalf("created %v, password of %d, %v", created, len(password), err)
	}
	if _, again, created, err := h.door.FirstAdmin(t.Context()); err != nil || created || again != "" {
		t.Fatalf("a second first administrator: %v, %v", created, err)
	}
	c := browser(t)
	if status, body := post(t, c, h.url+"/in", in(strings.ToUpper(email), password)); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if status, _ := get(t, c, h.url+"/me"); status != 403 {
		t.Errorf("a one-time password lets its person act: %d", status)
	}
	if status, body := post(t, c, h.url+"/password", url.Values{"old": {"wrong"}, "new": {goodPassword}}); status != 422 {
		t.Errorf("wrong old password: %d %s", status, body)
	}
	if status, body := post(t, c, h.url+"/password", url.Values{"old": {password}, "new": {goodPassword}}); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if status, body := get(t, c, h.url+"/me"); status != 200 || body != "Administrator" {
		t.Errorf("after the change: %d %s", status, body)
	}
	if status, _ := post(t, browser(t), h.url+"/in", in(email, password)); status != 401 {
		t.Errorf("the one-time password works twice: %d", status)
	}
}

func TestSessions(t *testing.T) {
	h := open(t, access.Options{})
	p := h.add(t, "lead@trust.example", ward.Lead, "XZ1")
	c := browser(t)
	if status, _ := get(t, c, h.url+"/me"); status != 401 || h.session(c) != "" {
		t.Errorf("nobody: %d, session %q", status, h.session(c))
	}
	signIn := func(c *http.Client) {
		t.Helper()
		if status, body := post(t, c, h.url+"/in", in("lead@trust.example", goodPassword)); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
	}
	is := func(c *http.Client, want int) {
		t.Helper()
		if status, body := get(t, c, h.url+"/me"); status != want {
			t.Errorf("%d %s, want %d", status, body, want)
		}
	}
	signIn(c)
	first := h.session(c)
	is(c, 200)
	signIn(c)
	if h.session(c) == first {
		t.Error("sign-in kept the session key")
	}
	old := browser(t)
	at, _ := url.Parse(h.url)
	old.Jar.SetCookies(at, []*http.Cookie{{Name: "wardwatch", Value: first}})
	is(old, 401)

	for range 13 { // used each hour, a session outlives the idle time
		h.clock.Advance(time.Hour)
		is(c, 200)
	}
	h.clock.Advance(12*time.Hour + 6*time.Minute)
	is(c, 401)

	signIn(c)
	for range 24 * 7 / 8 {
		h.clock.Advance(8 * time.Hour)
		if h.clock.Now().Before(start.AddDate(0, 0, 8)) {
			is(c, 200)
		}
	}
	h.clock.Advance(time.Minute)
	is(c, 401) // however busy, it ends after its lifetime

	signIn(c)
	key := h.session(c)
	if status, _ := post(t, c, h.url+"/out", nil); status != 200 {
		t.Fatal(status)
	}
	is(c, 401)
	old.Jar.SetCookies(at, []*http.Cookie{{Name: "wardwatch", Value: key}})
	is(old, 401)

	// A new password, a reset and a closed account each end every session.
	signIn(c)
	other := browser(t)
	signIn(other)
	if status, body := post(t, c, h.url+"/password", url.Values{"old": {goodPassword}, "new": {"quarry velvet monsoon"}}); status != 200 {
		t.Fatal(body)
	}
	is(c, 200)
	is(other, 401)
	h.add(t, "admin@watch.example", ward.Admin, "")
	if _, err := h.door.ResetPassword(t.Context(), ward.System("test"), p.ID); err != nil {
		t.Fatal(err)
	}
	is(c, 401)
	third := h.add(t, "third@trust.example", ward.Reader, "XZ1")
	if status, _ := post(t, c, h.url+"/in", in("third@trust.example", goodPassword)); status != 200 {
		t.Fatal(status)
	}
	is(c, 200)
	if err := h.door.Disable(t.Context(), ward.System("test"), third.ID); err != nil {
		t.Fatal(err)
	}
	is(c, 401)
	if status, _ := post(t, c, h.url+"/in", in("third@trust.example", goodPassword)); status != 401 {
		t.Errorf("a closed account signs in: %d", status)
	}
}

func TestCookieAndHeaders(t *testing.T) {
	for _, row := range []struct {
		secure     bool
		name, want string
	}{{false, "wardwatch", "HttpOnly; SameSite=Lax"}, {true, "__Host-wardwatch", "HttpOnly; Secure; SameSite=Lax"}} {
		h := open(t, access.Options{Secure: row.secure})
		h.add(t, "a@watch.example", ward.Analyst, "")
		answer, err := http.PostForm(h.url+"/in", in("a@watch.example", goodPassword))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		cookie := answer.Header.Get("Set-Cookie")
		if !strings.HasPrefix(cookie, row.name+"=") || !strings.Contains(cookie, row.want) || !strings.Contains(cookie, "Path=/") || strings.Contains(cookie, "Domain") {
			t.Errorf("cookie %q", cookie)
		}
		if sts := answer.Header.Get("Strict-Transport-Security"); (sts != "") != row.secure {
			t.Errorf("Strict-Transport-Security %q", sts)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Referrer-Policy": "same-origin", "X-Frame-Options": "DENY",
		} {
			if got := answer.Header.Get(name); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
}

func TestOtherSitesMayNotPost(t *testing.T) {
	h := open(t, access.Options{Origins: []string{"https://watch.example"}})
	for origin, want := range map[string]int{"https://evil.example": 403, "https://watch.example": 401} {
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/in", strings.NewReader("email=a&password=b"))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", origin)
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: %d, want %d", origin, answer.StatusCode, want)
		}
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	h := open(t, access.Options{})
	h.add(t, "a@watch.example", ward.Analyst, "")
	try := func(email, password, address string) error {
		t.Helper()
		_, err := h.signIn(email, password, address)
		return err
	}
	for range 5 {
		if err := try("a@watch.example", "wrong", "192.0.2.1"); !errors.Is(err, edge.ErrSignIn) {
			t.Fatal(err)
		}
	}
	var many *edge.TooMany
	if err := try("a@watch.example", goodPassword, "192.0.2.1"); !errors.As(err, &many) || many.After <= 0 {
		t.Fatalf("the right password at the closed door: %v", err)
	}
	if err := try("a@watch.example", goodPassword, "192.0.2.2"); err != nil {
		t.Errorf("another address is shut out: %v", err)
	}
	h.clock.Advance(many.After)
	if err := try("a@watch.example", goodPassword, "192.0.2.1"); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	if err := try("a@watch.example", "wrong", "192.0.2.1"); !errors.Is(err, edge.ErrSignIn) {
		t.Errorf("success did not forgive: %v", err)
	}
}

// signIn calls the door as the web does, through the middleware.
func (h *house) signIn(email, password, address string) (p ward.Person, err error) {
	handler := h.door.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		p, err = h.door.SignIn(r.Context(), email, password, address)
	}))
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", http.NoBody))
	return p, err
}

func TestUnknownAccountsAnswerAlike(t *testing.T) {
	h := open(t, access.Options{})
	h.add(t, "a@watch.example", ward.Analyst, "")
	_, known := h.signIn("a@watch.example", "wrong", "192.0.2.1")
	_, unknown := h.signIn("nobody@watch.example", "wrong", "192.0.2.1")
	if edge.ProblemOf(known) != edge.ProblemOf(unknown) {
		t.Errorf("%v and %v differ", known, unknown)
	}
	const tries = 4
	took := func(email string) time.Duration {
		begun := time.Now()
		for i := range tries {
			_, _ = h.signIn(email, "wrong", netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}).String())
		}
		return time.Since(begun)
	}
	a, b := took("a@watch.example"), took("nobody@watch.example")
	if a > 4*b || b > 4*a {
		t.Errorf("a known account takes %s, an unknown one %s", a, b)
	}
}

func TestTheRecordNeverHoldsASecret(t *testing.T) {
	h := open(t, access.Options{})
	p := h.add(t, "a@watch.example", ward.Analyst, "")
	_, _ = h.signIn("hunter2hunter2", "secret-canary-1", "192.0.2.1")
	_, _ = h.signIn("a@watch.example", "secret-canary-2", "192.0.2.1")
	if _, err := h.signIn("a@watch.example", goodPassword, "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	_, secret, err := h.door.AddToken(t.Context(), ward.System("test"), p.ID, "reporting", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	entries, err := h.door.Audit(t.Context(), ward.System("test"), "", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"access.add_person": false, "access.sign_in": false, "access.sign_in_failed": false, "access.add_token": false}
	for _, e := range entries {
		want[e.Action] = true
		for _, leaked := range []string{"hunter2", "canary", goodPassword, secret} {
			if strings.Contains(e.Subject+e.Detail+e.Name, leaked) {
				t.Errorf("%+v holds %q", e, leaked)
			}
		}
	}
	for action, seen := range want {
		if !seen {
			t.Errorf("%s is not in the record", action)
		}
	}
}

func TestTokens(t *testing.T) {
	h := open(t, access.Options{})
	p := h.add(t, "lead@trust.example", ward.Lead, "XZ1")
	other := h.add(t, "other@trust.example", ward.Lead, "XZ2")
	own := ward.Actor{Person: p.ID, Name: p.Name, Org: p.Org, Role: p.Role, Scope: ward.Only(p.Org)}
	token, secret, err := h.door.AddToken(t.Context(), own, p.ID, "inventory", start.Add(time.Hour))
	if err != nil || !strings.HasPrefix(secret, "ww_") {
		t.Fatal(secret, err)
	}
	with := func(header string, want int) {
		t.Helper()
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+"/me", http.NoBody)
		request.Header.Set("Authorization", header)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%q: %d, want %d", header, answer.StatusCode, want)
		}
	}
	with("Bearer "+secret, 200)
	with("bearer "+secret, 200)

	// A token that the product made for a program works before anybody has chosen the account's password.
	fresh, _, err := h.door.AddPerson(t.Context(), ward.System("test"), ward.Person{Name: "Inventory", Email: "inventory@trust.example", Role: ward.Member, Org: "XZ1"}, "")
	if err != nil || !fresh.MustChange {
		t.Fatal(fresh, err)
	}
	_, made, err := h.door.AddToken(t.Context(), ward.System("test"), fresh.ID, "nightly", start.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	with("Bearer "+made, 200)
	with("Bearer "+secret+"x", 401)
	with("Bearer ww_", 401)
	with("Bearer", 401)
	with("Basic "+secret, 401)
	with(secret, 401)
	if tokens, err := h.door.Tokens(t.Context(), own, p.ID); err != nil || len(tokens) != 1 || !tokens[0].Used.Equal(start) {
		t.Errorf("%+v, %v", tokens, err)
	}
	for name, try := range map[string]func() error{
		"another's list": func() error { _, err := h.door.Tokens(t.Context(), own, other.ID); return err },
		"another's token": func() error {
			_, _, err := h.door.AddToken(t.Context(), own, other.ID, "x", time.Time{})
			return err
		},
		"an administrator for another": func() error {
			_, _, err := h.door.AddToken(t.Context(), ward.Actor{Person: "x", Role: ward.Admin}, p.ID, "x", time.Time{})
			return err
		},
		"nobody": func() error {
			_, _, err := h.door.AddToken(t.Context(), ward.Actor{}, "", "x", time.Time{})
			return err
		},
		"by a token": func() error {
			_, _, err := h.door.AddToken(edge.WithSigned(t.Context(), edge.Signed{Person: p, ByToken: true}), own, p.ID, "x", time.Time{})
			return err
		},
	} {
		if err := try(); !errors.Is(err, ward.ErrForbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, expires := range map[string]time.Time{"past": start.Add(-time.Second), "far": start.AddDate(3, 0, 0)} {
		if _, _, err := h.door.AddToken(t.Context(), own, p.ID, "x", expires); !errors.Is(err, ward.ErrInvalid) {
			t.Errorf("expires in the %s: %v", name, err)
		}
	}
	h.clock.Advance(time.Hour)
	with("Bearer "+secret, 401)
	h.clock.Advance(-time.Minute)
	with("Bearer "+secret, 200)
	if err := h.door.DropToken(t.Context(), own, p.ID, token.ID); err != nil {
		t.Fatal(err)
	}
	with("Bearer "+secret, 401)
	_, secret, err = h.door.AddToken(t.Context(), own, p.ID, "again", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	with("Bearer "+secret, 200)
	if err := h.door.Disable(t.Context(), ward.System("test"), p.ID); err != nil {
		t.Fatal(err)
	}
	with("Bearer "+secret, 401)
}

func TestPeople(t *testing.T) {
	h := open(t, access.Options{})
	h.organisation(t, "XZ1")
	admin := ward.Actor{Person: h.add(t, "admin@watch.example", ward.Admin, "").ID, Role: ward.Admin}
	for name, row := range map[string]struct {
		who      ward.Actor
		person   ward.Person
		password string
		want     error
	}{
		"good":                    {admin, ward.Person{Name: "Jo", Email: " Jo@Trust.example ", Role: ward.Lead, Org: "xz1"}, "", nil},
		"email taken":             {admin, ward.Person{Name: "Jo", Email: "jo@trust.example", Role: ward.Lead, Org: "XZ1"}, "", ward.ErrInvalid},
		"no organisation":         {admin, ward.Person{Name: "Jo", Email: "j@trust.example", Role: ward.Lead}, "", ward.ErrInvalid},
		"unheard-of organisation": {admin, ward.Person{Name: "Jo", Email: "j@trust.example", Role: ward.Lead, Org: "XZ99"}, "", ward.ErrInvalid},
		"national with one":       {admin, ward.Person{Name: "Jo", Email: "j@trust.example", Role: ward.Analyst, Org: "XZ1"}, "", ward.ErrInvalid},
		"no name":                 {admin, ward.Person{Email: "j@trust.example", Role: ward.Analyst}, "", ward.ErrInvalid},
		"header in the email":     {admin, ward.Person{Name: "Jo", Email: "j@trust.example\r\nBcc: x@y.example", Role: ward.Analyst}, "", ward.ErrInvalid},
		"named address":           {admin, ward.Person{Name: "Jo", Email: "Jo <j@trust.example>", Role: ward.Analyst}, "", ward.ErrInvalid},
		"role":                    {admin, ward.Person{Name: "Jo", Email: "j@trust.example", Role: "root"}, "", ward.ErrInvalid},
		"short password":          {admin, ward.Person{Name: "Jo", Email: "j@trust.example", Role: ward.Analyst}, "short", ward.ErrInvalid},
		"common password":         {admin, ward.Person{Name: "Jo", Email: "j@trust.example", Role: ward.Analyst}, "Password 1234", ward.ErrInvalid},
		"repeated password":       {admin, ward.Person{Name: "Jo", Email: "j@trust.example", Role: ward.Analyst}, "abcabcabcabcab", ward.ErrInvalid},
		"own name as password":    {admin, ward.Person{Name: "Josephine Bloggs", Email: "j@trust.example", Role: ward.Analyst}, "JosephineBloggs1", ward.ErrInvalid},
		"by an analyst":           {ward.Actor{Person: "x", Role: ward.Analyst, Scope: ward.Everything()}, ward.Person{Name: "Jo", Email: "j@trust.example", Role: ward.Analyst}, "", ward.ErrForbidden},
		"by nobody":               {ward.Actor{}, ward.Person{Name: "Jo", Email: "j@trust.example", Role: ward.Analyst}, "", ward.ErrForbidden},
	} {
		if name == "email taken" {
			continue // below, in order
		}
		p, shown, err := h.door.AddPerson(t.Context(), row.who, row.person, row.password)
		if !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", name, err, row.want)
		}
		if row.want == nil && (p.Email != "jo@trust.example" || p.Org != "XZ1" || !p.MustChange || shown == "" || p.Hash != "") {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if _, _, err := h.door.AddPerson(t.Context(), admin, ward.Person{Name: "Jo", Email: "JO@trust.example", Role: ward.Lead, Org: "XZ1"}, ""); !errors.Is(err, ward.ErrInvalid) {
		t.Errorf("email taken: %v", err)
	}
	if err := h.door.Disable(t.Context(), admin, admin.Person); !errors.Is(err, ward.ErrState) {
		t.Errorf("the own account: %v", err)
	}
	if err := h.door.Disable(t.Context(), ward.System("test"), admin.Person); !errors.Is(err, ward.ErrState) {
		t.Errorf("the last administrator: %v", err)
	}
	var names []string
	for after := ""; ; {
		page, err := h.door.People(t.Context(), admin, after, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.Items {
			names = append(names, p.Name)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if strings.Join(names, "|") != "Jo|Name of admin@watch.example" {
		t.Errorf("people %q", names)
	}
	if entries, err := h.door.Audit(t.Context(), admin, "", 0, 50); err != nil || len(entries) != 2 {
		t.Errorf("an administrator's record: %v, %v", entries, err)
	}
}

func TestAddressBehindProxies(t *testing.T) {
	for _, row := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"direct", "192.0.2.9:4000", nil, "192.0.2.9"},
		{"claimed by a stranger", "192.0.2.9:4000", []string{"203.0.113.1"}, "192.0.2.9"},
		{"one proxy", "198.51.100.1:4000", []string{"203.0.113.1"}, "203.0.113.1"},
		{"a claim in front of the proxy's", "198.51.100.1:4000", []string{"10.0.0.1, 203.0.113.1"}, "203.0.113.1"},
		{"two proxies, two headers", "198.51.100.1:4000", []string{"203.0.113.1", "198.51.100.2"}, "203.0.113.1"},
		{"nonsense", "198.51.100.1:4000", []string{"<script>"}, "198.51.100.1"},
		{"version 6", "[2001:db8::1]:4000", nil, "2001:db8::1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			door, err := access.New(nil, ward.NewHandClock(start), access.Options{Proxies: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			r.RemoteAddr = row.peer
			r.Header["X-Forwarded-For"] = row.forwarded
			if got := door.Address(r); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

func TestDueSweepsByTheDoorsClock(t *testing.T) {
	h := open(t, access.Options{})
	h.add(t, "a@watch.example", ward.Analyst, "")
	if _, err := h.signIn("a@watch.example", goodPassword, "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	next, err := h.door.Due(context.Background(), start)
	if err != nil || !next.After(start) {
		t.Errorf("next %s, %v", next, err)
	}
}

func TestConfirmingWhoOneIs(t *testing.T) {
	world := ward.NewHandClock(start.AddDate(-1, 0, 0)) // the product may live on another clock than its people
	h := open(t, access.Options{World: world})
	h.add(t, "approver@watch.example", ward.Approver, "")
	mux := http.NewServeMux()
	mux.HandleFunc("POST /in", func(w http.ResponseWriter, r *http.Request) {
		_, err := h.door.SignIn(r.Context(), r.FormValue("email"), r.FormValue("password"), h.door.Address(r))
		answer(w, "in", err)
	})
	mux.HandleFunc("POST /confirm", func(w http.ResponseWriter, r *http.Request) {
		answer(w, "confirmed", h.door.Confirm(r.Context(), r.FormValue("password")))
	})
	mux.HandleFunc("GET /proved", func(w http.ResponseWriter, r *http.Request) {
		at := edge.Actor(r.Context()).SteppedUp
		if at.IsZero() {
			answer(w, "never", nil)
			return
		}
		answer(w, world.Now().Sub(at).String(), nil)
	})
	server := httptest.NewServer(h.door.Middleware(mux))
	t.Cleanup(server.Close)
	c := browser(t)
	proved := func(want string) {
		t.Helper()
		if _, got := get(t, c, server.URL+"/proved"); got != want {
			t.Errorf("proved %s ago, want %s", got, want)
		}
	}
	if status, _ := post(t, c, server.URL+"/confirm", url.Values{"password": {goodPassword}}); status != http.StatusUnauthorized {
		t.Errorf("nobody confirms: %d", status)
	}
	post(t, c, server.URL+"/in", in("approver@watch.example", goodPassword))
	proved("never") // to sign in, hours ago perhaps, is no fresh proof
	h.url = server.URL
	key := h.session(c)
	if status, text := post(t, c, server.URL+"/confirm", url.Values{"password": {"something else entirely"}}); status != http.StatusUnprocessableEntity || !strings.Contains(text, "is not right") {
		t.Errorf("%d %s", status, text)
	}
	proved("never")
	if status, _ := post(t, c, server.URL+"/confirm", url.Values{"password": {goodPassword}}); status != http.StatusOK {
		t.Fatalf("%d", status)
	}
	if now := h.session(c); now == key || now == "" {
		t.Error("the session goes on under its old key")
	}
	proved("0s")
	h.clock.Advance(9 * time.Minute)
	proved("9m0s")
	// The product's clock does not age a proof: people live on the door's.
	world.Advance(time.Hour)
	proved("9m0s")
	post(t, c, server.URL+"/in", in("approver@watch.example", goodPassword))
	proved("never") // another session
	entries, err := h.store.Accounts().AuditEntries(t.Context(), ward.Everything(), "", 0, 50)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]int{}
	for _, e := range entries {
		said[e.Action]++
		if strings.Contains(e.Detail, "something else") {
			t.Errorf("the record holds what was typed: %+v", e)
		}
	}
	if said["access.confirm"] != 1 || said["access.sign_in_failed"] != 1 {
		t.Errorf("%v", said)
	}
}

func TestATokenConfirmsNothing(t *testing.T) {
	h := open(t, access.Options{})
	p := h.add(t, "approver@watch.example", ward.Approver, "")
	_, secret, err := h.door.AddToken(t.Context(), ward.System("test"), p.ID, "script", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var confirmed error
	handler := h.door.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if !edge.Actor(r.Context()).SteppedUp.IsZero() {
			t.Error("a token has proved who it is")
		}
		confirmed = h.door.Confirm(r.Context(), goodPassword)
	}))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/confirm", nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	handler.ServeHTTP(httptest.NewRecorder(), r)
	if !errors.Is(confirmed, edge.ErrUnsigned) {
		t.Errorf("%v", confirmed)
	}
}

func TestACommandConfirmsByPassword(t *testing.T) {
	h := open(t, access.Options{})
	h.add(t, "approver@watch.example", ward.Approver, "")
	who, err := h.door.Confirmed(t.Context(), " Approver@watch.example", goodPassword)
	if err != nil || !who.SteppedUp.Equal(start) || who.Role != ward.Approver {
		t.Errorf("%+v, %v", who, err)
	}
	if _, err := h.door.Confirmed(t.Context(), "approver@watch.example", "not the password"); !errors.Is(err, edge.ErrSignIn) {
		t.Errorf("%v", err)
	}
	if _, err := h.door.Confirmed(t.Context(), "nobody@watch.example", goodPassword); !errors.Is(err, edge.ErrSignIn) {
		t.Errorf("%v", err)
	}
}
