package handler

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"threadline/shared/chat"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

const waba = "waba"

// seeAccount makes our number known as one of an account's.
func (r *rig) seeAccount() {
	r.Helper()
	if _, err := r.store.SeeNumber(r.Context(), store.Number{ID: ourNumber, WABA: waba, Seen: chat.Stamp{At: noon, ID: "1"}}); err != nil {
		r.Fatal(err)
	}
}

// wantAsked fails the test unless Meta was asked so often.
func (r *rig) wantAsked(n int, why string) {
	r.Helper()
	if len(r.meta.asked) != n {
		r.Errorf("%s: asked for %v, want %d times", why, r.meta.asked, n)
	}
}

func listed(name, language, category, components string) whatsapp.TemplateInfo {
	return whatsapp.TemplateInfo{
		ID: "1", Name: name, Language: language, Category: category, Status: "APPROVED", Quality: "GREEN", Format: "POSITIONAL",
		Components: json.RawMessage(components),
	}
}

const order = `{"to":"+34600111222","template":{"name":"order","language":"es"}}`

func TestATemplateHasItsOwnCategory(t *testing.T) {
	for _, c := range []struct {
		name, request string
		own           string // what Meta says; "down": it says nothing
		want          string
		life          time.Duration
	}{
		{"its own", order, "UTILITY", "utility", templateLife},
		{"a one-time code", order, "AUTHENTICATION", "authentication", codeLife},
		{"made stricter", order[:len(order)-1] + `,"category":"marketing"}`, "UTILITY", "marketing", templateLife},
		{"not made less strict", order[:len(order)-1] + `,"category":"utility"}`, "MARKETING", "marketing", templateLife},
		{"in another language", strings.ReplaceAll(order, `"es"`, `"pt"`), "UTILITY", "marketing", templateLife},
		{"of a kind that nobody knows", order, "SURPRISE", "marketing", templateLife},
		{"Meta is down", order, "down", "marketing", templateLife},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.seeAccount()
			r.meta.templates = []whatsapp.TemplateInfo{listed("order", "es", c.own, `[]`)}
			if c.own == "down" {
				r.meta.err = errors.New("down")
			}
			for range 2 {
				r.post(c.request).sent()
				if m := r.last(); m.Send.Category != c.want || !m.Send.Expires.Equal(r.now.Add(c.life)) {
					t.Errorf("%s until %s", m.Send.Category, m.Send.Expires)
				}
			}
			r.wantAsked(1, "twice in a moment")
		})
	}
}

func TestTemplatesAreAskedForAgain(t *testing.T) {
	r := newRig(t)
	r.seeAccount()
	r.meta.templates = []whatsapp.TemplateInfo{listed("order", "es", "UTILITY", `[]`)}
	category := func(want string) {
		t.Helper()
		if r.post(order).sent(); r.last().Send.Category != want {
			t.Errorf("it counts as %s, want %s", r.last().Send.Category, want)
		}
	}
	category("utility")
	r.now = noon.Add(listedFor - time.Second)
	category("utility")
	r.wantAsked(1, "within the hour")

	r.meta.templates[0].Category = "MARKETING"
	if err := r.store.ExpireTemplates(t.Context(), waba, r.now); err != nil {
		t.Fatal(err)
	}
	r.now = r.now.Add(2 * time.Second)
	category("marketing")
	r.wantAsked(2, "after a webhook")

	r.meta.templates[0].Category = "UTILITY"
	r.now = r.now.Add(listedFor)
	r.meta.err = errors.New("down")
	category("marketing")
	r.wantAsked(3, "an hour later, Meta is down")
	r.now = r.now.Add(missingFor - time.Second)
	category("marketing")
	r.wantAsked(3, "within a minute of that")
	r.meta.err = nil
	r.now = r.now.Add(time.Second)
	category("utility")
	r.wantAsked(4, "a minute later")

	fresh := newRig(t) // another process, with the same table
	fresh.api.Store, fresh.now = r.store, r.now
	fresh.post(order).sent()
	if fresh.wantAsked(0, "another process"); fresh.last().Send.Category != "utility" {
		t.Errorf("another process: %s", fresh.last().Send.Category)
	}
}

