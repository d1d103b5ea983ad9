package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"threadline/infra/local/meta"
)

// beat is one thing that people do in WhatsApp.
type beat struct {
	name string
	act  func(*testing.T, *scene) (shownOn string) // Meta's id of the message that shows it
	rest func(message) bool
	crm  []string // what one entry of the record says
	not  string   // what that entry doesn't say
}

// scene is a customer and the company, with what they have said so far.
type scene struct {
	*person
	first string // what the customer wrote, by Meta's id
	reply string // what the company answered
}

// story is everything that people do in WhatsApp beside writing: each shows in the API and on the customer's record.
func story(t *testing.T, w *world) {
	mona := w.customer(t, "Mona Manifold", "34600555003")
	s := &scene{person: mona, first: mona.writes(t, meta.Draft{Text: "The very first word"})}
	mona.known(t)
	w.secret("An answer to that", "A better word", "Nadia Plumber", "34600555900", "Under the old bridge", "By Friday at the latest",
		"turquoise", "From the shop telephone", "Half price on Sunday", "A family affair", "The Manifolds")
	s.reply = w.reaches(t, w.ask(t, "", object{"to": object{"contact": mona.contact}, "text": "An answer to that"}), "delivered").ProviderID
	for _, b := range slices.Concat(said, sent, changed) {
		t.Run(b.name, func(t *testing.T) {
			id := b.act(t, s)
			w.secret(id)
			w.becomes(t, id, b.rest)
			eventually(t, patience, func() error {
				entry := mona.entry(t, b.crm...)
				if b.not != "" && strings.Contains(entry.HTML, b.not) {
					return errStill
				}
				return nil
			})
		})
	}
}

// said are messages that say more than their words.
var said = []beat{
	{
		name: "an answer to a message",
		act:  writing(func(s *scene) meta.Draft { return meta.Draft{Text: "About what I wrote", ReplyTo: s.first} }),
		rest: func(m message) bool { return m.Quotes != nil && m.Quotes.Text == "The very first word" },
		crm:  []string{"About what I wrote", "In reply to: The very first word"},
	},
	{
		name: "an answer to a message of the company",
		act:  writing(func(s *scene) meta.Draft { return meta.Draft{Text: "About what you wrote", ReplyTo: s.reply} }),
		rest: func(m message) bool { return m.Quotes != nil && m.Quotes.Text == "An answer to that" },
		crm:  []string{"About what you wrote", "In reply to: An answer to that"},
	},
	{
		name: "an answer to something that nobody has",
		act:  writing(func(*scene) meta.Draft { return meta.Draft{Text: "About last year", ReplyTo: "wamid.long-ago"} }),
		rest: func(m message) bool { return m.Quotes == nil && m.ReplyTo == "wamid.long-ago" },
		crm:  []string{"About last year", "In reply to a message"},
	},
	{
		name: "forwarded",
		act:  writing(func(*scene) meta.Draft { return meta.Draft{Text: "Everybody says so", Forwarded: "often"} }),
		rest: func(m message) bool { return m.Forwarded != "" },
		crm:  []string{"Everybody says so", "Forwarded many times"},
	},
	{
		name: "brought by an advertisement",
		act: writing(func(*scene) meta.Draft {
			return meta.Draft{Text: "I saw your advertisement", Ad: &meta.Ad{SourceURL: "https://example.com/sunday", SourceID: "ad-1",
				SourceType: "ad", Headline: "Half price on Sunday", ClickID: "click-1"}}
		}),
		rest: func(m message) bool { return strings.Contains(string(m.Referral), "Half price on Sunday") },
		crm:  []string{"I saw your advertisement", "Half price on Sunday"},
	},
}

