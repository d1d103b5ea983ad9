package meta

import (
	"encoding/json"
	"net/http"
)

// A pageCall answers a call of the page, or of a test, with JSON; nil is an answer without a body.
type pageCall = func(*http.Request) (any, error)

// actions are the calls of the page, by method and path.
func (s *Simulator) actions() map[string]pageCall {
	return map[string]pageCall{
		"GET /phone/api/customers":                  func(*http.Request) (any, error) { return s.Customers(), nil },
		"GET /phone/api/chats/{id}/messages":        func(r *http.Request) (any, error) { return s.Messages(r.PathValue("id")), nil },
		"POST /phone/api/customers":                 s.addFromPage,
		"POST /phone/api/customers/{id}/messages":   s.writeFromPage,
		"POST /phone/api/customers/{id}/files":      s.fileFromPage,
		"POST /phone/api/customers/{id}/sample":     s.sampleFromPage,
		"POST /phone/api/customers/{id}/reactions":  s.changeFromPage(func(id string, c change) (string, error) { return s.React(id, c.Message, c.Emoji) }),
		"POST /phone/api/customers/{id}/edits":      s.changeFromPage(func(id string, c change) (string, error) { return s.Edit(id, c.Message, c.Text) }),
		"POST /phone/api/customers/{id}/revokes":    s.changeFromPage(func(id string, c change) (string, error) { return s.Revoke(id, c.Message) }),
		"POST /phone/api/customers/{id}/calls":      s.callFromPage,
		"POST /phone/api/customers/{id}/identity":   s.identityFromPage,
		"POST /phone/api/customers/{id}/preference": s.preferenceFromPage,
		"POST /phone/api/customers/{id}/seen":       s.seenFromPage,
		"POST /phone/api/calls/{id}/end":            s.endCallFromPage,
		"POST /phone/api/groups":                    s.groupFromPage,
		"POST /phone/api/groups/{id}/members":       s.memberFromPage,
		"POST /phone/api/played":                    s.playedFromPage,
		"POST /phone/api/retry":                     func(*http.Request) (any, error) { s.RetryNow(); return nil, nil },
		"GET /phone/api/faults":                     func(*http.Request) (any, error) { return s.Faults(), nil },
		"PUT /phone/api/faults":                     s.faultsFromPage,

		"GET /phone/api/company":           s.companyFromPage,
		"POST /phone/api/company/echoes":   s.echoFromPage,
		"POST /phone/api/company/contacts": s.contactsFromPage,
		"POST /phone/api/company/history":  s.historyFromPage,
		"POST /phone/api/company/agent":    s.agentFromPage,
		"POST /phone/api/company/handover": s.handoverFromPage,
		"POST /phone/api/company/events":   s.eventFromPage,
		"POST /phone/api/company/webhook":  s.rawFromPage,
	}
}

// reply answers the page.
func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

// made is the answer to a call that made something.
func made(id string, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return object{"id": id}, nil
}

func (s *Simulator) addFromPage(r *http.Request) (any, error) {
	var c struct{ Name, Phone, Username string }
	if err := read(r, &c); err != nil {
		return nil, err
	}
	return result(s.AddCustomer(c.Name, c.Phone, c.Username))
}

