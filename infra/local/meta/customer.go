package meta

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"slices"
)

// Draft is what a customer is about to send: exactly one of Text, File, Place, Cards, Option, Order, Fields,
// Permission, Unsupported and Forward.
type Draft struct {
	Number string  `json:"number"` // the business number; empty: the first
	Group  string  `json:"group"`  // the group to write into; empty: to the business alone
	Text   string  `json:"text"`
	File   *Upload `json:"-"`
	Place  *Place  `json:"place"`
	Cards  []Card  `json:"cards"`
	Option string  `json:"option"` // of ReplyTo, the id of the option chosen
	Order  *Order  `json:"order"`
	// Fields are what the customer filled into the form that ReplyTo offers: any JSON.
	Fields json.RawMessage `json:"fields"`
	// Permission answers ReplyTo, which asks whether the business may call: accept, always or reject.
	Permission string `json:"permission"`
	// Unsupported is something that the Cloud API does not carry, such as poll_creation; unavailable is a message that
	// got lost.
	Unsupported string `json:"unsupported"`
	// Forward is the id of a message to send once more.
	Forward string `json:"forward"`

	ReplyTo   string `json:"reply_to"`  // the message that this answers
	Forwarded string `json:"forwarded"` // once or often
	Product   *Item  `json:"product"`   // what a text asks about
	Ad        *Ad    `json:"ad"`        // what brought the customer here
}

// Ad is the advertisement or post that a customer tapped to begin the chat, in Meta's words.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components#messages-object
type Ad struct {
	SourceURL    string   `json:"source_url"`
	SourceID     string   `json:"source_id"`
	SourceType   string   `json:"source_type"` // ad or post
	Headline     string   `json:"headline,omitempty"`
	Body         string   `json:"body,omitempty"`
	MediaType    string   `json:"media_type,omitempty"`
	ImageURL     string   `json:"image_url,omitempty"`
	VideoURL     string   `json:"video_url,omitempty"`
	ThumbnailURL string   `json:"thumbnail_url,omitempty"`
	ClickID      string   `json:"ctwa_clid,omitempty"`
	Welcome      *Welcome `json:"welcome_message,omitempty"`
}

// Welcome is the greeting that an advertisement shows in the chat.
type Welcome struct {
	Text string `json:"text"`
}

// Upload is a file that a customer sends.
type Upload struct {
	Name    string
	MIME    string // decides whether it is sent as image, video, audio, sticker or document
	Caption string
	Voice   bool // recorded in the chat, not picked from a folder
	Body    io.Reader
}

