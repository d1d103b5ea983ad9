package doctor

import (
	"fmt"
	"time"
)

// plural returns a number with its noun.
func plural(n int, singular, more string) string {
	if n == 1 {
		return "1 " + singular
	}
	return fmt.Sprintf("%d %s", n, more)
}

// ago says how long ago something was, as people do.
func ago(now, then time.Time) string {
	switch d := now.Sub(then); {
	case d < 2*time.Minute:
		return "just now"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes ago", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours ago", d/time.Hour)
	default:
		return fmt.Sprintf("%d days ago", d/(24*time.Hour))
	}
}
