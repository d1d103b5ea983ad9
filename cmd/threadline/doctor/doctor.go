// Package doctor examines a deployed stack and everything outside it that it rests on: the AWS account, Meta's settings,
// the CRM's.
//
// It guarantees that it changes nothing anywhere; that every check ends within its time limit and that none stops the
// others; that whatever isn't in order comes with what to do about it; and that no key or token is among its findings,
// except the verify token when it is asked for.
package doctor

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"threadline/cmd/threadline/stack"
	"threadline/shared/secret"
	"threadline/shared/store"
)

// Level says how bad a finding is.
type Level string

// The levels.
const (
	OK   Level = "ok"
	Warn Level = "warn" // works, or can't be told; worth a look
	Fail Level = "FAIL" // messages don't flow until it is mended
)

// Finding is what a check found.
type Finding struct {
	Section string   `json:"section"`
	Check   string   `json:"check"` // the check's name, for scripts
	Level   Level    `json:"level"`
	Found   string   `json:"found"`
	Do      []string `json:"do,omitempty"` // what to do about it; empty where all is well
}

// What Doctor uses of the AWS clients.
type (
	// Identity is the part of the STS client that is used.
	Identity interface {
		GetCallerIdentity(context.Context, *sts.GetCallerIdentityInput, ...func(*sts.Options)) (*sts.GetCallerIdentityOutput, error)
	}
	// Functions is the part of the Lambda client that is used.
	Functions interface {
		GetAccountSettings(context.Context, *lambda.GetAccountSettingsInput, ...func(*lambda.Options)) (*lambda.GetAccountSettingsOutput, error)
		GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput, ...func(*lambda.Options)) (*lambda.GetFunctionConfigurationOutput, error)
		GetEventSourceMapping(context.Context, *lambda.GetEventSourceMappingInput, ...func(*lambda.Options)) (*lambda.GetEventSourceMappingOutput, error)
	}
	// Queues is the part of the SQS client that is used.
	Queues interface {
		GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error)
	}
	// Topics is the part of the SNS client that is used.
	Topics interface {
		ListSubscriptionsByTopic(context.Context, *sns.ListSubscriptionsByTopicInput, ...func(*sns.Options)) (*sns.ListSubscriptionsByTopicOutput, error)
	}
	// Table is the part of the store that is used.
	Table interface {
		Conversations(ctx context.Context, f store.Filter, cursor string, limit int) ([]store.Listed, string, error)
		Numbers(ctx context.Context) ([]store.Number, error)
		Gate(ctx context.Context, connector string) (store.Gate, error)
	}
)

// Doctor examines one stack. The clients, Stack and Region are required.
type Doctor struct {
	Stack, Region string

	Identity  Identity
	Formation stack.API
	Functions Functions
	Queues    Queues
	Topics    Topics
	Secrets   secret.ManagerAPI
	Table     func(name string) Table
	HTTP      *http.Client // to Meta, the CRM and our own webhook; redirects are never followed

	// Emulated is set where the clients talk to an emulator of AWS: what only AWS has isn't looked at.
	Emulated bool
	// Addresses that go before the stack's own. WebhookURL is for a domain in front of the HTTP API.
	WebhookURL, GraphURL, HubSpotURL string
	// ShowVerifyToken puts the verify token among the findings.
	ShowVerifyToken bool

	Limit time.Duration    // for one check; 15 s if zero
	Now   func() time.Time // time.Now if nil
}

// exam is one run: where its findings go, and what it has learned so far, for later checks to use.
type exam struct {
	*Doctor
	report  func(Finding)
	present check

	signedIn bool
	stack    stack.Stack
	keys     map[string]string // what is wanted of the secret; nil if that wasn't read
	kept     *secret.Secret
	appID    string   // of the Meta app that the access token belongs to
	accounts []string // WhatsApp business accounts of our numbers
}

// check is one of the examinations. It runs only when what it needs is known.
type check struct {
	section, name string
	needs         func(*exam) bool
	run           func(*exam, context.Context)
}

var checks = []check{
	{"AWS", "credentials", nothing, (*exam).checkCredentials},
	{"AWS", "concurrency", signedIn, (*exam).checkConcurrency},
	{"AWS", "stack", signedIn, (*exam).checkStack},
	{"AWS", "functions", theStack, (*exam).checkFunctions},
	{"AWS", "event sources", theStack, (*exam).checkSources},
	{"AWS", "dead letters", theStack, (*exam).checkDeadLetters},
	{"AWS", "alarm mail", theStack, (*exam).checkAlarmMail},
	{"AWS", "secret", theStack, (*exam).checkSecret},
	{"WhatsApp", "token", theKey(secret.AccessToken), (*exam).checkToken},
	{"WhatsApp", "numbers", theKey(secret.AccessToken), (*exam).checkNumbers},
	{"WhatsApp", "subscribed app", theKey(secret.AccessToken), (*exam).checkSubscribedApps},
	{"WhatsApp", "subscription", theKey(secret.AppSecret), (*exam).checkSubscription},
	{"WhatsApp", "webhook", theKey(secret.VerifyToken), (*exam).checkWebhook},
	{"WhatsApp", "last message", theStack, (*exam).checkLastMessage},
	{"CRM", "crm", theSecret, (*exam).checkCRM},
}

func nothing(*exam) bool { return true }

func signedIn(e *exam) bool { return e.signedIn }

func theStack(e *exam) bool { return e.stack.Status != "" }

func theSecret(e *exam) bool { return e.keys != nil }

func theKey(name string) func(*exam) bool {
	return func(e *exam) bool { return e.keys[name] != "" }
}

// Run makes all checks, one after the other, and hands over each finding as soon as it is there.
func (d *Doctor) Run(ctx context.Context, report func(Finding)) {
	e := &exam{Doctor: d, report: report}
	var skipped []string
	for i, c := range checks {
		e.present = c
		if c.needs(e) {
			e.limited(ctx, c.run)
		} else {
			skipped = append(skipped, c.name)
		}
		if i == len(checks)-1 || checks[i+1].section != c.section {
			e.skip(skipped)
			skipped = nil
		}
	}
}

// limited runs one check within its time limit.
func (e *exam) limited(ctx context.Context, run func(*exam, context.Context)) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(e.Limit, 15*time.Second))
	defer cancel()
	run(e, ctx)
}

// skip says which checks of a section could not be made.
func (e *exam) skip(names []string) {
	if len(names) > 0 {
		e.present.name = "not checked"
		e.warn("Not checked: "+strings.Join(names, ", "), "They rest on what fails above. Mend that, then run this again.")
	}
}

func (e *exam) ok(found string)                 { e.find(OK, found, nil) }
func (e *exam) warn(found string, do ...string) { e.find(Warn, found, do) }
func (e *exam) fail(found string, do ...string) { e.find(Fail, found, do) }

func (e *exam) find(l Level, found string, do []string) {
	e.report(Finding{Section: e.present.section, Check: e.present.name, Level: l, Found: found, Do: do})
}

func (e *exam) now() time.Time {
	if e.Now != nil {
		return e.Now()
	}
	return time.Now()
}
