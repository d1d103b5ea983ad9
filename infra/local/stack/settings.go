package stack

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"threadline/shared/crm/known"
	"threadline/shared/crm/rest"
	"threadline/shared/env"
	"threadline/shared/route"
)

// settings are those of one run.
type settings struct {
	declared   map[string]parameter
	set        map[string]variable
	parameters map[string]string
}

// configure reads the settings, and says all that is wrong with them.
func (s *Stack) configure() error {
	all, err := declared(filepath.Join(s.options.Root, s.options.Template))
	if err != nil {
		return err
	}
	set := variables(s.options.Environ)
	c := settings{all, set, parameters(all, set)}
	var problems []string
	if p := s.options.Port; p != "" {
		if _, err := strconv.ParseUint(p, 10, 16); err != nil {
			problems = append(problems, "PORT: must be a number from 0 to 65535")
		}
	}
	problems = slices.Concat(problems, c.refused(), c.meta(), c.crms())
	if len(problems) > 0 {
		slices.Sort(problems)
		return errors.New("nothing was started, because of the settings (docs/run-locally.md, Settings):\n  " + strings.Join(problems, "\n  "))
	}
	for _, hint := range c.idle() {
		s.options.Progress(hint)
	}
	s.parameters = c.parameters
	return nil
}

// nameOf is what somebody calls a parameter here.
func (c settings) nameOf(parameter string) string {
	if v, ok := c.set[letters(parameter)]; ok {
		return v.name
	}
	return parameter
}

// refused are the values that the template doesn't take.
func (c settings) refused() (problems []string) {
	for name, value := range c.parameters {
		if p := c.declared[name]; !p.takes(value) {
			problems = append(problems, c.nameOf(name)+": "+p.WhatIsAllowed)
		}
	}
	return problems
}

// meta is what is missing for another Graph API than the simulated one.
func (c settings) meta() []string { return c.elsewhere("GraphApiUrl", "access_token") }

// crms are what is missing for the CRMs that aren't simulated.
func (c settings) crms() (problems []string) {
	var theirs []string
	for _, name := range c.connectors() {
		address := crms[name].address
		if _, ok := c.parameters[address]; !ok {
			continue
		}
		theirs = append(theirs, name)
		problems = append(problems, c.elsewhere(address, known.Keys(name)...)...)
	}
	var s known.Settings
	_ = env.From(func(name string) string { return c.set[letters(name)].value }, &s) // what is malformed the template has refused
	if err := known.Check(theirs, s); err != nil {
		problems = append(problems, strings.Split(err.Error(), "\n")...)
	}
	return problems
}

// connectors are the connectors of this run, but for one that there isn't: the template's pattern refuses it.
func (c settings) connectors() []string {
	return slices.DeleteFunc(route.Connectors(strings.Split(c.parameters["CrmConnector"], ",")), func(name string) bool {
		_, ok := crms[name]
		return !ok
	})
}

// elsewhere is what is wrong with an address that leads to another machine: credentials go there by https only, and the
// local ones open nothing there. One of the keys is needed.
func (c settings) elsewhere(address string, keys ...string) (problems []string) {
	value, ok := c.parameters[address]
	u, err := url.Parse(value)
	if !ok || err != nil || u.Host == "" || rest.Loopback(u.Hostname()) {
		return nil
	}
	if u.Scheme != "https" {
		problems = append(problems, c.nameOf(address)+": must begin with https, unless it leads to this machine")
	}
	if slices.ContainsFunc(keys, func(key string) bool { return c.set[letters(key)].value != "" }) {
		return problems
	}
	return append(problems, fmt.Sprintf("%s: is needed with %s", strings.Join(variableNames(keys), " or "), c.nameOf(address)))
}

// variableNames are what credentials are called here.
func variableNames(keys []string) (names []string) {
	for _, key := range keys {
		names = append(names, strings.ToUpper(key))
	}
	return names
}

// idle are hints at addresses of CRMs that nobody chose.
func (c settings) idle() (hints []string) {
	for _, name := range slices.Sorted(maps.Keys(crms)) {
		if _, ok := c.parameters[crms[name].address]; ok && !slices.Contains(c.connectors(), name) {
			hints = append(hints, fmt.Sprintf("%s has no effect: CRM_CONNECTOR doesn't name %s", c.nameOf(crms[name].address), name))
		}
	}
	return hints
}
