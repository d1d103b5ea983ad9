package store

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"threadline/shared/chat"
)

// Filter selects conversations. Its zero value selects those of DefaultTeam that nobody owns, and the resolved ones: all
// there are as long as nothing assigns a conversation, which TestNothingAssignsConversations watches.
type Filter struct {
	State chat.State
	Owner string
	Team  string
}

// partitions are the parts of the index that can hold what the filter selects.
func (f Filter) partitions() []string {
	var ps []string
	if f.Owner != "" {
		return []string{"AGENT#" + f.Owner}
	}
	team := f.Team
	if team == "" {
		team = DefaultTeam
	}
	for i := range shards {
		if f.State != chat.Resolved {
			ps = append(ps, inboxPartition(team, i))
		}
		if f.State == "" || f.State == chat.Resolved {
			ps = append(ps, donePartition(i))
		}
	}
	return ps
}

func (f Filter) matches(c chat.Conversation) bool {
	return (f.State == "" || f.State == c.State) && (f.Team == "" || f.Team == c.Team)
}

// Listed is a conversation with its contact, empty for a group chat.
type Listed struct {
	chat.Conversation
	With chat.Contact
}

// Conversations returns a page of conversations, the most recently active first, and the cursor of the next page, empty
// on the last one. A conversation whose contact was joined to another isn't listed; its survivor is. A page may be
// empty and still have a next one. The index is a moment behind the table.
func (s *Store) Conversations(ctx context.Context, f Filter, cursor string, limit int) ([]Listed, string, error) {
	limit = max(limit, 1)
	before, err := decodeCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	// Two more than the page: the entry at the cursor, and one that tells that there is a next page.
	found, err := s.listed(ctx, f, span{from: "0", to: before, newest: true, limit: limit + 2}, before)
	if err != nil {
		return nil, "", err
	}
	slices.SortFunc(found, func(a, b doc[chat.Conversation]) int { return strings.Compare(b.index.sk, a.index.sk) })
	next := ""
	if len(found) > limit {
		found = found[:limit]
		next = encodeCursor(found[limit-1].index.sk)
	}
	page, err := s.introduce(ctx, found, f)
	return page, next, err
}

// listed returns the conversations of a filter within a span of each of its partitions, but for the one at a place.
func (s *Store) listed(ctx context.Context, f Filter, sp span, but string) ([]doc[chat.Conversation], error) {
	var found []doc[chat.Conversation]
	sp.index = true
	for _, sp.pk = range f.partitions() {
		items, err := s.query(ctx, sp)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			d, err := decode[chat.Conversation](keyOf(it), it)
			if err != nil {
				return nil, err
			}
			if d.index.sk != but {
				found = append(found, d)
			}
		}
	}
	return found, nil
}

// introduce adds the contacts and leaves out what is joined or doesn't match.
func (s *Store) introduce(ctx context.Context, found []doc[chat.Conversation], f Filter) ([]Listed, error) {
	var keys []key
	for _, d := range found {
		if d.val.Contact != "" {
			keys = append(keys, contactKey(d.val.Contact))
		}
	}
	items, err := s.get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	page := []Listed{}
	for _, d := range found {
		if !f.matches(d.val) {
			continue
		}
		l := Listed{Conversation: d.val}
		if d.val.Contact != "" {
			c, err := read[chat.Contact](items, contactKey(d.val.Contact))
			if err != nil {
				return nil, err
			}
			l.With = c.val
		}
		if l.With.Joined != "" || len(l.With.Absorbed) > 0 {
			whole, newest, err := s.whole(ctx, d.val.ID)
			if err != nil {
				return nil, err
			}
			if newest != d.val.ID {
				continue // another thread of the same person is listed
			}
			if l.Conversation = whole; l.With.Joined != "" {
				l.With, err = s.Contact(ctx, whole.Contact)
			}
			if err != nil {
				return nil, err
			}
		}
		page = append(page, l)
	}
	return page, nil
}

