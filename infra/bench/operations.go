package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"threadline/infra/sim"
	"threadline/shared/chat"
	"threadline/shared/whatsapp/whatsapptest"
)

// operation is something that AWS is paid for.
type operation struct {
	name  string
	usage usage
}

// importing is the one operation whose reads grow: the job that feeds the CRM looks for imported messages behind the last
// one, up to the end of the conversation.
const importing = "history, 10 messages"

const photoSize = 1_000_000 // bytes

// sentence is a message's text of ordinary length.
const sentence = "Good morning! Is the blue one in stock again, and could you keep it for me until Friday?"

// operations are measured one after the other, in a conversation that n messages and n other people were added to.
func operations(n int) (all []operation, err error) {
	failure := sim.Outside(func(t testing.TB) {
		s := newScene(t, sim.Options{})
		measure := func(name string, do func()) {
			all = append(all, operation{name, s.measure(do)})
		}
		write := func(from, id string) func() {
			return func() { s.Deliver(from, whatsapptest.Text(sim.Number, from, id, sentence, s.Now())) }
		}
		s.measure(write("34600999888", wamid(0))) // the CRM's properties and the number itself are there from now on
		measure("message, new customer", write(customer, wamid(1)))
		if err = s.crowd(n); err != nil {
			return
		}
		measure("message", write(customer, wamid(2)))
		measure("reply", func() { s.Reply("key-1", customer, sentence) })
		reply := s.Delivered()[0]
		for _, state := range []string{"sent", "delivered", "read"} {
			measure("receipt: "+state, func() {
				s.Deliver(customer, whatsapptest.Status(sim.Number, customer, reply.WAMID, state, reply.Callback, s.Now()))
			})
		}
		sum := s.AddFile("900100", "image/jpeg", bytes.Repeat([]byte("photo "), photoSize/6))
		measure("photo of 1 MB", func() {
			s.Deliver(customer, whatsapptest.Photo(sim.Number, customer, wamid(3), "900100", sum, "", s.Now()))
		})
		measure("message, sent twice by Meta", func() { write(customer, wamid(4))(); s.Quiet(); write(customer, wamid(4))() })
		measure("quote", func() {
			s.Deliver(customer, whatsapptest.Reply(sim.Number, customer, wamid(5), wamid(1), sentence, s.Now()))
		})
		measure("reaction", func() {
			s.Deliver(customer, whatsapptest.Reaction(sim.Number, customer, wamid(6), wamid(1), "👍", s.Now()))
		})
		measure("edit", func() {
			s.Deliver(customer, whatsapptest.Edit(sim.Number, customer, wamid(7), wamid(1), sentence+" Please.", s.Now()))
		})
		measure("deletion", func() { s.Deliver(customer, whatsapptest.Revoke(sim.Number, customer, wamid(8), wamid(1), s.Now())) })
		measure(importing, func() {
			s.Deliver("history", whatsapptest.History(sim.Number, customer, 1, 1, 100, oldMessages(0, 10)...))
		})
		m, failed := s.Store.Lookup(context.Background(), chat.MessageID(wamid(1)))
		if err = failed; err != nil {
			return
		}
		var read []operation
		read, err = s.pages(m.Conversation)
		all = append(all, read...)
		if dead := s.BulkDLQ.Len() + s.InboundDLQ.Len() + s.MediaDLQ.Len() + s.CRMDLQ.Len() + s.SendDLQ.Len(); dead > 0 {
			t.Fatalf("%d entries are parked", dead)
		}
	})
	if failure != nil {
		return nil, failure
	}
	return all, err
}

// wamid is an id as long as Meta's.
func wamid(i int) string {
	return "wamid.HBgLMzQ2MDAxMTEyMjIVAgASGBQzQTAwMDAwMDAwMDAwMDAw" + pad(i)
}

func pad(i int) string {
	digits := fmt.Sprint(i)
	return strings.Repeat("0", max(0, 6-len(digits))) + digits
}
