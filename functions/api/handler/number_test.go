package handler

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

func (r *rig) numbers() []numberView {
	r.Helper()
	var out struct{ Numbers []numberView }
	r.get("/api/v1/numbers").want(http.StatusOK, &out)
	return out.Numbers
}

// number returns the only one that there is.
func (r *rig) number() numberView {
	r.Helper()
	all := r.numbers()
	if len(all) != 1 || all[0].ID != ourNumber {
		r.Fatalf("numbers %+v", all)
	}
	return all[0]
}

// learn notes what Meta's webhooks said of our number and its account.
func (r *rig) learn(number, account map[string]chat.Fact) {
	r.Helper()
	if _, _, err := r.store.LearnNumber(r.Context(), ourNumber, waba, number); err != nil {
		r.Fatal(err)
	}
	if _, _, err := r.store.LearnAccount(r.Context(), waba, account); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) fact(value string) chat.Fact {
	return chat.Fact{Value: value, Stamp: chat.Stamp{At: r.now, ID: "webhook"}}
}

func TestNumbersWithoutMeta(t *testing.T) {
	r := newRig(t)
	r.meta.err = errors.New("down")
	if n := r.number(); n.Display != "" || n.Account != "" || n.Sending != (sendingView{Answers: true, Templates: true}) || len(n.Facts) > 0 {
		t.Errorf("nothing is known, and it is %+v", n)
	}
	if seen, err := r.store.Numbers(t.Context()); err != nil || len(seen) > 0 {
		t.Errorf("asking for a number made it known: %v, %v", seen, err)
	}
	r.api.Graph = nil
	r.api.Numbers = nil
	if all := r.numbers(); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

func TestWhatMetaSaysOfANumber(t *testing.T) {
	r := newRig(t)
	r.api.Numbers = []string{"100", "200"}
	if _, err := r.store.SeeNumber(t.Context(), store.Number{ID: "300", Display: "15550100003", WABA: waba, Seen: chat.Stamp{At: noon, ID: "1"}}); err != nil {
		t.Fatal(err)
	}
	r.meta.numbers = map[string]whatsapp.NumberInfo{
		"100": {Status: "CONNECTED", Quality: "GREEN", VerifiedName: "Shop", NameStatus: "APPROVED", Throughput: "HIGH", MessagingLimit: "TIER_2K", CanSend: "AVAILABLE"},
		"200": {CanSend: "BLOCKED"},
	}
	all := r.numbers()
	if len(all) != 3 || all[0].ID != "100" || all[1].ID != "200" || all[2].ID != "300" || all[2].Display != "15550100003" || all[2].Account != waba {
		t.Fatalf("%+v", all)
	}
	for name, want := range map[string]string{
		chat.FactStatus: "CONNECTED", chat.FactQuality: "GREEN", chat.FactName: "Shop", chat.FactThroughput: "HIGH",
		chat.FactLimit: "TIER_2K", chat.FactHealth: "AVAILABLE", chat.FactToken: "ok",
	} {
		if f := all[0].Facts[name]; f.Value != want || !f.At.Equal(noon) {
			t.Errorf("%s is %+v", name, f)
		}
	}
	if f := all[0].Facts[chat.FactName]; f.Why != "APPROVED" {
		t.Errorf("the name's review: %+v", f)
	}
	if s := all[1].Sending; s.Answers || s.Templates || s.Why != chat.FactHealth || s.Until == nil || !s.Until.Equal(noon.Add(pollHolds)) {
		t.Errorf("a blocked number: %+v", s)
	}
	r.wantAsked(3, "all of them")
}

func TestMetaIsAskedEveryTenMinutes(t *testing.T) {
	r := newRig(t)
	quality := func(want string, asked int) {
		t.Helper()
		if n := r.number(); n.Facts[chat.FactQuality].Value != want {
			t.Errorf("quality %+v, want %s", n.Facts[chat.FactQuality], want)
		}
		r.wantAsked(asked, want)
	}
	r.meta.numbers = map[string]whatsapp.NumberInfo{"100": {Quality: "GREEN"}}
	quality("GREEN", 1)
	r.meta.numbers["100"] = whatsapp.NumberInfo{Quality: "RED"}
	r.now = noon.Add(pollEvery - time.Second)
	quality("GREEN", 1)
	r.now = noon.Add(pollEvery)
	quality("RED", 2)
	r.meta.err = errors.New("down")
	r.now = r.now.Add(pollEvery)
	quality("RED", 3)
	r.now = r.now.Add(time.Minute)
	quality("RED", 3)
}

// What Meta tells within the second in which it is asked is newer, though its times are whole seconds.
func TestAnEventBeatsThePollOfItsSecond(t *testing.T) {
	r := newRig(t)
	r.now = noon.Add(700 * time.Millisecond)
	r.meta.numbers = map[string]whatsapp.NumberInfo{"100": {Quality: "GREEN"}}
	r.number()
	r.learn(map[string]chat.Fact{chat.FactQuality: {Value: "RED", Stamp: chat.Stamp{At: noon, ID: "0a"}}}, nil)
	if n := r.number(); n.Facts[chat.FactQuality].Value != "RED" {
		t.Errorf("%+v", n.Facts)
	}
}

// A queued message says for which fact of its number it waits, where it does.
func TestWhatAMessageWaitsFor(t *testing.T) {
	r := newRig(t)
	answer := r.post(text).sent()
	template := r.post(`{"to":"+34600111222","template":{"name":"hello","language":"en"}}`).sent()
	waits := func(wantAnswer, wantTemplate string) {
		t.Helper()
		for id, want := range map[chat.MessageID]string{answer: wantAnswer, template: wantTemplate} {
			var m messageView
			if r.get("/api/v1/messages/"+string(id)).want(http.StatusOK, &m); m.WaitingFor != want {
				t.Errorf("%s waits for %q, want %q", m.Kind, m.WaitingFor, want)
			}
		}
	}
	waits("", "")
	restricted := "restriction:RESTRICTED_BIZ_INITIATED_MESSAGING"
	r.learn(map[string]chat.Fact{restricted: r.fact("on")}, nil)
	waits("", restricted)
	r.learn(map[string]chat.Fact{chat.FactToken: {Value: "190", Stamp: chat.Stamp{At: r.now, ID: "1"}}}, nil)
	waits(chat.FactToken, chat.FactToken)
}

// What one answer of Meta's said stops no message for ever: perhaps nobody asks again.
func TestAnAnswerOfMetaHoldsForAWhile(t *testing.T) {
	r := newRig(t)
	r.meta.numbers = map[string]whatsapp.NumberInfo{"100": {Status: "BANNED", CanSend: "BLOCKED"}}
	if n := r.number(); n.Sending.Answers || n.Sending.Why != chat.FactStatus {
		t.Errorf("%+v", n.Sending)
	}
	n, account, err := r.store.Health(t.Context(), ourNumber)
	if err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]bool{pollHolds - time.Second: false, pollHolds: true} {
		if c := n.Facts.Clearance(account.Facts, noon.Add(after)); c.Answers != want || c.Templates != want {
			t.Errorf("%v later: %+v", after, c)
		}
	}
}

