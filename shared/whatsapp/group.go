package whatsapp

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// GroupKey names the line in which updates of one customer wait for each
// other: 32 hexadecimal digits of a hash over the business number and the
// group chat, else the BSUID, else the WhatsApp id, else the update's own id.
// A signal, which names nobody, waits with those of its message.
// It is computed from the update alone and nobody can be read out of it.
// Events of one account and field share a line.
func (u Update) GroupKey() string {
	f, _ := read(u.Body)
	contact, _ := read(u.Contact)
	id := u.customer(f).completedBy(contactIdentity(contact))
	switch u.Kind {
	case KindMessage:
		system := f.object("system")
		return u.group(f.text("group_id"), id.BSUID, userID(system.text("user_id")),
			id.WAID, waID(system.text("wa_id")), f.text("id"))
	case KindStatus:
		return u.group(statusGroup(f), id.BSUID, id.WAID, f.text("id"))
	case KindEcho:
		f = echoFields(f)
		return u.group(echoGroup(f), id.BSUID, id.WAID, f.text("id"))
	case KindHistory, KindContact, KindCall, KindPreference, KindHandover:
		return u.group(id.BSUID, id.WAID, f.text("id"))
	case KindGroup:
		return u.group(f.text("group_id"))
	case KindSignal:
		return u.group(f.text("id"))
	}
	return u.group("event\x00" + u.WABA + "\x00" + u.Field)
}

// group hashes the number with the first name that isn't empty.
func (u Update) group(names ...string) string {
	name := string(u.Body)
	for _, n := range names {
		if n != "" {
			name = n
			break
		}
	}
	h := sha256.Sum256([]byte(strings.Join([]string{u.Number, name}, "\x00")))
	return hex.EncodeToString(h[:16])
}

// customer reads from the body of an update whom it is about.
func (u Update) customer(f fields) Identity {
	switch u.Kind {
	case KindMessage:
		return senderIdentity(f)
	case KindStatus:
		return recipientIdentity(f)
	case KindEcho:
		return echoIdentity(echoFields(f))
	case KindHistory:
		return historyIdentity(f, digits(u.Display))
	case KindContact:
		return savedIdentity(f)
	case KindCall:
		return callIdentity(f, digits(u.Display))
	case KindPreference:
		return preferenceIdentity(f)
	case KindHandover:
		return handoverIdentity(f)
	}
	return Identity{}
}
