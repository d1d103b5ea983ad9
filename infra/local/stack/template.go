package stack

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

//go:embed transform.py
var transformScript string

const (
	typeFunction = "AWS::Lambda::Function"
	typeMapping  = "AWS::Lambda::EventSourceMapping"
	typeAlarm    = "AWS::CloudWatch::Alarm"
	typeHTTPAPI  = "AWS::ApiGatewayV2::Api"
	typeTable    = "AWS::DynamoDB::Table"
	typeQueue    = "AWS::SQS::Queue"
)

// template is plain CloudFormation, decoded; what is not looked at is carried along.
type template map[string]any

// transform expands a SAM template offline. Its functions' code is left as the path of their sources.
func transform(ctx context.Context, venv, path string) (template, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(venv, "bin", "python"), "-c", transformScript, path)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("expand %s: %s", filepath.Base(path), strings.TrimSpace(stderr.String()))
	}
	var t template
	if err := json.Unmarshal(stdout.Bytes(), &t); err != nil {
		return nil, fmt.Errorf("read expanded template: %w", err)
	}
	return t, nil
}

// section returns a top-level object of the template, made if it is missing.
func (t template) section(name string) map[string]any {
	s, ok := t[name].(map[string]any)
	if !ok {
		s = make(map[string]any)
		t[name] = s
	}
	return s
}

// resources calls visit for every resource of a type, in the order of their names.
func (t template) resources(kind string, visit func(id string, properties map[string]any)) {
	all := t.section("Resources")
	ids := make([]string, 0, len(all))
	for id := range all {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	for _, id := range ids {
		r, _ := all[id].(map[string]any)
		if r["Type"] != kind {
			continue
		}
		properties, ok := r["Properties"].(map[string]any)
		if !ok {
			properties = make(map[string]any)
			r["Properties"] = properties
		}
		visit(id, properties)
	}
}

// hasParameter tells whether the template asks for a parameter.
func (t template) hasParameter(name string) bool {
	_, ok := t.section("Parameters")[name]
	return ok
}

// sources returns, per function, the folder of its sources relative to the repository; the template,
// to whose folder CodeUri is relative, is in dir.
func (t template) sources(dir string) (map[string]string, error) {
	out := make(map[string]string)
	var err error
	t.resources(typeFunction, func(id string, properties map[string]any) {
		code, _ := properties["Code"].(map[string]any)
		path, ok := code["S3Key"].(string)
		if !ok {
			err = fmt.Errorf("function %s: CodeUri is not a path", id)
			return
		}
		out[id] = filepath.Join(dir, path)
	})
	return out, err
}

// setCode points a function at an uploaded package.
func (t template) setCode(id, bucket, key string) {
	r := t.section("Resources")[id].(map[string]any)
	r["Properties"].(map[string]any)["Code"] = map[string]any{"S3Bucket": bucket, "S3Key": key}
}

// mappingOutput names the output that says whether a mapping is enabled.
func mappingOutput(id string) string { return "LocalEnabled" + id }

// adapt changes what this machine does differently from AWS. Event source mappings are disabled in
// the emulator, since this package drives them; whether they are meant to be enabled is kept in an
// output, because the emulator evaluates conditions there. Alarms on metric math are left out: the
// emulator refuses them.
func (t template) adapt() error {
	outputs := t.section("Outputs")
	t.resources(typeMapping, func(id string, properties map[string]any) {
		if _, done := outputs[mappingOutput(id)]; done {
			return
		}
		enabled, ok := properties["Enabled"]
		if !ok {
			enabled = true
		}
		outputs[mappingOutput(id)] = map[string]any{"Value": texts(enabled)}
		properties["Enabled"] = false
	})
	t.resources(typeAlarm, func(id string, properties map[string]any) {
		if _, ok := properties["Metrics"]; ok {
			delete(t.section("Resources"), id)
		}
	})
	var err error
	t.resources(typeHTTPAPI, func(id string, properties map[string]any) {
		if _, ok := properties["Body"]; ok {
			err = fmt.Errorf("template: %s describes its routes in a Body, which the local emulator does not read: write them as AWS::ApiGatewayV2::Route", id)
		}
	})
	return err
}

// texts returns a value with its booleans as text, which is all that an output may be.
func texts(value any) any {
	switch v := value.(type) {
	case bool:
		return strconv.FormatBool(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = texts(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key := range v {
			out[key] = texts(v[key])
		}
		return out
	}
	return value
}

// errKept is one sentence for people who run the project.
var errKept = errors.New("the template changes a table or queue whose content is kept here: run `make reset`, which deletes the local state")

// checkKept refuses a template that changes or drops a table or queue that stateDir has content of:
// the emulator would replace it by an empty one. New ones are fine.
func (t template) checkKept(stateDir string) error {
	content, err := os.ReadFile(keptFile(stateDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read kept resources: %w", err)
	}
	var kept map[string]string
	if err := json.Unmarshal(content, &kept); err != nil {
		return fmt.Errorf("read kept resources: %w", err)
	}
	now, err := t.fingerprints()
	if err != nil {
		return err
	}
	for id, fingerprint := range kept {
		if now[id] != fingerprint {
			return fmt.Errorf("%w (%s)", errKept, id)
		}
	}
	return nil
}

// writeKept notes which tables and queues have content from now on.
func (t template) writeKept(stateDir string) error {
	now, err := t.fingerprints()
	if err != nil {
		return err
	}
	content, err := json.MarshalIndent(now, "", "  ")
	if err != nil {
		return fmt.Errorf("encode kept resources: %w", err)
	}
	if err := os.WriteFile(keptFile(stateDir), content, 0o600); err != nil {
		return fmt.Errorf("write kept resources: %w", err)
	}
	return nil
}

// hasKept tells whether a deployment was ever completed in stateDir.
func hasKept(stateDir string) bool {
	_, err := os.Stat(keptFile(stateDir))
	return err == nil
}

func keptFile(stateDir string) string { return filepath.Join(stateDir, "resources.json") }

func (t template) fingerprints() (map[string]string, error) {
	out := make(map[string]string)
	var err error
	for _, kind := range []string{typeTable, typeQueue} {
		t.resources(kind, func(id string, properties map[string]any) {
			content, marshalErr := json.Marshal(properties)
			if marshalErr != nil {
				err = fmt.Errorf("fingerprint %s: %w", id, marshalErr)
			}
			sum := sha256.Sum256(content)
			out[id] = hex.EncodeToString(sum[:8])
		})
	}
	return out, err
}
