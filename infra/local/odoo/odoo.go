// Package odoo is a simulated Odoo for one laptop: enough of its external API to be strict with whoever calls it, a
// chatter to look at, and a user who writes there.
//
// It is Odoo 17, 18 or 19, with or without the phone_validation module, and keeps Odoo's rules where they matter to an
// integration: JSON-RPC with its errors inside HTTP 200, /json/2 from 19 on, rights by model, external ids, load with
// its messages, sanitised HTML, a chatter ordered by id, private files, webhooks that are told once and after the commit.
// A call happens whole or not at all.
//
// Everything it holds is in Options.StateDir (mode 0600) and is there again after a restart. Faults for tests are
// switched on in Go: see Fail, Drop, Contend, Forbid, Hide, Revoke.
package odoo

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"threadline/infra/local/journal"
)

// Options configure a Simulator. Only StateDir is required.
type Options struct {
	Version           int    // 17, 18 or 19; 19 if 0
	DB                string // "threadline" if empty
	Login             string // of the integration's user; "threadline" if empty
	Key               string // its API key; empty: any
	Admin             bool   // it may do everything, hooks included
	NoAutomation      bool   // the app Automation Rules isn't installed
	NoPhoneValidation bool   // the module isn't installed
	UserTZ            string // time zone of the integration's user, such as "Europe/Madrid"; UTC if empty
	StateDir          string // made if missing
	Now               func() time.Time
	HTTP              *http.Client // calls the hooks; one of its own if nil
}

// Call is a call that was answered, or carried out and then cut.
type Call struct {
	Method    string // HTTP's
	Operation string // such as "res.partner/load", or a path
	At        time.Time
}

// maxCalls bounds the ledger of calls.
const maxCalls = 10_000

// Simulator is an Odoo database. It is safe for concurrent use.
type Simulator struct {
	options Options
	schema  schema
	zone    *time.Location

	mu       sync.Mutex
	journal  *journal.Journal[change]
	lastID   int64
	revision int64 // counts changes
	records  map[string]map[int64]*record
	xmlids   map[string]xmlid
	calls    []Call
	faults   faults
}

// New returns the database that StateDir holds; an empty one has two users, the integration's and one of Sales.
func New(o Options) (*Simulator, error) {
	if o.Version == 0 {
		o.Version = 19
	}
	if o.Version < 17 || o.Version > 19 {
		return nil, fmt.Errorf("no Odoo %d is simulated", o.Version)
	}
	if o.DB == "" {
		o.DB = "threadline"
	}
	if o.Login == "" {
		o.Login = "threadline"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{}
	}
	zone, err := time.LoadLocation(o.UserTZ)
	if err != nil {
		return nil, fmt.Errorf("time zone of the user: %w", err)
	}
	s := &Simulator{
		options: o, schema: schemaOf(o), zone: zone, lastID: 100,
		records: map[string]map[int64]*record{}, xmlids: map[string]xmlid{},
	}
	for model := range s.schema {
		s.records[model] = map[int64]*record{}
	}
	s.install()
	if s.journal, err = journal.Open(o.StateDir, s.replay); err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	return s, nil
}

// Close closes the journal. What was answered is already in it.
func (s *Simulator) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.Close()
}

// Calls returns the calls so far, the latest ones if they are many.
func (s *Simulator) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

func (s *Simulator) note(method, operation string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.calls) >= maxCalls {
		s.calls = append(s.calls[:0], s.calls[maxCalls/2:]...)
	}
	s.calls = append(s.calls, Call{Method: method, Operation: operation, At: s.options.Now()})
}

// The users and their partners. Records below 100 are Odoo's own.
const (
	integrationUser, salesUser       = 2, 3
	integrationPartner, salesPartner = 12, 13
	commentSubtype, noteSubtype      = 21, 22
	partnerModel                     = 31
)

// install puts there what a new database has.
func (s *Simulator) install() {
	own := func(model string, id int64, values map[string]any, name string) {
		s.records[model][id] = &record{Model: model, ID: id, Values: values}
		if name != "" {
			s.xmlids[name] = xmlid{Model: model, ID: id, NoUpdate: true}
		}
	}
	own("res.partner", integrationPartner, map[string]any{"name": "Threadline", "active": true, "type": "contact"}, "")
	own("res.partner", salesPartner, map[string]any{"name": "Sales", "active": true, "type": "contact"}, "base.partner_admin")
	own("res.users", integrationUser, map[string]any{"name": "Threadline", "login": s.options.Login, "partner_id": int64(integrationPartner), "tz": s.options.UserTZ}, "")
	own("res.users", salesUser, map[string]any{"name": "Sales", "login": "sales", "partner_id": int64(salesPartner)}, "base.user_admin")
	own("mail.message.subtype", commentSubtype, map[string]any{"name": "Discussions"}, "mail.mt_comment")
	own("mail.message.subtype", noteSubtype, map[string]any{"name": "Note", "internal": true}, "mail.mt_note")
	own("ir.model", partnerModel, map[string]any{"name": "Contact", "model": "res.partner"}, "base.model_res_partner")
	for i, code := range []string{"ES", "NL", "MX", "BR", "AR", "DE", "US"} {
		own("res.country", int64(41+i), map[string]any{"name": code, "code": code}, "base."+lower(code))
	}
}
