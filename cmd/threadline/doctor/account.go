package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"threadline/cmd/threadline/stack"
	"threadline/shared/redact"
)

// enoughConcurrency is how many functions an account should be able to run at once. All functions of the account share
// the limit; new accounts begin with 10, the usual quota is 1,000.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const enoughConcurrency = 100

func (e *exam) checkCredentials(ctx context.Context) {
	who, err := e.Identity.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		e.fail("AWS doesn't know you: "+reason(err),
			"Sign in (aws sso login, or aws configure) and run this again. AWS_PROFILE chooses another profile.")
		return
	}
	e.signedIn = true
	e.ok(fmt.Sprintf("Signed in to account %s, region %s", aws.ToString(who.Account), e.Region))
	if e.Emulated {
		e.ok("This is an emulator: its limits, event sources and alarm mail aren't looked at")
	}
}

func (e *exam) checkConcurrency(ctx context.Context) {
	if e.Emulated {
		return
	}
	out, err := e.Functions.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil {
		e.denied("The account's limits", "lambda:GetAccountSettings", err)
		return
	}
	var limit int32
	if out.AccountLimit != nil {
		limit = out.AccountLimit.ConcurrentExecutions
	}
	if limit < enoughConcurrency {
		e.warn(fmt.Sprintf("The account may run %d functions at once", limit),
			"New accounts begin with 10. Ask for 1,000 (free of charge): Service Quotas > AWS Lambda > Concurrent executions.",
			"https://"+e.Region+".console.aws.amazon.com/servicequotas/home/services/lambda/quotas/L-B99A9384")
		return
	}
	e.ok(fmt.Sprintf("The account may run %d functions at once", limit))
}

func (e *exam) checkStack(ctx context.Context) {
	s, err := stack.Read(ctx, e.Formation, e.Stack)
	if errors.Is(err, stack.ErrNotFound) {
		e.fail(fmt.Sprintf("There is no stack %s in %s", e.Stack, e.Region),
			"Name yours with --stack and --region; aws cloudformation list-stacks shows them. sam deploy --guided makes one.")
		return
	}
	if err != nil {
		e.fail("The stack can't be read: "+reason(err),
			"Allow yourself cloudformation:DescribeStacks and cloudformation:ListStackResources.")
		return
	}
	e.stack = s
	switch s.Status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE":
		e.ok(fmt.Sprintf("Stack %s is %s, deployed %s", s.Name, s.Status, ago(e.now(), s.Changed)))
	case "UPDATE_ROLLBACK_COMPLETE":
		e.warn(fmt.Sprintf("Stack %s runs, but its last deployment was taken back", s.Name), e.events())
	case "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "CREATE_IN_PROGRESS":
		e.warn(fmt.Sprintf("Stack %s is being deployed (%s)", s.Name, s.Status), "Run this again when that is over.")
	default:
		e.fail(fmt.Sprintf("Stack %s is %s", s.Name, s.Status), e.events())
	}
}

func (e *exam) events() string {
	return "The newest events say why: aws cloudformation describe-stack-events --stack-name " + e.Stack +
		" --region " + e.Region
}

// denied reports that AWS didn't let us look.
func (e *exam) denied(what, action string, err error) {
	e.warn(what+" can't be read: "+reason(err), "Allow yourself "+action+", then run this again.")
}

// reason describes an error of an AWS call in a few words.
func reason(err error) string {
	var refused smithy.APIError
	switch {
	case strings.Contains(err.Error(), "get identity"): // the SDK has no type for it
		return "no credentials"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &refused):
		return refused.ErrorCode()
	}
	return redact.Error(err)
}
