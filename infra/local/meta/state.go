package meta

import (
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const stateFile = "meta.json"

// state is everything that must be there again after a restart.
type state struct {
	Customers []*Customer
	Messages  []*Message // in the order in which Meta accepted them
	Media     []*file
	Groups    []*Group
	Gone      []string // phone numbers and BSUIDs that nobody has any more
	Account   account
	Due       dueHeap
	Updates   [lanes][]*update // not yet part of a POST
	Posts     [lanes][]*post   // made, and not yet answered 200
	Seq       int64
}

// file is what Meta keeps of a media upload; its bytes are in the media folder under its id.
type file struct {
	ID      string
	Number  string // the business number that may use it
	MIME    string
	Name    string
	SHA256  string // hex
	Size    int64
	Inbound bool // sent by a customer, so it expires sooner
	At      time.Time
}

// due is a receipt to be issued, at a time of the wall clock.
type due struct {
	At      time.Time
	Message string
	Status  string
}

type dueHeap []due

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].At.Before(h[j].At) }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)        { *h = append(*h, x.(due)) }
func (h *dueHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// load reads the state, or begins with two customers: one with a phone number, one who hides it.
func (s *Simulator) load() error {
	if err := os.MkdirAll(s.mediaDir(), 0o700); err != nil {
		return fmt.Errorf("make the media folder: %w", err)
	}
	s.messages, s.media, s.groups = map[string]*Message{}, map[string]*file{}, map[string]*Group{}
	s.byID, s.byPhone, s.byBSUID = map[string]*Customer{}, map[string]*Customer{}, map[string]*Customer{}

	raw, err := os.ReadFile(filepath.Join(s.opts.StateDir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		s.join(&Customer{Name: "Customer 1", Phone: "12025550101"})
		s.join(&Customer{Name: "Customer 2", Username: "customer.two"})
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the simulated Meta's state: %w", err)
	}
	if err := json.Unmarshal(raw, &s.state); err != nil {
		return fmt.Errorf("read the simulated Meta's state: %w", err)
	}
	for _, g := range s.state.Groups {
		s.groups[g.ID] = g
	}
	heap.Init(&s.state.Due)
	for _, c := range s.state.Customers {
		s.index(c)
	}
	for _, m := range s.state.Messages {
		s.messages[m.ID] = m
	}
	for _, f := range s.state.Media {
		s.media[f.ID] = f
	}
	return nil
}

// saveChanges saves a moment after a change, and never spends more than a tenth of its time on it however much there
// is to save.
func (s *Simulator) saveChanges(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.dirty:
		}
		began := time.Now()
		err := s.save()
		s.mu.Lock()
		s.saveErr = err
		s.mu.Unlock()
		pause(ctx, max(200*time.Millisecond, 10*time.Since(began)))
	}
}

func (s *Simulator) save() error {
	s.mu.Lock()
	raw, err := json.Marshal(&s.state)
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("encode the simulated Meta's state: %w", err)
	}
	path := filepath.Join(s.opts.StateDir, stateFile)
	if err := os.WriteFile(path+".new", raw, 0o600); err != nil {
		return fmt.Errorf("save the simulated Meta's state: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("save the simulated Meta's state: %w", err)
	}
	return nil
}

func (s *Simulator) mediaDir() string { return filepath.Join(s.opts.StateDir, "media") }

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
