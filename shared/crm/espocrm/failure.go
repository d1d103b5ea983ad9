package espocrm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// needs names the permission of the role without which a call is answered 403.
var needs = map[string]string{
	opFindContact: "Contact: read", opReadContact: "Contact: read", opCreateContact: "Contact: create", opFillContact: "Contact: edit",
	opPostNote: "Contact: stream", opReadNote: "Contact: stream", opFindNote: "Contact: stream",
	opCreateMessage: messageType + ": create", opReadMessage: messageType + ": read", opFindMessage: messageType + ": read",
	opUpdateMessage: messageType + ": edit", opReport: messageType + ": edit",
}

// notTheAPI is a 404 of a web server that doesn't know EspoCRM: the address is wrong, and no record is gone.
const notTheAPI = "NOT_ESPOCRM"

// classify makes an error of an answer. A 404 is Stopped unless whoever asked knows that it names a record: that an entity
// isn't there, or the API, is for a person to mend.
func classify(op string, a rest.Answer) error {
	e := rest.Default(op, a)
	e.Reason = reason(a.Body)
	switch a.Status {
	case http.StatusForbidden:
		if scope := needs[op]; scope != "" {
			e.Scopes = []string{scope}
		}
	case http.StatusNotFound:
		e.Class = crm.Stopped
		if bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("<")) {
			e.Reason = notTheAPI
		}
	}
	return e
}

var word = regexp.MustCompile(`^[A-Za-z0-9]{1,60}$`)

// reason reads the codes of an error, which EspoCRM sends for its own user interface to translate. The reason in the
// header X-Status-Reason is text, and may quote what was sent: it isn't read.
func reason(body []byte) string {
	var told struct {
		MessageTranslation struct {
			Label string `json:"label"`
			Data  struct {
				Field string `json:"field"`
				Type  string `json:"type"`
			} `json:"data"`
		} `json:"messageTranslation"`
	}
	if json.Unmarshal(body, &told) != nil {
		return ""
	}
	t := told.MessageTranslation
	var words []string
	for _, w := range []string{t.Label, t.Data.Field, t.Data.Type} {
		if word.MatchString(w) {
			words = append(words, w)
		}
	}
	return strings.Join(words, " ")
}

// missing tells whether the API answered that a record, or an entity, isn't there.
func missing(err error) bool {
	e, ok := asError(err)
	return ok && e.Status == http.StatusNotFound && e.Reason != notTheAPI
}

// gone is crm.ErrGone if a call named a record that isn't there, and otherwise the error that it was.
func gone(err error) error {
	if e, ok := asError(err); ok && missing(err) {
		return fmt.Errorf("%s: %w", e.Op, crm.ErrGone)
	}
	return err
}

// refusedPhone tells whether a number was the reason for a refusal.
func refusedPhone(err error) bool {
	e, ok := asError(err)
	return ok && e.Status == http.StatusBadRequest && strings.Contains(e.Reason, "phoneNumber")
}
