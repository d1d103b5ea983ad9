// Package meta plays Meta on one laptop: the Graph API that a business calls, the signed webhooks that Meta posts, and
// /phone, a page on which one plays the customer.
//
// It is written from Meta's documentation alone and shares no code with the product, so that each checks the other.
// What it promises: a request that Meta refuses is refused with Meta's code; every webhook is signed over the exact
// bytes posted, and posted again with a growing pause until the answer is 200; customers, messages, files, receipts
// still to come and webhooks not yet accepted are there again after a restart.
//
// What it leaves out: prices beyond the category, the sound of calls, the screens of Flows, the managing of groups and
// templates. Rates are kept only while Faults says so. A customer who becomes known only because the business wrote to
// them is taken to have an open service window: they may have written by a webhook that somebody else signed.
package meta

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"
)

const (
	// DefaultNumber is the phone_number_id when Options names none.
	DefaultNumber = "15550100001"
	// AccountID is the one WhatsApp Business Account that all numbers belong to.
	AccountID = "100000000000001"
	// AppID is the Meta app that the access token and the webhook belong to.
	AppID = "200000000000002"

	businessName = "Your company"
	lanes        = 4 // webhooks of one customer share a lane and stay in order; lanes post side by side
)

// Options says whose Meta this is. AppSecret, AccessToken, WebhookURL and BaseURL are required.
type Options struct {
	AppSecret   string   // signs webhooks
	AccessToken string   // the only bearer token that the Graph API accepts, beside AppID|AppSecret
	WebhookURL  string   // where updates are posted, e.g. http://127.0.0.1:8080/webhook
	BaseURL     string   // the origin at which Graph is served; media URLs begin with it
	Numbers     []string // phone_number_ids; empty: DefaultNumber
	StateDir    string   // survives a restart, files have mode 0600; empty: a temporary folder, removed by Close
	// Now is what Meta writes and judges by: timestamps, service windows, expiry. Waiting is done in real time.
	// Nil: time.Now.
	Now    func() time.Time
	Delays Delays
}

// Delays says how long things take.
type Delays struct {
	Sent      time.Duration // from acceptance to the receipt "sent"
	Delivered time.Duration // from "sent" to "delivered", when the message appears on the phone
	Read      time.Duration // from "delivered" to "read"; zero: only when the page shows the chat
	Retry     time.Duration // first pause before a webhook is posted again, doubled each time up to a minute; zero: 2 s
}

// Simulator is one simulated Meta. Its methods may be called from any goroutine.
type Simulator struct {
	opts   Options
	client *http.Client
	stop   context.CancelFunc
	work   sync.WaitGroup
	wakes  [lanes]chan struct{} // new work for a lane
	alarm  chan struct{}        // the next receipt may be due earlier than thought
	dirty  chan struct{}        // there is something to save
	temp   bool

	mu       sync.Mutex
	state    state
	messages map[string]*Message
	byPhone  map[string]*Customer
	byBSUID  map[string]*Customer
	byID     map[string]*Customer
	media    map[string]*file
	groups   map[string]*Group
	paces    paces
	faults   Faults
	problem  string // why the last webhook was not accepted, in plain words; empty: it was
	saveErr  error
	pages    map[*page]bool
}

// New starts a Simulator on the state that it finds in o.StateDir. The caller must Close it.
func New(o Options) (*Simulator, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	s := &Simulator{
		opts:   o,
		client: &http.Client{Timeout: postTimeout, CheckRedirect: noRedirect},
		alarm:  make(chan struct{}, 1),
		dirty:  make(chan struct{}, 1),
		pages:  map[*page]bool{},
	}
	if o.StateDir == "" {
		dir, err := os.MkdirTemp("", "meta-")
		if err != nil {
			return nil, fmt.Errorf("make a temporary state folder: %w", err)
		}
		s.opts.StateDir, s.temp = dir, true
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	for i := range s.wakes {
		s.wakes[i] = make(chan struct{}, 1)
		s.work.Go(func() { s.postLane(ctx, i) })
	}
	s.work.Go(func() { s.issueReceipts(ctx) })
	s.work.Go(func() { s.saveChanges(ctx) })
	return s, nil
}

func (o *Options) complete() error {
	var errs []error
	for name, value := range map[string]string{"AppSecret": o.AppSecret, "AccessToken": o.AccessToken} {
		if value == "" {
			errs = append(errs, fmt.Errorf("%s is empty", name))
		}
	}
	for name, value := range map[string]string{"WebhookURL": o.WebhookURL, "BaseURL": o.BaseURL} {
		if u, err := url.Parse(value); err != nil || u.Scheme == "" || u.Host == "" {
			errs = append(errs, fmt.Errorf("%s is not an absolute URL", name))
		}
	}
	if len(o.Numbers) == 0 {
		o.Numbers = []string{DefaultNumber}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Delays.Retry <= 0 {
		o.Delays.Retry = 2 * time.Second
	}
	return errors.Join(errs...)
}

// Close stops everything that the Simulator started and saves its state. Webhooks not yet accepted are kept.
func (s *Simulator) Close() error {
	s.stop()
	s.mu.Lock()
	for p := range s.pages {
		p.leave()
	}
	s.mu.Unlock()
	s.work.Wait()
	if s.temp {
		return os.RemoveAll(s.opts.StateDir)
	}
	return s.save()
}

// noRedirect keeps a signed body from being posted to another place than the one configured.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// ring wakes whoever waits on c; a bell that already rings is enough.
func ring(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
