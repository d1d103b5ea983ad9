package meta

import "testing"

// Every message of an import comes once, with the time and the order it had, whatever the pieces.
func TestHistory(t *testing.T) {
	t.Parallel()
	for _, shuffled := range []bool{false, true} {
		r := newRig(t)
		done := must[Imported](t)(r.ImportHistory(Import{Threads: 7, Messages: 30, Chunk: 40, Media: 10, Shuffled: shuffled}))
		if done.Messages != 210 || done.Media != 21 || len(done.Phones) != 7 || done.Phones[0] != "12025550101" {
			t.Fatalf("done = %+v", done)
		}
		texts, placeholders, photos, chunks := map[string]bool{}, map[any]bool{}, map[any]bool{}, 0
		r.eventually("all of it", func() bool {
			clear(texts)
			clear(placeholders)
			clear(photos)
			chunks = 0
			for _, v := range r.told("history", 1) {
				for _, m := range list(v["messages"]) {
					photos[m["id"]] = path(m, "image", "id") != nil
				}
				for _, chunk := range list(v["history"]) {
					chunks++
					collect(chunk, texts, placeholders)
				}
			}
			return len(texts) == 189 && len(photos) == 21
		})
		if chunks != 6 || len(placeholders) != 21 {
			t.Errorf("%d chunks and %d placeholders, want 6 and 21", chunks, len(placeholders))
		}
		for id := range placeholders {
			if !photos[id] {
				t.Errorf("the photo of %v does not come", id)
			}
		}
		r.mu.Lock()
		for _, body := range r.bodies {
			if len(body) > 3<<20 {
				t.Errorf("a POST has %d bytes", len(body))
			}
		}
		r.mu.Unlock()
		r.Close()
	}
}

func collect(chunk map[string]any, texts map[string]bool, placeholders map[any]bool) {
	for _, thread := range list(chunk["threads"]) {
		for _, m := range list(thread["messages"]) {
			if m["type"] == "media_placeholder" {
				placeholders[m["id"]] = true
			} else {
				texts[path(m, "text", "body").(string)] = true
			}
		}
	}
}

func TestHistoryIsDeclined(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	must[Imported](t)(r.ImportHistory(Import{Declined: true}))
	if got := path(r.told("history", 1)[0], "history", 0, "errors", 0, "code"); got != 2593109.0 {
		t.Errorf("code = %v", got)
	}
	for _, in := range []Import{{}, {Threads: 1, Messages: mostImported + 1}, {Number: "1", Threads: 1, Messages: 1}} {
		if _, err := r.ImportHistory(in); err == nil {
			t.Errorf("%+v is taken", in)
		}
	}
}
