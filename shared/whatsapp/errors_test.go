package whatsapp

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"
)

func TestClasses(t *testing.T) {
	classes := map[Class]bool{ClassTransient: true, ClassWait: true, ClassPermanent: true, ClassAccount: true}
	for code, v := range codes {
		if !classes[v.class] || v.meaning == "" {
			t.Errorf("code %d: %+v", code, v)
		}
		if (v.class == ClassWait) != (v.wait > 0) && v.class != ClassTransient {
			t.Errorf("code %d is %s and waits %s", code, v.class, v.wait)
		}
	}
	for code, want := range map[int]Class{
		200: ClassAccount, 299: ClassAccount, 300: ClassPermanent, 131041: ClassPermanent, 131205: ClassPermanent, 131208: ClassWait,
		131216: ClassPermanent, 138000: ClassPermanent, 138002: ClassWait, 138004: ClassTransient, 138010: ClassPermanent,
		138013: ClassPermanent, 138023: ClassPermanent, 139002: ClassPermanent, 139102: ClassTransient, 147003: ClassPermanent,
		200006: ClassPermanent, 2388019: ClassPermanent, 2388040: ClassPermanent, 2494100: ClassTransient, 2593079: ClassPermanent,
		2593108: ClassPermanent, 134011: ClassPermanent,
	} {
		e := Error{Code: code, HTTPStatus: 400, object: true}
		e.classify()
		if e.Class != want {
			t.Errorf("code %d is %s, want %s", code, e.Class, want)
		}
	}
	for status, want := range map[int]Class{500: ClassTransient, 503: ClassTransient, 429: ClassTransient, 401: ClassAccount, 403: ClassTransient, 404: ClassTransient} {
		e := Error{HTTPStatus: status}
		e.classify()
		if e.Class != want {
			t.Errorf("http %d is %s, want %s", status, e.Class, want)
		}
	}
}

// Ensure that every family of codes in Meta's pages has a meaning, whatever its
// class, and that no family hides another.
func TestCodesAreKnown(t *testing.T) {
	for _, family := range [][2]int{{131201, 131215}, {138000, 138023}, {139000, 139004}, {139100, 139103}, {147001, 147005}, {2593107, 2593109}} {
		for code := family[0]; code <= family[1]; code++ {
			if v, ok := lookUp(code); !ok || v.meaning == "" {
				t.Errorf("code %d is unknown", code)
			}
		}
	}
	for i, a := range codeRanges {
		for _, b := range codeRanges[i+1:] {
			if a.from <= b.to && b.from <= a.to {
				t.Errorf("%d-%d and %d-%d overlap", a.from, a.to, b.from, b.to)
			}
		}
	}
}

func TestLimitError(t *testing.T) {
	tooMany := &LimitError{"interactive.action.buttons", 3, 4, "buttons"}
	if !errors.Is(tooMany, ErrInvalid) || tooMany.Error() != "interactive.action.buttons: 4 buttons, at most 3" {
		t.Errorf("%v", tooMany)
	}
	tooFew := &LimitError{"interactive.action.cards", 2, 1, "cards"}
	if tooFew.Error() != "interactive.action.cards: 1 cards, at least 2" {
		t.Errorf("%v", tooFew)
	}
}

func TestErrorText(t *testing.T) {
	c, _ := graph(t, answer(400, `{"error":{"message":"to `+phone+`","type":"OAuthException","code":131047,"error_subcode":7,`+
		`"error_data":{"details":"`+words+`"},"fbtrace_id":"Az8","error_user_title":"x"}}`))
	_, err := c.Send(t.Context(), "106", hello)
	var e *Error
	if !errors.As(err, &e) || e.Details != words || e.Message != "to "+phone || e.Subcode != 7 || e.Type != "OAuthException" {
		t.Errorf("fields %+v", e)
	}
	const want = "whatsapp: permanent: code 131047/7 (outside the customer service window), http 400, trace Az8"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

func TestRetryAfter(t *testing.T) {
	const usage = `{"123":[{"type":"messages","estimated_time_to_regain_access":7},{"estimated_time_to_regain_access":"19"}]}`
	for _, tt := range []struct {
		header, value string
		code          string
		want          time.Duration
	}{
		{"Retry-After", "30", "130429", 30 * time.Second},
		{"Retry-After", "999999999", "130429", 24 * time.Hour},
		{"Retry-After", "soon", "130429", 0},
		{"X-Business-Use-Case-Usage", usage, "80007", 19 * time.Minute},
		{"X-Business-Use-Case-Usage", "odd", "80007", time.Minute},
		{"", "", "131049", 24 * time.Hour},
		{"", "", "131056", 6 * time.Second},
	} {
		c, _ := graph(t, func(w http.ResponseWriter, r *http.Request) {
			if tt.header != "" {
				w.Header().Set(tt.header, tt.value)
			}
			answer(400, `{"error":{"code":`+tt.code+`}}`)(w, r)
		})
		_, err := c.Send(t.Context(), "106", hello)
		var e *Error
		if !errors.As(err, &e) || e.RetryAfter != tt.want {
			t.Errorf("%s %s, code %s: %+v", tt.header, tt.value, tt.code, e)
		}
	}
}

func TestOutcomeOfForeignErrors(t *testing.T) {
	if got := OutcomeOf(io.EOF); got != Unknown {
		t.Errorf("a foreign error is %s", got)
	}
	if got := ClassOf(io.EOF); got != ClassTransient {
		t.Errorf("a foreign error is %s", got)
	}
	if ClassOf(nil) != "" || ClassOf(ErrUntrustedURL) != ClassPermanent {
		t.Error("class of nil or of an untrusted URL")
	}
}

// Ensure that errors in webhooks are read in every shape that was ever seen.
func TestWebhookErrors(t *testing.T) {
	u := mustSplit(t, envelope(`,"errors":[{"code":"131000","title":"t","error_data":{"details":"d"}}]`))[0]
	if e := u.Errors(); len(e) != 1 || e[0].Code != 131000 || e[0].Details != "d" || e[0].Class != ClassTransient {
		t.Errorf("value errors: %+v", e)
	}
	s, err := ParseStatus(Update{Body: []byte(`{"errors":[{"code":131047,"details":"old"},{"code":1,"error_data":"text"},"x"]}`)})
	if err != nil || len(s.Errors) != 2 || s.Errors[0].Details != "old" || s.Errors[1].Details != "text" {
		t.Errorf("status errors: %+v, %v", s.Errors, err)
	}
	// Code 0 is one of Meta's, and stops a number.
	s, err = ParseStatus(Update{Body: []byte(`{"errors":[{"code":0,"title":"t"},{"title":"t"},{"code":"none","title":"t"},{"code":null,"title":"t"}]}`)})
	if err != nil || len(s.Errors) != 4 || s.Errors[0].Class != ClassAccount {
		t.Fatalf("code 0: %+v, %v", s.Errors, err)
	}
	for _, e := range s.Errors[1:] {
		if e.Code != 0 || e.Class == ClassAccount || e.Reason() != "t" {
			t.Errorf("without a code: %+v, %q", e, e.Reason())
		}
	}
}
