package store

import (
	"context"

	"threadline/shared/chat"
)

// Quotes returns the messages to which the given ones refer, by the provider ids under which they do. What is missing
// we don't have: it may be older than we are, or from another app on the same number. It makes two calls, or none.
func (s *Store) Quotes(ctx context.Context, ms ...chat.Message) (map[string]chat.Message, error) {
	names := map[key]string{}
	var keys []key
	for _, m := range ms {
		if k := providerKey(m.Conversation.Number(), m.ReplyTo); m.ReplyTo != "" && names[k] == "" {
			names[k], keys = m.ReplyTo, append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	refs, err := s.get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	named := map[key]string{}
	var places []key
	for _, k := range keys {
		r, err := read[ref](refs, k)
		if err != nil {
			return nil, err
		}
		if r.rev > 0 {
			named[r.val.key()], places = names[k], append(places, r.val.key())
		}
	}
	items, err := s.get(ctx, places...)
	if err != nil {
		return nil, err
	}
	out := map[string]chat.Message{}
	for k, it := range items {
		d, err := decode[chat.Message](k, it)
		if err != nil {
			return nil, err
		}
		out[named[k]] = d.val
	}
	return out, nil
}
