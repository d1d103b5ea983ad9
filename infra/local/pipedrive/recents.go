package pipedrive

import (
	"net/http"
	"slices"
	"time"
)

// listRecents returns what changed since a time, the oldest change first.
func (s *Simulator) listRecents(r *http.Request) (answer, error) {
	q := r.URL.Query()
	since, err := time.Parse(time.DateTime, q.Get("since_timestamp"))
	if err != nil {
		return answer{}, invalid("since_timestamp must be YYYY-MM-DD HH:MM:SS")
	}
	if q.Get("items") != "note" {
		return answer{}, invalid("this account has recent notes only")
	}
	list := s.sortedNotes(func(n *note) bool { return !n.Updated.Before(since) })
	slices.SortStableFunc(list, func(a, b *note) int { return a.Updated.Compare(b.Updated) })
	shown, start, limit, more, err := page(r, list, 500)
	data, last := []any{}, ""
	for _, n := range shown {
		data = append(data, map[string]any{"item": "note", "id": n.ID, "data": s.renderNote(n)})
		last = old(n.Updated)
	}
	return answer{data: data, additional: map[string]any{
		"since_timestamp": old(since), "last_timestamp_on_page": last, "pagination": pagination(start, limit, more),
	}}, err
}
