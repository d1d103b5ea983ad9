package handler

import (
	"time"

	"threadline/shared/chat"
)

// pace is how long a number's import must have been quiet. A job's other waits keep a proportion to it, and what is fed
// at once the inverse one, so that one setting makes all of an import quick where no CRM has to be spared.
type pace time.Duration

func (p pace) settled() time.Duration   { return time.Duration(p) }
func (p pace) firstLook() time.Duration { return time.Duration(p) / 24 } // after feeding: 5 s
func (p pace) longLook() time.Duration  { return time.Duration(p) * 5 / 2 }
func (p pace) firstTurn() time.Duration { return time.Duration(p) / 4 } // while all feeders are busy: 30 s
func (p pace) longTurn() time.Duration  { return time.Duration(p) * 2 }
func (p pace) growth() time.Duration    { return time.Duration(p) * 5 / 2 } // of the rate at which a CRM is fed: 5 min

// mouthful is how many messages of a conversation are fed at once.
func (p pace) mouthful() int {
	return min(max(mouthful, int(mouthful*settled/time.Duration(p))), maxMouthful)
}

// gap is how long one of the feeders leaves a CRM alone that takes so many entries a second of all of them.
func (p pace) gap(entries int, perSecond float64) time.Duration {
	seconds := float64(feeders*entries) / perSecond * time.Duration(p).Seconds() / settled.Seconds()
	return max(p.firstLook(), time.Duration(seconds*float64(time.Second)))
}

// look is what a job sees.
type look struct {
	done  bool           // by an earlier look
	quiet time.Time      // since when no chunk has come
	page  []chat.Message // the next messages behind what is passed
	lacks []feeding      // what of their entries is missing
	fed   time.Time      // when those were fed; zero: not yet
}

// step is what a job does next.
type step int

const (
	toEnd  step = iota // there is nothing more to feed
	toPass             // the page is done: on to the next
	toWait
	toFeed
)

// next decides what a job does next.
func next(l look, p pace, now time.Time) (what step, wait time.Duration) {
	switch quiet := now.Sub(l.quiet); {
	case l.done || len(l.page) == 0:
		return toEnd, 0
	case len(l.lacks) == 0:
		return toPass, 0
	case quiet < p.settled():
		return toWait, p.settled() - quiet
	case l.fed.IsZero():
		return toFeed, 0
	}
	waited := now.Sub(l.fed)
	if waited > patience {
		return toPass, 0
	}
	return toWait, min(max(waited/2, p.firstLook()), p.longLook())
}