func TestTokenThatMetaRefuses(t *testing.T) {
	r := newRig(t)
	r.meta.err = &whatsapp.Error{Code: tokenInvalid}
	n := r.number()
	if f := n.Facts[chat.FactToken]; f.Value != "190" || f.Why == "" {
		t.Errorf("token %+v", f)
	}
	if n.Sending != (sendingView{Why: chat.FactToken}) {
		t.Errorf("%+v", n.Sending)
	}
	r.meta.err = &whatsapp.Error{Code: 4} // too many calls says nothing about the token
	r.now = noon.Add(pollEvery)
	if n := r.number(); n.Facts[chat.FactToken].Value != "190" {
		t.Errorf("token %+v", n.Facts[chat.FactToken])
	}
	r.meta.err = nil
	r.now = r.now.Add(pollEvery)
	if n := r.number(); n.Facts[chat.FactToken].Value != "ok" || !n.Sending.Answers || n.Sending.Why != "" {
		t.Errorf("a new token: %+v", n)
	}
}

// That Meta tells of a number shows that the token works, and not that the account may send.
func TestRefusalsThatAPollLifts(t *testing.T) {
	for code, lifted := range map[string]bool{
		"190": true, "0": true, "3": true, "10": true, "200": true, "299": true,
		"131042": false, "131031": false, "368": false, "131037": false, "133010": false,
	} {
		r := newRig(t)
		r.meta.numbers = map[string]whatsapp.NumberInfo{"100": {Status: "CONNECTED", CanSend: "AVAILABLE"}}
		token := r.fact(code)
		token.Why = "Meta's words"
		r.learn(map[string]chat.Fact{chat.FactToken: token}, nil)
		r.now = noon.Add(pollEvery)
		n := r.number()
		f := n.Facts[chat.FactToken]
		if lifted && (f.Value != chat.TokenWorks || !n.Sending.Answers) {
			t.Errorf("%s: %+v, %+v", code, f, n.Sending)
		}
		if !lifted && (f.Value != code || f.Why != token.Why || n.Sending != (sendingView{Answers: code == "131042", Why: chat.FactToken}) || n.Facts[chat.FactStatus].Value != "CONNECTED") {
			t.Errorf("%s: %+v, %+v", code, f, n.Sending)
		}
	}
}

