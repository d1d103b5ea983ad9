package crmsim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	espocrmsim "threadline/infra/local/espocrm"
	hubspotsim "threadline/infra/local/hubspot"
	odoosim "threadline/infra/local/odoo"
	pipedrivesim "threadline/infra/local/pipedrive"
	salesforcesim "threadline/infra/local/salesforce"
	webhooksim "threadline/infra/local/webhookcrm"
	metadata "threadline/infra/salesforce"
	"threadline/shared/crm"
	"threadline/shared/crm/espocrm"
	"threadline/shared/crm/hubspot"
	"threadline/shared/crm/odoo"
	"threadline/shared/crm/pipedrive"
	"threadline/shared/crm/salesforce"
	"threadline/shared/crm/webhook"
)

// lag is how long a search doesn't show what was made, where the vendor says that it may not.
const lag = 20 * time.Second

// key is the credential of every simulator.
const key = "0123456789abcdef0123456789abcdef01234567"

func secret(context.Context) (string, error) { return key, nil }

// Kinds are the CRMs as most companies have them.
var Kinds = map[string]Kind{
	"espocrm":    {"espocrm", "espocrm", espocrmWith(espocrmsim.Options{SetUp: true})},
	"hubspot":    {"hubspot", "hubspot", hubspotWithout()},
	"odoo":       {"odoo", "odoo", odooWith(odoosim.Options{Version: 19})},
	"pipedrive":  {"pipedrive", "pipedrive", openPipedrive},
	"salesforce": {"salesforce", "salesforce", salesforceWith(nil)},
	"webhook":    {"webhook", "webhook", webhookWith(webhooksim.Options{})},
}

// Variants are versions, modes and rights that make a connector work otherwise.
var Variants = []Kind{
	{"espocrm with notes", "espocrm", espocrmWith(espocrmsim.Options{Version: 8})},
	{"hubspot with notes for files", "hubspot", hubspotWithout("communications.hs_attachment_ids")},
	{"hubspot searched", "hubspot", hubspotWithout("communications.unique", "communications.hs_attachment_ids", "notes.unique")},
	{"odoo 17", "odoo", odooWith(odoosim.Options{Version: 17, NoPhoneValidation: true, UserTZ: "Europe/Madrid"})},
	{"salesforce with tasks", "salesforce", salesforceWith([]string{"Contact"})},
	{"webhook that does the least", "webhook", webhookWith(webhooksim.Options{Least: true})},
}

func odooWith(o odoosim.Options) func(opening) (*CRM, error) {
	return func(a opening) (*CRM, error) {
		o.Key, o.StateDir, o.Now, o.DB, o.Login = key, a.dir, a.now, "company", "threadline"
		s, err := odoosim.New(o)
		if err != nil {
			return nil, err
		}
		c := &CRM{CRM: s, sim: s, made: func(url string, web *http.Client) crm.Connector {
			return odoo.New(odoo.Config{URL: url, DB: o.DB, Login: o.Login, APIKey: secret, CallsPerSecond: a.calls, HTTP: web, Now: a.now})
		}}
		c.Add = func(name, phone string) (id string, err error) {
			made, err := odooCall(c.url, "res.partner", "create", map[string]any{"name": name, "phone": phone})
			return strings.TrimSpace(string(made)), err
		}
		unlink := func(model string) func(string) error {
			return func(id string) error {
				n, err := strconv.Atoi(id)
				if err == nil {
					_, err = odooCall(c.url, model, "unlink", []int{n})
				}
				return err
			}
		}
		c.Delete, c.Drop = unlink("res.partner"), unlink("mail.message")
		c.Ledger = func() (all []Made) {
			for _, call := range s.Calls() {
				all = append(all, Made{What: call.Operation, At: call.At})
			}
			return all
		}
		return c, nil
	}
}

// odooCall is what an administrator's script does.
func odooCall(url, model, method string, arg any) (json.RawMessage, error) {
	const user = 2
	in, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "method": "call", "id": 1, "params": map[string]any{
		"service": "object", "method": "execute_kw", "args": []any{"company", user, key, model, method, []any{arg}, map[string]any{}},
	}})
	if err != nil {
		return nil, err
	}
	var out struct{ Result, Error json.RawMessage }
	if err := ask(http.MethodPost, url+"/jsonrpc", in, nil, &out); err != nil {
		return nil, err
	}
	if out.Error != nil {
		return nil, fmt.Errorf("%s %s: %s", model, method, out.Error)
	}
	return out.Result, nil
}

func espocrmWith(o espocrmsim.Options) func(opening) (*CRM, error) {
	return func(a opening) (*CRM, error) {
		o.APIKey, o.Password, o.StateDir, o.Now = key, key, a.dir, a.now
		s, err := espocrmsim.New(o)
		if err != nil {
			return nil, err
		}
		c := &CRM{CRM: s, sim: s, Add: s.AddContact, made: func(url string, web *http.Client) crm.Connector {
			return espocrm.New(espocrm.Config{URL: url, APIKey: secret, HTTP: web, Now: a.now})
		}}
		remove := func(entity string) func(string) error {
			return func(id string) error {
				return ask(http.MethodDelete, c.url+"/api/v1/"+entity+"/"+id, nil, func(r *http.Request) { r.SetBasicAuth("admin", key) }, nil)
			}
		}
		c.Delete, c.Drop = remove("Contact"), remove("Note")
		if o.SetUp {
			c.Drop = remove("CWhatsappMessage")
		}
		c.Ledger = func() (all []Made) {
			for _, call := range s.Calls() {
				all = append(all, Made{What: call.Method + " " + call.Path, At: call.At})
			}
			return all
		}
		return c, nil
	}
}

