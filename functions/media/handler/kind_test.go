package handler

import (
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/whatsapp"
)

// The first bytes of some files.
const (
	jpeg = "\xff\xd8\xff\xe0\x00\x10JFIF"
	png  = "\x89PNG\x0d\x0a\x1a\x0a"
	ogg  = "OggS\x00\x02"
	mp4  = "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
	pdf  = "%PDF-1.7\n"
	zip  = "PK\x03\x04"
	html = "<!DOCTYPE html><html><body>Sorry, something went wrong</body></html>"
)

func TestAFileIsWhatItsFirstBytesSay(t *testing.T) {
	for _, test := range []struct {
		name, declared, content string
		state                   chat.FileState
		mime                    string
	}{
		{"a photo", "image/jpeg", jpeg, chat.Stored, "image/jpeg"},
		{"a photo of another kind", "image/jpeg", png, chat.Unverified, "image/png"},
		{"a voice note", "audio/ogg; codecs=opus", ogg, chat.Stored, "audio/ogg; codecs=opus"},
		{"sound in a container for pictures", "audio/mp4", mp4, chat.Stored, "audio/mp4"},
		{"a recording that is a photo", "video/mp4", jpeg, chat.Unverified, "image/jpeg"},
		{"a PDF", "application/pdf", pdf, chat.Stored, "application/pdf"},
		{"a page as a PDF", "application/pdf", html, chat.Unverified, "text/html; charset=utf-8"},
		{"an office document is a zip", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", zip, chat.Stored,
			"application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"a page that was sent as one", "text/html", html, chat.Stored, "text/html"},
		{"bytes that say nothing", "image/jpeg", "\x00\x01\x02", chat.Stored, "image/jpeg"},
		{"a type that can't be read", "jpeg, I think", png, chat.Stored, "jpeg, I think"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t, chat.Attachment{MediaID: "900", MIME: test.declared, SHA256: base64Of(test.content)}, answer{body: test.content})
			if err := r.receive(); err != nil {
				t.Fatal(err)
			}
			a := r.attachment()
			if a.State != test.state || a.MIME != test.mime {
				t.Errorf("it is %s, %s (%s)", a.State, a.MIME, a.Reason)
			}
			if content, info := r.stored(a.Key); content != test.content || info.ContentType != test.mime {
				t.Errorf("the bucket has %q of type %s", content, info.ContentType)
			}
		})
	}
}

// TestAPageInPlaceOfAFileIsWaitedOut: servers have bad hours, and the file is there for a week.
func TestAPageInPlaceOfAFileIsWaitedOut(t *testing.T) {
	for name, declared := range map[string]string{"no hash": "", "with a hash": base64Of(jpeg)} {
		t.Run(name, func(t *testing.T) {
			page := answer{body: html}
			r := newRig(t, chat.Attachment{MediaID: "900", MIME: "image/jpeg", SHA256: declared}, page)
			for range 10 {
				if err := r.receive(); chat.CodeOf(err) != chat.Unavailable {
					t.Fatalf("it doesn't wait: %v", err)
				}
			}
			if a := r.attachment(); a.State != chat.Pending {
				t.Fatalf("it is %s", a.State)
			}
			r.graph.answers = []answer{{body: jpeg}}
			if err := r.receive(); err != nil {
				t.Fatal(err)
			}
			if a := r.attachment(); a.State != chat.Stored {
				t.Errorf("it is %s", a.State)
			}
		})
	}
	t.Run("for a week", func(t *testing.T) {
		r := newRig(t, chat.Attachment{MediaID: "900", MIME: "image/jpeg"}, answer{body: html})
		r.now = noon.Add(whatsapp.MediaLife + time.Second)
		if err := r.receive(); err != nil {
			t.Fatal(err)
		}
		if a := r.attachment(); a.State != chat.FileFailed || a.Reason == "" {
			t.Errorf("it is %s (%s)", a.State, a.Reason)
		}
	})
}

func TestAFileLongerThanMetaAllowsIsNotTaken(t *testing.T) {
	r := newRig(t, chat.Attachment{MediaID: "900", MIME: "video/mp4"}, answer{body: mp4, length: maxFile + 1})
	if err := r.receive(); err != nil {
		t.Fatal(err)
	}
	if a := r.attachment(); a.State != chat.FileFailed || !strings.Contains(a.Reason, "longer") {
		t.Errorf("it is %s (%s)", a.State, a.Reason)
	}
	if r.bucket.puts != 0 {
		t.Error("the bucket got some of it")
	}
}
