package handler

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"threadline/shared/chat"
	"threadline/shared/redact"
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

// Meta says what category a template has. Asking is worth a moment, and not more: who doesn't know takes the strictest.
const (
	askFor     = 2 * time.Second
	knownFor   = 10 * time.Minute
	unknownFor = time.Minute
)

// categories remembers what Meta said of templates.
type categories struct {
	mu    sync.Mutex
	known map[[3]string]said // by number, name and language
}

type said struct {
	category string
	until    time.Time
}

// templateCategory returns a template's own category as Meta lists it, and marketing if that can't be found out.
func (a *API) templateCategory(ctx context.Context, n chat.NumberID, t template) string {
	id := [3]string{string(n), t.Name, t.Language}
	a.categories.mu.Lock()
	defer a.categories.mu.Unlock() // one question at a time: the others will know the answer
	if s, ok := a.categories.known[id]; ok && a.now().Before(s.until) {
		return s.category
	}
	s := said{marketing, a.now().Add(unknownFor)}
	own, err := a.askCategory(ctx, n, t)
	if err != nil {
		slog.WarnContext(ctx, "ask for a template's category", "error", redact.Error(err))
	}
	if slices.Contains(strictness, own) {
		s = said{own, a.now().Add(knownFor)}
	}
	if a.categories.known == nil {
		a.categories.known = map[[3]string]said{}
	}
	a.categories.known[id] = s
	return s.category
}

// askCategory is empty when Meta doesn't list the template.
func (a *API) askCategory(ctx context.Context, n chat.NumberID, t template) (string, error) {
	if a.Templates == nil {
		return "", nil
	}
	numbers, err := a.Store.Numbers(ctx)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	for _, number := range numbers {
		if number.ID != n || number.WABA == "" {
			continue
		}
		listed, err := a.Templates(ctx, number.WABA, t.Name)
		if err != nil {
			return "", err
		}
		for _, l := range listed {
			if l.Language == t.Language {
				return strings.ToLower(l.Category), nil
			}
		}
	}
	return "", nil
}

// Templates lists the templates of that name in an account; (*whatsapp.Client).Templates does.
type Templates func(ctx context.Context, waba, name string) ([]whatsapp.TemplateInfo, error)
