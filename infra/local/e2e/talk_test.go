package e2e

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"threadline/infra/local/hubspot"
	"threadline/infra/local/meta"
)

// randomFile returns bytes that nobody else has.
func randomFile(size int) []byte {
	b := make([]byte, size)
	r := rand.NewChaCha8(sha256.Sum256(fmt.Append(nil, size)))
	r.Read(b)
	return b
}

// talk is the main job: a customer's messages and files reach the API and the CRM record, and the company's replies
// reach the phone, with their ticks.
func talk(t *testing.T, w *world) {
	anna := w.customer(t, "Anna Onion", "34600555001")
	photo, invoice, voice := randomFile(300_000), randomFile(40_000), randomFile(9_000)
	ids := []string{
		anna.writes(t, meta.Draft{Text: "Is my parcel here? ¿Sí? 📦"}),
		anna.writes(t, meta.Draft{File: &meta.Upload{Name: "door.jpg", MIME: "image/jpeg", Caption: "my front door", Body: bytes.NewReader(photo)}}),
		anna.writes(t, meta.Draft{File: &meta.Upload{Name: "invoice 17.pdf", MIME: "application/pdf", Body: bytes.NewReader(invoice)}}),
		anna.writes(t, meta.Draft{File: &meta.Upload{Name: "note.ogg", MIME: "audio/ogg", Voice: true, Body: bytes.NewReader(voice)}}),
		anna.writes(t, meta.Draft{Place: &meta.Place{Latitude: 41.38, Longitude: 2.17, Name: "The yellow gate"}}),
	}
	w.secret("my front door", "The yellow gate", "invoice 17.pdf")
	anna.known(t)

	t.Run("what the API shows", func(t *testing.T) { apiShows(t, anna, ids, photo) })
	t.Run("what the CRM shows", func(t *testing.T) { crmShows(t, anna, photo, invoice, voice) })
	t.Run("what the company answers", func(t *testing.T) { answers(t, anna, ids[1]) })
	t.Run("the same key is the same message", func(t *testing.T) { sameKey(t, anna) })
}

func apiShows(t *testing.T, anna *person, ids []string, photo []byte) {
	kinds := []string{"text", "image", "document", "audio", "location"}
	var all []message
	eventually(t, patience, func() (err error) {
		if all, err = anna.w.messages(t, anna.conversation, 100); err != nil {
			return err
		}
		if len(all) != len(kinds) {
			return fmt.Errorf("%d messages, want %d", len(all), len(kinds))
		}
		for i, m := range all {
			if m.ProviderID != ids[i] || m.Kind != kinds[i] || m.RawType != kinds[i] || m.Direction != "in" {
				return fmt.Errorf("message %d is %+v", i, m)
			}
			if m.Attachment != nil && m.Attachment.State != "stored" {
				return fmt.Errorf("the %s is %s", m.Kind, m.Attachment.State)
			}
		}
		return nil
	})
	if all[0].Text != "Is my parcel here? ¿Sí? 📦" || all[1].Text != "my front door" {
		t.Errorf("texts %q and %q", all[0].Text, all[1].Text)
	}
	if a := all[1].Attachment; a == nil || a.Size != int64(len(photo)) || a.MIME != "image/jpeg" {
		t.Errorf("the photo is %+v", a)
	}
	if a := all[3].Attachment; a == nil || !a.Voice {
		t.Errorf("the voice note is %+v", a)
	}
	if !strings.Contains(string(all[4].Content), "41.38") || all[4].Attachment != nil {
		t.Errorf("the location is %s", all[4].Content)
	}
	var one message
	if err := anna.w.messageByID(t, ids[0], &one); err != nil || one.ID != all[0].ID {
		t.Errorf("by Meta's id: %+v %v", one, err)
	}
	var found struct{ Contacts []struct{ ID string } }
	if err := anna.w.get(t, "/contacts?phone=%2B"+anna.Phone, &found); err != nil || len(found.Contacts) != 1 || found.Contacts[0].ID != anna.contact {
		t.Errorf("by phone number: %+v %v", found, err)
	}
}

// crmShows wants everything on one contact, in order, each file private and whole.
func crmShows(t *testing.T, anna *person, files ...[]byte) {
	want := []string{"Is my parcel here?", "my front door", "Document", "Voice message", ""}
	var timeline []hubspot.Entry
	eventually(t, patience, func() error {
		contact, entries, err := anna.record()
		if err != nil {
			return err
		}
		if !strings.Contains(contact.Properties["phone"]+contact.Properties["hs_whatsapp_phone_number"], anna.Phone) {
			return fmt.Errorf("the contact has no phone number: %v", contact.Properties)
		}
		if len(entries) != len(want) {
			return fmt.Errorf("%d entries, want %d", len(entries), len(want))
		}
		for i := range files {
			if len(entries[i+1].Files) != 1 || strings.Contains(entries[i+1].HTML, "arriving") {
				return fmt.Errorf("entry %d has no file yet", i+1)
			}
		}
		timeline = entries
		return nil
	})
	for i, entry := range timeline {
		if !strings.Contains(entry.HTML, want[i]) || !strings.Contains(entry.HTML, "Received from Anna") {
			t.Errorf("entry %d: %s", i, entry.HTML)
		}
	}
	for i, content := range files {
		sameFile(t, anna.w, timeline[i+1].Files[0], content)
	}
}

