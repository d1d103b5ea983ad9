package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"threadline/shared/blob"
)

// order is something that a company asks the REST API for. What Meta is sent then has a row for each field.
type order struct {
	name   string
	path   string // of the request; empty: /api/v1/messages
	body   any    // of the request, as JSON
	before string // a message that comes first instead of hello
	rows   string // the part of the posted JSON that is its own; empty: all of it
	known  string // what else of the posted JSON is the order's, and not what every message has
	never  string // fields that Meta documents and that nobody can fill in
	file   bool   // $file is an upload of the company's
}

// sending runs all orders. wires are the orders and the paths that Meta was sent with what the request said.
func sending(t testing.TB) (rows []row, wires map[string]bool) {
	wires = map[string]bool{}
	for _, o := range orders {
		asked, posted, added := o.run(t)
		places := map[column]place{stored: added.stored, shown: added.shown, crm: added.crm}
		whole := row{group: "sending", sample: o.name, cells: map[column]cell{in: absent, out: absent}}
		for c, p := range places {
			whole.cells[c] = p.anything()
		}
		if posted != nil {
			whole.cells[out], wires[o.name] = yes, true
		}
		rows = append(rows, whole)
		for _, l := range once(leaves("", posted)) {
			if !under(l.path, o.rows) || grammar.MatchString(l.path+"="+l.value) || o.known != anything && !strings.Contains(asked+o.known, l.value) {
				continue // what Meta wants to hear of every message
			}
			wires[l.path] = true
			r := row{"sending", o.name, l.path, map[column]cell{in: absent, out: yes}}
			for c, p := range places {
				r.cells[c], _ = p.shows(l)
			}
			rows = append(rows, r)
		}
		for path := range strings.FieldsSeq(o.never) {
			cells := map[column]cell{}
			for _, c := range columns {
				cells[c] = absent
			}
			rows = append(rows, row{"sending", o.name, path, cells})
		}
	}
	return rows, wires
}

// grammar is what Meta's format asks for and what says nothing by itself.
var grammar = regexp.MustCompile(`^messaging_product=|[._](type|index)=[a-z0-9_]+$|\.action\.name=`)

// once leaves out fields that occurred before.
func once(all []leaf) []leaf {
	seen := map[string]bool{}
	var out []leaf
	for _, l := range all {
		if !seen[l.path] {
			seen[l.path], out = true, append(out, l)
		}
	}
	return out
}

// run makes the request in a world of its own. asked is the request as it was made.
func (o order) run(t testing.TB) (asked string, posted any, added view) {
	w := newWorld(t)
	if o.before == "" {
		o.before = hello
	}
	w.post("messages", o.before)
	was := w.look()
	if o.body == nil {
		return "", nil, w.look().minus(was)
	}
	body, err := json.Marshal(o.body)
	if err != nil {
		t.Fatal(err)
	}
	with := []string{"$conversation", w.conversation()}
	if o.file {
		with = append(with, "$file", w.upload())
	}
	replace := strings.NewReplacer(with...)
	path := "/api/v1/messages"
	if o.path != "" {
		path = replace.Replace(o.path)
	}
	asked = replace.Replace(string(body))
	if status, answer := w.call(http.MethodPost, path, []byte(asked)); status != http.StatusAccepted {
		t.Fatalf("%s: %d %v", o.name, status, answer)
	}
	added = w.look().minus(was)
	if o.file && !slices.ContainsFunc(w.out.posted, func(b []byte) bool { return bytes.Contains(b, []byte(fileBytes)) }) {
		t.Fatalf("%s: Meta wasn't given the file", o.name)
	}
	return asked, w.posted(o.path == ""), added
}

// posted is the message that Meta was sent, or else what it was told: sending also shows the customer's message as read.
func (w *world) posted(message bool) (posted any) {
	for _, body := range w.out.posted {
		v, err := decode(body)
		if o, _ := v.(map[string]any); err == nil && (o["type"] != nil) == message {
			posted = v
		}
	}
	if posted == nil {
		w.t.Fatal("Meta wasn't sent anything")
	}
	return posted
}

// upload puts a file into the bucket as a company does, and returns its id.
func (w *world) upload() string {
	ask := []byte(`{"name":"Company-offer.pdf","mime":"application/pdf","size":10}`)
	_, answer := w.call(http.MethodPost, "/api/v1/media", ask)
	granted, _ := answer.(map[string]any)
	id, _ := granted["id"].(string)
	content := strings.NewReader(fileBytes)
	err := w.sim.Bucket.Put(w.t.Context(), "uploads/"+id, content, content.Size(), blob.PutOptions{ContentType: "application/pdf"})
	if err != nil || id == "" {
		w.t.Fatalf("upload: %v %v", answer, err)
	}
	return id
}

// conversation is the id of the only one there is.
func (w *world) conversation() string {
	for key := range w.sim.Table.Items() {
		if id, ok := strings.CutPrefix(key[0], "CONV#"); ok && key[1] == "CONV" {
			return id
		}
	}
	w.t.Fatal("there is no conversation")
	return ""
}
