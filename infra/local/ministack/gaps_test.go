package ministack_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"threadline/infra/local/ministack"
	"threadline/infra/local/venv"
)

// What the pinned emulator leaves out and package stack makes up for. A failure here is good news: the
// emulator has caught up, and what stands in for it can go.

func emulator(t *testing.T) *ministack.Emulator {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := venv.Ensure(t.Context(), root, venv.Run, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	e, err := ministack.Start(t.Context(), ministack.Options{Venv: dir, StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Stop)
	return e
}

// create creates a stack from its resources and returns their physical ids and the stack's status.
func create(t *testing.T, e *ministack.Emulator, name, resources string) (physical map[string]string, status string) {
	t.Helper()
	client := cloudformation.NewFromConfig(e.Config())
	_, err := client.CreateStack(t.Context(), &cloudformation.CreateStackInput{
		StackName: &name, TemplateBody: aws.String("{\"Resources\": {" + resources + "}}"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		out, err := client.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: &name})
		if err != nil {
			t.Fatal(err)
		}
		if status = string(out.Stacks[0].StackStatus); !strings.HasSuffix(status, "_IN_PROGRESS") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("stack %s stays %s", name, status)
		}
	}
	listed, err := client.DescribeStackResources(t.Context(), &cloudformation.DescribeStackResourcesInput{StackName: &name})
	if err != nil {
		t.Fatal(err)
	}
	physical = make(map[string]string)
	for _, r := range listed.StackResources {
		physical[aws.ToString(r.LogicalResourceId)] = aws.ToString(r.PhysicalResourceId)
	}
	return physical, status
}

func TestGaps(t *testing.T) {
	e := emulator(t)
	t.Run("a table's TTL is ignored", func(t *testing.T) {
		physical, status := create(t, e, "ttl", `"T": {"Type": "AWS::DynamoDB::Table", "Properties": {
			"BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
			"KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
			"TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": true}}}`)
		if status != "CREATE_COMPLETE" {
			t.Fatal(status)
		}
		out, err := dynamodb.NewFromConfig(e.Config()).DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: aws.String(physical["T"])})
		if err != nil {
			t.Fatal(err)
		}
		if out.TimeToLiveDescription.TimeToLiveStatus == dynamotypes.TimeToLiveStatusEnabled {
			t.Error("it is set now: delete setTTL in package stack")
		}
	})
	t.Run("alarms on metric math are refused", func(t *testing.T) {
		_, status := create(t, e, "alarm", `"A": {"Type": "AWS::CloudWatch::Alarm", "Properties": {
			"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Threshold": 1,
			"Metrics": [{"Id": "a", "Expression": "b/2"}, {"Id": "b", "ReturnData": false, "MetricStat": {"Period": 60, "Stat": "Sum",
				"Metric": {"Namespace": "AWS/SQS", "MetricName": "NumberOfMessagesSent"}}}]}}`)
		if status == "CREATE_COMPLETE" {
			t.Error("they are accepted now: keep them in adapt in package stack")
		}
	})
	t.Run("a disabled event source mapping reads as enabled", func(t *testing.T) {
		physical, status := create(t, e, "mapping", `"Q": {"Type": "AWS::SQS::Queue"}, "F": {"Type": "AWS::Lambda::Function", "Properties": {
			"Runtime": "provided.al2023", "Handler": "bootstrap", "Role": "arn:aws:iam::000000000000:role/r", "Code": {"ZipFile": "x"}}},
			"M": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {
			"EventSourceArn": {"Fn::GetAtt": ["Q", "Arn"]}, "FunctionName": {"Ref": "F"}, "Enabled": false}}`)
		if status != "CREATE_COMPLETE" {
			t.Fatal(status)
		}
		out, err := lambda.NewFromConfig(e.Config()).GetEventSourceMapping(t.Context(), &lambda.GetEventSourceMappingInput{UUID: aws.String(physical["M"])})
		if err != nil {
			t.Fatal(err)
		}
		if aws.ToString(out.State) == "Disabled" {
			t.Error("it reads as disabled now: read it in mappings in package stack, without an output")
		}
	})
	t.Run("an HTTP API's Body makes no routes", func(t *testing.T) {
		physical, status := create(t, e, "body", `"A": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Body": {"openapi": "3.0.1",
			"info": {"title": "x", "version": "1"}, "paths": {"/x": {"get": {"responses": {}}}}}}}`)
		if status != "CREATE_COMPLETE" {
			t.Fatal(status)
		}
		out, err := apigatewayv2.NewFromConfig(e.Config()).GetRoutes(t.Context(), &apigatewayv2.GetRoutesInput{ApiId: aws.String(physical["A"])})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Items) > 0 {
			t.Error("it does now: delete the refusal in adapt in package stack")
		}
	})
}

// Ensure that a bus comes with a stack under the name that the template gives it, and that a rule of the same stack
// hears what is published there.
func TestEventsReachRules(t *testing.T) {
	e := emulator(t)
	physical, status := create(t, e, "events", `"B": {"Type": "AWS::Events::EventBus", "Properties": {"Name": {"Ref": "AWS::StackName"}}},
		"Q": {"Type": "AWS::SQS::Queue"},
		"R": {"Type": "AWS::Events::Rule", "Properties": {"EventBusName": {"Ref": "B"}, "EventPattern": {"source": ["threadline"]},
		"Targets": [{"Id": "q", "Arn": {"Fn::GetAtt": ["Q", "Arn"]}}]}}`)
	if status != "CREATE_COMPLETE" || physical["B"] != "events" {
		t.Fatalf("%s, bus %q", status, physical["B"])
	}
	out, err := eventbridge.NewFromConfig(e.Config()).PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []eventtypes.PutEventsRequestEntry{{
		EventBusName: aws.String("events"), Source: aws.String("threadline"), DetailType: aws.String("x.v1"), Detail: aws.String(`{"id":"1"}`),
	}}})
	if err != nil || out.FailedEntryCount != 0 {
		t.Fatalf("%v, %+v", err, out)
	}
	queue := sqs.NewFromConfig(e.Config())
	for deadline := time.Now().Add(20 * time.Second); ; {
		got, err := queue.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(physical["Q"]), WaitTimeSeconds: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Messages) == 1 && strings.Contains(*got.Messages[0].Body, `"x.v1"`) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the event never came")
		}
	}
}

// What an older emulator left out and package stack relies on.
func TestQueueAttributesAreKept(t *testing.T) {
	e := emulator(t)
	physical, status := create(t, e, "queue", `"D": {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": true}},
		"Q": {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": true, "DeduplicationScope": "messageGroup",
		"FifoThroughputLimit": "perMessageGroupId", "VisibilityTimeout": 7,
		"RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["D", "Arn"]}, "maxReceiveCount": 9}}}`)
	if status != "CREATE_COMPLETE" {
		t.Fatal(status)
	}
	out, err := sqs.NewFromConfig(e.Config()).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(physical["Q"]), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId", "VisibilityTimeout": "7",
	} {
		if got := out.Attributes[name]; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if policy := out.Attributes["RedrivePolicy"]; !strings.Contains(policy, `"maxReceiveCount":9`) {
		t.Errorf("RedrivePolicy: %s", policy)
	}
}