func hubspotWithout(abilities ...string) func(opening) (*CRM, error) {
	return func(a opening) (*CRM, error) {
		s, err := hubspotsim.New(hubspotsim.Options{Token: key, StateDir: a.dir, Now: a.now, SearchLag: lag})
		if err != nil {
			return nil, err
		}
		for _, ability := range abilities {
			kind, name, _ := strings.Cut(ability, ".")
			s.Forbid(kind, name)
		}
		c := &CRM{CRM: s.Demo(), sim: s, Delete: s.DeleteContact, made: func(url string, web *http.Client) crm.Connector {
			return hubspot.New(hubspot.Config{BaseURL: url, Token: secret, Calls: a.calls, HTTP: web, Now: a.now})
		}}
		const objects = "/crm/objects/" + hubspotsim.Version
		bearer := func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+key) }
		c.Add = func(name, phone string) (string, error) {
			first, last, _ := strings.Cut(name, " ")
			return s.AddContact(map[string]string{"firstname": first, "lastname": last, "phone": phone})
		}
		c.Drop = func(id string) error {
			return ask(http.MethodDelete, c.url+objects+"/communications/"+id, nil, bearer, nil)
		}
		c.Merge = func(from, into string) error {
			in := fmt.Appendf(nil, `{"primaryObjectId":%q,"objectIdToMerge":%q}`, into, from)
			return ask(http.MethodPost, c.url+objects+"/contacts/merge", in, bearer, nil)
		}
		c.Ledger = func() (all []Made) {
			for _, call := range s.Calls() {
				all = append(all, Made{What: call.Method + " " + call.Path, At: call.At})
			}
			return all
		}
		return c, nil
	}
}

func openPipedrive(a opening) (*CRM, error) {
	s, err := pipedrivesim.New(pipedrivesim.Options{Token: key, StateDir: a.dir, Now: a.now, SearchLag: lag})
	if err != nil {
		return nil, err
	}
	return &CRM{
		CRM: s, sim: s, Delete: s.DeletePerson, Drop: s.DeleteNote, Merge: s.Merge,
		Add: func(name, phone string) (string, error) { return s.AddPerson(name, phone) },
		made: func(url string, web *http.Client) crm.Connector {
			return pipedrive.New(pipedrive.Config{URL: url, Token: secret, HTTP: web, Now: a.now})
		},
		Ledger: func() (all []Made) {
			for _, call := range s.Calls() {
				all = append(all, Made{What: call.Operation, At: call.At, Tokens: call.Tokens})
			}
			return all
		},
	}, nil
}

// salesforceWith opens an org into which these objects were deployed; nil: all.
func salesforceWith(objects []string) func(opening) (*CRM, error) {
	return func(a opening) (*CRM, error) {
		s, err := salesforcesim.New(salesforcesim.Options{
			StateDir: a.dir, ClientID: "client", ClientSecret: key, Now: a.now, SearchLag: lag,
			Metadata: metadata.Source, Objects: objects, Assigned: "Threadline_Integration", Sites: true,
		})
		if err != nil {
			return nil, err
		}
		return &CRM{
			CRM: s, sim: s, Delete: s.Delete, Drop: s.Delete, Merge: func(from, into string) error { return s.Merge(into, from) },
			Add: func(name, phone string) (string, error) {
				first, last, _ := strings.Cut(name, " ")
				return s.Add("Contact", map[string]string{"FirstName": first, "LastName": last, "Phone": phone})
			},
			made: func(url string, web *http.Client) crm.Connector {
				return salesforce.New(salesforce.Config{URL: url, ClientID: "client", ClientSecret: secret, HTTP: web, Now: a.now})
			},
			Ledger: func() (all []Made) {
				for _, call := range s.Calls() {
					all = append(all, Made{What: call.Method + " " + call.Path, At: call.At})
				}
				return all
			},
		}, nil
	}
}

func webhookWith(o webhooksim.Options) func(opening) (*CRM, error) {
	return func(a opening) (*CRM, error) {
		o.Secret, o.StateDir, o.Now = key, a.dir, a.now
		s, err := webhooksim.New(o)
		if err != nil {
			return nil, err
		}
		return &CRM{
			CRM: s, sim: s, Add: s.AddContact, Delete: s.DeleteContact, Drop: s.DeleteEntry, Merge: s.MergeContacts,
			made: func(url string, web *http.Client) crm.Connector {
				return webhook.New(webhook.Config{URL: url + "/threadline", Secret: secret, HTTP: web, Now: a.now})
			},
			Ledger: func() (all []Made) {
				for _, call := range s.Calls() {
					all = append(all, Made{What: call.Type, At: call.At})
				}
				return all
			},
		}, nil
	}
}

// ask makes a call as a user's browser or script does, past every fault.
func ask(method, url string, in []byte, authorize func(*http.Request), out any) error {
	req, err := http.NewRequest(method, url, bytes.NewReader(in))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if authorize != nil {
		authorize(req)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode > 299 {
		return fmt.Errorf("%s: status %d", method, res.StatusCode)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(out)
}
