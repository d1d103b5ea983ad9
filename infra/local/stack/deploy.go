package stack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// StackName is the name of the CloudFormation stack in the emulator.
const StackName = "threadline"

const deployTimeout = 2 * time.Minute

// templateKey is where the template lies in the code bucket: it is longer than a call may hold.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const templateKey = "template.json"

// deploy creates or updates the stack and waits for it, even if ctx ends meanwhile: a deployment that
// is saved half done can't be continued.
func deploy(ctx context.Context, config aws.Config, t template, parameters map[string]string) error {
	body, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("encode template: %w", err)
	}
	_, err = s3Client(config).PutObject(ctx, &s3.PutObjectInput{
		Bucket: aws.String(codeBucket), Key: aws.String(templateKey), Body: bytes.NewReader(body),
	})
	if err != nil {
		return fmt.Errorf("upload template: %w", err)
	}
	client, at := cloudformation.NewFromConfig(config), aws.String(*config.BaseEndpoint+"/"+codeBucket+"/"+templateKey)
	var given []types.Parameter
	for name, value := range parameters {
		given = append(given, types.Parameter{ParameterKey: aws.String(name), ParameterValue: aws.String(value)})
	}
	capabilities := []types.Capability{types.CapabilityCapabilityIam, types.CapabilityCapabilityNamedIam}
	_, err = client.CreateStack(ctx, &cloudformation.CreateStackInput{
		StackName: aws.String(StackName), TemplateURL: at, Parameters: given, Capabilities: capabilities,
	})
	if code(err) == "AlreadyExistsException" {
		_, err = client.UpdateStack(ctx, &cloudformation.UpdateStackInput{
			StackName: aws.String(StackName), TemplateURL: at, Parameters: given, Capabilities: capabilities,
		})
	}
	if code(err) == "ValidationError" && strings.Contains(err.Error(), "No updates are to be performed") {
		return nil
	}
	if code(err) == "ValidationError" && strings.Contains(err.Error(), "_IN_PROGRESS") {
		return errors.New("an earlier deployment was cut off: run `make reset`, which deletes the local state")
	}
	if err != nil {
		return fmt.Errorf("deploy template: %w", err)
	}
	return wait(context.WithoutCancel(ctx), client)
}

// wait waits until the stack is as it was asked to be.
func wait(ctx context.Context, client *cloudformation.Client) error {
	ctx, cancel := context.WithTimeout(ctx, deployTimeout)
	defer cancel()
	for {
		out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(StackName)})
		if err != nil {
			return fmt.Errorf("describe stack: %w", err)
		}
		switch status := out.Stacks[0].StackStatus; {
		case status == types.StackStatusCreateComplete || status == types.StackStatusUpdateComplete:
			return nil
		case !strings.HasSuffix(string(status), "_IN_PROGRESS"):
			return fmt.Errorf("deploy template: %s: %s", status, failure(ctx, client))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for stack: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// failure says which resources failed and why, in the words of the emulator.
func failure(ctx context.Context, client *cloudformation.Client) string {
	out, err := client.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: aws.String(StackName)})
	if err != nil {
		return "no reason known"
	}
	var reasons []string
	for _, e := range out.StackEvents {
		if strings.HasSuffix(string(e.ResourceStatus), "_FAILED") {
			reasons = append(reasons, aws.ToString(e.LogicalResourceId)+": "+aws.ToString(e.ResourceStatusReason))
		}
	}
	return strings.Join(reasons, "; ")
}

func code(err error) string {
	var apiError smithy.APIError
	if errors.As(err, &apiError) {
		return apiError.ErrorCode()
	}
	return ""
}

// setTTL does for every table what the emulator's CloudFormation leaves undone.
func setTTL(ctx context.Context, client *dynamodb.Client, t template, physical map[string]string) error {
	var err error
	t.resources(typeTable, func(id string, properties map[string]any) {
		specification, ok := properties["TimeToLiveSpecification"].(map[string]any)
		attribute, _ := specification["AttributeName"].(string)
		if !ok || attribute == "" || err != nil {
			return
		}
		table := physical[id]
		var now *dynamodb.DescribeTimeToLiveOutput
		now, err = client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &table})
		if err != nil || now.TimeToLiveDescription.TimeToLiveStatus == dynamotypes.TimeToLiveStatusEnabled {
			return
		}
		_, err = client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
			TableName:               &table,
			TimeToLiveSpecification: &dynamotypes.TimeToLiveSpecification{AttributeName: &attribute, Enabled: aws.Bool(true)},
		})
	})
	if err != nil {
		return fmt.Errorf("set time to live: %w", err)
	}
	return nil
}
