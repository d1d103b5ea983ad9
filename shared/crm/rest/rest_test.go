package rest_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// TestAnAnswerThatIsTooLong is refused where it must be read: another try would bring the same one. Where nobody reads it,
// and where its status says what is wrong, its length doesn't matter.
func TestAnAnswerThatIsTooLong(t *testing.T) {
	const most = 8 << 20
	status, size := 0, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `"`+strings.Repeat("x", size-2)+`"`)
	}))
	t.Cleanup(server.Close)
	c := rest.New(rest.Config{BaseURL: server.URL})
	var text string
	for name, row := range map[string]struct {
		status, size int
		out          any
		want         *crm.Error
	}{
		"as long as may be":   {http.StatusOK, most, &text, nil},
		"too long":            {http.StatusOK, most + 1, &text, &crm.Error{Class: crm.Refused, Unknown: true, Reason: "ANSWER_TOO_LONG"}},
		"far too long":        {http.StatusOK, 3 * most, &text, &crm.Error{Class: crm.Refused, Unknown: true, Reason: "ANSWER_TOO_LONG"}},
		"read by nobody":      {http.StatusOK, most + 1, nil, nil},
		"of a server in need": {http.StatusBadGateway, most + 1, &text, &crm.Error{Class: crm.Transient, Unknown: true}},
	} {
		status, size = row.status, row.size
		err := c.JSON(t.Context(), "read", http.MethodGet, "/", nil, row.out)
		e, failed := errors.AsType[*crm.Error](err)
		switch {
		case row.want == nil && err != nil, row.want != nil && !failed:
			t.Errorf("%s: %v, want %v", name, err, row.want)
		case failed && (e.Class != row.want.Class || e.Unknown != row.want.Unknown || e.Reason != row.want.Reason || e.Status != row.status):
			t.Errorf("%s: %+v, want %+v", name, *e, *row.want)
		}
	}
}
