package chat

import (
	"maps"
	"slices"
	"time"
)

// Stamp orders what several updates write to the same field: newest provider time wins, ties by id.
type Stamp struct {
	At time.Time `json:"at"`
	ID string    `json:"id"`
}

// Newer tells whether s wins over t.
func (s Stamp) Newer(t Stamp) bool {
	if !s.At.Equal(t.At) {
		return s.At.After(t.At)
	}
	return s.ID > t.ID
}

// compare orders stamps, the newest last.
func (s Stamp) compare(t Stamp) int {
	switch {
	case s.Newer(t):
		return 1
	case t.Newer(s):
		return -1
	}
	return 0
}

// Contact is a person. Its identities are Aliases. What somebody else is found to be the same person as is joined: the
// contact with the smaller id survives and speaks for the others, each of which keeps what was learned through its own
// identities, so that joining can be taken back.
type Contact struct {
	ID ContactID `json:"id"`
	Profile
	Own      *Profile    `json:"own,omitempty"`      // of a survivor: its Profile without those of the others
	Joined   ContactID   `json:"joined,omitempty"`   // the survivor that speaks for this contact
	Absorbed []ContactID `json:"absorbed,omitempty"` // for whom this one speaks
	// Linked are contacts that an update showed to be the same person as this one: the earliest such update.
	Linked map[ContactID]Stamp `json:"linked,omitempty"`
	// Parted are contacts that a person separated from this one by hand, or joined again, and when: evidence doesn't
	// overrule a person. Under the contact's own id is when it was last taken away from others.
	Parted map[ContactID]Parting `json:"parted,omitempty"`
}

// Parting is what somebody decided about two contacts: that they are apart, or one.
type Parting struct {
	Apart bool  `json:"apart"`
	Stamp Stamp `json:"stamp"`
}

// Profile is what is known of somebody apart from their identities.
type Profile struct {
	Name     string   `json:"name,omitempty"`
	Username string   `json:"username,omitempty"` // shown, never resolved
	Named    Stamp    `json:"named,omitzero"`     // what Name and Username were taken from
	Flags    []string `json:"flags,omitempty"`    // sorted
	// Saved is the name in the address book of the company's phone, which is shown in preference to the person's own.
	Saved   string `json:"saved,omitempty"`
	SavedAt Stamp  `json:"saved_at,omitzero"`
	// Consent is the customer's word on messages of a category, such as marketing.
	Consent map[string]Consent `json:"consent,omitempty"`
	// KeyHash changes when the person's WhatsApp is installed anew: perhaps somebody else has the phone now.
	KeyHash string `json:"key_hash,omitempty"`
	KeyAt   Stamp  `json:"key_at,omitzero"`
	// GaveUp is when they last changed to a phone that Meta didn't name: what wasn't shown since isn't theirs.
	GaveUp time.Time `json:"gave_up,omitzero"`
}

// Consent is what a customer said about a category of messages, and where.
type Consent struct {
	Given  bool   `json:"given"`
	Source string `json:"source"`           // such as "user_preferences"
	Value  string `json:"value,omitempty"`  // the provider's word: "stop", "resume", …
	Detail string `json:"detail,omitempty"` // the provider's explanation
	Stamp  Stamp  `json:"stamp"`
}

// over tells whether c wins over d: the newer one, and of two in the same second the refusal.
func (c Consent) over(d Consent) bool {
	if c.Stamp.At.Equal(d.Stamp.At) && c.Given != d.Given {
		return !c.Given
	}
	return c.Stamp.Newer(d.Stamp)
}

// Shown is how people call the contact; empty if nobody knows a name.
func (p Profile) Shown() string {
	switch {
	case p.Saved != "":
		return p.Saved
	case p.Name != "":
		return p.Name
	case p.Username != "":
		return "@" + p.Username
	}
	return ""
}

// Refuses tells whether the customer said no to messages of a category.
func (p Profile) Refuses(category string) bool {
	said, known := p.Consent[category]
	return known && !said.Given
}

// Self is the contact's own profile, without those of the contacts joined to it.
func (c Contact) Self() Profile {
	if c.Own != nil {
		return *c.Own
	}
	return c.Profile
}

// Profile is what an update says of somebody.
func (s Seen) Profile() Profile {
	var p Profile
	stamp := Stamp{At: s.At.UTC(), ID: s.ID}
	if s.Name != "" || s.Username != "" {
		p.Name, p.Username, p.Named = s.Name, s.Username, stamp
	}
	if s.Saved != nil {
		p.Saved, p.SavedAt = *s.Saved, stamp
	}
	if s.KeyHash != "" {
		p.KeyHash, p.KeyAt = s.KeyHash, stamp
	}
	if s.NewKey {
		p.Flags = []string{FlagNewIdentity}
	}
	if s.PrevBSUID != "" && s.BSUID != "" && s.PrevBSUID != s.BSUID && s.Phone == "" {
		p.GaveUp = s.At.UTC() // Meta makes a new user id when the phone changes
	}
	return p
}

