package app

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"wardwatch/act"
	"wardwatch/act/notify"
	"wardwatch/config"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// Check is one line of what Doctor looked at.
type Check struct {
	Name   string `json:"check"`
	Passed bool   `json:"passed"`
	Result string `json:"result"`
	Do     string `json:"do,omitempty"` // what to do where it did not pass, or where something is to be done yet
}

const leastFree = 1 << 30 // bytes

// Doctor looks at an installation and says what to do about what is wrong. It changes nothing: a data directory that does
// not exist yet is not made.
func Doctor(ctx context.Context, c config.Config) []Check {
	checks := []Check{configured(c)}
	add := func(name string, passed bool, result, do string) {
		if passed {
			do = ""
		}
		checks = append(checks, Check{name, passed, result, do})
	}
	info, err := os.Stat(c.Data)
	switch {
	case os.IsNotExist(err):
		add("data directory", true, c.Data+" will be made at the first start", "")
		return append(checks, canListen(ctx, c))
	case err != nil || !info.IsDir():
		add("data directory", false, fmt.Sprintf("%s: %v", c.Data, err), "name a directory with --data or in the configuration")
		return append(checks, canListen(ctx, c))
	}
	open := info.Mode().Perm()&0o077 != 0
	add("data directory", !open, fmt.Sprintf("%s, mode %o", c.Data, info.Mode().Perm()), "let only the account that runs the program read it: chmod 700 "+c.Data)
	var disk syscall.Statfs_t
	if err := syscall.Statfs(c.Data, &disk); err == nil {
		free := disk.Bavail * uint64(disk.Bsize) //nolint:gosec // a block size is positive
		add("free space", free >= leastFree, fmt.Sprintf("%.1f GB", float64(free)/1e9), "make room: below 1 GB imports and feeds may not fit")
	}
	if _, err := os.Stat(filepath.Join(c.Data, "wardwatch.db")); os.IsNotExist(err) {
		add("database", true, "will be made at the first start", "")
		return append(checks, canListen(ctx, c))
	}
	kept, err := store.Open(ctx, c.Data)
	if err != nil {
		add("database", false, err.Error(), "read the message; restore the newest copy if the file is damaged")
		return append(checks, canListen(ctx, c))
	}
	defer kept.Close()
	problem, err := kept.Verify(ctx)
	switch {
	case err != nil:
		add("database", false, err.Error(), "restore the newest copy")
	default:
		add("database", problem == "", orElse(problem, "sound"), "restore the newest copy: the file is damaged")
	}
	if err := kept.Writable(ctx); err != nil {
		add("writing", false, err.Error(), "read the message: without writing nobody can sign in")
	}
	a, err := New(ctx, c, Options{})
	if err != nil {
		add("program", false, err.Error(), "read the message")
		return append(checks, canListen(ctx, c))
	}
	defer a.Close()
	list, err := a.Feeds.List(ctx)
	if err != nil {
		add("feeds", false, err.Error(), "read the message")
	}
	unread := 0
	for _, feed := range list {
		passed := !feed.Stale && feed.Error == ""
		if passed && feed.Succeeded.IsZero() {
			unread++
		}
		add("feed "+feed.Name, passed, feedState(feed, a.Clock.Now()), "run: wardwatch feed sync "+feed.Name+" (or --from a file)")
	}
	checks = append(checks, channels(ctx, c, a)...)
	if unread > 0 && unread == len(list) {
		checks = append(checks, Check{"feeds", true, "none was read yet: nothing can be matched", "run: wardwatch feed sync, or name those to read in the configuration, under feeds"})
	}
	return append(checks, canListen(ctx, c))
}

// configured reads everything that the configuration names, as a start would.
func configured(c config.Config) Check {
	_, err := act.LoadPolicies(c.Policies)
	if _, erred := carriers(c.Notify); erred != nil {
		err = errors.Join(err, erred)
	}
	if c.TLS.Certificate != "" {
		if _, erred := tls.LoadX509KeyPair(c.TLS.Certificate, c.TLS.Key); erred != nil {
			err = errors.Join(err, fmt.Errorf("tls: %w", erred))
		}
	}
	if err != nil {
		return Check{"configuration", false, strings.ReplaceAll(err.Error(), "\n", "; "), "mend what is named: the program does not start with it"}
	}
	return Check{Name: "configuration", Passed: true, Result: "read"}
}

