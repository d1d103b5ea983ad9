package redact

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

const (
	aPhone = "34600111222"
	aText  = "where is my parcel"
)

func TestErrorRemovesWhatLibrariesQuote(t *testing.T) {
	_, notANumber := strconv.Atoi(aText)
	_, noConnection := http.Get("http://127.0.0.1:1/v25.0/" + aPhone + "/media?hash=abc&to=%2B" + aPhone)
	for _, row := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{notANumber, `strconv.Atoi: parsing "…": invalid syntax`},
		{noConnection, `Get "http://127.0.0.1:1/…": dial tcp 127.0.0.1:1: connect: connection refused`},
		{errors.New("user ES.13491208655302741918 has left"), "user [user] has left"},
		{errors.New("parent ES.ENT.13491208655302741918"), "parent [user]"},
		{errors.New("to +" + aPhone + "!"), "to [number]!"},
		{errors.New("to +34 600-111 222, again"), "to [number], again"},
		{errors.New("to (555) 123.4567"), "to [number]"},
		{errors.New("to=%2B" + aPhone), "to=[number]"},
		{errors.New("header Bearer EAAGm0PX4ZCps"), "header Bearer […]"},
		{errors.New("token " + strings.Repeat("aB3", 20)), "token […]"},
		{errors.New("dial tcp 192.168.100.200:443: i/o timeout"), "dial tcp 192.168.100.200:443: i/o timeout"},
		{errors.New(`bad value "say \"hi\"" at 12`), `bad value "…" at 12`},
		{errors.New("put item: StatusCode: 400, ThrottlingException"), "put item: StatusCode: 400, ThrottlingException"},
	} {
		if got := Error(row.err); got != row.want {
			t.Errorf("got %s\nwant %s", got, row.want)
		}
	}
}

// Ensure that a phone number goes whatever surrounds it.
func FuzzError(f *testing.F) {
	f.Add("to ", " end")
	f.Add(`"`, `"`)
	f.Add("https://host/", "?x=1")
	f.Fuzz(func(t *testing.T, before, after string) {
		if strings.Contains(before+after, aPhone) {
			t.Skip()
		}
		if got := Error(errors.New(before + aPhone + after)); strings.Contains(got, aPhone) {
			t.Errorf("%q keeps the number: %q", before+aPhone+after, got)
		}
	})
}
