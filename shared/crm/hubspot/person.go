package hubspot

import (
	"maps"
	"slices"
	"strings"

	"threadline/shared/crm"
)

// ownPrefix is what the names of our properties begin with.
const ownPrefix = "threadline_"

// contactKey is the property of ours that says who a contact is: a chat.ContactID.
const contactKey = ownPrefix + "id"

// The properties of ours that tell more of a contact. They are kept up to date, and nothing needs them.
const (
	whatsAppID = ownPrefix + "whatsapp_id"
	bsuid      = ownPrefix + "bsuid"
	username   = ownPrefix + "username"
	marketing  = ownPrefix + "marketing"
)

// known returns what is known of a person, for the properties of ours that the account has.
func (c *Connector) known(p crm.Person) map[string]string {
	all := map[string]string{whatsAppID: p.Phone.Digits, bsuid: p.BSUID, username: p.Username, marketing: p.Marketing}
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(all, func(name, value string) bool { return value == "" || slices.Contains(c.lacking, name) })
	return all
}

// nameless is the first name of somebody about whom nothing is known. It is ours, so it counts as empty.
const nameless = "WhatsApp customer"

// newContact returns the properties of a new contact.
func (c *Connector) newContact(p crm.Person) map[string]string {
	first, last := splitName(p)
	m := c.known(p)
	m[contactKey], m["firstname"] = string(p.Key), first
	if last != "" {
		m["lastname"] = last
	}
	if p.Phone.Known() {
		m["phone"] = p.Phone.E164
	}
	return m
}

// lacks returns what a contact is to be given: what it has stays, except for what is ours. A contact that is somebody
// else's too, since people merged the two, keeps that one's.
func (c *Connector) lacks(o object, p crm.Person) map[string]string {
	missing := map[string]string{}
	owner := o.get(contactKey)
	if owner == "" {
		missing[contactKey] = string(p.Key)
	}
	if owner == "" || owner == string(p.Key) {
		for property, value := range c.known(p) {
			if o.get(property) != value {
				missing[property] = value
			}
		}
	}
	if len(asContact(o).Phones) == 0 && p.Phone.Known() {
		missing["phone"] = p.Phone.E164
	}
	current := o.get("firstname")
	ours := current == "" || current == nameless || current == p.Username
	if first, last := splitName(p); ours && o.get("lastname") == "" && first != current && first != nameless {
		missing["firstname"] = first
		if last != "" {
			missing["lastname"] = last
		}
	}
	return missing
}

// splitName makes the two fields of the one name that a profile has: the first word, and the rest.
func splitName(p crm.Person) (first, last string) {
	if words := p.NameWords(); len(words) > 0 {
		return words[0], strings.Join(words[1:], " ")
	}
	if p.Username != "" {
		return p.Username, ""
	}
	return nameless, ""
}
