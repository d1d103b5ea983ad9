package odoo_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"threadline/shared/crm/crmtest"
)

// server is an Odoo, simulated or real, as an administrator's script sees it. It speaks JSON-RPC, which every version has,
// and shares nothing with the connector.
type server struct {
	t                   *testing.T
	url, db, login, key string
	http                *http.Client
	user                int64
	above               int64 // partners with higher ids are this test's
	forbid              func(model string, operations ...string)
}

func (s *server) rpc(service, method string, args []any, out any) {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "method": "call", "id": 1, "params": map[string]any{"service": service, "method": method, "args": args},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := s.http.Post(s.url+"/jsonrpc", "application/json", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.Error != nil {
		s.t.Fatalf("%s %s: %v %s", service, method, err, answer.Error)
	}
	if err := json.Unmarshal(answer.Result, out); err != nil {
		s.t.Fatalf("%s %s answered %.200s", service, method, answer.Result)
	}
}

func (s *server) call(model, method string, args []any, named map[string]any, out any) {
	s.t.Helper()
	s.rpc("object", "execute_kw", []any{s.db, s.me(), s.key, model, method, args, named}, out)
}

// me is the number of the user that the key belongs to.
func (s *server) me() int64 {
	s.t.Helper()
	if s.user == 0 {
		s.rpc("common", "authenticate", []any{s.db, s.login, s.key, map[string]any{}}, &s.user)
	}
	return s.user
}

type partner struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Phone  any    `json:"phone"`
	Active bool   `json:"active"`
}

// partners are those that this test made, in a database that others may be at work in.
func (s *server) partners() []partner {
	s.t.Helper()
	var list []partner
	s.call("res.partner", "search_read", []any{[]any{[]any{"id", ">", s.above}, []any{"create_uid", "=", s.me()}}}, map[string]any{
		"fields": []string{"name", "phone", "active"}, "order": "id",
	}, &list)
	return list
}

// begin leaves out the partners that are there.
func (s *server) begin() {
	s.t.Helper()
	for _, p := range s.partners() {
		s.above = max(s.above, p.ID)
	}
}

// server is crmtest.Inspector.

func (s *server) Contacts() []crmtest.Contact {
	s.t.Helper()
	var list []crmtest.Contact
	for _, p := range s.partners() {
		id := strconv.FormatInt(p.ID, 10)
		var names map[string]string
		s.call("res.partner", "get_external_id", []any{[]int64{p.ID}}, nil, &names)
		phone, _ := p.Phone.(string)
		list = append(list, crmtest.Contact{ID: id, Key: strings.TrimPrefix(names[id], "threadline.contact_"), Name: p.Name, Phone: phone})
	}
	return list
}

type message struct {
	ID          int64   `json:"id"`
	Body        any     `json:"body"`
	Date        string  `json:"date"`
	Author      any     `json:"author_id"`
	Subtype     any     `json:"subtype_id"`
	MessageID   string  `json:"message_id"`
	Attachments []int64 `json:"attachment_ids"`
}

func (m message) html() string { s, _ := m.Body.(string); return s }

// chatter returns a contact's messages in the order of the chatter, the oldest first.
func (s *server) chatter(contact string) []message {
	s.t.Helper()
	id, err := strconv.ParseInt(contact, 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	var list []message
	s.call("mail.message", "search_read", []any{[]any{
		[]any{"model", "=", "res.partner"}, []any{"res_id", "=", id}, []any{"message_type", "=", "comment"},
	}}, map[string]any{
		"fields": []string{"body", "date", "author_id", "subtype_id", "message_id", "attachment_ids"}, "order": "id asc",
	}, &list)
	return list
}

func (s *server) Entries(contact string) []crmtest.Entry {
	s.t.Helper()
	var list []crmtest.Entry
	for _, m := range s.chatter(contact) {
		at, err := time.Parse("2006-01-02 15:04:05", m.Date)
		if err != nil {
			s.t.Fatal(err)
		}
		e := crmtest.Entry{At: at, HTML: m.html(), Text: crmtest.Shown(m.html())}
		for _, id := range m.Attachments {
			e.Files = append(e.Files, s.file(id))
		}
		list = append(list, e)
	}
	return list
}

func (s *server) file(id int64) crmtest.File {
	s.t.Helper()
	var list []struct {
		Datas  any  `json:"datas"`
		Public bool `json:"public"`
	}
	s.call("ir.attachment", "read", []any{[]int64{id}, []string{"datas", "public"}}, nil, &list)
	if len(list) != 1 {
		s.t.Fatalf("attachment %d: %d found", id, len(list))
	}
	encoded, _ := list[0].Datas.(string)
	content, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, strings.NewReader(encoded)))
	if err != nil {
		s.t.Fatal(err)
	}
	return crmtest.File{Private: !list[0].Public, Size: int64(len(content)), SHA256: sha256.Sum256(content)}
}

func (s *server) AddContact(name, phone string) (string, bool) {
	s.t.Helper()
	var id int64
	s.call("res.partner", "create", []any{map[string]any{"name": name, "phone": phone}}, nil, &id)
	return strconv.FormatInt(id, 10), true
}

func (s *server) DeleteContact(id string) {
	s.t.Helper()
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	var done bool
	s.call("res.partner", "unlink", []any{[]int64{n}}, nil, &done)
}

// Forbid takes the right to make contacts away.
func (s *server) Forbid() string {
	s.forbid("res.partner", "create", "write")
	return "res.partner"
}

// Limit: Odoo itself has none.
func (s *server) Limit(time.Duration) bool { return false }

func (s *server) String() string { return fmt.Sprintf("%s, database %s", s.url, s.db) }