// A template that is known to have changed, in a way that can't be found out, counts as marketing: the customer's word
// isn't to be passed over. A one-time code stays one.
func TestAnOutdatedCategoryDecidesNothing(t *testing.T) {
	for known, want := range map[string]string{"UTILITY": chat.CategoryMarketing, "MARKETING": chat.CategoryMarketing, "AUTHENTICATION": chat.CategoryAuthentication} {
		r := newRig(t)
		r.seeAccount()
		r.meta.templates = []whatsapp.TemplateInfo{listed("order", "es", known, `[]`)}
		r.post(order).sent()
		if err := r.store.ExpireTemplates(t.Context(), waba, r.now.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		r.meta.err = errors.New("down")
		for _, later := range []time.Duration{2 * time.Minute, 3 * time.Hour, 72 * time.Hour} {
			r.now = noon.Add(later)
			for range 2 {
				if r.post(order).sent(); r.last().Send.Category != want {
					t.Errorf("%s, %v later: it counts as %s", known, later, r.last().Send.Category)
				}
			}
		}
		r.meta.err = nil
		r.now = r.now.Add(missingFor)
		if r.post(order).sent(); r.last().Send.Category != strings.ToLower(known) {
			t.Errorf("%s, asked again: it counts as %s", known, r.last().Send.Category)
		}
	}
}

// To send, one template is asked for, however many there are.
func TestToSendOneTemplateIsAskedFor(t *testing.T) {
	r := newRig(t)
	r.seeAccount()
	r.meta.templates = []whatsapp.TemplateInfo{listed("order", "es", "UTILITY", `[]`), listed("bill", "es", "UTILITY", `[]`)}
	for _, name := range []string{"order", "order", "bill"} {
		if r.post(strings.ReplaceAll(order, `"order"`, `"`+name+`"`)).sent(); r.last().Send.Category != chat.CategoryUtility {
			t.Errorf("%s counts as %s", name, r.last().Send.Category)
		}
	}
	if want := []string{"templates order of waba", "templates bill of waba"}; !slices.Equal(r.meta.asked, want) {
		t.Errorf("asked for %q", r.meta.asked)
	}
	if got := r.templates("").Templates; len(got) != 2 {
		t.Errorf("the list is %+v", got)
	}
}

// Old questions are forgotten, whatever the names that people send.
func TestQuestionsAreForgotten(t *testing.T) {
	var l lists
	for i := range 5 * manyQuestions {
		l.mayAsk(store.TemplateList{WABA: waba}, strconv.Itoa(i), noon.Add(time.Duration(i)*missingFor/manyQuestions))
	}
	if len(l.asked) > 2*manyQuestions {
		t.Errorf("%d are remembered", len(l.asked))
	}
}

// A webhook is worth a question at once, however short the last one is ago, and one more when its second is over.
func TestAWebhookIsWorthAQuestion(t *testing.T) {
	r := newRig(t)
	r.seeAccount()
	ask := func(n int, why string) {
		t.Helper()
		for range 3 { // and no more
			r.templates("")
		}
		r.wantAsked(n, why)
	}
	expire := func(at time.Time) {
		t.Helper()
		if err := r.store.ExpireTemplates(t.Context(), waba, at); err != nil {
			t.Fatal(err)
		}
	}
	r.now = noon.Add(100 * time.Millisecond)
	ask(1, "the first")
	expire(noon)
	r.now = noon.Add(300 * time.Millisecond)
	ask(2, "a template changed in the same second")
	r.now = noon.Add(time.Second)
	ask(3, "the second is over")
	r.now = noon.Add(10 * time.Second)
	ask(3, "nothing changed")
	expire(noon.Add(12 * time.Second)) // Meta's clock is ahead
	ask(4, "a webhook of the future")
	r.now = noon.Add(12500 * time.Millisecond)
	ask(4, "within its second")
	r.now = noon.Add(13 * time.Second)
	ask(5, "after it")

	r.meta.err = errors.New("down")
	expire(noon.Add(20 * time.Second))
	r.now = noon.Add(21 * time.Second)
	ask(6, "Meta is down")
	r.now = noon.Add(22 * time.Second)
	ask(6, "Meta is still down")
}

// What a webhook said of a template is shown with it, from Meta's list and from ours.
func TestWhatIsSaidOfATemplate(t *testing.T) {
	r := newRig(t)
	r.seeAccount()
	r.meta.templates = []whatsapp.TemplateInfo{listed("bill", "es", "UTILITY", `[]`), listed("order", "es", "UTILITY", `[]`)}
	err := r.store.TemplateSaid(t.Context(), waba, "order", "es", store.TemplateWord{Event: "PAUSED", Why: "quality", Stamp: chat.Stamp{At: noon}})
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{"Meta's list", "ours"} {
		got := r.templates("").Templates
		if len(got) != 2 || got[0].Said != nil || got[1].Said == nil || *got[1].Said != (saidView{"PAUSED", "quality", noon}) {
			t.Errorf("%s: %+v", from, got)
		}
	}
	r.wantAsked(1, "twice in a moment")
}

// A template that isn't on the list may be newer than the list.
func TestNewTemplate(t *testing.T) {
	r := newRig(t)
	r.seeAccount()
	r.post(order).sent()
	r.meta.templates = []whatsapp.TemplateInfo{listed("order", "es", "UTILITY", `[]`)}
	r.now = noon.Add(missingFor)
	if r.post(order).sent(); r.last().Send.Category != "utility" {
		t.Errorf("a minute later it counts as %s", r.last().Send.Category)
	}
	r.wantAsked(2, "")
}

// Where nobody knows the account there is nothing to ask for, nor where nobody asks.
func TestTemplateOfAnUnknownAccount(t *testing.T) {
	r := newRig(t)
	if r.post(order).sent(); r.last().Send.Category != "marketing" {
		t.Error(r.last().Send.Category)
	}
	r.wantAsked(0, "")
	r.seeAccount()
	r.api.Graph = nil
	if r.post(order).sent(); r.last().Send.Category != "marketing" {
		t.Error(r.last().Send.Category)
	}
}

func TestTemplateParameters(t *testing.T) {
	const components = `[{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"Hi {{1}}, order {{2}}"},
		{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Thanks"},{"type":"URL","text":"Track","url":"https://a.example/{{1}}"}]}]`
	const image = `{"type":"header","parameters":[{"type":"image","image":{"id":"77"}}]}`
	const body = `{"type":"body","parameters":[{"type":"text","text":"Bo"},{"type":"text","text":"7"}]}`
	const track = `{"type":"button","sub_type":"url","index":"1","parameters":[{"type":"text","text":"7"}]}`
	for _, c := range []struct{ components, says string }{
		{image + `,` + body + `,` + track, ``},
		{``, `template.components: no header of type image, which the template needs`},
		{`{"type":"header","parameters":[{"type":"video","video":{"id":"77"}}]},` + body + `,` + track,
			`template.components[0].parameters[0].type: the template's header is of type image`},
		{image + `,{"type":"body","parameters":[{"type":"text","text":"Bo"}]},` + track,
			`template.components[1].parameters: 1 given, the template has 2: {{1}} {{2}}`},
		{image + `,{"type":"body","parameters":[{"type":"text","text":"Bo"},{"type":"text","text":"a\nb"}]},` + track,
			`template.components[1].parameters[1].text: has a line break`},
		{image + `,{"type":"body","parameters":[{"type":"text","text":"Bo"},{"type":"text","text":"` + strings.Repeat("x", 1020) + `"}]},` + track,
			`template.components[1]: 1033 characters when filled in, at most 1024`},
		{image + `,` + body, `template.components: no button 1, which the template needs`},
		{image + `,` + body + `,` + strings.ReplaceAll(track, `"1"`, `"0"`), `template.components`},
	} {
		r := newRig(t)
		r.seeAccount()
		r.meta.templates = []whatsapp.TemplateInfo{listed("order", "es", "UTILITY", components)}
		a := r.post(`{"to":"+34600111222","template":{"name":"order","language":"es","components":[` + c.components + `]}}`)
		if c.says == "" {
			a.sent()
			continue
		}
		a.refused(http.StatusBadRequest, "invalid", c.says)
		if len(r.queue.entries) > 0 {
			t.Errorf("%s is queued", c.components)
		}
	}
}

// A template that was sent reads as the customer reads it, without a one-time code.
func TestWhatATemplateSays(t *testing.T) {
	const body = `[{"type":"BODY","text":"Hi {{1}}, order {{2}}"},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Thanks"}]}]`
	const request = `{"to":"+34600111222","template":{"name":"order","language":"es","components":[
		{"type":"body","parameters":[{"type":"text","text":"Bo"},{"type":"text","text":"7"}]}]}}`
	for _, c := range []struct {
		name, category, request, want string
		listed                        bool
	}{
		{"known", "UTILITY", request, "Hi Bo, order 7\n[Thanks]", true},
		{"unknown", "", request, "Template order\nBo\n7", false},
		{"a one-time code", "AUTHENTICATION", request, "Hi …, order …\n[Thanks]", true},
		{"an unknown one-time code", "", request[:len(request)-1] + `,"category":"authentication"}`, "Template order", false},
	} {
		r := newRig(t)
		r.seeAccount()
		if c.listed {
			r.meta.templates = []whatsapp.TemplateInfo{listed("order", "es", c.category, body)}
		}
		id := r.post(c.request).sent()
		if m := r.last(); m.Text != c.want {
			t.Errorf("%s: queued as %q, want %q", c.name, m.Text, c.want)
		}
		if v := r.shown(string(id)); v.Text != c.want || v.Content == nil {
			t.Errorf("%s: shown as %q with %s", c.name, v.Text, v.Content)
		}
	}
}

// What Meta doesn't list isn't known to be wrong.
func TestParametersOfAnUnknownTemplate(t *testing.T) {
	r := newRig(t)
	r.seeAccount()
	r.meta.templates = []whatsapp.TemplateInfo{listed("order", "en", "UTILITY", `[]`)}
	r.post(`{"to":"+34600111222","template":{"name":"order","language":"es","components":[{"type":"body","parameters":[{"type":"text","text":"a"}]}]}}`).sent()
}

// What a send costs doesn't depend on how many templates there are.
func TestATemplateIsLookedUpAlone(t *testing.T) {
	calls := func(templates int) int {
		m := store.NewMeter(store.NewMemory())
		r := newRig(t)
		r.db.API = m
		r.seeAccount()
		r.receive("w1", chat.Seen{Phone: ana}, nil)
		for i := range templates {
			r.meta.templates = append(r.meta.templates, listed("order", "x"+string(rune('a'+i/26))+string(rune('a'+i%26)), "UTILITY", `[]`))
		}
		r.meta.templates = append(r.meta.templates, listed("order", "es", "UTILITY", `[]`))
		r.post(order).sent()
		before := m.Cost()
		r.post(order).sent()
		c := m.Cost().Less(before)
		return c.Calls*1000 + c.Read
	}
	if few, many := calls(1), calls(250); few != many {
		t.Errorf("calls and items read: %d among few, %d among many", few, many)
	}
}

type templatesAnswer struct {
	Templates []templateView
	Fetched   *time.Time
}

func (r *rig) templates(query string) templatesAnswer {
	r.Helper()
	var out templatesAnswer
	r.get("/api/v1/templates"+query).want(http.StatusOK, &out)
	return out
}

func TestTemplates(t *testing.T) {
	r := newRig(t)
	r.get("/api/v1/templates").refused(http.StatusBadRequest, "invalid", "isn't known before the first webhook")
	r.get("/api/v1/templates?number=999").refused(http.StatusBadRequest, "invalid", "this installation doesn't send from")
	r.seeAccount()

	r.meta.err = errors.New("down")
	if got := r.templates(""); len(got.Templates) > 0 || got.Fetched != nil {
		t.Errorf("before Meta said anything: %+v", got)
	}
	r.meta.err = nil
	r.now = noon.Add(missingFor)
	r.meta.templates = []whatsapp.TemplateInfo{
		listed("order", "es", "UTILITY", `[{"type":"BODY","text":"Hola {{1}}"}]`), listed("order", "en", "UTILITY", `[]`),
		{Name: "bare", Language: "es"},
	}
	want := []string{"bare/es", "order/en", "order/es"}
	for _, when := range []string{"asked", "kept"} {
		got := r.templates("")
		var names []string
		for _, v := range got.Templates {
			names = append(names, v.Name+"/"+v.Language)
		}
		if !slices.Equal(names, want) || got.Fetched == nil || !got.Fetched.Equal(noon.Add(missingFor)) {
			t.Errorf("%s: %v at %v", when, names, got.Fetched)
		}
		v := got.Templates[2]
		if v.Number != ourNumber || v.Category != "utility" || v.Status != "APPROVED" || v.Quality != "GREEN" || v.Format != "POSITIONAL" ||
			!sameJSON(t, v.Components, []byte(`[{"type":"BODY","text":"Hola {{1}}"}]`)) {
			t.Errorf("%s: %+v", when, v)
		}
	}
	r.wantAsked(2, "")
	if got := r.templates("?number=100&name=bare"); len(got.Templates) != 1 || got.Templates[0].Name != "bare" {
		t.Errorf("by name: %+v", got)
	}
	r.now = r.now.Add(listedFor)
	r.meta.err = errors.New("down")
	if got := r.templates(""); len(got.Templates) != 3 || !got.Fetched.Equal(noon.Add(missingFor)) {
		t.Errorf("Meta is down: %+v", got)
	}
}
