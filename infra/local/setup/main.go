// Command setup installs the project's Python tools into .venv: those of `make run`, and with -all
// those of testing and deploying too.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"threadline/infra/local/venv"
)

func main() {
	all := flag.Bool("all", false, "also the SAM CLI and the template linter")
	flag.Parse()
	sets := []venv.Set{venv.Run}
	if *all {
		sets = append(sets, venv.Tools)
	}
	for _, set := range sets {
		if _, err := venv.Ensure(context.Background(), ".", set, func(line string) { fmt.Println(line) }); err != nil {
			fmt.Fprintln(os.Stderr, "setup:", err)
			os.Exit(1)
		}
	}
}
