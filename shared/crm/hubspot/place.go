package hubspot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// messageKey is the property of ours on communications and notes that holds crm.Entry.Key.
const messageKey = ownPrefix + "message"

// mode is how a record of ours is found again.
type mode int

const (
	keyed    mode = iota // by messageKey, which is unique
	searched             // by messageKey, which the account doesn't let be unique
	marked               // by a marker in the text: the account has no messageKey
)

// facts are what was learnt of a kind of record.
type facts struct {
	mode     mode
	attaches bool // whether it can carry attachments
}

// about learns what there is to know of a kind of record, with one call in a connector's life.
func (c *Connector) about(ctx context.Context, kind string) (facts, error) {
	c.mu.Lock()
	f, ok := c.facts[kind]
	c.mu.Unlock()
	if ok {
		return f, nil
	}
	all, err := c.properties(ctx, kind)
	if err != nil {
		return facts{}, err
	}
	key, ok := all[messageKey]
	if !ok {
		return facts{}, notProvisioned("read properties")
	}
	f = factsOf(all, searched)
	if key.unique() {
		f.mode = keyed
	}
	c.learn(kind, f)
	return f, nil
}

func factsOf(all map[string]property, m mode) facts {
	files, there := all[attachmentIDs]
	return facts{mode: m, attaches: there && !files.Metadata.ReadOnly}
}

func (c *Connector) learn(kind string, f facts) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.facts[kind] = f
}

func (c *Connector) forget(kind string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.facts, kind)
}

// isMarked makes no call: until Provision has found out otherwise, there is a messageKey, and HubSpot says so if not.
func (c *Connector) isMarked(kind string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.facts[kind].mode == marked
}

// marker is one word to HubSpot's search: it stands for a key where there is no property for it.
func marker(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "tl" + hex.EncodeToString(sum[:12])
}

// record is something on a contact's timeline that exists once for each key.
type record struct {
	kind        string // communications or notes
	key         string
	association int    // type id of its association with a contact
	body        string // the property that holds its HTML
	properties  map[string]string
}

// find returns the record with a key. Only in keyed mode it is there as soon as it was made.
func (c *Connector) find(ctx context.Context, r record) (o object, ok bool, err error) {
	about, err := c.about(ctx, r.kind)
	if err != nil {
		return object{}, false, err
	}
	var hits []object
	wanted := []string{r.body, messageKey, attachmentIDs}
	switch about.mode {
	case keyed:
		o, err = c.readBy(ctx, r.kind, messageKey, r.key, false, wanted...)
		switch {
		case rest.HasStatus(err, http.StatusNotFound):
			return object{}, false, nil
		case rest.HasStatus(err, http.StatusBadRequest): // somebody deleted the property
			c.forget(r.kind)
			return object{}, false, notProvisioned("read " + r.kind)
		}
		return o, err == nil, err
	case searched:
		hits, err = c.search(ctx, r.kind, wanted, filter{PropertyName: messageKey, Operator: "EQ", Value: r.key})
	case marked:
		hits, err = c.search(ctx, r.kind, wanted, filter{PropertyName: r.body, Operator: "CONTAINS_TOKEN", Value: marker(r.key)})
	}
	for _, h := range hits {
		if h.get(messageKey) == r.key || strings.Contains(h.get(r.body), marker(r.key)) {
			return h, true, nil
		}
	}
	return object{}, false, err
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
func (c *Connector) create(ctx context.Context, on crm.ContactRef, r record) (string, error) {
	op := "create " + r.kind
	if !c.isMarked(r.kind) {
		r.properties[messageKey] = r.key
	}
	a := association{Types: []associationType{{"HUBSPOT_DEFINED", r.association}}}
	a.To.ID = string(on)
	in := map[string]any{"properties": r.properties, "associations": []association{a}}
	var out object
	err := c.call(ctx, op, http.MethodPost, c.objectPath(r.kind), in, &out)
	switch {
	case refused(err) && !conflicts(err):
		// It may be due to the contact: deleted, or merged into another one.
		if _, gone := c.living(ctx, on, contactKey); gone != nil {
			return "", gone
		}
		return "", err
	case err != nil:
		return "", err
	case out.ID == "":
		return "", noResult(op)
	}
	return out.ID, nil
}

// holder returns the record that was created with our key before. If somebody deleted it since, it stays deleted:
// HubSpot keeps the key for as long as the record can be restored.
func (c *Connector) holder(ctx context.Context, r record) (object, error) {
	o, ok, err := c.find(ctx, r)
	if ok || err != nil {
		return o, err
	}
	_, err = c.readBy(ctx, r.kind, messageKey, r.key, true, messageKey)
	if err == nil {
		return object{}, &crm.Error{Class: crm.Refused, Op: "read deleted " + r.kind, Status: http.StatusConflict, Reason: "DELETED"}
	}
	if rest.HasStatus(err, http.StatusNotFound) {
		return object{}, unseen("deleted " + r.kind)
	}
	return object{}, err
}
