package salesforce_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	sim "threadline/infra/local/salesforce"
	"threadline/shared/crm"
	"threadline/shared/crm/salesforce"
)

// TestAnswers proves what each of Salesforce's answers means. They were written by hand from its guides.
func TestAnswers(t *testing.T) {
	const private = "María García +34600111222"
	for _, row := range []struct {
		code    string
		status  int
		class   crm.Class
		unknown bool
	}{
		{"UNABLE_TO_LOCK_ROW", 400, crm.Transient, false},
		{"DUPLICATE_VALUE", 400, crm.Transient, false},
		{"QUERY_TIMEOUT", 400, crm.Transient, false},
		{"INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", 400, crm.Transient, false},
		{"INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", 503, crm.Transient, false},
		{"UNKNOWN_EXCEPTION", 500, crm.Transient, true},
		{"SERVER_UNAVAILABLE", 503, crm.Transient, true},
		{"REQUEST_LIMIT_EXCEEDED", 403, crm.Limited, false},
		{"INVALID_SESSION_ID", 401, crm.Stopped, false},
		{"INSUFFICIENT_ACCESS", 403, crm.Stopped, false},
		{"INSUFFICIENT_ACCESS_OR_READONLY", 403, crm.Stopped, false},
		{"INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", 400, crm.Stopped, false},
		{"INVALID_FIELD_FOR_INSERT_UPDATE", 400, crm.Stopped, false},
		{"API_DISABLED_FOR_ORG", 403, crm.Stopped, false},
		{"STORAGE_LIMIT_EXCEEDED", 400, crm.Stopped, false},
		{"FIELD_CUSTOM_VALIDATION_EXCEPTION", 400, crm.Stopped, false},
		{"REQUIRED_FIELD_MISSING", 400, crm.Stopped, false},
		{"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", 400, crm.Stopped, false},
		{"DUPLICATES_DETECTED", 400, crm.Stopped, false},
		{"ENTITY_IS_LOCKED", 400, crm.Stopped, false},
		{"A_CODE_OF_TOMORROW", 400, crm.Stopped, false},
		{"FIELD_INTEGRITY_EXCEPTION", 400, crm.Refused, false},
		{"STRING_TOO_LONG", 400, crm.Refused, false},
		{"JSON_PARSER_ERROR", 400, crm.Refused, false},
	} {
		answer := `[{"message":"` + private + `","errorCode":"` + row.code + `","fields":["LastName"]}]`
		err := contactAnswered(t, row.status, answer)
		e := wantError(t, err, row.class, row.code)
		if e.Unknown != row.unknown || e.Status != row.status {
			t.Errorf("%s: unknown %v, status %d", row.code, e.Unknown, e.Status)
		}
		if strings.Contains(err.Error(), "600111222") || strings.Contains(err.Error(), "García") {
			t.Errorf("%q holds the customer's data", err)
		}
	}
	for _, code := range []string{"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"} {
		if err := contactAnswered(t, 400, `[{"message":"x","errorCode":"`+code+`"}]`); !errors.Is(err, crm.ErrGone) {
			t.Errorf("%s: %v, want ErrGone", code, err)
		}
	}
	for _, code := range []string{"NOT_FOUND", "INVALID_FIELD"} {
		if err := contactAnswered(t, 404, `[{"message":"x","errorCode":"`+code+`"}]`); !errors.Is(err, crm.ErrNotProvisioned) {
			t.Errorf("%s on an upsert: %v, want ErrNotProvisioned", code, err)
		}
	}
	for _, status := range []int{302, 400, 404} { // not Salesforce's word: nothing is given up for it
		wantError(t, contactAnswered(t, status, "<html>URL No Longer Exists</html>"), crm.Stopped, "NOT_AN_ANSWER_OF_SALESFORCE")
	}
	wantError(t, contactAnswered(t, 413, "<html>too large</html>"), crm.Refused, "")
	wantError(t, contactAnswered(t, 300, `["/services/data/v62.0/sobjects/Contact/0"]`), crm.Stopped, "KEY_IS_NOT_UNIQUE")
	wantError(t, contactAnswered(t, 201, `{"id":"none","success":true}`), crm.Transient, "NO_ID")
	for _, done := range []struct {
		status int
		answer string
	}{
		{201, `{"id":"003D000000QV9n2IAD","success":true,"errors":[],"created":true}`},
		{200, `{"id":"003D000000QV9n2IAD","success":true,"errors":[],"created":false}`},
		{204, ``},
	} {
		if err := contactAnswered(t, done.status, done.answer); err != nil {
			t.Errorf("%d: %v", done.status, err)
		}
	}
}

// contactAnswered makes a contact in an org that answers just so.
func contactAnswered(t *testing.T, status int, answer string) error {
	t.Helper()
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/token"):
			_, _ = io.WriteString(w, `{"access_token":"t","instance_url":"`+server.URL+`"}`)
		case strings.HasSuffix(r.URL.Path, "/composite"):
			_, _ = io.WriteString(w, `{"compositeResponse":[
				{"body":{"records":[]},"httpStatusCode":200,"referenceId":"step0"},
				{"body":[{"message":"x","errorCode":"INVALID_TYPE"}],"httpStatusCode":400,"referenceId":"step1"},
				{"body":{"records":[{"MasterLabel":"Done"}]},"httpStatusCode":200,"referenceId":"step2"}]}`)
		case r.Method == http.MethodGet:
			_, _ = io.WriteString(w, `{"done":true,"records":[{"Id":"003D000000QV9n2IAD"}]}`)
		default:
			w.WriteHeader(status)
			_, _ = io.WriteString(w, answer)
		}
	}))
	defer server.Close()
	config := newOrg(t, false).config()
	config.URL = server.URL
	_, err := salesforce.New(config).CreateContact(t.Context(), person())
	return err
}

