package odoo

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"threadline/shared/crm"
)

// pageSize is how many messages are read at a time.
const pageSize = 100

// sentByUsers is what a message from a chatter looks like, which has no mark: a comment that isn't internal, by somebody
// who has a user.
var sentByUsers = []any{
	[]any{"model", "=", partnerModel}, []any{"message_type", "=", "comment"},
	[]any{"subtype_id.internal", "=", false}, []any{"is_internal", "=", false}, []any{"author_id.partner_share", "=", false},
}

// settled is how old a message is when none with a lower id can still appear. Odoo numbers messages when they are written
// and shows them when their transaction ends, so that the younger ones are read again.
const settled = 2 * time.Minute

// posted is a message as it is read.
type posted struct {
	ID        int64  `json:"id"`
	Contact   int64  `json:"res_id"`
	Body      any    `json:"body"`      // false if it is empty
	Author    any    `json:"author_id"` // [id, name]
	Date      any    `json:"date"`      // false if somebody emptied it
	Created   string `json:"create_date"`
	MessageID any    `json:"message_id"`

	Attachments []int64 `json:"attachment_ids"`
}

// FetchOutbound returns what users sent from contacts' chatters. A message without words or files was deleted there.
func (c *Connector) FetchOutbound(ctx context.Context, since string) ([]crm.Request, string, error) {
	if since == "" {
		last, err := c.lastMessage(ctx)
		return nil, last, err
	}
	after, err := strconv.ParseInt(since, 10, 64)
	if err != nil {
		return nil, since, &crm.Error{Class: crm.Refused, Op: "fetch messages", Reason: "BAD_CURSOR"}
	}
	messages, err := c.messagesAfter(ctx, after)
	if err != nil {
		return nil, since, err
	}
	for _, m := range messages {
		if created, err := time.Parse(clockFormat, m.Created); err == nil && c.config.Now().Sub(created) < settled {
			break
		}
		after = m.ID
	}
	messages = slices.DeleteFunc(messages, func(m posted) bool { return m.ours() || quotes(m.html()) })
	numbers, err := c.numbers(ctx, messages)
	if err != nil {
		return nil, since, err
	}
	messages = slices.DeleteFunc(messages, func(m posted) bool { _, seen := numbers[m.Contact]; return !seen })
	files, err := c.attached(ctx, messages)
	if err != nil {
		return nil, since, err
	}
	var requests []crm.Request
	for _, m := range messages {
		if r := m.request(numbers[m.Contact], files); r.Text != "" || r.Files != nil {
			requests = append(requests, r)
		}
	}
	return requests, strconv.FormatInt(after, 10), nil
}

// lastMessage returns the id of the latest message; 0 if there is none. It has to look further where the latest are some
// that we may not see.
func (c *Connector) lastMessage(ctx context.Context) (string, error) {
	for _, limit := range []int{1, 1000, 0} {
		newest, err := c.search(ctx, "find newest message", sentByUsers, "id desc", limit)
		if err != nil {
			return "", err
		}
		if len(newest) > 0 {
			return strconv.FormatInt(newest[0], 10), nil
		}
	}
	return "0", nil
}

// messagesAfter looks for ids first, and for all of them: what we may not see Odoo leaves out after it has counted to a
// limit, so that an empty page isn't the last.
// https://github.com/odoo/odoo/blob/19.0/addons/mail/models/mail_message.py _search
func (c *Connector) messagesAfter(ctx context.Context, id int64) ([]posted, error) {
	ids, err := c.search(ctx, "look for messages", append([]any{[]any{"id", ">", id}}, sentByUsers...), "id asc", 0)
	if err != nil {
		return nil, err
	}
	var messages []posted
	for page := range slices.Chunk(ids, pageSize) {
		var list []posted
		err := c.do(ctx, call{op: "fetch messages", model: messageModel, method: "read", ids: page, args: map[string]any{
			"fields": []string{"res_id", "body", "author_id", "date", "create_date", "message_id", "attachment_ids"},
		}}, &list)
		if err != nil {
			return nil, err
		}
		messages = append(messages, list...)
	}
	return messages, nil
}

// search returns the ids of messages; limit 0: of all.
func (c *Connector) search(ctx context.Context, op string, domain []any, order string, limit int) (ids []int64, err error) {
	args := map[string]any{"domain": domain, "order": order}
	if limit > 0 {
		args["limit"] = limit
	}
	err = c.do(ctx, call{op: op, model: messageModel, method: "search", args: args}, &ids)
	return ids, err
}

// ours tells whether we wrote it.
func (m posted) ours() bool {
	id, _ := m.MessageID.(string)
	return strings.HasSuffix(id, ourDomain)
}

func (m posted) html() string { body, _ := m.Body.(string); return body }

func (m posted) request(phone string, files map[int64]crm.RequestFile) crm.Request {
	r := crm.Request{
		ID: strconv.FormatInt(m.ID, 10), Contact: refOf[crm.ContactRef](m.Contact), Phone: phone,
		Entry: crm.EntryRef(chatterRef + strconv.FormatInt(m.ID, 10)),
	}
	r.Text = plainText(remark.ReplaceAllString(m.html(), "")) // one that is returned again may have our line below
	for _, id := range m.Attachments {
		if f, ok := files[id]; ok {
			r.Files = append(r.Files, f)
		}
	}
	if author, ok := m.Author.([]any); ok && len(author) == 2 {
		r.Actor, _ = author[1].(string)
	}
	date, _ := m.Date.(string)
	r.At, _ = time.Parse(clockFormat, cmp.Or(date, m.Created))
	return r
}

// numbers returns the telephone number of each contact that was written to, the mobile if there are two. A contact that we
// may not see isn't among them: somebody who mentions us shows us a message there, and to read the contact would be an error
// for all.
func (c *Connector) numbers(ctx context.Context, messages []posted) (map[int64]string, error) {
	if len(messages) == 0 {
		return nil, nil
	}
	there, err := c.fields(ctx)
	if err != nil {
		return nil, err
	}
	want := []string{"phone"}
	if there["mobile"] {
		want = append(want, "mobile")
	}
	var ids []int64
	for _, m := range messages {
		if !slices.Contains(ids, m.Contact) {
			ids = append(ids, m.Contact)
		}
	}
	var found []map[string]any
	err = c.do(ctx, call{
		op: "read numbers", model: partnerModel, method: "search_read",
		args:    map[string]any{"domain": []any{[]any{"id", "in", ids}}, "fields": want},
		context: map[string]any{"active_test": false}, // archived ones too
	}, &found)
	if err != nil {
		return nil, err
	}
	numbers := map[int64]string{}
	for _, r := range found {
		id, _ := r["id"].(float64)
		mobile, _ := r["mobile"].(string)
		phone, _ := r["phone"].(string)
		numbers[int64(id)] = cmp.Or(mobile, phone)
	}
	return numbers, nil
}
