package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"

	"threadline/infra/local/meta"
	"threadline/shared/whatsapp/whatsapptest"
)

// withoutNumber is a customer who hides the phone number: only the business-scoped user id is known.
func withoutNumber(t *testing.T, w *world) {
	mika := w.customer(t, "Mika Hidden", "")
	photo := randomFile(12_000)
	question := mika.writes(t, meta.Draft{Text: "Do you know me at all?"})
	mika.writes(t, meta.Draft{File: &meta.Upload{Name: "me.jpg", MIME: "image/jpeg", Caption: "not my face", Body: bytes.NewReader(photo)}})
	mika.known(t)
	w.secret("not my face")
	w.secret("Not your number, and yet", "Twice is one too many")

	var contact struct {
		Identities []struct{ Kind, Value string }
	}
	if err := w.get(t, "/contacts/"+mika.contact, &contact); err != nil || len(contact.Identities) != 1 || contact.Identities[0].Value != mika.BSUID {
		t.Errorf("known as %+v, want the user id alone (%v)", contact.Identities, err)
	}
	for text, to := range map[string]any{
		"Not your number, and yet": object{"contact": mika.contact},
		"Twice is one too many":    object{"bsuid": mika.BSUID},
	} {
		m := w.reaches(t, w.ask(t, "", object{"to": to, "text": text, "reply_to": question}), "delivered")
		if shown := mika.onPhone(t, m.ProviderID); shown.Text != text || shown.ByPhone {
			t.Errorf("the phone shows %+v", shown)
		}
		w.secret(m.ProviderID)
		w.Meta().See(mika.ID, number)
		w.reaches(t, m.ID, "read")
	}
	mika.hasEntries(t)
	eventually(t, patience, func() error {
		if entry := mika.entry(t, "not my face"); len(entry.Files) != 1 {
			return errStill
		}
		return nil
	})
	sameFile(t, w, mika.entry(t, "not my face").Files[0], photo)
	if contact, _, err := mika.record(); err != nil || contact.Properties["phone"] != "" {
		t.Errorf("the CRM has the phone number %q (%v)", contact.Properties["phone"], err)
	}
}

// inGroup is a customer's message in a group chat, which isn't part of what they say in private.
func inGroup(t *testing.T, w *world) {
	lee := w.customer(t, "Lee Crowd", "34600555002")
	lee.writes(t, meta.Draft{Text: "This is between us"})
	lee.known(t)

	const group, text = "Y2FwaXRhbCBsZXR0ZXJz", "This is for everybody"
	w.secret(text)
	status := w.post(t, whatsapptest.Change(number, object{
		"contacts": []any{object{"profile": object{"name": lee.Name}, "wa_id": lee.Phone, "user_id": lee.BSUID}},
		"messages": []any{object{"from": lee.Phone, "from_user_id": lee.BSUID, "group_id": group, "id": "wamid.a//slash/or+two==", "type": "text",
			"timestamp": fmt.Sprint(time.Now().Unix()), "text": object{"body": text}}},
	}))
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	eventually(t, patience, func() error {
		all, err := w.messages(t, number+".g."+group, 100)
		if err == nil && (len(all) != 1 || all[0].Text != text) {
			err = fmt.Errorf("the group's conversation is %+v", all)
		}
		return err
	})
	var m message
	if err := w.messageByID(t, "wamid.a//slash/or+two==", &m); err != nil || m.Text != text {
		t.Errorf("by Meta's id: %+v %v", m, err)
	}
	if all, err := w.messages(t, lee.conversation, 100); err != nil || len(all) != 1 || all[0].Text == text {
		t.Errorf("the private conversation is %+v (%v)", all, err)
	}
}
