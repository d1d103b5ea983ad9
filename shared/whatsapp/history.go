package whatsapp

import "encoding/json"

// chunk is the most messages that one update of a history holds.
const chunk = 100

// History is a part of what was said before the business number was connected:
// up to 100 messages of one thread.
// https://developers.facebook.com/docs/whatsapp/webhooks/reference/history
type History struct {
	Thread   string   // the customer's WhatsApp id or BSUID; empty where Media doesn't tell
	Customer Identity // the same, with what came along
	Phase    int      // 0: the last day, 1: the last 90 days, 2: before
	Chunk    int      // its number; chunks come in any order
	Progress int      // of the whole import, in percent
	Messages []HistoryMessage
	Media    bool // the only message has the file that an earlier one left out
}

// HistoryMessage is a message of either side.
type HistoryMessage struct {
	Message
	FromBusiness bool
	Status       string // READ, DELIVERED, SENT, PLAYED, PENDING or ERROR
}

// ParseHistory reads an update of [KindHistory]. The type of a message whose
// file comes later, or never, is "media_placeholder". What is no message is
// left out; the only error is [ErrNotObject].
func ParseHistory(u Update) (History, error) {
	f, ok := read(u.Body)
	if !ok {
		return History{}, ErrNotObject
	}
	business := digits(u.Display)
	contact, _ := read(u.Contact)
	h := History{Customer: historyIdentity(f, business).completedBy(contactIdentity(contact))}
	h.Thread = firstOf(h.Customer.WAID, h.Customer.BSUID)
	if id := f.text("id"); id != "" {
		h.Thread = firstOf(identify(id, "").WAID, identify(id, "").BSUID)
	}
	if meta := f.object("metadata"); meta != nil {
		h.Phase, h.Chunk, h.Progress = int(meta.integer("phase")), int(meta.integer("chunk_order")), int(meta.integer("progress"))
	}
	list := f.list("messages")
	if media := f.list("media"); len(list) == 0 && len(media) > 0 {
		list, h.Media = media, true
	}
	for _, raw := range list {
		if o, isObject := read(raw); isObject {
			h.Messages = append(h.Messages, historyMessage(o, raw, h.Customer, business))
		}
	}
	return h, nil
}

func historyMessage(f fields, raw json.RawMessage, customer Identity, business string) HistoryMessage {
	m := HistoryMessage{Message: readMessage(f, raw), Status: f.object("history_context").text("status")}
	m.FromBusiness = fromBusiness(f, customer, business)
	if m.FromBusiness {
		m.To = echoIdentity(f).completedBy(customer)
	} else {
		m.From = m.From.completedBy(customer)
	}
	return m
}

// fromBusiness tells who wrote a message of a thread. Meta names the sender by
// number, and the recipient in what the business sent only.
func fromBusiness(f fields, customer Identity, business string) bool {
	from := senderIdentity(f)
	switch {
	case f.object("history_context").flag("from_me"):
		return true
	case from.WAID != "" && business != "":
		return digits(from.WAID) == business
	case echoIdentity(f).Known():
		return true
	case from.BSUID != "" && customer.BSUID != "":
		return from.BSUID != customer.BSUID
	}
	return from.WAID != "" && customer.WAID != "" && from.WAID != customer.WAID
}

// historyIdentity reads whose thread it is.
func historyIdentity(f fields, business string) Identity {
	if media := f.objects("media"); len(media) > 0 {
		if fromBusiness(media[0], Identity{}, business) {
			return echoIdentity(media[0])
		}
		return senderIdentity(media[0])
	}
	id := identify(f.text("id"), f.text("user_id"))
	return id.completedBy(contactIdentity(f)).completedBy(contactIdentity(f.object("context")))
}

// history takes one element of a history apart, by thread and then in chunks.
func (s *splitter) history(u Update, raw []byte, pairs *pairing) {
	all, isObject := members(raw)
	if !isObject {
		s.add(u, KindEvent, only("history", raw))
		return
	}
	var meta, left []member
	var threads, problems [][]byte
	for _, m := range all {
		values, isArray := elements(m.value)
		switch {
		case m.key == "metadata":
			meta = append(meta, m)
		case m.key == "threads" && isArray:
			threads = append(threads, values...)
		case m.key == "errors" && isArray:
			problems = append(problems, values...)
		default:
			left = append(left, m)
		}
	}
	told := false
	for _, t := range threads {
		told = s.thread(u, meta, t, pairs) || told
	}
	for _, e := range problems {
		s.add(u, KindEvent, only("errors", e))
	}
	if !told {
		left = append(meta, left...)
	}
	if len(left) > 0 || len(threads)+len(problems) == 0 {
		s.add(u, KindEvent, only("history", object(left)))
	}
}

// thread adds the messages of one thread, each chunk with what tells whose they
// are and how far the import is. It returns false if there are none.
func (s *splitter) thread(u Update, meta []member, raw []byte, pairs *pairing) bool {
	all, _ := members(raw)
	head := append(make([]member, 0, len(meta)+len(all)+1), meta...)
	var good, odd [][]byte
	var left []member
	for _, m := range all {
		values, isArray := elements(m.value)
		switch {
		case m.key == "messages" && isArray:
			for _, v := range values {
				if isObject(v) {
					good = append(good, v)
				} else {
					odd = append(odd, v)
				}
			}
		case m.key == "id", m.key == "wa_id", m.key == "user_id", m.key == "parent_user_id", m.key == "context":
			head = append(head, m)
		default:
			left = append(left, m)
		}
	}
	if len(good) == 0 {
		s.add(u, KindEvent, only("threads", raw))
		return false
	}
	u.Kind = KindHistory
	u.Contact = pairs.contactOf(u.customer(index(head)))
	for ; len(good) > chunk; good = good[chunk:] {
		s.add(u, KindHistory, object(append(head, arrayMember("messages", good[:chunk]))))
	}
	s.add(u, KindHistory, object(append(head, arrayMember("messages", good))))
	u.Contact = nil
	for _, v := range odd {
		s.add(u, KindEvent, only("messages", v))
	}
	if len(left) > 0 {
		s.add(u, KindEvent, only("threads", object(left)))
	}
	return true
}

// historyMedia adds a message that brings the file which its thread left out.
func (s *splitter) historyMedia(u Update, raw []byte, pairs *pairing) {
	if !isObject(raw) {
		s.add(u, KindEvent, only("messages", raw))
		return
	}
	u.Kind = KindHistory
	body := only("media", raw)
	f, _ := read(body)
	u.Contact = pairs.contactOf(u.customer(f))
	s.add(u, KindHistory, body)
}
