package meta

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// statusRank orders the states of a message; a receipt is issued only for a step up.
var statusRank = map[string]int{"accepted": 1, "sent": 2, "failed": 3, "delivered": 3, "read": 4, "played": 5}

// linkTimeout bounds the fetching of a file that the business sent by link.
const linkTimeout = 10 * time.Second

// schedule has a receipt issued after a while.
func (s *Simulator) schedule(message, status string, after time.Duration) {
	heap.Push(&s.state.Due, due{At: time.Now().Add(after), Message: message, Status: status})
	s.changed()
	ring(s.alarm)
}

// issueReceipts issues the receipts when they are due, until ctx ends.
func (s *Simulator) issueReceipts(ctx context.Context) {
	for {
		wait := time.Hour
		s.mu.Lock()
		for s.state.Due.Len() > 0 {
			if wait = time.Until(s.state.Due[0].At); wait > 0 {
				break
			}
			next := heap.Pop(&s.state.Due).(due)
			if m := s.messages[next.Message]; m.Link != "" {
				s.work.Go(func() { s.fetchLink(ctx, m) })
			} else {
				s.advance(m, next.Status)
			}
			wait = time.Hour
		}
		s.mu.Unlock()
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-s.alarm:
		case <-t.C:
		}
		t.Stop()
	}
}

// advance takes a message of the business one step further, reports that and plans the next step.
func (s *Simulator) advance(m *Message, status string) {
	if m.FailWith != 0 {
		status = "failed"
	}
	if statusRank[status] <= statusRank[m.Status] || m.Status == "failed" {
		return
	}
	m.Status = status
	switch {
	case status == "sent" && m.Type == "reaction":
		s.react(m) // a reaction has no other receipt
	case status == "sent":
		s.schedule(m.ID, "delivered", s.opts.Delays.Delivered)
	case status == "delivered" && s.opts.Delays.Read > 0:
		s.schedule(m.ID, "read", s.opts.Delays.Read)
	}
	switch {
	case m.Staff != "": // Meta tells the API nothing of what others wrote
	case m.Group != "":
		s.groupReceipts(m, s.groups[m.Group].Members)
	default:
		s.post(s.receipt(m, s.byID[m.Customer]))
	}
	s.show(m)
}

// react puts the emoji on the message that it is for.
func (s *Simulator) react(m *Message) {
	if target := s.messages[m.ReplyTo]; target != nil {
		target.Reaction = m.Text
		s.show(target)
	}
}

// receipt describes the present state of a message to a customer as a status object.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/messages/status
func (s *Simulator) receipt(m *Message, c *Customer) *update {
	status := object{"id": m.ID, "status": m.Status, "timestamp": seconds(s.opts.Now())}
	if m.Callback != "" {
		status["biz_opaque_callback_data"] = m.Callback
	}
	if m.ByPhone || c.shared() != "" && m.Status != "failed" {
		status["recipient_id"] = c.Phone
	}
	if !m.ByPhone || m.Status != "failed" {
		status["recipient_user_id"] = c.BSUID
	}
	if c.KeyHash != "" && m.Status != "failed" && s.state.Account.KeyCheck {
		status["recipient_identity_key_hash"] = c.KeyHash
	}
	u := &update{Field: s.fieldFor(c, m), Number: m.Number, Customer: c.ID, Kind: "statuses", Item: status}
	if m.Status == "failed" {
		status["errors"] = []object{(&graphError{Code: m.FailWith, Details: "The message was not delivered"}).asReceipt()}
		return u
	}
	u.Contact = s.contact(c, m.Status != "sent")
	if m.ByPhone {
		u.Contact["wa_id"] = c.Phone
	}
	if m.Status == "sent" || m.Status == "delivered" {
		price := object{"billable": true, "pricing_model": "PMP", "type": "regular", "category": m.Category}
		if m.Category == "service" {
			price["billable"], price["type"] = false, "free_customer_service"
		}
		status["pricing"] = price
	}
	return u
}

// contact is how webhooks name a customer.
func (s *Simulator) contact(c *Customer, username bool) object {
	profile := object{"name": c.Name}
	if c.Username != "" && username {
		profile["username"] = c.Username
	}
	contact := object{"profile": profile, "user_id": c.BSUID}
	if phone := s.told(c); phone != "" {
		contact["wa_id"] = phone
	}
	if c.ParentID != "" {
		contact["parent_user_id"] = c.ParentID
	}
	if c.KeyHash != "" && s.state.Account.KeyCheck {
		contact["identity_key_hash"] = c.KeyHash
	}
	return contact
}

// See is the customer looking at the chat with a business number, or at a group: what was delivered is now read.
func (s *Simulator) See(customer, chat string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.state.Messages {
		switch {
		case !m.Business || statusRank[m.Status] < statusRank["delivered"] || m.Status == "failed" || m.Call != nil:
		case m.Group != "" && m.Group == chat:
			s.seeInGroup(customer, m)
		case m.Group == "" && m.Customer == customer && m.Number == chat && m.Status == "delivered":
			s.advance(m, "read")
		}
	}
}

// seeInGroup reports, once, that one participant has read the message.
func (s *Simulator) seeInGroup(customer string, m *Message) {
	if !slices.Contains(s.groups[m.Group].Members, customer) || slices.Contains(m.ReadBy, customer) {
		return
	}
	m.ReadBy, m.Status = append(m.ReadBy, customer), "read"
	s.groupReceipts(m, []string{customer})
	s.show(m)
}

// Play is the customer playing a voice message of the business.
func (s *Simulator) Play(message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.messages[message]
	if m != nil && m.Business && m.Media != nil && m.Media.Voice && statusRank[m.Status] >= statusRank["delivered"] {
		s.advance(m, "played")
	}
}

// fetchLink gets the file that the business sent by link; when that does not work the message fails with 131053.
func (s *Simulator) fetchLink(ctx context.Context, m *Message) {
	s.mu.Lock()
	link, kind := m.Link, m.Media.Kind
	s.mu.Unlock()
	f, err := s.fetch(ctx, link, mediaKinds[kind])
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		s.schedule(m.ID, "sent", 0) // stopped halfway: again after the restart
		return
	}
	if m.Link = ""; err != nil {
		m.FailWith = 131053
	} else {
		f.Number = m.Number
		s.keepMedia(f)
		face := *m.Media // whoever reads the message has the old one
		face.ID, face.MIME, face.Size = f.ID, f.MIME, f.Size
		m.Media = &face
	}
	s.advance(m, "sent")
}

func (s *Simulator) fetch(ctx context.Context, link string, kind mediaKind) (*file, error) {
	ctx, cancel := context.WithTimeout(ctx, linkTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return nil, fmt.Errorf("fetch a link: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch a link: %w", err)
	}
	defer resp.Body.Close()
	mimeType := strings.TrimSpace(resp.Header.Get("Content-Type"))
	if resp.StatusCode != http.StatusOK || !kind.takes(mimeType) {
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
		return nil, errors.New("fetch a link: the answer is not a file of this kind")
	}
	f, err := s.store(resp.Body, kind.size)
	if err != nil {
		return nil, err
	}
	f.MIME = mimeType
	return f, nil
}
