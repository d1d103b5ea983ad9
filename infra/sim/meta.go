package sim

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"threadline/shared/whatsapp"
	"threadline/shared/whatsapp/whatsapptest"
)

// Delivery is a message that a customer's phone received.
type Delivery struct {
	To       string // digits, or a business-scoped user id
	By       string // the field that said so: to or recipient
	Type     string
	Text     string // of a text message
	Template string // the name of a template
	Media    string // Meta's id of the file
	ReplyTo  string // Meta's id of the message that it answers or reacts to
	Callback string // our id
	WAMID    string // Meta's id
	At       time.Time
	Stamps   map[string]time.Time // of the receipts that Meta issued
}

// file is one that Meta keeps.
type file struct {
	mime string
	body []byte
}

// fileHost is where Meta keeps files.
const fileHost = "lookaside.fbsbx.com"

// templates are the account's, by name, with their categories.
var templates = map[string]string{"hello": "MARKETING", "parcel": "UTILITY"}

// Delivered returns what reached phones, in order.
func (s *Sim) Delivered() []Delivery {
	s.phones.mu.Lock()
	defer s.phones.mu.Unlock()
	var list []Delivery
	for _, d := range s.phones.delivered {
		list = append(list, *d)
	}
	return list
}

// AddFile gives Meta a customer's file and returns its hash as webhooks write it.
func (s *Sim) AddFile(id, mime string, body []byte) (sha256base64 string) {
	s.phones.files[id] = file{mime, body}
	sum := sha256.Sum256(body)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// graph is Meta's API, as much of it as the functions call.
func (s *Sim) graph(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	s.phones.mu.Lock()
	defer s.phones.mu.Unlock()
	switch {
	case r.URL.Host == fileHost:
		f := s.phones.files[parts[len(parts)-1]]
		w.Header().Set("Content-Type", f.mime)
		w.Header().Set("Content-Length", fmt.Sprint(len(f.body)))
		_, _ = w.Write(f.body)
	case r.Method == http.MethodPost && len(parts) == 3 && parts[2] == "messages":
		s.take(w, r, parts[1])
	case r.Method == http.MethodPost && len(parts) == 3 && parts[2] == "media":
		s.keepFile(w, r)
	case r.Method == http.MethodGet && len(parts) == 3 && parts[2] == "message_templates":
		listTemplates(w)
	case r.Method == http.MethodGet && len(parts) == 2 && parts[1] == Number:
		answer(w, http.StatusOK, map[string]any{
			"id": Number, "display_phone_number": whatsapptest.Display, "verified_name": "Test Company", "status": "CONNECTED",
			"quality_rating": "GREEN", "throughput": map[string]any{"level": "STANDARD"},
			"health_status": map[string]any{"can_send_message": "AVAILABLE"},
		})
	case r.Method == http.MethodGet && len(parts) == 2:
		s.fileInfo(w, parts[1])
	default:
		answer(w, http.StatusBadRequest, graphError(100, "Unsupported request"))
	}
}

func listTemplates(w http.ResponseWriter) {
	list := []any{}
	for name, category := range templates {
		list = append(list, map[string]any{"id": name, "name": name, "language": "en", "category": category, "status": "APPROVED"})
	}
	answer(w, http.StatusOK, map[string]any{"data": list})
}

func (s *Sim) fileInfo(w http.ResponseWriter, id string) {
	f, ok := s.phones.files[id]
	if !ok {
		body := graphError(100, "Unsupported get request") // there is no such file, or the token may not see it
		body["error"].(map[string]any)["error_subcode"] = 33
		answer(w, http.StatusBadRequest, body)
		return
	}
	sum := sha256.Sum256(f.body)
	answer(w, http.StatusOK, map[string]any{
		"messaging_product": "whatsapp", "id": id, "mime_type": f.mime, "file_size": len(f.body),
		"sha256": hex.EncodeToString(sum[:]), "url": "https://" + fileHost + "/files/" + id,
	})
}

// keepFile takes an upload. The same file gets the same id, so that runs can be compared.
func (s *Sim) keepFile(w http.ResponseWriter, r *http.Request) {
	f, head, err := r.FormFile("file")
	if err != nil {
		answer(w, http.StatusBadRequest, graphError(100, "Invalid parameter"))
		return
	}
	body, err := io.ReadAll(f)
	if err != nil {
		answer(w, http.StatusBadRequest, graphError(100, "Invalid parameter"))
		return
	}
	sum := sha256.Sum256(body)
	id := "upload-" + hex.EncodeToString(sum[:8])
	s.phones.files[id] = file{head.Header.Get("Content-Type"), body}
	answer(w, http.StatusOK, map[string]any{"id": id})
}

// outgoing is what may be asked of Meta for a customer.
type outgoing struct {
	To, Recipient, Type string
	Status              string // "read": no message, but word that the customer's was read
	Text                struct{ Body string }
	Template            struct{ Name string }
	Image, Document     struct{ ID string }
	Reaction            struct {
		MessageID string `json:"message_id"`
	}
	Context struct {
		MessageID string `json:"message_id"`
	}
	Callback string `json:"biz_opaque_callback_data"`
}

// take accepts a message: it reaches the phone, and receipts follow.
func (s *Sim) take(w http.ResponseWriter, r *http.Request, number string) {
	var m outgoing
	raw, err := io.ReadAll(r.Body)
	if err != nil || json.NewDecoder(bytes.NewReader(raw)).Decode(&m) != nil {
		answer(w, http.StatusBadRequest, graphError(100, "Invalid parameter"))
		return
	}
	to := strings.TrimPrefix(m.To, "+")
	switch {
	case s.o.Refuse != nil && s.o.Refuse(s.Now()) != 0:
		answer(w, http.StatusBadRequest, graphError(s.o.Refuse(s.Now()), "Refused"))
		return
	case m.Status == "read":
		answer(w, http.StatusOK, map[string]any{"success": true})
		return
	case whatsapp.IsBSUID(to) || m.Recipient != "" && !whatsapp.IsBSUID(m.Recipient):
		answer(w, http.StatusBadRequest, graphError(131009, "Parameter value is not valid"))
		return
	}
	d := s.reach(m, to)
	contact := map[string]any{"input": m.To, "wa_id": to}
	if m.Recipient != "" {
		contact = map[string]any{"input": m.Recipient, "user_id": m.Recipient}
	}
	for _, receipt := range s.o.Receipts {
		s.After(receipt.After, func() {
			d.Stamps[receipt.State] = s.Now().Truncate(time.Second)
			s.Deliver(d.To, whatsapptest.Status(number, d.To, d.WAMID, receipt.State, d.Callback, s.Now()))
		})
	}
	answer(w, http.StatusOK, map[string]any{
		"messaging_product": "whatsapp", "messages": []any{map[string]any{"id": d.WAMID, "message_status": "accepted"}},
		"contacts": []any{contact},
	})
}

// reach puts a message onto a phone. Meta's ids are random; these can be compared.
func (s *Sim) reach(m outgoing, to string) *Delivery {
	copies := 1
	for _, d := range s.phones.delivered {
		if d.Callback == m.Callback {
			copies++
		}
	}
	d := &Delivery{
		To: cmp.Or(m.Recipient, to), By: "to", Type: m.Type, Text: m.Text.Body, Template: m.Template.Name,
		Media: cmp.Or(m.Image.ID, m.Document.ID), ReplyTo: cmp.Or(m.Reaction.MessageID, m.Context.MessageID),
		Callback: m.Callback, WAMID: fmt.Sprintf("wamid.out.%s.%d", m.Callback, copies), At: s.Now(), Stamps: map[string]time.Time{},
	}
	if m.Recipient != "" {
		d.By = "recipient"
	}
	s.phones.delivered = append(s.phones.delivered, d)
	return d
}
