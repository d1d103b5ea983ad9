package chat

import (
	"cmp"
	"encoding/json"
	"time"
)

// Direction tells who wrote a message.
type Direction string

// In is from the customer to the company, Out from the company to the customer.
const (
	In  Direction = "in"
	Out Direction = "out"
)

// Kind is what a message is, in Meta's words for its types.
type Kind string

// The kinds. A type that is none of these is KindUnknown; Message.RawType keeps the provider's word.
const (
	KindText        Kind = "text"
	KindImage       Kind = "image"
	KindVideo       Kind = "video"
	KindAudio       Kind = "audio"
	KindDocument    Kind = "document"
	KindSticker     Kind = "sticker"
	KindLocation    Kind = "location"
	KindContacts    Kind = "contacts"
	KindReaction    Kind = "reaction"
	KindInteractive Kind = "interactive"
	KindButton      Kind = "button"
	KindOrder       Kind = "order"
	KindSystem      Kind = "system"
	KindUnsupported Kind = "unsupported"
	KindEdit        Kind = "edit"
	KindRevoke      Kind = "revoke"
	KindCall        Kind = "call"
	KindPlaceholder Kind = "media_placeholder" // a file of the imported history that is still to be named
	KindTemplate    Kind = "template"
	KindUnknown     Kind = "unknown"
)

// Origin is where a message was written.
type Origin string

// The origins.
const (
	FromCustomer Origin = "customer"
	FromAgent    Origin = "agent"
	FromFlow     Origin = "flow"
	FromCRM      Origin = "crm"
	FromPhoneApp Origin = "phone-app"
	FromCampaign Origin = "campaign"
)

// Message is one message of a conversation, in either direction.
type Message struct {
	ID           MessageID       `json:"id"`
	Conversation ConversationID  `json:"conversation"`
	Contact      ContactID       `json:"contact,omitempty"` // who wrote it, or whom it is for; empty if nobody is known
	At           time.Time       `json:"at"`                // the provider's time; for ours, when it was asked for
	Arrival      int64           `json:"arrival"`           // the how-manieth of its conversation: breaks ties of At
	Direction    Direction       `json:"direction"`
	Kind         Kind            `json:"kind"`
	RawType      string          `json:"raw_type"`
	Origin       Origin          `json:"origin"`
	Text         string          `json:"text,omitempty"`
	Content      json.RawMessage `json:"content,omitempty"` // what stands under the type's name
	Attachment   *Attachment     `json:"attachment,omitempty"`
	ReplyTo      string          `json:"reply_to,omitempty"` // provider id of the message that is answered, reacted to, edited, …
	Forwarded    Forwarded       `json:"forwarded,omitempty"`
	Referral     *Referral       `json:"referral,omitempty"` // the ad or post that the conversation began with
	Product      *Product        `json:"product,omitempty"`  // the product that it asks about
	Problems     []Problem       `json:"problems,omitempty"` // why the provider passed on no content
	Imported     bool            `json:"imported,omitempty"` // written before the number was connected: nothing is answered
	Call         *Call           `json:"call,omitempty"`     // what came of a call
	Amended
	Charged
	ProviderID string          `json:"provider_id,omitempty"`
	Status     Status          `json:"status"`
	Steps      map[Status]Step `json:"steps,omitempty"`
	Settled    string          `json:"settled,omitempty"` // hash of the receipt that told us Meta has the message
	Hash       string          `json:"hash,omitempty"`    // SHA-256 of what it was made from
	Raw        []byte          `json:"raw,omitempty"`     // the update, up to MaxInlineRaw
	RawKey     string          `json:"raw_key,omitempty"` // the object that holds a longer one
	Effects    []Effect        `json:"effects,omitempty"` // the stored plan
	Send       *Send           `json:"send,omitempty"`    // only on messages of ours
}

// MaxInlineRaw is how many bytes of a raw update are kept on the message itself; a longer one is an object.
const MaxInlineRaw = 8 << 10

