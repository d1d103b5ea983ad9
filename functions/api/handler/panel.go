package handler

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"

	"threadline/shared/chat"
	"threadline/shared/crm"
	"threadline/shared/redact"
	"threadline/shared/route"
)

// A conversation as a page beside its record in the CRM: GET /crm/<connector>/panel. It is read and nothing else.

// panelMessages is how many messages the page shows: the last ones.
const panelMessages = 50

func (a *API) showPanel(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("connector")
	in := a.Panels[name]
	if in == nil {
		return chat.E(chat.NotFound, "no CRM of that name shows conversations", nil)
	}
	p, images, err := a.panel(r.Context(), name, in, r.URL.Query())
	status := http.StatusOK
	if err != nil {
		slog.WarnContext(r.Context(), "didn't show a conversation in the CRM", "connector", name, "error", redact.Error(err))
		status, p, err = unshown(err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	return errors.Join(err, p.write(w, status, in.Frame(), images))
}

// unshown says what is shown in place of a conversation, without a word of what was wrong.
func unshown(err error) (int, panel, error) {
	if errors.Is(err, crm.ErrForged) {
		p := panel{Say: "This view opens inside the CRM only, and not for long: reload the record there."}
		return http.StatusUnauthorized, p, chat.E(chat.Unauthorized, "the address isn't signed, or too old", err)
	}
	p := panel{Say: "The conversation can't be shown at the moment. Reload the record in a minute."}
	return http.StatusServiceUnavailable, p, chat.E(chat.Unavailable, "the conversation can't be shown now", err)
}

// panel reads what an address asks for. images is where the links of images lead, if there are any.
func (a *API) panel(ctx context.Context, name string, in crm.Paneler, query url.Values) (p panel, images string, err error) {
	ref, err := in.Panel(ctx, query, a.now())
	if err != nil {
		return panel{}, "", err
	}
	if ref == "" {
		return panel{Say: "A conversation is shown beside the person whom it is with."}, "", nil
	}
	owner, err := a.Store.Owner(ctx, name, string(ref))
	if err != nil {
		return panel{}, "", err
	}
	if owner == "" {
		return panel{Say: "There is no WhatsApp conversation with this person yet."}, "", nil
	}
	who, err := a.Store.Contact(ctx, owner)
	if err != nil {
		return panel{}, "", err
	}
	messages, older, err := a.newest(ctx, who)
	if err != nil {
		return panel{}, "", err
	}
	if len(messages) == 0 {
		return panel{Say: "There are no messages to show."}, "", nil
	}
	views, err := a.viewMessages(ctx, messages...)
	if err != nil {
		return panel{}, "", err
	}
	p.Older = older
	for i, v := range views {
		line := viewLine(v, who)
		if line.Image != nil && images == "" {
			if images, err = a.imageOrigin(ctx, *messages[i].Attachment); err != nil {
				return panel{}, "", err
			}
		}
		p.Lines = append(p.Lines, line)
	}
	return p, images, nil
}

// newest are the last messages with a person that are on the record, over all of the company's numbers, and whether there
// are older ones.
func (a *API) newest(ctx context.Context, who chat.Contact) (all []chat.Message, older bool, err error) {
	conversations, err := a.Store.ConversationsOf(ctx, who)
	if err != nil {
		return nil, false, err
	}
	read := map[chat.NumberID]bool{}
	for _, c := range conversations {
		number := c.ID.Number()
		if _, direct := c.ID.Contact(); !direct || read[number] {
			continue
		}
		read[number] = true
		page, next, err := a.Store.Messages(ctx, chat.Direct(number, who.ID), "", maxPage)
		if err != nil {
			return nil, false, err
		}
		all, older = append(all, page...), older || next != ""
	}
	all = slices.DeleteFunc(all, func(m chat.Message) bool { return !route.OnRecord(m) })
	slices.SortStableFunc(all, func(a, b chat.Message) int { return a.At.Compare(b.At) })
	if len(all) > panelMessages {
		all, older = all[len(all)-panelMessages:], true
	}
	return all, older, nil
}

// imageOrigin is the scheme and host to which the link of a file leads.
func (a *API) imageOrigin(ctx context.Context, f chat.Attachment) (string, error) {
	address, err := a.Links.Link(ctx, f.Key, showing(f))
	if err != nil {
		return "", unsigned(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", unsigned(err)
	}
	return u.Scheme + "://" + u.Host, nil
}
