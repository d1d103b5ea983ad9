package meta

import (
	"slices"
	"testing"
)

func TestStaffWriteFromTheirPhone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.Customers()[0]
	id := must[string](t)(r.WriteAsCompany(Echo{Customer: c.ID, Text: "From the shop"}))
	must[string](t)(r.WriteAsCompany(Echo{Customer: c.ID, Sample: "photo", Text: "Look"}))
	must[string](t)(r.WriteAsCompany(Echo{Customer: c.ID, Edit: id, Text: "From the new shop"}))
	must[string](t)(r.WriteAsCompany(Echo{Customer: c.ID, Revoke: id}))
	var echoes []map[string]any
	r.eventually("four echoes", func() bool {
		echoes = nil
		for _, v := range r.told("smb_message_echoes", 1) {
			echoes = append(echoes, list(v["message_echoes"])...)
		}
		return len(echoes) == 4
	})
	if echoes[0]["to"] != c.Phone || echoes[0]["to_user_id"] != c.BSUID || echoes[0]["from"] != "15550100001" || echoes[0]["id"] != id {
		t.Errorf("echo = %v", echoes[0])
	}
	if path(echoes[1], "image", "caption") != "Look" {
		t.Errorf("photo = %v", echoes[1])
	}
	if path(echoes[2], "edit", "message", "text", "body") != "From the new shop" || path(echoes[3], "revoke", "original_message_id") != id {
		t.Errorf("changes = %v, %v", echoes[2], echoes[3])
	}
	r.See(c.ID, DefaultNumber)
	if _, code := r.refused(r.send(text(c, "x"))); code != 131047 {
		t.Errorf("code %d: what staff write does not open the window", code)
	}
	if got := r.receipts(id); got != nil {
		t.Errorf("receipts = %v, want none", got)
	}
}

func TestAddressBookIsOnePost(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if err := r.SetFaults(Faults{Webhooks: "held"}); err != nil {
		t.Fatal(err)
	}
	if err := r.SyncContacts("", []SavedContact{{Phone: "+1 202 555 0101", Name: "Mr Miller"}, {Phone: "12025550102", Removed: true}}); err != nil {
		t.Fatal(err)
	}
	if err := r.SetFaults(Faults{}); err != nil {
		t.Fatal(err)
	}
	synced := list(r.told("smb_app_state_sync", 1)[0]["state_sync"])
	if len(synced) != 2 || path(synced[0], "contact", "full_name") != "Mr Miller" || synced[0]["action"] != "add" || synced[1]["action"] != "remove" ||
		path(synced[1], "contact", "full_name") != nil {
		t.Errorf("synced = %v", synced)
	}
}

func TestMarketingStops(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	if err := r.Prefer(c.ID, "", "stop"); err != nil {
		t.Fatal(err)
	}
	v := r.told("user_preferences", 1)[0]
	if wish := list(v["user_preferences"])[0]; wish["value"] != "stop" || wish["category"] != "marketing_messages" || wish["user_id"] != c.BSUID {
		t.Errorf("wish = %v", wish)
	}
	offer := object{"to": "+" + c.Phone, "type": "template", "template": object{"name": "coupon", "language": object{"code": "en_US"},
		"components": []object{{"type": "button", "sub_type": "copy_code", "index": 0, "parameters": []object{{"type": "coupon_code", "coupon_code": "GARDEN10"}}}}}}
	id := r.mustSend(offer)
	r.eventually("failed", func() bool { return slices.Equal(r.receipts(id), []string{"failed"}) })
	if err := r.Prefer(c.ID, "", "resume"); err != nil {
		t.Fatal(err)
	}
	id = r.mustSend(offer)
	r.eventually("delivered", func() bool { return len(r.receipts(id)) == 2 })
}

// While Meta's agent has the conversation, all that concerns it comes under standby, one level deeper.
func TestAgentHasTheConversation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	r.SetAgent(true)
	must[string](t)(r.WriteText(c.ID, "Anybody?"))
	if v := r.told("standby", 1)[0]; path(v, "standby", "messages", 0, "text", "body") != "Anybody?" || v["messages"] != nil || path(v, "metadata", "phone_number_id") != DefaultNumber {
		t.Errorf("standby = %v", v)
	}
	must[string](t)(r.WriteAsCompany(Echo{Customer: c.ID, By: "agent", Text: "I am the assistant"}))
	if v := r.told("standby", 2)[1]; path(v, "standby", "message_echoes", 0, "text", "body") != "I am the assistant" {
		t.Errorf("standby = %v", v)
	}
	r.mustSend(text(c, "A person here")) // takes the conversation
	v := r.told("messaging_handovers", 1)[0]
	if v["type"] != "control_taken" || path(v, "control_taken", "new_owner_role") != "escalation" || path(v, "sender", "phone_number") != c.Phone {
		t.Errorf("handover = %v", v)
	}
	id := must[string](t)(r.WriteText(c.ID, "Good"))
	r.last(id) // under messages again
	if err := r.HandOver(c.ID, "", "ai_agent", "closing time"); err != nil {
		t.Fatal(err)
	}
	if v = r.told("messaging_handovers", 2)[1]; v["type"] != "control_passed" || path(v, "control_passed", "metadata") != "closing time" {
		t.Errorf("handover = %v", v)
	}
	if err := r.HandOver(c.ID, "", "ai_agent", ""); err == nil {
		t.Error("the agent gets what it has")
	}
}
