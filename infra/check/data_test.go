package check

import (
	"fmt"
	"slices"
	"strings"
)

// keptData: what customers said outlives a mistaken deployment, and nobody else reads it.
func keptData(t *template) (problems []string) {
	for _, kind := range []string{"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret"} {
		for _, name := range t.of(kind) {
			if r := t.Resources[name]; r.DeletionPolicy != "Retain" || r.UpdateReplacePolicy != "Retain" {
				problems = append(problems, name+": deleted or replaced with the stack")
			}
		}
	}
	for _, name := range t.of("AWS::DynamoDB::Table") {
		for what, ok := range map[string]bool{
			"no point-in-time recovery": t.at(name, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled") == true,
			"no deletion protection":    t.at(name, "DeletionProtectionEnabled") == true,
			"not on demand":             t.at(name, "BillingMode") == "PAY_PER_REQUEST",
			"no ttl":                    t.at(name, "TimeToLiveSpecification", "AttributeName") == "ttl",
		} {
			if !ok {
				problems = append(problems, name+": "+what)
			}
		}
	}
	for _, name := range t.of("AWS::S3::Bucket") {
		problems = append(problems, t.bucket(name)...)
	}
	slices.Sort(problems)
	return problems
}

func (t *template) bucket(name string) (problems []string) {
	for _, block := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
		if t.at(name, "PublicAccessBlockConfiguration", block) != true {
			problems = append(problems, name+": "+block+" is off")
		}
	}
	if t.at(name, "BucketEncryption") == nil {
		problems = append(problems, name+": not encrypted")
	}
	if !strings.Contains(text(t.at(name, "OwnershipControls")), "BucketOwnerEnforced") {
		problems = append(problems, name+": objects may have other owners")
	}
	lifecycle := text(t.at(name, "LifecycleConfiguration"))
	for _, part := range []string{"AbortIncompleteMultipartUpload", "claim/", "raw/", "media/", "uploads/"} {
		if !strings.Contains(lifecycle, part) {
			problems = append(problems, name+": lifecycle says nothing about "+part)
		}
	}
	for _, policy := range t.of("AWS::S3::BucketPolicy") {
		document := text(t.at(policy, "PolicyDocument"))
		if target(t.at(policy, "Bucket")) == name && strings.Contains(document, `"Deny"`) && strings.Contains(document, "aws:SecureTransport") {
			return problems
		}
	}
	return append(problems, name+": open to plain HTTP")
}

// secrets: a value passes from its parameter to the function that stores it, and nowhere else. CloudFormation writes
// none itself, because it would overwrite all of them whenever one changes.
func secrets(t *template) (problems []string) {
	for key, p := range t.Parameters {
		if !p.NoEcho {
			continue
		}
		for name, r := range t.Resources {
			if r.Type != "Custom::SecretValues" && mentions(r.Properties, key) {
				problems = append(problems, fmt.Sprintf("%s: uses %s", name, key))
			}
		}
		if mentions(t.Outputs, key) {
			problems = append(problems, "Outputs: "+key)
		}
	}
	for _, name := range t.of("AWS::SecretsManager::Secret") {
		if t.at(name, "SecretString") != nil || t.at(name, "GenerateSecretString") != nil {
			problems = append(problems, name+": a later deployment overwrites it")
		}
	}
	slices.Sort(problems)
	return problems
}

// mentions reports whether a value refers to a parameter, by Ref or in a Sub.
func mentions(v any, key string) bool {
	body := text(v)
	return strings.Contains(body, `{"Ref":"`+key+`"}`) || strings.Contains(body, "${"+key+"}")
}
