package crmsim

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"time"

	"threadline/infra/local/demo"
	"threadline/shared/crm"
)

// Kind is a CRM in one of its variants.
type Kind struct {
	Name      string // such as "odoo 17"
	Connector string // the word in CRM_CONNECTOR
	open      func(opening) (*CRM, error)
}

// opening is what a simulator is started with.
type opening struct {
	dir   string
	now   func() time.Time
	calls int
}

// CRM is a simulated CRM behind a listener, with what its users can do.
type CRM struct {
	demo.CRM
	Kind

	Add    func(name, phone string) (id string, err error) // types a contact in, or imports it as it was typed once
	Delete func(contact string) error
	Drop   func(entry string) error      // deletes an entry
	Merge  func(from, into string) error // nil: whoever is merged is deleted
	Ledger func() []Made

	sim interface {
		API() http.Handler
		Close() error
	}
	url  string
	made func(url string, web *http.Client) crm.Connector
}

// Made is a call that the CRM counted.
type Made struct {
	What   string // in the CRM's words, without ids
	At     time.Time
	Tokens int // its price, where there is one
}

func (c *CRM) connect(web *http.Client) crm.Connector { return c.made(c.url, web) }

// Capabilities are those of its connector.
func (c *CRM) Capabilities() crm.Capabilities { return c.connect(nil).Capabilities() }

// open starts a simulator.
func (r *Rig) open(k Kind) *CRM {
	r.t.Helper()
	c, err := k.open(opening{r.t.TempDir(), r.Now, r.o.Calls})
	if err != nil {
		r.t.Fatalf("%s: %v", k.Name, err)
	}
	server := httptest.NewServer(c.sim.API())
	r.t.Cleanup(func() {
		server.Close()
		_ = c.sim.Close() // what was answered is in the journal
	})
	c.Kind, c.url = k, server.URL
	return c
}

// Record is what somebody sees who opens a contact.
type Record struct {
	ID, Name, Phone string
	Entries         []Entry // in the order in which they are shown
}

// Entry is one on the timeline.
type Entry struct {
	ID, Text string
	At       time.Time
	Files    []string // the SHA-256 of each
}

// besideIt ends the note that holds an entry's files where HubSpot's communications can't.
const besideIt = "File of the WhatsApp message."

// Records are all contacts, by their numbers.
func (c *CRM) Records() ([]Record, error) {
	var all []Record
	for _, contact := range c.Contacts() {
		one := Record{ID: contact.ID, Name: contact.Name, Phone: contact.Phone}
		for _, e := range c.Timeline(contact.ID) {
			shown := Entry{ID: e.ID, At: e.At, Text: words(e.HTML)}
			for _, f := range e.Files {
				sum, err := c.sum(f)
				if err != nil {
					return nil, err
				}
				shown.Files = append(shown.Files, sum)
			}
			if last := len(one.Entries) - 1; last >= 0 && strings.HasSuffix(shown.Text, besideIt) {
				one.Entries[last].Files = append(one.Entries[last].Files, shown.Files...)
				continue
			}
			one.Entries = append(one.Entries, shown)
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Record) int { return strings.Compare(a.Phone+" "+a.ID, b.Phone+" "+b.ID) })
	return all, nil
}

func (c *CRM) sum(f demo.File) (string, error) {
	if !f.Private {
		return "", errors.New("a file is public")
	}
	content, _, err := c.Open(f.ID)
	if err != nil {
		return "", fmt.Errorf("open a file: %w", err)
	}
	hash := sha256.New()
	_, err = io.Copy(hash, content)
	return hex.EncodeToString(hash.Sum(nil)), errors.Join(err, content.Close())
}

var (
	tag      = regexp.MustCompile(`<[^>]*>`)
	newLines = strings.NewReplacer("<br>", "\n", "<br/>", "\n", "</p>", "\n")
)

// words are what somebody reads of HTML.
func words(shown string) string {
	return strings.TrimSpace(html.UnescapeString(tag.ReplaceAllString(newLines.Replace(shown), "")))
}
