package crmtest

import (
	"io"
	"runtime"
	"testing"

	"threadline/shared/crm"
)

// Opens proves that a file of a request, which holds Bytes(size), is given out whole, and that memory doesn't grow with it.
func Opens(t *testing.T, c crm.Opener, f crm.RequestFile, size int64) {
	t.Helper()
	const most = 4 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	file, err := c.OpenFile(t.Context(), f.Ref)
	if err != nil {
		t.Fatal(err)
	}
	got := SumOf(t, file)
	runtime.ReadMemStats(&after)
	if f.Size != size || got != SumOf(t, io.NopCloser(Bytes(size))) {
		t.Errorf("a file of %d bytes has %d, or others", size, f.Size)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > most {
		t.Errorf("%d bytes allocated for a file of %d, want %d at most", used, size, most)
	}
}
