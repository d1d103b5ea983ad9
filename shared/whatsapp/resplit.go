package whatsapp

import (
	"bytes"
	"encoding/json"
)

// Resplit takes an update of [KindEvent] apart that holds the whole value of a
// field, as [Split] does it: a release that didn't know the field yet left the
// value whole. The parts are, byte for byte, those that Split would have made
// of it. An event that Split leaves as it is comes back alone and unchanged, as
// does an update of any other kind.
func Resplit(u Update) []Update {
	var value bytes.Buffer
	if u.Kind != KindEvent || contentsOf(u.Field) == nil || json.Compact(&value, u.Body) != nil {
		return []Update{u}
	}
	about := u
	about.Contact = nil
	var s splitter
	s.value(about, value.Bytes())
	if len(s.updates) == 1 && s.updates[0].Kind == KindEvent {
		return []Update{u}
	}
	for i := range s.updates {
		s.updates[i].Number = firstOf(s.updates[i].Number, u.Number)
		s.updates[i].Display = firstOf(s.updates[i].Display, u.Display)
	}
	return s.updates
}
