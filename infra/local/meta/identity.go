package meta

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// IdentityChange is something that makes a customer look different to the business.
type IdentityChange struct {
	// Change is one of identityChanges. With recycled somebody else gets the phone number, and nobody tells the business.
	Change   string `json:"change"`
	Number   string `json:"number"` // the business number that is told; empty: the first
	Phone    string `json:"phone"`
	Username string `json:"username"`
	Name     string `json:"name"`
	// Old has a change of number reported as before August 2026: from is the old number and there are no user ids.
	Old bool `json:"old"`
}

var identityChanges = []string{"number", "user-id", "username", "name", "hide", "show", "reinstall", "parent", "recycled"}

// ChangeIdentity changes who a customer seems to be, and tells the business what Meta tells it. It returns the customer,
// or with recycled the new owner of the number.
func (s *Simulator) ChangeIdentity(customer string, change IdentityChange) (Customer, error) {
	if change.Number == "" {
		change.Number = s.opts.Numbers[0]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.byID[customer]
	if c == nil {
		return Customer{}, errNoCustomer
	}
	var err error
	switch change.Change {
	case "number":
		err = s.changeNumber(c, change)
	case "user-id":
		s.changeUserID(c, change.Number)
	case "username":
		err = changeUsername(c, change.Username)
	case "name":
		if c.Name = strings.TrimSpace(change.Name); c.Name == "" {
			err = errors.New("please give the customer a name")
		}
	case "hide", "show":
		c.Hidden = change.Change == "hide"
	case "reinstall":
		s.reinstall(c, change.Number)
	case "parent":
		c.ParentID = newParentID(c.BSUID)
	case "recycled":
		c, err = s.recycle(c, change.Name)
	default:
		err = fmt.Errorf("%q is no change of an identity; known: %q", change.Change, identityChanges)
	}
	if err != nil {
		return Customer{}, err
	}
	s.tell("customer", c)
	s.changed()
	return c.copy(), nil
}

// changeNumber moves a customer to another phone number, which gives them another BSUID too.
func (s *Simulator) changeNumber(c *Customer, change IdentityChange) error {
	phone := punctuation.Replace(change.Phone)
	switch {
	case !phoneForm.MatchString(phone):
		return errors.New("a phone number has 7 to 15 digits, country code first")
	case s.byPhone[phone] != nil:
		return errors.New("another customer has this phone number")
	case c.Phone == "":
		return errors.New("this customer has no phone number that could change")
	}
	before := *c
	s.leave(c)
	c.Phone, c.BSUID = phone, newBSUID()
	s.index(c)
	if c.Hidden {
		s.system(c, change.Number, object{"type": "user_changed_user_id", "body": "User " + c.Name + " changed their user ID",
			"user_id": c.BSUID, "previous_user_id": before.BSUID}, nil)
		return nil
	}
	what := object{"type": "user_changed_number", "wa_id": c.Phone,
		"body": fmt.Sprintf("User %s changed from %s to %s", c.Name, before.Phone, c.Phone)}
	if change.Old {
		s.system(c, change.Number, what, func(item object) {
			item["from"] = before.Phone
			delete(item, "from_user_id")
		})
		return nil
	}
	what["user_id"], what["previous_user_id"] = c.BSUID, before.BSUID
	if c.ParentID != "" {
		c.ParentID = newParentID(c.BSUID)
		what["parent_user_id"], what["previous_parent_user_id"] = c.ParentID, before.ParentID
	}
	s.system(c, change.Number, what, nil)
	return nil
}

// changeUserID gives a customer another BSUID and leaves the rest.
func (s *Simulator) changeUserID(c *Customer, number string) {
	before := c.BSUID
	delete(s.byBSUID, before)
	c.BSUID = newBSUID()
	s.index(c)
	s.system(c, number, object{"type": "user_changed_user_id", "body": "User " + c.Name + " changed their user ID",
		"user_id": c.BSUID, "previous_user_id": before}, nil)
}

func changeUsername(c *Customer, name string) error {
	name = plainUsername(name)
	if name == "" && c.Phone == "" || name != "" && !usernameForm.MatchString(name) {
		return errors.New("a username has 3 to 35 letters, digits, dots or underscores")
	}
	c.Username = name
	return nil
}

// reinstall gives a customer another security key.
func (s *Simulator) reinstall(c *Customer, number string) {
	c.KeyHash = base64.StdEncoding.EncodeToString(random(8))
	now := s.opts.Now()
	s.system(c, number, object{"type": "customer_identity_changed", "body": "The security code of " + c.Name + " changed"},
		func(item object) {
			item["identity"] = object{"acknowledged": false, "created_timestamp": seconds(now), "hash": c.KeyHash}
		})
}

// recycle gives a customer's phone number to a new one, as operators do with numbers that nobody uses any more.
func (s *Simulator) recycle(c *Customer, name string) (*Customer, error) {
	if c.Phone == "" {
		return nil, errors.New("this customer has no phone number that somebody else could get")
	}
	if name = strings.TrimSpace(name); name == "" {
		name = fmt.Sprintf("Customer %d", len(s.state.Customers)+1)
	}
	next := &Customer{Name: name, Phone: c.Phone}
	c.Phone = ""
	if c.Username == "" {
		c.Username = fmt.Sprintf("without.number.%s", c.ID)
	}
	s.tell("customer", c)
	return s.join(next), nil
}

// leave forgets the identities of a customer: what is sent there from now on does not arrive.
func (s *Simulator) leave(c *Customer) {
	delete(s.byPhone, c.Phone)
	delete(s.byBSUID, c.BSUID)
	s.state.Gone = append(s.state.Gone, c.Phone, c.BSUID)
}

// system tells the business of a change. adjust changes the message object, unless it is nil.
func (s *Simulator) system(c *Customer, number string, what object, adjust func(object)) {
	m := s.message(c, number)
	m.Type, m.Notice = "system", what["body"].(string)
	item := s.inbound(c, m, what)
	if adjust != nil {
		adjust(item)
	}
	s.submit(c, m, item)
}

// newParentID returns the BSUID of a portfolio above the one that id belongs to.
func newParentID(id string) string {
	country, _, _ := strings.Cut(id, ".")
	return country + ".ENT." + digits(20)
}
