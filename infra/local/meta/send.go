package meta

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxRequest bounds the body of a send; Meta publishes no number.
const maxRequest = 1 << 20

const (
	serviceWindow = 24 * time.Hour
	readableFor   = 30 * 24 * time.Hour // older messages cannot be marked as read
	typingFor     = 25 * time.Second
)

// sendRequest is the body of POST /{number}/messages.
// https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
type sendRequest struct {
	Product       string `json:"messaging_product"`
	RecipientType string `json:"recipient_type"`
	To            string `json:"to"`
	Recipient     string `json:"recipient"`
	Type          string `json:"type"`
	Context       *struct {
		MessageID string `json:"message_id"`
	} `json:"context"`
	KeyHash   string `json:"recipient_identity_key_hash"`
	Callback  string `json:"biz_opaque_callback_data"`
	Status    string `json:"status"`
	MessageID string `json:"message_id"`
	Typing    *struct {
		Type string `json:"type"`
	} `json:"typing_indicator"`

	number    string
	marketing bool            // sent to the endpoint for marketing messages
	content   json.RawMessage // the object under the name of the type
}

// postMessage accepts a message of the business, or its mark that it has read one.
func (s *Simulator) postMessage(w http.ResponseWriter, r *http.Request) *graphError {
	if node := r.PathValue("node"); !s.isNumber(node) {
		return unknownObject(node)
	}
	req, bad := readRequest(w, r)
	if bad != nil {
		return bad
	}
	if req.Status != "" {
		return s.markRead(w, req)
	}
	return s.take(w, r, req)
}

// postMarketing accepts a message of the business through the endpoint for marketing, which takes templates only.
// https://developers.facebook.com/docs/whatsapp/marketing-messages-lite-api
func (s *Simulator) postMarketing(w http.ResponseWriter, r *http.Request) *graphError {
	if node := r.PathValue("node"); !s.isNumber(node) {
		return unknownObject(node)
	}
	req, bad := readRequest(w, r)
	if bad != nil {
		return bad
	}
	if req.marketing = true; req.Type != "template" {
		return &graphError{Code: 131055, Details: "Only marketing templates are sent here"}
	}
	return s.take(w, r, req)
}

// take accepts a message and answers, or does what the trouble says that is switched on.
func (s *Simulator) take(w http.ResponseWriter, r *http.Request, req *sendRequest) *graphError {
	if bad := req.checkCommon(); bad != nil {
		return bad
	}
	answerBody, fault, bad := s.accept(req)
	if bad != nil {
		return bad
	}
	switch fault.Send {
	case "error-after":
		return &graphError{Code: 131000, Details: "Switched on for a test: the message was accepted nevertheless"}
	case "drop-after":
		panic(http.ErrAbortHandler)
	case "slow":
		pause(r.Context(), fault.wait())
	}
	answer(w, http.StatusOK, answerBody)
	return nil
}

func readRequest(w http.ResponseWriter, r *http.Request) (*sendRequest, *graphError) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		return nil, badParam("The body could not be read or is too large")
	}
	req := sendRequest{number: r.PathValue("node"), Type: "text", RecipientType: "individual"}
	var all map[string]json.RawMessage
	if json.Unmarshal(body, &req) != nil || json.Unmarshal(body, &all) != nil {
		return nil, badParam("The body is not a JSON object of the documented shape")
	}
	req.content = all[req.Type]
	if req.Product != "whatsapp" {
		return nil, badParam("The parameter messaging_product is required and must be 'whatsapp'")
	}
	return &req, nil
}

func (q *sendRequest) checkCommon() *graphError {
	switch {
	case q.RecipientType != "individual" && q.RecipientType != "group":
		return badParam("Param recipient_type must be one of {INDIVIDUAL, GROUP}")
	case q.To == "" && q.Recipient == "":
		return badParam("The parameter to or recipient is required")
	case q.To == "" && !bsuidForm.MatchString(q.Recipient):
		return badValue("recipient is not a business-scoped user ID")
	case len(q.Callback) > 512:
		return badParam("Param biz_opaque_callback_data must be at most 512 characters long")
	case q.Context != nil && q.Type == "reaction":
		return badParam("context is not allowed on a reaction")
	}
	return nil
}

// accept checks everything that depends on what Meta knows, and takes the message over. What it returns is the body of
// the answer.
func (s *Simulator) accept(q *sendRequest) (object, Faults, *graphError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	draft := &Message{ID: newWAMID(), Number: q.number, Business: true, At: s.opts.Now(), Type: q.Type,
		Callback: q.Callback, Category: "service", Status: "accepted", ByPhone: q.To != ""}
	if bad := first(s.obstacle(q.number, q.Type == "template"), s.checkContent(q, draft)); bad != nil {
		return nil, Faults{}, bad
	}
	if q.marketing && draft.Category != "marketing" {
		return nil, Faults{}, &graphError{Code: 131055, Details: "Only marketing templates are sent here"}
	}
	if q.Context != nil {
		draft.ReplyTo = q.Context.MessageID
	}
	fault := s.sendFault()
	if fault.Send == "refuse" {
		return nil, fault, &graphError{Code: fault.Code, Details: "Switched on for a test"}
	}
	if fault.Send == "fail-later" {
		draft.FailWith = fault.Code
	}
	if bad := s.pace(q); bad != nil {
		return nil, fault, bad
	}
	done := object{"messaging_product": "whatsapp", "messages": []object{{"id": draft.ID, "message_status": "accepted"}}}
	if bsuidForm.MatchString(q.To) && q.RecipientType == "individual" {
		// As in reality: accepted, and never heard of again. https://github.com/chatwoot/chatwoot/issues/15150
		done["contacts"] = []object{{"input": q.To, "wa_id": q.To}}
		return done, fault, nil
	}
	contact, bad := s.address(q, draft, fault)
	if bad != nil {
		return nil, fault, bad
	}
	done["contacts"] = []object{contact}
	s.keep(draft)
	s.schedule(draft.ID, "sent", s.opts.Delays.Sent)
	return done, fault, nil
}

