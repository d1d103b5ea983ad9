package whatsapp

import (
	"bytes"
	"encoding/json"
	"errors"
)

// ErrNotJSON means that a webhook body is no JSON document.
var ErrNotJSON = errors.New("whatsapp: body is not JSON")

// UpdateKind tells what an [Update] holds.
type UpdateKind string

// The kinds of update.
const (
	KindMessage    UpdateKind = "message"    // a customer's message, see [ParseMessage]
	KindStatus     UpdateKind = "status"     // what became of a message of ours, see [ParseStatus]
	KindEcho       UpdateKind = "echo"       // a message that the business sent elsewhere, see [ParseMessage]
	KindHistory    UpdateKind = "history"    // old messages of one thread, see [ParseHistory]
	KindContact    UpdateKind = "contact"    // an entry of the phone's address book, see [ParseSavedContact]
	KindCall       UpdateKind = "call"       // a step of a call, see [ParseCall]
	KindPreference UpdateKind = "preference" // what a customer wants to be sent, see [ParsePreference]
	KindHandover   UpdateKind = "handover"   // who answers a customer from now on, see [ParseHandover]
	KindGroup      UpdateKind = "group"      // what happened to a group chat, see [ParseGroupEvent]
	KindSignal     UpdateKind = "signal"     // what Meta concluded from a message, see [ParseSignal]
	KindEvent      UpdateKind = "event"      // everything else: account events, see [ParseAccountEvent], errors, unknown fields and shapes
)

// Update is one thing that a webhook told, complete in itself: it holds
// nothing of the moment it arrived, so that the same thing told twice is the
// same bytes twice.
type Update struct {
	Kind    UpdateKind `json:"kind"`
	Number  string     `json:"number,omitempty"`  // phone_number_id of the business number
	Display string     `json:"display,omitempty"` // display_phone_number, as written by Meta
	WABA    string     `json:"waba,omitempty"`    // entry.id: the WhatsApp business account
	Field   string     `json:"field,omitempty"`   // changes[].field, such as "messages"
	Time    int64      `json:"time,omitempty"`    // entry.time in seconds since 1970; account events only

	// Contact is the element of contacts[] that belongs to the customer whom
	// the update is about.
	Contact json.RawMessage `json:"contact,omitempty"`

	// Body is the message, the status, the call and so on, as received. For an
	// event it is the whole value of the change, or the enclosing object reduced
	// to what could not be taken apart, such as {"errors":[…]} or
	// {"messages":["not an object"]}. For [KindHistory] it is
	// {"metadata":…,"id":thread,"messages":[…]} with at most 100 messages, or
	// {"media":[one message]} for the file that was missing from one of them.
	Body json.RawMessage `json:"body"`
}

// Split takes one webhook body apart, in order. Everything in it ends up in
// exactly one Update; what has an unexpected shape becomes an event that keeps
// it, and costs its neighbours nothing. JSON that is no WhatsApp webhook is
// one event. The only error is [ErrNotJSON].
func Split(body []byte) ([]Update, error) {
	var compact bytes.Buffer
	compact.Grow(len(body))
	if err := json.Compact(&compact, body); err != nil {
		return nil, ErrNotJSON
	}
	var s splitter
	s.post(compact.Bytes())
	return s.updates, nil
}

type splitter struct{ updates []Update }

func (s *splitter) add(u Update, kind UpdateKind, body []byte) {
	u.Kind, u.Body = kind, body
	s.updates = append(s.updates, u)
}

// leftovers keeps the members of one object that found no place elsewhere.
func (s *splitter) leftovers(u Update, left []member) {
	if len(left) == 0 {
		return
	}
	s.add(u, KindEvent, object(left))
}

// object writes an object of these members.
func object(all []member) []byte {
	size := 2
	for _, m := range all {
		size += len(m.raw) + 1
	}
	b := append(make([]byte, 0, size), '{')
	for i, m := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, m.raw...)
	}
	return append(b, '}')
}

// arrayMember writes "key":[values].
func arrayMember(key string, values [][]byte) member {
	raw := bytes.Join([][]byte{[]byte(`"` + key + `":[`), bytes.Join(values, []byte{','}), []byte{']'}}, nil)
	return member{key: key, raw: raw}
}

// only writes {"key":[value]}: an object reduced to one odd element.
func only(key string, value []byte) []byte {
	return bytes.Join([][]byte{[]byte(`{"` + key + `":[`), value, []byte(`]}`)}, nil)
}

func (s *splitter) post(raw []byte) {
	if !isEnvelope(raw) {
		s.add(Update{}, KindEvent, raw)
		return
	}
	var left []member
	all, _ := members(raw)
	for _, m := range all {
		entries, isArray := elements(m.value)
		switch {
		case m.key == "object":
		case m.key == "entry" && isArray:
			for _, e := range entries {
				s.entry(e)
			}
		default:
			left = append(left, m)
		}
	}
	s.leftovers(Update{}, left)
}

// isEnvelope accepts a missing "object" too, as in some of Meta's samples.
func isEnvelope(raw []byte) bool {
	all, _ := members(raw)
	entry := false
	for _, m := range all {
		switch m.key {
		case "object":
			if string(m.value) != `"whatsapp_business_account"` {
				return false
			}
		case "entry":
			_, isArray := elements(m.value)
			entry = entry || isArray
		}
	}
	return entry
}

func (s *splitter) entry(raw []byte) {
	all, ok := members(raw)
	if !ok {
		s.add(Update{}, KindEvent, only("entry", raw))
		return
	}
	f := index(all)
	u := Update{WABA: f.text("id"), Time: seconds(f.integer("time"))}
	var left []member
	taken := false
	for _, m := range all {
		changes, isArray := elements(m.value)
		switch {
		case m.key == "id" || m.key == "time":
		case m.key == "changes" && isArray:
			taken = true
			for _, c := range changes {
				s.change(u, c)
			}
		default:
			left = append(left, m)
		}
	}
	if !taken {
		s.add(u, KindEvent, raw)
		return
	}
	s.leftovers(u, left)
}

func (s *splitter) change(u Update, raw []byte) {
	all, ok := members(raw)
	if !ok {
		s.add(u, KindEvent, only("changes", raw))
		return
	}
	u.Field = index(all).text("field")
	var left []member
	taken := false
	for _, m := range all {
		switch m.key {
		case "field":
		case "value":
			taken = true
			s.value(u, m.value)
		default:
			left = append(left, m)
		}
	}
	if !taken {
		s.add(u, KindEvent, raw)
		return
	}
	s.leftovers(u, left)
}
