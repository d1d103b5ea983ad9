package handler

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"threadline/shared/blob"
	"threadline/shared/chat"
)

func TestUpload(t *testing.T) {
	const sum = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"
	r := newRig(t)
	var v uploadView
	r.call("POST", "/api/v1/media", `{"name":"Bill März.pdf","mime":"Application/PDF","size":7,"sha256":"`+sum+`"}`).want(http.StatusCreated, &v)
	if !strings.HasPrefix(v.ID, "f_") || v.Method != "PUT" || !v.Expires.Equal(noon.Add(uploadFor)) {
		t.Errorf("%+v", v)
	}
	u, err := url.Parse(v.URL)
	if err != nil {
		t.Fatal(err)
	}
	signed := u.Query().Get("X-Amz-SignedHeaders")
	if !strings.HasSuffix(u.Path, "/uploads/"+v.ID) || u.Query().Get("X-Amz-Expires") != "900" ||
		!strings.Contains(signed, "content-length") || !strings.Contains(signed, "content-type") || !strings.Contains(v.URL, "Checksum-Sha256") && v.Headers["X-Amz-Checksum-Sha256"] == "" {
		t.Errorf("the request is %s with %v", v.URL, v.Headers)
	}
	if v.Headers["Content-Type"] != "application/pdf" || v.Headers["Content-Length"] != "7" {
		t.Errorf("headers %v", v.Headers)
	}
	f, err := r.store.File(t.Context(), v.ID)
	if err != nil || f.Name != "Bill März.pdf" || f.MIME != "application/pdf" || f.Size != 7 || f.SHA256 != strings.ToLower(sum) || f.Key != "uploads/"+v.ID {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestBadUpload(t *testing.T) {
	big := func(mime string, size int) string {
		return fmt.Sprintf(`{"name":"a","mime":%q,"size":%d}`, mime, size)
	}
	for _, c := range []struct {
		body, says string
		beyond     bool // the document can't express it
	}{
		{`{"mime":"image/png","size":1}`, "name: use a file name", false},
		{`{"name":"../a","mime":"image/png","size":1}`, "name: use", true},
		{`{"name":"..","mime":"image/png","size":1}`, "name: use", true},
		{`{"name":"a\\b","mime":"image/png","size":1}`, "name: use", true},
		{`{"name":"a\r\nX-Evil: 1","mime":"image/png","size":1}`, "name: use", true},
		{`{"name":"` + strings.Repeat("x", 241) + `","mime":"image/png","size":1}`, "name: use", false},
		{`{"name":"a","size":1}`, "mime: use a type such as image/jpeg", false},
		{`{"name":"a","mime":"png","size":1}`, "mime: use", true},
		{`{"name":"a","mime":"image/png\r\nX-Evil: 1","size":1}`, "mime: use", true},
		{`{"name":"a","mime":"text/html","size":1}`, "mime: WhatsApp takes no files of this type", true},
		{`{"name":"a","mime":"audio/ogg; codecs=flac","size":1}`, "mime: WhatsApp takes no files of this type", true},
		{`{"name":"a","mime":"image/png"}`, "size: use the file's length in bytes", false},
		{`{"name":"a","mime":"image/png","size":0}`, "size: use", false},
		{`{"name":"a","mime":"image/png","size":-5}`, "size: use", false},
		{`{"name":"a","mime":"image/png","size":1.5}`, `"size" must be a number`, false},
		{big("image/jpeg", 5<<20+1), "size: 5242881 bytes, and WhatsApp takes at most 5242880 of this type", true},
		{big("video/mp4", 16<<20+1), "size: 16777217 bytes, and WhatsApp takes at most 16777216", true},
		{big("audio/ogg", 16<<20+1), "size: 16777217 bytes", true},
		{big("application/pdf", 100<<20+1), "size: 104857601 bytes, and WhatsApp takes at most 104857600", true},
		{big("image/webp", 500<<10+1), "size: 512001 bytes, and WhatsApp takes at most 512000", true},
		{`{"name":"a","mime":"image/png","size":1,"sha256":"abc"}`, "sha256: use 64 hexadecimal digits", false},
		{`{"name":"a","mime":"image/png","size":1,"sha256":"` + strings.Repeat("x", 64) + `"}`, "sha256: use", false},
		{`{"name":"a","mime":"image/png","size":1,"data":"…"}`, `unknown field "data"`, false},
		{``, "empty", false},
	} {
		r := newRig(t)
		req := r.request("POST", "/api/v1/media", c.body, "Content-Type", "application/json")
		if err := described(t, req).allows(req); (err == nil) != c.beyond {
			t.Errorf("%s: the document: %v", c.body, err)
		}
		r.serve(req, false).refused(http.StatusBadRequest, "invalid", c.says)
	}
	for mime, size := range map[string]int{"image/jpeg": 5 << 20, "video/3gpp": 16 << 20, "application/pdf": 100 << 20, "image/webp": 500 << 10, "audio/ogg; codecs=opus": 16 << 20} {
		newRig(t).call("POST", "/api/v1/media", big(mime, size)).want(http.StatusCreated, nil)
	}
}

// A type is written in one way, without what doesn't belong into a header.
func TestTypeOfAnUpload(t *testing.T) {
	for given, want := range map[string]string{
		" Image/PNG ": "image/png", "image/png\r\n": "image/png", "audio/ogg;\r\n  CODECS=\"opus\"": "audio/ogg; codecs=opus",
	} {
		u := upload{Name: "a", MIME: given, Size: 1}
		if _, err := u.check(); err != nil || u.MIME != want {
			t.Errorf("%q is %q, %v", given, u.MIME, err)
		}
	}
}

func TestUploadOutOfReach(t *testing.T) {
	r := newRig(t)
	r.files.err = errors.New("no credentials")
	r.call("POST", "/api/v1/media", bodies["/api/v1/media"]).refused(http.StatusServiceUnavailable, "unavailable", "try again")
	r.files.err = nil
	id := r.upload("application/pdf", "a.pdf", 7)
	r.files.err = errors.New("connection refused")
	r.post(`{"to":"+34600111222","media":{"type":"document","id":"`+id+`"}}`).refused(http.StatusServiceUnavailable, "unavailable", "try again")
}

// upload has a file of so many bytes uploaded and returns its id.
func (r *rig) upload(mime, name string, size int) string {
	r.Helper()
	var v uploadView
	r.call("POST", "/api/v1/media", fmt.Sprintf(`{"name":%q,"mime":%q,"size":%d}`, name, mime, size)).want(http.StatusCreated, &v)
	if err := r.files.Put(r.Context(), "uploads/"+v.ID, strings.NewReader(strings.Repeat("x", size)), int64(size), blob.PutOptions{}); err != nil {
		r.Fatal(err)
	}
	return v.ID
}

func TestSendAnUpload(t *testing.T) {
	for _, c := range []struct {
		name, mime, media string
		want              chat.Attachment
		says              string // in place of want
	}{
		{name: "document", mime: "application/pdf", media: `"type":"document","caption":"bill"`, want: chat.Attachment{Name: "a.bin", MIME: "application/pdf"}},
		{name: "renamed", mime: "application/pdf", media: `"type":"document","filename":"b.pdf"`, want: chat.Attachment{Name: "b.pdf", MIME: "application/pdf"}},
		{name: "photo as document", mime: "image/png", media: `"type":"document"`, want: chat.Attachment{Name: "a.bin", MIME: "image/png"}},
		{name: "image", mime: "image/png", media: `"type":"image"`, want: chat.Attachment{MIME: "image/png"}}, // Meta takes no name for one
		{name: "sticker", mime: "image/webp", media: `"type":"sticker"`, want: chat.Attachment{MIME: "image/webp"}},
		{name: "voice note", mime: "audio/ogg; codecs=opus", media: `"type":"audio","voice":true`, want: chat.Attachment{MIME: "audio/ogg; codecs=opus", Voice: true}},
		{name: "voice note in mp3", mime: "audio/mpeg", media: `"type":"audio","voice":true`, says: "media.voice: a voice note is audio/ogg with the Opus codec"},
		{name: "pdf as image", mime: "application/pdf", media: `"type":"image"`, says: "media.type: WhatsApp takes no image of the type application/pdf"},
		{name: "webp as image", mime: "image/webp", media: `"type":"image"`, says: "media.type: WhatsApp takes no image"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			file := r.upload(c.mime, "a.bin", 7)
			a := r.post(`{"to":"+34600111222","media":{` + c.media + `,"id":"` + file + `"}}`)
			if c.says != "" {
				a.refused(http.StatusBadRequest, "invalid", c.says)
				return
			}
			id := a.sent()
			c.want.State, c.want.Key, c.want.Size = chat.Stored, "uploads/"+file, 7
			if m := r.last(); *m.Attachment != c.want {
				t.Errorf("%+v, want %+v", m.Attachment, c.want)
			}
			var v messageView
			r.get("/api/v1/messages/"+string(id)).want(http.StatusOK, &v)
			if v.Attachment.State != chat.Stored || v.Attachment.URL == "" || v.Attachment.Size != 7 {
				t.Errorf("shown as %+v", v.Attachment)
			}
		})
	}
}

func TestSendNoUpload(t *testing.T) {
	r := newRig(t)
	send := func(id string) answer {
		return r.post(`{"to":"+34600111222","media":{"type":"document","id":"` + id + `"}}`)
	}
	send("f_NOTHING").refused(http.StatusBadRequest, "invalid", "media.id: there is no such file")
	var v uploadView
	r.call("POST", "/api/v1/media", bodies["/api/v1/media"]).want(http.StatusCreated, &v)
	send(v.ID).refused(http.StatusBadRequest, "invalid", "media.id: the file's bytes haven't been uploaded (yet)")
	if err := r.files.Put(t.Context(), "uploads/"+v.ID, strings.NewReader("abc"), 3, blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	send(v.ID).refused(http.StatusBadRequest, "invalid", "media.id: 3 bytes were uploaded, and 7 announced")
	if found, err := r.store.FindContacts(t.Context(), ana, nil); err != nil || len(found) > 0 || len(r.queue.entries) > 0 {
		t.Errorf("contacts %v, %d entries, %v", found, len(r.queue.entries), err)
	}
	r.now = r.now.Add(time.Hour)
	send(r.upload("application/pdf", "a.pdf", 7)).sent()
}
