package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"threadline/cmd/threadline/doctor"
	"threadline/shared/store"
)

func doctorCommand(ctx context.Context, c console, args []string) error {
	f := flag.NewFlagSet("doctor", flag.ContinueOnError)
	name := f.String("stack", "threadline", "the CloudFormation stack's `name`")
	region := f.String("region", "", "its AWS `region` (default: that of your AWS profile)")
	asJSON := f.Bool("json", false, "print one JSON object, for scripts")
	showToken := f.Bool("show-verify-token", false, "print the verify token, for Meta's webhook page")
	webhook := f.String("webhook", "", "the `URL` that Meta calls, if a domain of yours stands in front of the stack")
	graph := f.String("graph-url", os.Getenv("GRAPH_API_URL"), "another Graph API than the stack's, by scheme and host (`URL`)")
	hubspot := f.String("hubspot-url", os.Getenv("HUBSPOT_API_URL"), "another HubSpot than the stack's, likewise (`URL`)")
	rest, err := parse(c, f, "doctor [flags]", args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		fmt.Fprintf(c.err, "threadline doctor: %q is one too many; the stack is named by --stack\n", rest[0])
		return errUsage
	}
	cfg, err := awsConfig(ctx, *region)
	if err != nil {
		return err
	}
	d := newDoctor(cfg, *name)
	d.ShowVerifyToken, d.WebhookURL, d.GraphURL, d.HubSpotURL = *showToken, *webhook, *graph, *hubspot
	return examine(ctx, c, d, *asJSON)
}

// awsConfig reads the caller's AWS settings.
func awsConfig(ctx context.Context, region string) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region), config.WithLogger(logging.Nop{}))
	if err != nil {
		return cfg, fmt.Errorf("read your AWS settings: %w", err)
	}
	if cfg.Region == "" {
		return cfg, errors.New("no AWS region: name one with --region or AWS_REGION")
	}
	return cfg, nil
}

func newDoctor(cfg aws.Config, name string) *doctor.Doctor {
	return &doctor.Doctor{
		Stack:     name,
		Region:    cfg.Region,
		Identity:  sts.NewFromConfig(cfg),
		Formation: cloudformation.NewFromConfig(cfg),
		Functions: lambda.NewFromConfig(cfg),
		Queues:    sqs.NewFromConfig(cfg),
		Topics:    sns.NewFromConfig(cfg),
		Secrets:   secretsmanager.NewFromConfig(cfg),
		Table:     func(name string) doctor.Table { return store.New(dynamodb.NewFromConfig(cfg), name, 0) },
		HTTP:      http.DefaultClient,
		Emulated:  cfg.BaseEndpoint != nil,
	}
}

// examine runs the doctor and prints what it finds.
func examine(ctx context.Context, c console, d *doctor.Doctor, asJSON bool) error {
	r := doctor.Report{Stack: d.Stack, Region: d.Region, Healthy: true}
	p := doctor.Printer{Out: c.out}
	if !asJSON {
		fmt.Fprintf(c.out, "Examining stack %s in %s\n", d.Stack, d.Region)
	}
	d.Run(ctx, func(f doctor.Finding) {
		if !asJSON {
			p.Print(f)
		}
		r.Findings = append(r.Findings, f)
		r.Healthy = r.Healthy && f.Level != doctor.Fail
	})
	if !asJSON {
		p.Sum()
	} else if err := r.WriteJSON(c.out); err != nil {
		return err
	}
	if !r.Healthy {
		return errUnwell
	}
	return nil
}
