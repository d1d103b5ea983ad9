package odoo_test

import (
	"testing"

	sim "threadline/infra/local/odoo"
	"threadline/shared/crm"
)

// TestMentioned proves that a message which we see because it mentions us, on a contact that we may not see, holds up
// nothing, and that one whose date was emptied doesn't either.
func TestMentioned(t *testing.T) {
	for _, v := range []int{17, 19} {
		a, c, on := acquainted(t, sim.Options{Version: v})
		elsewhere, _ := a.AddContact("Another company's", "+34 911 22 33 44")
		_, cursor := fetch(t, c, "")
		must[int](t)(0, a.sim.Write(elsewhere, "@Threadline not for you"))
		must[int](t)(0, a.sim.Write(string(on), "hello"))
		done := false
		a.call("mail.message", "write", []any{[]int64{a.only(crm.ContactRef(elsewhere)).ID}, map[string]any{
			"partner_ids": []any{[]int64{4, a.partnerOf("Threadline")}},
		}}, nil, &done)
		a.call("mail.message", "write", []any{[]int64{a.only(on).ID}, map[string]any{"date": false}}, nil, &done)
		must[int](t)(0, a.sim.Hide(elsewhere))
		requests, _ := fetch(t, c, cursor)
		if len(requests) != 1 || requests[0].Contact != on || !requests[0].At.Equal(a.clock.Now()) {
			t.Errorf("%s: requests %+v, want the one on the contact that we see", version(v), requests)
		}
	}
}

func (a *account) partnerOf(name string) int64 {
	a.t.Helper()
	var ids []int64
	a.call("res.partner", "search", []any{[]any{[]any{"name", "=", name}}}, nil, &ids)
	if len(ids) != 1 {
		a.t.Fatalf("%d partners called %s", len(ids), name)
	}
	return ids[0]
}

// TestOnlyWhatUsersSend proves that nothing is sent which nobody sent from the chatter: an e-mail that came in, the
// customer's or a colleague's, what Odoo mails by itself, a note, what a customer with a login wrote, an e-mail that is
// answered, and a message that is passed on to somebody else.
func TestOnlyWhatUsersSend(t *testing.T) {
	for _, v := range []int{17, 18, 19} {
		a, c, on := acquainted(t, sim.Options{Version: v})
		_, cursor := fetch(t, c, "")
		customer, colleague := a.id(string(on)), a.partnerOf("Sales")
		subtypes := map[string]int64{}
		for _, name := range []string{"Discussions", "Note"} {
			var ids []int64
			a.call("mail.message.subtype", "search", []any{[]any{[]any{"name", "=", name}}}, nil, &ids)
			subtypes[name] = ids[0]
		}
		body := "<p>x</p>"
		write := func(author int64, kind, subtype string, internal bool) {
			var id int64
			a.call("mail.message", "create", []any{map[string]any{
				"model": "res.partner", "res_id": customer, "body": body, "author_id": author,
				"message_type": kind, "subtype_id": subtypes[subtype], "is_internal": internal,
			}}, nil, &id)
		}
		for _, kind := range []string{"email", "email_outgoing", "notification", "auto_comment", "user_notification"} {
			write(customer, kind, "Discussions", false)
			write(colleague, kind, "Discussions", false)
		}
		write(customer, "comment", "Discussions", false)
		write(colleague, "comment", "Note", false)
		write(colleague, "comment", "Discussions", true)
		for _, body = range []string{
			`<p>Fine.</p><div class="o_mail_reply_container"><div class="o_mail_reply_content"><blockquote>hello</blockquote></div></div>`,
			`<div><span>---------- Forwarded message ----------</span><br>Date: today<br>From: María<br>Subject: María</div><p>hello</p>`,
		} {
			write(colleague, "comment", "Discussions", false)
		}
		if requests, _ := fetch(t, c, cursor); len(requests) != 0 {
			t.Errorf("%s: %d requests, want none", version(v), len(requests))
		}
		body = "<p>x</p>"
		write(colleague, "comment", "Discussions", false)
		if requests, _ := fetch(t, c, cursor); len(requests) != 1 {
			t.Errorf("%s: %d requests, want what the colleague sent", version(v), len(requests))
		}
	}
}
