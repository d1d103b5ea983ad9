// Command threadline is the operator's command line: it looks at a deployed stack and mends what a person has to mend.
//
//	threadline doctor    says what is wrong, and what to do about it
//	threadline redrive   puts what was parked back to work
//	threadline crm       brings what is stored into a CRM that was connected later
//
// It talks to AWS with the credentials of whoever calls it, and never prints a token. Exit codes: 0 well, 1 something
// failed, 2 wrong usage.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// console is where a command reads and writes.
type console struct {
	in       io.Reader
	out, err io.Writer
}

// terminal tells whether a person watches what is written.
func (c console) terminal() bool {
	f, ok := c.out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// command is one sub-command, in a file of its own.
type command struct {
	name, summary string
	run           func(context.Context, console, []string) error
}

func commands() []command {
	return []command{
		{"doctor", "examine a stack, the Meta app and the CRM; say what to do", doctorCommand},
		{"redrive", "put the parked messages of a queue back to work", redriveCommand},
		{"crm", "bring everything that is stored into a CRM that was connected later", crmCommand},
	}
}

var (
	// errUsage is a wrong call; what is wrong has been said.
	errUsage = errors.New("usage")
	// errUnwell ends a command whose output has said it all.
	errUnwell = errors.New("unwell")
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, console{os.Stdin, os.Stdout, os.Stderr}, os.Args[1:])
	stop()
	os.Exit(code)
}

// run runs a command and returns the exit code.
func run(ctx context.Context, c console, args []string) int {
	if len(args) == 0 {
		help(c.err)
		return 2
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		help(c.out)
		return 0
	}
	for _, known := range commands() {
		if known.name == args[0] {
			return exitCode(c, known.name, known.run(ctx, c, args[1:]))
		}
	}
	fmt.Fprintf(c.err, "threadline: there is no command %q\n\n", args[0])
	help(c.err)
	return 2
}

func exitCode(c console, name string, err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	case errors.Is(err, errUnwell):
		return 1
	}
	fmt.Fprintf(c.err, "threadline %s: %v\n", name, err)
	return 1
}

func help(w io.Writer) {
	fmt.Fprint(w, "Usage: threadline <command> [flags]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-9s %s\n", c.name, c.summary)
	}
	fmt.Fprint(w, "\nthreadline <command> -h shows a command's flags. AWS_PROFILE and AWS_REGION choose the account.\n")
}

// parse parses flags, which may stand before and after the other arguments, and returns those.
func parse(c console, f *flag.FlagSet, usage string, args []string) ([]string, error) {
	f.SetOutput(c.err)
	f.Usage = func() {
		fmt.Fprintf(f.Output(), "Usage: threadline %s\n\n", usage)
		f.PrintDefaults()
	}
	if len(args) == 1 && (args[0] == "-h" || args[0] == "-help" || args[0] == "--help") {
		f.SetOutput(c.out) // asked for, so it is no error
	}
	var rest []string
	for {
		if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, err
		} else if err != nil {
			return nil, errUsage // flag has said what is wrong
		}
		if args = f.Args(); len(args) == 0 {
			return rest, nil
		}
		rest, args = append(rest, args[0]), args[1:]
	}
}
