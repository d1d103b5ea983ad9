package handler

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"threadline/shared/event"
	"threadline/shared/queue"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// samples are an update of each kind: field and value, in which # stands for a number that makes it another update.
var samples = []struct{ name, field, value string }{
	{"text", "messages", `"messages":[{"id":"wamid.#","from":"34600111222",` + at + `,"type":"text","text":{"body":"Is the blue one in stock again?"}}]`},
	{"photo", "messages", `"messages":[{"id":"wamid.#","from":"34600111222",` + at + `,"type":"image","image":{"id":"#","mime_type":"image/jpeg","sha256":"x"}}]`},
	{"reaction", "messages", `"messages":[{"id":"wamid.#","from":"34600111222",` + at + `,"type":"reaction","reaction":{"message_id":"wamid.0","emoji":"👍"}}]`},
	{"edit", "messages", `"messages":[{"id":"wamid.#","from":"34600111222",` + at + `,"type":"edit","edit":{"original_message_id":"early.#","message":{"type":"text","text":{"body":"x"}}}}]`},
	{"group", "messages", `"messages":[{"id":"wamid.#","from":"34600111222","group_id":"g1",` + at + `,"type":"text","text":{"body":"x"}}]`},
	{"receipt", "messages", `"statuses":[{"id":"wamid.#","status":"read","recipient_id":"34600111222",` + at + `}]`},
	{"echo", "smb_message_echoes", `"message_echoes":[{"id":"wamid.#","from":"` + display + `","to":"34600111222",` + at + `,"type":"text","text":{"body":"x"}}]`},
	{"call", "calls", `"calls":[{"id":"wacid.#","from":"34600111222","event":"connect","direction":"USER_INITIATED",` + at + `}]`},
	{"end of a call", "calls", `"calls":[{"id":"wacid.0","from":"34600111222","event":"terminate","status":"COMPLETED","direction":"USER_INITIATED","duration":#,` + at + `}]`},
	{"group event", "group_settings_update", `"groups":[{` + at + `,"group_id":"g1","type":"group_settings_update","request_id":"#"}]`},
	{"preference", "user_preferences", `"user_preferences":[{"wa_id":"34600111222","category":"marketing_messages","value":"stop","timestamp":#}]`},
	{"saved contact", "smb_app_state_sync", `"state_sync":[{"type":"contact","contact":{"full_name":"A #","phone_number":"34600111222"},"action":"add","metadata":{"timestamp":"#"}}]`},
	{"signal", "automatic_events", `"automatic_events":[{"id":"wamid.0","event_name":"Purchase","timestamp":#}]`},
	{"account event", "phone_number_quality_update", `"event":"ONBOARDING","current_limit":"TIER_#"`},
	{"history, 100 messages", "history", `"history":[{"metadata":{"phase":1,"progress":50},"threads":[{"id":"34600111222","messages":[` + hundred() + `]}]}]`},
	{"unknown", "tomorrow", `"x":"#"`},
}

func hundred() string {
	var all []string
	for i := range 100 {
		all = append(all, past(fmt.Sprintf("past.#.%d", i), 1700000000+int64(i), i%2 == 0, "READ", `"type":"text","text":{"body":"x"}`))
	}
	return strings.Join(all, ",")
}

// deaf takes everything and keeps nothing, so that what is measured is the router.
type deaf struct{ calls int }

func (d *deaf) Send(context.Context, ...queue.Entry) error    { d.calls++; return nil }
func (d *deaf) Put(context.Context, ...event.Event) error     { d.calls++; return nil }
func (d *deaf) Count(context.Context, string, int, ...string) {}

// BenchmarkHandle measures one update of each kind, after another of its kind: the router's own time and memory with the
// table in memory, and the calls to AWS that it would wait for, with what DynamoDB charges for them.
func BenchmarkHandle(b *testing.B) {
	for _, sample := range samples {
		b.Run(sample.name, func(b *testing.B) {
			var around deaf
			var cost store.Cost
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				r := newRig(b) // the table in memory is slower the more it holds
				r.h.Media, r.h.CRM, r.h.Bulk, r.h.Bus, r.h.Metrics = &around, &around, &around, &around, &around
				r.message(strings.Replace(hello, "wamid.1", "wamid.0", 1))
				first, second := r.entry(sample.field, sample.value, 1), r.entry(sample.field, sample.value, 2)
				r.mustHandle(first)
				around = deaf{}
				meter := store.NewMeter(r.table)
				r.store.DB = meter
				b.StartTimer()
				r.mustHandle(second)
				b.StopTimer()
				cost = meter.Cost()
				b.StartTimer()
			}
			b.ReportMetric(float64(cost.Calls), "table-calls/op")
			b.ReportMetric(float64(around.calls), "other-calls/op")
			b.ReportMetric(cost.Writes, "WU/op")
			b.ReportMetric(cost.Reads, "RU/op")
		})
	}
}

// entry is the nth update of a sample as the webhook queues it.
func (r *rig) entry(field, value string, n int) queue.Message {
	r.Helper()
	us := r.post(field, `{`+metadata+`,`+strings.ReplaceAll(value, "#", fmt.Sprint(1772000000+n))+`}`)
	body, err := json.Marshal(struct {
		V int `json:"v"`
		whatsapp.Update
	}{1, us[0]})
	if err != nil {
		r.Fatal(err)
	}
	return queue.Message{Body: body, Receives: 1}
}

func (r *rig) mustHandle(m queue.Message) {
	r.Helper()
	if err := r.h.Handle(r.Context(), m); err != nil {
		r.Fatal(err)
	}
}
