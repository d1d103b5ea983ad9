// Command redrive gives the messages of a dead-letter queue back to the queue that they came from:
// redrive [-stack threadline] Inbound|Media|Crm|Outbound. It needs AWS credentials and returns at
// once; AWS moves the messages, and each is tried again as if it were new.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func main() {
	stack := flag.String("stack", "threadline", "name of the CloudFormation stack")
	flag.Parse()
	if err := run(context.Background(), *stack, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "redrive:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, stack, queue string) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("load AWS configuration: %w", err)
	}
	url, err := deadLetters(ctx, cloudformation.NewFromConfig(cfg), stack, queue)
	if err != nil {
		return err
	}
	client := sqs.NewFromConfig(cfg)
	got, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl:       &url,
		AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn, types.QueueAttributeNameApproximateNumberOfMessages},
	})
	if err != nil {
		return fmt.Errorf("get queue attributes: %w", err)
	}
	arn := got.Attributes[string(types.QueueAttributeNameQueueArn)]
	if _, err := client.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: &arn}); err != nil {
		return fmt.Errorf("start moving: %w", err)
	}
	fmt.Printf("Moving about %s messages back\n", got.Attributes[string(types.QueueAttributeNameApproximateNumberOfMessages)])
	return nil
}

// deadLetters finds the dead-letter queue's URL in the stack's outputs.
func deadLetters(ctx context.Context, client *cloudformation.Client, stack, queue string) (string, error) {
	const suffix = "DeadLettersUrl"
	out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stack})
	if err != nil {
		return "", fmt.Errorf("describe stack %s: %w", stack, err)
	}
	var known []string
	for _, o := range out.Stacks[0].Outputs {
		name, found := strings.CutSuffix(aws.ToString(o.OutputKey), suffix)
		if !found {
			continue
		}
		if strings.EqualFold(name, queue) {
			return aws.ToString(o.OutputValue), nil
		}
		known = append(known, name)
	}
	return "", fmt.Errorf("no queue %q in stack %s; there are %s", queue, stack, strings.Join(known, ", "))
}
