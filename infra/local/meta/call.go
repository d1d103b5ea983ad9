package meta

import (
	"encoding/base64"
	"errors"
	"time"
)

// Call is a voice call on the phone.
type Call struct {
	Out     bool   `json:"out"`     // the business calls
	State   string `json:"state"`   // ringing, completed, missed, rejected
	Seconds int    `json:"seconds"` // of talking
}

// Calling says how a call goes.
type Calling struct {
	Number string `json:"number"` // the business number; empty: the first
	Out    bool   `json:"out"`    // the business calls the customer
	// End is how it ends at once: completed, missed or rejected; empty: it rings until EndCall.
	End     string `json:"end"`
	Seconds int    `json:"seconds"` // of talking, if it is completed; a call with an End is over by now
}

// sdp is the least that a session description can be; the simulator carries no sound.
const sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"

// PlaceCall has a customer call the business, or be called by it. It returns the call's id.
// https://developers.facebook.com/docs/whatsapp/cloud-api/calling/user-initiated-calls
func (s *Simulator) PlaceCall(customer string, how Calling) (string, error) {
	if how.Number == "" {
		how.Number = s.opts.Numbers[0]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.byID[customer]
	if c == nil {
		return "", errNoCustomer
	}
	if !s.isNumber(how.Number) {
		return "", errNoNumber
	}
	if how.Seconds < 0 || how.End == "" && how.Seconds > 0 {
		return "", errors.New("only a call that is over has a duration")
	}
	m := s.message(c, how.Number)
	m.At = m.At.Add(-time.Duration(how.Seconds) * time.Second) // a call that is over by now began earlier
	m.ID = "wacid." + base64.RawURLEncoding.EncodeToString(random(24))
	m.Type, m.Business, m.Call = "call", how.Out, &Call{Out: how.Out, State: "ringing"}
	if how.Out {
		m.Status = "delivered"
	} else {
		s.hear(c, m)
	}
	s.keep(m)
	connect := s.call(c, m, "connect")
	connect["session"] = object{"sdp_type": "offer", "sdp": sdp}
	if how.Out {
		connect["session"] = object{"sdp_type": "answer", "sdp": sdp}
	}
	s.post(&update{Field: "calls", Number: m.Number, Customer: c.ID, Kind: "calls", ID: m.ID, Item: connect, Contact: s.contact(c, true)})
	if how.Out {
		s.callStatus(c, m, "RINGING")
	}
	if how.End == "" {
		return m.ID, nil
	}
	return m.ID, s.endCall(m, how.End, how.Seconds)
}

// EndCall ends a ringing call: completed after so many seconds of talking, missed or rejected.
func (s *Simulator) EndCall(id, end string, seconds int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.messages[id]
	if m == nil || m.Call == nil || m.Call.State != "ringing" {
		return errors.New("there is no such call")
	}
	return s.endCall(m, end, seconds)
}

func (s *Simulator) endCall(m *Message, end string, talked int) error {
	status := map[string]string{"completed": "COMPLETED", "missed": "FAILED", "rejected": "FAILED"}[end]
	if status == "" || talked < 0 {
		return errors.New("a call ends as completed, missed or rejected")
	}
	c := s.byID[m.Customer]
	ended := &Call{Out: m.Call.Out, State: end}
	if end == "completed" {
		ended.Seconds = talked
	}
	m.Call = ended
	if m.Call.Out && end != "missed" {
		s.callStatus(c, m, map[string]string{"completed": "ACCEPTED", "rejected": "REJECTED"}[end])
	}
	over := s.call(c, m, "terminate")
	over["status"], over["timestamp"] = status, seconds(s.opts.Now())
	if end == "completed" {
		over["start_time"] = seconds(m.At)
		over["end_time"] = seconds(m.At.Add(time.Duration(talked) * time.Second))
		over["duration"] = talked
	}
	s.show(m)
	s.post(&update{Field: "calls", Number: m.Number, Customer: c.ID, Kind: "calls", Item: over, Contact: s.contact(c, true)})
	return nil
}

// call is the object of an event of a call.
func (s *Simulator) call(c *Customer, m *Message, event string) object {
	from, to, direction := "from", "to", "USER_INITIATED"
	if m.Call.Out {
		from, to, direction = "to", "from", "BUSINESS_INITIATED"
	}
	call := object{"id": m.ID, to: s.displayNumber(m.Number), "event": event, "direction": direction,
		"timestamp": seconds(m.At), from + "_user_id": c.BSUID}
	if phone := s.told(c); phone != "" {
		call[from] = phone
	}
	return call
}

// callStatus posts how far a call of the business is.
func (s *Simulator) callStatus(c *Customer, m *Message, status string) {
	item := object{"id": m.ID, "type": "call", "status": status, "timestamp": seconds(s.opts.Now()), "recipient_user_id": c.BSUID}
	if phone := c.shared(); phone != "" {
		item["recipient_id"] = phone
	}
	s.post(&update{Field: "calls", Number: m.Number, Customer: c.ID, Kind: "statuses", Item: item})
}
