package check

import (
	"strings"
	"testing"
)

// mistakes are edits of template.yaml that the linters let pass, and the rule that must not.
var mistakes = []struct {
	name, rule string
	old, new   string
}{
	{"visibility below the time-out", "visibility", "VisibilityTimeout: 600", "VisibilityTimeout: 299"},
	{"time-out raised alone", "visibility", "      Timeout: 120\n", "      Timeout: 900\n"},
	{"typo in the build method", "build method", "BuildMethod: go1.x", "BuildMethod: go1x"},
	{"FIFO name without its suffix", "names", "  InboundQueue:\n    Type: AWS::SQS::Queue\n    Properties:\n",
		"  InboundQueue:\n    Type: AWS::SQS::Queue\n    Properties:\n      QueueName: !Sub \"${AWS::StackName}-inbound\"\n"},
	{"fewer reserved than the pollers start", "concurrency",
		"      Events:\n        Queue:\n          Type: SQS\n          Properties:\n",
		"      ReservedConcurrentExecutions: 5\n      Events:\n        Queue:\n          Type: SQS\n          Properties:\n            ScalingConfig: { MaximumConcurrency: 20 }\n"},
	{"a poller without its rights", "poller's rights", "sqs:DeleteMessage, ", ""},
	{"one minutes", "schedules", "      Events:\n",
		"      Events:\n        Tick:\n          Type: Schedule\n          Properties: { Schedule: rate(1 minutes) }\n"},
	{"five minute", "schedules", "      Events:\n",
		"      Events:\n        Tick:\n          Type: Schedule\n          Properties: { Schedule: rate(5 minute) }\n"},
	{"no receive at all", "dead letters", "maxReceiveCount: 1000", "maxReceiveCount: 0"},

	{"a queue without dead letters", "dead letters",
		"      RedrivePolicy:\n        deadLetterTargetArn: !GetAtt MediaDeadLetters.Arn\n        maxReceiveCount: 1000\n", ""},
	{"shared dead letters", "dead letters", "!GetAtt CrmDeadLetters.Arn\n        max", "!GetAtt OutboundDeadLetters.Arn\n        max"},
	{"one slow line", "queues", "      FifoThroughputLimit: perMessageGroupId\n", ""},
	{"a batch that fails as one", "visibility", "            FunctionResponseTypes: [ReportBatchItemFailures]\n", ""},
	{"a shared role", "roles", "!GetAtt MediaRole.Arn", "!GetAtt SenderRole.Arn"},
	{"a schedule with a function's role", "roles", "!GetAtt TickRole.Arn", "!GetAtt RouterRole.Arn"},
	{"a managed policy", "roles", "  RouterRole:\n    Type: AWS::IAM::Role\n    Properties:\n",
		"  RouterRole:\n    Type: AWS::IAM::Role\n    Properties:\n      ManagedPolicyArns: [!Sub \"arn:${AWS::Partition}:iam::aws:policy/AmazonSQSFullAccess\"]\n"},
	{"every resource", "roles", "Action: s3:GetObject\n                Resource: !Sub \"${Bucket.Arn}/uploads/*\"",
		"Action: s3:GetObject\n                Resource: \"*\""},
	{"every action", "roles", "Action: s3:GetObject\n", "Action: s3:Get*\n"},
	{"a role that SAM makes up", "roles", "      Role: !GetAtt ApiRole.Arn\n", ""},
	{"logs for ever", "log groups", "      RetentionInDays: !Ref LogRetentionDays\n", ""},
	{"no log group", "log groups", "      LoggingConfig: { LogGroup: !Ref ApiLogs }\n", ""},
	{"a fixed name", "names", "  Bucket:\n    Type: AWS::S3::Bucket\n    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain\n    Properties:\n",
		"  Bucket:\n    Type: AWS::S3::Bucket\n    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain\n    Properties:\n      BucketName: threadline\n"},
	{"a fixed bus", "names", "      Name: !Ref AWS::StackName\n\n  # ---- What is kept", "      Name: threadline\n\n  # ---- What is kept"},
	{"files of ours for ever", "kept data", "Prefix: uploads/", "Prefix: upload/"},
	{"a table that goes with the stack", "kept data", "  Table:\n    Type: AWS::DynamoDB::Table\n    DeletionPolicy: Retain\n", "  Table:\n    Type: AWS::DynamoDB::Table\n"},
	{"a public policy", "kept data", "BlockPublicPolicy: true", "BlockPublicPolicy: false"},
	{"a token in the environment", "secrets", "          GRAPH_API_URL: !Ref GraphApiUrl\n", "          GRAPH_API_URL: !Ref GraphApiUrl\n          TOKEN: !Ref AccessToken\n"},
	{"a secret written by CloudFormation", "secrets", "    Properties:\n      Description: !Sub \"Keys and tokens",
		"    Properties:\n      GenerateSecretString: {}\n      Description: !Sub \"Keys and tokens"},
	{"an alarm without a runbook", "alarms", " ${RunbookUrl}#crm-late", ""},
	{"an alarm that rings at night", "alarms", "      TreatMissingData: notBreaching\n", ""},
	{"two more questions", "questions", "\nParameters:\n", "\nParameters:\n  Colour: { Type: String, NoEcho: true, Default: red }\n  Shape: { Type: String }\n"},
	{"a refusal without a word", "questions", "    ConstraintDescription: \"must be DEBUG or INFO.\"\n", ""},
	{"a connector that is refused", "connectors", "^(none|(hubspot|odoo|", "^(none|(hubspot|"},
	{"a connector that the refusal hides", "connectors", "hubspot, odoo, espocrm, pipedrive, salesforce and webhook, sep", "hubspot, odoo, espocrm, salesforce and webhook, sep"},
	{"a setting that nobody asks for", "connectors", "            - !Equals [!Ref OdooLogin, \"\"]\n", ""},
	{"a rule for another connector", "connectors", "!Equals [!Ref CrmConnector, espocrm]", "!Equals [!Ref CrmConnector, pipedrive]"},
	{"a parameter that the form leaves out", "questions", "          - RunbookUrl\n", ""},
}

func TestRulesCatchPlantedMistakes(t *testing.T) {
	ours := source(t)
	sources := make([]string, len(mistakes))
	for i, m := range mistakes {
		if !strings.Contains(ours, m.old) {
			t.Fatalf("%s: the template has no %q to edit", m.name, m.old)
		}
		sources[i] = strings.Replace(ours, m.old, m.new, 1)
	}
	for i, edited := range expand(t, sources...) {
		t.Run(mistakes[i].name, func(t *testing.T) {
			if len(rules[mistakes[i].rule](edited)) == 0 {
				t.Errorf("rule %q finds nothing", mistakes[i].rule)
			}
		})
	}
}
