package contract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/act/notify"
	"wardwatch/ward"
)

// CarrierExample is a carrier with the server that it speaks to.
type CarrierExample struct {
	Carrier notify.Carrier
	To      func(n int) string      // the nth good address
	Nobody  string                  // an address that the server does not take, or that is none; empty: this channel learns of none
	Got     func() []CarrierArrived // what the server took, in order
	Busy    func()                  // the server takes nothing for now, and asks to be left alone for a while where it can say so
	Hang    func()                  // the server does not answer any more
	Well    func()                  // the server is well again
	Marks   []string                // what its server would take for more than text
	Once    bool                    // the server is asked for what it took before, so that nothing arrives twice
}

// CarrierArrived is a message as the server has it.
type CarrierArrived struct {
	Key     string
	Subject string
	All     string // everything that came, headers too
}

// message is one with everything in it.
func message(n int, to string) notify.Message {
	return notify.Message{
		Key: fmt.Sprintf("ww-contract%04d", n), To: to, Name: "Pat Field", Subject: fmt.Sprintf("EXERCISE: High severity cyber alert CC-900001, %d", n),
		Text:  "EXERCISE\n\nFor: Drumlin (XZ1)\n\nAcknowledge by noon.\n\nOpen it:\nhttps://watch.example/alerts/CC-900001\n.\nA line that began with a full stop.\n",
		Short: fmt.Sprintf("EXERCISE: alert CC-900001, %d https://watch.example/a/t", n), Body: "Acknowledge by noon.", Open: "https://watch.example/alerts/CC-900001",
		Confirm: "https://watch.example/a/token", Kind: "alert.published", Alert: "CC-900001", Org: "XZ1", OrgName: "Drumlin", Severity: ward.High, Exercise: true,
		At: time.Date(2025, 5, 13, 16, 0, 0, 0, time.UTC), Secret: []byte("0123456789abcdef0123456789abcdef"),
	}
}

// hostile are texts that try to become something else on their way.
var hostile = []string{
	"a\r\nBcc: everyone@hospital.example", "a\nX-Injected: yes\n\nbody", "((template)) [click](https://evil.example) <https://evil.example|x> <!channel> @everyone",
	"# heading\n* list\n^ inset\n1. number", `","type":"x","a":"`, "=HYPERLINK(\"https://evil.example\")", "\x1b[2J\x00\u202egnp.exe",
}

// Carrier holds one carrier to what notify.Carrier promises.
func Carrier(t *testing.T, open func(t *testing.T) CarrierExample) {
	t.Helper()
	hand := func(t *testing.T, e CarrierExample, m notify.Message) (notify.Receipt, error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		return e.Carrier.Hand(ctx, m)
	}
	t.Run("hands a message over with its key and words", func(t *testing.T) {
		e := open(t)
		if e.Carrier.Channel() == "" || e.Carrier.AtOnce() < 1 {
			t.Errorf("%q, %d at once", e.Carrier.Channel(), e.Carrier.AtOnce())
		}
		receipt, err := hand(t, e, message(1, e.To(1)))
		if err != nil || receipt.Words == "" {
			t.Fatalf("%+v, %v", receipt, err)
		}
		got := e.Got()
		if len(got) != 1 || got[0].Key != "ww-contract0001" || !strings.Contains(got[0].Subject, "CC-900001") || !strings.Contains(got[0].Subject, "EXERCISE") {
			t.Errorf("%+v", got)
		}
	})
	t.Run("carries the same key each time", func(t *testing.T) {
		e := open(t)
		m := message(1, e.To(1))
		for range 2 {
			if _, err := hand(t, e, m); err != nil {
				t.Fatal(err)
			}
			m.Again = true
		}
		got, want := e.Got(), 2
		if e.Once {
			want = 1
		}
		if len(got) != want || got[0].Key != got[len(got)-1].Key {
			t.Errorf("%+v", got)
		}
	})
	t.Run("many at once, each arrives", func(t *testing.T) {
		e := open(t)
		var working sync.WaitGroup
		for i := range 40 {
			working.Go(func() {
				if _, err := hand(t, e, message(i, e.To(i))); err != nil {
					t.Error(err)
				}
			})
		}
		working.Wait()
		keys := map[string]bool{}
		for _, g := range e.Got() {
			keys[g.Key] = true
		}
		if len(keys) != 40 || len(e.Got()) != 40 {
			t.Errorf("%d messages with %d keys", len(e.Got()), len(keys))
		}
	})
	t.Run("lets no text become anything else", func(t *testing.T) {
		e := open(t)
		for i, text := range hostile {
			m := message(i, e.To(i))
			m.Subject, m.Name, m.OrgName, m.Body, m.Text, m.Short = text, text, text, text, text, text
			if _, err := hand(t, e, m); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			got := e.Got()
			last := got[len(got)-1]
			if len(got) != i+1 || last.Key != m.Key {
				t.Fatalf("%q: %+v", text, last)
			}
			head, _, _ := strings.Cut(last.All, "\n\n")
			for line := range strings.SplitSeq(head, "\n") {
				if strings.HasPrefix(line, "Bcc:") || strings.HasPrefix(line, "X-Injected:") {
					t.Errorf("%q became a header:\n%s", text, head)
				}
			}
			for _, mark := range e.Marks {
				if strings.Contains(last.Subject, mark) {
					t.Errorf("%q keeps %q: %q", text, mark, last.Subject)
				}
			}
		}
	})
	t.Run("says when nothing can be sent there", func(t *testing.T) {
		e := open(t)
		if e.Nobody == "" {
			return
		}
		_, err := hand(t, e, message(1, e.Nobody))
		var refusal *notify.Refusal
		if !errors.As(err, &refusal) || (refusal.Cause != notify.Bounced && refusal.Cause != notify.Refused) || refusal.Why == "" {
			t.Errorf("%#v", err)
		}
	})
	t.Run("asks to try again where the server is busy", func(t *testing.T) {
		e := open(t)
		e.Busy()
		_, err := hand(t, e, message(1, e.To(1)))
		var refusal *notify.Refusal
		if !errors.As(err, &refusal) || (refusal.Cause != notify.Later && refusal.Cause != notify.Down) || refusal.Why == "" {
			t.Fatalf("%#v", err)
		}
		if strings.Contains(refusal.Why, e.To(1)) && strings.HasPrefix(e.To(1), "https:") {
			t.Errorf("the reason tells the address, which holds the right to post: %q", refusal.Why)
		}
		e.Well()
		if _, err := hand(t, e, message(1, e.To(1))); err != nil || len(e.Got()) != 1 {
			t.Errorf("%d arrived, %v", len(e.Got()), err)
		}
	})
	t.Run("ends when it is told to", func(t *testing.T) {
		e := open(t)
		e.Hang()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		began := time.Now()
		if _, err := e.Carrier.Hand(ctx, message(1, e.To(1))); err == nil {
			t.Error("a server that hangs took it")
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %s to give up", took)
		}
		e.Well()
	})
}

// Field is a text in a JSON body, by the names on the way to it.
func Field(body []byte, path ...string) string {
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return ""
	}
	for _, name := range path {
		switch at := v.(type) {
		case map[string]any:
			v = at[name]
		case []any:
			if len(at) == 0 {
				return ""
			}
			v = at[0]
			if at, ok := v.(map[string]any); ok {
				v = at[name]
			}
		}
	}
	text, _ := v.(string)
	return text
}
