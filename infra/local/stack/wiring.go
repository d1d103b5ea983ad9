package stack

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"threadline/infra/local/eventsource"
	"threadline/infra/local/gateway"
	"threadline/infra/local/lambda"
	"threadline/infra/local/ministack"
)

// deployed is what the emulator says about the stack, whoever deployed it.
type deployed struct {
	resources []stackResource
	outputs   map[string]string
}

type stackResource struct{ kind, logical, physical string }

func describe(ctx context.Context, client *cloudformation.Client) (*deployed, error) {
	name := aws.String(StackName)
	stacks, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: name})
	if err != nil {
		return nil, fmt.Errorf("describe stack: %w", err)
	}
	listed, err := client.DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{StackName: name})
	if err != nil {
		return nil, fmt.Errorf("describe stack's resources: %w", err)
	}
	d := &deployed{outputs: make(map[string]string)}
	for _, o := range stacks.Stacks[0].Outputs {
		d.outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	for _, r := range listed.StackResources {
		d.resources = append(d.resources, stackResource{
			aws.ToString(r.ResourceType), aws.ToString(r.LogicalResourceId), aws.ToString(r.PhysicalResourceId),
		})
	}
	return d, nil
}

// physical maps logical to physical ids.
func (d *deployed) physical() map[string]string {
	out := make(map[string]string)
	for _, r := range d.resources {
		out[r.logical] = r.physical
	}
	return out
}

// functions reads every function with its code, which goes into dir, and its log, which goes into logDir.
func (d *deployed) functions(ctx context.Context, client *awslambda.Client, dir, logDir string) ([]lambda.Function, error) {
	var out []lambda.Function
	for _, r := range d.resources {
		if r.kind != typeFunction {
			continue
		}
		got, err := client.GetFunction(ctx, &awslambda.GetFunctionInput{FunctionName: &r.physical})
		if err != nil {
			return nil, fmt.Errorf("get function %s: %w", r.logical, err)
		}
		f, err := readFunction(ctx, got, dir, logDir)
		if err != nil {
			return nil, fmt.Errorf("function %s: %w", r.logical, err)
		}
		out = append(out, f)
	}
	return out, nil
}

func readFunction(ctx context.Context, got *awslambda.GetFunctionOutput, dir, logDir string) (lambda.Function, error) {
	c := got.Configuration
	name := shortName(c)
	binary, err := fetchCode(ctx, aws.ToString(got.Code.Location), filepath.Join(dir, name))
	if err != nil {
		return lambda.Function{}, err
	}
	log, err := os.OpenFile(filepath.Join(logDir, name+".log"), os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return lambda.Function{}, fmt.Errorf("open log: %w", err)
	}
	f := lambda.Function{
		Name:     aws.ToString(c.FunctionName),
		ARN:      aws.ToString(c.FunctionArn),
		Binary:   binary,
		Handler:  aws.ToString(c.Handler),
		Timeout:  time.Duration(aws.ToInt32(c.Timeout)) * time.Second,
		MemoryMB: int(aws.ToInt32(c.MemorySize)),
		Log:      log,
	}
	if c.Environment != nil {
		f.Env = c.Environment.Variables
	}
	if c.LoggingConfig != nil {
		f.LogFormat = string(c.LoggingConfig.LogFormat)
		f.LogLevel = string(c.LoggingConfig.ApplicationLogLevel)
	}
	return f, nil
}

// shortName is what people call a function: its log group without the stack's name.
func shortName(c *lambdatypes.FunctionConfiguration) string {
	if c.LoggingConfig != nil && c.LoggingConfig.LogGroup != nil {
		return strings.TrimPrefix(path.Base(*c.LoggingConfig.LogGroup), StackName+"-")
	}
	return strings.TrimPrefix(aws.ToString(c.FunctionName), StackName+"-")
}

// fetchCode downloads a function's package and unpacks its executable into dir.
func fetchCode(ctx context.Context, url, dir string) (binary string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", fmt.Errorf("download code: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("download code: %w", err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("download code: status %d: %w", response.StatusCode, err)
	}
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return "", fmt.Errorf("unpack code: %w", err)
	}
	in, err := archive.Open("bootstrap")
	if err != nil {
		return "", fmt.Errorf("unpack code: %w", err)
	}
	defer in.Close()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("unpack code: %w", err)
	}
	binary = filepath.Join(dir, "bootstrap")
	os.Remove(binary) // an older one may still be running
	out, err := os.OpenFile(binary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o700)
	if err != nil {
		return "", fmt.Errorf("unpack code: %w", err)
	}
	_, err = io.Copy(out, in)
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return "", fmt.Errorf("unpack code: %w", err)
	}
	return binary, nil
}

// mappings reads the event source mappings that are meant to be enabled.
func (d *deployed) mappings(ctx context.Context, client *awslambda.Client, queues *sqs.Client) ([]eventsource.Mapping, error) {
	var out []eventsource.Mapping
	for _, r := range d.resources {
		if r.kind != typeMapping || strings.EqualFold(d.outputs[mappingOutput(r.logical)], "false") {
			continue
		}
		m, err := client.GetEventSourceMapping(ctx, &awslambda.GetEventSourceMappingInput{UUID: &r.physical})
		if err != nil {
			return nil, fmt.Errorf("get mapping %s: %w", r.logical, err)
		}
		arn := aws.ToString(m.EventSourceArn)
		queueName := arn[strings.LastIndexByte(arn, ':')+1:]
		url, err := queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queueName})
		if err != nil {
			return nil, fmt.Errorf("mapping %s: get queue: %w", r.logical, err)
		}
		mapping := eventsource.Mapping{
			Function:  functionName(aws.ToString(m.FunctionArn)),
			QueueARN:  arn,
			QueueURL:  aws.ToString(url.QueueUrl),
			Region:    ministack.Region,
			BatchSize: int(aws.ToInt32(m.BatchSize)),
		}
		for _, kind := range m.FunctionResponseTypes {
			mapping.PartialFailures = mapping.PartialFailures || kind == lambdatypes.FunctionResponseTypeReportBatchItemFailures
		}
		if m.ScalingConfig != nil {
			mapping.Concurrency = int(aws.ToInt32(m.ScalingConfig.MaximumConcurrency))
		}
		out = append(out, mapping)
	}
	return out, nil
}

// functionName is the name in a function's ARN, without an alias.
func functionName(arn string) string {
	_, name, _ := strings.Cut(arn, ":function:")
	name, _, _ = strings.Cut(name, ":")
	return name
}

// routes reads the HTTP API's routes with the functions behind them.
func (d *deployed) routes(ctx context.Context, client *apigatewayv2.Client) ([]gateway.Route, error) {
	var out []gateway.Route
	for _, r := range d.resources {
		if r.kind != typeHTTPAPI {
			continue
		}
		integrations, err := client.GetIntegrations(ctx, &apigatewayv2.GetIntegrationsInput{ApiId: &r.physical})
		if err != nil {
			return nil, fmt.Errorf("get integrations: %w", err)
		}
		function := make(map[string]string)
		for _, i := range integrations.Items {
			function["integrations/"+aws.ToString(i.IntegrationId)] = functionName(aws.ToString(i.IntegrationUri))
		}
		listed, err := client.GetRoutes(ctx, &apigatewayv2.GetRoutesInput{ApiId: &r.physical})
		if err != nil {
			return nil, fmt.Errorf("get routes: %w", err)
		}
		for _, route := range listed.Items {
			out = append(out, gateway.Route{Key: aws.ToString(route.RouteKey), Function: function[aws.ToString(route.Target)]})
		}
	}
	return out, nil
}
