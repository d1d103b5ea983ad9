package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"threadline/infra/local/meta"
	"threadline/shared/whatsapp/whatsapptest"
)

// padded is a signed-for-sure JSON body of exactly size bytes. It tells of no account, so it is kept raw.
func padded(size int) []byte {
	const head, tail = `{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"e2e_padding","value":{"pad":"`, `"}}]}]}`
	return []byte(head + strings.Repeat("a", size-len(head)-len(tail)) + tail)
}

// refusals are what the webhook says to those who aren't Meta, and the sizes that it takes.
func refusals(t *testing.T, w *world) {
	const limit = 3 << 20
	text := whatsapptest.Text(number, "34600555099", "wamid.refused", "never stored", time.Now())
	good := whatsapptest.Sign(appSecret, text)
	w.secret("34600555099", "never stored", "wamid.refused")
	var none []byte
	for _, c := range []struct {
		name, method, path, signature string
		body                          []byte
		want                          int
	}{
		{"not signed", http.MethodPost, "/webhook", "", text, http.StatusUnauthorized},
		{"malformed signature", http.MethodPost, "/webhook", "sha256=xyz", text, http.StatusUnauthorized},
		{"forged signature", http.MethodPost, "/webhook", whatsapptest.Sign("guessed", text), text, http.StatusUnauthorized},
		{"signature of another body", http.MethodPost, "/webhook", good, append([]byte(" "), text...), http.StatusUnauthorized},
		{"right verify token", http.MethodGet, "/webhook?hub.mode=subscribe&hub.challenge=42&hub.verify_token=" + verifyToken, "", none, http.StatusOK},
		{"wrong verify token", http.MethodGet, "/webhook?hub.mode=subscribe&hub.challenge=42&hub.verify_token=guessed", "", none, http.StatusForbidden},
		{"no verify token", http.MethodGet, "/webhook", "", none, http.StatusForbidden},
		{"PUT", http.MethodPut, "/webhook", good, text, http.StatusMethodNotAllowed},
		{"DELETE", http.MethodDelete, "/webhook", good, none, http.StatusMethodNotAllowed},
		{"3 MiB and a byte", http.MethodPost, "/webhook", whatsapptest.Sign(appSecret, padded(limit+1)), padded(limit + 1), http.StatusRequestEntityTooLarge},
		{"exactly 3 MiB", http.MethodPost, "/webhook", whatsapptest.Sign(appSecret, padded(limit)), padded(limit), http.StatusOK},
		{"not JSON", http.MethodPost, "/webhook", whatsapptest.Sign(appSecret, []byte("a=1&b=\xff")), []byte("a=1&b=\xff"), http.StatusOK},
	} {
		if got := w.request(t, c.method, c.path, c.signature, c.body); got != c.want {
			t.Errorf("%s: status %d, want %d", c.name, got, c.want)
		}
	}
	eventually(t, patience, func() error {
		if n := w.counted(t, "router", "RawUpdate"); n != 2 {
			return fmt.Errorf("%d updates kept raw, want 2: the one of 3 MiB and the one that is no JSON", n)
		}
		return nil
	})
	var found struct{ Contacts []object }
	if err := w.get(t, "/contacts?phone=34600555099", &found); err != nil || len(found.Contacts) != 0 {
		t.Errorf("what was refused has left %v (%v)", found.Contacts, err)
	}
	if n := w.counted(t, "webhook", "SignatureRejected"); n != 4 {
		t.Errorf("%d rejected signatures counted, want 4", n)
	}
	if got := w.request(t, http.MethodGet, "/api/v1/conversations", "", none); got != http.StatusUnauthorized {
		t.Errorf("the API without a key: status %d", got)
	}
}

// foreignNumber is a phone_number_id that isn't ours: stored under its own number, with a metric.
func foreignNumber(t *testing.T, w *world) {
	const foreign, text = "15550100777", "Is this the right number?"
	w.secret("34600555010", text)
	if status := w.post(t, whatsapptest.Text(foreign, "34600555010", "wamid.foreign", text, time.Now())); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	eventually(t, patience, func() error {
		var m struct{ Conversation, Text string }
		if err := w.messageByID(t, "wamid.foreign", &m); err != nil {
			return err
		}
		if m.Text != text || !strings.HasPrefix(m.Conversation, foreign+".") {
			return fmt.Errorf("stored as %+v", m)
		}
		return nil
	})
	if n := w.counted(t, "router", "UnknownNumber"); n == 0 {
		t.Error("the foreign number was not counted")
	}
}