// TestLimit proves that the daily limit is waited for long, and a crowd of calls for less.
func TestLimit(t *testing.T) {
	o := newOrg(t, true, func(s *sim.Options) { s.Daily = 3 })
	c := o.connector()
	for range 3 {
		if _, _, err := c.ContactByKey(t.Context(), person().Key); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := c.ContactByKey(t.Context(), person().Key)
	if e := wantError(t, err, crm.Limited, "REQUEST_LIMIT_EXCEEDED"); e.After != time.Hour {
		t.Errorf("wait %s, want an hour", e.After)
	}
	o.clock.Advance(25 * time.Hour)
	o.sim.Limit(o.clock.Now().Add(time.Second)) // not the daily one: the header says so
	_, _, err = c.ContactByKey(t.Context(), person().Key)
	if e := wantError(t, err, crm.Limited, "REQUEST_LIMIT_EXCEEDED"); e.After != time.Minute {
		t.Errorf("wait %s, want a minute", e.After)
	}
}

func TestLockedRow(t *testing.T) {
	o := newOrg(t, true)
	c := o.connector()
	contact := must[crm.ContactRef](t)(c.CreateContact(t.Context(), person()))
	o.sim.Lock(1)
	_, err := c.PutMessage(t.Context(), contact, entry("hello"), nil)
	if e := wantError(t, err, crm.Transient, "UNABLE_TO_LOCK_ROW"); e.Unknown {
		t.Error("the message may have been made, says the error")
	}
	// Inside of a composite call, whose own answer is 200.
	message := must[crm.EntryRef](t)(c.PutMessage(t.Context(), contact, entry("hello"), nil))
	file := must[crm.FileRef](t)(c.PutFile(t.Context(), contact, message, photo()))
	o.sim.Lock(1)
	err = c.UpdateMessage(t.Context(), contact, message, entry("hello again"), []crm.FileRef{file})
	wantError(t, err, crm.Transient, "UNABLE_TO_LOCK_ROW")
}

// TestUploadedNotLinked proves that a file whose link failed counts as uploaded, and is found.
func TestUploadedNotLinked(t *testing.T) {
	for _, metadata := range []bool{true, false} {
		o := newOrg(t, metadata)
		c := o.connector()
		contact := must[crm.ContactRef](t)(c.CreateContact(t.Context(), person()))
		message := must[crm.EntryRef](t)(c.PutMessage(t.Context(), contact, entry("hello"), nil))
		o.sim.Forbid("ContentDocumentLink")
		_, err := c.PutFile(t.Context(), contact, message, photo())
		e := wantError(t, err, crm.Stopped, "INSUFFICIENT_ACCESS")
		if !e.Unknown || !slices.Contains(e.Scopes, "ContentDocumentLink") {
			t.Errorf("%v: want an error that says that the file may be there, and what is missing", e)
		}
		if _, ok, err := c.FindFile(t.Context(), contact, message, photo()); !ok || err != nil {
			t.Errorf("metadata=%v: the file isn't found: %v", metadata, err)
		}
	}
}

// TestDuplicateRules proves that an alert doesn't keep a person from being made, and that a block is told.
func TestDuplicateRules(t *testing.T) {
	o := newOrg(t, true)
	c := o.connector()
	o.add("Contact", map[string]string{"FirstName": "María", "LastName": "García López"})
	o.sim.Duplicates(sim.Block)
	_, err := c.CreateContact(t.Context(), person())
	wantError(t, err, crm.Stopped, "DUPLICATES_DETECTED")
	o.sim.Duplicates(sim.Alert)
	must[crm.ContactRef](t)(c.CreateContact(t.Context(), person()))
	if n := len(o.Contacts()); n != 2 {
		t.Errorf("%d contacts, want 2", n)
	}
}

// TestMissingMetadata proves what a half-done set-up says.
func TestMissingMetadata(t *testing.T) {
	o := newOrg(t, true, func(s *sim.Options) { s.Metadata = nil })
	if _, err := o.connector().CreateContact(t.Context(), person()); !errors.Is(err, crm.ErrNotProvisioned) {
		t.Errorf("%v, want ErrNotProvisioned", err)
	}
	e := wantError(t, o.connector().Provision(t.Context()), crm.Stopped, "NOT_ALL_MAY_BE_WRITTEN")
	if !slices.Equal(e.Scopes, []string{"Contact.WA_Id__c"}) {
		t.Errorf("missing %v, want the field", e.Scopes)
	}
	o = newOrg(t, true, func(s *sim.Options) { s.Objects = []string{"Contact", "WA_Message__c"} })
	e = wantError(t, o.connector().Check(t.Context()), crm.Stopped, "NOT_ALL_MAY_BE_WRITTEN")
	if !slices.Equal(e.Scopes, []string{"ContentVersion.Threadline_Key__c", "WA_Outbound__c"}) {
		t.Errorf("missing %v, want a field and an object", e.Scopes)
	}
	o = newOrg(t, true, func(s *sim.Options) { s.Assigned = "Threadline_User" })
	e = wantError(t, o.connector().Check(t.Context()), crm.Stopped, "NOT_ALL_MAY_BE_WRITTEN")
	if !slices.Contains(e.Scopes, "Contact") || !slices.Contains(e.Scopes, "WA_Message__c") {
		t.Errorf("missing %v, want what the integration's permission set gives", e.Scopes)
	}
}
