package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// title begins a part.
func title(text string, notes ...string) {
	fmt.Printf("\n%s\n%s\n", text, strings.Repeat("-", len(text)))
	for _, n := range notes {
		fmt.Println(n)
	}
}

// table prints rows under their head, numbers to the right.
func table(head []string, rows [][]string) {
	fmt.Println()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	width := 0
	for _, row := range append([][]string{head}, rows...) {
		width = max(width, len(row[0]))
	}
	for _, row := range append([][]string{head}, rows...) {
		fmt.Fprintf(w, "%-*s\t%s\t\n", width, row[0], strings.Join(row[1:], "\t"))
	}
	_ = w.Flush() // to the standard output
}

// target marks what isn't reached.
func target(met bool, text string) string {
	if met {
		return text
	}
	return text + " MISSED"
}

// percentile is the value below which p of all values lie.
func percentile(all []time.Duration, p float64) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }

func mb(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }

func mib(bytes uint64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }

// count prints a number of things without needless digits.
func count(n float64) string {
	if n == 0 {
		return "·"
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", n), ".0")
}
