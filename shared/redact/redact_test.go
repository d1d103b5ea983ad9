package redact

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

const (
	aPhone = "34600111222"
	aText  = "where is my parcel"
)

type record struct {
	To     Value
	hidden Value
	Nested struct{ in *Value }
}

// Ensure that no common way of printing reveals a value, wherever it sits.
func TestValueNeverShows(t *testing.T) {
	for _, v := range []Value{Phone("+" + aPhone), Secret(aPhone), Text(aPhone + aText)} {
		r := record{To: v, hidden: v}
		r.Nested.in = &v
		var logged bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
			slog.New(h).Info("x", "v", v, "r", r, "p", &r, "list", []Value{v}, "map", map[string]Value{"k": v})
		}
		encoded, err := json.Marshal(map[string]any{"v": v, "r": r, "p": &v, "list": []Value{v}})
		if err != nil {
			t.Fatal(err)
		}
		printed := logged.String() + string(encoded)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
			printed += fmt.Sprintf(verb+verb+verb+verb, v, &v, r, []record{r})
		}
		printed += fmt.Sprint(v, r, errors.New(v.String()))
		for _, leak := range []string{aPhone, aText, fmt.Sprintf("%x", aPhone)} {
			if strings.Contains(printed, leak) {
				t.Errorf("%s shows %q:\n%s", v, leak, printed)
			}
		}
		if !strings.Contains(string(encoded), v.String()) {
			t.Errorf("JSON lacks the stand-in: %s", encoded)
		}
	}
}

func TestValueReveals(t *testing.T) {
	if got := Phone(aPhone).Reveal(); got != aPhone {
		t.Errorf("got %q", got)
	}
	if got := (Value{}).Reveal(); got != "" {
		t.Errorf("zero value: got %q", got)
	}
}

func TestStandIns(t *testing.T) {
	for _, row := range []struct {
		v    Value
		want string
	}{
		{Phone("+" + aPhone), "[phone …22]"},
		{Phone("123"), "[phone]"},
		{Secret("k"), "[secret]"},
		{Text("año"), "[text of 3]"},
		{Value{}, ""},
	} {
		if got := fmt.Sprint(row.v); got != row.want {
			t.Errorf("got %q, want %q", got, row.want)
		}
	}
}

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