// sent are messages that aren't text.
var sent = []beat{
	{
		name: "a location",
		act: writing(func(*scene) meta.Draft {
			return meta.Draft{Place: &meta.Place{Latitude: 41.5, Longitude: 2.5, Name: "Under the old bridge"}}
		}),
		rest: func(m message) bool { return m.Kind == "location" && strings.Contains(string(m.Content), "41.5") },
		crm:  []string{"Under the old bridge"},
	},
	{
		name: "a contact card",
		act: writing(func(*scene) meta.Draft {
			return meta.Draft{Cards: []meta.Card{{Name: "Nadia Plumber", Phone: "+34600555900"}}}
		}),
		rest: func(m message) bool {
			return m.Kind == "contacts" && strings.Contains(string(m.Content), "BEGIN:VCARD")
		},
		crm: []string{"Nadia Plumber"},
	},
	{
		name: "an order",
		act: writing(func(*scene) meta.Draft {
			return meta.Draft{Order: &meta.Order{Text: "By Friday at the latest", Items: []meta.Item{{Product: "chair-green", Quantity: 2}}}}
		}),
		rest: func(m message) bool {
			return m.Kind == "order" && strings.Contains(string(m.Content), "chair-green")
		},
		crm: []string{"chair-green", "By Friday at the latest"},
	},
	{
		name: "a form filled in",
		act: func(t *testing.T, s *scene) string {
			form := s.w.ask(t, "", object{"to": object{"contact": s.contact}, "interactive": object{"type": "flow",
				"body": object{"text": "Which one?"}, "action": object{"name": "flow", "parameters": object{"flow_message_version": "3",
					"flow_id": "700000000000001", "flow_cta": "Choose", "flow_token": "e2e-flow-token"}}}})
			shown := s.onPhone(t, s.w.reaches(t, form, "delivered").ProviderID)
			return s.writes(t, meta.Draft{ReplyTo: shown.ID, Fields: json.RawMessage(`{"colour":"turquoise"}`)})
		},
		rest: func(m message) bool {
			return m.Kind == "interactive" && strings.Contains(string(m.Content), "turquoise")
		},
		crm: []string{"turquoise"},
	},
	{
		name: "something that WhatsApp doesn't pass on",
		act:  writing(func(*scene) meta.Draft { return meta.Draft{Unsupported: "poll_creation"} }),
		rest: func(m message) bool { return m.Kind == "unsupported" && len(m.Problems) > 0 },
		crm:  []string{"A message that WhatsApp"},
	},
	{
		name: "a call",
		act: func(t *testing.T, s *scene) string {
			id, err := s.w.Meta().PlaceCall(s.ID, meta.Calling{End: "completed", Seconds: 42})
			if err != nil {
				t.Fatal(err)
			}
			return id
		},
		rest: func(m message) bool {
			return m.Kind == "call" && m.Call != nil && m.Call.Status == "completed" && m.Call.Seconds == 42
		},
		crm: []string{"completed 42s"},
	},
	{
		name: "what staff write on the company's telephone",
		act: func(t *testing.T, s *scene) string {
			id, err := s.w.Meta().WriteAsCompany(meta.Echo{Customer: s.ID, Text: "From the shop telephone"})
			if err != nil {
				t.Fatal(err)
			}
			return id
		},
		rest: func(m message) bool {
			return m.Direction == "out" && m.Origin == "phone-app" && m.Text == "From the shop telephone"
		},
		crm: []string{"From the shop telephone", "Sent by"},
	},
	{
		name: "a message in a group",
		act: func(t *testing.T, s *scene) string {
			group, err := s.w.Meta().AddGroup("The Manifolds", number, []string{s.ID})
			if err != nil {
				t.Fatal(err)
			}
			return s.writes(t, meta.Draft{Group: group, Text: "A family affair"})
		},
		rest: func(m message) bool { return strings.HasPrefix(m.Conversation, number+".g.") },
		crm:  []string{"A family affair", "In a group chat"},
	},
}

// changed are messages about others. An edit and a revocation have an entry of their own as well.
var changed = []beat{
	{
		name: "a reaction",
		act:  reacting("👍"),
		rest: func(m message) bool {
			return len(m.Reactions) == 1 && m.Reactions[0].Emoji == "👍" && m.Reactions[0].Direction == "in"
		},
		crm: []string{"An answer to that", "👍 by the customer"}, not: "In reply",
	},
	{
		name: "a reaction taken back",
		act:  reacting(""),
		rest: func(m message) bool { return len(m.Reactions) == 0 },
		crm:  []string{"An answer to that", "Company"}, not: "👍",
	},
	{
		name: "a reaction of the company",
		act: func(t *testing.T, s *scene) string {
			id := s.w.ask(t, "", object{"to": object{"contact": s.contact}, "reaction": object{"message_id": s.first, "emoji": "🎉"}})
			s.w.reaches(t, id, "sent")
			return s.first
		},
		rest: func(m message) bool {
			return len(m.Reactions) == 1 && m.Reactions[0].Emoji == "🎉" && m.Reactions[0].Direction == "out"
		},
		crm: []string{"The very first word", "🎉 by the company"},
	},
	{
		name: "an edit",
		act: func(t *testing.T, s *scene) string {
			if _, err := s.w.Meta().Edit(s.ID, s.first, "A better word"); err != nil {
				t.Fatal(err)
			}
			s.entry(t, "Edited a message:", "A better word")
			return s.first
		},
		rest: func(m message) bool {
			return m.Text == "A better word" && len(m.Edits) == 2 && m.Edits[0].Text == "The very first word"
		},
		crm: []string{"A better word", "Before: The very first word"},
	},
	{
		name: "a message deleted for everybody",
		act: func(t *testing.T, s *scene) string {
			if _, err := s.w.Meta().Revoke(s.ID, s.first); err != nil {
				t.Fatal(err)
			}
			s.entry(t, "Deleted a message")
			return s.first
		},
		rest: func(m message) bool { return m.RevokedAt != nil },
		crm:  []string{"A better word", "The customer deleted this message"},
	},
}

