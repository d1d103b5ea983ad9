package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"threadline/infra/local/meta"
	"threadline/infra/local/stack"
)

// How much is sent through the local stack.
const (
	oneByOne = 60  // messages, each when the one before has arrived everywhere
	replies  = 20  // likewise
	photos   = 10  // likewise
	burst    = 200 // messages at once
	people   = 20  // who write them
	posters  = 8   // webhooks at a time

	patience = time.Minute // for something to arrive
	poll     = 5 * time.Millisecond
)

// stack sends messages through the local stack: real processes, the emulator for AWS, simulated Meta and HubSpot.
func (b *bench) stack() error {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := stack.Start(b.ctx, stack.Options{
		Root: b.root, StateDir: dir, Progress: func(line string) { fmt.Fprintln(os.Stderr, line) },
		Delays: meta.Delays{Sent: time.Millisecond, Delivered: time.Millisecond},
	})
	if err != nil {
		return err
	}
	defer s.Stop()
	l := &local{b.ctx, s, dynamodb.NewFromConfig(s.Config()), dir}
	if _, _, err := l.message(customer, "wamid.first"); err != nil { // starts the processes, and the CRM's properties are made
		return err
	}
	title("Local stack", "Real processes behind an emulator of AWS (one Python process), simulated Meta and HubSpot, on this machine.",
		"The emulator looks for a queue's messages every 100 ms, so each queue on the way adds up to that.",
		fmt.Sprintf("One by one: each when the one before has arrived, seen by looking every %s.", poll))
	b.cpu = map[string]time.Duration{}
	var rows [][]string
	for _, phase := range []struct {
		run       func(*local) ([]timing, error)
		n         int
		functions []string // that run once for each
	}{
		{(*local).messages, oneByOne, []string{"webhook", "router", "crmsync"}},
		{(*local).replies, replies, []string{"api", "sender"}},
		{(*local).photos, photos, []string{"media"}},
	} {
		before := l.processors()
		timings, err := phase.run(l)
		if err != nil {
			return err
		}
		used := l.processors()
		for _, f := range phase.functions {
			b.cpu[f] = (used[f] - before[f]) / time.Duration(phase.n)
		}
		for _, t := range timings {
			rows = append(rows, []string{t.what, fmt.Sprint(len(t.all)), ms(percentile(t.all, 0.5)), ms(percentile(t.all, 0.95))})
		}
	}
	table([]string{"one by one", "times", "p50", "p95"}, rows)
	if err := l.burst(); err != nil {
		return err
	}
	rows = nil
	for _, f := range functions {
		rows = append(rows, []string{f, ms(b.cpu[f])})
	}
	table([]string{"processor time of a run, one by one", ""}, rows)
	return nil
}

// timing is how long something took, each time.
type timing struct {
	what string
	all  []time.Duration
}

func (l *local) messages() ([]timing, error) {
	stored, seen := timing{what: "message: webhook to stored"}, timing{what: "message: webhook to CRM"}
	for i := range oneByOne {
		a, b, err := l.message(customer, wamid(i))
		if err != nil {
			return nil, err
		}
		stored.all, seen.all = append(stored.all, a), append(seen.all, b)
	}
	return []timing{stored, seen}, nil
}

// message posts a message and waits until it is stored and then in the CRM.
func (l *local) message(from, id string) (stored, seen time.Duration, err error) {
	entries, begin := l.entries(), time.Now()
	if err := l.post(from, id); err != nil {
		return 0, 0, err
	}
	err = l.until("a message to be stored", func() (bool, error) {
		n, err := l.stored([]string{id})
		return n == 1, err
	})
	stored = time.Since(begin)
	if err == nil {
		err = l.until("a message to be in the CRM", func() (bool, error) { return l.entries() > entries, nil })
	}
	return stored, time.Since(begin), err
}

