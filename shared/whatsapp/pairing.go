package whatsapp

import (
	"encoding/json"
	"slices"
)

// pairing finds the contact that belongs to a message or status. Contacts are
// matched by identity and never by position: the arrays are not parallel.
type pairing struct {
	raw    [][]byte
	ids    []Identity
	byID   map[string]int // BSUID or WhatsApp id → index; the first one wins
	used   []bool
	single bool // one contact and one thing that it can belong to
}

func newPairing(contacts [][]byte, things int) *pairing {
	p := &pairing{
		raw: contacts, ids: make([]Identity, len(contacts)), used: make([]bool, len(contacts)),
		byID:   make(map[string]int, 2*len(contacts)),
		single: len(contacts) == 1 && things == 1,
	}
	for i, raw := range contacts {
		f, _ := read(raw)
		p.ids[i] = contactIdentity(f)
		for _, key := range []string{p.ids[i].BSUID, p.ids[i].WAID} {
			if _, taken := p.byID[key]; !taken && key != "" {
				p.byID[key] = i
			}
		}
	}
	return p
}

// contactOf returns the contact of this person, or nil.
func (p *pairing) contactOf(id Identity) json.RawMessage {
	for _, key := range []string{id.BSUID, id.WAID} {
		if i, found := p.byID[key]; found && !id.contradicts(p.ids[i]) {
			return p.take(i)
		}
	}
	if p.single && isObject(p.raw[0]) && !id.contradicts(p.ids[0]) {
		return p.take(0)
	}
	return nil
}

func (p *pairing) take(i int) json.RawMessage {
	p.used[i] = true
	return p.raw[i]
}

// unused lists the contacts that belong to nothing. One that comes once for
// each message of the same person has been told by the first.
func (p *pairing) unused() [][]byte {
	if !slices.Contains(p.used, false) {
		return nil
	}
	told := make(map[string]bool, len(p.raw))
	for i, used := range p.used {
		if used {
			told[string(p.raw[i])] = true
		}
	}
	var all [][]byte
	for _, raw := range p.raw {
		if !told[string(raw)] {
			all = append(all, raw)
		}
	}
	return all
}
