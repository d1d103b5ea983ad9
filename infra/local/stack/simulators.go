package stack

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"threadline/infra/local/demo"
	"threadline/infra/local/meta"
	"threadline/shared/route"
)

// simulate starts the simulators that the template can be pointed at and nobody pointed elsewhere,
// and sets the parameters that do so. Their pages go on the front: /phone, and that of the CRMs at /crm.
func (s *Stack) simulate(mux *http.ServeMux) error {
	if _, elsewhere := s.parameters["GraphApiUrl"]; !elsewhere && s.template.hasParameter("GraphApiUrl") {
		if err := s.simulateMeta(s.parameters, mux); err != nil {
			return fmt.Errorf("start simulated Meta: %w", err)
		}
	}
	if !s.template.hasParameter("CrmConnector") {
		return nil
	}
	places, err := s.simulateCRMs()
	if err != nil {
		return err
	}
	page := demo.Page(places, s.parameters["ApiKey"])
	mux.Handle("/crm", page)
	mux.Handle("/crm/", page)
	return nil
}

// simulateCRMs returns the CRMs of this run, those included that are elsewhere.
func (s *Stack) simulateCRMs() ([]demo.Place, error) {
	var places []demo.Place
	set := variables(s.options.Environ)
	for _, name := range route.Connectors(strings.Split(s.parameters["CrmConnector"], ",")) {
		c, known := crms[name]
		if !known || !s.template.hasParameter(c.address) {
			continue
		}
		place := demo.Place{Name: name, Title: c.title}
		if address, elsewhere := s.parameters[c.address]; elsewhere {
			place.Setting = set[letters(c.address)].name
			if u, err := url.Parse(address); err == nil {
				place.Host = u.Host
			}
		} else {
			sim, page, err := s.simulateCRM(name, c)
			if err != nil {
				return nil, fmt.Errorf("start simulated %s: %w", name, err)
			}
			s.simulators[name], place.CRM = sim, page
		}
		places = append(places, place)
	}
	return places, nil
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

// simulateCRM starts one CRM and points the template at it.
func (s *Stack) simulateCRM(name string, c crm) (simulator, demo.CRM, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	sim, page, err := c.start(account{
		stateDir: filepath.Join(s.options.StateDir, name),
		events:   s.URL() + "/crm/" + name + "/events",
		secrets:  s.template.credentials(s.parameters),
		set:      func(parameter, value string) { s.parameters[parameter] = value },
	})
	if err != nil {
		listener.Close()
		return nil, nil, err
	}
	s.parameters[c.address] = "http://" + listener.Addr().String()
	s.serveOn(listener, sim.API())
	return sim, page, nil
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
	stop := func(name string, c io.Closer) {
		if err := c.Close(); err != nil {
			s.options.Log.Error("stopping a simulator failed", "simulator", name, "error", err)
		}
	}
	if s.meta != nil {
		stop("meta", s.meta)
	}
	for name, sim := range s.simulators {
		stop(name, sim)
	}
}
