package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"threadline/shared/chat"
	"threadline/shared/metric"
	"threadline/shared/queue"
	"threadline/shared/route"
	"threadline/shared/store"
	"threadline/shared/whatsapp/whatsapptest"
)

// updateType is a type of update, as the one with number n comes at a time. One more is there: number 0 came before.
type updateType struct {
	name string
	post func(n int, at time.Time) []byte
}

// conclusion is the one type that is kept raw beside what the router makes of it.
const conclusion = "conclusion of Meta's"

// group is the id of a group chat.
const group = "120363040000000001"

// updateTypes are those that Meta sends. The customer has written "wamid.0" and "wamid.1", the company "wamid.out.0" and
// so on, on the phone.
var updateTypes = []updateType{
	{"text", func(n int, at time.Time) []byte { return whatsapptest.Text(number, customer, wamid(n), sentence, at) }},
	{"text that quotes", func(n int, at time.Time) []byte {
		return whatsapptest.Reply(number, customer, wamid(n), "wamid.out.0", sentence, at)
	}},
	{"photo", func(n int, at time.Time) []byte {
		return whatsapptest.Photo(number, customer, wamid(n), fmt.Sprint("9001", n), "c2hhMjU2", "", at)
	}},
	{"location", func(n int, at time.Time) []byte {
		return whatsapptest.Location(number, customer, wamid(n), 41.4, 2.17, "Old harbour", "12 Quay Road", at)
	}},
	{"contact cards", func(n int, at time.Time) []byte {
		return whatsapptest.ContactCard(number, customer, wamid(n), "A Friend", "34600999777", at)
	}},
	{"order", func(n int, at time.Time) []byte {
		item := whatsapptest.Item{Product: "blue-1", Quantity: 2, Price: "12.50", Currency: "EUR"}
		return whatsapptest.Order(number, customer, wamid(n), "catalog-1", "For Friday", at, item, item, item)
	}},
	{"button", func(n int, at time.Time) []byte {
		return whatsapptest.Choice(number, customer, wamid(n), "yes", "Yes, please", at)
	}},
	{"answers of a form", func(n int, at time.Time) []byte {
		return whatsapptest.FlowReply(number, customer, wamid(n), map[string]any{"day": "Friday", "time": "10:00", "people": 3}, at)
	}},
	{"reaction", func(n int, at time.Time) []byte {
		return whatsapptest.Reaction(number, customer, wamid(n), old(n), "👍", at)
	}},
	{"edit", func(n int, at time.Time) []byte {
		return whatsapptest.Edit(number, customer, wamid(n), old(n), sentence+" Please.", at)
	}},
	{"deletion", func(n int, at time.Time) []byte { return whatsapptest.Revoke(number, customer, wamid(n), old(n), at) }},
	{"edit that overtakes its message", func(n int, at time.Time) []byte {
		return whatsapptest.Edit(number, customer, wamid(n), wamid(10+n), sentence, at)
	}},
	{"text in a group", func(n int, at time.Time) []byte {
		return whatsapptest.GroupMessage(number, group, customer, wamid(n), sentence, at)
	}},
	{"event of a group", func(n int, at time.Time) []byte {
		return whatsapptest.Group(number, group, "group_participants_update", "group_participants_add", map[string]any{"request_id": fmt.Sprint(n)}, at)
	}},
	{"text on standby", func(n int, at time.Time) []byte {
		return whatsapptest.Standby(whatsapptest.Text(number, customer, wamid(n), sentence, at))
	}},
	{"handover", func(n int, at time.Time) []byte {
		return whatsapptest.Handover(number, customer, "control_passed", "ai_agent", "escalation", at)
	}},
	{"echo", func(n int, at time.Time) []byte { return whatsapptest.Echo(number, customer, wamid(n), sentence, at) }},
	{"receipt", func(n int, at time.Time) []byte {
		return whatsapptest.Status(number, customer, "wamid.out.0", []string{"delivered", "read"}[n], "", at)
	}},
	{"receipt that overtakes its message", func(n int, at time.Time) []byte {
		return whatsapptest.Status(number, customer, wamid(n), "sent", "", at)
	}},
	{"call", func(n int, at time.Time) []byte {
		return whatsapptest.Call(number, customer, fmt.Sprint("wacid.new.", n), at)
	}},
	{"end of a call", func(n int, at time.Time) []byte {
		return whatsapptest.CallEnd(number, customer, fmt.Sprint("wacid.", n), "COMPLETED", time.Minute, at)
	}},
	{"preference", func(n int, at time.Time) []byte {
		return whatsapptest.Preference(number, customer, []string{"resume", "stop"}[n], at)
	}},
	{"saved contact", func(n int, at time.Time) []byte {
		return whatsapptest.SavedContact(number, customer, fmt.Sprint("Customer ", n), at)
	}},
	{conclusion, func(n int, at time.Time) []byte {
		return whatsapptest.Signal(number, old(n), "LeadSubmitted", "click", at)
	}},
	{"event of the number", func(n int, at time.Time) []byte {
		return whatsapptest.Account("phone_number_quality_update", map[string]any{
			"display_phone_number": whatsapptest.Display, "event": "ONBOARDING", "current_limit": []string{"TIER_2K", "TIER_10K"}[n]}, at)
	}},
	{"event of the account", func(n int, at time.Time) []byte {
		return whatsapptest.Account("account_update", map[string]any{"event": "ACCOUNT_RESTRICTION", "restriction_info": []any{map[string]any{
			"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": at.Add(24 * time.Hour).Unix()}}}, at)
	}},
	{"event of a template", func(n int, at time.Time) []byte {
		return whatsapptest.Account("message_template_status_update", map[string]any{"event": "PAUSED", "message_template_id": 1,
			"message_template_name": "order_ready", "message_template_language": "en", "reason": "NONE"}, at)
	}},
	{"history, 100 messages", func(n int, at time.Time) []byte {
		return whatsapptest.History(number, customer, 1, n, n, oldMessages(100*n, 100)...)
	}},
	{"file of the history", func(n int, at time.Time) []byte {
		return whatsapptest.HistoryMedia(number, customer, whatsapptest.Old{ID: fmt.Sprint("wamid.file.", n), Type: "image", At: at.Add(-100 * time.Hour),
			Content: map[string]any{"id": fmt.Sprint("9002", n), "mime_type": "image/jpeg", "sha256": "c2hhMjU2"}})
	}},
}

