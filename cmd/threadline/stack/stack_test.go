package stack

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
)

// client has one stack, whose resources come in pages of one.
type client struct {
	stack  types.Stack
	pages  []types.StackResourceSummary
	refuse error
}

func (c client) DescribeStacks(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error) {
	return &cloudformation.DescribeStacksOutput{Stacks: []types.Stack{c.stack}}, c.refuse
}

func (c client) ListStackResources(_ context.Context, in *cloudformation.ListStackResourcesInput, _ ...func(*cloudformation.Options)) (*cloudformation.ListStackResourcesOutput, error) {
	i := len(aws.ToString(in.NextToken))
	out := &cloudformation.ListStackResourcesOutput{StackResourceSummaries: c.pages[i : i+1]}
	if i+1 < len(c.pages) {
		out.NextToken = aws.String(aws.ToString(in.NextToken) + "x")
	}
	return out, nil
}

func resource(kind, logical string) types.StackResourceSummary {
	return types.StackResourceSummary{ResourceType: &kind, LogicalResourceId: &logical, PhysicalResourceId: aws.String("physical-" + logical)}
}

func output(name, value string) types.Output {
	return types.Output{OutputKey: &name, OutputValue: &value}
}

func TestRead(t *testing.T) {
	created, updated := time.Unix(1, 0), time.Unix(2, 0)
	s, err := Read(t.Context(), client{
		stack: types.Stack{
			StackStatus: types.StackStatusUpdateComplete, CreationTime: &created, LastUpdatedTime: &updated,
			Outputs:    []types.Output{output("CrmQueueUrl", "q"), output("CrmDeadLettersUrl", "d"), output("MediaQueueUrl", "alone")},
			Parameters: []types.Parameter{{ParameterKey: aws.String("CrmConnector"), ParameterValue: aws.String("hubspot")}},
		},
		pages: []types.StackResourceSummary{
			resource("AWS::SQS::Queue", "CrmQueue"), resource("AWS::Lambda::Function", "A"), resource("AWS::Lambda::Function", "B"),
		},
	}, "threadline")
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "threadline" || s.Status != "UPDATE_COMPLETE" || !s.Changed.Equal(updated) || s.Parameters["CrmConnector"] != "hubspot" {
		t.Errorf("got %+v", s)
	}
	if got, want := s.Queues(), []Queue{{"crm", "q", "d"}}; !slices.Equal(got, want) {
		t.Errorf("queues %v, want %v", got, want)
	}
	if got := s.OfType("AWS::Lambda::Function"); len(got) != 2 || got[1] != (Resource{"AWS::Lambda::Function", "B", "physical-B"}) {
		t.Errorf("functions %v", got)
	}
}

func TestReadTellsMissingFromHidden(t *testing.T) {
	missing := &smithy.GenericAPIError{Code: "ValidationError", Message: "Stack with id threadline does not exist"}
	if _, err := Read(t.Context(), client{refuse: missing}, "threadline"); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	hidden := &smithy.GenericAPIError{Code: "AccessDenied", Message: "no"}
	if _, err := Read(t.Context(), client{refuse: hidden}, "threadline"); errors.Is(err, ErrNotFound) || !errors.Is(err, hidden) {
		t.Errorf("got %v, want the refusal", err)
	}
}
