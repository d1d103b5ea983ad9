package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/infra/sim"
	"threadline/shared/whatsapp"
	"threadline/shared/whatsapp/whatsapptest"
)

// The history that is measured: so many messages, of one chat or of several.
const historySize = 1000

var chats = []int{1, 10}

// history prints what it takes to store the messages of a phone, and to bring them to the CRM afterwards.
func (b *bench) history() error {
	title(fmt.Sprintf("A history of %d messages", historySize),
		"Stored as the chunks come, 100 messages of a chat to a run, four runs at once; fed to the CRM when none has come for two",
		"minutes. Times: on a virtual clock, each call taking what is assumed above, ten functions at once as in a new account, and a",
		fmt.Sprintf("CRM that takes %d calls in %s, which is HubSpot's least.", slowestCRM.Calls, slowestCRM.Per))
	var rows [][]string
	for _, n := range chats {
		stored, fed, err := historyCounts(n)
		if err != nil {
			return err
		}
		storing, feeding, err := historyTimes(n)
		if err != nil {
			return err
		}
		name := "of one chat"
		if n > 1 {
			name = fmt.Sprintf("of %d chats", n)
		}
		rows = append(rows, historyRow(name+": stored", stored, storing), historyRow(name+": fed", fed, feeding))
	}
	table([]string{"", "runs", "DynamoDB", "write units", "read units", "SQS", "HubSpot", "time", "messages a second"}, rows)
	return nil
}

func historyRow(name string, u usage, took time.Duration) []string {
	all := u.sum()
	return []string{name, fmt.Sprint(all.runs), fmt.Sprint(all.table.Calls), count(all.table.Writes), count(all.table.Reads),
		fmt.Sprint(u.queueCalls()), count(float64(all.calls["hubspot"])), took.Round(time.Second).String(), fmt.Sprintf("%.1f", historySize/took.Seconds())}
}

// posts are the webhooks that bring a history of so many chats, in the order of time.
func posts(chats int) (all [][]byte) {
	const each = 100
	for i := range historySize / each {
		thread := fmt.Sprint(34700000000 + i%chats)
		all = append(all, whatsapptest.History(sim.Number, thread, 1, i, 100, oldMessages(i*each, each)...))
	}
	return all
}

// historyCounts is what storing and feeding take, on a perfect day.
func historyCounts(chats int) (stored, fed usage, err error) {
	err = sim.Outside(func(t testing.TB) {
		s := newScene(t, sim.Options{})
		stored = s.during(func() {
			for _, body := range posts(chats) {
				s.Deliver("history", body)
			}
			s.Run(time.Minute)
		})
		fed = s.during(s.Quiet)
		if n := len(s.Postings()); n != historySize || s.stored() != historySize {
			t.Fatalf("%d messages are stored, %d are in the CRM", s.stored(), n)
		}
	})
	return stored, fed, err
}

// slowestCRM is the lowest limit of HubSpot's plans.
// https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines
var slowestCRM = sim.Limit{Calls: 100, Per: 10 * time.Second}

// historyTimes is how long storing takes, and how long feeding does from the first entry to the last.
func historyTimes(chats int) (storing, feeding time.Duration, err error) {
	err = sim.Outside(func(t testing.TB) {
		s := &scene{Sim: sim.New(t, sim.Options{ // a meter's own calls would take time
			CRMLimit: slowestCRM, Pace: &sim.Pace{Takes: assumed, AtOnce: map[string]int{"Bulk": 4}, Total: 10},
		})}
		begin := s.Now()
		for _, body := range posts(chats) {
			s.Deliver("history", body)
		}
		for s.chunks() > 0 {
			s.Run(100 * time.Millisecond)
		}
		storing = s.Now().Sub(begin)
		s.Quiet()
		var made []time.Time
		for _, p := range s.Postings() {
			made = append(made, p.Made)
		}
		if len(made) != historySize {
			t.Fatalf("%d messages are in the CRM", len(made))
		}
		feeding = slices.MaxFunc(made, time.Time.Compare).Sub(slices.MinFunc(made, time.Time.Compare))
	})
	return storing, feeding, err
}

// chunks is how many parts of a history are still to be stored; what else is in the queue are jobs.
func (s *scene) chunks() (n int) {
	for _, m := range s.Bulk.Messages() {
		if strings.Contains(m.Body, `"kind":"`+string(whatsapp.KindHistory)+`"`) {
			n++
		}
	}
	return n
}

// stored is how many messages are in the table.
func (s *scene) stored() (n int) {
	for key := range s.Table.Items() {
		if strings.HasPrefix(key[1], "MSG#") {
			n++
		}
	}
	return n
}
