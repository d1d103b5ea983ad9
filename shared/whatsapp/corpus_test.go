package whatsapp

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// shared returns the folder of webhook bodies and requests that were collected
// from public documentation and are not part of this repository.
func shared(t testing.TB) (dir string, found bool) {
	t.Helper()
	dir = os.Getenv("THREADLINE_SHARED")
	if dir == "" {
		root, err := filepath.Abs(".")
		if err != nil {
			t.Fatal(err)
		}
		for root != filepath.Dir(root) {
			if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
				break
			}
			root = filepath.Dir(root)
		}
		dir = filepath.Join(root, "..", "shared")
	}
	dir = filepath.Join(dir, "payloads")
	_, err := os.Stat(dir)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal("the shared folder is missing")
	}
	return dir, err == nil
}

// corpus reads the webhook bodies, by file name; none where they are missing.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	dir, found := shared(t)
	if !found {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no webhook bodies: %v", err)
	}
	all := map[string][]byte{}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(file)] = body
	}
	return all
}

// Ensure that every collected webhook is taken apart without loss, and every
// message type of Meta's reference is understood.
func TestCorpus(t *testing.T) {
	bodies := corpus(t)
	if bodies == nil {
		t.Skip("the shared folder is missing")
	}
	types, kinds := map[string]int{}, map[UpdateKind]int{}
	for name, body := range bodies {
		updates, err := Split(body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		nothingLost(t, body, updates)
		for _, u := range updates {
			parseAll(t, u)
			checkKind(t, name, u)
			kinds[u.Kind]++
			if !json.Valid(entry(t, u)) {
				t.Errorf("%s: queued update is not JSON", name)
			}
			switch u.Kind {
			case KindMessage:
				m, _ := ParseMessage(u)
				types[m.Type]++
				checkMessage(t, name, m)
			case KindStatus:
				s, _ := ParseStatus(u)
				if s.ID == "" || s.State == "" {
					t.Errorf("%s: status %+v", name, s)
				}
				if s.State == "failed" && (len(s.Errors) == 0 || s.Errors[0].Class == "") {
					t.Errorf("%s: failed without a reason", name)
				}
			}
		}
	}
	for _, want := range strings.Fields("text image video audio document sticker location contacts reaction " +
		"interactive button order system unsupported edit revoke") {
		if types[want] == 0 {
			t.Errorf("no message of type %s among the bodies: %v", want, types)
		}
	}
	for _, want := range []UpdateKind{KindEcho, KindHistory, KindContact, KindPreference, KindHandover, KindGroup, KindSignal, KindEvent} {
		if kinds[want] == 0 {
			t.Errorf("no %s among the bodies", want)
		}
	}
}

// kindOf says what the elements of a field become.
var kindOf = map[string][]UpdateKind{
	"messages": {KindMessage, KindStatus, KindEvent}, "standby": {KindMessage, KindStatus, KindEcho}, "history": {KindHistory},
	"smb_message_echoes": {KindEcho}, "smb_app_state_sync": {KindContact}, "calls": {KindCall}, "user_preferences": {KindPreference},
	"messaging_handovers": {KindHandover}, "automatic_events": {KindSignal}, "group_lifecycle_update": {KindGroup},
	"group_participants_update": {KindGroup}, "group_settings_update": {KindGroup}, "group_status_update": {KindGroup},
}

// checkKind checks that an update is of a kind of its field, and that what it
// says is where it is looked for.
func checkKind(t *testing.T, name string, u Update) {
	kinds, known := kindOf[u.Field]
	if !known && (accountFields[u.Field] != nil || u.Field == "") {
		kinds = []UpdateKind{KindEvent}
	}
	if !slices.Contains(kinds, u.Kind) && u.Field != "" && !strings.Contains(name, "fba_") && !strings.Contains(name, "ig_") {
		t.Errorf("%s: %s became %s", name, u.Field, u.Kind)
	}
	missing := func(v any, there ...bool) {
		t.Helper()
		if slices.Contains(there, false) {
			t.Errorf("%s: %s says too little: %+v", name, u.Kind, v)
		}
	}
	switch u.Kind {
	case KindEcho:
		m, _ := ParseMessage(u)
		missing(m, m.To.Known(), m.ID != "", m.Type != "", !m.Timestamp.IsZero(), m.Content != nil)
	case KindHistory:
		h, _ := ParseHistory(u)
		missing(h, h.Thread != "", h.Customer.Known(), len(h.Messages) > 0, h.Media || h.Chunk > 0 && h.Progress > 0)
		for _, m := range h.Messages {
			missing(m, m.ID != "", m.Type != "", !m.Timestamp.IsZero(), h.Media || m.Status != "", m.From.Known())
		}
	case KindContact:
		c, _ := ParseSavedContact(u)
		missing(c, c.Phone != "", c.Name != "" || c.Removed, !c.Timestamp.IsZero())
	case KindCall:
		c, _ := ParseCall(u)
		missing(c, c.ID != "", c.Event != "" || c.Status != "", c.Customer().Known(), !c.Timestamp.IsZero())
	case KindPreference:
		p, _ := ParsePreference(u)
		missing(p, p.Who.Known(), p.Category != "", p.Value != "", !p.Timestamp.IsZero())
	case KindHandover:
		h, _ := ParseHandover(u)
		missing(h, h.Customer.Known(), h.Type != "", h.To != "", !h.Timestamp.IsZero(), u.Number != "")
	case KindGroup:
		g, _ := ParseGroupEvent(u)
		missing(g, g.GroupID != "", g.Type != "", g.Text != "")
	case KindSignal:
		s, _ := ParseSignal(u)
		missing(s, s.MessageID != "", s.Name != "", !s.Timestamp.IsZero())
	case KindEvent:
		e, _ := ParseAccountEvent(u)
		if accountFields[e.Field] != nil && u.Field != "messages" && (u.Field != "" || e.Event != "") {
			missing(e, len(e.Changes) > 0 || e.Template != nil && e.Template.Name != "", !e.Timestamp.IsZero(), e.WABA != "")
		}
	}
}

func checkMessage(t *testing.T, name string, m Message) {
	t.Helper()
	typed := map[string]any{
		"text": m.Text, "image": m.Image, "video": m.Video, "audio": m.Audio, "voice": m.Audio, "document": m.Document,
		"sticker": m.Sticker, "location": m.Location, "contacts": m.Contacts, "reaction": m.Reaction,
		"interactive": m.Interactive, "button": m.Button, "order": m.Order, "system": m.System,
		"unsupported": m.Unsupported, "edit": m.Edit, "revoke": m.Revoke,
	}
	field, known := typed[m.Type]
	if !known || reflect.ValueOf(field).IsNil() {
		t.Errorf("%s: type %q left its field empty", name, m.Type)
	}
	if m.Content == nil && m.Type != "unsupported" {
		t.Errorf("%s: type %q without content", name, m.Type)
	}
	if m.ID == "" || m.Raw == nil {
		t.Errorf("%s: %q without id or raw", name, m.Type)
	}
	if file, ok := m.Media(); ok && file.ID == "" {
		t.Errorf("%s: %q without media id", name, m.Type)
	}
	odd := strings.Contains(name, "no_from") || strings.Contains(name, "chatwoot__")
	if !m.From.Known() && !odd && m.System == nil {
		t.Errorf("%s: %q from nobody", name, m.Type)
	}
	raw, _ := read(m.Raw)
	if m.Timestamp.IsZero() && strings.Trim(raw.text("timestamp"), "0123456789") == "" {
		t.Errorf("%s: %q without time", name, m.Type)
	}
}
