package meta

import (
	"encoding/json"
	"errors"
	"strings"
)

// Card is a contact card that somebody sends.
type Card struct {
	Name    string `json:"name"`
	Phone   string `json:"phone,omitempty"`
	Email   string `json:"email,omitempty"`
	Company string `json:"company,omitempty"`
	Title   string `json:"title,omitempty"`
	Plain   bool   `json:"plain,omitempty"`  // without a vCard, as some phones send them
	Origin  string `json:"origin,omitempty"` // contact_request: the business had asked for it
}

// composeCards makes a message of contact cards.
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/messages/contacts
func composeCards(m *Message, cards []Card) ([]object, error) {
	m.Type, m.Cards = "contacts", cards
	var list []object
	for _, c := range cards {
		if strings.TrimSpace(c.Name) == "" {
			return nil, errors.New("a contact card needs a name")
		}
		list = append(list, c.wire())
	}
	return list, nil
}

func (c Card) wire() object {
	name := object{"formatted_name": c.Name}
	first, last, two := strings.Cut(c.Name, " ")
	if name["first_name"] = first; two {
		name["last_name"] = last
	}
	card := object{"name": name}
	if c.Phone != "" {
		card["phones"] = []object{{"phone": c.Phone, "wa_id": punctuation.Replace(c.Phone), "type": "CELL"}}
	}
	if c.Email != "" {
		card["emails"] = []object{{"email": c.Email, "type": "WORK"}}
	}
	if c.Company != "" || c.Title != "" {
		card["org"] = object{"company": c.Company, "title": c.Title}
	}
	if c.Origin != "" {
		card["origin"] = c.Origin
	}
	if !c.Plain {
		card["vcard"] = c.vCard()
	}
	return card
}

// vCard is the card as a file, version 3.0 as phones write it.
func (c Card) vCard() string {
	safe := strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`)
	first, last, _ := strings.Cut(c.Name, " ")
	lines := []string{"BEGIN:VCARD", "VERSION:3.0", "N:" + safe.Replace(last) + ";" + safe.Replace(first) + ";;;",
		"FN:" + safe.Replace(c.Name)}
	if c.Company != "" {
		lines = append(lines, "ORG:"+safe.Replace(c.Company))
	}
	if c.Title != "" {
		lines = append(lines, "TITLE:"+safe.Replace(c.Title))
	}
	if c.Phone != "" {
		lines = append(lines, "TEL;type=CELL;waid="+punctuation.Replace(c.Phone)+":"+c.Phone)
	}
	if c.Email != "" {
		lines = append(lines, "EMAIL;type=WORK:"+safe.Replace(c.Email))
	}
	return strings.Join(append(lines, "END:VCARD"), "\r\n") + "\r\n"
}

// checkContacts checks cards that the business sends.
func checkContacts(raw json.RawMessage, m *Message) *graphError {
	var cards []struct {
		Name   map[string]string
		Phones []struct{ Phone string }
		Emails []struct{ Email string }
		Org    struct{ Company, Title string }
	}
	if bad := decode(raw, "contacts", &cards); bad != nil {
		return bad
	}
	if len(cards) == 0 {
		return missing("contacts")
	}
	for _, card := range cards {
		if card.Name["formatted_name"] == "" || len(card.Name) < 2 {
			return badValue("contacts.name needs formatted_name and one more part of the name")
		}
		face := Card{Name: card.Name["formatted_name"], Company: card.Org.Company, Title: card.Org.Title}
		if len(card.Phones) > 0 {
			face.Phone = card.Phones[0].Phone
		}
		if len(card.Emails) > 0 {
			face.Email = card.Emails[0].Email
		}
		m.Cards = append(m.Cards, face)
	}
	return nil
}
