package crm

import (
	"context"
	"net/url"
	"time"
)

// Paneler is a Connector whose CRM shows a page of ours beside a record: GET /crm/<name>/panel.
type Paneler interface {
	// Panel verifies the address at which somebody in the CRM looks at the page, as the vendor prescribes, and returns the
	// contact beside which it is shown; empty if that is something else. It makes no call. An address that can't be verified is
	// ErrForged.
	Panel(ctx context.Context, query url.Values, at time.Time) (ContactRef, error)

	// Frame says how the CRM shows the page. It doesn't change and costs no call.
	Frame() Frame
}

// Frame is how a CRM shows a page of ours.
type Frame struct {
	Ancestors string // whose pages may hold it: a source as in a Content-Security-Policy

	// The vendor's script without which the page isn't shown: where it is, the hash of its bytes as in Subresource Integrity,
	// and what begins it.
	Script, Integrity, Start string
}
