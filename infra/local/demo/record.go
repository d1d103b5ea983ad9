package demo

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

func (p *page) list(of Place) any {
	contacts := of.CRM.Contacts()
	if contacts == nil {
		contacts = []Contact{}
	}
	return map[string]any{"title": of.CRM.Title(), "contacts": contacts, "crm": of.Name, "crms": p.places}
}

// record is what the page shows of a contact; nil if there is none.
func (p *page) record(crm CRM, id string) any {
	for _, c := range crm.Contacts() {
		if c.ID != id {
			continue
		}
		out := map[string]any{"contact": c, "entries": entries(crm, id), "api_key": p.apiKey, "properties": []Property{}}
		if d, ok := crm.(Detailed); ok {
			out["key"], out["properties"] = d.Key(id), d.Properties(id)
		}
		if w, ok := crm.(Writer); ok {
			out["how"] = w.How()
		}
		return out
	}
	return nil
}

// entries are those of the timeline as it is, and where their times put them what wasn't sent.
func entries(crm CRM, contact string) []shownEntry {
	list := []shownEntry{}
	for _, e := range crm.Timeline(contact) {
		list = append(list, showEntry(e.read()))
	}
	queue, ok := crm.(Queue)
	if !ok {
		return list
	}
	for _, e := range queue.Asked(contact) {
		at := slices.IndexFunc(list, func(there shownEntry) bool { return there.At.After(e.At) })
		if at < 0 {
			at = len(list)
		}
		list = slices.Insert(list, at, showEntry(e))
	}
	return list
}

type shownEntry struct {
	Entry
	Files []shownFile `json:"files"`
}

type shownFile struct {
	File
	Show string `json:"show"` // image, audio, video, page or download
}

func showEntry(e Entry) shownEntry {
	files := []shownFile{}
	for _, f := range e.Files {
		files = append(files, shownFile{f, showAs(f.MIME)})
	}
	return shownEntry{e, files}
}

// write does what the CRM's user does.
func write(w http.ResponseWriter, r *http.Request, of Place) {
	var in struct {
		Text string `json:"text"`
	}
	writer, ok := of.CRM.(Writer)
	if !ok {
		http.NotFound(w, r)
		return
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in)
	if err != nil || strings.TrimSpace(in.Text) == "" {
		reply(w, http.StatusBadRequest, map[string]string{"error": "there is no text"})
		return
	}
	if err := writer.Write(r.PathValue("id"), in.Text); err != nil {
		reply(w, http.StatusBadGateway, map[string]string{"error": err.Error()})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
