// Package metric counts what an operator wants to see, as log lines that CloudWatch turns into metrics.
//
//	var metrics metric.Metrics
//	metrics.Count(ctx, metric.MessageReceived, 1, "Kind", "text")
//
// It guarantees one write of one JSON line per call in the embedded metric format, so that counting makes no network
// call, never blocks on AWS and never fails a message. A metric costs $0.30 a month per set of dimension values beyond
// the first ten, for the hours in which it is written. So there are few names, most of which are quiet on a good day, and
// a dimension is a short list of words: never a customer, a conversation or a message.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
package metric

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"os"
	"sync"
	"time"
)

// DefaultNamespace is where CloudWatch shows the metrics of a Metrics that names none.
const DefaultNamespace = "Threadline"

// The names, each a plain count. Without dimensions unless the line says otherwise.
const (
	MessageReceived   = "MessageReceived"   // a customer's message was stored for the first time
	MessageSent       = "MessageSent"       // the provider accepted a message of ours
	SendUnknown       = "SendUnknown"       // a send's outcome is not known and no receipt has settled it
	SendFailed        = "SendFailed"        // a message of ours will not be delivered
	SignatureRejected = "SignatureRejected" // a webhook call without a valid signature was refused
	UnknownNumber     = "UnknownNumber"     // an update for a business number that is not configured was stored
	RawUpdate         = "RawUpdate"         // an update became no message or receipt and was kept as it came
	Parked            = "Parked"            // a queue entry went to its dead-letter queue; Source: the queue's name
	MediaFailed       = "MediaFailed"       // a file is missing or unverified; Reason: unverified or refused
	ContactAmbiguous  = "ContactAmbiguous"  // several records of a CRM have a customer's number, so that one more was made; Connector: its name
	ConnectorStopped  = "ConnectorStopped"  // a CRM or Meta refuses us until somebody changes something; Connector: its name, or whatsapp

	// Of the comparison of what was stored with what a CRM has; Connector: its name.
	CRMChecked  = "CRMChecked"  // messages that were compared
	CRMMissing  = "CRMMissing"  // messages that weren't there when they should have been
	CRMRepaired = "CRMRepaired" // messages of these that are there now
	CRMRefused  = "CRMRefused"  // messages that the CRM refused for good
	CRMOverdue  = "CRMOverdue"  // messages that are missing still, an hour after they were asked for again
)

// Metrics writes counts to Out. The zero value writes to os.Stdout and is ready; copies must not be made after use.
type Metrics struct {
	Namespace string           // of the stack, so that two stacks don't add up; empty: DefaultNamespace
	Out       io.Writer        // nil: os.Stdout
	Now       func() time.Time // nil: time.Now

	mu sync.Mutex
}

// Count adds n to the metric of that name. dims are pairs of a dimension's name and its value; a pair with an empty
// name or value, or a name without a value, is left out, because CloudWatch would drop the whole line for it.
func (m *Metrics) Count(_ context.Context, name string, n int, dims ...string) {
	names := []string{} // never null: "Dimensions": [[]] is a metric without dimensions
	line := map[string]any{name: n}
	for i := 0; i+1 < len(dims); i += 2 {
		if dims[i] != "" && dims[i+1] != "" && dims[i] != name {
			names = append(names, dims[i])
			line[dims[i]] = dims[i+1]
		}
	}
	now := time.Now
	if m.Now != nil {
		now = m.Now
	}
	line["_aws"] = metadata{
		Timestamp: now().UnixMilli(),
		Directives: []directive{{
			Namespace:  cmp.Or(m.Namespace, DefaultNamespace),
			Dimensions: [][]string{names},
			Metrics:    []definition{{Name: name, Unit: "Count"}},
		}},
	}
	m.write(line)
}

// write drops an error: a metric that can't be written is nothing to fail a message for.
func (m *Metrics) write(line map[string]any) {
	text, err := json.Marshal(line)
	if err != nil {
		return
	}
	var out io.Writer = os.Stdout
	if m.Out != nil {
		out = m.Out
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, _ = out.Write(append(text, '\n'))
}

type metadata struct {
	Timestamp  int64       `json:"Timestamp"` // milliseconds since 1970
	Directives []directive `json:"CloudWatchMetrics"`
}

type directive struct {
	Namespace  string       `json:"Namespace"`
	Dimensions [][]string   `json:"Dimensions"`
	Metrics    []definition `json:"Metrics"`
}

type definition struct {
	Name string `json:"Name"`
	Unit string `json:"Unit"`
}
