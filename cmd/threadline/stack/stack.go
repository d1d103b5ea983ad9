// Package stack reads what CloudFormation knows about a deployed stack: its state, outputs, parameters and resources.
// It changes nothing.
package stack

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/smithy-go"
)

// ErrNotFound means that there is no stack of that name in the account and region.
var ErrNotFound = errors.New("no such stack")

// API is the part of the CloudFormation client that is used.
type API interface {
	DescribeStacks(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error)
	ListStackResources(context.Context, *cloudformation.ListStackResourcesInput, ...func(*cloudformation.Options)) (*cloudformation.ListStackResourcesOutput, error)
}

// Stack is a deployed stack.
type Stack struct {
	Name       string
	Status     string    // such as "UPDATE_COMPLETE"
	Changed    time.Time // when it was last deployed
	Outputs    map[string]string
	Parameters map[string]string // hidden ones are asterisks
	Resources  []Resource
}

// Resource is a part of a stack.
type Resource struct {
	Type     string // such as "AWS::Lambda::Function"
	Logical  string // its name in the template
	Physical string // its name in AWS
}

// Read reads a stack by its name. It needs cloudformation:DescribeStacks and cloudformation:ListStackResources.
func Read(ctx context.Context, client API, name string) (Stack, error) {
	out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if isMissing(err) || err == nil && len(out.Stacks) == 0 {
		return Stack{}, ErrNotFound
	}
	if err != nil {
		return Stack{}, fmt.Errorf("describe stack: %w", err)
	}
	found := out.Stacks[0]
	s := Stack{
		Name:       name,
		Status:     string(found.StackStatus),
		Changed:    aws.ToTime(found.CreationTime),
		Outputs:    map[string]string{},
		Parameters: map[string]string{},
	}
	if found.LastUpdatedTime != nil {
		s.Changed = *found.LastUpdatedTime
	}
	for _, o := range found.Outputs {
		s.Outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	for _, p := range found.Parameters {
		s.Parameters[aws.ToString(p.ParameterKey)] = aws.ToString(p.ParameterValue)
	}
	s.Resources, err = resources(ctx, client, name)
	return s, err
}

func resources(ctx context.Context, client API, name string) ([]Resource, error) {
	var all []Resource
	pages := cloudformation.NewListStackResourcesPaginator(client, &cloudformation.ListStackResourcesInput{StackName: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list stack's resources: %w", err)
		}
		for _, r := range page.StackResourceSummaries {
			all = append(all, Resource{
				Type:     aws.ToString(r.ResourceType),
				Logical:  aws.ToString(r.LogicalResourceId),
				Physical: aws.ToString(r.PhysicalResourceId),
			})
		}
	}
	return all, nil
}

// isMissing knows how CloudFormation says that a stack isn't there: as a validation error.
func isMissing(err error) bool {
	var refused smithy.APIError
	return errors.As(err, &refused) && refused.ErrorCode() == "ValidationError" &&
		strings.Contains(refused.ErrorMessage(), "does not exist")
}

// OfType returns the resources of one type.
func (s Stack) OfType(kind string) []Resource {
	var some []Resource
	for _, r := range s.Resources {
		if r.Type == kind {
			some = append(some, r)
		}
	}
	return some
}

// Queue is a work queue with its dead-letter queue.
type Queue struct {
	Name        string // as operators call it, such as "crm"
	URL         string
	DeadLetters string // URL
}

// Queues returns the work queues in the order of the pipeline.
func (s Stack) Queues() []Queue {
	var all []Queue
	for _, name := range []string{"Inbound", "Media", "Crm", "Outbound", "Bulk"} {
		q := Queue{strings.ToLower(name), s.Outputs[name+"QueueUrl"], s.Outputs[name+"DeadLettersUrl"]}
		if q.URL != "" && q.DeadLetters != "" {
			all = append(all, q)
		}
	}
	return all
}
