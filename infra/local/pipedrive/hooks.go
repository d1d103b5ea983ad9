package pipedrive

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// hook is a webhook.
type hook struct {
	ID       int64      `json:"id"`
	URL      string     `json:"url"`
	Action   string     `json:"action"`
	Object   string     `json:"object"`
	Name     string     `json:"name"`
	User     string     `json:"user,omitempty"`
	Password string     `json:"password,omitempty"`
	Added    time.Time  `json:"added"`
	Removed  *time.Time `json:"removed,omitempty"`
	Why      string     `json:"why,omitempty"`

	Delivered time.Time `json:"delivered,omitzero"` // the last time that one was
}

// maxHooks is how many webhooks a user may have. https://pipedrive.readme.io/docs/guide-for-webhooks-v2
const maxHooks = 40

var (
	hookActions = []string{"create", "change", "delete", "*"}
	hookObjects = []string{"activity", "deal", "lead", "note", "organization", "person", "pipeline", "product", "stage", "user", "*"}
)

func (s *Simulator) postHook(r *http.Request) (answer, error) {
	var b struct {
		URL      string  `json:"subscription_url"`
		Action   string  `json:"event_action"`
		Object   string  `json:"event_object"`
		Name     string  `json:"name"`
		UserID   *int    `json:"user_id"`
		User     *string `json:"http_auth_user"`
		Password *string `json:"http_auth_password"`
		Version  string  `json:"version"`
	}
	if err := decode(r, &b); err != nil {
		return answer{}, err
	}
	u, err := url.Parse(b.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.HasSuffix(u.Hostname(), "pipedrive.com"):
		return answer{}, invalid("subscription_url is not a valid URL")
	case !slices.Contains(hookActions, b.Action) || !slices.Contains(hookObjects, b.Object):
		return answer{}, invalid("event_action or event_object is invalid")
	case b.Name == "" || utf8.RuneCountInString(b.Name) > 255:
		return answer{}, invalid("name is required")
	case b.Version != "" && b.Version != "2.0":
		return answer{}, invalid("this account has webhooks of version 2.0 only")
	case len(s.activeHooks()) >= maxHooks:
		return answer{}, &refusal{Status: http.StatusUnprocessableEntity, Message: "Webhooks limit reached"}
	}
	h := &hook{ID: s.newID(), URL: b.URL, Action: b.Action, Object: b.Object, Name: b.Name, Added: s.now(), Delivered: s.now()}
	if b.User != nil {
		h.User = *b.User
	}
	if b.Password != nil {
		h.Password = *b.Password
	}
	if err := s.commit(change{Hook: h}); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusCreated, data: h.render()}, nil
}

func (s *Simulator) activeHooks() []*hook {
	var list []*hook
	for _, id := range slices.Sorted(maps.Keys(s.hooks)) {
		if s.hooks[id].Removed == nil {
			list = append(list, s.hooks[id])
		}
	}
	return list
}

func (s *Simulator) listHooks(*http.Request) (answer, error) {
	data := []any{}
	for _, h := range s.activeHooks() {
		data = append(data, h.render())
	}
	return answer{data: data}, nil
}

func (s *Simulator) deleteHook(r *http.Request) (answer, error) {
	h := s.hooks[pathID(r)]
	if h == nil || h.Removed != nil {
		return answer{}, notFound("Webhook")
	}
	return answer{}, s.removeHook(h, "deleted by user")
}

func (s *Simulator) removeHook(h *hook, why string) error {
	gone, now := *h, s.now()
	gone.Removed, gone.Why = &now, why
	return s.commit(change{Hook: &gone})
}

func (h *hook) render() map[string]any {
	active := 1
	if h.Removed != nil {
		active = 0
	}
	return map[string]any{
		"id": h.ID, "company_id": 1, "owner_id": integrationUser, "user_id": integrationUser, "admin_id": integrationUser,
		"event_action": h.Action, "event_object": h.Object, "subscription_url": h.URL, "version": "2.0", "is_active": active,
		"add_time": rfc3339(h.Added), "remove_time": nil, "type": "general", "http_auth_user": h.User,
		"http_auth_password": h.Password, "remove_reason": nil, "name": h.Name,
	}
}

// Hook is a webhook as an administrator sees it.
type Hook struct{ URL, User, Password string }

// Hooks returns the webhooks that are on.
func (s *Simulator) Hooks() []Hook {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Hook
	for _, h := range s.activeHooks() {
		list = append(list, Hook{URL: h.URL, User: h.User, Password: h.Password})
	}
	return list
}

// AddHook makes a webhook for notes by hand.
func (s *Simulator) AddHook(url string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.commit(change{Hook: &hook{ID: s.newID(), URL: url, Action: "*", Object: "note", Name: "by hand", Added: s.now(), Delivered: s.now()}})
}
