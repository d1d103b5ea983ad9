package handler

import (
	"fmt"
	"strconv"
	"time"
)

// place is how far a job is: sort keys of messages. What was fed lies behind what is passed, and is looked after.
type place struct {
	passed, fed string
	at          time.Time // when it was fed; zero: nothing was
}

// trailer is the end of a cursor, of a fixed length: how long fed is, and when it was.
const trailer = len("\n0000000000000000")

// cursor writes a place so that a later one is the greater text, by which the store tells that a job goes on: in no sort
// key is a character below the line feed.
func (p place) cursor() string {
	var ms int64
	if !p.at.IsZero() {
		ms = p.at.UnixMilli()
	}
	return fmt.Sprintf("%s\n%s\n%03d%013d", p.passed, p.fed, len(p.fed), ms)
}

func placeOf(cursor string) place {
	end := len(cursor) - trailer
	if end < 1 {
		return place{}
	}
	n, _ := strconv.Atoi(cursor[end+1 : end+4])
	ms, err := strconv.ParseInt(cursor[end+4:], 10, 64)
	if err != nil || n >= end {
		return place{}
	}
	p := place{passed: cursor[:end-n-1], fed: cursor[end-n : end]}
	if ms > 0 {
		p.at = time.UnixMilli(ms).UTC()
	}
	return p
}
