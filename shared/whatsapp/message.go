package whatsapp

import (
	"encoding/json"
	"errors"
	"time"
)

// ErrNotObject means that the body of an update is no JSON object.
var ErrNotObject = errors.New("whatsapp: update body is not an object")

// Message is a customer's message, or one that the business sent elsewhere. The
// field that its type names is set; all of them are nil for a type that Meta
// added later, whose object is in Content.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/messages
type Message struct {
	ID        string // wamid, opaque and case-sensitive
	Type      string // as sent by Meta, also where it is unknown here
	From      Identity
	To        Identity  // the customer, in an echo or a history; else nobody
	GroupID   string    // set in group chats only
	Timestamp time.Time // whole seconds; zero when unreadable

	Text        *Text
	Image       *Media
	Video       *Media
	Audio       *Media // voice notes too: Voice is set
	Document    *Media
	Sticker     *Media
	Location    *Location
	Contacts    []ContactCard
	Reaction    *Reaction
	Interactive *Interactive
	Button      *Button
	Order       *Order
	System      *System
	Unsupported *Unsupported
	Edit        *Edit
	Revoke      *Revoke

	Identity *IdentityKey // the customer's key changed

	Context  *Context  // what it replies to, or that it was forwarded
	Referral *Referral // the ad or post that it came from
	Errors   []Error   // why there is no content

	Content json.RawMessage // the value under the key that Type names, as received
	Raw     json.RawMessage // the whole message, as received
}

// ParseMessage reads the message in an update of [KindMessage] or [KindEcho].
// What has an unexpected shape stays in Raw and leaves its field empty; the only
// error is [ErrNotObject]. What the message doesn't say of the customer, who is
// the sender of one and the recipient of the other, is taken from the contact
// that came with it.
func ParseMessage(u Update) (Message, error) {
	f, ok := read(u.Body)
	if !ok {
		return Message{}, ErrNotObject
	}
	contact, _ := read(u.Contact)
	who := contactIdentity(contact)
	if u.Kind == KindEcho {
		f = echoFields(f)
		m := readMessage(f, u.Body)
		m.To, m.GroupID = echoIdentity(f).completedBy(who), echoGroup(f)
		return m, nil
	}
	m := readMessage(f, u.Body)
	m.From = m.From.completedBy(who)
	return m, nil
}

// readMessage reads a message that may be an edit of another.
func readMessage(f fields, raw json.RawMessage) Message {
	m := parseMessage(f)
	m.Raw = raw
	if original := f.object("edit"); original != nil {
		m.Edit = &Edit{OriginalID: original.text("original_message_id")}
		if content, ok := read(original["message"]); ok {
			m.Edit.Message = parseMessage(content)
			m.Edit.Message.Raw = original["message"]
		}
	}
	return m
}

// parseMessage reads everything but an edit, which holds a message itself.
func parseMessage(f fields) Message {
	m := Message{
		ID: f.text("id"), Type: f.text("type"), From: senderIdentity(f), GroupID: f.text("group_id"),
		Timestamp: f.time("timestamp"),
		Image:     media(f, "image"), Video: media(f, "video"), Audio: audio(f),
		Document: media(f, "document"), Sticker: media(f, "sticker"),
		Location: location(f), Contacts: contactCards(f), Reaction: reaction(f),
		Interactive: interactive(f), Button: button(f), Order: order(f),
		System: system(f), Unsupported: unsupported(f), Identity: identityKey(f),
		Context: replyContext(f), Referral: referral(f), Errors: parseErrors(f),
		Content: f[f.text("type")],
	}
	if o := f.object("text"); o != nil {
		m.Text = &Text{Body: o.text("body")}
	}
	if o := f.object("revoke"); o != nil {
		m.Revoke = &Revoke{OriginalID: o.text("original_message_id")}
	}
	return m
}

// Media returns the file that the message carries, whatever its kind.
func (m Message) Media() (*Media, bool) {
	for _, file := range []*Media{m.Image, m.Video, m.Audio, m.Document, m.Sticker} {
		if file != nil {
			return file, true
		}
	}
	return nil, false
}

