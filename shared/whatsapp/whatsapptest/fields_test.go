package whatsapptest_test

import (
	"encoding/json"
	"testing"
	"time"

	"threadline/shared/whatsapp"
	"threadline/shared/whatsapp/whatsapptest"
)

// Ensure that each body is one update of its kind, and what is made is read.
func TestKinds(t *testing.T) {
	const number, phone, user = "106", "16505550100", "US.100"
	parse := map[whatsapp.UpdateKind]func(whatsapp.Update) (any, error){
		whatsapp.KindMessage:    func(u whatsapp.Update) (any, error) { return whatsapp.ParseMessage(u) },
		whatsapp.KindEcho:       func(u whatsapp.Update) (any, error) { return whatsapp.ParseMessage(u) },
		whatsapp.KindStatus:     func(u whatsapp.Update) (any, error) { return whatsapp.ParseStatus(u) },
		whatsapp.KindHistory:    func(u whatsapp.Update) (any, error) { return whatsapp.ParseHistory(u) },
		whatsapp.KindContact:    func(u whatsapp.Update) (any, error) { return whatsapp.ParseSavedContact(u) },
		whatsapp.KindCall:       func(u whatsapp.Update) (any, error) { return whatsapp.ParseCall(u) },
		whatsapp.KindPreference: func(u whatsapp.Update) (any, error) { return whatsapp.ParsePreference(u) },
		whatsapp.KindHandover:   func(u whatsapp.Update) (any, error) { return whatsapp.ParseHandover(u) },
		whatsapp.KindGroup:      func(u whatsapp.Update) (any, error) { return whatsapp.ParseGroupEvent(u) },
		whatsapp.KindSignal:     func(u whatsapp.Update) (any, error) { return whatsapp.ParseSignal(u) },
		whatsapp.KindEvent:      func(u whatsapp.Update) (any, error) { return whatsapp.ParseAccountEvent(u) },
	}
	for name, tt := range map[string]struct {
		body []byte
		kind whatsapp.UpdateKind
		good func(any) bool
	}{
		"echo": {whatsapptest.Echo(number, user, "w", "hi", at), whatsapp.KindEcho, func(v any) bool {
			m := v.(whatsapp.Message)
			return m.Text.Body == "hi" && m.To.BSUID == user && m.From.WAID == whatsapptest.Display && m.Timestamp.Equal(at)
		}},
		"echo beside the agent": {whatsapptest.Standby(whatsapptest.Echo(number, phone, "w", "hi", at)), whatsapp.KindEcho, func(v any) bool {
			return v.(whatsapp.Message).To.WAID == phone
		}},
		"message beside the agent": {whatsapptest.Standby(whatsapptest.Text(number, phone, "w", "hi", at)), whatsapp.KindMessage, func(v any) bool {
			m := v.(whatsapp.Message)
			return m.From.WAID == phone && m.From.Name != ""
		}},
		"status beside the agent": {whatsapptest.Standby(whatsapptest.Status(number, phone, "w", "read", "", at)), whatsapp.KindStatus, func(v any) bool {
			return v.(whatsapp.Status).State == "read"
		}},
		"call": {whatsapptest.Call(number, user, "c", at), whatsapp.KindCall, func(v any) bool {
			c := v.(whatsapp.Call)
			return c.ID == "c" && c.Event == "connect" && c.Customer().BSUID == user && c.Timestamp.Equal(at)
		}},
		"end of a call": {whatsapptest.CallEnd(number, phone, "c", "COMPLETED", time.Minute, at), whatsapp.KindCall, func(v any) bool {
			c := v.(whatsapp.Call)
			return c.Event == "terminate" && c.Duration == 60 && c.Ended.Sub(c.Started) == time.Minute && c.Customer().WAID == phone
		}},
		"status of a call": {whatsapptest.CallStatus(number, phone, "c", "RINGING", at), whatsapp.KindCall, func(v any) bool {
			c := v.(whatsapp.Call)
			return c.Status == "RINGING" && c.Direction == whatsapp.FromBusiness && c.Customer().WAID == phone
		}},
		"history": {
			whatsapptest.History(number, phone, 1, 2, 50, whatsapptest.Old{ID: "a", Content: "old", At: at},
				whatsapptest.Old{ID: "b", FromBusiness: true, Type: "media_placeholder", Status: "PLAYED", At: at}), whatsapp.KindHistory,
			func(v any) bool {
				h := v.(whatsapp.History)
				return h.Thread == phone && h.Phase == 1 && h.Chunk == 2 && h.Progress == 50 && len(h.Messages) == 2 &&
					h.Messages[0].Text.Body == "old" && h.Messages[0].From.WAID == phone && !h.Messages[0].FromBusiness &&
					h.Messages[1].FromBusiness && h.Messages[1].Status == "PLAYED" && h.Messages[1].To.WAID == phone
			},
		},
		"file of a history": {
			whatsapptest.HistoryMedia(number, user, whatsapptest.Old{ID: "b", Type: "image", Content: map[string]any{"id": "7"}, At: at}), whatsapp.KindHistory,
			func(v any) bool {
				h := v.(whatsapp.History)
				return h.Media && h.Thread == user && h.Messages[0].Image.ID == "7"
			},
		},
		"contact": {whatsapptest.SavedContact(number, phone, "Ann", at), whatsapp.KindContact, func(v any) bool {
			return v == whatsapp.SavedContact{Phone: phone, Name: "Ann", Timestamp: at}
		}},
		"contact removed": {whatsapptest.SavedContact(number, phone, "", at), whatsapp.KindContact, func(v any) bool {
			return v.(whatsapp.SavedContact).Removed
		}},
		"preference": {whatsapptest.Preference(number, user, "stop", at), whatsapp.KindPreference, func(v any) bool {
			p := v.(whatsapp.Preference)
			return p.Who.BSUID == user && p.Value == "stop" && p.Category == "marketing_messages" && p.Timestamp.Equal(at)
		}},
		"handover": {whatsapptest.Handover(number, phone, "control_passed", "ai_agent", "escalation", at), whatsapp.KindHandover, func(v any) bool {
			h := v.(whatsapp.Handover)
			return h.Customer.WAID == phone && h.Type == "control_passed" && h.From == "ai_agent" && h.To == "escalation"
		}},
		"group": {
			whatsapptest.Group(number, "G", "group_participants_update", "group_participants_add",
				map[string]any{"added_participants": []any{map[string]any{"wa_id": phone}}}, at), whatsapp.KindGroup,
			func(v any) bool {
				g := v.(whatsapp.GroupEvent)
				return g.GroupID == "G" && len(g.Participants) == 1 && g.Timestamp.Equal(at)
			},
		},
		"signal": {whatsapptest.Signal(number, "w", "LeadSubmitted", "click", at), whatsapp.KindSignal, func(v any) bool {
			return v == whatsapp.Signal{MessageID: "w", Name: "LeadSubmitted", ClickID: "click", Timestamp: at}
		}},
		"account": {whatsapptest.Account("account_update", map[string]any{"event": "ACCOUNT_DELETED"}, at), whatsapp.KindEvent, func(v any) bool {
			e := v.(whatsapp.AccountEvent)
			return len(e.Changes) == 1 && e.WABA == whatsapptest.WABA && e.Timestamp.Equal(at)
		}},
		"reaction": {whatsapptest.Reaction(number, phone, "w", "t", "👍", at), whatsapp.KindMessage, func(v any) bool {
			return *v.(whatsapp.Message).Reaction == whatsapp.Reaction{MessageID: "t", Emoji: "👍"}
		}},
		"no reaction": {whatsapptest.Reaction(number, phone, "w", "t", "", at), whatsapp.KindMessage, func(v any) bool {
			return *v.(whatsapp.Message).Reaction == whatsapp.Reaction{MessageID: "t"}
		}},
		"edit": {whatsapptest.Edit(number, phone, "w", "t", "new", at), whatsapp.KindMessage, func(v any) bool {
			e := v.(whatsapp.Message).Edit
			return e.OriginalID == "t" && e.Message.Text.Body == "new"
		}},
		"revoke": {whatsapptest.Revoke(number, phone, "w", "t", at), whatsapp.KindMessage, func(v any) bool {
			return v.(whatsapp.Message).Revoke.OriginalID == "t"
		}},
		"location": {whatsapptest.Location(number, phone, "w", 1.5, -2, "n", "a", at), whatsapp.KindMessage, func(v any) bool {
			return *v.(whatsapp.Message).Location == whatsapp.Location{Latitude: 1.5, Longitude: -2, Name: "n", Address: "a"}
		}},
		"order": {
			whatsapptest.Order(number, phone, "w", "cat", "please", at, whatsapptest.Item{Product: "p", Quantity: 2, Price: "1.50", Currency: "EUR"}), whatsapp.KindMessage,
			func(v any) bool {
				o := v.(whatsapp.Message).Order
				return o.Text == "please" && o.CatalogID == "cat" && o.Items[0] == whatsapp.OrderItem{ProductID: "p", Quantity: 2, Price: "1.50", Currency: "EUR"}
			},
		},
		"card": {whatsapptest.ContactCard(number, phone, "w", "Ann", "16505550101", at), whatsapp.KindMessage, func(v any) bool {
			c := v.(whatsapp.Message).Contacts[0]
			return c.Name == "Ann" && c.Phones[0].WAID == "16505550101" && c.VCard != ""
		}},
		"form": {whatsapptest.FlowReply(number, phone, "w", map[string]any{"flow_token": "t", "size": "L"}, at), whatsapp.KindMessage, func(v any) bool {
			r := v.(whatsapp.Message).Interactive.FlowReply
			return r.Token == "t" && len(r.Fields) == 1 && r.Fields[0] == whatsapp.FlowField{Name: "size", Value: "L"}
		}},
		"choice": {whatsapptest.Choice(number, phone, "w", "1", "Yes", at), whatsapp.KindMessage, func(v any) bool {
			return v.(whatsapp.Message).Interactive.ButtonReply.Title == "Yes"
		}},
		"group message": {whatsapptest.GroupMessage(number, "G", phone, "w", "hi", at), whatsapp.KindMessage, func(v any) bool {
			m := v.(whatsapp.Message)
			return m.GroupID == "G" && m.From.WAID == phone
		}},
		"reply": {whatsapptest.Reply(number, phone, "w", "t", "hi", at), whatsapp.KindMessage, func(v any) bool {
			return v.(whatsapp.Message).Context.ID == "t"
		}},
	} {
		updates, err := whatsapp.Split(tt.body)
		if err != nil || len(updates) != 1 || updates[0].Kind != tt.kind {
			raw, _ := json.Marshal(updates)
			t.Errorf("%s: %s, %v", name, raw, err)
			continue
		}
		if updates[0].Number != number && tt.kind != whatsapp.KindEvent {
			t.Errorf("%s: of number %q", name, updates[0].Number)
		}
		if v, err := parse[tt.kind](updates[0]); err != nil || !tt.good(v) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
	}
}
