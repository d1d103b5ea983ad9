package espocrm

import (
	"regexp"
	"slices"
	"time"
)

// editPeriod is how long a note's author may edit it: noteEditThresholdPeriod.
// https://docs.espocrm.com/administration/config-params/#stream
const editPeriod = 7 * 24 * time.Hour

// userNames are whom a mention tells.
var userNames = []string{"admin", "ana.silva"}

var mention = regexp.MustCompile(`@[\w@.-]+`)

// beforeNote keeps the rules for a new note. What it says of its own time, id or data is ignored: fill did that.
func (s *Simulator) beforeNote(r *request, rec *record) error {
	if rec.text("type") != "Post" && !r.user.admin {
		return forbidden("Only 'Post' type allowed.")
	}
	kind, id := rec.text("parentType"), rec.text("parentId")
	if kind != "" && id != "" {
		if s.get(kind, id) == nil {
			return forbidden("No access to parent.")
		}
		if err := s.may(r.user, kind, "read"); err != nil {
			return err
		}
		if err := s.may(r.user, kind, "stream"); err != nil {
			return err
		}
	}
	if internal, _ := rec.Attr["isInternal"].(bool); internal && s.options.Version >= 10 {
		return forbidden("Internal note is not allowed.") // as long as nobody allows them for contacts
	}
	s.mention(rec)
	return nil
}

// editable tells whether a note may be changed: by who wrote it, for a week, and by an administrator.
func (s *Simulator) editable(r *request, rec *record) error {
	if r.user.admin {
		return nil
	}
	if rec.text("createdById") != r.user.id || s.options.Now().Sub(rec.createdAt()) > editPeriod {
		return forbidden("No 'edit' access.")
	}
	return nil
}

// mention finds the users whom a post names: they get a notification.
func (s *Simulator) mention(rec *record) {
	told := []any{}
	for _, m := range mention.FindAllString(rec.text("post"), -1) {
		if slices.Contains(userNames, m[1:]) {
			told = append(told, m[1:])
		}
	}
	rec.Attr["mentioned"] = told
}

// Mentioned returns the users whom notes named.
func (s *Simulator) Mentioned() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	s.each(notes, func(rec *record) { all = append(all, rec.list("mentioned")...) })
	return all
}

// stream lists the notes on a record, the newest first.
func (s *Simulator) stream(r *request, e *entity) (any, error) {
	parent := s.get(e.Name, r.parts[1])
	if parent == nil {
		return nil, notFound()
	}
	if err := s.may(r.user, e.Name, "stream"); err != nil {
		return nil, err
	}
	var list []*record
	s.each(notes, func(rec *record) {
		if rec.text("parentType") == e.Name && rec.text("parentId") == parent.ID {
			list = append(list, rec)
		}
	})
	slices.Reverse(list)
	q := r.URL.Query()
	list, err := s.filter(s.entities[notes], list, conditions(q))
	if err != nil {
		return nil, err
	}
	page, err := paged(list, q)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, rec := range page {
		out = append(out, s.render(s.entities[notes], rec, false))
	}
	return map[string]any{"total": len(list), "list": out, "pinnedList": []any{}}, nil
}