// writing is the act of sending a draft.
func writing(draft func(*scene) meta.Draft) func(*testing.T, *scene) string {
	return func(t *testing.T, s *scene) string { return s.writes(t, draft(s)) }
}

// reacting is the act of putting an emoji on the company's answer, or of taking it away.
func reacting(emoji string) func(*testing.T, *scene) string {
	return func(t *testing.T, s *scene) string {
		nextSecond()
		if _, err := s.w.Meta().React(s.ID, s.reply, emoji); err != nil {
			t.Fatal(err)
		}
		return s.reply
	}
}

// joined are two contacts that somebody knows to be one person, and who are two again when they were wrong.
func joined(t *testing.T, w *world) {
	one, other := w.customer(t, "Uma Known", "34600555004"), w.customer(t, "Uma Hidden", "")
	one.writes(t, meta.Draft{Text: "With my number"})
	one.known(t)
	other.writes(t, meta.Draft{Text: "Without my number"})
	other.known(t)
	if why := w.refused(t, "/contacts/"+one.contact+"/merge", object{"with": "nobody"}, http.StatusBadRequest); !strings.Contains(why, "with") {
		t.Errorf("refused because: %s", why)
	}
	w.command(t, "/contacts/"+one.contact+"/merge", object{"with": other.contact})
	w.speaks(t, other.contact, one.contact)
	if all, err := w.messages(t, one.conversation, 100); err != nil || len(all) != 2 {
		t.Errorf("the conversation of both has %d messages, want 2 (%v)", len(all), err)
	}
	w.refused(t, "/contacts/"+one.contact+"/merge", object{"with": other.contact}, http.StatusConflict)
	w.command(t, "/contacts/"+other.contact+"/unmerge", object{})
	w.speaks(t, other.contact, other.contact)
	for _, p := range []*person{one, other} {
		p.writes(t, meta.Draft{Text: "I am myself"})
		eventually(t, patience, func() error {
			all, err := w.messages(t, p.conversation, 100)
			if err == nil && len(all) != 2 {
				err = errStill
			}
			return err
		})
	}
}

// speaks waits until a contact is spoken for by another, or by itself.
func (w *world) speaks(t *testing.T, contact, by string) {
	t.Helper()
	eventually(t, patience, func() error {
		var c struct{ ID string }
		if err := w.get(t, "/contacts/"+contact, &c); err != nil || c.ID != by {
			return errStill
		}
		return nil
	})
}

// spelled is a Brazilian mobile number, which people write with and without a nine. It is found in both ways, and
// written to as it was given.
func spelled(t *testing.T, w *world) {
	const with, without = "5511987654321", "551187654321"
	rui := w.customer(t, "Rui Nine", without)
	w.secret(with)
	rui.writes(t, meta.Draft{Text: "Bom dia"})
	rui.known(t)
	var found struct{ Contacts []struct{ ID string } }
	if err := w.get(t, "/contacts?phone=%2B"+with, &found); err != nil || len(found.Contacts) != 1 || found.Contacts[0].ID != rui.contact {
		t.Errorf("written with the nine, it is %+v (%v)", found, err)
	}
	const unseen = "5521987650001"
	w.secret(unseen, "Are you there?")
	m := w.reaches(t, w.ask(t, "", object{"to": "+" + unseen, "text": "Are you there?"}), "delivered")
	w.secret(m.ProviderID)
	for _, c := range w.Meta().Customers() {
		if c.Phone == unseen {
			return
		}
	}
	t.Error("nobody was written to under the number as it was given")
}

// reading shows a customer that their message was read, and that an answer is being written.
func reading(t *testing.T, w *world) {
	ada := w.customer(t, "Ada Waiting", "34600555005")
	id := ada.writes(t, meta.Draft{Text: "Hello?"})
	ada.known(t)
	w.command(t, "/conversations/"+ada.conversation+"/read", object{"typing": true})
	eventually(t, patience, func() error {
		typing, read := false, false
		for _, c := range w.Meta().Customers() {
			typing = typing || c.ID == ada.ID && !c.Typing.IsZero()
		}
		for _, m := range w.Meta().Messages(ada.ID) {
			read = read || m.ID == id && m.Status == "read"
		}
		if !typing || !read {
			return errStill
		}
		return nil
	})
}
