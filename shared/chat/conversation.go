package chat

import "time"

// State is who is to act on a conversation.
type State string

// The states of a conversation.
const (
	WithBot  State = "bot"
	InQueue  State = "queued"
	Assigned State = "assigned"
	Resolved State = "resolved"
)

// Conversation is the thread of a business number with a person or a group chat.
type Conversation struct {
	ID          ConversationID `json:"id"`
	Number      NumberID       `json:"number"`
	Contact     ContactID      `json:"contact,omitempty"`
	Group       string         `json:"group,omitempty"`
	State       State          `json:"state"`
	Team        string         `json:"team"`
	Owner       string         `json:"owner,omitempty"`
	Activity    time.Time      `json:"activity"`              // time of the newest message
	LastInbound time.Time      `json:"last_inbound,omitzero"` // time of the customer's newest message that counts for the window
	LastFrom    string         `json:"last_from,omitempty"`   // provider id of the customer's newest message, which can be shown as read
	LastFromAt  time.Time      `json:"last_from_at,omitzero"` // time of that message; a call opens the window and can't be read
	Arrivals    int64          `json:"arrivals"`              // how many messages have been stored
	Marked      *Mark          `json:"marked,omitempty"`      // the last hour in which something came that belongs into a CRM
}

// Mark says that messages of a conversation that belong into a CRM came in an hour, and where they stand, so that
// somebody can look after them when it is over.
type Mark struct {
	Hour  time.Time `json:"hour"`            // when it began
	From  time.Time `json:"from"`            // the earliest of their own times: one may come late
	First int64     `json:"first"`           // the Arrival of the first of them
	Ahead bool      `json:"ahead,omitempty"` // one has a time beyond the hour: the provider's clock is another
}

// Until is the time before which those messages stand, unless one is ahead.
func (m Mark) Until() time.Time { return m.Hour.Add(time.Hour) }

// Mark notes that a message that belongs into a CRM is stored now, as the conversation's newest arrival, and tells whether
// that says something new of the hour: of a hundred messages in their order only the first does. An hour never goes back,
// whatever the clocks of two functions say.
func (c *Conversation) Mark(m Message, now time.Time) (changed bool) {
	mark := Mark{Hour: now.UTC().Truncate(time.Hour), From: m.At.UTC(), First: c.Arrivals}
	if old := c.Marked; old == nil || old.Hour.Before(mark.Hour) {
		changed = true
	} else {
		earlier := mark.From
		if mark = *old; earlier.Before(mark.From) {
			mark.From, changed = earlier, true
		}
	}
	if !mark.Ahead && !m.At.Before(mark.Until()) {
		mark.Ahead, changed = true, true
	}
	if changed {
		c.Marked = &mark
	}
	return changed
}

// ServiceWindow is how long after a customer's message free-form answers are allowed.
// https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages#customer-service-windows
const ServiceWindow = 24 * time.Hour

// WindowEnd returns when the customer-service window closes, or closed; zero if the customer never wrote.
func (c Conversation) WindowEnd() time.Time {
	if c.LastInbound.IsZero() {
		return time.Time{}
	}
	return c.LastInbound.Add(ServiceWindow)
}

// Note records that a message was stored: every field is the maximum over the messages, whatever their order.
func (c *Conversation) Note(m Message) {
	c.Arrivals++
	if m.At.After(c.Activity) {
		c.Activity = m.At.UTC()
	}
	if m.OpensWindow() {
		newest := Conversation{LastInbound: m.At.UTC()}
		if m.Kind != KindCall {
			newest.LastFrom, newest.LastFromAt = m.ProviderID, m.At.UTC()
		}
		c.Take(newest)
	}
}

// Take adds what is known of the customer's newest messages from elsewhere, such as another thread of the same person.
func (c *Conversation) Take(other Conversation) {
	if mine, theirs := c.readable(), other.readable(); theirs.Newer(mine) {
		c.LastFrom, c.LastFromAt = theirs.ID, theirs.At
	} else {
		c.LastFromAt = mine.At
	}
	if other.LastInbound.After(c.LastInbound) {
		c.LastInbound = other.LastInbound
	}
}

// readable is the message that can be shown as read. Before LastFromAt was kept, LastInbound was its time.
func (c Conversation) readable() Stamp {
	if c.LastFromAt.IsZero() && c.LastFrom != "" {
		return Stamp{c.LastInbound, c.LastFrom}
	}
	return Stamp{c.LastFromAt, c.LastFrom}
}

// OpensWindow tells whether a message opens or renews the customer-service window. Meta says "any message or call"; a
// system notice is none, an edit or a deletion isn't a new one, and whether a reaction counts is undocumented, so it
// doesn't.
func (m Message) OpensWindow() bool {
	_, amends := m.Amends()
	return m.Direction == In && m.Kind != KindSystem && m.Kind != KindReaction && m.Kind != KindEdit && m.Kind != KindRevoke && !amends
}
