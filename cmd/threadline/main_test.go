package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"threadline/cmd/threadline/redrive"
	"threadline/cmd/threadline/stack"
)

// call runs the program against an AWS in which nothing is allowed.
func call(t *testing.T, args ...string) (code int, out, errors string) {
	t.Helper()
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>`)
	}))
	t.Cleanup(aws.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": aws.URL, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
	} {
		t.Setenv(name, value)
	}
	var o, e bytes.Buffer
	code = run(t.Context(), console{strings.NewReader(""), &o, &e}, args)
	return code, o.String(), e.String()
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args            string
		code            int
		inOut, inErrors string
	}{
		{"", 2, "", "Usage: threadline <command>"},
		{"help", 0, "redrive", ""},
		{"--help", 0, "doctor", ""},
		{"doctor -h", 0, "-show-verify-token", ""},
		{"docter", 2, "", `no command "docter"`},
		{"doctor --stak x", 2, "", "-stak"},
		{"doctor crm", 2, "", `"crm" is one too many`},
		{"redrive", 2, "", "inbound|media|crm|outbound|bulk"},
		{"redrive crm media", 2, "", "inbound|media|crm|outbound|bulk"},
		{"crm -h", 0, "-connector", ""},
		{"crm", 2, "", "crm backfill --connector name"},
		{"crm backfill", 2, "", "say which CRM"},
		{"crm restore --connector odoo", 2, "", "crm backfill --connector name"},
		{"crm backfill --connector odoo --url http://127.0.0.1:1", 2, "", "--url needs --key"},
		{"crm backfill --connector odoo", 1, "", "threadline crm: describe stack:"},
		{"doctor", 1, "AccessDenied", ""},
		{"redrive crm", 1, "", "threadline redrive: describe stack:"},
	} {
		code, out, errs := call(t, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(out, c.inOut) || !strings.Contains(errs, c.inErrors) {
			t.Errorf("threadline %s: %d\n%s\n%s", c.args, code, out, errs)
		}
	}
}

func TestDoctorJSON(t *testing.T) {
	code, out, _ := call(t, "doctor", "--json", "--stack", "mine")
	var report struct {
		Stack, Region string
		Healthy       bool
		Findings      []struct{ Level string }
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if code != 1 || report.Stack != "mine" || report.Region != "eu-west-1" || report.Healthy || report.Findings[0].Level != "FAIL" {
		t.Errorf("%d, %+v", code, report)
	}
}

func TestFlagsMayFollow(t *testing.T) {
	f := flag.NewFlagSet("x", flag.ContinueOnError)
	yes, name := f.Bool("yes", false, ""), f.String("stack", "", "")
	rest, err := parse(console{out: io.Discard, err: io.Discard}, f, "x", []string{"crm", "--yes", "--stack", "mine"})
	if err != nil || !slices.Equal(rest, []string{"crm"}) || !*yes || *name != "mine" {
		t.Errorf("got %q, %v, %q, %v", rest, *yes, *name, err)
	}
}

func TestChoose(t *testing.T) {
	all := []stack.Queue{{Name: "inbound"}, {Name: "crm"}}
	if q, err := choose(all, "CRM"); q.Name != "crm" || err != nil {
		t.Errorf("got %v, %v", q, err)
	}
	if _, err := choose(all, "mail"); err == nil || !strings.Contains(err.Error(), "inbound, crm") {
		t.Errorf("got %v, which doesn't name what there is", err)
	}
}

// sqsWith has parked messages; a move is over at once.
type sqsWith struct {
	parked []types.Message
	moves  int
}

func (q *sqsWith) GetQueueAttributes(context.Context, *sqs.GetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.GetQueueAttributesOutput, error) {
	return &sqs.GetQueueAttributesOutput{Attributes: map[string]string{"QueueArn": "arn"}}, nil
}

func (q *sqsWith) ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	return &sqs.ReceiveMessageOutput{Messages: q.parked}, nil
}

func (q *sqsWith) StartMessageMoveTask(context.Context, *sqs.StartMessageMoveTaskInput, ...func(*sqs.Options)) (*sqs.StartMessageMoveTaskOutput, error) {
	q.moves++
	return &sqs.StartMessageMoveTaskOutput{}, nil
}

func (q *sqsWith) ListMessageMoveTasks(context.Context, *sqs.ListMessageMoveTasksInput, ...func(*sqs.Options)) (*sqs.ListMessageMoveTasksOutput, error) {
	if q.moves == 0 {
		return &sqs.ListMessageMoveTasksOutput{}, nil
	}
	return &sqs.ListMessageMoveTasksOutput{Results: []types.ListMessageMoveTasksResultEntry{
		{Status: aws.String("COMPLETED"), StartedTimestamp: 1, ApproximateNumberOfMessagesMoved: int64(len(q.parked))},
	}}, nil
}

func TestPutBackAsks(t *testing.T) {
	why := types.Message{
		Attributes:        map[string]string{"SentTimestamp": "1795176000000"},
		MessageAttributes: map[string]types.MessageAttributeValue{"reason": {StringValue: aws.String("error: *json.SyntaxError")}},
		Body:              aws.String("a customer's words"),
	}
	for _, c := range []struct {
		name, input string
		parked      []types.Message
		yes         bool
		moves       int
		err         error
		want        string
	}{
		{"nothing there", "", nil, false, 0, nil, "Nothing is parked in the dead-letter queue of crm.\n"},
		{"agreed", "Y\n", []types.Message{why}, false, 1, nil, "Moved 1 back into crm"},
		{"told to", "", []types.Message{why}, true, 1, nil, "About 1 parked in the dead-letter queue of crm, since 2026-11-20 12:00 UTC.\nWhy (1 looked at):\n    1  error: *json.SyntaxError\nMoved 1"},
		{"refused", "n\n", []types.Message{why}, false, 0, errUnwell, "Nothing was moved."},
		{"no answer", "", []types.Message{why}, false, 0, errUnwell, "Nothing was moved."},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := &sqsWith{parked: c.parked}
				var out bytes.Buffer
				r := redrive.Redrive{Client: q, Queue: stack.Queue{Name: "crm", URL: "u", DeadLetters: "d"}}
				err := putBack(t.Context(), console{strings.NewReader(c.input), &out, &out}, r, c.yes)
				if !errors.Is(err, c.err) || q.moves != c.moves || !strings.Contains(out.String(), c.want) {
					t.Errorf("%v, %d moves:\n%s", err, q.moves, out.String())
				}
				if strings.Contains(out.String(), "customer's words") {
					t.Error("a message's text is printed")
				}
			})
		})
	}
}