// batch is the largest POST that Meta sends, a thousand updates, posted three times over.
func batch(t *testing.T, w *world) {
	const updates, customers = 1000, 50
	at := time.Now().Unix()
	var messages, contacts []any
	for i := range customers {
		phone := fmt.Sprintf("346117%05d", i)
		contacts = append(contacts, object{"profile": object{"name": fmt.Sprintf("Batch Customer %d", i)}, "wa_id": phone})
		w.secret(phone)
	}
	for i := range updates {
		text := fmt.Sprintf("number %d of a thousand", i/customers)
		w.secret(text)
		messages = append(messages, object{"from": fmt.Sprintf("346117%05d", i%customers), "id": fmt.Sprintf("wamid.batch-%04d", i),
			"timestamp": fmt.Sprint(at), "type": "text", "text": object{"body": text}})
	}
	body := whatsapptest.Change(number, object{"contacts": contacts, "messages": messages})
	for range 3 {
		if status := w.post(t, body); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
	}
	for i := range customers {
		phone := fmt.Sprintf("346117%05d", i)
		var all []message
		eventually(t, 2*patience, func() error {
			var found struct{ Contacts []struct{ ID string } }
			err := w.get(t, "/contacts?phone="+phone, &found)
			if err == nil && len(found.Contacts) == 1 {
				all, err = w.messages(t, number+"."+found.Contacts[0].ID, 100)
			}
			if err == nil && len(all) != updates/customers {
				err = fmt.Errorf("customer %d has %d messages, want %d", i, len(all), updates/customers)
			}
			return err
		})
		for k, m := range all {
			if m.Text != fmt.Sprintf("number %d of a thousand", k) {
				t.Errorf("customer %d: message %d is %q", i, k, m.Text)
			}
		}
	}
}

// long is a text beyond what a queue or an item takes: it travels and is kept whole as an object, and the conversation
// has as much of it as WhatsApp lets people write sixteen times over.
func long(t *testing.T, w *world) {
	text := strings.Repeat("a long story, ", 20_000)
	w.secret("34600555011", text[:200])
	if status := w.post(t, whatsapptest.Text(number, "34600555011", "wamid.long", text, time.Now())); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	eventually(t, patience, func() error {
		var m message
		if err := w.messageByID(t, "wamid.long", &m); err != nil {
			return err
		}
		if len(m.Text) < 65_536 || !strings.HasPrefix(text, m.Text) {
			return fmt.Errorf("%d characters arrived of %d", len(m.Text), len(text))
		}
		return nil
	})
	for prefix, kept := range map[string]int{"claim/": 1, "raw/": 1} {
		for _, object := range w.objects(t, prefix) {
			if size := aws.ToInt64(object.Size); size > int64(len(text)) && size < int64(len(text))+2000 {
				kept--
			}
		}
		if kept != 0 {
			t.Errorf("no object of that length under %s", prefix)
		}
	}
}

// repeated is Meta in doubt: everything comes twice, in any order.
func repeated(t *testing.T, w *world) {
	noor := w.customer(t, "Noor Twice", "34600555012")
	if err := w.Meta().SetFaults(meta.Faults{Webhooks: "twice"}); err != nil {
		t.Fatal(err)
	}
	defer w.Meta().SetFaults(meta.Faults{})
	photo := randomFile(5000)
	noor.writes(t, meta.Draft{Text: "Once"})
	noor.writes(t, meta.Draft{File: &meta.Upload{Name: "a.jpg", MIME: "image/jpeg", Body: bytes.NewReader(photo)}})
	noor.known(t)
	noor.hasEntries(t)
	m := w.reaches(t, w.ask(t, "", object{"to": object{"contact": noor.contact}, "text": "Answered once"}), "delivered")
	w.secret("Answered once", m.ProviderID)
	noor.hasEntries(t)
	all, err := w.messages(t, noor.conversation, 100)
	if err != nil || len(all) != 3 {
		t.Errorf("%d messages, want 3 (%v)", len(all), err)
	}
	if n := noor.shows("Answered once"); n != 1 {
		t.Errorf("%d times on the phone", n)
	}
}