// channels says how each way of telling people does, by what waits and what was taken, and whether the mail server is there.
func channels(ctx context.Context, c config.Config, a *App) []Check {
	lines := a.courier.Lines()
	if len(lines) == 0 {
		return []Check{{"channels", true, "none is set up: nobody is told outside the inboxes", "name a mail server or another channel in the configuration, under notify"}}
	}
	traffic, err := a.Notify.Traffic(ctx)
	if err != nil {
		return []Check{{"channels", false, err.Error(), "read the message"}}
	}
	var checks []Check
	for _, line := range lines {
		t := traffic[line.Channel]
		check := Check{"channel " + string(line.Channel), t.Tried == 0, trafficState(t), ""}
		if line.Channel == ward.Email && c.Notify.SMTP.Server != "" {
			dialer := net.Dialer{Timeout: 5 * time.Second}
			if there, err := dialer.DialContext(ctx, "tcp", c.Notify.SMTP.Server); err != nil {
				check.Passed, check.Result = false, err.Error()+"; "+check.Result
			} else {
				_ = there.Close()
			}
		}
		if !check.Passed {
			check.Do = "see that the server of this channel runs and takes messages; nothing is lost meanwhile, and /deliveries shows each message"
		}
		checks = append(checks, check)
	}
	return checks
}

// trafficState is what a channel took and what waits for it, in words.
func trafficState(t notify.Traffic) string {
	said := "took nothing yet"
	if !t.Last.IsZero() {
		said = "took a message last on " + t.Last.Format("2 January 2006 15:04 UTC")
	}
	if t.Waiting > 0 {
		said += fmt.Sprintf("; %d waiting", t.Waiting)
	}
	if t.Tried > 0 {
		said += fmt.Sprintf(", %d of them tried in vain: %s", t.Tried, t.Why)
	}
	return said
}

// canListen passes an address that is free, and one where a server of ours works already.
func canListen(ctx context.Context, c config.Config) Check {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err == nil {
		_ = listener.Close()
		return Check{"address", true, c.Listen + " is free", ""}
	}
	switch ours, ready := running(ctx, c); {
	case ready:
		return Check{"address", true, "a running Wardwatch answers on " + c.Listen, ""}
	case ours:
		return Check{"address", false, "a running Wardwatch on " + c.Listen + " is not ready", "read its log"}
	}
	return Check{"address", false, err.Error(), "another program has it: choose another with --listen"}
}

// running asks the address of the configuration whether a Wardwatch is there, and whether it can work.
func running(ctx context.Context, c config.Config) (ours, ready bool) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	scheme, transport := "http", &http.Transport{}
	if c.TLS.Certificate != "" {
		// The certificate is for the name that people type, not for this address, and nothing secret is sent.
		scheme, transport.TLSClientConfig = "https", &tls.Config{InsecureSkipVerify: true} //nolint:gosec // as above
	}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+c.Listen+"/readyz", http.NoBody)
	if err != nil {
		return false, false
	}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return false, false
	}
	defer answer.Body.Close()
	var said struct {
		Status any // "ok", or the number of a problem
		Type   string
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<16)).Decode(&said); err != nil {
		return false, false
	}
	return strings.HasPrefix(said.Type, "urn:wardwatch:"), answer.StatusCode == http.StatusOK && said.Status == "ok"
}

// feedState is how a feed stands, in words.
func feedState(f ward.Feed, now time.Time) string {
	switch {
	case f.Error != "":
		return "last attempt erred: " + f.Error
	case f.Succeeded.IsZero():
		return "never read"
	case f.Stale:
		return fmt.Sprintf("stale: last read %s ago", now.Sub(f.Succeeded).Round(time.Minute))
	}
	return "read " + f.Succeeded.Format("2 January 2006 15:04 UTC")
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