// result is the answer to a call that returns what it made.
func result[T any](v T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (s *Simulator) writeFromPage(r *http.Request) (any, error) {
	var d Draft
	if err := read(r, &d); err != nil {
		return nil, err
	}
	return made(s.Write(r.PathValue("id"), d))
}

// fileFromPage takes the file as the body and the rest as query parameters, so that nothing is held in memory.
func (s *Simulator) fileFromPage(r *http.Request) (any, error) {
	q := r.URL.Query()
	return made(s.Write(r.PathValue("id"), Draft{Number: q.Get("number"), Group: q.Get("group"), ReplyTo: q.Get("reply_to"),
		File: &Upload{Name: q.Get("name"), MIME: r.Header.Get("Content-Type"), Caption: q.Get("caption"),
			Voice: q.Get("voice") == "true", Body: r.Body}}))
}

func (s *Simulator) sampleFromPage(r *http.Request) (any, error) {
	var q struct {
		Kind, Caption string
		Draft
	}
	if err := read(r, &q); err != nil {
		return nil, err
	}
	upload, err := sample(q.Kind, s.opts.Now())
	if err != nil {
		return nil, err
	}
	upload.Caption = q.Caption
	q.File = upload
	return made(s.Write(r.PathValue("id"), q.Draft))
}

// change is what a customer does to a message.
type change struct{ Message, Emoji, Text string }

func (s *Simulator) changeFromPage(do func(customer string, c change) (string, error)) pageCall {
	return func(r *http.Request) (any, error) {
		var c change
		if err := read(r, &c); err != nil {
			return nil, err
		}
		return made(do(r.PathValue("id"), c))
	}
}

func (s *Simulator) callFromPage(r *http.Request) (any, error) {
	var how Calling
	if err := read(r, &how); err != nil {
		return nil, err
	}
	return made(s.PlaceCall(r.PathValue("id"), how))
}

func (s *Simulator) endCallFromPage(r *http.Request) (any, error) {
	var how Calling
	if err := read(r, &how); err != nil {
		return nil, err
	}
	return nil, s.EndCall(r.PathValue("id"), how.End, how.Seconds)
}

func (s *Simulator) identityFromPage(r *http.Request) (any, error) {
	var change IdentityChange
	if err := read(r, &change); err != nil {
		return nil, err
	}
	return result(s.ChangeIdentity(r.PathValue("id"), change))
}

func (s *Simulator) preferenceFromPage(r *http.Request) (any, error) {
	var q struct{ Number, Value string }
	if err := read(r, &q); err != nil {
		return nil, err
	}
	return nil, s.Prefer(r.PathValue("id"), q.Number, q.Value)
}

func (s *Simulator) seenFromPage(r *http.Request) (any, error) {
	var d struct{ Number, Group string }
	if err := read(r, &d); err != nil {
		return nil, err
	}
	chat := d.Number
	if d.Group != "" {
		chat = d.Group
	}
	s.See(r.PathValue("id"), chat)
	return nil, nil
}

func (s *Simulator) playedFromPage(r *http.Request) (any, error) {
	var d struct{ Message string }
	if err := read(r, &d); err != nil {
		return nil, err
	}
	s.Play(d.Message)
	return nil, nil
}

func (s *Simulator) groupFromPage(r *http.Request) (any, error) {
	var g struct {
		Name, Number string
		Members      []string
	}
	if err := read(r, &g); err != nil {
		return nil, err
	}
	return made(s.AddGroup(g.Name, g.Number, g.Members))
}

func (s *Simulator) memberFromPage(r *http.Request) (any, error) {
	var q struct {
		Customer string
		Remove   bool
	}
	if err := read(r, &q); err != nil {
		return nil, err
	}
	return nil, s.ChangeGroup(r.PathValue("id"), q.Customer, !q.Remove)
}

func (s *Simulator) faultsFromPage(r *http.Request) (any, error) {
	var f Faults
	if err := read(r, &f); err != nil {
		return nil, err
	}
	return nil, s.SetFaults(f)
}

func (s *Simulator) companyFromPage(*http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	raw, err := json.Marshal(s.company()) // while nobody changes it
	return json.RawMessage(raw), err
}

func (s *Simulator) echoFromPage(r *http.Request) (any, error) {
	var e Echo
	if err := read(r, &e); err != nil {
		return nil, err
	}
	return made(s.WriteAsCompany(e))
}

func (s *Simulator) contactsFromPage(r *http.Request) (any, error) {
	var q struct {
		Number   string
		Contacts []SavedContact
	}
	if err := read(r, &q); err != nil {
		return nil, err
	}
	return nil, s.SyncContacts(q.Number, q.Contacts)
}

func (s *Simulator) historyFromPage(r *http.Request) (any, error) {
	var in Import
	if err := read(r, &in); err != nil {
		return nil, err
	}
	return result(s.ImportHistory(in))
}

func (s *Simulator) agentFromPage(r *http.Request) (any, error) {
	var q struct{ On bool }
	if err := read(r, &q); err != nil {
		return nil, err
	}
	s.SetAgent(q.On)
	return nil, nil
}

func (s *Simulator) handoverFromPage(r *http.Request) (any, error) {
	var q struct{ Customer, Number, To, Note string }
	if err := read(r, &q); err != nil {
		return nil, err
	}
	return nil, s.HandOver(q.Customer, q.Number, q.To, q.Note)
}

func (s *Simulator) eventFromPage(r *http.Request) (any, error) {
	var e AccountEvent
	if err := read(r, &e); err != nil {
		return nil, err
	}
	return nil, s.HappenToAccount(e)
}

func (s *Simulator) rawFromPage(r *http.Request) (any, error) {
	var q struct {
		Field string
		Value object
	}
	if err := read(r, &q); err != nil {
		return nil, err
	}
	return nil, s.PostRaw(q.Field, q.Value)
}
