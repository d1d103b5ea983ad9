package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"threadline/infra/crmsim"
	"threadline/infra/local/demo"
	"threadline/infra/local/stack"
	"threadline/infra/sim"
	"threadline/shared/blob"
	"threadline/shared/crm/known"
)

// bundle is a CRM_BUNDLE.
const bundle = 5 * time.Minute

// crm counts what messages cost in calls to each CRM, watches the heap while a large file passes through, and times the
// way through the local stack.
func (b *bench) crm() error {
	title("CRM, calls", "Counted by the simulated CRM. The function has run before; for the first row it is new, and so is the account.",
		"A conversation: a new customer and 20 messages in ten minutes, 10 texts, 4 photos whose file comes two seconds later, 6",
		fmt.Sprintf("answers. Bundled: with CRM_BUNDLE=%.0fm.", bundle.Minutes()))
	head := []string{""}
	rows := make([][]string, len(costs))
	var tokens [][]string
	for _, k := range benched() {
		var spent []spending
		err := sim.Outside(func(t testing.TB) { spent = spend(t, k) })
		if err != nil {
			return fmt.Errorf("%s: %w", k.Name, err)
		}
		head = append(head, k.Name)
		for i, s := range spent {
			rows[i] = append(rows[i], count(float64(s.calls)))
			if k.Connector == "pipedrive" {
				tokens = append(tokens, []string{costs[i], fmt.Sprint(s.tokens)})
			}
		}
	}
	for i := range rows {
		rows[i] = append([]string{costs[i]}, rows[i]...)
	}
	table(head, rows)
	table([]string{"tokens of Pipedrive", ""}, tokens)
	if err := largeFiles(); err != nil {
		return err
	}
	return b.crmStack()
}

// benched are the CRMs, and the variants in which a message costs something else.
func benched() (all []crmsim.Kind) {
	for _, name := range slices.Sorted(maps.Keys(crmsim.Kinds)) {
		all = append(all, crmsim.Kinds[name])
	}
	for _, k := range crmsim.Variants {
		if k.Name == "espocrm with notes" || k.Name == "salesforce with tasks" {
			all = append(all, k)
		}
	}
	return all
}

// happening is something that costs calls.
type happening struct {
	name string
	do   func(*crmsim.Rig)
}

const (
	first, second, third = "34600111000", "34600111001", "34600111002"
	soon                 = 2 * time.Second
)

var photo = make([]byte, 100<<10)

var happenings = []happening{
	{"first message of all", func(r *crmsim.Rig) { r.Text(first, "wamid.0", sentence) }},
	{"message of a new customer", func(r *crmsim.Rig) { r.Text(second, "wamid.1", sentence) }},
	{"message", func(r *crmsim.Rig) { r.Text(second, "wamid.2", sentence) }},
	{"answer", func(r *crmsim.Rig) { r.Answer(second, "m_3", sentence, nil) }},
	{"photo, file soon there", func(r *crmsim.Rig) { r.Photo(second, "wamid.4", "", photo, soon) }},
	{"edit", func(r *crmsim.Rig) { r.Edit(second, "wamid.6", "wamid.2", "No. "+sentence) }},
	{"photo, file an hour later", func(r *crmsim.Rig) { r.Photo(second, "wamid.5", "", photo, time.Hour) }},
	{"conversation", converse},
}

// costs are the names of the rows.
var costs = func() (all []string) {
	for _, h := range happenings {
		all = append(all, h.name)
	}
	return append(all, "conversation, bundled")
}()

// converse is a whole conversation with somebody new.
func converse(r *crmsim.Rig) {
	for i := range 20 {
		id := fmt.Sprint("wamid.c", i)
		r.After(time.Duration(i)*30*time.Second, func() {
			switch {
			case i%5 == 3:
				r.Photo(third, id, "", photo, soon)
			case i%3 == 1:
				r.Answer(third, "m_"+id, sentence, nil)
			default:
				r.Text(third, id, sentence)
			}
		})
	}
}

// spending is what something cost.
type spending struct{ calls, tokens int }

