package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"threadline/infra/local/ministack"
	"threadline/infra/local/venv"
)

// deployWithSAM deploys as a company does, with `sam build` and `sam deploy`, but into the emulator.
func (s *Stack) deployWithSAM(ctx context.Context) error {
	tools, err := venv.Ensure(ctx, s.options.Root, venv.Tools, s.options.Progress)
	if err != nil {
		return err
	}
	sam := func(arguments ...string) error {
		cmd := exec.CommandContext(ctx, filepath.Join(tools, "bin", "sam"), arguments...)
		cmd.Dir = s.options.Root
		cmd.Env = s.samEnvironment()
		output, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("sam %s: %w: %s", arguments[0], err, output[max(0, len(output)-2000):])
		}
		return nil
	}
	client := s3Client(s.emulator.Config())
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(codeBucket)}); err != nil {
		return fmt.Errorf("create code bucket: %w", err)
	}
	built := filepath.Join(s.options.StateDir, "sam")
	s.options.Progress("sam build")
	err = sam("build", "--template-file", s.options.Template, "--build-dir", built, "--parameter-overrides", "Architecture="+architecture())
	if err != nil {
		return err
	}
	s.options.Progress("sam deploy")
	deployment := []string{
		"deploy", "--template-file", filepath.Join(built, "template.yaml"), "--stack-name", StackName,
		"--s3-bucket", codeBucket, "--no-resolve-s3", "--capabilities", "CAPABILITY_IAM", "--region", ministack.Region,
		"--no-confirm-changeset", "--no-fail-on-empty-changeset", "--parameter-overrides",
	}
	if err := sam(append(deployment, overrides(s.parameters)...)...); err != nil {
		return err
	}
	return disableMappings(ctx, awslambda.NewFromConfig(s.emulator.Config()))
}

// samEnvironment points the SAM CLI at the emulator, whatever account the user works with, and keeps
// it from reporting home.
func (s *Stack) samEnvironment() []string {
	environ := slices.DeleteFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(variable, "AWS_") })
	return append(environ,
		"AWS_ENDPOINT_URL="+s.emulator.Endpoint(),
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		"AWS_DEFAULT_REGION="+ministack.Region, "AWS_REGION="+ministack.Region,
		"SAM_CLI_TELEMETRY=0", "SAM_CLI_POLL_DELAY=1",
		"CGO_ENABLED=0", "GOFLAGS=-trimpath -tags=lambda.norpc -ldflags=-s",
	)
}

// overrides are the parameters as the SAM CLI takes them.
func overrides(parameters map[string]string) []string {
	var out []string
	for name, value := range parameters {
		out = append(out, name+"="+strconv.Quote(value))
	}
	sort.Strings(out)
	return out
}

// disableMappings keeps the emulator's own pollers off the queues, which this package polls.
func disableMappings(ctx context.Context, client *awslambda.Client) error {
	listed, err := client.ListEventSourceMappings(ctx, &awslambda.ListEventSourceMappingsInput{})
	if err != nil {
		return fmt.Errorf("list mappings: %w", err)
	}
	for _, m := range listed.EventSourceMappings {
		if !strings.Contains(aws.ToString(m.EventSourceArn), ":sqs:") {
			continue
		}
		_, err := client.UpdateEventSourceMapping(ctx, &awslambda.UpdateEventSourceMappingInput{UUID: m.UUID, Enabled: aws.Bool(false)})
		if err != nil {
			return fmt.Errorf("disable mapping: %w", err)
		}
	}
	return nil
}