// address gives the message its chat, unless something is in the way. The object is how the answer names it.
func (s *Simulator) address(q *sendRequest, m *Message, fault Faults) (object, *graphError) {
	if q.RecipientType == "group" {
		return s.groupAddressee(q, m)
	}
	c, contact, bad := s.addressee(q)
	if bad != nil {
		return nil, bad
	}
	if bad := s.checkWindow(c, m); bad != nil {
		if fault.Window != "late" {
			return nil, bad
		}
		m.FailWith = bad.Code
	}
	if q.KeyHash != "" && c.KeyHash != q.KeyHash {
		return nil, &graphError{Code: 137000, Details: "The security key of the customer is another one"}
	}
	if c.Stopped && m.Category == "marketing" {
		m.FailWith = 131050
	}
	if slices.Contains(s.state.Gone, q.Recipient+punctuation.Replace(q.To)) {
		m.FailWith = 131026
	}
	m.Customer = c.ID
	c.Typing = time.Time{}
	if s.fieldFor(c, m) == "standby" && m.Type != "template" {
		s.passControl(c, m.Number, "control_taken", humanRole, "")
	}
	return contact, nil
}

// addressee finds the customer whom the request names, and adds a stranger to the list. The object is how the answer
// names them.
func (s *Simulator) addressee(q *sendRequest) (*Customer, object, *graphError) {
	if q.To == "" {
		c := s.byBSUID[q.Recipient]
		if c == nil {
			c = s.join(&Customer{Name: "Customer without a number", BSUID: q.Recipient, Unseen: true})
		}
		return c, object{"input": q.Recipient, "user_id": c.BSUID}, nil
	}
	phone := punctuation.Replace(q.To)
	if !strings.HasPrefix(strings.TrimSpace(q.To), "+") && !strings.HasPrefix(phone, "1") {
		phone = "1" + phone // without a plus, Meta puts the business number's own country code in front
	}
	if !phoneForm.MatchString(phone) {
		return nil, nil, badValue("to is not a phone number")
	}
	if phone == s.displayNumber(q.number) {
		return nil, nil, &graphError{Code: 131021, Details: "Recipient and sender are the same number"}
	}
	c := s.byPhone[phone]
	if c == nil {
		c = s.join(&Customer{Name: "+" + phone, Phone: phone, Unseen: true})
	}
	return c, object{"input": q.To, "wa_id": c.Phone}, nil
}

// checkWindow lets free-form messages through for 24 hours after the customer's last message, templates always.
func (s *Simulator) checkWindow(c *Customer, m *Message) *graphError {
	if m.Category == "authentication" && !m.ByPhone {
		return &graphError{Code: 131062, Details: "One-time codes need the phone number"}
	}
	if m.Type == "template" || c.Unseen {
		return nil
	}
	if heard, ok := c.Heard[m.Number]; ok && s.opts.Now().Before(heard.Add(serviceWindow)) {
		return nil
	}
	return &graphError{Code: 131047, Details: "More than 24 hours have passed since the customer last wrote to this number"}
}

// markRead turns the customer's ticks blue up to the message named, and shows "typing" if asked to.
func (s *Simulator) markRead(w http.ResponseWriter, q *sendRequest) *graphError {
	if q.Status != "read" {
		return badParam("Param status must be one of {READ}")
	}
	if q.MessageID == "" {
		return missing("message_id")
	}
	if q.Typing != nil && q.Typing.Type != "text" {
		return badParam("Param typing_indicator['type'] must be one of {TEXT}")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.messages[q.MessageID]
	unknown := last == nil || last.Business || last.Number != q.number
	if unknown || last.At.Before(s.opts.Now().Add(-readableFor)) {
		return badValue("message_id is not a message that this number received in the last 30 days")
	}
	for _, m := range s.state.Messages {
		if m.chat() == last.chat() && m.Number == last.Number && !m.Business && m.Seq <= last.Seq && m.Status != "read" {
			m.Status, m.Problem = "read", ""
			s.show(m)
		}
	}
	if c := s.byID[last.Customer]; q.Typing != nil && last.Group == "" {
		c.Typing = s.opts.Now().Add(typingFor)
		s.tell("typing", object{"customer": last.Customer, "number": last.Number})
	}
	answer(w, http.StatusOK, object{"success": true})
	return nil
}
