package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"threadline/shared/chat"
	"threadline/shared/queue"
	"threadline/shared/queue/queuetest"
	"threadline/shared/secret"
	"threadline/shared/whatsapp/whatsapptest"
)

// function is one that reads a queue.
type function struct {
	name     string
	queue    string
	from     *queuetest.Queue
	start    func() queue.Handler
	handle   queue.Handler // of the process that is up
	consumer *queue.Consumer
	pump     *queuetest.Pump

	running       int           // with a Pace: how many runs haven't ended
	took, longest time.Duration // the last run, and the one that took longest
}

var errGone = errors.New("the process is gone")

// invoke runs a function once. A process that went away during it is replaced, and what it held in memory is lost.
func (s *Sim) invoke(f *function, e events.SQSEvent) (events.SQSEventResponse, error) {
	var resp events.SQSEventResponse
	inv := s.begin(f.name)
	if len(e.Records) == 1 {
		inv.entry = e.Records[0].MessageId
	}
	inv.again = func() { _, _ = s.invoke(f, e) }
	gone := inv.run(func(ctx context.Context) { resp, _ = f.consumer.Lambda(ctx, e) })
	s.started(f, inv)
	if gone {
		f.handle = f.start()
		return events.SQSEventResponse{}, errGone
	}
	if s.o.Twice && e.Records[0].Attributes["ApproximateReceiveCount"] == "1" {
		return events.SQSEventResponse{}, errors.New("delivered twice")
	}
	return resp, nil
}

// Runs are how often each function was invoked so far.
func (s *Sim) Runs() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.runs)
}

// begin is an invocation that starts.
func (s *Sim) begin(function string) *invocation {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs[function]++
	return &invocation{function: function}
}

// run calls what a function does, as a process of its own: nothing that it does after its end counts.
func (i *invocation) run(do func(context.Context)) (gone bool) {
	done := make(chan bool)
	go func() {
		finished := false
		defer func() { done <- finished }()
		do(context.WithValue(context.Background(), invocationKey{}, i))
		finished = true
	}()
	return !<-done || i.gone()
}

// Post sends a signed webhook and returns the status, 502 when the function went away.
func (s *Sim) Post(body []byte) int {
	key, _ := keys{}.Value(context.Background(), secret.AppSecret)
	e := events.APIGatewayV2HTTPRequest{Body: string(body), Headers: map[string]string{
		"x-hub-signature-256": whatsapptest.Sign(key, body),
	}}
	e.RequestContext.HTTP.Method = http.MethodPost
	status := http.StatusBadGateway
	inv := s.begin("webhook")
	inv.again = func() { s.Post(body) }
	if gone := inv.run(func(ctx context.Context) {
		if r, err := s.webhook.Handle(ctx, e); err == nil {
			status = r.StatusCode
		}
	}); gone {
		return http.StatusBadGateway
	}
	return status
}

// post is a webhook on its way.
type post struct {
	body     []byte
	attempts int
}

// Deliver posts a webhook as Meta does: again with growing pauses until the answer is 200, and those of one lane (a
// customer, say) in order.
func (s *Sim) Deliver(lane string, body []byte) {
	s.lanes[lane] = append(s.lanes[lane], post{body: body})
	if len(s.lanes[lane]) == 1 {
		s.deliver(lane)
	}
}

func (s *Sim) deliver(lane string) {
	for len(s.lanes[lane]) > 0 {
		head := &s.lanes[lane][0]
		if s.Post(head.body) != http.StatusOK {
			head.attempts++
			s.After(min(time.Hour, 5*time.Second<<min(head.attempts, 12)), func() { s.deliver(lane) })
			return
		}
		s.lanes[lane] = s.lanes[lane][1:]
	}
}

