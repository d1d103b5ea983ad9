package store

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"threadline/shared/chat"
)

// Link is the record of a contact in a CRM.
type Link struct {
	Ref   string `json:"ref"`
	Shown string `json:"shown,omitempty"` // hash of what the CRM was told of the person

	// Tried is when a record was begun of which it isn't known whether it was made; zero: none. Busy is until when somebody
	// is at it.
	Tried time.Time `json:"tried,omitzero"`
	Busy  time.Time `json:"busy,omitzero"`
	// Others are records with the same telephone number, none of which was chosen: a person has to say which is right.
	Others []string `json:"others,omitempty"`
}

// Link returns the contact's record in a CRM, empty if none is known.
func (s *Store) Link(ctx context.Context, c chat.ContactID, connector string) (Link, error) {
	k := linkKey(c, connector)
	items, err := s.get(ctx, k)
	if err != nil {
		return Link{}, err
	}
	d, err := read[Link](items, k)
	return d.val, err
}

// Links returns the contact's records in all CRMs, by connector; those that are begun and not there yet are missing.
func (s *Store) Links(ctx context.Context, c chat.ContactID) (map[string]Link, error) {
	items, err := s.query(ctx, prefix("USER#"+string(c), "CRM#"))
	if err != nil {
		return nil, err
	}
	links := map[string]Link{}
	for _, it := range items {
		d, err := decode[Link](keyOf(it), it)
		if err != nil {
			return nil, err
		}
		if d.val.Ref != "" {
			links[strings.TrimPrefix(d.sk, "CRM#")] = d.val
		}
	}
	return links, nil
}

// owners are whose a record of a CRM is: one customer's, or several's whose records were merged there.
type owners struct {
	Contact chat.ContactID   `json:"contact"`
	Also    []chat.ContactID `json:"also,omitempty"`
}

func ownerKey(connector, ref string) key {
	return key{"CRMREF#" + connector + "#" + Hash([]byte(ref)), "REF"}
}

// mostOwners bounds a record that somebody merges everything into.
const mostOwners = 20

// with adds a contact.
func (o owners) with(c chat.ContactID) owners {
	switch {
	case o.Contact == "":
		o.Contact = c
	case o.Contact != c && !slices.Contains(o.Also, c):
		o.Also = append(slices.Clone(o.Also), c)
		o.Also = o.Also[max(0, len(o.Also)-mostOwners):]
	}
	return o
}

// SetLink remembers the contact's record in a CRM, and whose the record is. One effect of a contact is handled at a time,
// so whoever writes last writes the same; who had the record before still has it.
func (s *Store) SetLink(ctx context.Context, c chat.ContactID, connector string, l Link) error {
	return s.contend(ctx, func() error {
		o, err := doc[Link]{key: linkKey(c, connector), val: l}.overwrite()
		if err != nil {
			return err
		}
		if l.Ref == "" {
			return s.write(ctx, o)
		}
		k := ownerKey(connector, l.Ref)
		items, err := s.get(ctx, k)
		if err != nil {
			return err
		}
		d, err := read[owners](items, k)
		if err != nil {
			return err
		}
		d.val = d.val.with(c)
		whose, err := d.put() // protects: another customer of the same record isn't forgotten
		if err != nil {
			return err
		}
		return s.write(ctx, o, whose)
	})
}

// ClaimLink changes what is known of a contact's record that isn't there yet.
func (s *Store) ClaimLink(ctx context.Context, c chat.ContactID, connector string, claim func(*Link)) (Link, error) {
	return edit(ctx, s, linkKey(c, connector), func(d *doc[Link]) (bool, error) {
		before := d.val
		claim(&d.val)
		return !reflect.DeepEqual(d.val, before), nil
	})
}

// Owners returns the contacts whose record a CRM's is, each the survivor of those joined to it; none if it is nobody's of
// ours.
func (s *Store) Owners(ctx context.Context, connector, ref string) ([]chat.ContactID, error) {
	k := ownerKey(connector, ref)
	items, err := s.get(ctx, k)
	if err != nil {
		return nil, err
	}
	d, err := read[owners](items, k)
	if err != nil || d.rev == 0 {
		return nil, err
	}
	var living []chat.ContactID
	for _, c := range append([]chat.ContactID{d.val.Contact}, d.val.Also...) {
		link, err := s.Link(ctx, c, connector)
		if err != nil {
			return nil, err
		}
		who, err := s.Contact(ctx, c)
		if chat.CodeOf(err) == chat.NotFound || err == nil && link.Ref != ref {
			continue // erased since, or with another record now
		}
		if err != nil {
			return nil, err
		}
		if !slices.Contains(living, who.ID) {
			living = append(living, who.ID)
		}
	}
	return living, nil
}