// replies asks for answers by the REST API and waits for them on the phone.
func (l *local) replies() ([]timing, error) {
	there := timing{what: "reply: request to phone"}
	who, err := l.stack.Meta().AddCustomer("Reader", "34600333444", "")
	if err != nil {
		return nil, err
	}
	if err := l.arrives(func() error { _, err := l.stack.Meta().WriteText(who.ID, "Hello"); return err }); err != nil {
		return nil, err
	}
	for i := range replies {
		have, begin := l.delivered(who.ID), time.Now()
		ask := func() error {
			return l.request("/api/v1/messages", map[string]string{"Authorization": "Bearer local-api-key"},
				fmt.Appendf(nil, `{"to":"+34600333444","text":"Answer %d"}`, i), http.StatusAccepted)
		}
		arrives := func() error {
			if err := ask(); err != nil {
				return err
			}
			err := l.until("a reply on the phone", func() (bool, error) { return l.delivered(who.ID) > have, nil })
			there.all = append(there.all, time.Since(begin))
			return err
		}
		if err := l.arrives(arrives); err != nil {
			return nil, err
		}
	}
	return []timing{there}, nil
}

// photos sends photos from the simulated phone and waits for them on the customer's record.
func (l *local) photos() ([]timing, error) {
	there := timing{what: "photo of 1 MB: sent to file in the CRM"}
	who, err := l.stack.Meta().AddCustomer("Photographer", "34600555666", "")
	if err != nil {
		return nil, err
	}
	for i := range photos {
		content := append([]byte("\xff\xd8\xff\xe0"), bytes.Repeat([]byte{byte(i)}, photoSize)...)
		have, begin := l.files(), time.Now()
		if _, err := l.stack.Meta().WriteFile(who.ID, "photo.jpg", "image/jpeg", content); err != nil {
			return nil, err
		}
		if err := l.until("a photo in the CRM", func() (bool, error) { return l.files() > have, nil }); err != nil {
			return nil, err
		}
		there.all = append(there.all, time.Since(begin))
	}
	return []timing{there}, nil
}

// burst sends many messages at once and prints how fast they go through.
func (l *local) burst() error {
	ids := make([]string, burst)
	for i := range ids {
		ids[i] = "wamid.burst." + pad(i)
	}
	entries, before, emulator, begin := l.entries(), l.processors(), l.emulator(), time.Now()
	if err := l.postAll(ids); err != nil {
		return err
	}
	posted := time.Since(begin)
	err := l.until("a burst to be stored", func() (bool, error) {
		n, err := l.stored(ids)
		return n == len(ids), err
	})
	if err != nil {
		return err
	}
	stored := time.Since(begin)
	err = l.until("a burst to be in the CRM", func() (bool, error) { return l.entries() >= entries+burst, nil })
	if err != nil {
		return err
	}
	seen := time.Since(begin)
	var own time.Duration
	for f, used := range l.processors() {
		own += used - before[f]
	}
	rate := func(d time.Duration) string { return fmt.Sprintf("%.0f a second", burst/d.Seconds()) }
	table([]string{fmt.Sprintf("%d messages at once, of %d people", burst, people), "", ""}, [][]string{
		{"answered 200", rate(posted), ""},
		{"stored", rate(stored), ""},
		{"in the CRM", rate(seen), ""},
		{"processor time of our processes, per message", ms(own / burst), fmt.Sprintf("%.0f %% of one processor", 100*own.Seconds()/seen.Seconds())},
		{"processor time of the emulator, per message", ms((l.emulator() - emulator) / burst), fmt.Sprintf("%.0f %% of one processor", 100*(l.emulator()-emulator).Seconds()/seen.Seconds())},
	})
	return nil
}

// postAll posts a message each, several at a time and those of one person in order.
func (l *local) postAll(ids []string) error {
	var wg sync.WaitGroup
	failures := make([]error, posters)
	for p := range posters {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i, id := range ids {
				if who := i % people; who%posters == p {
					failures[p] = errors.Join(failures[p], l.post(fmt.Sprintf("346007%05d", who), id))
				}
			}
		}()
	}
	wg.Wait()
	return errors.Join(failures...)
}
