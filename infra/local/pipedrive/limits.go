package pipedrive

import (
	"net/http"
	"strconv"
	"time"
)

// request is a call of the last two seconds.
type request struct {
	at     time.Time
	search bool
}

// charge lets a call in if the windows and the day's budget have room for it, and says so in the headers. The headers
// of the daily budget are in no document of Pipedrive's; its users see them.
func (s *Simulator) charge(h http.Header, o operation) error {
	now := s.options.Now()
	all, searches := s.inWindow(now)
	limit, used := burst, all
	if o.search {
		limit, used = searchBurst, searches
	}
	h.Set("x-ratelimit-limit", strconv.Itoa(limit))
	h.Set("x-ratelimit-remaining", strconv.Itoa(max(0, limit-used-1)))
	h.Set("x-ratelimit-reset", strconv.Itoa(int(window/time.Second)))
	if used >= limit || all >= burst {
		return overLimit()
	}
	day := now.UTC().Format(time.DateOnly)
	left := s.options.Budget - s.spent[day] - o.tokens
	h.Set("x-daily-ratelimit-token-limit", strconv.Itoa(s.options.Budget))
	h.Set("x-daily-ratelimit-token-remaining", strconv.Itoa(max(0, left)))
	if left < 0 {
		return overLimit()
	}
	s.spent[day] += o.tokens
	s.recent = append(s.recent, request{now, o.search})
	return nil
}

// inWindow forgets what is older than the window and counts the rest.
func (s *Simulator) inWindow(now time.Time) (all, searches int) {
	kept := s.recent[:0]
	for _, r := range s.recent {
		if now.Sub(r.at) >= window {
			continue
		}
		kept = append(kept, r)
		if r.search {
			searches++
		}
	}
	s.recent = kept
	return len(kept), searches
}

func overLimit() *refusal {
	return &refusal{Status: http.StatusTooManyRequests, Message: "request over limit", Number: http.StatusTooManyRequests}
}
