// Command reset deletes what `make run` keeps: the folder STATE_DIR, or .threadline. It says what it did.
package main

import (
	"cmp"
	"fmt"
	"os"

	"threadline/infra/local/state"
)

func main() {
	said, err := reset(cmp.Or(os.Getenv("STATE_DIR"), ".threadline"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "reset:", err)
		os.Exit(1)
	}
	fmt.Println(said)
}

// reset deletes the state in a folder, and returns what to say of it.
func reset(dir string) (string, error) {
	existed, err := state.Delete(dir)
	switch {
	case err != nil:
		return "", err
	case existed:
		return dir + " is deleted", nil
	}
	return "there was nothing to delete: " + dir + " isn't there", nil
}
