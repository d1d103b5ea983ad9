package meta

import (
	"slices"
	"testing"
)

// system waits for the newest news about a customer.
func (r *rig) system(n int) map[string]any {
	r.t.Helper()
	var news []map[string]any
	r.eventually("the news", func() bool {
		inbound, _ := r.received()
		news = slices.DeleteFunc(inbound, func(m map[string]any) bool { return m["type"] != "system" })
		return len(news) == n
	})
	return news[n-1]
}

func TestChangesOfIdentity(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	became := must[Customer](t)(r.ChangeIdentity(c.ID, IdentityChange{Change: "number", Phone: "+1 202 555 0199"}))
	m := r.system(1)
	if m["from"] != "12025550199" || path(m, "system", "previous_user_id") != c.BSUID || path(m, "system", "user_id") != became.BSUID ||
		path(m, "system", "wa_id") != "12025550199" || path(m, "system", "type") != "user_changed_number" {
		t.Errorf("change of number = %v", m)
	}
	gone := r.mustSend(object{"to": "+12025550101", "text": object{"body": "Are you there?"}})
	r.eventually("failed", func() bool { return slices.Equal(r.receipts(gone), []string{"failed"}) })

	must[Customer](t)(r.ChangeIdentity(c.ID, IdentityChange{Change: "number", Phone: "12025550198", Old: true}))
	m = r.system(2)
	if m["from"] != "12025550199" || m["from_user_id"] != nil || path(m, "system", "user_id") != nil || path(m, "system", "wa_id") != "12025550198" {
		t.Errorf("change of number, old shape = %v", m)
	}
	must[Customer](t)(r.ChangeIdentity(c.ID, IdentityChange{Change: "user-id"}))
	if m = r.system(3); path(m, "system", "type") != "user_changed_user_id" {
		t.Errorf("new user id = %v", m)
	}
	must[Customer](t)(r.ChangeIdentity(c.ID, IdentityChange{Change: "reinstall"}))
	if m = r.system(4); path(m, "identity", "hash") == nil || path(m, "system", "type") != "customer_identity_changed" {
		t.Errorf("reinstalled = %v", m)
	}
}

func TestWhatTheBusinessSeesOfACustomer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.Customers()[0]
	for _, change := range []IdentityChange{{Change: "hide"}, {Change: "username", Username: "@Ann.Example"}, {Change: "parent"}, {Change: "name", Name: "Ann"}} {
		must[Customer](t)(r.ChangeIdentity(c.ID, change))
	}
	m := r.last(must[string](t)(r.WriteText(c.ID, "x")))
	if m["from"] != nil || m["from_parent_user_id"] == nil || m["from_user_id"] != c.BSUID {
		t.Errorf("message = %v", m)
	}
	r.mu.Lock()
	contact := r.contacts[0]
	r.mu.Unlock()
	if contact["wa_id"] != nil || path(contact, "profile", "username") != "ann.example" || path(contact, "profile", "name") != "Ann" || contact["parent_user_id"] == nil {
		t.Errorf("contact = %v", contact)
	}
	if err := r.SetFaults(Faults{Identity: "bsuid-in-from"}); err != nil {
		t.Fatal(err)
	}
	if m = r.last(must[string](t)(r.WriteText(c.ID, "x"))); m["from"] != c.BSUID {
		t.Errorf("message = %v", m)
	}
}

// Nobody tells the business that a number has a new owner.
func TestRecycledNumber(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	next := must[Customer](t)(r.ChangeIdentity(c.ID, IdentityChange{Change: "recycled", Name: "Somebody else"}))
	m := r.last(must[string](t)(r.WriteText(next.ID, "Wrong number?")))
	if m["from"] != c.Phone || m["from_user_id"] == c.BSUID {
		t.Errorf("message = %v", m)
	}
	inbound, _ := r.received()
	if len(inbound) != 2 {
		t.Errorf("%d messages, want the two texts only", len(inbound))
	}
}

func TestSecurityKeysAreChecked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	if status, out := r.call("POST", "/v26.0/"+DefaultNumber+"/settings", "application/json", jsonBody(object{"user_identity_change": object{"enable_identity_key_check": true}})); status != 200 {
		t.Fatalf("%d %v", status, out)
	}
	now := must[Customer](t)(r.ChangeIdentity(c.ID, IdentityChange{Change: "reinstall"}))
	body := text(c, "x")
	body["recipient_identity_key_hash"] = "other"
	if _, code := r.refused(r.send(body)); code != 137000 {
		t.Errorf("code %d, want 137000", code)
	}
	body["recipient_identity_key_hash"] = now.KeyHash
	id := r.mustSend(body)
	r.eventually("delivered", func() bool { return len(r.receipts(id)) == 2 })
	_, statuses := r.received()
	if statuses[0]["recipient_identity_key_hash"] != now.KeyHash {
		t.Errorf("receipt = %v", statuses[0])
	}
}

func TestGroups(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	all := r.Customers()
	group := must[string](t)(r.AddGroup("Neighbours", "", []string{all[0].ID, all[1].ID}))
	if v := r.told("group_lifecycle_update", 1)[0]; path(v, "groups", 0, "type") != "group_create" || path(v, "groups", 0, "subject") != "Neighbours" {
		t.Errorf("created: %v", v)
	}
	m := r.last(must[string](t)(r.Write(all[0].ID, Draft{Group: group, Text: "Who has a ladder?"})))
	if m["group_id"] != group || m["from"] != all[0].Phone {
		t.Errorf("message = %v", m)
	}
	if len(r.Messages(all[0].ID)) != 0 || len(r.Messages(group)) != 1 {
		t.Error("a message of the group is in the chat with the business")
	}
	id := r.mustSend(object{"to": group, "recipient_type": "group", "text": object{"body": "We do"}})
	r.eventually("two receipts for each", func() bool { return len(r.receipts(id)) == 4 })
	r.See(all[1].ID, group)
	r.See(all[1].ID, group)
	r.eventually("one has read it", func() bool { return len(r.receipts(id)) == 5 })
	_, statuses := r.received()
	last := statuses[len(statuses)-1]
	if last["status"] != "read" || last["recipient_type"] != "group" || last["recipient_id"] != group || last["recipient_participant_user_id"] != all[1].BSUID {
		t.Errorf("receipt = %v", last)
	}
	if _, code := r.refused(r.send(object{"to": group, "recipient_type": "group", "type": "location", "location": object{"latitude": 1, "longitude": 2}})); code != 131051 {
		t.Errorf("code %d, want 131051", code)
	}
	if err := r.ChangeGroup(group, all[0].ID, false); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Write(all[0].ID, Draft{Group: group, Text: "Still here?"}); err == nil {
		t.Error("somebody who left writes into the group")
	}
}
