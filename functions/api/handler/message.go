package handler

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"threadline/shared/chat"
	"threadline/shared/httpapi"
	"threadline/shared/redact"
	"threadline/shared/route"
	"threadline/shared/send"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// request is the body of POST /api/v1/messages.
type request struct {
	To          recipient       `json:"to"`
	Number      string          `json:"number,omitempty"`
	Text        string          `json:"text,omitempty"`
	Template    *template       `json:"template,omitempty"`
	Media       *media          `json:"media,omitempty"`
	Interactive json.RawMessage `json:"interactive,omitempty"`
	ReplyTo     string          `json:"reply_to,omitempty"`
	Category    string          `json:"category,omitempty"`
}

type template struct {
	Name       string          `json:"name"`
	Language   string          `json:"language"`
	Components json.RawMessage `json:"components,omitempty"`
}

type media struct {
	Type     string `json:"type"`
	ID       string `json:"id,omitempty"`
	Link     string `json:"link,omitempty"`
	Caption  string `json:"caption,omitempty"`
	Filename string `json:"filename,omitempty"`
	Voice    bool   `json:"voice,omitempty"`
}

// recipient is a phone number, a contact or a business-scoped user id.
type recipient struct {
	Phone   string `json:"phone,omitempty"`
	Contact string `json:"contact,omitempty"`
	BSUID   string `json:"bsuid,omitempty"`
}

var errNotPhone = errors.New("use a phone number with its country code, such as +34600111222")

