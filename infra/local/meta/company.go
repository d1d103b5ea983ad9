package meta

import (
	"errors"
	"slices"
	"strings"
)

// The two owners that a conversation has while Meta's agent is on.
const (
	agentRole = "ai_agent"
	humanRole = "escalation"
)

// Echo is what somebody of the company writes without the API: exactly one of Text, Sample, Edit and Revoke.
type Echo struct {
	Customer string `json:"customer"`
	Number   string `json:"number"` // the business number; empty: the first
	// By is app, staff in the WhatsApp Business app, or agent, Meta's agent; empty: app.
	By     string `json:"by"`
	Text   string `json:"text"`
	Sample string `json:"sample"`   // photo, document or voice
	Edit   string `json:"edit"`     // a message that staff wrote, whose text becomes Text
	Revoke string `json:"revoke"`   // a message that staff wrote
	Answer string `json:"reply_to"` // the message that this answers
}

// WriteAsCompany has a message of the company appear on the customer's phone, and tells the API about it. It returns
// the id of the message, or of what changes one.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/smb_message_echoes
func (s *Simulator) WriteAsCompany(e Echo) (string, error) {
	if e.Number == "" {
		e.Number = s.opts.Numbers[0]
	}
	if e.By == "" {
		e.By = "app"
	}
	var upload *file
	if e.Sample != "" {
		f, err := s.sampleFile(e.Sample, e.Number)
		if err != nil {
			return "", err
		}
		upload = f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.byID[e.Customer]
	switch {
	case c == nil:
		return "", errNoCustomer
	case !s.isNumber(e.Number):
		return "", errNoNumber
	case e.By != "app" && e.By != "agent":
		return "", errors.New("by is app or agent")
	case e.By == "app" && !s.line(e.Number).App:
		return "", errors.New("this number is not used in the WhatsApp Business app")
	}
	m := s.message(c, e.Number)
	m.Business, m.Staff, m.Status, m.Category, m.ReplyTo = true, e.By, "delivered", "service", e.Answer
	content, err := s.composeEcho(m, e, upload)
	if err != nil {
		return "", err
	}
	item := object{"from": s.displayNumber(m.Number), "id": m.ID, "timestamp": seconds(m.At), "type": m.Type, m.Type: content,
		"to_user_id": c.BSUID}
	if phone := c.shared(); phone != "" {
		item["to"] = phone
	}
	if about := s.context(m, nil); about != nil && e.Answer != "" {
		item["context"] = about
	}
	s.keep(m)
	u := &update{Field: "smb_message_echoes", Number: m.Number, Customer: c.ID, Kind: "message_echoes", Item: item}
	if e.By == "agent" {
		u.Field = "standby"
	}
	s.post(u)
	return m.ID, nil
}

func (s *Simulator) composeEcho(m *Message, e Echo, upload *file) (any, error) {
	id := e.Edit + e.Revoke
	if id == "" && upload == nil {
		return composeText(m, e.Text)
	}
	if id == "" {
		s.keepMedia(upload)
		m.Text = e.Text
		return s.composeMedia(m, upload, e.Sample == "voice")
	}
	target := s.messages[id]
	if target == nil || target.Staff != e.By || target.Customer != m.Customer {
		return nil, errors.New("nobody of the company wrote this message there")
	}
	m.ReplyTo = target.ID
	if e.Edit != "" {
		m.Type = "edit"
		return s.edit(target, e.Text)
	}
	m.Type = "revoke"
	return s.revoke(target)
}

// SavedContact is an entry of the address book of the company's telephone.
type SavedContact struct {
	Phone   string `json:"phone"`
	Name    string `json:"name"`
	First   string `json:"first_name"`
	Removed bool   `json:"removed"`
}

// SyncContacts tells the API of entries of the address book, all in one POST if they are few.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/smb_app_state_sync
func (s *Simulator) SyncContacts(number string, list []SavedContact) error {
	if number == "" {
		number = s.opts.Numbers[0]
	}
	if len(list) == 0 || !s.isNumber(number) {
		return errors.New("there is nothing to tell, or no such business number")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, saved := range list {
		phone := punctuation.Replace(saved.Phone)
		if !phoneForm.MatchString(phone) {
			return errors.New("a phone number has 7 to 15 digits, country code first")
		}
		contact, action := object{"phone_number": phone}, "remove"
		if !saved.Removed {
			action = "add"
			contact["full_name"] = strings.TrimSpace(saved.Name)
			contact["first_name"], _, _ = strings.Cut(strings.TrimSpace(saved.Name), " ")
			if saved.First != "" {
				contact["first_name"] = saved.First
			}
		}
		s.post(&update{Field: "smb_app_state_sync", Number: number, Customer: "address book", Kind: "state_sync",
			Item: object{"type": "contact", "contact": contact, "action": action, "metadata": object{"timestamp": seconds(s.opts.Now())}}})
	}
	return nil
}

// Prefer is a customer's wish about marketing messages: stop or resume.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/user_preferences
func (s *Simulator) Prefer(customer, number, value string) error {
	if number == "" {
		number = s.opts.Numbers[0]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.byID[customer]
	switch {
	case c == nil:
		return errNoCustomer
	case value != "stop" && value != "resume":
		return errors.New("a customer stops marketing messages, or resumes them")
	}
	c.Stopped = value == "stop"
	wish := object{"user_id": c.BSUID, "detail": "User requested to " + value + " marketing messages",
		"category": "marketing_messages", "value": value, "timestamp": s.opts.Now().Unix()}
	if phone := c.shared(); phone != "" {
		wish["wa_id"] = phone
	}
	s.tell("customer", c)
	s.post(&update{Field: "user_preferences", Number: number, Customer: c.ID, Kind: "user_preferences", Item: wish, Contact: s.contact(c, true)})
	return nil
}

// SetAgent switches Meta's own agent on or off. While it is on, what concerns a conversation that it owns is reported
// under standby. https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/standby
func (s *Simulator) SetAgent(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Account.Agent = on
	for _, c := range s.state.Customers {
		c.Owner = ""
	}
	s.tellCompany()
}

// HandOver passes a conversation to Meta's agent (ai_agent) or to people (escalation).
func (s *Simulator) HandOver(customer, number, to, note string) error {
	if number == "" {
		number = s.opts.Numbers[0]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.byID[customer]
	switch {
	case c == nil:
		return errNoCustomer
	case !s.state.Account.Agent:
		return errors.New("the agent of Meta is not on")
	case !slices.Contains([]string{agentRole, humanRole}, to) || owner(c) == to:
		return errors.New("a conversation goes to ai_agent or escalation, whichever has it not")
	}
	s.passControl(c, number, "control_passed", to, note)
	return nil
}

func owner(c *Customer) string {
	if c.Owner == "" {
		return agentRole
	}
	return c.Owner
}

// passControl makes a conversation somebody else's and tells the business.
func (s *Simulator) passControl(c *Customer, number, how, to, note string) {
	roles := object{"previous_owner_role": owner(c), "new_owner_role": to}
	if note != "" {
		roles["metadata"] = note
	}
	c.Owner = to
	sender := object{"user_id": c.BSUID}
	if phone := c.shared(); phone != "" {
		sender["phone_number"] = phone
	}
	recipient := s.metadata(number)
	s.tell("customer", c)
	s.post(&update{Field: "messaging_handovers", Number: number, Customer: c.ID, Item: object{"sender": sender,
		"recipient": recipient, "type": how, "timestamp": seconds(s.opts.Now()), how: roles}})
}

// fieldFor is the webhook field that reports what happens in the chat of m: standby while Meta's agent owns it.
func (s *Simulator) fieldFor(c *Customer, m *Message) string {
	if s.state.Account.Agent && m.Group == "" && owner(c) == agentRole {
		return "standby"
	}
	return ""
}