// Take adds what is known of the same person from elsewhere and tells whether that says anything new. It commutes, so
// that the result is a function of the set of what was taken: the newest word wins, flags add up.
func (p *Profile) Take(q Profile) (changed bool) {
	if q.Named.Newer(p.Named) {
		p.Name, p.Username, p.Named, changed = q.Name, q.Username, q.Named, true
	}
	if q.SavedAt.Newer(p.SavedAt) {
		p.Saved, p.SavedAt, changed = q.Saved, q.SavedAt, true
	}
	if p.KeyHash != "" && q.KeyHash != "" && p.KeyHash != q.KeyHash {
		changed = p.flag(FlagNewIdentity) || changed
	}
	if q.KeyAt.Newer(p.KeyAt) {
		p.KeyHash, p.KeyAt, changed = q.KeyHash, q.KeyAt, true
	}
	if q.GaveUp.After(p.GaveUp) {
		p.GaveUp, changed = q.GaveUp, true
	}
	for _, f := range q.Flags {
		changed = p.flag(f) || changed
	}
	for category, said := range q.Consent {
		if old, known := p.Consent[category]; known && !said.over(old) {
			continue
		}
		p.Consent = maps.Clone(p.Consent) // another profile may have the same map
		if p.Consent == nil {
			p.Consent = map[string]Consent{}
		}
		p.Consent[category], changed = said, true
	}
	return changed
}

func (p *Profile) flag(f string) (changed bool) {
	at, there := slices.BinarySearch(p.Flags, f)
	if there {
		return false
	}
	p.Flags = slices.Insert(slices.Clone(p.Flags), at, f)
	return true
}

// FlagSharedPhone marks contacts whose phone number turned up with another business-scoped user id and no change event:
// two people, most likely a recycled number.
const FlagSharedPhone = "shared-phone"

// FlagNewIdentity marks contacts whose WhatsApp was installed anew, as Meta says where identity checks are on.
const FlagNewIdentity = "new-identity"

// Alias kinds.
const (
	AliasBSUID = "bsuid" // business-scoped user id
	AliasWAID  = "wa_id" // WhatsApp's id of a phone: digits, not always today's number
	// AliasParent is the user id that linked business portfolios share.
	AliasParent = "parent_bsuid"
)

// Alias is one identity of somebody, with the evidence for who that is.
type Alias struct {
	Kind    string   `json:"kind"`
	Value   string   `json:"value"`
	Scopes  []string `json:"scopes,omitempty"` // business-scoped ids: the accounts (WABA) it was seen in
	Holders []Holder `json:"holders"`          // in order of First, ties by Contact
}

// Holder is the evidence that an identity belongs to a contact.
type Holder struct {
	Contact ContactID `json:"contact"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`   // to the day, so that it is written once a day at most; address books don't count
	Source  string    `json:"source"` // of First
}

// The sources of evidence.
const (
	SourceMessage = "message"
	SourceSystem  = "system" // Meta's own word that an identity changed
	SourceRequest = "request"
	SourceAnswer  = "answer"       // Meta's answer to a send named another identity than the one written to
	SourceBook    = "address-book" // of the company's phone
)

// HolderAt returns who held the alias at a time: the one whose claim is the latest by then, or else the first ever.
func (a Alias) HolderAt(at time.Time) ContactID {
	if len(a.Holders) == 0 {
		return ""
	}
	who := a.Holders[0].Contact
	for _, h := range a.Holders {
		if !h.First.After(at) {
			who = h.Contact
		}
	}
	return who
}

// See adds evidence that c holds the alias and tells whether that says anything new.
func (a *Alias) See(c ContactID, at time.Time, source string) (changed bool) {
	last := at.UTC().Truncate(24 * time.Hour)
	if source == SourceBook {
		last = time.Time{}
	}
	for i := range a.Holders {
		h := &a.Holders[i]
		if h.Contact != c {
			continue
		}
		if at.Before(h.First) || (at.Equal(h.First) && source < h.Source) {
			h.First, h.Source, changed = at.UTC(), source, true
		}
		if last.After(h.Last) {
			h.Last, changed = last, true
		}
		if changed {
			a.sort()
		}
		return changed
	}
	a.Holders = append(a.Holders, Holder{Contact: c, First: at.UTC(), Last: last, Source: source})
	a.sort()
	return true
}

func (a *Alias) sort() {
	// Insertion sort: an alias has one holder, very rarely two.
	for i := 1; i < len(a.Holders); i++ {
		for j := i; j > 0 && a.Holders[j].before(a.Holders[j-1]); j-- {
			a.Holders[j], a.Holders[j-1] = a.Holders[j-1], a.Holders[j]
		}
	}
}

func (h Holder) before(g Holder) bool {
	if !h.First.Equal(g.First) {
		return h.First.Before(g.First)
	}
	return h.Contact < g.Contact
}

// Seen is the evidence of one update for who somebody is.
type Seen struct {
	BSUID, Phone         string // at least one
	PrevBSUID, PrevPhone string // Meta says that these were the same person's before
	Scope                string // the account (WABA) that the business-scoped id was seen in
	At                   time.Time
	Source               string
	Name, Username       string
	ID                   string // of the update, for ties

	Parent, PrevParent string   // the user ids that linked portfolios share
	Variants           []string // other ways to write Phone, under which the same person may be known: for look-up only
	KeyHash            string   // of the person's WhatsApp installation, where identity checks are on
	NewKey             bool     // Meta says that it changed
	Saved              *string  // the name in the company's address book; empty: it was removed
}

// Someone tells whether the update shows any identity at all.
func (s Seen) Someone() bool { return s.BSUID != "" || s.Phone != "" }
