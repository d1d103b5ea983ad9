package pipedrive

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"threadline/shared/chat"
	"threadline/shared/crm"
)

// ContactByKey searches our field for the key, exactly, and reads what was found again. What a search can't show yet is
// among the persons that changed last.
func (c *Connector) ContactByKey(ctx context.Context, key chat.ContactID) (crm.Contact, bool, error) {
	f, err := c.knownFields(ctx)
	if err != nil {
		return crm.Contact{}, false, err
	}
	ids, err := c.searchField(ctx, f.key, string(key))
	if err != nil {
		return crm.Contact{}, false, c.orFields(ctx, err)
	}
	for _, read := range []func() ([]person, error){
		func() ([]person, error) { return c.readAll(ctx, ids, f) },
		func() ([]person, error) { return c.lastChanged(ctx, f) },
	} {
		found, err := read()
		if err != nil {
			return crm.Contact{}, false, err
		}
		for _, p := range found {
			if p.custom(f.key) == string(key) {
				return p.contact(f), true, nil
			}
		}
	}
	return crm.Contact{}, false, nil
}

func (c *Connector) searchField(ctx context.Context, field, value string) ([]int64, error) {
	o := operation{"search person by key", http.MethodGet, search}
	q := url.Values{"entity_type": {"person"}, "field": {field}, "match": {"exact"}, "term": {value}}
	var hits []struct {
		ID   int64 `json:"id"` // as the document's example has it
		Item struct {
			ID int64 `json:"id"` // as its schema has it
		} `json:"item"`
	}
	if _, err := c.call(ctx, o, "/api/v2/itemSearch/field?"+q.Encode(), nil, &hits); err != nil {
		return nil, err
	}
	var ids []int64
	for _, h := range hits {
		ids = append(ids, max(h.ID, h.Item.ID))
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// SearchContacts looks for the number in the ways in which it may be typed, because Pipedrive compares text, and among the
// persons that changed last. Whoever may have it is read again: a search wouldn't show a new key, or a new number.
func (c *Connector) SearchContacts(ctx context.Context, p crm.Phone) ([]crm.Contact, error) {
	if !p.Known() {
		return nil, nil
	}
	f, err := c.knownFields(ctx)
	if err != nil {
		return nil, err
	}
	common := commonEnd(p)
	found, err := c.lastChanged(ctx, f)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, term := range terms(common) {
		hits, err := c.searchPhone(ctx, term, common)
		if err != nil {
			return nil, err
		}
		ids = append(ids, hits...)
	}
	for _, p := range found {
		ids = slices.DeleteFunc(ids, func(id int64) bool { return id == p.ID })
	}
	slices.Sort(ids)
	indexed, err := c.readAll(ctx, slices.Compact(ids), f)
	if err != nil {
		return nil, err
	}
	var all []crm.Contact
	for _, p := range append(found, indexed...) {
		if contact := p.contact(f); mayHave(contact.Phones, common) {
			all = append(all, contact)
		}
	}
	return all, nil
}

// mayHave tells whether one of the numbers can be the one that is looked for, however it is written.
func mayHave(numbers []string, common string) bool {
	return slices.ContainsFunc(numbers, func(n string) bool { return strings.Contains(crm.Digits(n), tail(common, 7)) })
}

// maxHits is the most that one search returns.
const maxHits = "500"

// searchPhone returns the persons that a search finds, without those whose numbers can't be this one.
func (c *Connector) searchPhone(ctx context.Context, term, common string) ([]int64, error) {
	o := operation{"search person by phone", http.MethodGet, search}
	q := url.Values{"term": {term}, "fields": {"phone"}, "limit": {maxHits}}
	var found struct {
		Items []struct {
			Item struct {
				ID     int64           `json:"id"`
				Phones json.RawMessage `json:"phones"`
			} `json:"item"`
		} `json:"items"`
	}
	if _, err := c.call(ctx, o, personsPath+"/search?"+q.Encode(), nil, &found); err != nil {
		return nil, err
	}
	var ids []int64
	for _, hit := range found.Items {
		var numbers []string
		readable := json.Unmarshal(hit.Item.Phones, &numbers) == nil
		if mayHave(numbers, common) || !readable {
			ids = append(ids, hit.Item.ID)
		}
	}
	return ids, nil
}

// terms are what finds a number however it is grouped: its digits as one word; the last three, which end any grouping by
// threes or fours; the last two pairs.
func terms(common string) []string {
	all := []string{common, tail(common, 3)}
	if four := tail(common, 4); len(four) == 4 {
		all = append(all, four[:2]+" "+four[2:])
	}
	return all
}

// commonEnd is what all ways of writing a number end with: where a digit comes and goes, as in Brazil, what follows it.
func commonEnd(p crm.Phone) string {
	end := p.Digits
	for _, way := range slices.Concat(p.Ways, p.National) {
		n := 0
		for n < min(len(end), len(way)) && end[len(end)-1-n] == way[len(way)-1-n] {
			n++
		}
		end = tail(end, n)
	}
	if len(end) < 6 { // too little to search for
		return p.Digits
	}
	return end
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }
