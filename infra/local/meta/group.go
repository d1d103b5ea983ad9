package meta

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// mostMembers is how many customers a group has. https://developers.facebook.com/docs/whatsapp/cloud-api/groups
const mostMembers = 8

// Group is a group chat of the business with customers.
type Group struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Number  string    `json:"number"`
	Members []string  `json:"members"` // customers
	Heard   time.Time `json:"heard"`   // when a customer last wrote
}

// AddGroup makes a group of customers with the business. It returns the group's id.
func (s *Simulator) AddGroup(name, number string, members []string) (string, error) {
	if number == "" {
		number = s.opts.Numbers[0]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.isNumber(number):
		return "", errNoNumber
	case strings.TrimSpace(name) == "":
		return "", errors.New("please give the group a name")
	case len(members) < 1 || len(members) > mostMembers:
		return "", fmt.Errorf("a group has 1 to %d customers", mostMembers)
	case slices.ContainsFunc(members, func(id string) bool { return s.byID[id] == nil }):
		return "", errNoCustomer
	}
	g := &Group{ID: base64.RawURLEncoding.EncodeToString(random(40)), Name: strings.TrimSpace(name), Number: number, Members: members}
	s.state.Groups = append(s.state.Groups, g)
	s.groups[g.ID] = g
	s.tell("group", g)
	s.groupEvent(g, "group_lifecycle_update", object{"type": "group_create", "subject": g.Name, "request_id": digits(20)})
	s.groupEvent(g, "group_participants_update", object{"type": "group_participants_add", "reason": "invite_link",
		"added_participants": s.participants(members)})
	return g.ID, nil
}

// ChangeGroup adds or removes a customer.
func (s *Simulator) ChangeGroup(id, customer string, add bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.groups[id]
	if g == nil || s.byID[customer] == nil {
		return errors.New("there is no such group or customer")
	}
	if slices.Contains(g.Members, customer) == add || add && len(g.Members) == mostMembers {
		return errors.New("the group is full, or has no such member to remove")
	}
	what := object{"type": "group_participants_remove", "removed_participants": s.participants([]string{customer})}
	if add {
		g.Members = append(g.Members, customer)
		what = object{"type": "group_participants_add", "reason": "invite_link", "added_participants": s.participants([]string{customer})}
	} else {
		g.Members = slices.DeleteFunc(g.Members, func(m string) bool { return m == customer })
	}
	s.tell("group", g)
	s.groupEvent(g, "group_participants_update", what)
	return nil
}

func (s *Simulator) groupEvent(g *Group, field string, what object) {
	what["group_id"], what["timestamp"] = g.ID, seconds(s.opts.Now())
	s.post(&update{Field: field, Number: g.Number, Customer: g.ID, Kind: "groups", Item: what})
	s.changed()
}

func (s *Simulator) participants(members []string) []object {
	var list []object
	for _, id := range members {
		who := object{"user_id": s.byID[id].BSUID}
		if phone := s.byID[id].shared(); phone != "" {
			who["wa_id"] = phone
		}
		list = append(list, who)
	}
	return list
}

// intoGroup makes m a message of the group, unless the id is empty.
func (s *Simulator) intoGroup(m *Message, id string) error {
	if id == "" {
		return nil
	}
	g := s.groups[id]
	if g == nil || !slices.Contains(g.Members, m.Customer) {
		return errors.New("the customer is not in this group")
	}
	m.Group, m.Number = g.ID, g.Number
	return nil
}

// groupAddressee finds the group that the request names and checks what groups do not take.
func (s *Simulator) groupAddressee(q *sendRequest, m *Message) (object, *graphError) {
	g := s.groups[q.To]
	if g == nil || g.Number != q.number {
		return nil, &graphError{Code: 131020, Details: "There is no group with this id"}
	}
	if m.Type != "text" && m.Type != "template" && m.Type != "pin" && mediaKinds[m.Type].size == 0 {
		return nil, &graphError{Code: 131051, Details: "Groups take texts, files and templates"}
	}
	if m.Type != "template" && s.opts.Now().After(g.Heard.Add(serviceWindow)) {
		m.FailWith = 131047
	}
	m.Group, m.ByPhone = g.ID, false
	return object{"input": g.ID, "wa_id": g.ID}, nil
}

// groupReceipts describes the state of a message for each participant, or for one of them.
func (s *Simulator) groupReceipts(m *Message, members []string) {
	for _, id := range members {
		c := s.byID[id]
		u := s.receipt(m, c)
		delete(u.Item, "recipient_user_id")
		u.Item["recipient_type"], u.Item["recipient_id"] = "group", m.Group
		u.Item["recipient_participant_user_id"] = c.BSUID
		if phone := c.shared(); phone != "" {
			u.Item["recipient_participant_id"] = phone
		}
		u.Customer = m.Group
		s.post(u)
	}
}
