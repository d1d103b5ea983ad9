package route

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
)

func TestPlan(t *testing.T) {
	file := func(s chat.FileState) *chat.Attachment { return &chat.Attachment{State: s} }
	crm := func(name string) chat.Effect { return chat.Effect{Kind: chat.EffectCRM, Target: name} }
	media := chat.Effect{Kind: chat.EffectMedia}
	for _, test := range []struct {
		name       string
		m          chat.Message
		connectors []string
		want       []chat.Effect
	}{
		{"a text", chat.Message{Contact: "c"}, []string{"hubspot"}, []chat.Effect{crm("hubspot")}},
		{"several connectors", chat.Message{Contact: "c"}, []string{"hubspot", "odoo"}, []chat.Effect{crm("hubspot"), crm("odoo")}},
		{"no connector", chat.Message{Contact: "c"}, nil, nil},
		{"nobody's record", chat.Message{}, []string{"hubspot"}, nil},
		{"a file that is to come: the entry first", chat.Message{Contact: "c", Attachment: file(chat.Pending)}, []string{"hubspot"}, []chat.Effect{crm("hubspot"), media}},
		{"a file of nobody", chat.Message{Attachment: file(chat.Pending)}, []string{"hubspot"}, []chat.Effect{media}},
		{"a file that can't come", chat.Message{Contact: "c", Attachment: file(chat.FileFailed)}, []string{"hubspot"}, []chat.Effect{crm("hubspot")}},
		{"a reaction shows on another's entry", chat.Message{Contact: "c", Kind: chat.KindReaction, ReplyTo: "w"}, []string{"hubspot"}, nil},
		{"a reaction to nothing", chat.Message{Contact: "c", Kind: chat.KindReaction}, []string{"hubspot"}, []chat.Effect{crm("hubspot")}},
		{"a call", chat.Message{Contact: "c", Kind: chat.KindCall}, []string{"hubspot"}, []chat.Effect{crm("hubspot")}},
		{"the end of a call", chat.Message{Contact: "c", Kind: chat.KindCall, ReplyTo: "w", Call: &chat.Call{}}, []string{"hubspot"}, nil},
		{"an edit", chat.Message{Contact: "c", Kind: chat.KindEdit, ReplyTo: "w"}, []string{"hubspot"}, []chat.Effect{crm("hubspot")}},
		{"a deletion", chat.Message{Contact: "c", Kind: chat.KindRevoke, ReplyTo: "w"}, []string{"hubspot"}, []chat.Effect{crm("hubspot")}},
		{"what was imported, for later", chat.Message{Contact: "c", Imported: true, Attachment: file(chat.Pending)}, []string{"hubspot"}, []chat.Effect{crm("hubspot"), media}},
		{"a file of our own", chat.Message{Contact: "c", Attachment: file(chat.Remote)}, []string{"hubspot"}, []chat.Effect{crm("hubspot")}},
	} {
		if got := Plan(test.m, test.connectors); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestDue(t *testing.T) {
	crm, media := chat.Effect{Kind: chat.EffectCRM, Target: "hubspot"}, chat.Effect{Kind: chat.EffectMedia}
	for _, test := range []struct {
		cause    string
		imported bool
		want     []chat.Effect
	}{
		{Stored, false, []chat.Effect{crm, media}},
		{Stored, true, []chat.Effect{media}},
		{Imported, true, []chat.Effect{crm}},
		{FileHere, false, []chat.Effect{crm}},
		{"hash of a reaction", false, []chat.Effect{crm}},
		{"hash of a reaction", true, []chat.Effect{crm}},
	} {
		m := chat.Message{Imported: test.imported, Effects: []chat.Effect{crm, media}}
		if got := Due(m, test.cause); !slices.Equal(got, test.want) {
			t.Errorf("%s, imported %v: %v, want %v", test.cause, test.imported, got, test.want)
		}
	}
}

func TestConnectors(t *testing.T) {
	for _, test := range []struct{ names, want []string }{
		{nil, nil},
		{[]string{"none"}, nil},
		{[]string{"hubspot"}, []string{"hubspot"}},
		{[]string{"hubspot", "odoo"}, []string{"hubspot", "odoo"}},
		{[]string{"odoo", "hubspot", "odoo"}, []string{"odoo", "hubspot"}},
	} {
		if got := Connectors(test.names); !slices.Equal(got, test.want) {
			t.Errorf("%q: %q, want %q", test.names, got, test.want)
		}
	}
}

// TestRefsAreWhatTheyWere: entries wait in queues for up to two weeks, across deployments.
func TestRefsAreWhatTheyWere(t *testing.T) {
	m := chat.Message{Conversation: "100.01CONTACT", Contact: "01CONTACT"}
	const sort = "MSG#1772452800000#wamid.1"
	for _, test := range []struct {
		effect             chat.Effect
		body, dedup, group string
	}{
		{chat.Effect{Kind: chat.EffectCRM, Target: "hubspot"}, `{"v":1,"id":"a8404d8041fc40ca909af3d4c616cc20","kind":"crm","target":"hubspot","conversation":"100.01CONTACT","message":"MSG#1772452800000#wamid.1","cause":"stored"}`, "34761e5d44cd16813206f18fabb4781b", "21ccce45fc7b05fe8bc6851c4cf1e5aa"},
		{chat.Effect{Kind: chat.EffectMedia}, `{"v":1,"id":"e71bf5ce4f5f08f9c3758866c699e92a","kind":"media","conversation":"100.01CONTACT","message":"MSG#1772452800000#wamid.1","cause":"stored"}`, "d53e8d19f38ab4c6695eb789c7220916", "ebf55b12d4b24ae1677aa10c41f71b6e"},
	} {
		r := NewRef(m, sort, test.effect, Stored)
		if string(r.Body()) != test.body || r.DedupID() != test.dedup || r.Group(m.Contact) != test.group {
			t.Errorf("%s\ndedup %s\ngroup %s", r.Body(), r.DedupID(), r.Group(m.Contact))
		}
		if got, err := ParseRef(r.Body()); err != nil || got != r {
			t.Errorf("read back: %+v (%v)", got, err)
		}
	}
}

func TestWhatDiffersHasAnotherID(t *testing.T) {
	base := chat.Message{Conversation: "100.a", Contact: "a"}
	other := chat.Message{Conversation: "100.b", Contact: "b"}
	hubspot, odoo := chat.Effect{Kind: chat.EffectCRM, Target: "hubspot"}, chat.Effect{Kind: chat.EffectCRM, Target: "odoo"}
	seen := map[string]int{}
	for i, r := range []Ref{
		NewRef(base, "MSG#1", hubspot, Stored),
		NewRef(base, "MSG#1", hubspot, FileHere),
		NewRef(base, "MSG#1", hubspot, Accepted),
		NewRef(base, "MSG#1", odoo, Stored),
		NewRef(base, "MSG#1", chat.Effect{Kind: chat.EffectMedia}, Stored),
		NewRef(base, "MSG#2", hubspot, Stored),
		NewRef(other, "MSG#1", hubspot, Stored),
		NewRef(base, "MSG#1", chat.Effect{Kind: chat.EffectCRM, Target: "hubspots"}, "tored"),
	} {
		if j, ok := seen[r.DedupID()]; ok {
			t.Errorf("%d would collapse with %d", i, j)
		}
		seen[r.DedupID()] = i
	}
	one, again := NewRef(base, "MSG#1", hubspot, Stored), NewRef(base, "MSG#1", hubspot, FileHere)
	if one.ID != again.ID {
		t.Error("an effect has another id when it is due again")
	}
}

// TestGroups: a contact's entries in one CRM are in order; its files need not be.
func TestGroups(t *testing.T) {
	ref := func(conversation chat.ConversationID, sort string, e chat.Effect) Ref {
		return NewRef(chat.Message{Conversation: conversation}, sort, e, Stored)
	}
	hubspot, odoo, media := chat.Effect{Kind: chat.EffectCRM, Target: "hubspot"}, chat.Effect{Kind: chat.EffectCRM, Target: "odoo"}, chat.Effect{Kind: chat.EffectMedia}
	a := ref("100.a", "MSG#1", hubspot).Group("a")
	if ref("100.a", "MSG#2", hubspot).Group("a") != a || ref("200.a", "MSG#1", hubspot).Group("a") != a {
		t.Error("one contact's entries are in two groups")
	}
	if ref("100.a", "MSG#1", odoo).Group("a") == a || ref("100.b", "MSG#1", hubspot).Group("b") == a {
		t.Error("two CRMs or two contacts wait for each other")
	}
	if f := ref("100.a", "MSG#1", media).Group("a"); f == a || f != ref("100.a", "MSG#2", media).Group("x") || f == ref("100.b", "MSG#1", media).Group("a") {
		t.Error("files aren't grouped by conversation")
	}
}

func TestParseRefRefusesWhatItDoesNotKnow(t *testing.T) {
	good := NewRef(chat.Message{Conversation: "100.a"}, "MSG#1", chat.Effect{Kind: chat.EffectMedia}, Stored).Body()
	if _, err := ParseRef(good); err != nil {
		t.Fatal(err)
	}
	for _, body := range [][]byte{
		nil, []byte("garbage"), []byte("{}"), []byte("[]"),
		bytes.Replace(good, []byte(`"v":1`), []byte(`"v":2`), 1),
		bytes.Replace(good, []byte(`"100.a"`), []byte(`""`), 1),
		bytes.Replace(good, []byte(`"MSG#1"`), []byte(`""`), 1),
	} {
		if _, err := ParseRef(body); err == nil {
			t.Errorf("%s is read", body)
		}
	}
}

// TestFetchesAreWhatTheyWere: once a minute for each CRM, in a line of its own, and readable for a release that doesn't know
// them.
func TestFetchesAreWhatTheyWere(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 59, 0, time.UTC)
	r := NewFetch("odoo", at)
	const body = `{"v":1,"id":"ID","kind":"fetch","target":"odoo","conversation":"-","message":"-","cause":"2026-03-02T12:00"}`
	if got := strings.Replace(string(r.Body()), r.ID, "ID", 1); got != body {
		t.Error(got)
	}
	if got, err := ParseRef(r.Body()); err != nil || got != r {
		t.Errorf("read back: %+v (%v)", got, err)
	}
	same, later, other := NewFetch("odoo", at.Add(-30*time.Second)), NewFetch("odoo", at.Add(time.Second)), NewFetch("hubspot", at)
	if same.DedupID() != r.DedupID() || later.DedupID() == r.DedupID() || other.DedupID() == r.DedupID() {
		t.Error("it isn't one a minute for each CRM")
	}
	if later.Group("") != r.Group("") || other.Group("") == r.Group("") || r.Group("") == NewRef(chat.Message{}, "MSG#1", chat.Effect{Kind: chat.EffectCRM, Target: "odoo"}, Stored).Group("") {
		t.Error("CRMs don't have a line each")
	}
}

func TestTurns(t *testing.T) {
	for cause, want := range map[string]bool{
		Imported: true, Turn("2026-03-02T12 1"): true, Stored: false, FileHere: false, Accepted: false, "the hash of a receipt": false, "turn": false,
	} {
		if HasTurn(cause) != want {
			t.Errorf("%q brings what was imported: %v", cause, !want)
		}
	}
	if Turn("a") == Turn("b") {
		t.Error("turns are the same")
	}
}

func TestOnRecord(t *testing.T) {
	for name, test := range map[string]struct {
		m    chat.Message
		want bool
	}{
		"a customer's":               {chat.Message{Direction: chat.In}, true},
		"one of ours":                {chat.Message{Direction: chat.Out, Status: chat.Queued}, false},
		"one that Meta took":         {chat.Message{Direction: chat.Out, ProviderID: "w"}, true},
		"one that failed before":     {chat.Message{Direction: chat.Out, Status: chat.Failed}, false},
		"one from a CRM that failed": {chat.Message{Direction: chat.Out, Origin: chat.FromCRM, Status: chat.Failed}, true},
		"one from a CRM":             {chat.Message{Direction: chat.Out, Origin: chat.FromCRM, Status: chat.Sending}, false},
		"one of unknown outcome":     {chat.Message{Direction: chat.Out, Status: chat.Unknown}, true},
		"our doubtful reaction":      {chat.Message{Direction: chat.Out, Status: chat.Unknown, Kind: chat.KindReaction, ReplyTo: "w"}, false},
		"a reaction":                 {chat.Message{Direction: chat.In, Kind: chat.KindReaction, ReplyTo: "w"}, false},
		"a reaction to nothing":      {chat.Message{Direction: chat.In, Kind: chat.KindReaction}, false},
		"an edit":                    {chat.Message{Direction: chat.In, Kind: chat.KindEdit, ReplyTo: "w"}, true},
		"the end of a call":          {chat.Message{Direction: chat.In, Kind: chat.KindCall, ReplyTo: "w", Call: &chat.Call{}}, false},
	} {
		if OnRecord(test.m) != test.want {
			t.Errorf("%s: %v", name, !test.want)
		}
	}
}

func TestFor(t *testing.T) {
	m := chat.Message{Effects: []chat.Effect{{Kind: chat.EffectCRM, Target: "hubspot"}, {Kind: chat.EffectMedia, Target: "odoo"}}}
	if !For(m, "hubspot") || For(m, "odoo") {
		t.Error("its plan isn't read")
	}
}
