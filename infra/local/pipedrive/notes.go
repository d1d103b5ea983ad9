package pipedrive

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// maxNote is the largest note, in bytes. https://developers.pipedrive.com/docs/api/v1/Notes
const maxNote = 100_000

// noteBody is what a note is made of. Everything but persons is unknown to this account.
type noteBody struct {
	Content  *string `json:"content"`
	PersonID *int64  `json:"person_id"`
	DealID   *int64  `json:"deal_id"`
	OrgID    *int64  `json:"org_id"`
	LeadID   *string `json:"lead_id"`
	UserID   *int    `json:"user_id"`
	AddTime  *string `json:"add_time"`
	Pinned   *int    `json:"pinned_to_person_flag"`
}

func (s *Simulator) writeNote(n *note, b noteBody) error {
	if b.Content != nil {
		if n.Content = sanitise(*b.Content); len(*b.Content) > maxNote {
			return invalid("content is too long")
		}
	}
	if b.PersonID != nil {
		n.Person = *b.PersonID
	}
	if s.person(n.Person) == nil { // a deleted one is still a person
		return notFound("Person")
	}
	if b.UserID != nil {
		n.User = *b.UserID // the token's user is an administrator
	}
	if userNames[n.User] == "" {
		return invalid("user_id is unknown")
	}
	if b.AddTime != nil {
		at, err := time.Parse(time.DateTime, *b.AddTime)
		if err != nil {
			return invalid("add_time must be YYYY-MM-DD HH:MM:SS")
		}
		n.Added = at
	}
	return nil
}

func (s *Simulator) postNote(r *http.Request) (answer, error) {
	var b noteBody
	if err := decode(r, &b); err != nil {
		return answer{}, err
	}
	if b.Content == nil || *b.Content == "" {
		return answer{}, invalid("content is required")
	}
	if b.PersonID == nil {
		return answer{}, invalid("one of lead_id, deal_id, person_id, org_id, project_id, task_id is required")
	}
	n := &note{User: integrationUser, Editor: integrationUser, Added: s.now(), Updated: s.now()}
	if err := s.writeNote(n, b); err != nil {
		return answer{}, err
	}
	n.ID = s.newID()
	if err := s.commit(change{Note: n}); err != nil {
		return answer{}, err
	}
	s.emit("create", "api", integrationUser, n, nil)
	return answer{data: s.renderNote(n)}, nil
}

func (s *Simulator) putNote(r *http.Request) (answer, error) {
	before := s.notes[pathID(r)]
	if before == nil || before.Deleted {
		return answer{}, notFound("Note")
	}
	var b noteBody
	if err := decode(r, &b); err != nil {
		return answer{}, err
	}
	n := *before
	n.Editor, n.Updated = integrationUser, s.now()
	if err := s.writeNote(&n, b); err != nil {
		return answer{}, err
	}
	if err := s.commit(change{Note: &n}); err != nil {
		return answer{}, err
	}
	s.emit("change", "api", integrationUser, &n, before)
	return answer{data: s.renderNote(&n)}, nil
}

func (s *Simulator) getNote(r *http.Request) (answer, error) {
	n := s.notes[pathID(r)]
	if n == nil || n.Deleted {
		return answer{}, notFound("Note")
	}
	return answer{data: s.renderNote(n)}, nil
}

func (s *Simulator) deleteNote(r *http.Request) (answer, error) {
	return answer{data: true}, s.removeNote(pathID(r), "api", integrationUser)
}

func (s *Simulator) removeNote(id int64, source string, user int) error {
	n := s.notes[id]
	if n == nil || n.Deleted {
		return notFound("Note")
	}
	gone := *n
	gone.Deleted, gone.Editor, gone.Updated = true, user, s.now()
	if err := s.commit(change{Note: &gone}); err != nil {
		return err
	}
	s.emit("delete", source, user, nil, n)
	return nil
}

// listNotes filters by person, by the day of add_time, both ends included, and by the time of the last change.
func (s *Simulator) listNotes(r *http.Request) (answer, error) {
	q := r.URL.Query()
	for _, name := range []string{"start_date", "end_date"} {
		if v := q.Get(name); v != "" {
			if _, err := time.Parse(time.DateOnly, v); err != nil {
				return answer{}, invalid("%s must be YYYY-MM-DD", name)
			}
		}
	}
	var since time.Time
	if v := q.Get("updated_since"); v != "" {
		var err error
		if since, err = time.Parse(time.RFC3339, v); err != nil {
			return answer{}, invalid("updated_since must be a time in RFC 3339")
		}
	}
	list := s.sortedNotes(func(n *note) bool {
		day := n.Added.Format(time.DateOnly)
		switch {
		case q.Get("person_id") != "" && q.Get("person_id") != strconv.FormatInt(n.Person, 10),
			q.Get("start_date") != "" && day < q.Get("start_date"),
			q.Get("end_date") != "" && day > q.Get("end_date"), n.Updated.Before(since):
			return false
		}
		return !n.Deleted
	})
	switch order := q.Get("sort"); order {
	case "", "add_time ASC":
	case "add_time DESC":
		slices.Reverse(list)
	case "update_time ASC":
		slices.SortStableFunc(list, func(a, b *note) int { return a.Updated.Compare(b.Updated) })
	default:
		return answer{}, invalid("sort: %s is not supported", order)
	}
	shown, start, limit, more, err := page(r, list, 500)
	data := []any{}
	for _, n := range shown {
		data = append(data, s.renderNote(n))
	}
	return answer{data: data, additional: map[string]any{"pagination": pagination(start, limit, more)}}, err
}

// sortedNotes returns notes in the order of their add_time.
func (s *Simulator) sortedNotes(wanted func(*note) bool) []*note {
	var list []*note
	for _, id := range slices.Sorted(maps.Keys(s.notes)) {
		if wanted(s.notes[id]) {
			list = append(list, s.notes[id])
		}
	}
	slices.SortStableFunc(list, func(a, b *note) int { return cmp.Or(a.Added.Compare(b.Added), cmp.Compare(a.ID, b.ID)) })
	return list
}

func (s *Simulator) renderNote(n *note) map[string]any {
	person := map[string]any{}
	if p := s.person(n.Person); p != nil {
		person["name"] = p.Name
	}
	return map[string]any{
		"id": n.ID, "active_flag": !n.Deleted, "add_time": old(n.Added), "update_time": old(n.Updated), "content": n.Content,
		"person_id": n.Person, "person": person, "user_id": n.User, "last_update_user_id": n.Editor, "pinned_to_person_flag": false,
		"user": map[string]any{"name": userNames[n.User], "email": "user@example.com", "is_you": n.User == integrationUser},
	}
}
