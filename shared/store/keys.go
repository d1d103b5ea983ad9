package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"threadline/shared/chat"
)

// How items are addressed. Everything about a person is reachable from USER#<id>.

const channel = string(chat.WhatsApp) // the scope of identities: one company's view of one network

func contactKey(c chat.ContactID) key { return key{"USER#" + string(c), "CONTACT"} }

func aliasKey(kind, value string) key {
	return key{"ALIAS#" + kind + "#" + channel + "#" + value, "ALIAS"}
}

func ownAliasKey(c chat.ContactID, kind, value string) key {
	return key{"USER#" + string(c), "ALIAS#" + kind + "#" + value}
}

func ownConversationKey(c chat.ContactID, id chat.ConversationID) key {
	return key{"USER#" + string(c), "CONV#" + string(id)}
}

func linkKey(c chat.ContactID, connector string) key {
	return key{"USER#" + string(c), "CRM#" + connector}
}

func conversationKey(id chat.ConversationID) key { return key{"CONV#" + string(id), "CONV"} }

func messageKey(conv chat.ConversationID, at time.Time, id chat.MessageID) key {
	return key{"CONV#" + string(conv), messageSort(at, string(id))}
}

func messageSort(at time.Time, id string) string { return "MSG#" + millis(at) + "#" + id }

func entryKey(conv chat.ConversationID, connector string, id chat.MessageID) key {
	return key{"CONV#" + string(conv), "CRM#" + connector + "#" + string(id)}
}

func providerKey(n chat.NumberID, id string) key { return key{"WAMID#" + string(n) + "#" + id, "REF"} }

func receiptKey(r chat.Receipt) key {
	return key{"WAMID#" + string(r.Number) + "#" + r.ProviderID,
		"RECEIPT#" + string(r.Status) + "#" + r.Participant + "#" + r.Hash}
}

func ourKey(id chat.MessageID) key { return key{"OUT#" + string(id), "REF"} }

func numberKey(n chat.NumberID) key { return key{"NUMBER#" + string(n), "NUMBER"} }

func numberListKey(n chat.NumberID) key { return key{"NUMBERS", "NUMBER#" + string(n)} }

func accountKey(waba string) key { return key{"ACCOUNT#" + waba, "ACCOUNT"} }

func templatesKey(waba string) key { return key{"ACCOUNT#" + waba, "TEMPLATES"} }

// templateKey has room for whatever Meta lets a template be called; a hash stands for what is longer.
func templateKey(waba, name, language string) key {
	k := key{"ACCOUNT#" + waba, "TEMPLATE#" + name + "#" + language}
	if !k.possible() {
		k.sk = "TEMPLATE##" + Hash([]byte(name+"#"+language))
	}
	return k
}

func fileKey(id string) key { return key{"FILE#" + id, "FILE"} }

func inboxPartition(team string, shard int) string { return fmt.Sprintf("INBOX#%s#%d", team, shard) }

func donePartition(shard int) string { return fmt.Sprintf("DONE#%d", shard) }

// shards spreads what would else be one hot partition.
const shards = 4

func shardOf(id string) int { return int(sha256.Sum256([]byte(id))[0]) % shards }

// millis makes time sort as text: 13 digits reach from 1970 to 2286. What lies outside counts as the nearer end.
func millis(t time.Time) string {
	ms := int64(0)
	if !t.IsZero() {
		ms = min(max(0, t.UnixMilli()), 9_999_999_999_999)
	}
	return fmt.Sprintf("%013d", ms)
}

// inboxIndex is where a conversation is found: by its owner, among the open ones, or among the resolved.
func inboxIndex(c chat.Conversation) *key {
	sk := millis(c.Activity) + "#" + string(c.ID)
	switch {
	case c.State == chat.Resolved:
		return &key{donePartition(shardOf(string(c.ID))), sk}
	case c.Owner != "":
		return &key{"AGENT#" + c.Owner, sk}
	default:
		return &key{inboxPartition(c.Team, shardOf(string(c.ID))), sk}
	}
}

// MaxProviderID is the longest provider id that is used as it is; a longer one is not an id that Meta gives out.
const MaxProviderID = 255

// ProviderMessageID is the id of a provider's message: the provider's own, or a hash of the update without one.
func ProviderMessageID(providerID string, update []byte) chat.MessageID {
	if providerID == "" || len(providerID) > MaxProviderID {
		return chat.MessageID("u_" + Hash(update))
	}
	return chat.MessageID(providerID)
}

// Hash is the hex SHA-256 that items use to recognise an update.
func Hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
