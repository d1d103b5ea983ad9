// Command local runs Threadline on this machine: `make run`. PORT and STATE_DIR say where; every
// template parameter can be set by an environment variable of the same letters (APP_SECRET,
// PHONE_NUMBER_ID, GRAPH_API_URL, CRM_CONNECTOR …).
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"threadline/infra/local/meta"
	"threadline/infra/local/stack"
)

// delays of the simulated Meta: long enough to see the ticks change.
var delays = meta.Delays{Sent: 400 * time.Millisecond, Delivered: 800 * time.Millisecond}

func main() {
	sam := flag.Bool("sam", false, "deploy with the SAM CLI, as on AWS")
	flag.Parse()
	if err := run(*sam); err != nil {
		fmt.Fprintln(os.Stderr, "threadline:", err)
		os.Exit(1)
	}
}

func run(sam bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := stack.Start(ctx, stack.Options{
		Root:     ".",
		StateDir: value("STATE_DIR", ".threadline"),
		Port:     value("PORT", "8080"),
		Environ:  os.Environ(),
		Progress: func(line string) { fmt.Println(line) },
		Log:      slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Delays:   delays,
		SAM:      sam,
	})
	if ctx.Err() != nil {
		return nil // interrupted while starting; Start has cleaned up
	}
	if err != nil {
		return err
	}
	fmt.Println("Threadline is ready on " + s.URL())
	select {
	case <-ctx.Done():
		fmt.Println("Stopping and saving the state")
		s.Stop()
		return nil
	case <-s.Failed():
		s.Stop()
		return fmt.Errorf("the AWS emulator ended by itself (see aws.log in %s)", value("STATE_DIR", ".threadline"))
	}
}

func value(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}