// Messages returns a page of a conversation, the newest page first and in time order within it, with the cursor of the
// page before it in time, empty on the last one. Conversations of joined contacts are read together.
func (s *Store) Messages(ctx context.Context, id chat.ConversationID, cursor string, limit int) ([]chat.Message, string, error) {
	limit = max(limit, 1)
	bound, err := parsePlace(cursor)
	if err != nil {
		return nil, "", err
	}
	ids, err := s.threads(ctx, id)
	if err != nil {
		return nil, "", err
	}
	page := []chat.Message{}
	for _, id := range ids {
		found, err := s.back(ctx, id, bound, limit)
		if err != nil {
			return nil, "", err
		}
		page = append(page, found...)
	}
	if len(page) == 0 && cursor == "" {
		if _, err := s.Conversation(ctx, id); err != nil {
			return nil, "", err
		}
	}
	slices.SortFunc(page, earlier)
	if len(page) <= limit {
		return page, "", nil
	}
	page = page[len(page)-limit:]
	return page, placeOf(page[0]), nil
}

// back returns more than limit messages of one thread that are earlier than bound, or all there are. Within a second the
// key orders by id and people read by arrival, so a second is read whole.
func (s *Store) back(ctx context.Context, id chat.ConversationID, bound *chat.Message, limit int) ([]chat.Message, error) {
	pk, to := "CONV#"+string(id), "MSG#"+newestFirst
	if bound != nil {
		to = messageSort(bound.At, newestFirst)
	}
	var found []chat.Message
	for {
		items, err := s.query(ctx, span{pk: pk, from: "MSG#", to: to, newest: true, limit: limit + 1})
		if err != nil {
			return nil, err
		}
		full := len(items) > limit
		if full {
			last := keyOf(items[limit]).sk
			to = last[:len("MSG#")+len(millis(time.Time{}))] // below the last one's second
			rest, err := s.query(ctx, span{pk: pk, from: to, to: last, newest: true})
			if err != nil {
				return nil, err
			}
			items = append(items, rest[1:]...)
		}
		for _, it := range items {
			d, err := decode[chat.Message](keyOf(it), it)
			if err != nil {
				return nil, err
			}
			if bound == nil || earlier(d.val, *bound) < 0 {
				found = append(found, d.val)
			}
		}
		if !full || len(found) > limit {
			return found, nil
		}
	}
}

// placeOf is a cursor: where in the order of messages this one stands.
func placeOf(m chat.Message) string {
	return encodeCursor(fmt.Sprintf("%s#%d#%s", millis(m.At), m.Arrival, m.Conversation))
}

func parsePlace(cursor string) (*chat.Message, error) {
	if cursor == "" {
		return nil, nil
	}
	place, err := decodeCursor(cursor)
	if err != nil {
		return nil, err
	}
	parts := strings.SplitN(place, "#", 3)
	if len(parts) != 3 {
		return nil, errCursor
	}
	ms, err1 := strconv.ParseInt(parts[0], 10, 64)
	arrival, err2 := strconv.ParseInt(parts[1], 10, 64)
	if err1 != nil || err2 != nil {
		return nil, errCursor
	}
	return &chat.Message{At: time.UnixMilli(ms).UTC(), Arrival: arrival, Conversation: chat.ConversationID(parts[2])}, nil
}

// earlier orders messages as people read them: Meta's times are whole seconds, so the order of arrival breaks ties.
// Threads that were joined count apart, so theirs don't mix within a second.
func earlier(a, b chat.Message) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Conversation, b.Conversation), cmp.Compare(a.Arrival, b.Arrival))
}

// newestFirst is above every time: where a list begins that has no cursor.
const newestFirst = "\U0010FFFF"

func encodeCursor(sort string) string { return base64.RawURLEncoding.EncodeToString([]byte(sort)) }

var errCursor = chat.E(chat.Invalid, "cursor: not one that we gave out", nil)

// shape is what a cursor is made of: the time of the last entry shown, and what tells it from others of that time.
var shape = regexp.MustCompile(`^[0-9]{13}#.+$`)

func decodeCursor(c string) (string, error) {
	if c == "" {
		return newestFirst, nil
	}
	return decodeShape(c, shape)
}

func decodeShape(c string, shape *regexp.Regexp) (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(c)
	if err != nil || len(b) > 900 || !utf8.Valid(b) || !shape.Match(b) {
		return "", errCursor
	}
	return string(b), nil
}