// UnmarshalJSON takes "+34600111222", {"contact":"…"} or {"bsuid":"…"}.
func (r *recipient) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var phone string
		if err := json.Unmarshal(b, &phone); err != nil {
			return err
		}
		var err error
		r.Phone, err = digits(phone)
		return err
	}
	var o struct {
		Contact string `json:"contact"`
		BSUID   string `json:"bsuid"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil || (o.Contact == "") == (o.BSUID == "") {
		return errors.New(`use "+34600111222", {"contact":"…"} or {"bsuid":"…"}`)
	}
	if o.BSUID != "" && !whatsapp.IsBSUID(o.BSUID) {
		return errors.New("bsuid: not a business-scoped user id")
	}
	r.Contact, r.BSUID = o.Contact, o.BSUID
	return nil
}

// accepted is the answer to a request that is in the queue.
type accepted struct {
	ID     chat.MessageID `json:"id"`
	Status chat.Status    `json:"status"`
}

// caller is whose idempotency keys they are: so far everybody has the same API key.
const caller = "api"

func (a *API) postMessage(w http.ResponseWriter, r *http.Request) error {
	var req request
	if err := httpapi.Decode(r, &req); err != nil {
		return err
	}
	m, err := req.message()
	if err != nil {
		return chat.E(chat.Invalid, err.Error(), nil)
	}
	m.ID = a.newID()
	if key := r.Header.Get("Idempotency-Key"); key != "" {
		m.ID = send.KeyedID(caller, key)
		if known, err := a.asked(r.Context(), m); err != nil {
			return err
		} else if known {
			return httpapi.JSON(w, http.StatusAccepted, accepted{m.ID, chat.Queued})
		}
	}
	if err := a.address(r.Context(), req, &m); err != nil {
		return err
	}
	if err := send.Message(r.Context(), a.Outbound, m); err != nil {
		return chat.E(chat.Unavailable, "the queue doesn't take messages right now: try again with the same Idempotency-Key", err)
	}
	// The queue is the truth. Writing through only lets GET show the message at once; the sender makes the same put.
	_, _, err = a.Store.Queue(r.Context(), m)
	if errors.Is(err, store.ErrOtherRequest) {
		return err
	}
	if err != nil {
		slog.WarnContext(r.Context(), "write a queued message through", "message", m.ID, "error", redact.Error(err))
	}
	slog.DebugContext(r.Context(), "queued a message", "message", m.ID, "conversation", m.Conversation)
	return httpapi.JSON(w, http.StatusAccepted, accepted{m.ID, chat.Queued})
}

func (a *API) now() time.Time {
	if a.Now == nil {
		return time.Now()
	}
	return a.Now()
}

func (a *API) newID() chat.MessageID {
	if a.NewID == nil {
		return send.NewID()
	}
	return a.NewID()
}

// asked tells whether the same request came before under the same key; another request under it is a conflict.
func (a *API) asked(ctx context.Context, m chat.Message) (bool, error) {
	before, err := a.Store.Lookup(ctx, m.ID)
	if chat.CodeOf(err) == chat.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if before.Send.Request != m.Send.Request {
		return false, store.ErrOtherRequest
	}
	return true, nil
}

// message checks the request and makes a message of it that has no place yet.
func (r *request) message() (chat.Message, error) {
	m := chat.Message{Direction: chat.Out, Origin: chat.FromAgent, Status: chat.Queued, Text: r.Text, Send: &chat.Send{}}
	out := whatsapp.Outgoing{To: "10000"} // who gets it is checked elsewhere
	given := 0
	if r.Text != "" {
		given++
		m.Kind, out.Text = chat.KindText, &whatsapp.OutText{Body: r.Text}
	}
	if r.Template != nil {
		given++
		m.Kind, out.Template = chat.KindTemplate, &whatsapp.Template{Name: r.Template.Name, Language: r.Template.Language, Components: r.Template.Components}
		m.Content = compact(r.Template)
	}
	if r.Interactive != nil {
		given++
		m.Kind, out.Interactive, m.Content = chat.KindInteractive, r.Interactive, compact(r.Interactive)
	}
	if r.Media != nil {
		given++
		if err := r.Media.into(&m, &out); err != nil {
			return m, err
		}
	}
	if given != 1 {
		return m, errors.New("give exactly one of text, template, media, interactive")
	}
	if r.To == (recipient{}) {
		return m, errors.New("to: " + errNotPhone.Error())
	}
	if err := out.Check(); err != nil {
		return m, errors.New(strings.TrimPrefix(err.Error(), whatsapp.ErrInvalid.Error()+": "))
	}
	category, err := r.category()
	if err != nil {
		return m, err
	}
	m.RawType, m.Send.Category, m.Send.Request = string(m.Kind), category, store.Hash(compact(r))
	return m, nil
}

var mediaKinds = map[string]chat.Kind{
	"image": chat.KindImage, "video": chat.KindVideo, "audio": chat.KindAudio,
	"document": chat.KindDocument, "sticker": chat.KindSticker,
}

func (f *media) into(m *chat.Message, out *whatsapp.Outgoing) error {
	m.Kind, m.Text = mediaKinds[f.Type], f.Caption
	m.Attachment = &chat.Attachment{State: chat.Remote, MediaID: f.ID, Link: f.Link, Name: f.Filename, Voice: f.Voice}
	file := &whatsapp.OutMedia{ID: f.ID, Link: f.Link, Caption: f.Caption, Filename: f.Filename, Voice: f.Voice}
	switch m.Kind {
	case chat.KindImage:
		out.Image = file
	case chat.KindVideo:
		out.Video = file
	case chat.KindAudio:
		out.Audio = file
	case chat.KindDocument:
		out.Document = file
	case chat.KindSticker:
		out.Sticker = file
	default:
		return errors.New("media.type: use image, video, audio, document or sticker")
	}
	return nil
}

// category is Meta's category of the message. Marketing is the strictest, so that is what an unknown template counts as.
func (r *request) category() (string, error) {
	if r.Template == nil {
		return "service", nil
	}
	c := strings.ToLower(cmp.Or(r.Category, "marketing"))
	if !slices.Contains([]string{"marketing", "utility", "authentication"}, c) {
		return "", errors.New("category: use marketing, utility or authentication")
	}
	return c, nil
}

// compact is a value as JSON that doesn't depend on how the caller wrote it.
func compact(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // it was decoded from JSON
	}
	return b
}

// address finds out whose message it is, from which number and until when.
func (a *API) address(ctx context.Context, req request, m *chat.Message) error {
	m.At = a.now().UTC().Truncate(time.Millisecond)
	who, err := a.recipient(ctx, req.To, m)
	if err != nil {
		return err
	}
	n, err := a.number(ctx, req, who)
	if err != nil {
		return err
	}
	m.Contact, m.Conversation = who.ID, chat.Direct(n, who.ID)
	m.Effects = route.Plan(*m, a.Connectors)
	m.Reach(chat.Queued, m.At, nil)
	if req.ReplyTo != "" {
		if m.ReplyTo, err = a.quoted(ctx, req.ReplyTo); err != nil {
			return err
		}
	}
	m.Send.Expires, err = a.expiry(ctx, *m)
	return err
}

func (a *API) recipient(ctx context.Context, to recipient, m *chat.Message) (chat.Contact, error) {
	if to.Contact == "" {
		m.Send.To = chat.Address{Phone: to.Phone, BSUID: to.BSUID}
		return a.Store.Person(ctx, chat.Seen{Phone: to.Phone, BSUID: to.BSUID, At: m.At, Source: chat.SourceRequest})
	}
	who, err := a.Store.Contact(ctx, chat.ContactID(to.Contact))
	if chat.CodeOf(err) == chat.NotFound {
		return who, chat.E(chat.Invalid, "to.contact: there is no such contact", nil)
	}
	if err != nil {
		return who, err
	}
	ids, err := a.Store.Identities(ctx, who)
	if err != nil {
		return who, err
	}
	if len(ids) == 0 {
		return who, chat.E(chat.Invalid, "to.contact: nobody knows how to reach this contact", nil)
	}
	if ids[0].Kind == chat.AliasWAID {
		m.Send.To.Phone = ids[0].Value
	} else {
		m.Send.To.BSUID = ids[0].Value
	}
	return who, nil
}

// number is where the message is sent from: the conversation's, else the first that is configured, else the only one
// that messages came through.
func (a *API) number(ctx context.Context, req request, who chat.Contact) (chat.NumberID, error) {
	if req.Number != "" {
		if len(a.Numbers) > 0 && !slices.Contains(a.Numbers, req.Number) {
			return "", chat.E(chat.Invalid, "number: not one of PHONE_NUMBER_ID", nil)
		}
		return chat.NumberID(req.Number), nil
	}
	threads, err := a.Store.ConversationsOf(ctx, who)
	if err != nil {
		return "", err
	}
	for _, c := range threads {
		if len(a.Numbers) == 0 || slices.Contains(a.Numbers, string(c.Number)) {
			return c.Number, nil
		}
	}
	if len(a.Numbers) > 0 {
		return chat.NumberID(a.Numbers[0]), nil
	}
	seen, err := a.Store.Numbers(ctx)
	if err != nil {
		return "", err
	}
	if len(seen) != 1 {
		return "", chat.E(chat.Invalid, fmt.Sprintf("number: say which phone_number_id to send from; %d are known", len(seen)), nil)
	}
	return seen[0].ID, nil
}

// quoted is Meta's id of the message that is answered, which may be given by either id.
func (a *API) quoted(ctx context.Context, id string) (string, error) {
	if !chat.MessageID(id).Ours() {
		return id, nil
	}
	m, err := a.Store.Lookup(ctx, chat.MessageID(id))
	if chat.CodeOf(err) == chat.NotFound || (err == nil && m.ProviderID == "") {
		return "", chat.E(chat.Invalid, "reply_to: WhatsApp doesn't know that message (yet)", nil)
	}
	return m.ProviderID, err
}

// How long a message may wait to be sent.
const (
	templateLife = 24 * time.Hour
	codeLife     = 10 * time.Minute
)

// expiry is the end of the service window for free-form messages. Where no window is known to be open, Meta decides: it
// knows of messages that never reached us.
func (a *API) expiry(ctx context.Context, m chat.Message) (time.Time, error) {
	if m.Send.Category == "authentication" {
		return m.At.Add(codeLife), nil
	}
	if m.Kind == chat.KindTemplate {
		return m.At.Add(templateLife), nil
	}
	c, err := a.Store.Conversation(ctx, m.Conversation)
	if err != nil && chat.CodeOf(err) != chat.NotFound {
		return time.Time{}, err
	}
	if end := c.WindowEnd(); end.After(m.At) {
		return end, nil
	}
	return m.At.Add(templateLife), nil
}
