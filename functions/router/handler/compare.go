package handler

import (
	"context"
	"strconv"
	"time"

	"threadline/shared/chat"
	"threadline/shared/route"
	"threadline/shared/store"
)

// comparing is the comparison of one conversation.
type comparing struct {
	*walk
	m         store.Marked
	known     map[string]store.Finding
	at        *store.Within // how far it is
	importing *bool         // a job brings what was imported; nil: it isn't known yet
}

// run compares page by page. done is false if there is more than one run compares.
func (c *comparing) run(ctx context.Context) (done bool, err error) {
	for c.read < mostRead && c.sent < mostSent {
		page, err := c.h.Store.Following(ctx, c.m.Conversation, c.at.After, pageRead)
		if err != nil {
			return false, err
		}
		c.read += max(1, len(page))
		var came []chat.Message
		over := len(page) < pageRead
		c.at.After = max(c.at.After, store.Through(page))
		for _, m := range page {
			if !c.m.Ahead && !m.At.Before(c.m.Until()) {
				over = true
				break
			}
			if m.Arrival >= c.m.First { // an earlier one is an earlier hour's
				came = append(came, m)
			}
		}
		for _, connector := range c.h.Connectors {
			if err := c.compare(ctx, connector, came); err != nil {
				return false, err
			}
		}
		if over {
			return true, nil
		}
	}
	return false, nil
}

// compare counts how messages stand in a CRM, and asks for those that lack.
func (c *comparing) compare(ctx context.Context, connector string, page []chat.Message) error {
	var due []chat.Message
	var ids []chat.MessageID
	for _, m := range page {
		if route.For(m, connector) {
			due, ids = append(due, m), append(ids, m.ID)
		}
	}
	entries, err := c.h.Store.Entries(ctx, c.m.Conversation, connector, ids)
	if err != nil {
		return err
	}
	t := c.at.Tallies[connector]
	for _, m := range due {
		e := entries[m.ID]
		stands, err := c.stands(ctx, connector, m, e)
		if err != nil {
			return err
		}
		switch stands {
		case store.Complete:
			t.Synced++
		case store.Waiting:
			t.Waiting++
		case store.Refused:
			t.Refused, t.Reason = t.Refused+1, e.Reason
		case store.Missing:
			asked, err := c.ask(ctx, connector, m)
			if err != nil {
				return err
			}
			t.Missing, t.Asked = t.Missing+1, t.Asked || asked
		default:
			continue // it never belongs there
		}
		t.Stored++
	}
	c.at.Tallies[connector] = t
	return nil
}

// stands tells how a message stands, given what is known of its entry.
func (c *comparing) stands(ctx context.Context, connector string, m chat.Message, e store.Entry) (store.Verdict, error) {
	if !route.OnRecord(m) {
		if m.Direction == chat.Out && m.Status != chat.Failed {
			return store.Waiting, nil // for Meta
		}
		return "", nil
	}
	if e.Reason != "" {
		return store.Refused, nil
	}
	if e.Lacks(m) {
		waits, err := c.waits(ctx, connector, m)
		if err != nil || waits {
			return store.Waiting, err
		}
		return store.Missing, nil
	}
	if m.Attachment != nil && m.Attachment.State == chat.Pending {
		return store.Waiting, nil // its file is arriving
	}
	return store.Complete, nil
}

// waits tells whether a message that lacks will come by itself: the CRM is down, and its entry is in the queue; the sender
// may try it again, and puts it there then; or an import's job brings it, which isn't done.
func (c *comparing) waits(ctx context.Context, connector string, m chat.Message) (bool, error) {
	if m.Status == chat.Unknown && m.Send != nil && c.h.now().Before(m.Send.Expires) {
		return true, nil
	}
	if shut, err := c.isShut(ctx, connector); shut || err != nil || !m.Imported {
		return shut, err
	}
	if c.importing == nil {
		job, err := c.h.Store.Job(ctx, c.m.Conversation, store.ImportJob)
		if err != nil {
			return false, err
		}
		busy := job.ID != "" && !job.Done
		c.importing = &busy
	}
	return *c.importing, nil
}

// ask has a message brought to a CRM once more, unless that was asked not long ago in this comparison.
func (c *comparing) ask(ctx context.Context, connector string, m chat.Message) (asked bool, err error) {
	f := c.known[connector]
	if c.state.Look > 0 && !f.Due(c.h.now(), firstWait) {
		return false, nil
	}
	cause := route.Turn(c.j.Hour.UTC().Format(time.RFC3339) + " " + c.j.ID + " " + strconv.Itoa(f.Attempts+1))
	if err := c.h.send(ctx, m, chat.Effect{Kind: chat.EffectCRM, Target: connector}, cause); err != nil {
		return false, err
	}
	c.sent++
	return true, nil
}