// Owner returns the contact to whom an answer on a record goes: of several the one who wrote last. It is empty if the
// record is nobody's of ours.
func (s *Store) Owner(ctx context.Context, connector, ref string) (chat.ContactID, error) {
	all, err := s.Owners(ctx, connector, ref)
	if err != nil || len(all) == 0 {
		return "", err
	}
	last, at := all[0], time.Time{}
	if len(all) == 1 {
		return last, nil
	}
	for _, c := range all {
		who, err := s.Contact(ctx, c)
		if err != nil {
			return "", err
		}
		threads, err := s.ConversationsOf(ctx, who)
		if err != nil {
			return "", err
		}
		for _, t := range threads {
			if t.LastInbound.After(at) {
				last, at = c, t.LastInbound
			}
		}
	}
	return last, nil
}

// Entry is how far a message has come in a CRM.
type Entry struct {
	Contact string    `json:"contact,omitempty"` // the CRM's record that it is on
	Ref     string    `json:"ref,omitempty"`     // the entry; empty while there is none that is known
	Tried   time.Time `json:"tried,omitzero"`    // when an entry was begun of which it isn't known whether it was made
	Busy    time.Time `json:"busy,omitzero"`     // until when somebody writes to the entry or is dead; zero: nobody
	Shown   string    `json:"shown,omitempty"`   // hash of what the entry shows
	Reason  string    `json:"reason,omitempty"`  // why the CRM refused it, for good

	File       string    `json:"file,omitempty"`        // the attached file
	FileTried  time.Time `json:"file_tried,omitzero"`   // as Tried
	FileReason string    `json:"file_reason,omitempty"` // why there is none, for good; shown on the entry

	// Where several messages are one entry: it is the first one's, which lists them all in order, by SortKey. Of the others
	// Head says which one that is.
	Head    string   `json:"head,omitempty"`
	Members []string `json:"members,omitempty"`

	// Reported is a hash of what the CRM was told came of a request, where the message was asked for there.
	Reported string `json:"reported,omitempty"`
}

// Lacks tells whether something of a message's entry is still to be done.
func (e Entry) Lacks(m chat.Message) bool {
	if e.Reason != "" {
		return false
	}
	file := m.Attachment != nil && m.Attachment.State.Have() && e.File == "" && e.FileReason == ""
	return e.Ref == "" || file
}

// ClaimEntry changes what is known of a message's entry in a CRM. It writes if claim changes something, or if nothing was
// known yet.
func (s *Store) ClaimEntry(ctx context.Context, m chat.Message, connector string, claim func(*Entry)) (Entry, error) {
	return edit(ctx, s, entryKey(m.Conversation, connector, m.ID), func(d *doc[Entry]) (bool, error) {
		before := d.val
		claim(&d.val)
		if d.rev == 0 {
			d.ttl = s.expiry()
		}
		return !reflect.DeepEqual(d.val, before) || d.rev == 0, nil
	})
}

// Entries returns what is known of the entries of a conversation's messages in a CRM. Those of which nothing is known are
// missing from the answer.
func (s *Store) Entries(ctx context.Context, conv chat.ConversationID, connector string, ids []chat.MessageID) (map[chat.MessageID]Entry, error) {
	var keys []key
	for _, id := range ids {
		keys = append(keys, entryKey(conv, connector, id))
	}
	items, err := s.get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	out := make(map[chat.MessageID]Entry, len(items))
	for _, id := range ids {
		d, err := read[Entry](items, entryKey(conv, connector, id))
		if err != nil {
			return nil, err
		}
		if d.rev > 0 {
			out[id] = d.val
		}
	}
	return out, nil
}

// request is what somebody in a CRM asked for.
type request struct {
	Said string `json:"said"`
}

func requestKey(id chat.MessageID, connector string) key {
	return key{"OUT#" + string(id), "CRMREQUEST#" + connector}
}

// keepRequests is how long a request is remembered: as long as a receipt may come for what was sent. One that was refused
// belongs to nobody's conversation.
const keepRequests = 35 * 24 * time.Hour

// SetRequest remembers what somebody in a CRM asked for, by the id of the message that is sent for it.
func (s *Store) SetRequest(ctx context.Context, id chat.MessageID, connector, said string) error {
	return s.contend(ctx, func() error {
		o, err := doc[request]{key: requestKey(id, connector), val: request{said}, ttl: s.now().Add(keepRequests)}.overwrite()
		if err != nil {
			return err
		}
		return s.write(ctx, o)
	})
}

// Request returns it; empty if the message wasn't asked for in that CRM.
func (s *Store) Request(ctx context.Context, id chat.MessageID, connector string) (string, error) {
	k := requestKey(id, connector)
	items, err := s.get(ctx, k)
	if err != nil {
		return "", err
	}
	d, err := read[request](items, k)
	return d.val.Said, err
}
