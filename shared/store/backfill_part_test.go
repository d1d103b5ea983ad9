package store

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
)

// TestPartsThatStandStill: only one at which nobody looks is given up, once, and counted in its own backfill.
func TestPartsThatStandStill(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		now := noon
		s.Now = func() time.Time { return now }
		do := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		still := func(since time.Time, want ...chat.ConversationID) {
			t.Helper()
			got, err := s.StillParts(t.Context(), "odoo", since, 10)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("since %v: %q stand still, want %q, %v", since, got, want, err)
			}
		}
		giveUp := func(conv chat.ConversationID, since time.Time, want bool) {
			t.Helper()
			if given, err := s.GiveUpPart(t.Context(), conv, "odoo", since); err != nil || given != want {
				t.Errorf("%s is given up: %v, %v", conv, given, err)
			}
		}
		b := Backfill{Connector: "odoo", ID: "a"}
		do(s.BeginBackfill(t.Context(), "odoo", "a"))
		for _, conv := range []chat.ConversationID{"100.looked-at", "100.fed", "100.parked", "100.done"} {
			do(s.BeginPart(t.Context(), conv, b))
		}
		now = noon.Add(2 * time.Hour)
		do(s.SeePart(t.Context(), "100.looked-at", "odoo", Job{ID: "a", Seen: noon}))
		do(s.SeePart(t.Context(), "100.parked", "odoo", Job{ID: "another", Seen: noon}))
		do(s.FinishPart(t.Context(), "100.done", "odoo", Job{ID: "a"}))
		do(s.SeePart(t.Context(), "100.done", "odoo", Job{ID: "a", Seen: noon}))
		do(s.SeePart(t.Context(), "100.fed", "odoo", Job{ID: "a", Seen: noon}))
		if _, err := s.SaveJob(t.Context(), "100.fed", BackfillJob("odoo"), Job{ID: "a", Cursor: "x", Fed: 5}); err != nil {
			t.Fatal(err)
		}
		still(noon)
		still(noon.Add(time.Hour), "100.parked")
		still(now.Add(time.Minute), "100.parked", "100.fed", "100.looked-at")
		giveUp("100.parked", noon, false)
		giveUp("100.looked-at", noon.Add(time.Hour), false)
		giveUp("100.done", now.Add(time.Hour), false)
		giveUp("100.nobody", now, false)
		giveUp("100.parked", noon.Add(time.Hour), true)
		giveUp("100.parked", noon.Add(time.Hour), false)
		do(s.FinishPart(t.Context(), "100.parked", "odoo", Job{ID: "a"})) // its entry comes back after all
		still(noon.Add(time.Hour))
		got, err := s.Backfill(t.Context(), "odoo")
		if err != nil || got.Begun != 4 || got.Finished != 1 || got.GivenUp != 1 || got.Open() != 2 {
			t.Errorf("%+v, %v", got, err)
		}
		do(s.BeginBackfill(t.Context(), "odoo", "b"))
		giveUp("100.fed", now.Add(time.Minute), true) // an earlier one's
		if got, err := s.Backfill(t.Context(), "odoo"); err != nil || got.GivenUp != 0 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// TestAPartIsSeenSeldom: a job is looked at every few minutes, and written down once an hour.
func TestAPartIsSeenSeldom(t *testing.T) {
	meter := NewMeter(NewMemory())
	s := newStore(meter, "table")
	now := noon
	s.Now = func() time.Time { return now }
	ctx := t.Context()
	if err := s.BeginBackfill(ctx, "odoo", "a"); err != nil {
		t.Fatal(err)
	}
	if err := s.BeginPart(ctx, "100.x", Backfill{Connector: "odoo", ID: "a"}); err != nil {
		t.Fatal(err)
	}
	before := meter.Cost().Written
	for range 60 {
		now = now.Add(5 * time.Minute)
		j, err := s.Job(ctx, "100.x", BackfillJob("odoo"))
		if err == nil {
			err = s.SeePart(ctx, "100.x", "odoo", j)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := meter.Cost().Written - before; n != 5 {
		t.Errorf("written %d times in five hours", n)
	}
}

// TestAPartMeetsItsEnd: one that is looked at while somebody gives it up is counted once at most, and not if it goes on.
func TestAPartMeetsItsEnd(t *testing.T) {
	ctx := context.Background()
	const conv = chat.ConversationID("100.x")
	meet(t, func(s *Store) {
		err := s.BeginBackfill(ctx, "odoo", "a")
		if err == nil {
			err = s.BeginPart(ctx, conv, Backfill{Connector: "odoo", ID: "a"})
		}
		if err != nil {
			t.Fatal(err)
		}
	}, func(s *Store) error {
		_, err := s.GiveUpPart(ctx, conv, "odoo", thirteen.Add(time.Minute))
		return err
	}, func(s *Store) error {
		return s.FinishPart(ctx, conv, "odoo", Job{ID: "a", Fed: 2})
	}, func(s *Store) error {
		if b, err := s.Backfill(ctx, "odoo"); err != nil || b.Open() != 0 || b.Finished+b.GivenUp != 1 {
			return fmt.Errorf("%+v, %w", b, err)
		}
		return nil
	})
}

// TestNothingAssignsConversations: EveryConversation, and Filter{}, look only where conversations of DefaultTeam without an
// owner are, and the resolved ones. Whoever lets a conversation have another place has both look there too.
func TestNothingAssignsConversations(t *testing.T) {
	for _, dir := range []string{".", filepath.Join("..", "chat")} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if at := assigns(n); at.IsValid() {
					t.Errorf("%s gives a conversation a team or an owner", fset.Position(at))
				}
				return true
			})
		}
	}
	for k, it := range everything(t, retention).Items() {
		if k[1] == "CONV" && !slices.Contains(Filter{}.partitions(), asText(it["GSI1PK"])) {
			t.Errorf("%s is at %s, where EveryConversation doesn't look", k[0], asText(it["GSI1PK"]))
		}
	}
}

// assigns is where a team other than DefaultTeam, or an owner, is assigned: to a field, or in a conversation that is made.
func assigns(n ast.Node) token.Pos {
	other := func(field, value ast.Expr) bool {
		if s, ok := field.(*ast.SelectorExpr); ok {
			field = s.Sel
		}
		name, _ := field.(*ast.Ident)
		to, _ := value.(*ast.Ident)
		return name != nil && (name.Name == "Owner" || name.Name == "Team" && (to == nil || to.Name != "DefaultTeam"))
	}
	switch n := n.(type) {
	case *ast.AssignStmt:
		for i, field := range n.Lhs {
			if _, ok := field.(*ast.SelectorExpr); ok && other(field, n.Rhs[min(i, len(n.Rhs)-1)]) {
				return field.Pos()
			}
		}
	case *ast.KeyValueExpr:
		if other(n.Key, n.Value) {
			return n.Pos()
		}
	}
	return token.NoPos
}
