// Command coverage writes docs/whatsapp.md: what becomes of everything that the WhatsApp Cloud API can tell, and what of
// everything that it can be told.
//
//	go run ./infra/coverage > docs/whatsapp.md
//
// Nothing in the tables is claimed. Each sample goes through the pipeline of package sim, and each of its fields is then
// looked for: in what was parsed, on the table, in the answers of the REST API, in the simulated HubSpot, and in what the
// simulated Meta was sent. What isn't found needs a reason (see reasons.go); a test compares the document with the code.
package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"testing"

	"threadline/infra/sim"
)

func main() {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	err := sim.Outside(func(t testing.TB) { _, _ = io.WriteString(os.Stdout, document(observe(t))) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "coverage:", err)
		os.Exit(1)
	}
}