// Ask is POST /api/v1/messages with an Idempotency-Key, repeated like a patient client until it is answered 202. It
// returns the message's id.
func (s *Sim) Ask(key string, body any) chat.MessageID {
	s.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	for range 20 {
		w := httptest.NewRecorder()
		ask := func(ctx context.Context) {
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/api/v1/messages", bytes.NewReader(raw))
			r.Header.Set("Authorization", "Bearer token")
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Idempotency-Key", key)
			s.api.ServeHTTP(w, r)
		}
		inv := s.begin("api")
		inv.again = func() {
			first := w
			w = httptest.NewRecorder()
			(&invocation{function: "api", again: func() {}}).run(ask)
			w = first
		}
		if gone := inv.run(ask); gone || w.Code >= 500 {
			continue
		}
		var accepted struct{ ID chat.MessageID }
		if err := json.Unmarshal(w.Body.Bytes(), &accepted); w.Code != http.StatusAccepted || err != nil {
			s.t.Fatalf("POST /api/v1/messages: %d %s", w.Code, w.Body)
		}
		return accepted.ID
	}
	s.t.Fatal("POST /api/v1/messages: never accepted")
	return ""
}

// Get reads a path of the API into answer.
func (s *Sim) Get(path string, answer any) {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.begin("api").run(func(ctx context.Context) {
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/"+path, nil)
		r.Header.Set("Authorization", "Bearer token")
		s.api.ServeHTTP(w, r)
	})
	if err := json.Unmarshal(w.Body.Bytes(), answer); w.Code != http.StatusOK || err != nil {
		s.t.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
}

// Reply asks for a text to a phone number. The key makes it one message however often it is asked for.
func (s *Sim) Reply(key, phone, text string) chat.MessageID {
	s.t.Helper()
	return s.Ask(key, map[string]any{"to": "+" + phone, "text": text})
}

// appointment is something that happens at a time.
type appointment struct {
	at time.Time
	do func()
}

// After has something happen when d has passed. Quiet makes it happen.
func (s *Sim) After(d time.Duration, do func()) {
	at := s.Now().Add(d)
	i, _ := slices.BinarySearchFunc(s.agenda, at, func(a appointment, at time.Time) int {
		if a.at.After(at) {
			return 1
		}
		return -1 // behind those of the same time
	})
	s.agenda = slices.Insert(s.agenda, i, appointment{at, do})
}

// patience is how much virtual time a run may take: longer than any queue keeps a message.
const patience = 30 * 24 * time.Hour

// Quiet runs everything until nothing is queued, waiting or appointed, moving the clock whenever all are idle.
func (s *Sim) Quiet() {
	s.t.Helper()
	for until := s.Now().Add(patience); s.step(until); {
	}
}

// Run is Quiet for a limited time; then the clock stands d later.
func (s *Sim) Run(d time.Duration) {
	s.t.Helper()
	until := s.Now().Add(d)
	for s.step(until) {
	}
	s.Clock.Set(until)
}

// step does what is due now, or moves the clock to what is due next. It returns false when there is nothing before until.
func (s *Sim) step(until time.Time) bool {
	s.t.Helper()
	for len(s.agenda) > 0 && !s.agenda[0].at.After(s.Now()) {
		do := s.agenda[0].do
		s.agenda = s.agenda[1:]
		do()
	}
	order := slices.Clone(s.functions)
	if s.o.Seed != 0 {
		s.mu.Lock()
		s.rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		s.mu.Unlock()
	}
	for _, f := range order {
		if s.busy(f) {
			continue
		}
		n, err := f.pump.Once(context.Background())
		if err != nil && n == 0 { // what can't be deleted any more comes again
			s.t.Fatalf("pump %s: %v", f.name, err)
		}
		if n > 0 {
			return true
		}
	}
	next := s.next()
	if next.IsZero() || next.After(until) {
		return false
	}
	s.Clock.Set(next)
	return true
}

func (s *Sim) next() time.Time {
	var next time.Time
	if len(s.agenda) > 0 {
		next = s.agenda[0].at
	}
	for _, f := range s.functions {
		if s.busy(f) {
			continue
		}
		if at := f.from.NextVisible(); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// exit ends the goroutine of a process that is gone.
func exit() { runtime.Goexit() }
