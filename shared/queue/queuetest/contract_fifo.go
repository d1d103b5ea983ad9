package queuetest

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func fifoAttributes(t *testing.T, f Fixture) {
	f.send(t, "a", "g", "one")
	f.send(t, "b", "h", "two")
	got := f.mustReceive(t, f.URL, "a", "b")
	if a := got[0].Attributes; a["MessageGroupId"] != "g" || a["MessageDeduplicationId"] != "one" {
		t.Errorf("attributes %v", a)
	}
	if a, b := got[0].Attributes["SequenceNumber"], got[1].Attributes["SequenceNumber"]; len(a) != 20 || a >= b {
		t.Errorf("sequence numbers %q, %q", a, b)
	}
}

// Ensure that one message in flight holds its group back, also when the front of a batch is deleted, and no other.
func orderAndLock(t *testing.T, f Fixture) {
	for _, body := range []string{"g1", "g2", "g3"} {
		f.send(t, body, "g", body)
	}
	first := f.mustReceive(t, f.URL, "g1", "g2", "g3")
	f.send(t, "g4", "g", "g4")
	f.send(t, "h1", "h", "h1")
	f.mustReceive(t, f.URL, "h1")
	f.delete(t, first[0])
	f.hide(t, first[1], 0)
	f.mustReceive(t, f.URL)
	f.hide(t, first[2], 0)
	f.mustReceive(t, f.URL, "g2", "g3", "g4")
}

// Ensure what a consumer relies on: the rest shown at once, the front hidden, and all come in order.
func orderAfterGivingBack(t *testing.T, f Fixture) {
	for _, body := range []string{"g1", "g2", "g3"} {
		f.send(t, body, "g", body)
	}
	got := f.mustReceive(t, f.URL, "g1", "g2", "g3")
	f.hide(t, got[2], 0)
	f.hide(t, got[1], 0)
	f.hide(t, got[0], 1)
	f.mustReceive(t, f.URL)
	f.Sleep(time.Second)
	f.mustReceive(t, f.URL, "g1", "g2", "g3")
}

func deduplicates(t *testing.T, f Fixture) {
	first := f.send(t, "a", "g", "one")
	if again := f.send(t, "a", "g", "one"); again != first {
		t.Errorf("the same entry became %s and %s", first, again)
	}
	f.delete(t, f.mustReceive(t, f.URL, "a")[0])
	f.send(t, "a", "g", "one") // also after it was deleted
	f.mustReceive(t, f.URL)
	f.send(t, "a", "h", "one") // another group's
	f.send(t, "a", "g", "two")
	f.mustReceive(t, f.URL, "a", "a")
}

func deadLettersKeepOrder(t *testing.T, f Fixture) {
	for _, body := range []string{"g1", "g2", "g3"} {
		f.send(t, body, "g", body)
	}
	for range 2 {
		for _, m := range f.mustReceive(t, f.URL, "g1", "g2", "g3") {
			f.hide(t, m, 0)
		}
	}
	f.mustReceive(t, f.URL)
	f.mustReceive(t, f.DLQURL, "g1", "g2", "g3")
}

func fifoRefusals(t *testing.T, f Fixture) {
	for name, in := range map[string]*sqs.SendMessageInput{
		"no group":            {MessageDeduplicationId: aws.String("d")},
		"no deduplication id": {MessageGroupId: aws.String("g")},
	} {
		in.QueueUrl, in.MessageBody = &f.URL, aws.String("x")
		if _, err := f.Client.SendMessage(t.Context(), in); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
