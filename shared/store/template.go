package store

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"threadline/shared/chat"
)

// Template is a message template as Meta lists it.
type Template struct {
	Name       string          `json:"name"`
	Language   string          `json:"language"`
	ID         string          `json:"id,omitempty"`
	Category   string          `json:"category,omitempty"`
	Status     string          `json:"status,omitempty"`
	Quality    string          `json:"quality,omitempty"`
	Format     string          `json:"format,omitempty"` // of its parameters: NAMED or POSITIONAL
	Components json.RawMessage `json:"components,omitempty"`
	// Said is the newest word of a webhook on it, which the list hasn't.
	Said *TemplateWord `json:"said,omitempty"`
}

// TemplateWord is what a webhook says of a template, in Meta's words.
type TemplateWord struct {
	Event string     `json:"event"` // such as "REJECTED"; the webhook field where Meta has no word
	Why   string     `json:"why,omitempty"`
	Stamp chat.Stamp `json:"stamp"`
}

// equal tells whether nothing in the list has changed about the template.
func (t Template) equal(u Template) bool {
	type words [7]string
	return words{t.Name, t.Language, t.ID, t.Category, t.Status, t.Quality, t.Format} ==
		words{u.Name, u.Language, u.ID, u.Category, u.Status, u.Quality, u.Format} && bytes.Equal(t.Components, u.Components)
}

// TemplateList is the templates of an account. Each is as Meta had it at Fetched or later.
type TemplateList struct {
	WABA      string
	Fetched   time.Time  // when Meta was asked; zero: never, or not to the end
	Expired   time.Time  // when Meta last said that a template had changed, in whole seconds
	Templates []Template // by name and language
}

// Stale tells whether Meta is to be asked again: nobody has asked yet, or something may have changed since.
func (l TemplateList) Stale() bool {
	return l.Fetched.IsZero() || l.Fetched.Before(l.Expired.Add(time.Second))
}

// templateList is the item that says how good the list is.
type templateList struct {
	Fetched time.Time `json:"fetched"`
	Expired time.Time `json:"expired"`
	// Begun is the latest fetch that is being written. Each write of it rests on this item, so that an older one can't
	// undo it, and leaves Fetched alone until the last one: who dies in between leaves the promise of the one before.
	Begun time.Time `json:"begun"`
}

// templateItem is one template. One that Meta doesn't list any more, or not yet, is gone, and is forgotten after a while.
type templateItem struct {
	Template
	Gone bool `json:"gone,omitempty"`
	// Fetched is when Meta was last asked for this one alone.
	Fetched time.Time `json:"fetched,omitzero"`
}

// goneFor is how long a template that is gone is kept for whoever looks at the table.
const goneFor = 30 * 24 * time.Hour

// templates is what the table holds of an account's templates.
type templates struct {
	list  doc[templateList]
	items map[key]doc[templateItem]
	order []key
}

