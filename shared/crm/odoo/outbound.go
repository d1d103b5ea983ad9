package odoo

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"threadline/shared/crm"
)

// pageSize is how many messages are read at a time.
const pageSize = 100

// settled is how old a message is when none with a lower id can still appear. Odoo numbers messages when they are written
// and shows them when their transaction ends, so that the younger ones are read again.
const settled = 2 * time.Minute

// posted is a message as it is read.
type posted struct {
	ID        int64  `json:"id"`
	Contact   int64  `json:"res_id"`
	Body      any    `json:"body"`      // false if it is empty
	Author    any    `json:"author_id"` // [id, name]
	Date      string `json:"date"`
	Created   string `json:"create_date"`
	MessageID any    `json:"message_id"`

	Attachments []int64 `json:"attachment_ids"`
}

// FetchOutbound returns what users sent from contacts' chatters, which has no mark but what it is: a comment that isn't
// internal, by somebody who has a user, and not ours. One without words or files was deleted in the chatter.
func (c *Connector) FetchOutbound(ctx context.Context, since string) ([]crm.Request, string, error) {
	if since == "" {
		last, err := c.lastMessage(ctx)
		return nil, last, err
	}
	after, err := strconv.ParseInt(since, 10, 64)
	if err != nil {
		return nil, since, &crm.Error{Class: crm.Refused, Op: "fetch messages", Reason: "BAD_CURSOR"}
	}
	var messages []posted
	for next := after; ; {
		list, err := c.messagesAfter(ctx, next)
		if err != nil {
			return nil, since, err
		}
		messages = append(messages, list...)
		if len(list) < pageSize {
			break
		}
		next = list[len(list)-1].ID
	}
	for _, m := range messages {
		if created, err := time.Parse(clockFormat, m.Created); err == nil && c.config.Now().Sub(created) < settled {
			break
		}
		after = m.ID
	}
	messages = slices.DeleteFunc(messages, posted.ours)
	numbers, err := c.numbers(ctx, messages)
	if err != nil {
		return nil, since, err
	}
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

func (c *Connector) lastMessage(ctx context.Context) (string, error) {
	var newest []posted
	err := c.do(ctx, call{op: "find newest message", model: messageModel, method: "search_read", args: map[string]any{
		"domain": []any{}, "fields": []string{"id"}, "limit": 1, "order": "id desc",
	}}, &newest)
	if err != nil {
		return "", err
	}
	if len(newest) == 0 {
		return "0", nil
	}
	return strconv.FormatInt(newest[0].ID, 10), nil
}

func (c *Connector) messagesAfter(ctx context.Context, id int64) (list []posted, err error) {
	err = c.do(ctx, call{op: "fetch messages", model: messageModel, method: "search_read", args: map[string]any{
		"domain": []any{
			[]any{"id", ">", id}, []any{"model", "=", partnerModel}, []any{"message_type", "=", "comment"},
			[]any{"subtype_id.internal", "=", false}, []any{"is_internal", "=", false}, []any{"author_id.partner_share", "=", false},
		},
		"fields": []string{"res_id", "body", "author_id", "date", "create_date", "message_id", "attachment_ids"},
		"limit":  pageSize, "order": "id asc",
	}}, &list)
	return list, err
}

// ours tells whether we wrote it.
func (m posted) ours() bool {
	id, _ := m.MessageID.(string)
	return strings.HasSuffix(id, ourDomain)
}

func (m posted) request(phone string, files map[int64]crm.RequestFile) crm.Request {
	r := crm.Request{
		ID: strconv.FormatInt(m.ID, 10), Contact: refOf[crm.ContactRef](m.Contact), Phone: phone,
		Entry: crm.EntryRef(chatterRef + strconv.FormatInt(m.ID, 10)),
	}
	if body, ok := m.Body.(string); ok {
		r.Text = plainText(remark.ReplaceAllString(body, "")) // one that is returned again may have our line below
	}
	for _, id := range m.Attachments {
		if f, ok := files[id]; ok {
			r.Files = append(r.Files, f)
		}
	}
	if author, ok := m.Author.([]any); ok && len(author) == 2 {
		r.Actor, _ = author[1].(string)
	}
	r.At, _ = time.Parse(clockFormat, m.Date)
	return r
}

// numbers returns the telephone number of each contact that was written to, the mobile if there are two.
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
		want = []string{"mobile", "phone"}
	}
	var ids []int64
	for _, m := range messages {
		if !slices.Contains(ids, m.Contact) {
			ids = append(ids, m.Contact)
		}
	}
	var found []map[string]any
	if err := c.do(ctx, call{op: "read numbers", model: partnerModel, method: "read", ids: ids, args: map[string]any{"fields": want}}, &found); err != nil {
		return nil, err
	}
	numbers := map[int64]string{}
	for _, r := range found {
		id, _ := r["id"].(float64)
		for _, name := range want {
			if number, _ := r[name].(string); number != "" && numbers[int64(id)] == "" {
				numbers[int64(id)] = number
			}
		}
	}
	return numbers, nil
}
