package main

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"threadline/infra/sim"
	"threadline/shared/metric"
	"threadline/shared/store"
)

// use is what one function did.
type use struct {
	runs  int
	table store.Cost
	calls map[string]int // of the other services
	puts  int            // those of s3 that store
}

// usage is what happened between two moments.
type usage struct {
	functions map[string]use
	logged    int // bytes
	files     int // bytes in the bucket
}

// scene is a pipeline in memory with every call counted: in the place of the SDK's clients, so by what the functions
// really ask.
type scene struct {
	*sim.Sim
	logs lines

	mu     sync.Mutex
	meters map[string][]*store.Meter // a function that reads two queues has two
}

// customer is a WhatsApp id.
const customer = "34600111222"

func newScene(t testing.TB, o sim.Options) *scene {
	s := &scene{meters: map[string][]*store.Meter{}}
	o.Receipts = []sim.Receipt{} // delivered one by one
	o.Log = slog.New(slog.NewJSONHandler(&s.logs, nil))
	o.Table = func(function string, t store.API) store.API {
		m := store.NewMeter(t)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.meters[function] = append(s.meters[function], m)
		return m
	}
	s.Sim = sim.New(t, o)
	return s
}

// lines counts what is logged.
type lines struct {
	mu    sync.Mutex
	bytes int
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bytes += len(p)
	return len(p), nil
}

// measure does something, lets everything that follows from it happen, and returns what that took.
func (s *scene) measure(do func()) usage {
	s.Run(time.Minute) // what moves with time does
	return s.during(func() {
		do()
		s.Quiet()
	})
}

// during returns what something takes.
func (s *scene) during(do func()) usage {
	runs, calls, logged, metrics, files := s.Runs(), len(s.Calls()), s.logs.bytes, s.metricBytes(), s.fileBytes()
	tables := s.tables()
	defaultLog := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&s.logs, nil)))
	defer slog.SetDefault(defaultLog)
	do()

	u := usage{functions: map[string]use{}, logged: s.logs.bytes - logged + s.metricBytes() - metrics, files: s.fileBytes() - files}
	for function, n := range s.Runs() {
		if n > runs[function] {
			u.functions[function] = use{runs: n - runs[function], calls: map[string]int{}}
		}
	}
	for function, cost := range s.tables() {
		if f, ok := u.functions[function]; ok {
			f.table = cost.Less(tables[function])
			u.functions[function] = f
		}
	}
	for _, c := range s.Calls()[calls:] {
		if c.Service == "dynamodb" {
			continue // counted with its size
		}
		f := u.functions[c.Function]
		f.calls[c.Service]++
		if c.Op == "PutObject" {
			f.puts++
		}
		u.functions[c.Function] = f
	}
	return u
}

// tables are what each function's calls to the table cost so far.
func (s *scene) tables() map[string]store.Cost {
	costs := map[string]store.Cost{}
	for function, meters := range s.meters {
		for _, m := range meters {
			costs[function] = costs[function].Plus(m.Cost())
		}
	}
	return costs
}

// metricBytes is how long the metrics are that were counted so far, as lines of the log.
func (s *scene) metricBytes() int {
	total := 0
	for _, name := range []string{metric.MessageReceived, metric.MessageSent, metric.SendUnknown, metric.SendFailed,
		metric.SignatureRejected, metric.UnknownNumber, metric.RawUpdate, metric.Parked, metric.MediaFailed, metric.ConnectorStopped} {
		var line bytes.Buffer
		m := metric.Metrics{Namespace: "Threadline/threadline", Out: &line, Now: s.Now}
		m.Count(context.Background(), name, 1, "Kind", "text")
		total += line.Len() * s.Metrics.Of(name)
	}
	return total
}

func (s *scene) fileBytes() int {
	total := 0
	for _, key := range s.Bucket.Keys() {
		if body, info, err := s.Bucket.Get(context.Background(), key); err == nil {
			_ = body.Close()
			total += int(info.Size)
		}
	}
	return total
}
