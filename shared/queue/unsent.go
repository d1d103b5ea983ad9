package queue

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// failure is one entry that was not accepted.
type failure struct {
	entry     int
	code      string // SQS's word
	err       error  // of the call, if it failed as a whole; on the first of its entries
	entryOnly bool   // the call went through, this entry did not
	refused   bool   // for what the entry holds: the same entry will be refused again
}

// sendError is what Send returns. Its text holds counts and SQS's codes only.
type sendError struct {
	text    string
	unsent  []Entry
	refused []Entry
	causes  []error
}

func (e *sendError) Error() string   { return e.text }
func (e *sendError) Unwrap() []error { return e.causes }

// Temporary tells whether the same entries may be accepted later.
func (e *sendError) Temporary() bool { return len(e.refused) == 0 }

// Unsent returns the entries that Send did not get into the queue, in the order given: the failed ones and what stood
// behind them in their groups. Nil if err is not from Send.
func Unsent(err error) []Entry {
	var e *sendError
	if !errors.As(err, &e) {
		return nil
	}
	return e.unsent
}

// Refused returns those among Unsent that SQS will never accept as they are, because of their content or size.
func Refused(err error) []Entry {
	var e *sendError
	if !errors.As(err, &e) {
		return nil
	}
	return e.refused
}

func (s *Sender) report(entries []Entry, accepted []bool, failures []failure) error {
	if len(failures) == 0 {
		return nil
	}
	e := &sendError{}
	for i, ok := range accepted {
		if !ok {
			e.unsent = append(e.unsent, entries[i])
		}
	}
	slices.SortFunc(failures, func(a, b failure) int { return a.entry - b.entry })
	codes := map[string]int{}
	for _, f := range failures {
		codes[f.code]++
		if f.refused {
			e.refused = append(e.refused, entries[f.entry])
		}
		if f.err != nil {
			e.causes = append(e.causes, f.err)
		}
	}
	var counts []string
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		counts = append(counts, fmt.Sprintf("%d %s", codes[code], code))
	}
	e.text = fmt.Sprintf("send to %s: %d of %d entries not in the queue (%s)",
		path.Base(s.URL), len(e.unsent), len(entries), strings.Join(counts, ", "))
	return e
}
