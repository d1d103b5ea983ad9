package handler

import (
	"strings"
	"testing"

	"threadline/shared/blob"
	"threadline/shared/chat"
)

// sends stores a file that the company sent, of which the bucket has what was uploaded.
func (r *rig) sends(a chat.Attachment) chat.Message {
	r.Helper()
	first := r.text("wamid.1", "hello")
	m, _, err := r.store.Queue(r.Context(), chat.Message{
		ID: "m_1", Conversation: first.Conversation, Contact: first.Contact, At: noon, Direction: chat.Out, Kind: chat.KindDocument,
		Text: "your bill", Attachment: &a, Status: chat.Queued, Send: &chat.Send{To: chat.Address{Phone: ana}},
	})
	if err != nil {
		r.Fatal(err)
	}
	r.change(m, func(m *chat.Message) { m.ProviderID, m.Status = "wamid.ours", chat.Accepted })
	return m
}

func TestAnUploadedFileIsAttached(t *testing.T) {
	const content = "the bytes"
	r := newRig(t)
	if err := r.bucket.Put(t.Context(), "uploads/f_1", strings.NewReader(content), int64(len(content)), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	m := r.sends(chat.Attachment{State: chat.Stored, Key: "uploads/f_1", Name: "bill.pdf", MIME: "application/pdf", Size: int64(len(content))})
	r.mustSync(m)
	r.called("key", "search", "contact", "entry", "file", "update")
	e := r.entry(m)
	if e.said().Text != "your bill" || e.said().Note != "" || len(e.files) != 1 || r.crm.files[e.files[0]] != entryKey(m)+" bill.pdf application/pdf the bytes" {
		t.Errorf("it shows %+v, with %q", e, r.crm.files)
	}
	r.mustSync(m)
	r.called()
}

// What the company sends by a link or by Meta's id is no file of ours.
func TestAFileElsewhereIsNotAttached(t *testing.T) {
	for note, a := range map[string]chat.Attachment{
		"File: https://a.example/bill.pdf": {State: chat.Remote, Link: "https://a.example/bill.pdf"},
		"":                                 {State: chat.Remote, MediaID: "7"},
	} {
		r := newRig(t)
		m := r.sends(a)
		r.mustSync(m)
		r.called("key", "search", "contact", "entry")
		if e := r.entry(m); e.said().Text != "your bill" || e.said().Note != note || len(e.files) != 0 {
			t.Errorf("%+v: it shows %+v", a, e)
		}
	}
}
