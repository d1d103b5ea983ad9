package whatsapp

import "strings"

// series is an array of a value whose elements become updates of their own.
type series struct {
	key  string
	kind UpdateKind
}

var (
	messages = series{"messages", KindMessage}
	statuses = series{"statuses", KindStatus}
	echoes   = series{"message_echoes", KindEcho}
)

// contents says which arrays a value may hold, by field. They are independent:
// each may be missing, and several may come together. "statuses" are receipts
// of messages but under "calls", where they are steps of a call.
// https://developers.facebook.com/docs/whatsapp/webhooks/reference
var contents = map[string][]series{
	"messages":            {messages, statuses},
	"standby":             {messages, statuses, echoes},
	"smb_message_echoes":  {echoes},
	"message_echoes":      {echoes},
	"smb_app_state_sync":  {{"state_sync", KindContact}},
	"calls":               {{"calls", KindCall}, {"statuses", KindCall}},
	"user_preferences":    {{"user_preferences", KindPreference}},
	"messaging_handovers": {{"messaging_handovers", KindHandover}},
	"automatic_events":    {{"automatic_events", KindSignal}},
	"history":             {{"history", KindHistory}, {"messages", KindHistory}},
}

var groups = []series{{"groups", KindGroup}}

// contentsOf returns the arrays of a field, and nil for one whose value is an
// event as a whole.
func contentsOf(field string) []series {
	if strings.HasPrefix(field, "group_") {
		return groups
	}
	return contents[field]
}

func (s *splitter) value(u Update, raw []byte) {
	all, _ := members(raw)
	f := index(all)
	u.Number, u.Display = numberOf(f)
	known := contentsOf(u.Field)
	if known == nil {
		s.add(u, KindEvent, raw)
		return
	}
	n := &notice{series: known, elements: make([][][]byte, len(known))}
	n.left = n.read(all, u.Field == "standby")
	if u.Field == "messaging_handovers" {
		n.soleHandover()
	}
	if n.empty() {
		s.add(u, KindEvent, raw)
		return
	}
	s.notice(u, n)
}

// numberOf reads which business number a value is about. Account fields and
// handovers have no metadata.
func numberOf(f fields) (id, display string) {
	meta := f.object("metadata")
	if meta == nil {
		meta = f.object("standby").object("metadata")
	}
	if meta == nil {
		meta = f.object("recipient")
	}
	id, display = meta.text("phone_number_id"), meta.text("display_phone_number")
	if display == "" {
		display = f.text("display_phone_number")
	}
	return id, display
}

// notice adds what a value holds.
func (s *splitter) notice(u Update, n *notice) {
	pairs := newPairing(n.contacts, n.things())
	if u.Field == "calls" {
		n.explainCall()
	}
	for i, one := range n.series {
		for _, raw := range n.elements[i] {
			switch {
			case one.kind == KindHistory && one.key == "history":
				s.history(u, raw, pairs)
			case one.kind == KindHistory:
				s.historyMedia(u, raw, pairs)
			default:
				s.thing(u, one, raw, pairs)
			}
		}
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

// thing adds one element of a series with its contact.
func (s *splitter) thing(u Update, one series, raw []byte, pairs *pairing) {
	if !fits(one, raw) {
		s.add(u, KindEvent, only(one.key, raw))
		return
	}
	u.Kind = one.kind
	if len(pairs.raw) > 0 || one.kind == KindHandover {
		all, _ := members(raw)
		f := index(all)
		if u.Number == "" && one.kind == KindHandover {
			u.Number, u.Display = numberOf(f)
		}
		u.Contact = pairs.contactOf(u.customer(f))
	}
	s.add(u, one.kind, raw)
}

// fits tells whether an element is what its series is for. The phone's state
// has entries of the address book only, so far.
func fits(one series, raw []byte) bool {
	if !isObject(raw) {
		return false
	}
	if one.kind != KindContact {
		return true
	}
	all, _ := members(raw)
	return index(all).object("contact") != nil
}

// notice is a value, taken apart.
type notice struct {
	series           []series
	elements         [][][]byte // those of each series
	errors, contacts [][]byte
	left             []member
}

// read sorts the members of a value and returns those that have no place.
// Under "standby" the arrays are one level deeper.
func (n *notice) read(all []member, standby bool) (left []member) {
	for _, m := range all {
		values, isArray := elements(m.value)
		switch {
		case isArray && n.keep(m.key, values):
		case m.key == "messaging_product", m.key == "metadata" && isObject(m.value):
		case standby && m.key == "standby" && isObject(m.value):
			inner, _ := members(m.value)
			if rest := n.read(inner, false); len(rest) > 0 {
				m.raw = append([]byte(`"standby":`), object(rest)...)
				left = append(left, m)
			}
		default:
			left = append(left, m)
		}
	}
	return left
}

// keep adds the elements of an array to those of its series.
func (n *notice) keep(key string, values [][]byte) bool {
	for i, one := range n.series {
		if one.key == key {
			n.elements[i] = append(n.elements[i], values...)
			return true
		}
	}
	switch key {
	case "errors":
		n.errors = append(n.errors, values...)
	case "contacts":
		n.contacts = append(n.contacts, values...)
	default:
		return false
	}
	return true
}

// empty tells that there is nothing that a contact may belong to.
func (n *notice) empty() bool {
	for _, all := range n.elements {
		if len(all) > 0 {
			return false
		}
	}
	return len(n.errors) == 0
}

// things counts what a contact may belong to; it matters for a sole one.
func (n *notice) things() int {
	if len(n.contacts) != 1 {
		return 0
	}
	count := len(n.errors)
	for i, one := range n.series {
		for _, raw := range n.elements[i] {
			count++
			if one.key == "history" {
				threads, _ := elements(indexOf(raw)["threads"])
				count += len(threads)
			}
		}
	}
	return count
}

// soleHandover takes the value itself for a handover: that is how Meta sends
// them.
func (n *notice) soleHandover() {
	f := index(n.left)
	if f.text("type") == "" && f.object("sender") == nil {
		return
	}
	n.elements[0] = append(n.elements[0], object(n.left))
	n.left = nil
}

// explainCall moves the errors of a value into its only call, which they are
// about.
func (n *notice) explainCall() {
	if len(n.elements[0]) != 1 || len(n.elements[1]) > 0 || len(n.errors) == 0 {
		return
	}
	all, isObject := members(n.elements[0][0])
	if _, has := index(all)["errors"]; !isObject || has {
		return
	}
	n.elements[0][0] = object(append(all, arrayMember("errors", n.errors)))
	n.errors = nil
}

// indexOf reads the members of an object; nil for any other value.
func indexOf(raw []byte) fields {
	all, isObject := members(raw)
	if !isObject {
		return nil
	}
	return index(all)
}
