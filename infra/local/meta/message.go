package meta

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Customer is a person on WhatsApp.
type Customer struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Phone    string `json:"phone"`    // digits with country code; empty: nobody is told, as people with a username may want
	Hidden   bool   `json:"hidden"`   // the phone number is not told to the business, although WhatsApp knows it
	Username string `json:"username"` // without @
	BSUID    string `json:"bsuid"`
	ParentID string `json:"parent_id,omitempty"` // BSUID of a portfolio above; empty: there is none
	KeyHash  string `json:"key_hash,omitempty"`  // changes when the customer installs WhatsApp afresh
	Stopped  bool   `json:"stopped,omitempty"`   // wants no marketing messages
	Owner    string `json:"owner,omitempty"`     // who has the conversation while Meta's agent works: empty, the agent
	// Unseen is true of a customer known only because the business wrote to them: their window counts as open.
	Unseen bool `json:"unseen"`
	// Heard has, per business number, when the customer last wrote: the service window counts from there.
	Heard map[string]time.Time `json:"heard"`
	// Typing is until when the customer sees that the business writes.
	Typing time.Time `json:"typing,omitzero"`
}

// Message is one message of a chat between a customer and a business number.
type Message struct {
	ID       string    `json:"id"`
	Seq      int64     `json:"seq"` // the order in which Meta accepted them
	Number   string    `json:"number"`
	Customer string    `json:"customer"` // empty: the business wrote to a group
	Group    string    `json:"group,omitempty"`
	Business bool      `json:"business"`        // sent by the business
	Staff    string    `json:"staff,omitempty"` // who wrote it without the API: app, agent
	At       time.Time `json:"at"`
	Type     string    `json:"type"` // Meta's
	Face
	ReplyTo   string `json:"reply_to,omitempty"`
	Answered  string `json:"answered,omitempty"`  // the option that the customer chose
	Reaction  string `json:"reaction,omitempty"`  // the other side's, to this message
	Forwarded string `json:"forwarded,omitempty"` // once or often
	Edited    bool   `json:"edited,omitempty"`
	Deleted   bool   `json:"deleted,omitempty"`
	Ad        *Ad    `json:"ad,omitempty"` // what brought the customer here
	// Status is, of the business' message, accepted, sent, delivered, read, played or failed; of the customer's,
	// accepted (Meta has it), delivered (the webhook answered 200) or read (the business marked it as read).
	Status  string `json:"status"`
	Problem string `json:"problem,omitempty"` // why a customer's message has not reached the business

	Callback string // biz_opaque_callback_data
	Category string // of the price: service, utility, marketing, authentication
	ByPhone  bool   // the business addressed a phone number, not a BSUID
	FailWith int    // the error code with which the message fails, instead of being sent
	Link     string // of a media message sent by link, until it is fetched
	Token    string // of a Flow, which comes back with its answer
	ReadBy   []string
}

// Face is what a message looks like on the phone.
type Face struct {
	Header  string     `json:"header,omitempty"`
	Text    string     `json:"text,omitempty"`
	Footer  string     `json:"footer,omitempty"`
	Media   *MediaFace `json:"media,omitempty"`
	Place   *Place     `json:"place,omitempty"`
	Cards   []Card     `json:"cards,omitempty"`
	Items   []Item     `json:"items,omitempty"`
	Call    *Call      `json:"call,omitempty"`
	Notice  string     `json:"notice,omitempty"` // what WhatsApp says instead of a content
	Menu    string     `json:"menu,omitempty"`   // the label that opens a list of options
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

// Item is something to buy, or a card of a carousel.
type Item struct {
	Catalog  string     `json:"catalog,omitempty"`
	Product  string     `json:"product,omitempty"` // the shop's own id
	Title    string     `json:"title,omitempty"`
	Section  string     `json:"section,omitempty"`
	Media    *MediaFace `json:"media,omitempty"`
	URL      string     `json:"url,omitempty"`
	URLText  string     `json:"url_text,omitempty"`
	Quantity int        `json:"quantity,omitempty"` // of an order
	Price    float64    `json:"price,omitempty"`
	Currency string     `json:"currency,omitempty"`
}

// Option is an answer that the business offers.
type Option struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	Section     string `json:"section,omitempty"`
	// Kind is how the answer is given: button_reply, list_reply, button (of a template), location, flow, address,
	// contact, permission, order, call or copy (of a code, which nobody is told).
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
	phone, username, name = punctuation.Replace(phone), plainUsername(username), strings.TrimSpace(name)
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
	return c.copy(), nil
}

// copy is the customer as they are now, for whoever reads without the lock.
func (c *Customer) copy() Customer {
	now := *c
	now.Heard = maps.Clone(c.Heard)
	return now
}

func plainUsername(name string) string {
	return strings.ToLower(strings.TrimPrefix(strings.TrimSpace(name), "@"))
}

// shared is the phone number that the business is told; empty: none.
func (c *Customer) shared() string {
	if c.Hidden {
		return ""
	}
	return c.Phone
}

// Customers lists all customers, the oldest first.
func (s *Simulator) Customers() []Customer {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Customer, 0, len(s.state.Customers))
	for _, c := range s.state.Customers {
		list = append(list, c.copy())
	}
	return list
}

// Messages returns what the phone of a customer shows in the chat with the business, or every phone in a group, in
// order: a message of the business from its delivery on.
func (s *Simulator) Messages(chat string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Message
	for _, m := range s.state.Messages {
		if m.chat() == chat && m.visible() {
			list = append(list, *m)
		}
	}
	return list
}

// chat is where the message is: the id of a group or a customer.
func (m *Message) chat() string {
	if m.Group != "" {
		return m.Group
	}
	return m.Customer
}

// visible tells whether the phone shows the message: what changes another message is shown on that one.
func (m *Message) visible() bool {
	if slices.Contains([]string{"reaction", "edit", "revoke", "pin"}, m.Type) {
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
