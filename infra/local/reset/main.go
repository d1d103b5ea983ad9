// Command reset deletes what `make run` keeps: the folder STATE_DIR, or .threadline.
package main

import (
	"cmp"
	"fmt"
	"os"

	"threadline/infra/local/state"
)

func main() {
	if err := state.Delete(cmp.Or(os.Getenv("STATE_DIR"), ".threadline")); err != nil {
		fmt.Fprintln(os.Stderr, "reset:", err)
		os.Exit(1)
	}
}
