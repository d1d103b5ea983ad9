// Command bench measures the pipeline and prints plain tables: `make bench`.
//
// What it counts (calls, units, bytes, sizes) is exact and the same everywhere. What it times is true of this machine and
// of the emulator. What it assumes stands in the table where it is used. It exits with an error only when a measurement
// could not be made; a target that is missed is marked MISSED.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// bench is one run and what its parts learn for each other.
type bench struct {
	ctx      context.Context
	root     string
	template template
	cpu      map[string]time.Duration // of a function, per run; empty when the local stack was not measured
}

// part is one measurement.
type part struct {
	name string
	run  func(*bench) error
}

// parts in the order in which they run: the heap first, while little else is on it; the stack before the prices, which
// use its processor times.
var parts = []part{
	{"media", (*bench).media},
	{"webhook", (*bench).webhook},
	{"types", (*bench).types},
	{"crm", (*bench).crm},
	{"stack", (*bench).stack},
	{"cost", (*bench).cost},
	{"constancy", (*bench).constancy},
	{"history", (*bench).history},
	{"start", (*bench).start},
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	only := flags.String("only", "", "comma-separated: "+strings.Join(names(), ", ")+"; empty: all")
	_ = flags.Parse(os.Args[1:]) // exits
	testing.Init()               // for testing.Benchmark
	slog.SetDefault(slog.New(slog.DiscardHandler))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	t, err := readTemplate("template.yaml")
	if err != nil {
		return err
	}
	b := &bench{ctx: ctx, root: ".", template: t}
	conditions()
	begin := time.Now()
	for _, p := range parts {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), p.name) {
			continue
		}
		if err := p.run(b); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	fmt.Printf("\nDone in %s.\n", time.Since(begin).Round(time.Second))
	return nil
}

func names() (all []string) {
	for _, p := range parts {
		all = append(all, p.name)
	}
	return all
}

// conditions says what the times are true of.
func conditions() {
	load := "unknown"
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		load = strings.Join(strings.Fields(string(text))[:3], " ")
	}
	fmt.Printf("%s, %s %s/%s, %d processors, load before the run: %s\n",
		time.Now().UTC().Format("2 January 2006 15:04 UTC"), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), load)
}
