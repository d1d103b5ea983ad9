package whatsapp

import (
	"encoding/json"
	"math"
	"testing"
)

func TestOutgoingContents(t *testing.T) {
	card := OutContact{Name: OutName{Formatted: "Ana", First: "Ana"}}
	named := func(n OutName) Outgoing { return Outgoing{Contacts: []OutContact{card, {Name: n}}} }
	with := func(change func(*OutContact)) Outgoing {
		c := card
		change(&c)
		return Outgoing{Contacts: []OutContact{c}}
	}
	at := func(latitude, longitude float64) Outgoing {
		return Outgoing{Location: &OutLocation{Latitude: latitude, Longitude: longitude}}
	}
	reaction := &OutReaction{MessageID: "wamid.1", Emoji: "👍"}
	for name, tt := range map[string]struct {
		m    Outgoing
		says string // "" where it passes
	}{
		"4096 text":         {Outgoing{Text: &OutText{Body: chars(4096)}}, ""},
		"4097 text":         {Outgoing{Text: &OutText{Body: chars(4097)}}, "text.body: 4097 characters, at most 4096"},
		"1024 caption":      {Outgoing{Image: &OutMedia{ID: "1", Caption: chars(1024)}}, ""},
		"1025 caption":      {Outgoing{Image: &OutMedia{ID: "1", Caption: chars(1025)}}, "image.caption: 1025 characters, at most 1024"},
		"1025 of a film":    {Outgoing{Video: &OutMedia{ID: "1", Caption: chars(1025)}}, "video.caption: 1025 characters, at most 1024"},
		"1025 of a paper":   {Outgoing{Document: &OutMedia{ID: "1", Caption: chars(1025)}}, "document.caption: 1025 characters, at most 1024"},
		"512 callback data": {Outgoing{Text: hello.Text, CallbackData: chars(512)}, ""},
		"513 callback data": {Outgoing{Text: hello.Text, CallbackData: chars(513)}, "biz_opaque_callback_data: 513 characters, at most 512"},
		"place":             {at(-90, 180), ""},
		"null island":       {at(0, 0), ""},
		"north of the pole": {at(90.1, 0), "location.latitude: not between -90 and 90 degrees"},
		"round the world":   {at(0, -180.1), "location.longitude: not between -180 and 180 degrees"},
		"nowhere":           {at(math.NaN(), 0), "location.latitude: not between -90 and 90 degrees"},
		"contact":           {Outgoing{Contacts: []OutContact{card}}, ""},
		"257 contacts":      {Outgoing{Contacts: repeated(card, 257)}, ""},
		"258 contacts":      {Outgoing{Contacts: repeated(card, 258)}, "contacts: 258 contacts, at most 257"},
		"no contacts":       {Outgoing{Contacts: []OutContact{}}, "contacts: 0 contacts, at least 1"},
		"nameless":          {named(OutName{First: "Ana"}), "contacts[1].name.formatted_name: missing"},
		"half a name":       {named(OutName{Formatted: "Ana"}), "contacts[1].name: needs one of first_name, middle_name, last_name, prefix, suffix too"},
		"only a prefix":     {named(OutName{Formatted: "Dr", Prefix: "Dr"}), ""},
		"birthday":          {with(func(c *OutContact) { c.Birthday = "2000-02-29" }), ""},
		"odd birthday":      {with(func(c *OutContact) { c.Birthday = "29.2.2000" }), "contacts[0].birthday: not a date such as 2006-01-02"},
		"no such day":       {with(func(c *OutContact) { c.Birthday = "2001-02-29" }), "contacts[0].birthday: not a date such as 2006-01-02"},
		"no number":         {with(func(c *OutContact) { c.Phones = []OutPhone{{Phone: "+1"}, {Type: "WORK"}} }), "contacts[0].phones[1].phone: missing"},
		"country":           {with(func(c *OutContact) { c.Addresses = []OutAddress{{CountryCode: "es"}} }), ""},
		"odd country":       {with(func(c *OutContact) { c.Addresses = []OutAddress{{CountryCode: "ESP"}} }), "contacts[0].addresses[0].country_code: not two letters"},
		"reaction":          {Outgoing{Reaction: reaction}, ""},
		"reaction to none":  {Outgoing{Reaction: &OutReaction{Emoji: "👍"}}, "reaction.message_id: missing"},
		"reaction quoting":  {Outgoing{Reaction: reaction, ReplyTo: "wamid.0"}, "context: a reaction names its message itself"},
		"two contents":      {Outgoing{Reaction: reaction, Location: &OutLocation{}}, "needs exactly one content"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.m.To = phone
			err := tt.m.Check()
			if tt.says == "" && err != nil {
				t.Error(err)
			}
			if tt.says != "" {
				refused(t, err, tt.says)
			}
		})
	}
}

func repeated(c OutContact, n int) []OutContact {
	all := make([]OutContact, n)
	for i := range all {
		all[i] = c
	}
	return all
}

// Ensure that taking a reaction away is said, rather than left out.
func TestReactionTakenAway(t *testing.T) {
	body, err := Outgoing{To: phone, Reaction: &OutReaction{MessageID: "wamid.1"}}.body()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(body["reaction"])
	if err != nil || body["type"] != "reaction" || string(raw) != `{"message_id":"wamid.1","emoji":""}` {
		t.Errorf("%v %s, %v", body["type"], raw, err)
	}
}