// Text is what the customer wrote, up to 4096 characters.
type Text struct{ Body string }

// Media is a file on Meta's servers. Its ID is valid for 7 days after the
// webhook, its URL for 5 minutes.
// https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media
type Media struct {
	ID       string
	MIME     string // may carry parameters: "audio/ogg; codecs=opus"
	SHA256   string // as given: base64 in most webhooks, hex in some
	URL      string // not always present
	Caption  string
	Filename string // documents only; chosen by the sender, never to be trusted
	Voice    bool   // a voice note, recorded in the chat
	Animated bool   // stickers only
}

func media(f fields, key string) *Media {
	o := f.object(key)
	if o == nil {
		return nil
	}
	return &Media{
		ID: o.text("id"), MIME: o.text("mime_type"), SHA256: o.text("sha256"), URL: o.text("url"),
		Caption: o.text("caption"), Filename: o.text("filename"),
		Voice: o.flag("voice"), Animated: o.flag("animated"),
	}
}

// audio also reads the type "voice" of the API's predecessor.
func audio(f fields) *Media {
	if a := media(f, "audio"); a != nil {
		return a
	}
	v := media(f, "voice")
	if v != nil {
		v.Voice = true
	}
	return v
}

// Reaction is an emoji on a message; Emoji is empty when it was taken back.
type Reaction struct {
	MessageID string
	Emoji     string
}

func reaction(f fields) *Reaction {
	o := f.object("reaction")
	if o == nil {
		return nil
	}
	return &Reaction{MessageID: o.text("message_id"), Emoji: o.text("emoji")}
}

// Unsupported stands for content that the API doesn't deliver; Message.Errors
// says why. Type is empty on older webhooks.
type Unsupported struct {
	Type string // such as "poll_creation" or "edit"
}

func unsupported(f fields) *Unsupported {
	o := f.object("unsupported")
	if t := f.text("type"); o == nil && t != "unsupported" && t != "unknown" {
		return nil
	}
	return &Unsupported{Type: o.text("type")}
}

// Edit replaces the content of an earlier message. Numbers that are used in
// the WhatsApp Business app at the same time get it; others get Unsupported.
type Edit struct {
	OriginalID string
	Message    Message // its type, content and context only
}

// Revoke takes an earlier message back.
type Revoke struct{ OriginalID string }

// Context says what a message refers to.
type Context struct {
	ID        string // the message replied to; may be one we never saw
	From      string
	Forwarded bool
	Often     bool // forwarded more than five times
	CatalogID string
	ProductID string // the product asked about
}

func replyContext(f fields) *Context {
	o := f.object("context")
	if o == nil {
		return nil
	}
	product := o.object("referred_product")
	return &Context{
		ID: o.text("id"), From: waID(o.text("from")),
		Forwarded: o.flag("forwarded") || o.flag("frequently_forwarded"), Often: o.flag("frequently_forwarded"),
		CatalogID: product.text("catalog_id"), ProductID: product.text("product_retailer_id"),
	}
}

// Referral is the ad or post from which a conversation was started.
type Referral struct {
	SourceURL, SourceID, SourceType  string // type: "ad" or "post"
	Headline, Body                   string
	MediaType                        string // "image" or "video"
	ImageURL, VideoURL, ThumbnailURL string
	ClickID                          string // ctwa_clid; absent for ads in WhatsApp Status
	Welcome                          string // greeting that the ad showed
}

func referral(f fields) *Referral {
	o := f.object("referral")
	if o == nil {
		return nil
	}
	return &Referral{
		SourceURL: o.text("source_url"), SourceID: o.text("source_id"), SourceType: o.text("source_type"),
		Headline: o.text("headline"), Body: o.text("body"), MediaType: o.text("media_type"),
		ImageURL: o.text("image_url"), VideoURL: o.text("video_url"), ThumbnailURL: o.text("thumbnail_url"),
		ClickID: o.text("ctwa_clid"), Welcome: o.object("welcome_message").text("text"),
	}
}
