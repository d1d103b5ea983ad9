package sim

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"threadline/shared/whatsapp/whatsapptest"
)

// story is what Meta tells of a company and its customers, in the order in which it happens.
type story struct {
	s     *Sim
	now   time.Time
	posts [][]byte
}

// The customers: two known by their numbers, of whom one gets another number, and one who hides it.
const (
	ana      = "34600111220"
	anaLater = "34600111229"
	cleo     = "34600111221"
	bo       = "ES.13491208655302741918"
	boLater  = "ES.2000000000000001"
	cleosID  = "ES.3000000000000001"
)

// everything is a story with everything in it but for what the company asks us to send.
func everything(s *Sim) [][]byte {
	st := &story{s: s, now: Start}
	for i, who := range []string{ana, bo, cleo} {
		id := func(name string) string { return fmt.Sprintf("wamid.%d.%s", i, name) }
		st.writes(who, id)
		st.isAnswered(who, id)
		st.calls(who, id)
		st.wroteBefore(who, id)
		st.isSpokenOf(who, id)
	}
	st.becomeOthers()
	st.account()
	return st.posts
}

// tell adds a webhook.
func (st *story) tell(body []byte) { st.posts = append(st.posts, body) }

// at is when the next thing happens.
func (st *story) at() time.Time {
	st.now = st.now.Add(7 * time.Second)
	return st.now
}

func (st *story) writes(who string, id func(string) string) {
	sum := st.s.AddFile(id("file"), "image/jpeg", []byte("photo of "+who))
	st.tell(whatsapptest.Text(Number, who, id("text"), "hello", st.at()))
	st.tell(whatsapptest.Photo(Number, who, id("photo"), id("file"), sum, "look", st.at()))
	st.tell(whatsapptest.Reply(Number, who, id("reply"), "wamid.long.ago", "about that", st.at()))
	st.tell(whatsapptest.Edit(Number, who, id("edit"), id("text"), "good morning", st.at()))
	st.tell(whatsapptest.Edit(Number, who, id("edit.2"), id("text"), "good evening", st.at()))
	st.tell(whatsapptest.Edit(Number, who, id("edit.caption"), id("photo"), "see", st.at()))
	st.tell(whatsapptest.Revoke(Number, who, id("revoke"), id("photo"), st.at()))
	st.tell(whatsapptest.Order(Number, who, id("order"), "catalog", "please", st.at(), whatsapptest.Item{Product: "p", Quantity: 2, Price: "1.50", Currency: "EUR"}))
	st.tell(whatsapptest.FlowReply(Number, who, id("form"), map[string]any{"size": "L"}, st.at()))
	st.tell(whatsapptest.GroupMessage(Number, "120363025550001", who, id("group"), "hello all", st.at()))
	st.tell(whatsapptest.MessageWith(Number, who, id("group.like"), "reaction", map[string]any{
		"message_id": "wamid.0.group", "emoji": "👍",
	}, map[string]any{"group_id": "120363025550001"}, st.at()))
}

// isAnswered is what the company writes elsewhere, and what comes of it.
func (st *story) isAnswered(who string, id func(string) string) {
	st.tell(whatsapptest.Echo(Number, who, id("echo"), "how can we help?", st.at()))
	for _, state := range []string{"sent", "delivered", "read"} {
		st.tell(whatsapptest.Status(Number, who, id("echo"), state, "", st.at()))
	}
	st.tell(whatsapptest.Reaction(Number, who, id("like"), id("echo"), "👍", st.at()))
	st.tell(whatsapptest.Reaction(Number, who, id("love"), id("echo"), "❤️", st.at()))
	st.tell(whatsapptest.Reaction(Number, who, id("unlove"), id("echo"), "", st.at()))
	st.tell(whatsapptest.EchoOf(Number, who, id("ours"), "reaction", map[string]any{"message_id": id("text"), "emoji": "🙏"}, st.at()))
	st.tell(whatsapptest.EchoOf(Number, who, id("echo.edit"), "edit", map[string]any{
		"original_message_id": id("echo"), "message": map[string]any{"type": "text", "text": map[string]any{"body": "how may we help?"}},
	}, st.at()))
	st.tell(whatsapptest.Echo(Number, who, id("echo.2"), "oh", st.at()))
	st.tell(whatsapptest.EchoOf(Number, who, id("echo.revoke"), "revoke", map[string]any{"original_message_id": id("echo.2")}, st.at()))
	st.tell(whatsapptest.Status(Number, who, id("echo.2"), "failed", "", st.at()))
}

