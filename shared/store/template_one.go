package store

import (
	"context"
	"time"

	"threadline/shared/chat"
)

// Template returns one template of an account, and of the list that it is from how good that is where this one is
// concerned: its Templates are left out. found is false for one that isn't on the list. It makes one call, however many
// templates there are.
func (s *Store) Template(ctx context.Context, waba, name, language string) (t Template, list TemplateList, found bool, err error) {
	list.WABA = waba
	k := templateKey(waba, name, language)
	items, err := s.get(ctx, templatesKey(waba), k)
	if err != nil {
		return t, list, false, err
	}
	known, err := read[templateList](items, templatesKey(waba))
	if err != nil {
		return t, list, false, err
	}
	list.Fetched, list.Expired = known.val.Fetched, known.val.Expired
	one, err := read[templateItem](items, k)
	if err != nil {
		return t, list, false, err
	}
	if one.rev == 0 || one.val.Gone {
		return t, list, false, nil
	}
	if one.val.Fetched.After(list.Fetched) {
		list.Fetched = one.val.Fetched
	}
	return one.val.Template, list, true, nil
}

// PutTemplate keeps one template as Meta had it when it was asked for that alone, with what was said of it. What is known
// from a later question stays.
func (s *Store) PutTemplate(ctx context.Context, waba string, fetched time.Time, t Template) error {
	k := templateKey(waba, t.Name, t.Language)
	return s.contend(ctx, func() error {
		items, err := s.get(ctx, templatesKey(waba), k)
		if err != nil {
			return err
		}
		list, err := read[templateList](items, templatesKey(waba))
		if err != nil {
			return err
		}
		d, err := read[templateItem](items, k)
		if err != nil || !fetched.After(list.val.Begun) || !fetched.After(d.val.Fetched) {
			return err
		}
		t.Said = d.val.Said
		o, err := doc[templateItem]{key: k, rev: d.rev, val: templateItem{Template: t, Fetched: fetched.UTC()}}.put()
		if err != nil {
			return err
		}
		return s.write(ctx, o)
	})
}

// AccountOf returns the account (WABA) that a number belongs to, empty if no update has named it yet.
func (s *Store) AccountOf(ctx context.Context, n chat.NumberID) (waba string, err error) {
	items, err := s.get(ctx, numberKey(n))
	if err != nil {
		return "", err
	}
	d, err := read[numberItem](items, numberKey(n))
	return d.val.number().WABA, err
}
