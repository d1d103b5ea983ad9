package meta

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Customer is a person on WhatsApp.
type Customer struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Phone    string `json:"phone"`    // digits with country code; empty: hidden, as people with a username may
	Username string `json:"username"` // without @
	BSUID    string `json:"bsuid"`
	// Unseen is true of a customer known only because the business wrote to them: their window counts as open.
	Unseen bool `json:"unseen"`
	// Heard has, per business number, when the customer last wrote: the service window counts from there.
	Heard map[string]time.Time `json:"heard"`
}

// Message is one message of a chat between a customer and a business number.
type Message struct {
	ID       string    `json:"id"`
	Seq      int64     `json:"seq"` // the order in which Meta accepted them
	Number   string    `json:"number"`
	Customer string    `json:"customer"`
	Business bool      `json:"business"` // sent by the business
	At       time.Time `json:"at"`
	Type     string    `json:"type"` // Meta's
	Face
	ReplyTo  string `json:"reply_to,omitempty"`
	Answered string `json:"answered,omitempty"` // the option that the customer chose
	Reaction string `json:"reaction,omitempty"` // the other side's, to this message
	// Status is, of the business' message, accepted, sent, delivered, read, played or failed; of the customer's,
	// accepted (Meta has it), delivered (the webhook answered 200) or read (the business marked it as read).
	Status  string `json:"status"`
	Problem string `json:"problem,omitempty"` // why a customer's message has not reached the business

	Callback string // biz_opaque_callback_data
	Category string // of the price: service, utility, marketing, authentication
	ByPhone  bool   // the business addressed a phone number, not a BSUID
	FailWith int    // the error code with which the message fails, instead of being sent
	Link     string // of a media message sent by link, until it is fetched
}

// Face is what a message looks like on the phone.
type Face struct {
	Header  string     `json:"header,omitempty"`
	Text    string     `json:"text,omitempty"`
	Footer  string     `json:"footer,omitempty"`
	Media   *MediaFace `json:"media,omitempty"`
	Place   *Place     `json:"place,omitempty"`
	Menu    string     `json:"menu,omitempty"` // the label that opens a list of options
	Options []Option   `json:"options,omitempty"`
	URL     string     `json:"url,omitempty"` // of a button that opens a page
	URLText string     `json:"url_text,omitempty"`
}

// MediaFace is a file in a message.
type MediaFace struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"` // image, video, audio, document, sticker
	MIME  string `json:"mime"`
	Name  string `json:"name,omitempty"`
	Size  int64  `json:"size"`
	Voice bool   `json:"voice,omitempty"`
}

// Place is a location.
type Place struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name,omitempty"`
	Address   string  `json:"address,omitempty"`
}

// Option is an answer that the business offers.
type Option struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Section     string `json:"section,omitempty"`
	// Kind is how the answer is reported: button_reply, list_reply, button (of a template) or location.
	Kind string `json:"kind"`
}

var (
	bsuidForm    = regexp.MustCompile(`^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$`)
	phoneForm    = regexp.MustCompile(`^[1-9][0-9]{6,14}$`)
	usernameForm = regexp.MustCompile(`^[a-z0-9._]{3,35}$`)
	punctuation  = strings.NewReplacer("+", "", " ", "", "-", "", "(", "", ")", "", ".", "")
)

// AddCustomer makes a customer from a name and a phone number, a username or both. The phone may be written with +,
// spaces, hyphens and brackets. The error says what is wrong in words for the page.
func (s *Simulator) AddCustomer(name, phone, username string) (Customer, error) {
	phone = punctuation.Replace(phone)
	username = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(username), "@"))
	name = strings.TrimSpace(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case name == "":
		return Customer{}, fmt.Errorf("please give the customer a name")
	case phone == "" && username == "":
		return Customer{}, fmt.Errorf("a customer without a phone number needs a username")
	case phone != "" && !phoneForm.MatchString(phone):
		return Customer{}, fmt.Errorf("a phone number has 7 to 15 digits, country code first")
	case username != "" && !usernameForm.MatchString(username):
		return Customer{}, fmt.Errorf("a username has 3 to 35 letters, digits, dots or underscores")
	case phone != "" && s.byPhone[phone] != nil:
		return Customer{}, fmt.Errorf("another customer has this phone number")
	}
	c := s.join(&Customer{Name: name, Phone: phone, Username: username})
	s.changed()
	return *c, nil
}

// Customers lists all customers, the oldest first.
func (s *Simulator) Customers() []Customer {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Customer, 0, len(s.state.Customers))
	for _, c := range s.state.Customers {
		list = append(list, *c)
	}
	return list
}

// Messages returns what the customer's phone shows, in order: a message of the business from its delivery on.
func (s *Simulator) Messages(customer string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Message
	for _, m := range s.state.Messages {
		if m.Customer == customer && m.visible() {
			list = append(list, *m)
		}
	}
	return list
}

// visible tells whether the phone shows the message: reactions are shown on the message they refer to.
func (m *Message) visible() bool {
	if m.Type == "reaction" {
		return false
	}
	return !m.Business || statusRank[m.Status] >= statusRank["delivered"]
}

// join gives a customer ids and a place in the list.
func (s *Simulator) join(c *Customer) *Customer {
	c.ID = fmt.Sprintf("c%d", len(s.state.Customers)+1)
	if c.BSUID == "" {
		c.BSUID = newBSUID()
	}
	s.state.Customers = append(s.state.Customers, c)
	s.index(c)
	s.tell("customer", c)
	return c
}

func (s *Simulator) index(c *Customer) {
	if c.Heard == nil {
		c.Heard = map[string]time.Time{}
	}
	s.byID[c.ID], s.byBSUID[c.BSUID] = c, c
	if c.Phone != "" {
		s.byPhone[c.Phone] = c
	}
}

// keep adds a message to its chat.
func (s *Simulator) keep(m *Message) {
	s.state.Seq++
	m.Seq = s.state.Seq
	s.state.Messages = append(s.state.Messages, m)
	s.messages[m.ID] = m
	s.show(m)
}

// show tells the pages about a message, if the phone shows it, and has the state saved.
func (s *Simulator) show(m *Message) {
	if m.visible() {
		s.tell("message", m)
	}
	s.changed()
}

func (s *Simulator) changed() { ring(s.dirty) }