// Fill gives a placeholder of the imported history what the provider names later, and tells whether it was one. Where the
// message stands, who wrote it and what was said of it since stay; so does what the later update leaves out.
func (m *Message) Fill(named Message) (filled bool) {
	if m.Kind != KindPlaceholder || named.Kind == KindPlaceholder || named.Attachment == nil {
		return false
	}
	m.Kind, m.RawType, m.Content, m.Attachment = named.Kind, named.RawType, named.Content, named.Attachment
	if len(m.Edits) == 0 {
		m.Text = named.Text
	} else {
		m.Original = past(named.Text)
	}
	m.ReplyTo, m.Forwarded = cmp.Or(named.ReplyTo, m.ReplyTo), cmp.Or(named.Forwarded, m.Forwarded)
	m.Referral, m.Product = cmp.Or(named.Referral, m.Referral), cmp.Or(named.Product, m.Product)
	m.Problems = named.Problems
	m.Raw, m.RawKey, m.Hash, m.Effects = named.Raw, named.RawKey, named.Hash, named.Effects
	m.Advance(named)
	return true
}

// Effect is one thing that a message causes. It refers, it doesn't copy: a consumer reads the present state. Its id is
// derived from the message, so that doing it twice collapses.
type Effect struct {
	Kind   EffectKind `json:"kind"`
	Target string     `json:"target,omitempty"` // which connector
}

// EffectKind says which queue an effect goes to.
type EffectKind string

// The effects.
const (
	EffectMedia  EffectKind = "media"  // fetch the file
	EffectCRM    EffectKind = "crm"    // put it on the customer's record
	EffectPerson EffectKind = "person" // complete a contact's record in a CRM; of no message
	EffectFetch  EffectKind = "fetch"  // ask a CRM what it wants to be sent; of no message
)

// Attachment is a file that belongs to a message.
type Attachment struct {
	State    FileState `json:"state"`
	MediaID  string    `json:"media_id,omitempty"`
	Link     string    `json:"link,omitempty"` // ours only: Meta fetches it
	MIME     string    `json:"mime,omitempty"`
	Name     string    `json:"name,omitempty"`   // as the sender named it: never a path, never trusted
	SHA256   string    `json:"sha256,omitempty"` // as declared: base64 or hex
	Size     int64     `json:"size,omitempty"`   // bytes
	Voice    bool      `json:"voice,omitempty"`
	Animated bool      `json:"animated,omitempty"`
	Key      string    `json:"key,omitempty"` // of the stored object
	Reason   string    `json:"reason,omitempty"`
}

// FileState is how far an attachment has come.
type FileState string

// A file is Pending until it is Stored; Unverified when it is kept although its hash was wrong three times; FileFailed
// when the provider will never give it out; Remote when it is the company's own and not ours to fetch.
const (
	Pending    FileState = "pending"
	Stored     FileState = "stored"
	Unverified FileState = "unverified"
	FileFailed FileState = "failed"
	Remote     FileState = "remote"
)

// Have tells whether we hold the file.
func (s FileState) Have() bool { return s == Stored || s == Unverified }

// Send is what only a message of ours needs: to whom, until when, and who is trying right now.
type Send struct {
	To      Address   `json:"to"`
	Expires time.Time `json:"expires"`
	// Category is one of the categories below.
	Category string `json:"category"`
	// Answers is the provider id of the customer's newest message when this one was asked for: sending shows it as read.
	Answers string `json:"answers,omitempty"`
	// Request is a hash of what the caller asked for; the same id with another hash is a conflict.
	Request string `json:"request"`
	// Attempt counts the times that the message may have been handed to Meta.
	Attempt int `json:"attempt,omitempty"`
	// Lease names the attempt that is under way, LeaseUntil is when it is given up for lost.
	Lease      string    `json:"lease,omitempty"`
	LeaseUntil time.Time `json:"lease_until,omitzero"`
	// UnknownSince is when the outcome of the last attempt became unknown.
	UnknownSince time.Time `json:"unknown_since,omitzero"`
}

// Meta's template categories, and that of free-form messages.
const (
	CategoryService        = "service"
	CategoryUtility        = "utility"
	CategoryMarketing      = "marketing"
	CategoryAuthentication = "authentication"
)

// Address is how Meta is told whom to send to. Exactly one field is set.
type Address struct {
	Phone string `json:"phone,omitempty"` // digits, country code first
	BSUID string `json:"bsuid,omitempty"`
	Group string `json:"group,omitempty"`
}
