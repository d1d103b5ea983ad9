package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"threadline/shared/chat"
)

// Number is a business number as its messages name it, with what Meta said of it.
type Number struct {
	ID      chat.NumberID `json:"id"`
	Display string        `json:"display,omitempty"` // as Meta writes it: digits
	WABA    string        `json:"waba,omitempty"`
	Seen    chat.Stamp    `json:"seen"` // the earliest update that named it, where Display and WABA are from; zero: none yet
	Facts   chat.Facts    `json:"facts,omitempty"`
}

// numberItem is what the table holds of a number.
type numberItem struct {
	Number
	// Told is the account that facts named. It counts while no message has named one. Of several, which Meta never
	// says, the first by name.
	Told string `json:"told,omitempty"`
}

func (i numberItem) number() Number {
	n := i.Number
	n.WABA = cmp.Or(n.WABA, i.Told)
	return n
}

// Account is a WhatsApp business account (WABA) with what Meta said of it.
type Account struct {
	WABA  string     `json:"waba"`
	Facts chat.Facts `json:"facts,omitempty"`
}

// SeeNumber remembers a business number from an update that came through it. The facts that it returns are the number's
// own, see Health.
func (s *Store) SeeNumber(ctx context.Context, n Number) (Number, error) {
	return s.changeNumber(ctx, n.ID, func(known *numberItem) (changed bool) {
		if seen := known.Seen.ID != "" || !known.Seen.At.IsZero(); seen && !known.Seen.Newer(n.Seen) {
			return false
		}
		known.Display, known.WABA, known.Seen = n.Display, n.WABA, n.Seen
		return true
	})
}

// LearnNumber adds what Meta said of a number, which is made known if it wasn't. The facts in n are the number's own,
// see Health. changed names, in order, those that say something new. A repeated call with facts that still stand names
// them again: whoever passes the news on may have died before.
func (s *Store) LearnNumber(ctx context.Context, id chat.NumberID, waba string, facts map[string]chat.Fact) (n Number, changed []string, err error) {
	n, err = s.changeNumber(ctx, id, func(known *numberItem) (write bool) {
		write, changed = learn(&known.Facts, facts)
		if waba != "" && (known.Told == "" || waba < known.Told) {
			known.Told, write = waba, true
		}
		return write
	})
	return n, changed, err
}

// changeNumber changes a number and its copy in the list of numbers. It writes if edit changes something, or if the
// number wasn't known yet.
func (s *Store) changeNumber(ctx context.Context, id chat.NumberID, edit func(*numberItem) (changed bool)) (Number, error) {
	var n Number
	err := s.contend(ctx, func() error {
		items, err := s.get(ctx, numberKey(id))
		if err != nil {
			return err
		}
		d, err := read[numberItem](items, numberKey(id))
		if err != nil {
			return err
		}
		d.val.ID = id
		changed := edit(&d.val)
		if n = d.val.number(); !changed && d.rev > 0 {
			return nil
		}
		o, err := d.put()
		if err != nil {
			return err
		}
		l, err := doc[Number]{key: numberListKey(id), val: n}.overwrite()
		if err != nil {
			return err
		}
		return s.write(ctx, o, l)
	})
	return n, err
}

// LearnAccount adds what Meta said of an account, and of its numbers under the names that OfDisplay makes. The latter are
// no part of a. changed is as in LearnNumber.
func (s *Store) LearnAccount(ctx context.Context, waba string, facts map[string]chat.Fact) (a Account, changed []string, err error) {
	a, err = edit(ctx, s, accountKey(waba), func(d *doc[Account]) (write bool, _ error) {
		d.val.WABA = waba
		write, changed = learn(&d.val.Facts, facts)
		return write, nil
	})
	return a.own(), changed, err
}

// learn adds facts. write tells whether there is anything to store: also a later word that says the same, or else one
// from between would win over it. changed is what LearnNumber returns.
func learn(known *chat.Facts, facts map[string]chat.Fact) (write bool, changed []string) {
	for _, name := range slices.Sorted(maps.Keys(facts)) {
		old, fact := (*known)[name], facts[name]
		newer := known.Learn(name, fact)
		write = write || newer
		again := old.Stamp.ID == fact.Stamp.ID && old.Stamp.At.Equal(fact.Stamp.At)
		if (newer && !fact.Repeats(old)) || again {
			changed = append(changed, name)
		}
	}
	gone := known.Trim()
	changed = slices.DeleteFunc(changed, func(name string) bool { return slices.Contains(gone, name) })
	return write, changed
}

// OfDisplay is the name, among an account's facts, of a fact about the number that is written so: account events name
// numbers by their digits, perhaps before any message has told which number that is. Health and Numbers find it.
func OfDisplay(display, name string) string { return "@" + digitsOf(display) + "/" + name }

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// own leaves out what the account holds of its numbers.
func (a Account) own() Account {
	a.Facts = maps.Clone(a.Facts)
	maps.DeleteFunc(a.Facts, func(name string, _ chat.Fact) bool { return strings.HasPrefix(name, "@") })
	return a
}

// with adds what an account holds of the number.
func (n Number) with(a Account) Number {
	if n.Display == "" {
		return n
	}
	n.Facts = maps.Clone(n.Facts)
	for name, fact := range a.Facts {
		if own, its := strings.CutPrefix(name, OfDisplay(n.Display, "")); its {
			n.Facts.Learn(own, fact)
		}
	}
	return n
}

// Health returns all that is known of a number, and its account. Of one that nobody mentioned yet nothing is known,
// which is no error.
func (s *Store) Health(ctx context.Context, id chat.NumberID) (Number, Account, error) {
	items, err := s.get(ctx, numberKey(id))
	if err != nil {
		return Number{}, Account{}, err
	}
	d, err := read[numberItem](items, numberKey(id))
	if err != nil {
		return Number{}, Account{}, err
	}
	n := d.val.number()
	n.ID = id
	accounts, err := s.accounts(ctx, n.WABA)
	if err != nil {
		return Number{}, Account{}, err
	}
	a := accounts[n.WABA]
	return n.with(a), a.own(), nil
}

// accounts reads what is known of accounts, by WABA.
func (s *Store) accounts(ctx context.Context, wabas ...string) (map[string]Account, error) {
	var keys []key
	out := map[string]Account{}
	for _, w := range wabas {
		if out[w] = (Account{WABA: w}); w != "" {
			keys = append(keys, accountKey(w))
		}
	}
	items, err := s.get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		d, err := decode[Account](keyOf(it), it)
		if err != nil {
			return nil, err
		}
		out[d.val.WABA] = d.val
	}
	return out, nil
}

// Numbers returns the business numbers that messages or facts came for, with all that is known of them.
func (s *Store) Numbers(ctx context.Context) ([]Number, error) {
	out, err := s.numbers(ctx)
	if err != nil {
		return nil, err
	}
	var wabas []string
	for _, n := range out {
		wabas = append(wabas, n.WABA)
	}
	accounts, err := s.accounts(ctx, wabas...)
	if err != nil {
		return nil, err
	}
	for i, n := range out {
		out[i] = n.with(accounts[n.WABA])
	}
	return out, nil
}

// numbers returns the business numbers without what their accounts know of them.
func (s *Store) numbers(ctx context.Context) ([]Number, error) {
	items, err := s.query(ctx, prefix("NUMBERS", "NUMBER#"))
	if err != nil {
		return nil, err
	}
	var out []Number
	for _, it := range items {
		d, err := decode[Number](keyOf(it), it)
		if err != nil {
			return nil, err
		}
		out = append(out, d.val)
	}
	return out, nil
}
