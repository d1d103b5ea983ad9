package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	api "threadline/functions/api/handler"
	"threadline/infra/sim"
	"threadline/shared/chat"
	"threadline/shared/store"
)

// pages are what somebody costs who reads: pages of 50 of one conversation and of the list of all.
func (s *scene) pages(conversation chat.ConversationID) (all []operation, err error) {
	meter := store.NewMeter(s.Table)
	h := (&api.API{
		Store: &store.Store{DB: meter, Table: "table", Now: s.Now}, Numbers: []string{sim.Number}, Now: s.Now,
		Key: func(context.Context) (string, error) { return "token", nil },
	}).Handler()
	get := func(name, path string) (next string, err error) {
		before := meter.Cost()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Authorization", "Bearer token")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var page struct {
			Next string `json:"next_cursor"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); w.Code != http.StatusOK || err != nil {
			return "", fmt.Errorf("GET %s: %d", path, w.Code)
		}
		u := usage{functions: map[string]use{"api": {runs: 1, table: meter.Cost().Less(before)}}}
		all = append(all, operation{name, u})
		return page.Next, nil
	}
	messages := "/api/v1/conversations/" + string(conversation) + "/messages"
	next, err := get("page of messages", messages)
	if err != nil {
		return nil, err
	}
	if _, err := get("page of older messages", messages+"?cursor="+next); err != nil {
		return nil, err
	}
	_, err = get("page of conversations", "/api/v1/conversations")
	return all, err
}
