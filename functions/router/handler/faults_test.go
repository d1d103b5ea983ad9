package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"threadline/shared/blob"
	"threadline/shared/chat"
	"threadline/shared/event"
	"threadline/shared/queue"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// fault strikes one call of a run: it isn't done, or it is and nobody learns of it.
type fault struct {
	nth, calls int
	done       bool
	err        error // what struck, once it has
}

func (f *fault) around(do func() error) error {
	f.calls++
	if f.calls != f.nth {
		return do()
	}
	f.err = chat.E(chat.Unavailable, "", errors.New("struck"))
	if f.done {
		_ = do()
	}
	return f.err
}

// struck puts a fault between the router and everything around it.
func (r *rig) struck(f *fault) {
	r.store.DB = faultyTable{r.table, f}
	for _, q := range []*Queue{&r.h.Media, &r.h.CRM, &r.h.Bulk} {
		*q = faultyQueue{*q, f}
	}
	r.h.Blobs, r.h.Bus = faultyBlobs{r.h.Blobs, f}, faultyBus{r.h.Bus, f}
}

type faultyTable struct {
	store.API
	f *fault
}

func (t faultyTable) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, o ...func(*dynamodb.Options)) (out *dynamodb.BatchGetItemOutput, err error) {
	err = t.f.around(func() (err error) { out, err = t.API.BatchGetItem(ctx, in, o...); return err })
	return out, err
}

func (t faultyTable) Query(ctx context.Context, in *dynamodb.QueryInput, o ...func(*dynamodb.Options)) (out *dynamodb.QueryOutput, err error) {
	err = t.f.around(func() (err error) { out, err = t.API.Query(ctx, in, o...); return err })
	return out, err
}

func (t faultyTable) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (out *dynamodb.PutItemOutput, err error) {
	err = t.f.around(func() (err error) { out, err = t.API.PutItem(ctx, in, o...); return err })
	return out, err
}

func (t faultyTable) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, o ...func(*dynamodb.Options)) (out *dynamodb.TransactWriteItemsOutput, err error) {
	err = t.f.around(func() (err error) { out, err = t.API.TransactWriteItems(ctx, in, o...); return err })
	return out, err
}

type faultyQueue struct {
	Queue
	f *fault
}

func (q faultyQueue) Send(ctx context.Context, es ...queue.Entry) error {
	return q.f.around(func() error { return q.Queue.Send(ctx, es...) })
}

type faultyBlobs struct {
	Blobs
	f *fault
}

func (b faultyBlobs) Put(ctx context.Context, key string, body io.Reader, size int64, o blob.PutOptions) error {
	return b.f.around(func() error { return b.Blobs.Put(ctx, key, body, size, o) })
}

type faultyBus struct {
	Bus
	f *fault
}

func (b faultyBus) Put(ctx context.Context, es ...event.Event) error {
	return b.f.around(func() error { return b.Bus.Put(ctx, es...) })
}

// stored are the items that a run has come to, without what counts their writes.
func (r *rig) stored() (lines []string) {
	r.Helper()
	for _, it := range r.table.Items() {
		var v map[string]any
		if err := attributevalue.UnmarshalMap(it, &v); err != nil {
			r.Fatal(err)
		}
		if kind, _, _ := strings.Cut(fmt.Sprint(v["SK"]), "#"); kind == "AMEND" || kind == "RECEIPT" {
			continue // stays until its ttl, also when its message has taken it over
		}
		for _, name := range []string{"rev", "token", "ttl"} {
			delete(v, name)
		}
		b, err := json.Marshal(v)
		if err != nil {
			r.Fatal(err)
		}
		lines = append(lines, string(b))
	}
	return lines
}

// outcome is what a run has come to: what is stored, and what was queued and told, each once.
func (r *rig) outcome() string {
	r.Helper()
	lines := r.stored()
	for name, l := range map[string]*lane{"media": &r.media, "crm": &r.crm, "bulk": &r.bulk} {
		for _, e := range l.entries {
			lines = append(lines, fmt.Sprintf("%s %s %s %s", name, e.Group, e.DedupID, e.Body))
		}
	}
	for _, p := range r.bus.Events() {
		lines = append(lines, string(p.Detail))
	}
	return plain(lines)
}