// sameFile wants a private file of the CRM to hold exactly content.
func sameFile(t *testing.T, w *world, f hubspot.File, content []byte) {
	t.Helper()
	if f.Access != "PRIVATE" {
		t.Errorf("%s is %s", f.Name, f.Access)
	}
	in, err := w.HubSpot().OpenFile(f.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if got, err := io.ReadAll(in); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%s: %d bytes, which are not the %d that were sent (%v)", f.Name, len(got), len(content), err)
	}
}

func answers(t *testing.T, anna *person, photoID string) {
	w, picture := anna.w, randomFile(20_000)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "image/png")
		rw.Write(picture)
	}))
	defer server.Close()
	w.secret("We are looking for it", "This one?", "Was it?", "tomorrow morning")
	for _, c := range []struct {
		name    string
		request object
		shows   func(meta.Message) bool
	}{
		{"text, in answer to the photo", object{"text": "We are looking for it", "reply_to": photoID},
			func(m meta.Message) bool { return m.Text == "We are looking for it" && m.ReplyTo == photoID }},
		{"image by link", object{"media": object{"type": "image", "link": server.URL + "/parcel.png", "caption": "This one?"}},
			func(m meta.Message) bool {
				return m.Type == "image" && m.Text == "This one?" && m.Media.Size == int64(len(picture))
			}},
		{"image by id", object{"media": object{"type": "image", "id": w.upload(t, "parcel.png", "image/png", picture)}},
			func(m meta.Message) bool { return m.Type == "image" && m.Media.Size == int64(len(picture)) }},
		{"template", object{"template": object{"name": "order_update", "language": "en_US", "components": []any{
			object{"type": "body", "parameters": []any{
				object{"type": "text", "text": "Anna"}, object{"type": "text", "text": "1042"}, object{"type": "text", "text": "tomorrow morning"}}}}}},
			func(m meta.Message) bool { return strings.Contains(m.Text, "1042") }},
		{"interactive", object{"interactive": object{"type": "button", "body": object{"text": "Was it?"}, "action": object{"buttons": []any{
			object{"type": "reply", "reply": object{"id": "yes-1", "title": "Yes"}}, object{"type": "reply", "reply": object{"id": "no-1", "title": "No"}}}}}},
			func(m meta.Message) bool { return len(m.Options) == 2 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.request["to"] = "+" + anna.Phone
			id := w.ask(t, "", c.request)
			m := w.reaches(t, id, "delivered")
			shown := anna.onPhone(t, m.ProviderID)
			if !c.shows(shown) {
				t.Errorf("the phone shows %+v", shown)
			}
			w.secret(m.ProviderID)
			w.Meta().See(anna.ID, number)
			if m = w.reaches(t, id, "read"); !inOrder(m, "queued", "accepted", "sent", "delivered", "read") {
				t.Errorf("history %v", m.History)
			}
			anna.hasEntries(t)
		})
	}
	anna.chooses(t, "yes-1")
}

// inOrder wants a history with these steps among others.
func inOrder(m message, steps ...string) bool {
	for _, h := range m.History {
		if len(steps) > 0 && h.Status == steps[0] {
			steps = steps[1:]
		}
	}
	return len(steps) == 0
}

// chooses presses a button on the last message that offers it; the company sees which.
func (p *person) chooses(t *testing.T, option string) {
	t.Helper()
	var question string
	for _, m := range p.w.Meta().Messages(p.ID) {
		if len(m.Options) > 0 && m.Options[0].ID == option {
			question = m.ID
		}
	}
	id := p.writes(t, meta.Draft{ReplyTo: question, Option: option})
	eventually(t, patience, func() error {
		var m message
		if err := p.w.messageByID(t, id, &m); err != nil {
			return err
		}
		if m.Kind != "interactive" || m.ReplyTo != question || !strings.Contains(string(m.Content), option) {
			return fmt.Errorf("the choice is %+v", m)
		}
		return nil
	})
}

// sameKey repeats a request, also when it is under way, and asks for something else under its key.
func sameKey(t *testing.T, anna *person) {
	request := object{"to": "+" + anna.Phone, "text": "Exactly once, please"}
	anna.w.secret("Exactly once, please")
	first := anna.w.ask(t, "order-1042, again", request)
	if again := anna.w.ask(t, "order-1042, again", request); again != first {
		t.Errorf("%s, then %s", first, again)
	}
	anna.w.reaches(t, first, "delivered")
	if again := anna.w.ask(t, "order-1042, again", request); again != first {
		t.Errorf("%s, after delivery %s", first, again)
	}
	request["text"] = "Something else"
	if status, err := anna.w.call(t.Context(), http.MethodPost, "/messages", "order-1042, again", request, nil); err != nil || status != http.StatusConflict {
		t.Errorf("another request under the same key: %d %v", status, err)
	}
	anna.hasEntries(t)
	if n := anna.shows("Exactly once, please"); n != 1 {
		t.Errorf("%d times on the phone", n)
	}
}
