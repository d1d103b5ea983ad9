package e2e

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"threadline/infra/local/meta"
)

const (
	chaosRounds  = 15                     // messages of each customer
	chaosReplies = 5                      // to each customer
	chaosBeat    = 300 * time.Millisecond // between two kills
)

// functions are those that handle messages.
var functions = []string{"webhook", "router", "media", "crmsync", "sender", "api"}

// chaos is what is left to be checked when what was killed has been repeated.
type chaos struct {
	people []*person
	killed map[string]int
}

// killing is four customers writing, the company answering, and somebody who ends the processes of one function after
// the other with kill -9 meanwhile. Visibility timeouts are the one thing here that isn't as deployed: a file would
// come again ten minutes after its function was killed.
func (c *chaos) killing(t *testing.T, w *world) {
	defer w.impatient(t)()
	for i := range 4 {
		c.people = append(c.people, w.customer(t, fmt.Sprintf("Kim Survivor %d", i), fmt.Sprintf("3460055505%d", i)))
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.kill(ctx, w)
	}()
	for round := range chaosRounds {
		for i, p := range c.people {
			p.writes(t, c.draft(i, round))
			if round%3 == 2 {
				c.reply(t, p, round/3)
			}
		}
		time.Sleep(time.Second) // Meta's timestamps are whole seconds: there is no order within one
	}
	stop()
	<-done
	for _, f := range functions {
		if c.killed[f] == 0 {
			t.Errorf("%s was never killed", f)
		}
	}
	t.Logf("killed: %v", c.killed)
}

// impatient has the queues give back after 4 seconds what nobody has finished. The returned function undoes that.
func (w *world) impatient(t *testing.T) (undo func()) {
	t.Helper()
	client := sqs.NewFromConfig(w.Config())
	before := map[string]string{}
	set := func(output, seconds string) {
		_, err := client.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{
			QueueUrl: aws.String(w.Output(output)), Attributes: map[string]string{"VisibilityTimeout": seconds},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for output := range queues {
		out, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
			QueueUrl: aws.String(w.Output(output)), AttributeNames: []types.QueueAttributeName{"VisibilityTimeout"},
		})
		if err != nil {
			t.Fatal(err)
		}
		before[output] = out.Attributes["VisibilityTimeout"]
		set(output, "4")
	}
	return func() {
		for output, seconds := range before {
			set(output, seconds)
		}
	}
}

// kill ends the processes of one function after the other.
func (c *chaos) kill(ctx context.Context, w *world) {
	c.killed = map[string]int{}
	for {
		for _, i := range rand.Perm(len(functions)) {
			c.killed[functions[i]] += w.KillFunction(functions[i])
			select {
			case <-ctx.Done():
				return
			case <-time.After(chaosBeat):
			}
		}
	}
}

func chaosText(round int) string { return fmt.Sprintf("line %02d of the storm", round) }
func chaosReply(n int) string    { return fmt.Sprintf("answer %d to the storm", n) }
func chaosPhoto(i, n int) []byte { return randomFile(30_000 + 1000*i + n) }
func withPhoto(round int) bool   { return round%5 == 1 }

// draft is what customer i writes in a round: a photo now and then.
func (c *chaos) draft(i, round int) meta.Draft {
	if withPhoto(round) {
		return meta.Draft{File: &meta.Upload{Name: "storm.jpg", MIME: "image/jpeg", Caption: chaosText(round), Body: bytes.NewReader(chaosPhoto(i, round))}}
	}
	return meta.Draft{Text: chaosText(round)}
}

// reply asks until it is answered, as clients do: with the same Idempotency-Key.
func (c *chaos) reply(t *testing.T, p *person, n int) {
	t.Helper()
	key := fmt.Sprintf("storm %s %d", p.ID, n)
	request := object{"to": "+" + p.Phone, "text": chaosReply(n)}
	p.w.secret(chaosText(n), chaosReply(n))
	eventually(t, patience, func() error {
		status, err := p.w.call(t.Context(), http.MethodPost, "/messages", key, request, nil)
		if err == nil && status != http.StatusAccepted {
			err = fmt.Errorf("status %d", status)
		}
		return err
	})
}

// converged wants every message once and in order: in the conversation, on the CRM record and on the phone.
func (c *chaos) converged(t *testing.T, w *world) {
	var written, answered []string
	for round := range chaosRounds {
		written = append(written, chaosText(round))
	}
	for n := range chaosReplies {
		answered = append(answered, chaosReply(n))
	}
	for i, p := range c.people {
		p.known(t)
		// What the sender had begun when it was killed is unknown until its lease of 50 s ends, and is then sent again.
		eventually(t, 3*patience, func() error {
			in, out, err := c.conversation(t, p)
			if err != nil {
				return err
			}
			if !slices.Equal(in, written) || !slices.Equal(out, answered) {
				return fmt.Errorf("customer %d: the conversation has %q and %q", i, in, out)
			}
			if got := p.replies(); !slices.Equal(got, answered) {
				return fmt.Errorf("customer %d: the phone shows %q", i, got)
			}
			return c.recorded(p, written, answered)
		})
		_, entries, err := p.record()
		if err != nil {
			t.Fatal(err)
		}
		photos := 0
		for _, e := range entries {
			for round := range chaosRounds {
				if withPhoto(round) && strings.Contains(e.HTML, chaosText(round)) {
					sameFile(t, w, e.Files[0], chaosPhoto(i, round))
					photos++
				}
			}
		}
		if photos != 3 {
			t.Errorf("customer %d: %d photos, want 3", i, photos)
		}
	}
}

// conversation returns what was written and what was answered and delivered, in the order that the API shows.
func (c *chaos) conversation(t *testing.T, p *person) (in, out []string, err error) {
	all, err := p.w.messages(t, p.conversation, 100)
	for _, m := range all {
		switch {
		case m.Direction == "in":
			in = append(in, m.Text)
		case m.Status == "delivered":
			out = append(out, m.Text)
		}
	}
	return in, out, err
}

// recorded wants the CRM record to have every text once, the customer's in order, and a file with each photo.
func (c *chaos) recorded(p *person, written, answered []string) error {
	_, entries, err := p.record()
	if err != nil {
		return err
	}
	if len(entries) != len(written)+len(answered) {
		return fmt.Errorf("%s: %d entries in the CRM", p.ID, len(entries))
	}
	next := 0
	for _, e := range entries {
		if next < len(written) && strings.Contains(e.HTML, written[next]) {
			if withPhoto(next) && len(e.Files) != 1 {
				return fmt.Errorf("%s: entry %d has %d files", p.ID, next, len(e.Files))
			}
			next++
		}
	}
	if next != len(written) {
		return fmt.Errorf("%s: the CRM has %d of the customer's messages in order", p.ID, next)
	}
	return nil
}
