package hubspot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"time"

	"threadline/shared/crm"
)

// record is something on a contact's timeline that exists once for each key.
type record struct {
	kind        string // communications or notes
	key         string
	association int    // type id of its association with a contact
	body        string // the property that holds its HTML
	properties  map[string]string
}

// attempt is what marked mode remembers until search shows it.
type attempt struct {
	id string // empty: it isn't known whether it was created
	at time.Time
}

// ensure returns the id of the record with this key, and whether it had to be created.
func (c *Connector) ensure(ctx context.Context, owner crm.ContactRef, r record) (id string, created bool, err error) {
	find, create := c.findByKey, c.create
	if c.isMarked(r.kind) {
		find, create = c.findByMarker, c.createMarked
	} else {
		r.properties[messageKey] = r.key
	}
	if id, err = find(ctx, r); id != "" || err != nil {
		return id, false, err
	}
	id, err = create(ctx, owner, r)
	if conflicts(err) {
		id, err = c.holder(ctx, r)
		return id, false, err
	}
	if refused(err) {
		id, err = c.createOnSurvivor(ctx, owner, r, create, err)
	}
	return id, err == nil, err
}

// createOnSurvivor finds out whether a refusal is due to the contact: it was deleted, or merged into another one.
func (c *Connector) createOnSurvivor(ctx context.Context, owner crm.ContactRef, r record,
	create func(context.Context, crm.ContactRef, record) (string, error), refusal error) (string, error) {
	survivor, err := c.living(ctx, owner)
	if err != nil {
		return "", err
	}
	if survivor == owner {
		return "", refusal
	}
	return create(ctx, survivor, r)
}

// holder returns the record that another call created with our key just now. If somebody deleted the record since, it
// stays deleted: HubSpot keeps the key for as long as the record can be restored.
func (c *Connector) holder(ctx context.Context, r record) (string, error) {
	id, err := c.findByKey(ctx, r)
	if id != "" || err != nil {
		return id, err
	}
	op := "read deleted " + r.kind
	q := url.Values{"idProperty": {messageKey}, "archived": {"true"}}
	err = c.call(ctx, op, http.MethodGet, objectPath(r.kind, r.key)+"?"+q.Encode(), nil, nil)
	if err == nil {
		return "", &crm.Error{Class: crm.Refused, Op: op, Status: http.StatusConflict, Reason: "DELETED"}
	}
	if hasStatus(err, http.StatusNotFound) {
		return "", &crm.Error{Class: crm.Transient, Op: op, Status: http.StatusConflict, Reason: taken}
	}
	return "", err
}

func (c *Connector) findByKey(ctx context.Context, r record) (string, error) {
	o, err := c.read(ctx, "read "+r.kind, r.kind, r.key, messageKey, messageKey)
	if hasStatus(err, http.StatusNotFound) {
		return "", nil
	}
	return o.ID, err
}

type association struct {
	To struct {
		ID string `json:"id"`
	} `json:"to"`
	Types []associationType `json:"types"`
}

type associationType struct {
	Category string `json:"associationCategory"`
	TypeID   int    `json:"associationTypeId"`
}

// create makes the record and its association in one request: one without the other would be out of anybody's sight.
func (c *Connector) create(ctx context.Context, owner crm.ContactRef, r record) (string, error) {
	a := association{Types: []associationType{{"HUBSPOT_DEFINED", r.association}}}
	a.To.ID = string(owner)
	in := map[string]any{"properties": r.properties, "associations": []association{a}}
	var out object
	if err := c.call(ctx, "create "+r.kind, http.MethodPost, objectPath(r.kind), in, &out); err != nil {
		return "", err
	}
	if out.ID == "" {
		return "", &crm.Error{Class: crm.Transient, Op: "create " + r.kind, Status: http.StatusCreated, Reason: "NO_RESULT"}
	}
	return out.ID, nil
}

// marker is one word to HubSpot's search: it stands for a key where there is no unique property.
func marker(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "tl" + hex.EncodeToString(sum[:12])
}

func (c *Connector) isMarked(kind string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.marked[kind]
}

// findByMarker asks our memory, then search. After an unsettled attempt it doesn't trust search before SearchLag is
// over, and asks the caller to wait.
func (c *Connector) findByMarker(ctx context.Context, r record) (string, error) {
	if a, ok := c.recall(r); ok {
		if a.id != "" {
			return a.id, nil
		}
		return "", &crm.Error{Class: crm.Transient, Op: "search " + r.kind, Reason: "SEARCH_LAG",
			After: SearchLag - c.now().Sub(a.at)}
	}
	mark := marker(r.key)
	hits, err := c.search(ctx, "search "+r.kind, r.kind, []string{r.body}, filter{r.body, "CONTAINS_TOKEN", mark})
	if err != nil {
		return "", err
	}
	for _, h := range hits {
		if strings.Contains(h.get(r.body), mark) {
			return h.ID, nil
		}
	}
	return "", nil
}

func (c *Connector) createMarked(ctx context.Context, owner crm.ContactRef, r record) (string, error) {
	at := c.now()
	id, err := c.create(ctx, owner, r)
	if err == nil {
		c.remember(r, attempt{id: id, at: c.now()})
		return id, nil
	}
	e, ok := asError(err)
	if ok && unsettled(err) {
		c.remember(r, attempt{at: at})
		e.After = max(e.After, SearchLag)
	}
	return "", err
}

// recall returns an attempt that search may not show yet.
func (c *Connector) recall(r record) (attempt, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.written[r.kind+" "+r.key]
	return a, ok && c.now().Sub(a.at) < SearchLag
}

func (c *Connector) remember(r record, a attempt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, old := range c.written {
		if c.now().Sub(old.at) >= SearchLag {
			delete(c.written, k)
		}
	}
	c.written[r.kind+" "+r.key] = a
}
