package handler

import (
	"context"
	"log/slog"
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

// Meta's categories, and the one of free-form messages, the stricter the later.
const (
	service        = "service"
	authentication = "authentication"
	utility        = "utility"
	marketing      = "marketing"
)

var strictness = []string{service, authentication, utility, marketing}

// stricter returns the one that allows less. One that isn't known counts as the strictest.
func stricter(a, b string) string {
	if i := slices.Index(strictness, a); i >= 0 && i <= slices.Index(strictness, b) {
		return b
	}
	if slices.Contains(strictness, a) {
		return a
	}
	return marketing
}

// Meta says when a template changes, so its list is asked for again then; once an hour in case a webhook got lost.
// Asking is worth a moment, and not more: who doesn't know takes the strictest category.
const (
	askFor     = 2 * time.Second
	listedFor  = time.Hour
	missingFor = time.Minute // between two questions for a template that isn't on the list, or after a failure
)

// lists remembers, in this process, when Meta was last asked for an account's templates.
type lists struct {
	mu    sync.Mutex
	asked map[string]time.Time
}

// mayAsk tells whether it is time to ask Meta again, and notes that it was.
func (l *lists) mayAsk(waba string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.asked[waba]) < missingFor {
		return false
	}
	if l.asked == nil {
		l.asked = map[string]time.Time{}
	}
	l.asked[waba] = now
	return true
}

// templates returns the account's templates: those on the table, or Meta's if these may have changed.
func (a *API) templates(ctx context.Context, waba string, fresh func(store.TemplateList) bool) (store.TemplateList, error) {
	list, err := a.Store.Templates(ctx, waba)
	if err != nil || fresh(list) || a.Graph == nil || !a.lists.mayAsk(waba, a.now()) {
		return list, err
	}
	asking, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	now := a.now()
	all, err := a.Graph.ListTemplates(asking, waba)
	if err != nil {
		slog.WarnContext(ctx, "ask for the templates", "error", redact.Error(err))
		return list, nil
	}
	listed := make([]store.Template, len(all))
	for i, t := range all {
		listed[i] = store.Template{
			Name: t.Name, Language: t.Language, ID: t.ID, Category: t.Category, Status: t.Status, Quality: t.Quality,
			Format: t.Format, Components: t.Components,
		}
	}
	if err := a.Store.PutTemplates(ctx, waba, now, listed); err != nil {
		slog.WarnContext(ctx, "keep the templates", "error", redact.Error(err))
	}
	list.Fetched, list.Templates = now, listed
	return list, nil
}

// current tells whether a list is as Meta has it, as far as anybody knows.
func (a *API) current(l store.TemplateList) bool {
	return !l.Stale() && a.now().Sub(l.Fetched) < listedFor
}

// template checks the parameters against the template as Meta lists it, and returns its category: marketing if Meta
// doesn't list it, which may be too new.
func (a *API) template(ctx context.Context, n chat.NumberID, t template) (category string, err error) {
	number, _, err := a.Store.Health(ctx, n)
	if err != nil || number.WABA == "" {
		return marketing, err
	}
	find := func(l store.TemplateList) int {
		return slices.IndexFunc(l.Templates, func(k store.Template) bool { return k.Name == t.Name && k.Language == t.Language })
	}
	list, err := a.templates(ctx, number.WABA, func(l store.TemplateList) bool { return a.current(l) && find(l) >= 0 })
	if err != nil {
		return "", err
	}
	i := find(list)
	if i < 0 {
		return marketing, nil
	}
	known := list.Templates[i]
	info := whatsapp.TemplateInfo{
		Name: known.Name, Language: known.Language, ID: known.ID, Category: known.Category, Status: known.Status,
		Quality: known.Quality, Format: known.Format, Components: known.Components,
	}
	if err := info.Check(t.Components); err != nil {
		return "", malformed("template", err)
	}
	return strings.ToLower(known.Category), nil
}

type templateView struct {
	Number     chat.NumberID `json:"number"`
	Name       string        `json:"name"`
	Language   string        `json:"language"`
	Category   string        `json:"category,omitempty"`
	Status     string        `json:"status,omitempty"`
	Quality    string        `json:"quality,omitempty"`
	Format     string        `json:"format,omitempty"`
	Components any           `json:"components,omitempty"`
}

// listTemplates shows what can be sent from a number.
func (a *API) listTemplates(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	n, err := a.number(r.Context(), chat.NumberID(q.Get("number")), chat.Contact{})
	if err != nil {
		return err
	}
	number, _, err := a.Store.Health(r.Context(), n)
	if err != nil {
		return err
	}
	if number.WABA == "" {
		return invalid("number", "its WhatsApp business account isn't known before the first webhook")
	}
	list, err := a.templates(r.Context(), number.WABA, a.current)
	if err != nil {
		return err
	}
	views := []templateView{}
	for _, t := range list.Templates {
		if name := q.Get("name"); name == "" || name == t.Name {
			v := templateView{n, t.Name, t.Language, strings.ToLower(t.Category), t.Status, t.Quality, t.Format, nil}
			if t.Components != nil {
				v.Components = t.Components
			}
			views = append(views, v)
		}
	}
	answer := page("templates", views, "")
	if !list.Fetched.IsZero() {
		answer["fetched"] = list.Fetched.UTC()
	}
	return httpapi.JSON(w, http.StatusOK, answer)
}
