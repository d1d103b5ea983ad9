package route

import (
	"encoding/json"
	"fmt"
	"time"

	"threadline/shared/chat"
)

// Command is what a person wants done by the router, which alone decides about contacts and conversations. It travels
// on Inbound.fifo, in a group of its contact or conversation.
type Command struct {
	V            int                 `json:"v"`
	Kind         string              `json:"kind"` // KindCommand
	Command      string              `json:"command"`
	Contact      chat.ContactID      `json:"contact,omitempty"` // Merge and Unmerge
	With         chat.ContactID      `json:"with,omitempty"`    // Merge: the other one; the older of the two survives
	Conversation chat.ConversationID `json:"conversation,omitempty"`
	Message      string              `json:"message,omitempty"`   // Refetch: its sort key within the conversation
	Hours        int                 `json:"hours,omitempty"`     // Reconcile: how many, the present one included
	Connector    string              `json:"connector,omitempty"` // Backfill
	At           time.Time           `json:"at"`                  // when it was asked for
	ID           string              `json:"id"`                  // of the request: doing it twice is doing it once
}

// KindCommand tells a command from an update on the same queue.
const KindCommand = "command"

// The commands.
const (
	Merge   = "merge"   // two contacts are one person
	Unmerge = "unmerge" // what was joined to a contact is somebody else after all
	Refetch = "refetch" // try again to get a file

	Reconcile = "reconcile" // compare what was stored in the last hours with what the CRMs have, now
	Backfill  = "backfill"  // bring everything that is stored into a CRM
)

// Body is the queue entry's body: ASCII, as every part of it is.
func (c Command) Body() []byte {
	c.V, c.Kind, c.At = 1, KindCommand, c.At.UTC()
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // a struct of strings and a time
	}
	return b
}

// Group is the line in which commands about one contact or conversation wait for each other.
func (c Command) Group() string { return hash(string(c.Contact), string(c.Conversation)) }

// ParseCommand reads a queue entry.
func ParseCommand(body []byte) (Command, error) {
	var c Command
	if err := json.Unmarshal(body, &c); err != nil {
		return c, fmt.Errorf("read command: %w", err)
	}
	if c.V != 1 || c.Kind != KindCommand || c.ID == "" || c.At.IsZero() {
		return c, fmt.Errorf("read command: version %d isn't one that this release writes", c.V)
	}
	return c, nil
}
