package meta

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWebhookIsRepeatedUntil200(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.answerWith(http.StatusInternalServerError)
	c := r.hello()
	r.eventually("three attempts", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.bodies) >= 3 })
	m := r.Messages(c.ID)[0]
	if m.Status != "accepted" || m.Problem != "the webhook answers 500" {
		t.Errorf("meanwhile: %q, %q", m.Status, m.Problem)
	}
	r.answerWith(http.StatusOK)
	r.RetryNow()
	r.eventually("two ticks", func() bool { m := r.Messages(c.ID)[0]; return m.Status == "delivered" && m.Problem == "" })
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, body := range r.bodies {
		if !bytes.Equal(body, r.bodies[0]) {
			t.Error("an attempt has other bytes than the first")
		}
	}
	if len(r.inbound) != 1 {
		t.Errorf("%d messages accepted, want 1", len(r.inbound))
	}
}

func TestNotExactly200IsNotAccepted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.answerWith(http.StatusCreated)
	r.hello()
	r.eventually("a second attempt", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.bodies) >= 2 })
}

func TestProblemsAreInPlainWords(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.WebhookURL = "http://127.0.0.1:1/webhook" })
	c := r.hello()
	r.eventually("words", func() bool {
		return strings.HasPrefix(r.Messages(c.ID)[0].Problem, "nothing listens at the webhook's address")
	})
}

func TestOneCustomersMessagesArriveInOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var want []string
	c := r.Customers()[0]
	for i := range 50 {
		want = append(want, fmt.Sprint(i))
		if _, err := r.WriteText(c.ID, want[i]); err != nil {
			t.Fatal(err)
		}
	}
	r.eventually("all", func() bool { in, _ := r.received(); return len(in) == len(want) })
	inbound, _ := r.received()
	var got []string
	for _, m := range inbound {
		got = append(got, m["text"].(map[string]any)["body"].(string))
	}
	if !slices.Equal(got, want) {
		t.Errorf("order = %v", got)
	}
}

func TestUpdatesThatPileUpShareAPost(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if err := r.SetFaults(Faults{Webhooks: "held"}); err != nil {
		t.Fatal(err)
	}
	c := r.Customers()[0]
	for range 150 {
		if _, err := r.WriteText(c.ID, "x"); err != nil {
			t.Fatal(err)
		}
	}
	if in, _ := r.received(); len(in) != 0 {
		t.Fatalf("%d updates although webhooks are held", len(in))
	}
	if err := r.SetFaults(Faults{}); err != nil {
		t.Fatal(err)
	}
	r.eventually("all", func() bool { in, _ := r.received(); return len(in) == 150 })
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.bodies) != 2 || len(r.contacts) != 2 {
		t.Errorf("%d posts with %d contacts, want 2 with one each", len(r.bodies), len(r.contacts))
	}
}

func TestWebhooksTwiceAndShuffled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if err := r.SetFaults(Faults{Webhooks: "twice"}); err != nil {
		t.Fatal(err)
	}
	c := r.hello()
	r.eventually("two copies", func() bool { in, _ := r.received(); return len(in) == 2 && in[0]["id"] == in[1]["id"] })
	if err := r.SetFaults(Faults{Webhooks: "shuffled"}); err != nil {
		t.Fatal(err)
	}
	var sent []string
	for i := range 30 {
		sent = append(sent, fmt.Sprint(i))
		if _, err := r.WriteText(c.ID, sent[i]); err != nil {
			t.Fatal(err)
		}
	}
	r.eventually("all", func() bool { in, _ := r.received(); return len(in) == 32 })
	inbound, _ := r.received()
	var got []string
	for _, m := range inbound[2:] {
		got = append(got, m["text"].(map[string]any)["body"].(string))
	}
	if slices.Equal(got, sent) {
		t.Error("30 shuffled messages arrived in order")
	}
}

func TestSendFaults(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	delivered := func(n int) func() bool {
		return func() bool { return len(r.Messages(c.ID)) == 1+n }
	}

	must := func(f Faults) {
		t.Helper()
		if err := r.SetFaults(f); err != nil {
			t.Fatal(err)
		}
	}
	must(Faults{Send: "error-after", Times: 1})
	if status, code := r.refused(r.send(text(c, "1"))); status != 500 || code != 131000 {
		t.Errorf("error-after: %d %d", status, code)
	}
	r.eventually("delivered nevertheless", delivered(1))
	if r.Faults().Send != "" {
		t.Error("a fault for one message hits a second one")
	}

	must(Faults{Send: "drop-after", Times: 1})
	req, err := http.NewRequest("POST", r.server.URL+"/v26.0/"+DefaultNumber+"/messages",
		strings.NewReader(`{"messaging_product":"whatsapp","to":"+`+c.Phone+`","text":{"body":"2"}}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if resp, err := http.DefaultClient.Do(req); err == nil {
		resp.Body.Close()
		t.Errorf("drop-after: answered %d", resp.StatusCode)
	}
	r.eventually("delivered nevertheless", delivered(2))

	must(Faults{Send: "refuse", Code: 130429, Times: 1})
	if status, code := r.refused(r.send(text(c, "3"))); status != 400 || code != 130429 {
		t.Errorf("refuse: %d %d", status, code)
	}
	must(Faults{Send: "slow", Wait: 1, Times: 1})
	began := time.Now()
	r.mustSend(text(c, "4"))
	if took := time.Since(began); took < time.Second {
		t.Errorf("slow: answered after %s", took)
	}
	r.eventually("delivered, the refused one not", delivered(3))

	must(Faults{Send: "fail-later", Code: 131026, Times: 1})
	id := r.mustSend(text(c, "5"))
	r.eventually("failed", func() bool { return slices.Equal(r.receipts(id), []string{"failed"}) })
	if err := r.SetFaults(Faults{Send: "explode"}); err == nil {
		t.Error("an unknown fault is taken")
	}
}

func TestEverythingIsThereAfterARestart(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.Delays.Sent = 200 * time.Millisecond })
	c := r.hello()
	r.eventually("accepted", func() bool { in, _ := r.received(); return len(in) == 1 })
	_, out := r.upload("a.txt", "text/plain", []byte("hello"))
	id := r.mustSend(text(c, "Receipts still to come"))
	r.answerWith(http.StatusInternalServerError)
	if _, err := r.WriteText(c.ID, "Not accepted yet"); err != nil {
		t.Fatal(err)
	}
	r.eventually("refused", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.bodies) > 1 })
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(r.opts.StateDir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v (%v), want 0600", path, info.Mode(), err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	r.answerWith(http.StatusOK)
	r.start()
	// The attempt that Close broke off may have arrived, too.
	r.eventually("the webhook that waited", func() bool { in, _ := r.received(); return len(in) >= 2 })
	r.eventually("the receipts that were due", func() bool { return slices.Equal(r.receipts(id), []string{"sent", "delivered"}) })
	if status, _ := r.get(out["id"].(string)); status != 200 {
		t.Errorf("the uploaded file: %d", status)
	}
	if got := r.Customers()[0]; got.BSUID != c.BSUID {
		t.Error("the customer has another BSUID")
	}
	r.mustSend(text(c, "The window is still open"))
}