// spend measures all happenings in one CRM.
func spend(t testing.TB, k crmsim.Kind) (all []spending) {
	r := crmsim.New(t, crmsim.Options{Workers: 1}, k)
	cost := func(r *crmsim.Rig, do func(*crmsim.Rig)) (s spending) {
		before := len(r.CRMs[0].Ledger())
		do(r)
		r.Quiet()
		for _, call := range r.CRMs[0].Ledger()[before:] {
			s.calls++
			s.tokens += call.Tokens
		}
		r.Run(time.Minute)
		return s
	}
	for _, h := range happenings {
		all = append(all, cost(r, h.do))
	}
	bundled := crmsim.New(t, crmsim.Options{Workers: 1, Bundle: bundle}, k)
	cost(bundled, happenings[0].do)
	return append(all, cost(bundled, converse))
}

// stream is a bucket whose objects are of one size and don't lie in memory.
type stream int64

func (size stream) Get(context.Context, string) (io.ReadCloser, blob.Info, error) {
	return io.NopCloser(io.LimitReader(pattern{}, int64(size))), blob.Info{Size: int64(size)}, nil
}

// largeFiles watches the heap while a file goes into each CRM.
func largeFiles() error {
	title("CRM, a file of 100 MiB", "Or of what the CRM takes at most. The heap is crmsync's with that of the simulated CRM.")
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(crmsim.Kinds)) {
		var row []string
		err := sim.Outside(func(t testing.TB) { row = largeFile(t, crmsim.Kinds[name]) })
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		rows = append(rows, row)
	}
	table([]string{"", "takes at most", "file", "peak heap in use", "before", "time"}, rows)
	return nil
}

func largeFile(t testing.TB, k crmsim.Kind) []string {
	size, most := int64(documentSize), "not known"
	probe := crmsim.New(t, crmsim.Options{}, k).CRMs[0].Capabilities().MaxFile
	if probe > 0 {
		size, most = min(size, probe), mib(uint64(probe))
	}
	r := crmsim.New(t, crmsim.Options{Workers: 1, Blobs: stream(size)}, k)
	r.Text(first, "wamid.0", sentence)
	r.Quiet()
	m := r.Arriving(first, "wamid.1", "")
	runtime.GC()
	stop, begin := watchHeap(), time.Now()
	r.Arrived(m, size)
	r.Quiet()
	took := time.Since(begin)
	base, peak := stop()
	if records, err := r.CRMs[0].Records(); err != nil || len(records) != 1 || len(records[0].Entries) != 2 || len(records[0].Entries[1].Files) != 1 {
		t.Fatalf("the file isn't there: %v", err)
	}
	return []string{k.Name, most, mib(uint64(size)), target(peak < heapTarget, mib(peak)), mib(base), took.Round(time.Millisecond).String()}
}

// crmMessages is how many messages are timed in each CRM.
const crmMessages = 20

// crmStack times messages on their way into each CRM through a local stack of its own.
func (b *bench) crmStack() error {
	title("CRM, webhook to entry", "Through the local stack as below, with one CRM each, one message when the one before has arrived.")
	var rows [][]string
	for _, name := range known.Names() {
		times, err := b.throughStack(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		rows = append(rows, []string{name, fmt.Sprint(len(times)), ms(percentile(times, 0.5)), ms(percentile(times, 0.95))})
	}
	table([]string{"", "times", "p50", "p95"}, rows)
	return nil
}

func (b *bench) throughStack(connector string) (times []time.Duration, err error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	environ := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CRM_CONNECTOR=") })
	s, err := stack.Start(b.ctx, stack.Options{
		Root: b.root, StateDir: dir, Environ: append(environ, "CRM_CONNECTOR="+connector), Progress: func(line string) { fmt.Fprintln(os.Stderr, line) },
	})
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	l := &local{ctx: b.ctx, stack: s, state: dir}
	for i := range crmMessages + 2 {
		begin, have := time.Now(), entriesIn(s.CRM(connector))
		if err := l.post(customer, wamid(i)); err != nil {
			return nil, err
		}
		if err := l.until("a message to be in "+connector, func() (bool, error) { return entriesIn(s.CRM(connector)) > have, nil }); err != nil {
			return nil, err
		}
		if i >= 2 { // the first ones start processes and provision
			times = append(times, time.Since(begin))
		}
	}
	return times, nil
}

func entriesIn(crm demo.CRM) (n int) {
	for _, c := range crm.Contacts() {
		n += c.Entries
	}
	return n
}