func old(n int) string { return fmt.Sprint("wamid.", n) }

// oldMessages are some of a chat, the first with number n.
func oldMessages(n, count int) (all []whatsapptest.Old) {
	for i := n; i < n+count; i++ {
		at := time.Date(2025, 10, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Hour)
		all = append(all, whatsapptest.Old{ID: fmt.Sprintf("%s.old.%d", wamid(0), i), FromBusiness: i%3 == 1, Content: sentence, At: at})
	}
	return all
}

// before is what has happened when an update comes.
func (r *routed) before(ctx context.Context) error {
	var posts [][]byte
	for n := range 2 {
		placeholder := whatsapptest.Old{ID: fmt.Sprint("wamid.file.", n), Type: "media_placeholder", At: r.now.Add(-100 * time.Hour)}
		posts = append(posts,
			whatsapptest.Text(number, customer, old(n), sentence, r.now),
			whatsapptest.Echo(number, customer, fmt.Sprint("wamid.out.", n), sentence, r.now),
			whatsapptest.Call(number, customer, fmt.Sprint("wacid.", n), r.now),
			whatsapptest.GroupMessage(number, group, customer, fmt.Sprint("wamid.group.", n), sentence, r.now),
			whatsapptest.History(number, customer, 1, n, n, placeholder),
			whatsapptest.Text(number, other(n), fmt.Sprint("wamid.other.", n), sentence, r.now),
		)
	}
	for _, body := range posts {
		r.now = r.now.Add(time.Second)
		entries, err := r.entries(ctx, body)
		if err != nil {
			return err
		}
		if err := r.handle(ctx, entries); err != nil {
			return err
		}
	}
	return nil
}

// updates is how often a type is measured, each time anew; the median counts.
const updates = 25