// Write sends a message of a customer: Meta has it when Write returns, the webhook follows. It returns the message's
// id. The error says what is wrong in words for the page.
func (s *Simulator) Write(customer string, d Draft) (string, error) {
	if d.Number == "" {
		d.Number = s.opts.Numbers[0]
	}
	if !s.isNumber(d.Number) {
		return "", errNoNumber
	}
	var stored *file
	if d.File != nil {
		f, err := s.receiveFile(d)
		if err != nil {
			return "", err
		}
		stored = f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.byID[customer]
	if c == nil {
		return "", errNoCustomer
	}
	m := s.message(c, d.Number)
	m.ReplyTo, m.Forwarded, m.Ad = d.ReplyTo, d.Forwarded, d.Ad
	if err := s.intoGroup(m, d.Group); err != nil {
		return "", err
	}
	content, err := s.compose(m, d, stored)
	if err != nil {
		return "", err
	}
	if stored != nil {
		s.keepMedia(stored)
	}
	item := s.inbound(c, m, content)
	if about := s.context(m, d.Product); about != nil {
		item["context"] = about
	}
	s.submit(c, m, item)
	s.hear(c, m)
	return m.ID, nil
}

var (
	errNoNumber   = errors.New("there is no such business number")
	errNoCustomer = errors.New("there is no such customer")
	errNoMessage  = errors.New("there is no such message")
)

// message begins a message of a customer.
func (s *Simulator) message(c *Customer, number string) *Message {
	return &Message{ID: newWAMID(), Number: number, Customer: c.ID, At: s.opts.Now(), Status: "accepted"}
}

// hear opens the service window.
func (s *Simulator) hear(c *Customer, m *Message) {
	if g := s.groups[m.Group]; g != nil {
		g.Heard = m.At
		return
	}
	c.Heard[m.Number] = m.At
	c.Unseen = false
}

// submit keeps a message and has its update posted.
func (s *Simulator) submit(c *Customer, m *Message, item object) {
	s.keep(m)
	u := &update{Field: s.fieldFor(c, m), Number: m.Number, Customer: m.chat(), Kind: "messages", ID: m.ID, Item: item}
	if m.Type != "system" {
		u.Contact = s.contact(c, true)
	}
	s.post(u)
}

// receiveFile stores what a customer sends, which may be of any type.
func (s *Simulator) receiveFile(d Draft) (*file, error) {
	base, params, err := mime.ParseMediaType(d.File.MIME)
	if err != nil {
		base, params = "application/octet-stream", nil
	}
	if base == "application/ogg" {
		base = "audio/ogg"
	}
	if d.File.Voice && base == "audio/ogg" {
		params = map[string]string{"codecs": "opus"}
	}
	f, err := s.store(d.File.Body, largestMedia)
	if err != nil {
		return nil, errors.New("the file cannot be read or is larger than 100 MB")
	}
	f.MIME, f.Name, f.Number, f.Inbound = mime.FormatMediaType(base, params), d.File.Name, d.Number, true
	return f, nil
}

// inbound is the message object of a webhook.
func (s *Simulator) inbound(c *Customer, m *Message, content any) object {
	item := object{"from_user_id": c.BSUID, "id": m.ID, "timestamp": seconds(m.At), "type": m.Type, m.Type: content}
	if phone := s.told(c); phone != "" {
		item["from"] = phone
	}
	if c.ParentID != "" {
		item["from_parent_user_id"] = c.ParentID
	}
	if m.Group != "" {
		item["group_id"] = m.Group
	}
	if m.Ad != nil {
		item["referral"] = m.Ad
	}
	if m.Type == "unsupported" {
		item["errors"] = []object{unsupportedError(content.(object))}
	}
	return item
}

// told is what stands where the phone number belongs.
func (s *Simulator) told(c *Customer) string {
	if phone := c.shared(); phone != "" || s.faults.Identity != "bsuid-in-from" {
		return phone
	}
	return c.BSUID
}

// context says what the message refers to, or is nil.
func (s *Simulator) context(m *Message, product *Item) object {
	about := object{}
	if m.ReplyTo != "" {
		about["id"] = m.ReplyTo
		about["from"] = s.displayNumber(m.Number)
		if quoted := s.messages[m.ReplyTo]; quoted != nil && !quoted.Business {
			delete(about, "from")
			if phone := s.told(s.byID[quoted.Customer]); phone != "" {
				about["from"] = phone
			}
		}
	}
	switch m.Forwarded {
	case "once":
		about["forwarded"] = true
	case "often":
		about["frequently_forwarded"] = true
	}
	if product != nil {
		about["referred_product"] = object{"catalog_id": product.Catalog, "product_retailer_id": product.Product}
	}
	if len(about) == 0 {
		return nil
	}
	return about
}

// theirs finds a message of a customer, or of the business in a chat of the customer.
func (s *Simulator) theirs(c *Customer, id string, business bool) (*Message, error) {
	m := s.messages[id]
	if m == nil || m.Business != business {
		return nil, errNoMessage
	}
	inGroup := s.groups[m.Group] != nil && slices.Contains(s.groups[m.Group].Members, c.ID)
	if m.Customer != c.ID && (!business || !inGroup) {
		return nil, errNoMessage
	}
	return m, nil
}

// WriteText is Write for the commonest case.
func (s *Simulator) WriteText(customer, text string) (string, error) {
	return s.Write(customer, Draft{Text: text})
}

// WriteFile is Write for bytes at hand.
func (s *Simulator) WriteFile(customer, name, mimeType string, content []byte) (string, error) {
	return s.Write(customer, Draft{File: &Upload{Name: name, MIME: mimeType, Body: bytes.NewReader(content)}})
}
