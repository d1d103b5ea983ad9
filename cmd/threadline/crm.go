package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"threadline/cmd/threadline/crm"
	"threadline/cmd/threadline/stack"
	"threadline/shared/secret"
)

// watchEvery is how often the stack is asked how far it is.
const watchEvery = 2 * time.Second

func crmCommand(ctx context.Context, c console, args []string) error {
	f := flag.NewFlagSet("crm", flag.ContinueOnError)
	connector := f.String("connector", "", "the `name` of the CRM, as in CrmConnector")
	name := f.String("stack", "threadline", "the CloudFormation stack's `name`")
	region := f.String("region", "", "its AWS `region` (default: that of your AWS profile)")
	url := f.String("url", "", "the REST API's `URL`, which ends with /api/v1, instead of the stack's")
	key := f.String("key", os.Getenv("THREADLINE_API_KEY"), "its `key`, with --url (default: THREADLINE_API_KEY)")
	rest, err := parse(c, f, "crm backfill --connector name [flags]", args)
	if err != nil {
		return err
	}
	switch {
	case len(rest) != 1 || rest[0] != "backfill":
		f.Usage()
		return errUsage
	case *connector == "":
		fmt.Fprintln(c.err, "threadline crm: say which CRM with --connector")
		return errUsage
	case *url != "" && *key == "":
		fmt.Fprintln(c.err, "threadline crm: --url needs --key, or THREADLINE_API_KEY")
		return errUsage
	}
	api := &crm.API{URL: *url, Key: *key, HTTP: &http.Client{Timeout: 30 * time.Second}}
	if *url == "" {
		if api.URL, api.Key, err = ofStack(ctx, *name, *region); err != nil {
			return err
		}
	}
	return backfill(ctx, c, api, *connector, watchEvery)
}

// ofStack returns a stack's REST API and its key.
func ofStack(ctx context.Context, name, region string) (url, key string, err error) {
	cfg, err := awsConfig(ctx, region)
	if err != nil {
		return "", "", err
	}
	s, err := stack.Read(ctx, cloudformation.NewFromConfig(cfg), name)
	if errors.Is(err, stack.ErrNotFound) {
		return "", "", fmt.Errorf("there is no stack %s in %s", name, cfg.Region)
	}
	if err != nil {
		return "", "", err
	}
	keys := secret.New(secret.Manager(secretsmanager.NewFromConfig(cfg), s.Outputs["SecretArn"]), time.Hour)
	key, err = keys.Value(ctx, secret.APIKey)
	if err != nil {
		return "", "", fmt.Errorf("read the API key from the stack's secret: %w", err)
	}
	return s.Outputs["ApiUrl"], key, nil
}

// backfill begins a backfill and watches it. Whoever interrupts it ends the watching, and nothing else.
func backfill(ctx context.Context, c console, api *crm.API, connector string, every time.Duration) error {
	id, err := api.Begin(ctx, connector)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "All that is stored is brought into %s. Ctrl-C stops watching; it goes on by itself.\n", connector)
	p := &crm.Progress{Out: c.out, Terminal: c.terminal()}
	b, err := api.Watch(ctx, connector, id, every, p.Show)
	p.End()
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(c.out, "It goes on. GET /api/v1/crm/backfill?connector=%s says how far it is.\n", connector)
		return nil
	case err != nil:
		return err
	case b.State == "stopped":
		fmt.Fprintf(c.err, "threadline crm: it was stopped: %s\n", b.Why)
		return errUnwell
	}
	fmt.Fprintf(c.out, "Done: %d conversations, %d messages.\n", b.Conversations.Done, b.Messages)
	if given := b.Conversations.GivenUp; given > 0 {
		fmt.Fprintf(c.err, "threadline crm: %d conversations stood still for a day and were given up. Mend what the alarms tell of, and run this again: it brings them.\n", given)
		return errUnwell
	}
	return nil
}
