package meta

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

var versionForm = regexp.MustCompile(`^v[0-9]{2}\.[0-9]$`)

// Graph serves the Graph API under /vNN.N/ and the downloads under /whatsapp_business/attachments/.
func (s *Simulator) Graph() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]func(http.ResponseWriter, *http.Request) *graphError{
		"POST /{version}/{node}/messages":           s.postMessage,
		"POST /{version}/{node}/marketing_messages": s.postMarketing,
		"POST /{version}/{node}/settings":           s.postSettings,
		"POST /{version}/{node}/media":              s.uploadMedia,
		"GET /{version}/{node}/message_templates":   s.listTemplates,
		"GET /{version}/{node}/phone_numbers":       s.listNumbers,
		"GET /{version}/{node}/subscribed_apps":     s.listSubscribedApps,
		"GET /{version}/{node}/subscriptions":       s.listSubscriptions,
		"GET /{version}/debug_token":                s.debugToken,
		"GET /{version}/{node}":                     s.getNode,
		"DELETE /{version}/{node}":                  s.deleteMedia,
		"GET " + downloadPath + "{$}":               s.download,
		"/":                                         unknownPath,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := s.guard(r); err != nil {
				refuse(w, err)
				return
			}
			if err := h(w, r); err != nil {
				refuse(w, err)
			}
		})
	}
	return mux
}

// guard checks what every call has in common: the version and the token.
func (s *Simulator) guard(r *http.Request) *graphError {
	if v := r.PathValue("version"); v != "" && !versionForm.MatchString(v) {
		return &graphError{Code: 2500, Details: "The path must begin with a version, for example /v26.0"}
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok && r.URL.Path != downloadPath {
		token = r.URL.Query().Get("access_token")
	}
	if !s.validToken(token) {
		return &graphError{Code: 190, Details: "The access token is missing, malformed or not valid here"}
	}
	return nil
}

// validToken knows the system user's token and the app's own.
func (s *Simulator) validToken(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.state.Account.NoToken && (token == s.opts.AccessToken || token == AppID+"|"+s.opts.AppSecret)
}

func (s *Simulator) isNumber(id string) bool { return slices.Contains(s.opts.Numbers, id) }

func unknownPath(_ http.ResponseWriter, r *http.Request) *graphError {
	return &graphError{Code: 2500, Details: "Unknown path components: " + r.URL.Path}
}
