package handler

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"threadline/shared/chat"
	"threadline/shared/httpapi"
	"threadline/shared/redact"
	"threadline/shared/store"
	"threadline/shared/whatsapp"
)

// strictness is the categories of messages, the stricter the later.
var strictness = []string{chat.CategoryService, chat.CategoryAuthentication, chat.CategoryUtility, chat.CategoryMarketing}

// stricter returns the one that allows less. One that isn't known counts as the strictest.
func stricter(a, b string) string {
	i, j := slices.Index(strictness, a), slices.Index(strictness, b)
	if i < 0 || j < 0 {
		return chat.CategoryMarketing
	}
	return strictness[max(i, j)]
}

// Meta says when a template changes, so its list is asked for again then; once an hour in case a webhook got lost.
// Asking is worth a moment of a message's time, and not more: who doesn't know takes the strictest category.
const (
	listedFor   = time.Hour
	missingFor  = time.Minute // between two questions for a template that isn't on the list, or after a failure
	askToSend   = 3 * time.Second
	askForLists = 10 * time.Second // an account may have thousands of templates, fifty on a page
)

// lists remembers, in this process, when Meta was last asked for an account's templates, or for one of them.
type lists struct {
	mu    sync.Mutex
	asked map[question]asking
}

// question is what Meta is asked for: all templates of an account, or those with a name.
type question struct{ waba, name string }

// manyQuestions is how many are remembered before the old ones are forgotten.
const manyQuestions = 1000

// asking is a question to Meta: when, and when a template had last changed then, as far as anybody knew.
type asking struct{ at, expired time.Time }

// mayAsk tells whether it is time to ask Meta again for a list, or for the templates with a name, and notes that it was.
// A template that changed since is worth asking at once: once, and once more when the second is over in which it changed,
// for webhooks have no finer time.
func (l *lists) mayAsk(list store.TemplateList, name string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := question{list.WABA, name}
	last, ok := l.asked[q]
	over := list.Expired.Add(time.Second)
	changed := list.Expired.After(last.expired) || last.at.Before(over) && !now.Before(over)
	if ok && !changed && now.Sub(last.at) < missingFor {
		return false
	}
	if l.asked == nil {
		l.asked = map[question]asking{}
	}
	if len(l.asked) >= manyQuestions {
		maps.DeleteFunc(l.asked, func(_ question, a asking) bool { return now.Sub(a.at) >= missingFor })
	}
	l.asked[q] = asking{now, list.Expired}
	return true
}

// current tells whether a list is as Meta has it, as far as anybody knows.
func (a *API) current(l store.TemplateList) bool {
	return !l.Stale() && a.now().Sub(l.Fetched) < listedFor
}

// renew asks Meta for the templates of a list's account and keeps them. ok is false where it isn't time to ask, or Meta
// doesn't say: then what is known has to do.
func (a *API) renew(ctx context.Context, known store.TemplateList) (list store.TemplateList, ok bool) {
	now, waba := a.now(), known.WABA
	if a.Graph == nil || !a.lists.mayAsk(known, "", now) {
		return list, false
	}
	asking, cancel := context.WithTimeout(ctx, askForLists)
	defer cancel()
	all, err := a.Graph.ListTemplates(asking, waba)
	if err != nil {
		slog.WarnContext(ctx, "ask for the templates", "error", redact.Error(err))
		return list, false
	}
	list = store.TemplateList{WABA: waba, Fetched: now, Templates: make([]store.Template, len(all))}
	for i, t := range all {
		list.Templates[i] = kept(t)
	}
	slices.SortFunc(list.Templates, func(a, b store.Template) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Language, b.Language))
	})
	if err := a.Store.PutTemplates(ctx, waba, now, list.Templates); err != nil {
		slog.WarnContext(ctx, "keep the templates", "error", redact.Error(err))
	}
	return list, true
}

