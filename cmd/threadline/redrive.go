package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"threadline/cmd/threadline/redrive"
	"threadline/cmd/threadline/stack"
)

func redriveCommand(ctx context.Context, c console, args []string) error {
	f := flag.NewFlagSet("redrive", flag.ContinueOnError)
	name := f.String("stack", "threadline", "the CloudFormation stack's `name`")
	region := f.String("region", "", "its AWS `region` (default: that of your AWS profile)")
	yes := f.Bool("yes", false, "don't ask")
	rest, err := parse(c, f, "redrive [flags] inbound|media|crm|outbound|bulk", args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		f.Usage()
		return errUsage
	}
	cfg, err := awsConfig(ctx, *region)
	if err != nil {
		return err
	}
	s, err := stack.Read(ctx, cloudformation.NewFromConfig(cfg), *name)
	if errors.Is(err, stack.ErrNotFound) {
		return fmt.Errorf("there is no stack %s in %s", *name, cfg.Region)
	}
	if err != nil {
		return err
	}
	q, err := choose(s.Queues(), rest[0])
	if err != nil {
		fmt.Fprintln(c.err, "threadline redrive:", err)
		return errUsage
	}
	return putBack(ctx, c, redrive.Redrive{Client: sqs.NewFromConfig(cfg), Queue: q}, *yes)
}

// choose finds a queue by its name.
func choose(all []stack.Queue, name string) (stack.Queue, error) {
	i := slices.IndexFunc(all, func(q stack.Queue) bool { return q.Name == strings.ToLower(name) })
	if i >= 0 {
		return all[i], nil
	}
	var names []string
	for _, q := range all {
		names = append(names, q.Name)
	}
	return stack.Queue{}, fmt.Errorf("there is no queue %q; there are %s", name, strings.Join(names, ", "))
}

// putBack shows what is parked, asks, and has it moved.
func putBack(ctx context.Context, c console, r redrive.Redrive, yes bool) error {
	parked, err := r.Look(ctx)
	if err != nil {
		return err
	}
	if parked.Messages == 0 {
		fmt.Fprintf(c.out, "Nothing is parked in the dead-letter queue of %s.\n", r.Queue.Name)
		return nil
	}
	describe(c.out, r.Queue.Name, parked)
	if !yes && !agreed(c, "Put them back to work?") {
		fmt.Fprintln(c.out, "Nothing was moved.")
		return errUnwell
	}
	shown := int64(0)
	moved, err := r.Move(ctx, func(moved, of int64) {
		if moved > shown {
			fmt.Fprintf(c.out, "Moved %d of %d\n", moved, of)
			shown = moved
		}
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "Moved %d back into %s, in their order. What fails again is parked again within minutes:\n"+
		"threadline doctor shows it.\n", moved, r.Queue.Name)
	return nil
}

func describe(w io.Writer, name string, p redrive.Parked) {
	fmt.Fprintf(w, "About %d parked in the dead-letter queue of %s", p.Messages, name)
	if !p.Oldest.IsZero() {
		fmt.Fprintf(w, ", since %s", p.Oldest.Format("2006-01-02 15:04 UTC"))
	}
	fmt.Fprint(w, ".\n")
	if p.Looked > 0 {
		fmt.Fprintf(w, "Why (%d looked at):\n", p.Looked)
	}
	for _, reason := range p.Reasons {
		fmt.Fprintf(w, "  %3d  %s\n", reason.Count, reason.Text)
	}
}

// agreed asks a question. No answer means no.
func agreed(c console, question string) bool {
	fmt.Fprint(c.out, question+" [y/N] ")
	line, _ := bufio.NewReader(c.in).ReadString('\n')
	answer := strings.ToLower(strings.TrimSpace(line))
	if line == "" {
		fmt.Fprintln(c.out) // end of input leaves the cursor behind the question
	}
	return answer == "y" || answer == "yes"
}
