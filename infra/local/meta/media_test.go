package meta

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"image/jpeg"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// download fetches a media URL and returns status, content type and bytes.
func (r *rig) download(address, bearer string) (int, string, []byte) {
	r.t.Helper()
	req, err := http.NewRequest("GET", address, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), raw
}

func TestUploadedFile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	content := []byte("%PDF-1.4 not much of one")
	sum := sha256.Sum256(content)
	_, out := r.upload("a.pdf", "application/pdf", content)
	id := out["id"].(string)

	status, facts := r.get(id + "?phone_number_id=" + DefaultNumber)
	if status != 200 || facts["sha256"] != hex.EncodeToString(sum[:]) || facts["file_size"] != float64(len(content)) ||
		facts["mime_type"] != "application/pdf" {
		t.Fatalf("%d %v", status, facts)
	}
	address := facts["url"].(string)
	if status, kind, got := r.download(address, token); status != 200 || kind != "application/pdf" || !bytes.Equal(got, content) {
		t.Errorf("download: %d %s %q", status, kind, got)
	}
	if status, _, _ := r.download(address, ""); status != 401 {
		t.Errorf("without a token: %d, want 401", status)
	}
	if status, _, _ := r.download(address+"0", token); status != 404 {
		t.Errorf("changed address: %d, want 404", status)
	}
	r.pass(5*time.Minute + time.Second)
	if status, _, _ := r.download(address, token); status != 404 {
		t.Errorf("after five minutes: %d, want 404", status)
	}
	if status, code := r.refused(r.get(id + "?phone_number_id=1")); status != 400 || code != 100 {
		t.Errorf("of another number: %d %d", status, code)
	}
	if status, out := r.call("DELETE", "/v26.0/"+id, "", nil); status != 200 || out["success"] != true {
		t.Errorf("delete: %d %v", status, out)
	}
	if status, _ := r.get(id); status != 400 {
		t.Errorf("deleted: %d, want 400", status)
	}
}

func TestUploadRules(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, c := range map[string]struct {
		mimeType string
		size     int
		code     int
	}{
		"type not taken":     {"application/zip", 10, 100},
		"empty":              {"image/png", 0, 100},
		"image of 5 MB":      {"image/png", 5 << 20, 0},
		"image above 5 MB":   {"image/png", 5<<20 + 1, 131053},
		"sticker too large":  {"image/webp", 500<<10 + 1, 131053},
		"mime with a detail": {"audio/ogg; codecs=opus", 10, 0},
	} {
		if _, code := r.refused(r.upload("x", c.mimeType, make([]byte, c.size))); code != c.code {
			t.Errorf("%s: code %d, want %d", name, code, c.code)
		}
	}
}

func TestMediaOfTheWrongKindIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.hello()
	_, out := r.upload("a.ogg", "audio/ogg", voiceNote)
	if _, code := r.refused(r.send(object{"to": "+" + c.Phone, "type": "image", "image": object{"id": out["id"]}})); code != 131053 {
		t.Errorf("code %d, want 131053", code)
	}
	id := r.mustSend(object{"to": "+" + c.Phone, "type": "audio", "audio": object{"id": out["id"], "voice": true}})
	r.eventually("delivered", func() bool { return len(r.receipts(id)) == 2 })
	r.See(c.ID, DefaultNumber)
	r.Play(id)
	r.eventually("played", func() bool {
		return slices.Equal(r.receipts(id), []string{"sent", "delivered", "read", "played"})
	})
}

func TestFilesOfCustomers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.Customers()[0]
	for _, kind := range []string{"photo", "document", "voice"} {
		upload, err := sample(kind, r.clock())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Write(c.ID, Draft{File: upload}); err != nil {
			t.Fatal(err)
		}
	}
	r.eventually("three messages", func() bool { in, _ := r.received(); return len(in) == 3 })
	inbound, _ := r.received()
	want := []struct{ kind, mimeType string }{{"image", "image/jpeg"}, {"document", "application/pdf"}, {"audio", "audio/ogg; codecs=opus"}}
	for i, w := range want {
		media, ok := inbound[i][w.kind].(map[string]any)
		if !ok || inbound[i]["type"] != w.kind || media["mime_type"] != w.mimeType {
			t.Fatalf("message %d = %v, want %v", i, inbound[i], w)
		}
		status, _, got := r.download(media["url"].(string), token)
		sum := sha256.Sum256(got)
		if status != 200 || media["sha256"] != base64.StdEncoding.EncodeToString(sum[:]) {
			t.Errorf("%s: download %d, hash %v", w.kind, status, media["sha256"])
		}
	}
	if inbound[2]["audio"].(map[string]any)["voice"] != true {
		t.Error("a voice note says so")
	}
	id := inbound[0]["image"].(map[string]any)["id"].(string)
	r.pass(7*24*time.Hour + time.Second)
	if status, code := r.refused(r.get(id)); status != 400 || code != 100 {
		t.Errorf("after seven days: %d %d, want 400 100", status, code)
	}
}

func TestMediaFaults(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, out := r.upload("a.txt", "text/plain", []byte("hello"))
	_, facts := r.get(out["id"].(string))
	for fault, want := range map[string]int{"gone": 404, "corrupt": 200} {
		if err := r.SetFaults(Faults{Media: fault}); err != nil {
			t.Fatal(err)
		}
		status, _, got := r.download(facts["url"].(string), token)
		if status != want || string(got) == "hello" {
			t.Errorf("%s: %d %q", fault, status, got)
		}
	}
}

// The samples are files that other programs can open.
func TestSamples(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 10, 1, 9, 0, 7, 0, time.UTC)
	raw, err := photo(at)
	if err != nil {
		t.Fatal(err)
	}
	if img, err := jpeg.Decode(bytes.NewReader(raw)); err != nil || img.Bounds().Dx() != 960 {
		t.Errorf("photo: %v", err)
	}
	if other, err := photo(at.Add(time.Second)); err != nil || bytes.Equal(raw, other) {
		t.Errorf("two photos are the same (%v)", err)
	}
	if !bytes.HasPrefix(voiceNote, []byte("OggS")) || !bytes.Contains(voiceNote, []byte("OpusHead\x01\x01")) {
		t.Error("the voice note is not Ogg/Opus, mono")
	}
	doc := string(pdf(at))
	for i, line := range strings.Split(doc[strings.Index(doc, "xref"):], "\n")[3:8] {
		var offset int
		for _, digit := range line[:10] {
			offset = 10*offset + int(digit-'0')
		}
		if want := string(rune('1'+i)) + " 0 obj"; !strings.HasPrefix(doc[offset:], want) {
			t.Errorf("offset %d of the PDF is not that of %q", offset, want)
		}
	}
}
