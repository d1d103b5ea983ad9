package store

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"threadline/shared/chat"
)

// busy is a check that never holds, as if somebody else were always faster.
var busy = op{key: key{"p", "s"}, cond: unchanged, rev: 7}

func TestTooManyWriters(t *testing.T) {
	s := newStore(NewMemory(), "table")
	s.Pause = func(context.Context, int) error { return nil }
	tries := 0
	err := s.contend(t.Context(), func() error { tries++; return s.write(t.Context(), busy) })
	if chat.CodeOf(err) != chat.Conflict || tries != rounds {
		t.Errorf("after %d tries: %v", tries, err)
	}
}

// A function whose time is up while it waits for its turn leaves the rest to the queue.
func TestTimeIsUpWhileWaiting(t *testing.T) {
	s := newStore(NewMemory(), "table")
	ctx, cancel := context.WithCancel(t.Context())
	err := s.contend(ctx, func() error { cancel(); return errChanged })
	if chat.CodeOf(err) != chat.Unavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// A write that meets somebody's transaction is decided anew at once.
func TestConflictWithATransaction(t *testing.T) {
	mem := NewMemory()
	m := queue(t, newStore(mem, "table"), outbound("m_1", after(1), somebody(t, newStore(mem, "table"))))
	s := newStore(&faulty{API: mem, fault: fault{only: "put", err: &types.TransactionConflictException{}}, n: 1}, "table")
	tries := 0
	if _, err := s.Change(t.Context(), m.Conversation, m.At, m.ID, func(m *chat.Message) error { tries++; return nil }); err != nil || tries != 2 {
		t.Errorf("after %d tries: %v", tries, err)
	}
}