// renewOne asks Meta for one template of a list's account and keeps it. found is false where Meta doesn't list it. ok is
// as in renew.
func (a *API) renewOne(ctx context.Context, known store.TemplateList, t template) (one store.Template, found, ok bool) {
	now := a.now()
	if a.Graph == nil || !a.lists.mayAsk(known, t.Name, now) {
		return one, false, false
	}
	asking, cancel := context.WithTimeout(ctx, askToSend)
	defer cancel()
	named, err := a.Graph.Templates(asking, known.WABA, t.Name)
	if err != nil {
		slog.WarnContext(ctx, "ask for a template", "error", redact.Error(err))
		return one, false, false
	}
	i := slices.IndexFunc(named, func(n whatsapp.TemplateInfo) bool { return n.Language == t.Language })
	if i < 0 {
		return one, false, true
	}
	one = kept(named[i])
	if err := a.Store.PutTemplate(ctx, known.WABA, now, one); err != nil {
		slog.WarnContext(ctx, "keep a template", "error", redact.Error(err))
	}
	return one, true, true
}

// kept is what is stored of a template.
func kept(t whatsapp.TemplateInfo) store.Template {
	return store.Template{
		Name: t.Name, Language: t.Language, ID: t.ID, Category: t.Category, Status: t.Status, Quality: t.Quality,
		Format: t.Format, Components: t.Components,
	}
}

// template checks the parameters against the template as Meta lists it, and returns that: nothing but the name if Meta
// doesn't list it, which may be too new, and no category if what is known of it may no longer be so.
func (a *API) template(ctx context.Context, n chat.NumberID, t template) (info whatsapp.TemplateInfo, err error) {
	info.Name = t.Name
	waba, err := a.Store.AccountOf(ctx, n)
	if err != nil || waba == "" {
		return info, err
	}
	known, list, found, err := a.Store.Template(ctx, waba, t.Name, t.Language)
	if err != nil {
		return info, err
	}
	doubtful := list.Stale()
	if !found || !a.current(list) {
		if one, listed, ok := a.renewOne(ctx, list, t); ok {
			known, found, doubtful = one, listed, false
		}
	}
	if !found {
		return info, nil
	}
	info = whatsapp.TemplateInfo{
		Name: known.Name, Language: known.Language, ID: known.ID, Category: known.Category, Status: known.Status,
		Quality: known.Quality, Format: known.Format, Components: known.Components,
	}
	if doubtful && !strings.EqualFold(info.Category, chat.CategoryAuthentication) { // those have Meta's words, and no promotion among them
		info.Category = ""
	}
	if err := info.Check(t.Components); err != nil {
		return info, malformed("template", chat.KindTemplate, err)
	}
	return info, nil
}

type templateView struct {
	Number     chat.NumberID   `json:"number"`
	Name       string          `json:"name"`
	Language   string          `json:"language"`
	Category   string          `json:"category,omitempty"`
	Status     string          `json:"status,omitempty"`
	Quality    string          `json:"quality,omitempty"`
	Format     string          `json:"format,omitempty"`
	Components json.RawMessage `json:"components,omitempty"`
	Said       *saidView       `json:"said,omitempty"`
}

// saidView is the newest word of a webhook on a template.
type saidView struct {
	Event string    `json:"event"`
	Why   string    `json:"why,omitempty"`
	At    time.Time `json:"at"`
}

// listTemplates shows what can be sent from a number.
func (a *API) listTemplates(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	n, err := a.number(r.Context(), chat.NumberID(q.Get("number")), nil)
	if err != nil {
		return err
	}
	waba, err := a.Store.AccountOf(r.Context(), n)
	if err != nil {
		return err
	}
	if waba == "" {
		return invalid("number", "its WhatsApp business account isn't known before the first webhook")
	}
	list, err := a.Store.Templates(r.Context(), waba)
	if err != nil {
		return err
	}
	if !a.current(list) {
		if renewed, ok := a.renew(r.Context(), list); ok {
			list = renewed
		}
	}
	views := []templateView{}
	for _, t := range list.Templates {
		if name := q.Get("name"); name == "" || name == t.Name {
			views = append(views, viewTemplate(n, t))
		}
	}
	answer := page("templates", views, "")
	if !list.Fetched.IsZero() {
		answer["fetched"] = list.Fetched.UTC()
	}
	return httpapi.JSON(w, http.StatusOK, answer)
}

func viewTemplate(n chat.NumberID, t store.Template) templateView {
	v := templateView{n, t.Name, t.Language, strings.ToLower(t.Category), t.Status, t.Quality, t.Format, t.Components, nil}
	if s := t.Said; s != nil {
		v.Said = &saidView{s.Event, s.Why, s.Stamp.At}
	}
	return v
}
