package whatsapp

import (
	"regexp"
	"strings"
)

// Identity is what a webhook shows of a person. Any field may be empty: since
// 2026 Meta leaves the phone number out for people who use a username.
// https://developers.facebook.com/docs/whatsapp/business-scoped-user-ids
type Identity struct {
	WAID        string // WhatsApp id: digits with country code and without "+"
	BSUID       string // business-scoped user id, "US.1349…": one per person and business portfolio
	ParentBSUID string // "US.ENT.1181…", where portfolios are linked
	Username    string // without "@"; shown to people, never looked up
	Name        string // profile name; chosen by the person, not unique
	KeyHash     string // identity_key_hash, where identity checks are on
}

// Known tells whether the identity says who it is: a name alone doesn't.
func (i Identity) Known() bool { return i.BSUID != "" || i.WAID != "" }

// The pattern is what is in use; Meta documents a country code, a dot and up
// to 128 letters and digits, with "ENT." between them for a parent id.
var bsuid = regexp.MustCompile(`^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$`)

// IsBSUID tells whether s has the form of a business-scoped user id.
func IsBSUID(s string) bool { return bsuid.MatchString(s) }

// userID returns s where it is a BSUID, else nothing: a placeholder there must
// not join two people.
func userID(s string) string {
	if IsBSUID(s) {
		return s
	}
	return ""
}

// identify sorts an address, which is a WhatsApp id or, from some senders, a
// BSUID, and a user id into an Identity.
func identify(address, user string) Identity {
	id := Identity{BSUID: userID(user)}
	switch {
	case IsBSUID(address) && id.BSUID == "":
		id.BSUID = address
	case !IsBSUID(address):
		id.WAID = waID(address)
	}
	return id
}

// waID strips what is not part of a WhatsApp id. An id too long to be one is
// dropped, because it ends up in keys of limited size.
func waID(s string) string {
	s = strings.TrimPrefix(strings.TrimSpace(s), "+")
	if len(s) > 128 {
		return ""
	}
	return s
}

// contactIdentity reads an element of a value's contacts array.
func contactIdentity(c fields) Identity {
	id := identify(c.text("wa_id"), c.text("user_id"))
	id.ParentBSUID = userID(c.text("parent_user_id"))
	id.KeyHash = c.text("identity_key_hash")
	profile := c.object("profile")
	id.Name = profile.text("name")
	id.Username = strings.TrimPrefix(strings.TrimSpace(firstOf(profile.text("username"), c.text("username"))), "@")
	return id
}

// senderIdentity reads who sent a message.
func senderIdentity(m fields) Identity {
	id := identify(m.text("from"), m.text("from_user_id"))
	id.ParentBSUID = userID(m.text("from_parent_user_id"))
	return id
}

// echoIdentity reads to whom the business sent a message; nobody in a group.
func echoIdentity(m fields) Identity {
	if echoGroup(m) != "" {
		return Identity{}
	}
	id := identify(firstOf(m.text("to"), m.text("recipient")), m.text("to_user_id"))
	if other := m.text("recipient"); id.BSUID == "" && IsBSUID(other) {
		id.BSUID = other
	}
	id.ParentBSUID = userID(m.text("to_parent_user_id"))
	return id
}

// echoGroup returns the group chat to which the business sent a message.
func echoGroup(m fields) string {
	if m.text("recipient_type") == "group" {
		return firstOf(m.text("group_id"), m.text("to"), m.text("recipient"))
	}
	return m.text("group_id")
}

// echoFields lifts what Meta's own agent sent, which is one level deeper than
// other echoes, beside its id and time.
func echoFields(f fields) fields {
	inner := f.object("message")
	if inner == nil || f.text("type") != "" {
		return f
	}
	for key, value := range f {
		if key != "message" {
			inner[key] = value
		}
	}
	return inner
}

// recipientIdentity reads whom a status is about; in a group, the participant.
func recipientIdentity(s fields) Identity {
	prefix := "recipient"
	if isGroupStatus(s) {
		prefix = "recipient_participant"
	}
	id := identify(s.text(prefix+"_id"), s.text(prefix+"_user_id"))
	id.KeyHash = s.text("recipient_identity_key_hash")
	// Meta's own samples spell this in more than one way.
	for _, key := range []string{
		"parent_" + prefix + "_user_id", prefix + "_parent_user_id", "parent_user_id",
		"parent_recipient_user_id", "recipient_parent_user_id",
	} {
		if v := userID(s.text(key)); v != "" {
			id.ParentBSUID = v
			break
		}
	}
	return id
}

func isGroupStatus(s fields) bool {
	return s.text("recipient_type") == "group" ||
		s.text("recipient_participant_id") != "" || s.text("recipient_participant_user_id") != ""
}

// statusGroup returns the group chat that a status is about, if it is one.
func statusGroup(s fields) string {
	if !isGroupStatus(s) {
		return ""
	}
	return s.text("recipient_id")
}

// completedBy fills what is missing from the contact that came along. Where
// the two contradict each other the contact is another person's.
func (i Identity) completedBy(c Identity) Identity {
	if i.contradicts(c) {
		return i
	}
	fill := func(dst *string, v string) {
		if *dst == "" {
			*dst = v
		}
	}
	fill(&i.WAID, c.WAID)
	fill(&i.BSUID, c.BSUID)
	fill(&i.ParentBSUID, c.ParentBSUID)
	fill(&i.Username, c.Username)
	fill(&i.Name, c.Name)
	fill(&i.KeyHash, c.KeyHash)
	return i
}

func (i Identity) contradicts(c Identity) bool {
	return i.BSUID != "" && c.BSUID != "" && i.BSUID != c.BSUID
}
