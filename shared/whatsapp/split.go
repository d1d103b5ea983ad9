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
	KindMessage UpdateKind = "message" // a customer's message, see [ParseMessage]
	KindStatus  UpdateKind = "status"  // what became of a message of ours, see [ParseStatus]
	KindEvent   UpdateKind = "event"   // everything else: account events, errors, unknown fields and shapes
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

	// Contact is the element of contacts[] that belongs to a message or status.
	Contact json.RawMessage `json:"contact,omitempty"`

	// Body is the message, or the status, or for an event: the whole value of
	// the change, or the enclosing object reduced to what could not be taken
	// apart, such as {"errors":[…]} or {"messages":["not an object"]}.
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
	raw := make([][]byte, len(left))
	for i, m := range left {
		raw[i] = m.raw
	}
	body := append([]byte{'{'}, bytes.Join(raw, []byte{','})...)
	s.add(u, KindEvent, append(body, '}'))
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

func (s *splitter) value(u Update, raw []byte) {
	all, _ := members(raw)
	f := index(all)
	meta := f.object("metadata")
	u.Number = meta.text("phone_number_id")
	u.Display = meta.text("display_phone_number")
	if u.Display == "" {
		u.Display = f.text("display_phone_number") // account fields have no metadata
	}
	if u.Field != "messages" {
		s.add(u, KindEvent, raw)
		return
	}
	n := readNotice(raw)
	if n.things() == 0 {
		s.add(u, KindEvent, raw)
		return
	}
	s.notice(u, n)
}

// notice adds what a "messages" value holds.
func (s *splitter) notice(u Update, n *notice) {
	pairs := newPairing(n.contacts, n.things())
	for _, raw := range n.messages {
		s.thing(u, KindMessage, "messages", raw, senderIdentity, pairs)
	}
	for _, raw := range n.statuses {
		s.thing(u, KindStatus, "statuses", raw, recipientIdentity, pairs)
	}
	for _, raw := range n.errors {
		about := u
		about.Contact = pairs.contactOf(Identity{})
		s.add(about, KindEvent, only("errors", raw))
	}
	for _, raw := range pairs.unused() {
		s.add(u, KindEvent, only("contacts", raw))
	}
	s.leftovers(u, n.left)
}

// thing adds one message or status with its contact.
func (s *splitter) thing(u Update, kind UpdateKind, key string, raw []byte, who func(fields) Identity, pairs *pairing) {
	if !isObject(raw) {
		s.add(u, KindEvent, only(key, raw))
		return
	}
	if len(pairs.raw) > 0 {
		all, _ := members(raw)
		u.Contact = pairs.contactOf(who(index(all)))
	}
	s.add(u, kind, raw)
}

// notice is a "messages" value, taken apart. Its arrays are independent: each
// may be missing, and several may come together.
type notice struct {
	messages, statuses, errors, contacts [][]byte
	left                                 []member
}

func readNotice(raw []byte) *notice {
	var n notice
	all, _ := members(raw)
	lists := map[string]*[][]byte{
		"messages": &n.messages, "statuses": &n.statuses, "errors": &n.errors, "contacts": &n.contacts,
	}
	for _, m := range all {
		list, isList := lists[m.key]
		values, isArray := elements(m.value)
		switch {
		case isList && isArray:
			*list = append(*list, values...)
		case m.key == "messaging_product", m.key == "metadata" && isObject(m.value):
		default:
			n.left = append(n.left, m)
		}
	}
	return &n
}

// things counts what a contact may belong to.
func (n *notice) things() int { return len(n.messages) + len(n.statuses) + len(n.errors) }
