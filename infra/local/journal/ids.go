package journal

import "strconv"

// IDs counts up over what the journal has. One counter serves all kinds, so that an id in the wrong place never works by
// chance.
type IDs struct {
	Last int64 // the latest that was given
}

// Saw notes an id that the journal has.
func (i *IDs) Saw(id string) {
	if n, err := strconv.ParseInt(id, 10, 64); err == nil && n > i.Last {
		i.Last = n
	}
}

// Next returns the next id.
func (i *IDs) Next() string {
	i.Last++
	return strconv.FormatInt(i.Last, 10)
}
