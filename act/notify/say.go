package notify

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
	"unicode/utf8"

	"wardwatch/act"
	"wardwatch/keep/store"
	"wardwatch/ward"
)

// mostShort is the longest text message: what three parts of a text message hold.
const mostShort = 459

// message is a delivery in words. It is made again in the same words each time that it is sent.
func (c *Courier) message(out store.Outgoing, secret []byte) Message {
	n, d := out.Notice, out.Delivery
	m := Message{
		Key: d.Key, To: d.To, Name: oneLine(d.Name), Subject: oneLine(n.Subject), Body: plain(n.Body), Open: c.options.Base + n.Link, Kind: n.Kind, Alert: n.Alert,
		Org: n.Org, OrgName: oneLine(out.OrgName), Severity: n.Severity, Exercise: n.Exercise || c.options.Exercise, At: n.Created,
		Secret: hookSecret(secret, d.Contact, d.To), Again: d.Attempts > 1,
	}
	if m.Exercise && !strings.HasPrefix(m.Subject, exercise) {
		m.Subject = exercise + ": " + m.Subject
	}
	if n.Asks || n.Kind == testKind {
		m.Confirm = c.options.Base + LinkPath + token(secret, d)
	}
	m.Text, m.Short = c.text(m, d), short(m)
	return m
}

// text is the whole message in plain words.
func (c *Courier) text(m Message, d ward.Delivery) string {
	var t strings.Builder
	if m.Exercise {
		t.WriteString("EXERCISE EXERCISE EXERCISE\nThis is an exercise. Nothing in it has happened.\n\n")
	}
	fmt.Fprintf(&t, "%s\n\n", m.Subject)
	if m.Org != "" {
		fmt.Fprintf(&t, "For: %s (%s)\n\n", cmp.Or(m.OrgName, "your organisation"), m.Org)
	}
	if m.Body != "" {
		fmt.Fprintf(&t, "%s\n\n", m.Body)
	}
	if m.Kind != testKind {
		fmt.Fprintf(&t, "Open it (you sign in):\n%s\n\n", m.Open)
	}
	if m.Confirm != "" {
		what := "Say that you have read it, without signing in"
		if m.Kind == testKind {
			what = "Confirm that this reached you"
		}
		fmt.Fprintf(&t, "%s (shows it first; works once, until %s):\n%s\n\n", what, act.When(d.Created.Add(linkFor)), m.Confirm)
	}
	fmt.Fprintf(&t, "Sent by %s to %s, as %s, about %s.\nReference %s: a message with the same reference is this one again.\n",
		cmp.Or(oneLine(c.options.Operator), "Wardwatch"), cmp.Or(m.Name, "you"), cmp.Or(rungWords[d.Rung], "contact"), act.When(m.At), m.Key)
	return t.String()
}

// short is the message where every character is paid for: the subject is cut, and never the link.
func short(m Message) string {
	link := m.Confirm
	if link == "" {
		link = m.Open
	}
	tail := " " + link
	if m.Org != "" {
		tail = fmt.Sprintf(" [%s]%s", m.Org, tail)
	}
	head := m.Subject
	if room := mostShort - utf8.RuneCountInString(tail); utf8.RuneCountInString(head) > room {
		head = string([]rune(head)[:max(room-3, 0)]) + "..."
	}
	return head + tail
}

// plain is text of several lines, without what turns writing round or controls a terminal.
func plain(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = oneLine(line)
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// hookSecret is the secret that a contact's receiver shares for one address: nothing else has it, and a new address has another.
func hookSecret(secret []byte, contact ward.ContactID, to string) []byte {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "webhook\x00%d\x00%s", contact, to)
	return mac.Sum(nil)
}
