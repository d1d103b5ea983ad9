package meta

import (
	"fmt"
	"time"
)

// pairEvery is how often Meta lets one number write to one customer in the long run. Meta lends 45 messages ahead; the
// simulator lends none, so that one can see it.
// https://developers.facebook.com/docs/whatsapp/cloud-api/overview#pair-rate-limits
const pairEvery = 6 * time.Second

// paces remembers what was sent when, by the simulated clock.
type paces struct {
	pairs  map[string]time.Time // number and addressee → last message
	second map[string]time.Time // number → second that is being counted
	count  map[string]int       // number → messages in that second
}

// pace refuses a message that comes too soon after others, if that is switched on.
func (s *Simulator) pace(q *sendRequest) *graphError {
	now, p := s.opts.Now(), &s.paces
	if p.pairs == nil {
		*p = paces{map[string]time.Time{}, map[string]time.Time{}, map[string]int{}}
	}
	switch s.faults.Rates {
	case "pair":
		pair := q.number + " " + q.Recipient + punctuation.Replace(q.To)
		if now.Before(p.pairs[pair].Add(pairEvery)) {
			return &graphError{Code: 131056, Details: "Too many messages from this number to this customer in a short time"}
		}
		p.pairs[pair] = now
	case "throughput":
		if second := now.Truncate(time.Second); !p.second[q.number].Equal(second) {
			p.second[q.number], p.count[q.number] = second, 0
		}
		if p.count[q.number]++; p.count[q.number] > s.faults.PerSecond {
			return &graphError{Code: 130429, Details: fmt.Sprintf("More than %d messages in this second", s.faults.PerSecond)}
		}
	}
	return nil
}