func (s *Store) templates(ctx context.Context, waba string) (templates, error) {
	out := templates{list: doc[templateList]{key: templatesKey(waba)}, items: map[key]doc[templateItem]{}}
	items, err := s.query(ctx, prefix("ACCOUNT#"+waba, "TEMPLATE"))
	if err != nil {
		return out, err
	}
	for _, it := range items {
		k := keyOf(it)
		if k == out.list.key {
			out.list, err = decode[templateList](k, it)
		} else {
			out.items[k], err = decode[templateItem](k, it)
			out.order = append(out.order, k)
		}
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// Templates returns an account's templates.
func (s *Store) Templates(ctx context.Context, waba string) (TemplateList, error) {
	known, err := s.templates(ctx, waba)
	if err != nil {
		return TemplateList{}, err
	}
	l := TemplateList{WABA: waba, Fetched: known.list.val.Fetched, Expired: known.list.val.Expired}
	for _, k := range known.order {
		if t := known.items[k].val; !t.Gone {
			l.Templates = append(l.Templates, t.Template)
		}
	}
	return l, nil
}

// PutTemplates replaces the list by all templates that Meta had when it was asked, and adds to each what was said of it.
// A list that was asked for earlier than what is known changes nothing.
func (s *Store) PutTemplates(ctx context.Context, waba string, fetched time.Time, all []Template) error {
	return s.contend(ctx, func() error {
		known, err := s.templates(ctx, waba)
		if err != nil {
			return err
		}
		for i, t := range all {
			all[i].Said = known.items[templateKey(waba, t.Name, t.Language)].val.Said
		}
		list := known.list
		if list.val.Begun.After(fetched) || list.val.Fetched.Equal(fetched) {
			return nil
		}
		ops, err := s.replace(waba, known.items, all, fetched)
		if err != nil {
			return err
		}
		batches := inBatches(ops)
		for i, batch := range batches {
			if list.val.Begun = fetched; i == len(batches)-1 {
				list.val.Fetched = fetched
			}
			o, err := list.put()
			if err != nil {
				return err
			}
			if err := s.write(ctx, append(batch, o)...); err != nil {
				return err
			}
			list.rev++
		}
		return nil
	})
}

// replace plans the writes that make all of what is known, but for what Meta was asked about later than for all.
func (s *Store) replace(waba string, known map[key]doc[templateItem], all []Template, fetched time.Time) ([]op, error) {
	changed := map[key]doc[templateItem]{}
	for k, d := range known {
		if !d.val.Gone && !d.val.Fetched.After(fetched) {
			d.val.Gone, d.ttl = true, s.now().Add(goneFor)
			changed[k] = d
		}
	}
	for _, t := range all {
		k := templateKey(waba, t.Name, t.Language)
		delete(changed, k)
		if d := known[k]; d.val.Fetched.After(fetched) {
			continue
		} else if d.rev == 0 || d.val.Gone || !d.val.equal(t) {
			changed[k] = doc[templateItem]{key: k, rev: d.rev, val: templateItem{Template: t}}
		}
	}
	var ops []op
	for _, d := range changed {
		o, err := d.put()
		if err != nil {
			return nil, err
		}
		ops = append(ops, o)
	}
	return ops, nil
}

// The limits of a transaction, which also holds the list itself.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxBatch      = 99
	maxBatchBytes = 4<<20 - maxItem
)

// inBatches divides writes into transactions: at least one, if only to say that there was nothing to write.
func inBatches(ops []op) [][]op {
	batches := [][]op{nil}
	bytes := 0
	for _, o := range ops {
		last := len(batches) - 1
		if n := size(o.item); len(batches[last]) < maxBatch && bytes+n <= maxBatchBytes {
			batches[last], bytes = append(batches[last], o), bytes+n
		} else {
			batches, bytes = append(batches, []op{o}), n
		}
	}
	return batches
}

// TemplateSaid keeps the word of a webhook on a template, if it is the newest. The template needn't be on the list.
func (s *Store) TemplateSaid(ctx context.Context, waba, name, language string, word TemplateWord) error {
	_, err := edit(ctx, s, templateKey(waba, name, language), func(d *doc[templateItem]) (bool, error) {
		if d.val.Said != nil && !word.Stamp.Newer(d.val.Said.Stamp) {
			return false, nil
		}
		if d.rev == 0 {
			d.val = templateItem{Template: Template{Name: name, Language: language}, Gone: true}
		}
		if d.val.Gone {
			d.ttl = s.now().Add(goneFor)
		}
		d.val.Said = &word
		return true, nil
	})
	return err
}

// ExpireTemplates says that a template of the account changed at a time, as Meta gives it.
func (s *Store) ExpireTemplates(ctx context.Context, waba string, at time.Time) error {
	_, err := edit(ctx, s, templatesKey(waba), func(d *doc[templateList]) (bool, error) {
		if !at.After(d.val.Expired) {
			return false, nil
		}
		d.val.Expired = at.UTC()
		return true, nil
	})
	return err
}
