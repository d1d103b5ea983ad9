package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
)

// crmNames says what HubSpot's ids stand for.
func (s *Sim) crmNames(anyRecord bool) map[string]string {
	names := map[string]string{}
	for _, c := range s.HubSpot.Contacts() {
		names[c.ID] = "the contact " + c.Properties["threadline_id"]
		for _, e := range s.HubSpot.Timeline(c.ID) {
			if anyRecord {
				e.HTML = author.ReplaceAllString(e.HTML, "")
			}
			names[e.ID] = "the entry " + e.At.String() + e.HTML
			for _, f := range e.Files {
				names[f.ID] = "the file " + f.Name
			}
		}
	}
	return names
}

// author is the line of an entry that says who wrote it.
var author = regexp.MustCompile(`<p><strong>[^<]*</strong></p>`)

// crmState is what somebody who opens HubSpot finds, and how much there is that no contact shows.
func (s *Sim) crmState(anyRecord bool) (lines []string) {
	for _, c := range s.HubSpot.Contacts() {
		for _, name := range []string{"hs_object_id", "createdate", "lastmodifieddate"} {
			delete(c.Properties, name)
		}
		if anyRecord {
			c.Properties["threadline_id"] = "a contact"
		} else {
			lines = append(lines, fmt.Sprintf("crm contact %v", c.Properties))
		}
		for _, e := range s.HubSpot.Timeline(c.ID) {
			for i := range e.Files {
				e.Files[i].ID = ""
			}
			if anyRecord {
				e.HTML = author.ReplaceAllString(e.HTML, "")
			}
			lines = append(lines, fmt.Sprintf("crm %s on %s at %v: %s %v", e.Kind, c.Properties["threadline_id"], e.At, e.HTML, e.Files))
		}
	}
	for kind, path := range map[string]string{
		"communications": "/crm/objects/2026-03/communications?limit=100", "notes": "/crm/objects/2026-03/notes?limit=100",
		"files": "/files/2026-03/files/search",
	} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Authorization", "Bearer token")
		w := httptest.NewRecorder()
		s.crm.ServeHTTP(w, r)
		var page struct{ Results []any }
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != http.StatusOK {
			s.t.Fatalf("list %s: %d", kind, w.Code)
		}
		lines = append(lines, fmt.Sprintf("crm has %d %s", len(page.Results), kind))
	}
	return lines
}
