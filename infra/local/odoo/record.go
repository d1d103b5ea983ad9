package odoo

import (
	"maps"
	"slices"
)

// record is a row of a model. Its values are string, bool, int64 or []int64; what isn't set isn't there.
type record struct {
	Model  string         `json:"model"`
	ID     int64          `json:"id"`
	Values map[string]any `json:"values"`
}

func (r *record) text(name string) string  { v, _ := r.Values[name].(string); return v }
func (r *record) number(name string) int64 { v, _ := r.Values[name].(int64); return v }
func (r *record) flag(name string) bool    { v, _ := r.Values[name].(bool); return v }
func (r *record) list(name string) []int64 { v, _ := r.Values[name].([]int64); return v }

// xmlid is what an external id names.
type xmlid struct {
	Model    string `json:"model"`
	ID       int64  `json:"id"`
	NoUpdate bool   `json:"noupdate,omitempty"`
}

type key struct {
	Model string `json:"model"`
	ID    int64  `json:"id"`
}

// change is a line of the journal: what one call did.
type change struct {
	Records []*record        `json:"records,omitempty"`
	Names   map[string]xmlid `json:"names,omitempty"`
	Gone    []key            `json:"gone,omitempty"`
	Last    int64            `json:"last"` // the highest id given so far, also to what was rolled back
}

// tx is a call in progress. What it does is there at once, for itself; rollback takes it back.
type tx struct {
	s       *Simulator
	user    int64
	context map[string]any
	change  change
	undo    []func()
	after   []func() // once it is committed
}

func (t *tx) get(model string, id int64) *record { return t.s.records[model][id] }

// put stores a new state of a record.
func (t *tx) put(r *record) {
	old := t.get(r.Model, r.ID)
	t.undo = append(t.undo, func() {
		if old == nil {
			delete(t.s.records[r.Model], r.ID)
		} else {
			t.s.records[r.Model][r.ID] = old
		}
	})
	t.s.records[r.Model][r.ID] = r
	t.change.Records = append(t.change.Records, r)
}

// remove deletes a record and the external ids that name it.
func (t *tx) remove(r *record) {
	names := map[string]xmlid{}
	for name, x := range t.s.xmlids {
		if x.Model == r.Model && x.ID == r.ID {
			names[name] = x
		}
	}
	t.undo = append(t.undo, func() {
		t.s.records[r.Model][r.ID] = r
		maps.Copy(t.s.xmlids, names)
	})
	t.s.drop(key{r.Model, r.ID})
	t.change.Gone = append(t.change.Gone, key{r.Model, r.ID})
}

func (t *tx) bind(name string, x xmlid) {
	old, had := t.s.xmlids[name]
	t.undo = append(t.undo, func() {
		delete(t.s.xmlids, name)
		if had {
			t.s.xmlids[name] = old
		}
	})
	t.s.xmlids[name] = x
	if t.change.Names == nil {
		t.change.Names = map[string]xmlid{}
	}
	t.change.Names[name] = x
}

// newID returns the next id. One counter serves all models, so that an id in the wrong place never works by chance.
func (t *tx) newID() int64 {
	t.s.lastID++
	return t.s.lastID
}

func (t *tx) rollback() {
	for _, undo := range slices.Backward(t.undo) {
		undo()
	}
	t.undo, t.after, t.change = nil, nil, change{}
}

func (t *tx) commit() error {
	c := t.change
	if len(c.Records)+len(c.Names)+len(c.Gone) == 0 {
		return nil
	}
	c.Last = t.s.lastID
	if err := t.s.journal.Append(c); err != nil {
		t.rollback()
		return err
	}
	t.s.revision++
	return nil
}

// run does something as a user, whole or not at all, and afterwards what has to wait for the commit.
func (s *Simulator) run(user int64, context map[string]any, f func(*tx) (any, error)) (any, error) {
	s.mu.Lock()
	t := &tx{s: s, user: user, context: context}
	out, err := f(t)
	if err != nil {
		t.rollback()
	} else {
		err = t.commit()
	}
	after := t.after
	s.mu.Unlock()
	for _, f := range after {
		f()
	}
	return out, err
}

// drop forgets a record, and what names it.
func (s *Simulator) drop(k key) {
	delete(s.records[k.Model], k.ID)
	for name, x := range s.xmlids {
		if x.Model == k.Model && x.ID == k.ID {
			delete(s.xmlids, name)
		}
	}
}

func (s *Simulator) replay(c change) {
	for _, r := range c.Records {
		for name, v := range r.Values {
			r.Values[name] = stored(v)
		}
		s.records[r.Model][r.ID] = r
	}
	maps.Copy(s.xmlids, c.Names)
	for _, k := range c.Gone {
		s.drop(k)
	}
	s.lastID = max(s.lastID, c.Last)
	s.revision++
}

// stored turns what JSON makes of a value back into what it was.
func stored(v any) any {
	switch v := v.(type) {
	case float64:
		return int64(v)
	case []any:
		list := make([]int64, len(v))
		for i := range v {
			n, _ := v[i].(float64)
			list[i] = int64(n)
		}
		return list
	}
	return v
}
