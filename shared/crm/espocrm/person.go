package espocrm

import (
	"regexp"
	"strings"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// unnamed begins the last name of a contact whose name isn't known: a last name is required.
const unnamed = "WhatsApp "

// maxName is the length of a first and of a last name, in characters.
// https://github.com/espocrm/espocrm/blob/master/application/Espo/Modules/Crm/Resources/metadata/entityDefs/Contact.json
const maxName = 100

// setName puts a person's name into a contact's two fields.
func setName(in map[string]any, p crm.Person) {
	words := strings.Fields(p.Name)
	switch {
	case len(words) > 1:
		in["firstName"], in["lastName"] = cut(words[0]), cut(strings.Join(words[1:], " "))
	case len(words) == 1:
		in["firstName"], in["lastName"] = "", cut(words[0])
	case p.Username != "":
		in["lastName"] = cut(unnamed + "@" + p.Username)
	case p.Phone.Known():
		in["lastName"] = unnamed + p.Phone.E164
	default:
		in["lastName"] = unnamed + "contact"
	}
}

func cut(name string) string {
	runes := []rune(name)
	return strings.TrimSpace(string(runes[:min(len(runes), maxName)]))
}

// hasName tells whether somebody has named a contact, other than we for want of a name.
func hasName(r record) bool {
	first, last := r.text("firstName"), r.text("lastName")
	return first != "" || last != "" && !strings.HasPrefix(last, unnamed)
}

// ours are the values of the custom fields, as far as the instance has them and we know them.
func (s schema) ours(p crm.Person) map[string]string {
	all := map[string]string{idField: string(p.Key), usernameField: p.Username, userIDField: p.BSUID, marketingField: p.Marketing}
	for name, value := range all {
		if !s.contact[name] || value == "" {
			delete(all, name)
		}
	}
	return all
}

// newContact is a contact that we make. A number that EspoCRM doesn't take for one goes into the description.
func (s schema) newContact(p crm.Person, phoneRefused bool) map[string]any {
	in := map[string]any{}
	setName(in, p)
	for name, value := range s.ours(p) {
		in[name] = value
	}
	if p.Phone.Known() && !phoneRefused {
		in["phoneNumber"] = p.Phone.E164
	}
	if text := s.describe(p, phoneRefused); text != "" {
		in["description"] = text
	}
	return in
}

const keyWords = "Threadline contact "

var keyInWords = regexp.MustCompile(keyWords + `([0-9A-Za-z_-]+)`)

// describe is the description of a contact that we make: what no field is there for.
func (s schema) describe(p crm.Person, phoneRefused bool) string {
	var lines []string
	if phoneRefused {
		lines = append(lines, "WhatsApp number "+p.Phone.E164)
	}
	if p.Username != "" && !s.contact[usernameField] {
		lines = append(lines, "WhatsApp @"+p.Username)
	}
	if !s.contact[idField] {
		lines = append(lines, keyWords+string(p.Key))
	}
	return strings.Join(lines, "\n")
}

// keyOf is our key on a contact, in the field or in the description of one that we made before there was a field.
func keyOf(r record) chat.ContactID {
	if key := r.text(idField); key != "" {
		return chat.ContactID(key)
	}
	if m := keyInWords.FindStringSubmatch(r.text("description")); m != nil {
		return chat.ContactID(m[1])
	}
	return ""
}

// contactOf is a contact as package crm knows it.
func contactOf(r record) crm.Contact {
	c := crm.Contact{Ref: crm.ContactRef(r.id()), Key: keyOf(r)}
	if primary := r.text("phoneNumber"); primary != "" {
		c.Phones = append(c.Phones, primary)
	}
	all, _ := r["phoneNumberData"].([]any)
	for _, v := range all {
		entry, _ := v.(map[string]any)
		if number := record(entry).text("phoneNumber"); number != "" && number != r.text("phoneNumber") {
			c.Phones = append(c.Phones, number)
		}
	}
	return c
}