func TestWhatStopsANumber(t *testing.T) {
	const restricted = chat.FactRestriction + ":RESTRICTED_BIZ_INITIATED_MESSAGING"
	for _, c := range []struct {
		name            string
		number, account map[string]chat.Fact
		want            sendingView
	}{
		{"nothing", nil, nil, sendingView{Answers: true, Templates: true}},
		{"a restriction", nil, map[string]chat.Fact{restricted: {Value: "on"}}, sendingView{Answers: true, Why: restricted}},
		{"a ban", nil, map[string]chat.Fact{chat.FactBan: {Value: "DISABLE"}}, sendingView{Why: chat.FactBan}},
		{"its own status", map[string]chat.Fact{chat.FactStatus: {Value: "DISCONNECTED"}}, nil, sendingView{Why: chat.FactStatus}},
		{"a restriction and the token", map[string]chat.Fact{chat.FactToken: {Value: "190"}}, map[string]chat.Fact{restricted: {Value: "on"}}, sendingView{Why: chat.FactToken}},
		{"a ban and the token", map[string]chat.Fact{chat.FactToken: {Value: "190"}}, map[string]chat.Fact{chat.FactBan: {Value: "DISABLE"}}, sendingView{Why: chat.FactBan}},
	} {
		r := newRig(t)
		r.meta.err = errors.New("down")
		for _, facts := range []map[string]chat.Fact{c.number, c.account} {
			for name, f := range facts {
				f.Stamp = chat.Stamp{At: noon, ID: "webhook"}
				facts[name] = f
			}
		}
		r.learn(c.number, c.account)
		if n := r.number(); n.Sending != c.want || n.Account != waba {
			t.Errorf("%s: %+v", c.name, n)
		}
	}
}

// A number is shown with its account's facts; of a fact about both, its own.
func TestFactsOfNumberAndAccount(t *testing.T) {
	r := newRig(t)
	r.meta.err = errors.New("down")
	until := noon.Add(time.Hour)
	limit := r.fact("TIER_2K")
	limit.Until, limit.Why = until, "low quality"
	r.learn(map[string]chat.Fact{chat.FactQuality: r.fact("RED")},
		map[string]chat.Fact{chat.FactReview: r.fact("APPROVED"), chat.FactQuality: r.fact("GREEN"), chat.FactLimit: limit})
	n := r.number()
	if len(n.Facts) != 3 || n.Facts[chat.FactQuality].Value != "RED" || n.Facts[chat.FactReview].Value != "APPROVED" {
		t.Errorf("%+v", n.Facts)
	}
	if f := n.Facts[chat.FactLimit]; f.Why != "low quality" || f.Until == nil || !f.Until.Equal(until) || !f.At.Equal(noon) {
		t.Errorf("%+v", f)
	}
}
