package meta

import (
	"maps"
	"slices"
)

// envelope puts updates into one body: consecutive ones of the same field, number and kind share a change. An event of
// the account has an entry of its own, with a time.
func (s *Simulator) envelope(updates []*update) []byte {
	var entries []object
	var value object
	var last *update
	for _, u := range updates {
		change := object{"field": u.field()}
		switch {
		case u.Number == "":
			change["value"] = u.Item
			entries = append(entries, object{"id": AccountID, "time": u.From.Unix(), "changes": []object{change}})
			last = nil
			continue
		case last == nil:
			entries = append(entries, object{"id": AccountID, "changes": []object{}})
		}
		if !u.joins(last) {
			value = object{"messaging_product": "whatsapp"}
			if u.Kind != "" {
				value["metadata"] = s.metadata(u.Number)
			}
			change["value"] = value
			entry := entries[len(entries)-1]
			entry["changes"] = append(entry["changes"].([]object), change)
		}
		u.addTo(value)
		last = u
	}
	raw, err := marshal(object{"object": "whatsapp_business_account", "entry": entries})
	if err != nil {
		panic(err) // strings and numbers that came out of JSON go into it again
	}
	return raw
}

func (u *update) field() string {
	if u.Field == "" {
		return "messages"
	}
	return u.Field
}

// joins tells whether u goes into the same change as the update before.
func (u *update) joins(last *update) bool {
	return last != nil && u.Kind != "" && last.Field == u.Field && last.Number == u.Number && last.Kind == u.Kind
}

// addTo puts the item into its list, which a standby event has one level deeper, and the contact beside it.
func (u *update) addTo(value object) {
	if u.Kind == "" {
		maps.Copy(value, u.Item)
		return
	}
	home := value
	if u.Field == "standby" {
		if value["standby"] == nil {
			value["standby"] = object{}
		}
		home = value["standby"].(object)
	}
	items, _ := home[u.Kind].([]object)
	home[u.Kind] = append(items, u.Item)
	contacts, _ := value["contacts"].([]object)
	known := func(c object) bool { return c["user_id"] == u.Contact["user_id"] }
	if u.Contact != nil && u.Field != "standby" && !slices.ContainsFunc(contacts, known) {
		value["contacts"] = append(contacts, u.Contact)
	}
}

// metadata is how webhooks name a business number.
func (s *Simulator) metadata(number string) object {
	return object{"display_phone_number": s.displayNumber(number), "phone_number_id": number}
}
