package handler

import (
	"cmp"
	"encoding/json"
	"time"

	"threadline/shared/chat"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// What happens in a conversation that nobody wrote: calls, handovers, what becomes of a group chat.

// connect is the event with which a call begins. It is the call; whatever else is told of the call amends it.
const connect = "connect"

// call is a call that begins, or what is told of one later.
func call(u whatsapp.Update, c whatsapp.Call) store.Inbound {
	at := provided(c.Timestamp, u)
	var m chat.Message
	if c.Event == connect {
		m = newMessage(u.Body, c.ID, at)
		m.Text = "Voice call"
	} else {
		m = newMessage(u.Body, "", at)
		m.ReplyTo = clip(c.ID, maxWord)
		m.Call = &chat.Call{Status: word(c.Status), Seconds: c.Duration, Began: utc(c.Started), Ended: utc(c.Ended)}
		if c.Event == "terminate" && c.Ended.IsZero() {
			m.Call.Ended = at
		}
		m.Text = stepOfCall(c)
	}
	m.Kind, m.RawType, m.Content, m.Problems = chat.KindCall, "call", within(c.Content), problems(c.Errors)
	m.Direction, m.Origin, m.Status = chat.In, chat.FromCustomer, chat.Delivered
	if c.Direction == whatsapp.FromBusiness {
		m.Direction, m.Origin, m.Status = chat.Out, chat.FromAgent, chat.Sent
	}
	return store.Inbound{Message: m, Number: chat.NumberID(u.Number), Seen: shown(u, c.Customer(), m)}
}

// stepOfCall says what is told of a call, in words.
func stepOfCall(c whatsapp.Call) string {
	switch word(c.Status) {
	case "completed":
		return joined(" after ", "Call ended", took(c))
	case "failed":
		if c.Direction == whatsapp.FromUser && c.Duration == 0 {
			return "Missed call"
		}
		return "The call failed"
	case "rejected":
		return "The call was declined"
	case "accepted":
		return "The call was taken"
	case "ringing":
		return "It rings"
	}
	if c.Event == "terminate" {
		return joined(" after ", "Call ended", took(c))
	}
	return clip(sentence(cmp.Or(word(c.Status), c.Event)), maxWord)
}

func took(c whatsapp.Call) string {
	if c.Duration <= 0 {
		return ""
	}
	return duration(time.Duration(c.Duration) * time.Second)
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

// notify is a notice of Meta's own in a conversation.
func notify(u whatsapp.Update, typ, text string, at time.Time, content json.RawMessage) chat.Message {
	m := newMessage(u.Body, "", provided(at, u))
	m.Kind, m.RawType, m.Text, m.Content = chat.KindSystem, clip(typ, maxWord), clip(text, maxText), within(content)
	m.Direction, m.Origin, m.Status = chat.In, chat.FromCustomer, chat.Delivered
	return m
}

// handover is who answers a customer from now on.
func handover(u whatsapp.Update, h whatsapp.Handover) store.Inbound {
	said := sentence(h.Type)
	if h.From != "" {
		said += " from " + h.From
	}
	if h.To != "" {
		said += " to " + h.To
	}
	m := notify(u, h.Type, lines(said, h.Metadata), h.Timestamp, h.Content)
	return store.Inbound{Message: m, Number: chat.NumberID(u.Number), Seen: shown(u, h.Customer, m)}
}

// groupEvent is what happened to a group chat. It is nobody's message, and on nobody's record.
func groupEvent(u whatsapp.Update, g whatsapp.GroupEvent) store.Inbound {
	said := []string{cmp.Or(g.Text, sentence(g.Type))}
	for _, p := range g.Participants {
		said = append(said, cmp.Or(p.Name, p.WAID, p.Username, p.BSUID))
	}
	m := notify(u, g.Type, lines(said...), g.Timestamp, g.Content)
	m.Problems = problems(g.Errors)
	return store.Inbound{Message: m, Number: chat.NumberID(u.Number), Group: g.GroupID}
}
