package hubspot

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// maxBatch is how many inputs a batch may have.
const maxBatch = 100

type upsertInput struct {
	ID         string            `json:"id"`
	IDProperty string            `json:"idProperty"`
	Properties map[string]string `json:"properties"`
	TraceID    string            `json:"objectWriteTraceId"`
}

func (s *Simulator) upsertObjects(r *http.Request) (int, any, error) {
	kind := r.PathValue("kind")
	var in struct {
		Inputs []upsertInput `json:"inputs"`
	}
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	if n := len(in.Inputs); n == 0 || n > maxBatch {
		return 0, nil, invalid("inputs must have 1 to %d elements", maxBatch)
	}
	started := s.options.Now()
	results, problems := []any{}, []any{}
	for _, row := range in.Inputs {
		o, created, err := s.upsert(kind, row)
		refused, isRefusal := errors.AsType[*refusal](err)
		switch {
		case isRefusal && refused.conflicts():
			problems = append(problems, refused.row())
		case err != nil:
			return 0, nil, err
		default:
			m := render(o, o.Properties, all(o))
			m["new"] = created
			results = append(results, m)
		}
	}
	body := map[string]any{"status": "COMPLETE", "results": results, "startedAt": iso(started), "completedAt": iso(s.options.Now())}
	if len(problems) == 0 {
		return http.StatusOK, body, nil
	}
	body["errors"], body["numErrors"] = problems, len(problems)
	if strings.Contains(r.URL.Path, "/2026-09/") {
		return http.StatusOK, body, nil // its document knows no 207
	}
	return http.StatusMultiStatus, body, nil
}

// conflicts tells whether a row can't be written because of another record; anything else spoils the whole batch.
func (r *refusal) conflicts() bool {
	return slices.ContainsFunc(r.Errors, func(d detail) bool { return d.Code == "CONFLICTING_UNIQUE_VALUE" })
}

func (s *Simulator) upsert(kind string, row upsertInput) (o *object, created bool, err error) {
	if row.IDProperty != "" {
		p := s.properties[kind][row.IDProperty]
		if p == nil {
			return nil, false, &refusal{Status: http.StatusBadRequest, Category: "VALIDATION_ERROR",
				Message: "Property " + row.IDProperty + " does not exist"}
		}
		if !p.HasUniqueValue {
			return nil, false, invalid("%s is not unique", row.IDProperty)
		}
	}
	o, err = s.find(kind, row.ID, row.IDProperty, false)
	if err == nil {
		o, err = s.update(o, row.Properties)
		return o, false, err
	}
	if row.IDProperty == "" {
		return nil, false, err
	}
	values := map[string]string{}
	for name, value := range row.Properties {
		values[name] = value
	}
	values[row.IDProperty] = row.ID
	if err := s.checkNew(kind, values); err != nil {
		return nil, false, err
	}
	o, err = s.insert(kind, values, nil)
	return o, true, err
}

// mergeContacts makes a third contact of two, to which both of their ids lead from then on. The first's values win, its gaps
// are filled. https://developers.hubspot.com/changelog/updated-merge-functionality-for-contacts-and-companies
func (s *Simulator) mergeContacts(r *http.Request) (int, any, error) {
	var in struct {
		Primary string `json:"primaryObjectId"`
		Merged  string `json:"objectIdToMerge"`
	}
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	primary, err := s.find(contacts, in.Primary, "", false)
	if err != nil {
		return 0, nil, err
	}
	second, err := s.find(contacts, in.Merged, "", false)
	if err != nil {
		return 0, nil, err
	}
	if primary.ID == second.ID {
		return 0, nil, invalid("cannot merge a contact with itself")
	}
	merged, err := s.merge(primary, second)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, render(merged, merged.Properties, all(merged)), nil
}

func (s *Simulator) merge(primary, second *object) (*object, error) {
	values := maps.Clone(second.Properties)
	maps.Copy(values, primary.Properties)
	merged, err := s.insert(contacts, values, nil)
	if err != nil {
		return nil, err
	}
	for _, o := range []*object{primary, second} {
		old := o.clone()
		old.Merged, old.UpdatedAt = merged.ID, s.options.Now()
		if err := s.commit(change{Object: old}); err != nil {
			return nil, err
		}
		if err := s.relink(old.ID, merged.ID); err != nil {
			return nil, err
		}
	}
	return merged, nil
}

// relink moves the timeline of one contact to another.
func (s *Simulator) relink(from, to string) error {
	for _, kind := range []string{communications, notes} {
		for _, o := range s.sorted(kind) {
			moved := o.clone()
			changed := false
			for i, l := range moved.Links {
				if l.ID == from {
					moved.Links[i].ID, changed = to, true
				}
			}
			if !changed {
				continue
			}
			if err := s.commit(change{Object: moved}); err != nil {
				return err
			}
		}
	}
	return nil
}
