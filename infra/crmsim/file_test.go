package crmsim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"testing"

	"threadline/shared/blob"
	"threadline/shared/crm/crmtest"
)

// bytesOf is a bucket whose objects are as long as somebody wants, and don't lie in memory.
type bytesOf int64

func (size bytesOf) Get(context.Context, string) (io.ReadCloser, blob.Info, error) {
	return io.NopCloser(crmtest.Bytes(int64(size))), blob.Info{Size: int64(size)}, nil
}

// TestABigFile: 25 MB are attached, whatever happens to a first try.
func TestABigFile(t *testing.T) {
	const size = 25_000_000
	hash := sha256.New()
	_, _ = io.Copy(hash, crmtest.Bytes(size)) // neither side can fail
	want := hex.EncodeToString(hash.Sum(nil))
	each(t, func(t *testing.T, k Kind) {
		lost := false
		r := New(t, Options{Seed: 1, Blobs: bytesOf(size), Fault: func(c Call) Fault {
			if c.N < 4 || lost {
				return None
			}
			lost = true
			return Garbled
		}}, k)
		m := r.Arriving(number(0), "wamid.1", "<one>")
		r.Arrived(m, size)
		r.Quiet()
		if e := once(t, r.CRMs[0], "<one>", "", 1); e.Files != nil && e.Files[0] != want {
			t.Error("it has other bytes")
		}
		settled(t, r)
	})
}

// TestAFileThatIsTooBig: the entry says so, and what comes next isn't kept waiting.
func TestAFileThatIsTooBig(t *testing.T) {
	each(t, func(t *testing.T, k Kind) {
		r := New(t, Options{Seed: 1, Twice: true}, k)
		c := r.CRMs[0]
		most := c.Capabilities().MaxFile
		if most == 0 {
			t.Skip("nobody knows how much it takes")
		}
		m := r.Arriving(number(0), "wamid.1", "<one>")
		r.Arrived(m, most+1)
		r.Text(number(0), "wamid.2", "<two>")
		r.Quiet()
		e := once(t, c, "<one>", "", 0)
		if reason := fmt.Sprintf("it takes %.1f)", float64(most)/1e6); !strings.Contains(e.Text, reason) || !strings.Contains(e.Text, "kept in Threadline") {
			t.Errorf("it says %q, want %q", e.Text, reason)
		}
		once(t, c, "<two>", "", 0)
		settled(t, r)
	})
}