func (st *story) calls(who string, id func(string) string) {
	st.tell(whatsapptest.Call(Number, who, id("call"), st.at()))
	st.tell(whatsapptest.CallEnd(Number, who, id("call"), "COMPLETED", 65*time.Second, st.at()))
	st.tell(whatsapptest.CallStatus(Number, who, id("call.ours"), "RINGING", st.at()))
	st.tell(whatsapptest.CallStatus(Number, who, id("call.ours"), "REJECTED", st.at()))
}

// wroteBefore is the history from before the number was connected, and what is said of it now.
func (st *story) wroteBefore(who string, id func(string) string) {
	old := func(name, kind string, content any) whatsapptest.Old {
		return whatsapptest.Old{ID: id(name), FromBusiness: name == "old.ours", Type: kind, Content: content, At: st.at().Add(-100 * day)}
	}
	sum := st.s.AddFile(id("old.file"), "image/jpeg", []byte("old photo of "+who))
	st.tell(whatsapptest.History(Number, who, 2, 1, 40, old("old", "", "long ago"), old("old.ours", "", "then")))
	photo := old("old.photo", "media_placeholder", nil)
	st.tell(whatsapptest.History(Number, who, 2, 2, 80, old("old.2", "", "later"), photo))
	photo.Type = "image"
	photo.Content = map[string]any{"id": id("old.file"), "mime_type": "image/jpeg", "sha256": sum, "caption": "from then"}
	st.tell(whatsapptest.HistoryMedia(Number, who, photo))
	st.tell(whatsapptest.Reaction(Number, who, id("old.like"), id("old.ours"), "👍", st.at()))
	st.tell(whatsapptest.Edit(Number, who, id("old.edit"), id("old.2"), "later on", st.at()))
	st.tell(whatsapptest.Revoke(Number, who, id("old.revoke"), id("old.photo"), st.at()))
}

// isSpokenOf is what Meta tells of a customer that nobody wrote.
func (st *story) isSpokenOf(who string, id func(string) string) {
	for _, word := range []string{"stop", "resume", "stop"} {
		st.tell(whatsapptest.Preference(Number, who, word, st.at()))
	}
	st.tell(whatsapptest.Handover(Number, who, "control_passed", "ai_agent", "escalation", st.at()))
	st.tell(whatsapptest.Signal(Number, id("text"), "LeadSubmitted", "click", st.at()))
	st.tell(whatsapptest.Standby(whatsapptest.Text(Number, who, id("standby"), "to the other agent", st.at())))
}