// plain makes lines comparable.
func plain(lines []string) string {
	for i := range lines {
		lines[i] = depends.ReplaceAllString(minted.ReplaceAllString(lines[i], "somebody"), "$1")
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n")
}

// diff are the lines that only one of two states has.
func diff(want, got string) string {
	var out []string
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for _, l := range w {
		if !slices.Contains(g, l) {
			out = append(out, "- "+l)
		}
	}
	for _, l := range g {
		if !slices.Contains(w, l) {
			out = append(out, "+ "+l)
		}
	}
	return strings.Join(out, "\n")
}

// Ids that are minted differ between runs: a write that is tried again may take another. There is one person in each
// script. What is derived from them differs too: ids of effects, groups, shards.
var (
	minted  = regexp.MustCompile(`01ID\d{4}`)
	depends = regexp.MustCompile(`\b[0-9a-f]{32}\b|(INBOX#default#|RECON#[0-9T-]+#)\d`)
)

// scripts are updates of each kind, as fields and values.
var scripts = map[string][][2]string{
	"a message, its reaction and its edit": {
		{"messages", `{` + metadata + `,"messages":[` + hello + `]}`},
		{"messages", `{` + metadata + `,"messages":[{"id":"w.r","from":"34600111222","timestamp":"1772452810","type":"reaction","reaction":{"message_id":"wamid.1","emoji":"👍"}}]}`},
		{"messages", `{` + metadata + `,"messages":[{"id":"w.e","from":"34600111222","timestamp":"1772452820","type":"edit","edit":{"original_message_id":"wamid.1","message":{"type":"text","text":{"body":"hello!"}}}}]}`},
	},
	"a reaction to what comes later": {
		{"messages", `{` + metadata + `,"messages":[{"id":"w.r","from":"34600111222","timestamp":"1772452810","type":"reaction","reaction":{"message_id":"wamid.1","emoji":"👍"}}]}`},
		{"messages", `{` + metadata + `,"messages":[` + hello + `]}`},
	},
	"a long photo": {
		{"messages", `{` + metadata + `,"messages":[{"id":"w1","from":"34600111222",` + at + `,"type":"image","image":{"id":"9","caption":"` + strings.Repeat("x", chat.MaxInlineRaw) + `"}}]}`},
	},
	"an echo": {
		{"smb_message_echoes", `{` + metadata + `,"message_echoes":[{"id":"w1","to":"34600111222",` + at + `,"type":"text","text":{"body":"x"}}]}`},
	},
	"a call that ends before it begins": {
		{"calls", callValue("calls", wacid+`,"event":"terminate","status":"COMPLETED","duration":65,"timestamp":"1772452870"`)},
		{"calls", callValue("calls", wacid+`,"event":"connect","timestamp":"1772452800"`)},
	},
	"a group, a handover": {
		{"group_settings_update", `{` + metadata + `,"groups":[{` + at + `,"group_id":"g1","type":"group_settings_update"}]}`},
		{"messaging_handovers", `{"sender":{"phone_number":"34600111222"},"recipient":{"phone_number_id":"100"},"type":"control_taken",` + at + `}`},
	},
	"a preference, a saved name": {
		{"user_preferences", `{` + metadata + `,"user_preferences":[{"wa_id":"34600111222","category":"marketing_messages","value":"stop","timestamp":1772452800}]}`},
		{"smb_app_state_sync", `{` + metadata + `,"state_sync":[{"type":"contact","contact":{"full_name":"Ana","phone_number":"34600111222"},"action":"add","metadata":{` + at + `}}]}`},
	},
	"a signal": {
		{"messages", `{` + metadata + `,"messages":[` + hello + `]}`},
		{"automatic_events", `{` + metadata + `,"automatic_events":[{"id":"wamid.1","event_name":"Purchase","timestamp":1772452900}]}`},
	},
	"a ban": {
		{"messages", `{` + metadata + `,"messages":[` + hello + `]}`},
		{"account_update", `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"DISABLE"}}`},
	},
	"a template": {{"message_template_status_update", `{"event":"PAUSED","message_template_name":"a","message_template_language":"en"}`}},
	"what nobody knows": {
		{"tomorrow", `{"x":"` + strings.Repeat("x", chat.MaxInlineRaw) + `"}`},
	},
	"a history with a file": {
		{"history", thread(pastText("w1", 1700000000), past("photo", 1700000001, false, "READ", `"type":"media_placeholder"`), past("w2", 1700000002, true, "READ", `"type":"text","text":{"body":"y"}`))},
		{"history", `{` + metadata + `,"messages":[{"id":"photo","from":"34600111222","timestamp":"1700000001","type":"image","image":{"id":"9"}}]}`},
	},
}

// play gives the router a script, each update again until it is taken.
func (r *rig) play(script [][2]string) {
	r.Helper()
	for _, s := range script {
		for _, u := range r.post(s[0], s[1]) {
			for try := 0; ; try++ {
				err := r.handle(u)
				if err == nil {
					break
				}
				if chat.CodeOf(err) != chat.Unavailable || try > 2 {
					r.Fatalf("a %s: %v", u.Kind, err)
				}
			}
		}
	}
}

// TestAnyCallMayFail: whatever call of an update fails, or is done without our learning of it, the update's next delivery
// ends where a perfect day does.
func TestAnyCallMayFail(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(scripts)) {
		t.Run(name, func(t *testing.T) {
			perfect := newRig(t)
			perfect.play(scripts[name])
			want := perfect.outcome()
			for _, done := range []bool{false, true} {
				for nth := 1; ; nth++ {
					f := &fault{nth: nth, done: done}
					r := newRig(t)
					r.struck(f)
					r.play(scripts[name])
					if f.err == nil {
						break
					}
					if got := r.outcome(); got != want {
						t.Errorf("call %d failed, done %v:\n%s", nth, done, diff(want, got))
					}
				}
			}
		})
	}
}

