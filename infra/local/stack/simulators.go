package stack

import (
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"threadline/infra/local/hubspot"
	"threadline/infra/local/meta"
)

// simulate starts the simulators that the template can be pointed at and nobody pointed elsewhere,
// and sets the parameters that do so. Their pages go on the front.
func (s *Stack) simulate(mux *http.ServeMux) error {
	if _, elsewhere := s.parameters["GraphApiUrl"]; !elsewhere && s.template.hasParameter("GraphApiUrl") {
		if err := s.simulateMeta(s.parameters, mux); err != nil {
			return fmt.Errorf("start simulated Meta: %w", err)
		}
	}
	if _, elsewhere := s.parameters["HubSpotApiUrl"]; !elsewhere && s.template.hasParameter("HubSpotApiUrl") {
		if err := s.simulateHubSpot(s.parameters, mux); err != nil {
			return fmt.Errorf("start simulated HubSpot: %w", err)
		}
	}
	return nil
}

func (s *Stack) simulateMeta(parameters map[string]string, mux *http.ServeMux) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	parameters["GraphApiUrl"] = "http://" + listener.Addr().String()
	options := meta.Options{
		AppSecret:   parameters["AppSecret"],
		AccessToken: parameters["AccessToken"],
		WebhookURL:  fmt.Sprintf("http://127.0.0.1:%d/webhook", s.port),
		BaseURL:     parameters["GraphApiUrl"],
		StateDir:    filepath.Join(s.options.StateDir, "meta"),
		Delays:      s.options.Delays,
	}
	if ids := parameters["PhoneNumberIds"]; ids != "" {
		options.Numbers = strings.Split(ids, ",")
	}
	if s.meta, err = meta.New(options); err != nil {
		listener.Close()
		return err
	}
	s.serveOn(listener, s.meta.Graph())
	mux.Handle("/{$}", http.RedirectHandler("/phone/", http.StatusFound)) // where a newcomer goes first
	mux.Handle("/phone", s.meta.Phone())
	mux.Handle("/phone/", s.meta.Phone())
	return nil
}

func (s *Stack) simulateHubSpot(parameters map[string]string, mux *http.ServeMux) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	parameters["HubSpotApiUrl"] = "http://" + listener.Addr().String()
	s.hubspot, err = hubspot.New(hubspot.Options{
		Token:    parameters["HubSpotToken"],
		StateDir: filepath.Join(s.options.StateDir, "hubspot"),
		APIKey:   parameters["ApiKey"],
	})
	if err != nil {
		listener.Close()
		return err
	}
	s.serveOn(listener, s.hubspot.API())
	mux.Handle("/crm", s.hubspot.Page())
	mux.Handle("/crm/", s.hubspot.Page())
	return nil
}

func (s *Stack) serveOn(listener net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	s.servers = append(s.servers, server)
	go server.Serve(listener) // ends with stopSimulators
}

func (s *Stack) stopSimulators() {
	for _, server := range s.servers {
		server.Close()
	}
	if s.meta != nil {
		if err := s.meta.Close(); err != nil {
			s.options.Log.Error("stopping the simulated Meta failed", "error", err)
		}
	}
	if s.hubspot != nil {
		if err := s.hubspot.Close(); err != nil {
			s.options.Log.Error("stopping the simulated HubSpot failed", "error", err)
		}
	}
}
