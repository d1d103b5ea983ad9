package doctor

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"threadline/cmd/threadline/stack"
)

func (e *exam) checkFunctions(ctx context.Context) {
	functions := e.stack.OfType("AWS::Lambda::Function")
	active := 0
	for _, f := range functions {
		c, err := e.Functions.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &f.Physical})
		if err != nil {
			e.denied(f.Logical, "lambda:GetFunctionConfiguration", err)
			continue
		}
		switch {
		case c.State == types.StateFailed || c.LastUpdateStatus == types.LastUpdateStatusFailed:
			e.fail(f.Logical+" can't run: "+failure(c), "Deploy again with sam build && sam deploy.")
		case c.State == types.StatePending || c.LastUpdateStatus == types.LastUpdateStatusInProgress:
			e.warn(f.Logical+" is being updated", "Run this again in a minute.")
		default:
			active++
		}
	}
	switch {
	case len(functions) == 0:
		e.fail("The stack has no functions", "Is "+e.stack.Name+" really a Threadline stack? Name yours with --stack.")
	case active == len(functions):
		e.ok(fmt.Sprintf("All %d functions are ready", active))
	}
}

func failure(c *lambda.GetFunctionConfigurationOutput) string {
	if c.State == types.StateFailed {
		return string(c.StateReasonCode)
	}
	return string(c.LastUpdateStatusReasonCode)
}

func (e *exam) checkSources(ctx context.Context) {
	if e.Emulated {
		return
	}
	enabled := 0
	sources := e.wantedSources()
	for _, s := range sources {
		m, err := e.Functions.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: &s.Physical})
		if err != nil {
			e.denied(s.Logical, "lambda:GetEventSourceMapping", err)
			continue
		}
		name, queue := endsOf(s)
		switch state := aws.ToString(m.State); {
		case state == "Disabled" || state == "Disabling":
			e.fail(name+" doesn't read "+queue+": the event source is switched off",
				"aws lambda update-event-source-mapping --enabled --uuid "+s.Physical+" --region "+e.Region)
		case state != "Enabled":
			e.warn(name+" doesn't read "+queue+" yet: the event source is "+state, "Run this again in a minute.")
		case strings.HasPrefix(aws.ToString(m.LastProcessingResult), "PROBLEM"):
			e.fail(name+" can't read "+queue, "AWS says: "+aws.ToString(m.LastProcessingResult))
		default:
			enabled++
		}
	}
	if enabled == len(sources) {
		e.ok(fmt.Sprintf("All %d queues are being read", enabled))
	}
}

// endsOf names an event source's function and its queue. A function's own queue is its event Queue; others have names.
func endsOf(source stack.Resource) (function, queue string) {
	function, event, _ := strings.Cut(source.Logical, "Function")
	if event == "Queue" {
		return function, "its queue"
	}
	return function, "the " + strings.ToLower(event) + " queue"
}

// wantedSources returns the event sources that are meant to be on: without a CRM nobody reads its queue.
func (e *exam) wantedSources() []stack.Resource {
	var all []stack.Resource
	for _, r := range e.stack.OfType("AWS::Lambda::EventSourceMapping") {
		if e.hasCRM() || !strings.HasPrefix(r.Logical, "CRMSync") {
			all = append(all, r)
		}
	}
	return all
}

func (e *exam) checkDeadLetters(ctx context.Context) {
	empty := 0
	queues := e.stack.Queues()
	for _, q := range queues {
		n, err := e.waiting(ctx, q.DeadLetters)
		switch {
		case err != nil:
			e.denied("The dead-letter queue of "+q.Name, "sqs:GetQueueAttributes", err)
		case n > 0:
			e.fail(fmt.Sprintf("%s parked in the dead-letter queue of %s", plural(n, "message is", "messages are"), q.Name),
				fmt.Sprintf("Find out why: %s#%s-dead", e.stack.Parameters["RunbookUrl"], q.Name),
				fmt.Sprintf("When that is mended: threadline redrive --stack %s --region %s %s", e.Stack, e.Region, q.Name))
		default:
			empty++
		}
	}
	if empty == len(queues) {
		e.ok("Nothing is parked in a dead-letter queue")
	}
}

// waiting counts the messages of a queue, also those that somebody is looking at.
func (e *exam) waiting(ctx context.Context, url string) (int, error) {
	names := []sqstypes.QueueAttributeName{
		sqstypes.QueueAttributeNameApproximateNumberOfMessages,
		sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	}
	out, err := e.Queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: names})
	if err != nil {
		return 0, err
	}
	total := 0
	for _, name := range names {
		n, _ := strconv.Atoi(out.Attributes[string(name)])
		total += n
	}
	return total, nil
}

func (e *exam) checkAlarmMail(ctx context.Context) {
	topic := e.stack.Outputs["AlarmTopicArn"]
	if e.Emulated || topic == "" {
		return
	}
	out, err := e.Topics.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	if err != nil {
		e.denied("Who gets the alarms", "sns:ListSubscriptionsByTopic", err)
		return
	}
	page := "https://" + e.Region + ".console.aws.amazon.com/sns/v3/home?region=" + e.Region + "#/topic/" + topic
	for _, s := range out.Subscriptions {
		// An unconfirmed subscription has no ARN but this word; a cancelled one says "Deleted".
		switch who := aws.ToString(s.Endpoint); aws.ToString(s.SubscriptionArn) {
		case "PendingConfirmation":
			e.warn(who+" hasn't confirmed the alarm mail and gets none",
				`Follow the link in the mail "AWS Notification - Subscription Confirmation". No such mail? Request it again:`, page)
		case "Deleted":
			e.warn(who+" has unsubscribed from the alarm mail", "Create the subscription again:", page)
		default:
			e.ok("Alarms are mailed to " + who)
		}
	}
	if len(out.Subscriptions) == 0 {
		e.warn("Nobody gets the alarms", "Create a subscription:", page)
	}
}