// TestAChunkThatFailsComesBehindItsFile: the file has filled a message of the chunk by then. Every message that was
// imported has the job that brings it to the CRM.
func TestAChunkThatFailsComesBehindItsFile(t *testing.T) {
	for what, script := range map[string][][2]string{
		"a chunk": scripts["a history with a file"],
		"a chunk of one message": {
			{"history", thread(past("photo", 1700000001, false, "READ", `"type":"media_placeholder"`))},
			scripts["a history with a file"][1],
		},
	} {
		for _, done := range []bool{false, true} {
			for nth := 1; ; nth++ {
				f := &fault{nth: nth, done: done}
				r := newRig(t)
				r.struck(f)
				r.playBehind(script)
				if f.err == nil {
					break
				}
				m := r.lookup("photo")
				job, err := r.store.Job(t.Context(), m.Conversation, store.ImportJob)
				if err != nil || job.ID == "" || !r.queued(job.ID) || m.Kind != chat.KindImage || !m.Imported {
					t.Errorf("%s: call %d failed, done %v: a %s, job %+v is queued: %v (%v)", what, nth, done, m.Kind, job, r.queued(job.ID), err)
				}
			}
		}
	}
}

// queued tells whether a job is on Bulk.
func (r *rig) queued(job string) bool {
	return slices.ContainsFunc(r.bulk.entries, func(e queue.Entry) bool { return strings.Contains(string(e.Body), job) })
}

// playBehind gives the router a script, what fails again when the rest is taken.
func (r *rig) playBehind(script [][2]string) {
	r.Helper()
	var us []whatsapp.Update
	for _, s := range script {
		us = append(us, r.post(s[0], s[1])...)
	}
	for try := 0; len(us) > 0; try++ {
		err := r.handle(us[0])
		if err != nil && (chat.CodeOf(err) != chat.Unavailable || try > 20) {
			r.Fatalf("a %s: %v", us[0].Kind, err)
		}
		if err != nil {
			us = append(us, us[0])
		}
		us = us[1:]
	}
}

// TestAnythingMayComeAgain: after everything else has come.
func TestAnythingMayComeAgain(t *testing.T) {
	for name, script := range scripts {
		r := newRig(t)
		r.play(script)
		want := plain(r.stored())
		for i := range script {
			r.play(script[i : i+1])
		}
		if got := plain(r.stored()); got != want {
			t.Errorf("%s:\n%s", name, diff(want, got))
		}
	}
}
