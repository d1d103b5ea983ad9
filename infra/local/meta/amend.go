package meta

import (
	"errors"
	"time"
)

// How long an own message can be changed. https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/messages/edit
const (
	editableFor  = 15 * time.Minute
	revocableFor = 2 * 24 * time.Hour
)

// React puts a customer's emoji on a message of the business; an empty one takes it away. It returns the id of the
// reaction.
func (s *Simulator) React(customer, message, emoji string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.byID[customer]
	if c == nil {
		return "", errNoCustomer
	}
	target, err := s.theirs(c, message, true)
	if err != nil {
		return "", err
	}
	target.Reaction = emoji
	s.show(target)
	m := s.message(c, target.Number)
	m.Type, m.ReplyTo, m.Text, m.Group = "reaction", target.ID, emoji, target.Group
	content := object{"message_id": target.ID}
	if emoji != "" {
		content["emoji"] = emoji // a removal has none
	}
	s.submit(c, m, s.inbound(c, m, content))
	return m.ID, nil
}

// Edit changes the text or caption of a customer's message. Where the number is used in the WhatsApp Business app too,
// the business is told; elsewhere it gets an unsupported message. It returns the id of the edit.
func (s *Simulator) Edit(customer, message, text string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.byID[customer]
	if c == nil {
		return "", errNoCustomer
	}
	target, err := s.theirs(c, message, false)
	if err != nil {
		return "", err
	}
	content, err := s.edit(target, text)
	if err != nil {
		return "", err
	}
	m := s.message(c, target.Number)
	m.Type, m.ReplyTo, m.Group = "edit", target.ID, target.Group
	item := s.inbound(c, m, content)
	if !s.line(m.Number).App {
		m.Type = "edit"
		delete(item, "edit")
		item["type"], item["unsupported"] = "unsupported", object{"type": "edit"}
		item["errors"] = []object{unsupportedError(object{})}
	}
	s.submit(c, m, item)
	return m.ID, nil
}

// edit changes a message and returns the object that says so.
func (s *Simulator) edit(target *Message, text string) (object, error) {
	if target.Deleted || target.Type != "text" && target.Media == nil {
		return nil, errors.New("only a text or a caption can be edited")
	}
	if s.opts.Now().After(target.At.Add(editableFor)) {
		return nil, errors.New("a message can be edited for 15 minutes")
	}
	again := Message{Number: target.Number, Face: Face{Text: text}}
	var content any
	var err error
	if target.Media == nil {
		content, err = composeText(&again, text)
	} else if f := s.liveMedia(target.Media.ID); f != nil {
		content, err = s.composeMedia(&again, f, false)
	} else {
		err = errors.New("the file is not there any more")
	}
	if err != nil {
		return nil, err
	}
	target.Text, target.Edited = text, true
	s.show(target)
	return object{"original_message_id": target.ID,
		"message": object{"type": again.Type, again.Type: content, "context": object{"id": "M0"}}}, nil
}

// Revoke deletes a customer's message for everybody. Where the number is used in the WhatsApp Business app too, the
// business is told; elsewhere it hears nothing and the id is empty.
func (s *Simulator) Revoke(customer, message string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.byID[customer]
	if c == nil {
		return "", errNoCustomer
	}
	target, err := s.theirs(c, message, false)
	if err != nil {
		return "", err
	}
	content, err := s.revoke(target)
	if err != nil || !s.line(target.Number).App {
		return "", err
	}
	m := s.message(c, target.Number)
	m.Type, m.ReplyTo, m.Group = "revoke", target.ID, target.Group
	s.submit(c, m, s.inbound(c, m, content))
	return m.ID, nil
}

// revoke deletes a message and returns the object that says so.
func (s *Simulator) revoke(target *Message) (object, error) {
	if target.Deleted || s.opts.Now().After(target.At.Add(revocableFor)) {
		return nil, errors.New("a message can be deleted once, for two days")
	}
	target.Deleted, target.Face = true, Face{}
	s.show(target)
	return object{"original_message_id": target.ID}, nil
}
