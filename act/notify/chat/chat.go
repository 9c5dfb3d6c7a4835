// Package chat tells a team where it talks: messages come in; an Adaptive Card for a Microsoft Teams workflow, or a Slack message
// or workflow's variables, go out to the address that the workflow shows. What is told is sent as plain text runs, so that
// nothing in it becomes a link, a mention or a format. It never speaks to an address inside.
package chat

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"wardwatch/act"
	"wardwatch/act/notify"
	"wardwatch/ward"
)

// Carrier implements notify.Carrier.
type Carrier struct {
	channel ward.Channel
	client  *http.Client
	clock   ward.Clock
	form    func(notify.Message) any
}

// Teams returns the carrier for Microsoft Teams workflows. client should be a notify.SafeClient.
func Teams(client *http.Client, clock ward.Clock) *Carrier {
	return &Carrier{ward.Teams, client, clock, card}
}

// Slack returns the carrier for Slack: addresses below /services/ take messages, all others the variables of a workflow, which
// are to be named subject, text, link, confirm and reference.
func Slack(client *http.Client, clock ward.Clock) *Carrier {
	return &Carrier{ward.Slack, client, clock, slack}
}

// Channel implements notify.Carrier.
func (c *Carrier) Channel() ward.Channel { return c.channel }

// AtOnce implements notify.Carrier. Both services slow down senders that are quicker than a few messages a second.
func (*Carrier) AtOnce() int { return 4 }

// Hand implements notify.Carrier.
func (c *Carrier) Hand(ctx context.Context, m notify.Message) (notify.Receipt, error) {
	body, err := json.Marshal(c.form(m))
	if err != nil {
		return notify.Receipt{}, fmt.Errorf("notify/chat: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.To, bytes.NewReader(body))
	if err != nil {
		return notify.Receipt{}, &notify.Refusal{Cause: notify.Refused, Why: "its address cannot be read"}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Wardwatch")
	if err := notify.Post(c.client, request, c.clock.Now()); err != nil {
		return notify.Receipt{}, err
	}
	return notify.Receipt{Words: "taken by the workflow"}, nil
}

// object is a piece of JSON whose form another product decides.
type object = map[string]any

// card is a message as a Teams workflow takes it.
func card(m notify.Message) any {
	run := func(text, size, weight string) object {
		return object{"type": "RichTextBlock", "inlines": []object{{"type": "TextRun", "text": text, "size": size, "weight": weight}}}
	}
	blocks := []object{run(m.Subject, "large", "bolder")}
	if m.Org != "" {
		blocks = append(blocks, run("For: "+strings.TrimSpace(fmt.Sprintf("%s (%s)", m.OrgName, m.Org)), "default", "default"))
	}
	if m.Body != "" {
		blocks = append(blocks, run(m.Body, "default", "default"))
	}
	blocks = append(blocks, run(fmt.Sprintf("%s. Reference %s: a message with the same reference is this one again.", act.When(m.At), m.Key), "small", "lighter"))
	actions := []object{{"type": "Action.OpenUrl", "title": "Open", "url": m.Open}}
	if m.Confirm != "" {
		actions = append(actions, object{"type": "Action.OpenUrl", "title": "We have read it", "url": m.Confirm})
	}
	return object{"type": "message", "attachments": []object{{
		"contentType": "application/vnd.microsoft.card.adaptive",
		"contentUrl":  nil,
		"content": object{
			"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": blocks, "actions": actions,
		},
	}}}
}

// slack is a message as the address takes it.
func slack(m notify.Message) any {
	if u, err := url.Parse(m.To); err != nil || !strings.HasPrefix(u.Path, "/services/") {
		return object{"subject": inert(m.Subject), "text": inert(m.Body), "link": m.Open, "confirm": m.Confirm, "reference": m.Key}
	}
	plain := func(text string) object { return object{"type": "plain_text", "text": cut(text, 2900), "emoji": false} }
	body := m.Body
	if m.Org != "" {
		body = fmt.Sprintf("For: %s (%s)\n%s", m.OrgName, m.Org, body)
	}
	buttons := []object{{"type": "button", "text": plain("Open"), "url": m.Open}}
	if m.Confirm != "" {
		buttons = append(buttons, object{"type": "button", "text": plain("We have read it"), "url": m.Confirm})
	}
	return object{"text": inert(m.Subject), "blocks": []object{
		{"type": "header", "text": object{"type": "plain_text", "text": cut(m.Subject, 150), "emoji": false}},
		{"type": "section", "text": plain(body)},
		{"type": "actions", "elements": buttons},
		{"type": "context", "elements": []object{plain(act.When(m.At) + ". Reference " + m.Key)}},
	}}
}

// inert is text in which Slack sees no link, mention or entity.
func inert(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// cut is text of at most so many characters.
func cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-3]) + "..."
	}
	return text
}
