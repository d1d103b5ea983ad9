package crmsim

import (
	"bytes"
	"context"
	"time"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/phone"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
	"threadline/shared/whatsapp/whatsapptest"
)

// What happens before crmsync: the router, the media function and the sender, as far as the queue notices them.

// Text is a customer's message.
func (r *Rig) Text(from, id, text string) chat.Message {
	r.t.Helper()
	return r.receive(from, "", chat.Message{ID: chat.MessageID(id), Kind: chat.KindText, Text: text})
}

// TextAs is a message of a customer whose business-scoped id is known.
func (r *Rig) TextAs(bsuid, from, id, text string) chat.Message {
	r.t.Helper()
	return r.seen(chat.Seen{Phone: from, BSUID: bsuid, Scope: whatsapptest.WABA}, "", chat.Message{ID: chat.MessageID(id), Kind: chat.KindText, Text: text})
}

// GroupText is a customer's message in a group chat.
func (r *Rig) GroupText(group, from, id, text string) chat.Message {
	r.t.Helper()
	return r.receive(from, group, chat.Message{ID: chat.MessageID(id), Kind: chat.KindText, Text: text})
}

// Arriving is a customer's message with a file that the media function is still fetching.
func (r *Rig) Arriving(from, id, caption string) chat.Message {
	r.t.Helper()
	return r.receive(from, "", chat.Message{
		ID: chat.MessageID(id), Kind: chat.KindImage, Text: caption,
		Attachment: &chat.Attachment{State: chat.Pending, MediaID: "900", MIME: "image/jpeg"},
	})
}

// Photo is a customer's message with a file that comes when some time has passed; 0: before anybody looks at the message.
func (r *Rig) Photo(from, id, caption string, content []byte, after time.Duration) chat.Message {
	r.t.Helper()
	m := r.Arriving(from, id, caption)
	arrives := func() {
		r.Put("media/"+id, content)
		r.Arrived(m, int64(len(content)))
	}
	if after == 0 {
		arrives()
	} else {
		r.After(after, arrives)
	}
	return m
}

// Put stores an object in the bucket.
func (r *Rig) Put(key string, content []byte) {
	r.t.Helper()
	if err := r.Bucket.Put(r.t.Context(), key, bytes.NewReader(content), int64(len(content)), blob.PutOptions{}); err != nil {
		r.t.Fatal(err)
	}
}

// Arrived is what the media function does when a message's file is in the bucket, at "media/" and the message's id.
func (r *Rig) Arrived(m chat.Message, size int64) {
	r.t.Helper()
	m, err := r.Store.Change(r.t.Context(), m.Conversation, m.At, m.ID, func(m *chat.Message) error {
		m.Attachment.State, m.Attachment.Key, m.Attachment.Size = chat.Stored, "media/"+string(m.ID), size
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.due(m, route.FileHere)
}

// Edit is a customer who changes an earlier message.
func (r *Rig) Edit(from, id, of, text string) {
	r.t.Helper()
	m := r.receive(from, "", chat.Message{ID: chat.MessageID(id), Kind: chat.KindEdit, Text: text, ReplyTo: of})
	target, found, err := r.Store.Amend(r.t.Context(), m)
	if err != nil || !found {
		r.t.Fatalf("amend: %v", err)
	}
	r.due(target, id)
}

// Answer is a message of the company's, with a file of its own if there is content, and accepted by Meta.
func (r *Rig) Answer(to, id, text string, content []byte) {
	r.t.Helper()
	m, err := r.Store.Accept(r.t.Context(), r.ask(to, id, text, content), "wamid."+id)
	if err != nil {
		r.t.Fatal(err)
	}
	r.due(m, route.Accepted)
}

// Doubt is a message of the company's of which nobody knows whether Meta took it.
func (r *Rig) Doubt(to, id, text string) {
	r.t.Helper()
	m := r.ask(to, id, text, nil)
	m, err := r.Store.Change(r.t.Context(), m.Conversation, m.At, m.ID, func(m *chat.Message) error {
		m.Reach(chat.Unknown, r.Now(), nil)
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.due(m, route.Doubtful)
}

// Receipt is Meta's word on a message of the company's.
func (r *Rig) Receipt(id string, status chat.Status) {
	r.t.Helper()
	said := chat.Receipt{Number: Number, ProviderID: "wamid." + id, ID: chat.MessageID(id), Status: status, At: r.Now(), Hash: id + string(status)}
	m, found, err := r.Store.Settle(r.t.Context(), said)
	if err != nil || !found {
		r.t.Fatalf("settle: %v", err)
	}
	if m.Settled == said.Hash {
		r.due(m, said.Hash)
	}
}

// ask stores a message of the company's.
func (r *Rig) ask(to, id, text string, content []byte) chat.Message {
	r.t.Helper()
	who, err := r.Store.FindContacts(r.t.Context(), to, nil)
	if err != nil || len(who) != 1 {
		r.t.Fatalf("%d contacts have the number: %v", len(who), err)
	}
	m := chat.Message{
		ID: chat.MessageID(id), Conversation: chat.Direct(Number, who[0].ID), Contact: who[0].ID, At: r.Now(), Direction: chat.Out,
		Kind: chat.KindText, Origin: chat.FromAgent, Text: text, Status: chat.Queued, Send: &chat.Send{To: chat.Address{Phone: to}},
	}
	if content != nil {
		m.Kind = chat.KindDocument
		m.Attachment = &chat.Attachment{State: chat.Stored, Key: "uploads/" + id, Name: "bill.pdf", MIME: "application/pdf", Size: int64(len(content))}
		r.Put(m.Attachment.Key, content)
	}
	m.Effects = route.Plan(m, r.connectors())
	m, _, err = r.Store.Queue(r.t.Context(), m)
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

func (r *Rig) receive(from, group string, m chat.Message) chat.Message {
	r.t.Helper()
	return r.seen(chat.Seen{Phone: from}, group, m)
}

func (r *Rig) seen(who chat.Seen, group string, m chat.Message) chat.Message {
	r.t.Helper()
	m.Direction, m.Status, m.ProviderID, m.At, m.Origin = chat.In, chat.Delivered, string(m.ID), r.Now(), chat.FromCustomer
	who.Name, who.At, who.ID, who.Source, who.Variants = "Customer "+who.Phone, m.At, string(m.ID), chat.SourceMessage, phone.Variants(who.Phone)
	got, err := r.Store.Receive(r.t.Context(), store.Inbound{
		Message: m, Number: Number, Group: group, Plan: func(m chat.Message) []chat.Effect { return route.Plan(m, r.connectors()) },
		Seen: who,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.due(got.Message, route.Stored)
	return got.Message
}

// due queues the effects of a message on records.
func (r *Rig) due(m chat.Message, cause string) {
	r.t.Helper()
	var entries []queue.Entry
	for _, e := range route.Due(m, cause) {
		if e.Kind == chat.EffectCRM {
			ref := route.NewRef(m, store.SortKey(m), e, cause)
			entries = append(entries, queue.Entry{Body: ref.Body(), Group: ref.Group(m.Contact), DedupID: ref.DedupID()})
		}
	}
	if err := (&queue.Sender{Client: r.queue, URL: r.queue.URL}).Send(context.Background(), entries...); err != nil {
		r.t.Fatal(err)
	}
}

func (r *Rig) connectors() []string {
	var names []string
	for _, c := range r.configured {
		names = append(names, c.Connector)
	}
	return names
}