// becomeOthers is how customers turn out to be one and the same.
func (st *story) becomeOthers() {
	for _, name := range []string{"Ana from the shop", "", "Ana, Girona"} {
		st.tell(whatsapptest.SavedContact(Number, ana, name, st.at()))
	}
	system := func(who, wamid string, content, more map[string]any) {
		st.tell(whatsapptest.MessageWith(Number, who, wamid, "system", content, more, st.at()))
	}
	system(ana, "wamid.key", map[string]any{"type": "customer_identity_changed", "wa_id": ana},
		map[string]any{"identity": map[string]any{"acknowledged": false, "created_timestamp": st.now.Unix(), "hash": "k2"}})
	system(ana, "wamid.moves", map[string]any{"type": "user_changed_number", "body": "Ana changed her number", "wa_id": anaLater}, nil)
	st.tell(whatsapptest.Text(Number, anaLater, "wamid.moved", "my new number", st.at()))
	system(bo, "wamid.anew", map[string]any{
		"type": "user_changed_user_id", "body": "a new id", "user_id": boLater, "previous_user_id": bo,
	}, nil)
	st.tell(whatsapptest.Text(Number, boLater, "wamid.as.new", "it is me", st.at()))
	st.tell(whatsapptest.Text(Number, cleosID, "wamid.by.id", "without a number", st.at()))
	st.tell(whatsapptest.MessageWith(Number, cleo, "wamid.by.both", "text", map[string]any{"body": "with both"},
		map[string]any{"from_user_id": cleosID, "from_parent_user_id": "ES.ENT.3000000000000001"}, st.at()))
	st.tell(whatsapptest.Group(Number, "120363025550001", "group_participants_update", "group_participants_add", map[string]any{
		"added_participants": []any{map[string]any{"wa_id": ana}},
	}, st.at()))
}

func (st *story) account() {
	for _, limit := range []string{"TIER_250", "TIER_1K", "TIER_10K"} {
		st.tell(whatsapptest.Account("phone_number_quality_update", map[string]any{
			"display_phone_number": whatsapptest.Display, "event": "UPGRADE", "current_limit": limit,
		}, st.at()))
	}
	st.tell(whatsapptest.Account("account_update", map[string]any{
		"event": "ACCOUNT_RESTRICTION", "restriction_info": []any{map[string]any{
			"restriction_type": "RESTRICTED_ADD_PHONE_NUMBER_ACTION", "expiration": Start.Add(day).Unix(),
		}},
	}, st.at()))
}

// reply is what the company asks us to send when all of that is over.
func reply(s *Sim) {
	for i, who := range []string{ana, cleo} {
		s.Reply("reply "+who, who, "thank you")
		s.Ask("quote "+who, map[string]any{"to": "+" + who, "text": "as you said", "reply_to": fmt.Sprintf("wamid.%d.text", 2*i)})
		s.Ask("like "+who, map[string]any{"to": "+" + who, "reaction": map[string]any{"message_id": fmt.Sprintf("wamid.%d.text", 2*i), "emoji": "😀"}})
	}
	s.Ask("reply "+bo, map[string]any{"to": map[string]any{"bsuid": boLater}, "text": "thank you"})
}

// TestAnythingInAnyOrder: whatever Meta tells comes one to three times each over hours in any order, queues are served in
// any order, SQS repeats itself, calls fail now and then. It ends as one ordered pass does.
func TestAnythingInAnyOrder(t *testing.T) {
	const replies = 12 * time.Hour
	ignore := []Ignore{Arrivals, Records}
	ordered := New(t, Options{})
	for i, body := range everything(ordered) {
		ordered.After(time.Duration(i)*7*time.Second, func() { ordered.Deliver("", body) })
	}
	ordered.After(replies, func() { reply(ordered) })
	ordered.Quiet()
	want := ordered.State(ignore...)
	for i := range uint64(*schedules) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(*seed, i))
			faults := rand.New(rand.NewPCG(*seed, i+1<<32))
			s := New(t, Options{Seed: i + 1, Twice: i%4 == 0, SearchLag: 5 * time.Second, Fault: sparing(func(Call) Fault {
				if i%2 == 0 && faults.IntN(50) == 0 {
					return Faults[faults.IntN(len(Faults))]
				}
				return None
			})})
			for n, body := range everything(s) {
				for range 1 + rng.IntN(3) {
					s.After(time.Duration(rng.Int64N(int64(3*time.Hour))), func() { s.Deliver(fmt.Sprint(n), body) })
				}
			}
			s.After(replies, func() { reply(s) })
			s.Quiet()
			if diff := Diff(want, s.State(ignore...)); diff != "" {
				t.Errorf("the run didn't end as the ordered one does:\n%s", diff)
			}
		})
	}
}
