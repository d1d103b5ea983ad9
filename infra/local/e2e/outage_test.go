package e2e

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"threadline/infra/local/meta"
)

// crmDown is a CRM that answers 500 for some seconds: the record is complete and in order afterwards.
func crmDown(t *testing.T, w *world) {
	omar := w.customer(t, "Omar Patient", "34600555030")
	w.HubSpot().Fail(time.Now().Add(3 * time.Second))
	photo := randomFile(7000)
	omar.writes(t, meta.Draft{Text: "first of three"})
	omar.writes(t, meta.Draft{File: &meta.Upload{Name: "b.jpg", MIME: "image/jpeg", Caption: "second of three", Body: bytes.NewReader(photo)}})
	omar.writes(t, meta.Draft{Text: "third of three"})
	w.secret("second of three")
	omar.known(t)
	eventually(t, patience, func() error {
		_, entries, err := omar.record()
		if err != nil {
			return err
		}
		if len(entries) != 3 || len(entries[1].Files) != 1 {
			return fmt.Errorf("%d entries", len(entries))
		}
		return nil
	})
	_, entries, err := omar.record()
	if err != nil {
		t.Fatal(err)
	}
	for i, word := range []string{"first", "second", "third"} {
		if !strings.Contains(entries[i].HTML, word) {
			t.Errorf("entry %d: %s", i, entries[i].HTML)
		}
	}
	sameFile(t, w, entries[1].Files[0], photo)
}

// fileGone is a CRM that is down until the bucket's lifecycle has deleted a photo: the record says so.
func fileGone(t *testing.T, w *world) {
	gus := w.customer(t, "Gus Forgotten", "34600555031")
	w.HubSpot().Fail(time.Now().Add(time.Hour))
	id := gus.writes(t, meta.Draft{File: &meta.Upload{Name: "e.jpg", MIME: "image/jpeg", Body: bytes.NewReader(randomFile(4000))}})
	eventually(t, patience, func() error {
		var m message
		if err := w.messageByID(t, id, &m); err != nil {
			return err
		}
		if m.Attachment == nil || m.Attachment.State != "stored" {
			return fmt.Errorf("the photo is %+v", m.Attachment)
		}
		return nil
	})
	gus.known(t)
	bucket := w.Output("BucketName")
	for _, object := range w.objects(t, "media/"+gus.conversation+"/") {
		if _, err := w.bucket().DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: object.Key}); err != nil {
			t.Fatal(err)
		}
	}
	w.HubSpot().Fail(time.Time{})
	eventually(t, patience, func() error {
		_, entries, err := gus.record()
		if err == nil && (len(entries) != 1 || !strings.Contains(entries[0].HTML, "past its retention")) {
			err = fmt.Errorf("the record holds %+v", entries)
		}
		return err
	})
}

// metaDown is a Graph API that takes a message and answers 500, or nothing at all. Nobody knows what became of it until
// the receipt comes; there is one message on the phone, and the next one hasn't overtaken it.
func metaDown(t *testing.T, w *world) {
	var people []*person
	var first, second []string
	defer w.Meta().SetFaults(meta.Faults{})
	faults := []string{"error-after", "drop-after"}
	for i := range faults {
		p := w.customer(t, fmt.Sprintf("Pat Ambiguous %d", i), fmt.Sprintf("3460055504%d", i))
		p.writes(t, meta.Draft{Text: "please answer"})
		p.known(t)
		people = append(people, p)
	}
	for i, fault := range faults {
		if err := w.Meta().SetFaults(meta.Faults{Send: fault, Times: 1, Webhooks: "held"}); err != nil {
			t.Fatal(err)
		}
		to := object{"contact": people[i].contact}
		first = append(first, w.ask(t, "", object{"to": to, "text": "perhaps sent"}))
		w.reaches(t, first[i], "unknown")
		second = append(second, w.ask(t, "", object{"to": to, "text": "surely sent"}))
	}
	w.secret("perhaps sent", "surely sent")
	if err := w.Meta().SetFaults(meta.Faults{}); err != nil {
		t.Fatal(err)
	}
	for i, p := range people {
		if m := w.reaches(t, first[i], "delivered"); !inOrder(m, "unknown", "delivered") {
			t.Errorf("history %v", m.History)
		}
		w.reaches(t, second[i], "delivered")
		p.hasEntries(t)
		if got := p.replies(); !slices.Equal(got, []string{"perhaps sent", "surely sent"}) {
			t.Errorf("the phone shows %q", got)
		}
	}
}
