package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"threadline/shared/chat"
)

func text1(id string, seen chat.Seen, at time.Time) Inbound {
	seen.At, seen.ID, seen.Source = at, id, chat.SourceMessage
	return Inbound{Number: "100", Seen: seen, Message: chat.Message{
		ID: chat.MessageID(id), ProviderID: id, At: at, Direction: chat.In, Kind: chat.KindText, RawType: "text",
		Origin: chat.FromCustomer, Text: "hi " + id, Status: chat.Delivered, Hash: "h" + id,
	}}
}

func TestQuick(t *testing.T) {
	ctx := context.Background()
	n := 0
	s := &Store{DB: NewMemory(), Table: "t", NewID: func() string { n++; return fmt.Sprintf("%026d", n) }}
	at := time.Unix(1700000000, 0).UTC()
	r, err := s.Receive(ctx, text1("w1", chat.Seen{Phone: "34600111222", Name: "Ana"}, at))
	if err != nil {
		t.Fatal(err)
	}
	r2, err := s.Receive(ctx, text1("w2", chat.Seen{Phone: "34600111222", BSUID: "ES.1", Scope: "w"}, at.Add(time.Second)))
	if err != nil {
		t.Fatal(err)
	}
	if r.Message.Contact != r2.Message.Contact {
		t.Fatal("two people")
	}
	again, err := s.Receive(ctx, text1("w1", chat.Seen{Phone: "34600111222"}, at))
	if err != nil || again.First {
		t.Fatal(err, again)
	}
	ms, next, err := s.Messages(ctx, r.Message.Conversation, "", 1)
	if err != nil || len(ms) != 1 || next == "" {
		t.Fatal(ms, next, err)
	}
	ms, next, err = s.Messages(ctx, r.Message.Conversation, next, 1)
	if err != nil || len(ms) != 1 || next != "" || ms[0].Text != "hi w1" {
		t.Fatal(ms, next, err)
	}
	cs, _, err := s.Conversations(ctx, Filter{}, "", 50)
	if err != nil || len(cs) != 1 || cs[0].With.Name != "Ana" {
		t.Fatal(cs, err)
	}
}