// types prints what the router does for an update of each type, and for a command.
func (b *bench) types() error {
	defer debug.SetGCPercent(debug.SetGCPercent(1000)) // measures the router, not when the collector comes along
	title("Router, by type of update", fmt.Sprintf("An update of a customer who is known, after another of its type. Its own processor time is the median of %d, and", updates),
		"counts what the table in memory needs; on AWS, the SDK's work for each call comes on top. Units as above.")
	var rows [][]string
	for _, u := range updateTypes {
		row, err := measured(b.ctx, u.name, func(r *routed, n int) ([]queue.Message, error) { return r.entries(b.ctx, u.post(n, r.now)) })
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	for _, c := range commands {
		row, err := measured(b.ctx, "command: "+c.name, func(r *routed, n int) ([]queue.Message, error) {
			command, err := c.make(b.ctx, r, n)
			command.Command, command.At, command.ID = c.name, r.now, fmt.Sprint("request ", n)
			return []queue.Message{{Body: command.Body(), Receives: 1}}, err
		})
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	table([]string{"update", "time", "allocations", "bytes", "DynamoDB", "write units", "read units", "SQS", "bus", "S3", "AWS calls"}, rows)
	return nil
}

// measured is the row of something that comes as the entries that next returns.
func measured(ctx context.Context, name string, next func(r *routed, n int) ([]queue.Message, error)) ([]string, error) {
	asked, err := once(ctx, next, (*routed).count)
	if asked.raw > 0 && name != conclusion {
		err = errors.New("the router didn't understand it")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var own []effort
	for range updates {
		e, err := once(ctx, next, (*routed).clock)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		own = append(own, e)
	}
	slices.SortFunc(own, func(a, b effort) int { return int(a.time - b.time) })
	median := own[len(own)/2]
	return []string{name, fmt.Sprintf("%d µs", median.time.Microseconds()), fmt.Sprint(median.allocations), fmt.Sprint(median.bytes),
		count(float64(asked.table.Calls)), count(asked.table.Writes), count(asked.table.Reads),
		count(float64(asked.sqs)), count(float64(asked.bus)), count(float64(asked.s3)),
		count(float64(asked.table.Calls + asked.sqs + asked.bus + asked.s3))}, nil
}

// once measures the second of two in a fresh router.
func once(ctx context.Context, next func(*routed, int) ([]queue.Message, error),
	measure func(*routed, context.Context, []queue.Message) (effort, error)) (e effort, err error) {
	r := newRouted()
	if err := r.before(ctx); err != nil {
		return e, err
	}
	for n := range 2 {
		r.now = r.now.Add(time.Minute)
		entries, err := next(r, n)
		if err != nil {
			return e, err
		}
		if e, err = measure(r, ctx, entries); err != nil {
			return e, err
		}
	}
	e.raw = r.counts.Of(metric.RawUpdate)
	return e, nil
}

// commands are what people ask of the router; make says whom or what a command is about.
var commands = []struct {
	name string
	make func(ctx context.Context, r *routed, n int) (route.Command, error)
}{
	{route.Merge, func(ctx context.Context, r *routed, n int) (route.Command, error) { return r.pair(ctx, n) }},
	{route.Unmerge, func(ctx context.Context, r *routed, n int) (route.Command, error) {
		c, err := r.pair(ctx, n)
		if err == nil {
			_, err = r.store.Join(ctx, c.Contact, c.With, chat.Stamp{At: r.now.Add(-time.Second), ID: fmt.Sprint("join ", n)})
		}
		return route.Command{Contact: c.With}, err // who was joined is the later one
	}},
	{route.Refetch, func(ctx context.Context, r *routed, n int) (route.Command, error) {
		m, err := r.store.Lookup(ctx, chat.MessageID(fmt.Sprint("wamid.file.", n)))
		if err != nil {
			return route.Command{}, err
		}
		m, err = r.store.Change(ctx, m.Conversation, m.At, m.ID, func(m *chat.Message) error {
			m.Attachment = &chat.Attachment{State: chat.FileFailed, MediaID: "9002", MIME: "image/jpeg"}
			return nil
		})
		return route.Command{Conversation: m.Conversation, Message: store.SortKey(m)}, err
	}},
}

// pair are the customer and somebody else who has written.
func (r *routed) pair(ctx context.Context, n int) (c route.Command, err error) {
	var both [2]chat.ContactID
	for i, phone := range []string{customer, other(n)} {
		found, err := r.store.FindContacts(ctx, phone, nil)
		if err != nil || len(found) != 1 {
			return c, fmt.Errorf("%d contacts of one phone (%w)", len(found), err)
		}
		both[i] = found[0].ID
	}
	return route.Command{Contact: both[0], With: both[1]}, nil
}

func other(n int) string { return fmt.Sprint("3460033344", n) }
