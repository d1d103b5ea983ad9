package handler

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"threadline/shared/chat"
	"threadline/shared/httpapi"
	"threadline/shared/redact"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// Numbers, and whether they can send.

type numberView struct {
	ID      chat.NumberID       `json:"id"`
	Display string              `json:"display,omitempty"`
	Account string              `json:"account,omitempty"` // WhatsApp business account
	Sending sendingView         `json:"sending"`
	Facts   map[string]factView `json:"facts"`
}

// sendingView says what may leave, and why not.
type sendingView struct {
	Answers   bool       `json:"answers"`
	Templates bool       `json:"templates"`
	Why       string     `json:"why,omitempty"`
	Until     *time.Time `json:"until,omitempty"`
}

type factView struct {
	Value string     `json:"value"`
	Why   string     `json:"why,omitempty"`
	At    time.Time  `json:"at"`
	Until *time.Time `json:"until,omitempty"`
}

func (a *API) listNumbers(w http.ResponseWriter, r *http.Request) error {
	seen, err := a.Store.Numbers(r.Context())
	if err != nil {
		return err
	}
	ids := []chat.NumberID{}
	listed := map[chat.NumberID]bool{}
	add := func(n chat.NumberID) {
		if n != "" && !listed[n] {
			listed[n], ids = true, append(ids, n)
		}
	}
	for _, n := range a.Numbers {
		add(chat.NumberID(n))
	}
	for _, n := range seen {
		add(n.ID)
	}
	a.poll(r.Context(), ids)
	views := make([]numberView, len(ids))
	for i, id := range ids {
		n, account, err := a.Store.Health(r.Context(), id)
		if err != nil {
			return err
		}
		n.ID = id
		views[i] = a.viewNumber(n, account)
	}
	return httpapi.JSON(w, http.StatusOK, page("numbers", views, ""))
}

func (a *API) viewNumber(n store.Number, account store.Account) numberView {
	v := numberView{ID: n.ID, Display: n.Display, Account: n.WABA, Facts: map[string]factView{}, Sending: a.sending(n, account)}
	for _, facts := range []chat.Facts{account.Facts, n.Facts} { // the number's own word counts more
		for name, f := range facts {
			v.Facts[name] = factView{f.Value, f.Why, f.Stamp.At, some(f.Until)}
		}
	}
	return v
}

func (a *API) sending(n store.Number, account store.Account) sendingView {
	c := n.Facts.Clearance(account.Facts, a.now())
	answers := c.Answers && !n.Facts.TokenRefused(account.Facts, false)
	templates := c.Templates && !n.Facts.TokenRefused(account.Facts, true)
	if answers != c.Answers || templates != c.Templates {
		return sendingView{Answers: answers, Templates: templates, Why: chat.FactToken}
	}
	return sendingView{Answers: c.Answers, Templates: c.Templates, Why: c.Why, Until: some(c.Until)}
}

// waitingFor is the fact of its number for which a queued message waits; empty if it doesn't, or waits for its turn.
func (a *API) waitingFor(ctx context.Context, m chat.Message) (string, error) {
	if m.Direction != chat.Out || m.Status != chat.Queued {
		return "", nil
	}
	n, account, err := a.Store.Health(ctx, m.Conversation.Number())
	if err != nil {
		return "", err
	}
	s := a.sending(n, account)
	if m.Kind == chat.KindTemplate && !s.Templates || m.Kind != chat.KindTemplate && !s.Answers {
		return s.Why, nil
	}
	return "", nil
}

// some is nil for no time.
func some(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Quality isn't told by webhook, so Meta is asked, but not for every reader.
const (
	pollEvery = 10 * time.Minute
	pollFor   = 3 * time.Second
)

// polls remembers, in this process, when Meta was last asked for a number.
type polls struct {
	mu    sync.Mutex
	asked map[chat.NumberID]time.Time
}

func (p *polls) due(n chat.NumberID, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last, ok := p.asked[n]; ok && now.Sub(last) < pollEvery {
		return false
	}
	if p.asked == nil {
		p.asked = map[chat.NumberID]time.Time{}
	}
	p.asked[n] = now
	return true
}

// poll asks Meta for the state of numbers, all at once. What can't be found out stays as it was known.
func (a *API) poll(ctx context.Context, ids []chat.NumberID) {
	if a.Graph == nil {
		return
	}
	asking, cancel := context.WithTimeout(ctx, pollFor)
	defer cancel()
	var wg sync.WaitGroup
	for _, id := range ids {
		if !a.polls.due(id, a.now()) {
			continue
		}
		wg.Go(func() {
			facts := a.ask(asking, id)
			if len(facts) == 0 {
				return
			}
			if known, _, err := a.Store.Health(ctx, id); err != nil || refusedItself(known.Facts[chat.FactToken]) {
				delete(facts, chat.FactToken) // reading is allowed all the same: only a message that leaves tells more
			}
			if _, _, err := a.Store.LearnNumber(ctx, id, "", facts); err != nil {
				slog.WarnContext(ctx, "keep a number's state", "error", redact.Error(err))
			}
		})
	}
	wg.Wait()
}

// pollHolds is how long an answer may keep messages from leaving. Nobody need ask again, and a number that Meta has
// released would wait for ever; the next attempt to send tells as well.
const pollHolds = time.Hour

// ask returns what Meta says of a number. Refusing the token is an answer too.
func (a *API) ask(ctx context.Context, id chat.NumberID) map[string]chat.Fact {
	now := a.now().UTC()
	stamp := chat.Stamp{At: now.Truncate(time.Second)} // what happens within the same second is told in whole ones, and newer
	facts := map[string]chat.Fact{}
	say := func(name string, f chat.Fact) {
		if f.Stamp = stamp; f.Value != "" {
			facts[name] = f
		}
	}
	info, err := a.Graph.Number(ctx, string(id))
	if err != nil {
		slog.WarnContext(ctx, "ask for a number's state", "error", redact.Error(err))
		var refusal *whatsapp.Error
		if errors.As(err, &refusal) && refusal.Code == tokenInvalid {
			say(chat.FactToken, chat.Fact{Value: strconv.Itoa(tokenInvalid), Why: refusal.Reason()})
		}
		return facts
	}
	say(chat.FactStatus, chat.Fact{Value: info.Status, Until: now.Add(pollHolds)})
	say(chat.FactHealth, chat.Fact{Value: info.CanSend, Until: now.Add(pollHolds)})
	say(chat.FactQuality, chat.Fact{Value: info.Quality})
	say(chat.FactName, chat.Fact{Value: info.VerifiedName, Why: info.NameStatus})
	say(chat.FactThroughput, chat.Fact{Value: info.Throughput})
	say(chat.FactLimit, chat.Fact{Value: info.MessagingLimit})
	say(chat.FactToken, chat.Fact{Value: chat.TokenWorks})
	return facts
}

// refusedItself tells whether a number was refused for what it or its account is, such as one that doesn't pay, and not
// for the token or what that may do.
// https://developers.facebook.com/docs/graph-api/guides/error-handling
func refusedItself(token chat.Fact) bool {
	code, err := strconv.Atoi(token.Value)
	if err != nil {
		return false // nothing is known, or it works
	}
	ofToken := code == 0 || code == 3 || code == 10 || code == tokenInvalid || code >= 200 && code <= 299
	return !ofToken
}

// tokenInvalid is Meta's code for an access token that has expired or was revoked.
// https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
const tokenInvalid = 190
