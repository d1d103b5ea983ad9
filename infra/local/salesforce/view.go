package salesforce

import (
	"cmp"
	"errors"
	"fmt"
	"html"
	"io"
	"mime"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"threadline/infra/local/demo"
)

// Title is the vendor's name.
func (s *Simulator) Title() string { return "Simulated Salesforce" }

// Revision grows with every change.
func (s *Simulator) Revision() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revision
}

// Row is a record as its user sees it.
type Row struct {
	ID, Object string
	Values     map[string]string
}

// Rows returns the records of an object that exist, the oldest first.
func (s *Simulator) Rows(object string) []Row {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Row
	for _, r := range s.all(object) {
		if !r.Deleted {
			list = append(list, Row{r.ID, r.Object, r.clone().Values})
		}
	}
	return list
}

// Contacts returns the contacts, the latest entry first.
func (s *Simulator) Contacts() []demo.Contact {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []demo.Contact
	for _, r := range s.all("Contact") {
		if r.Deleted {
			continue
		}
		c := demo.Contact{ID: r.ID, Name: nameOf(r), Phone: cmp.Or(r.Values["MobilePhone"], r.Values["Phone"])}
		for _, e := range s.timeline(r.ID) {
			c.Count(e.At)
		}
		list = append(list, c)
	}
	demo.LatestFirst(list)
	return list
}

// Timeline returns what is on a contact's record: messages by their time, tasks by their day.
func (s *Simulator) Timeline(contact string) []demo.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.timeline(contact)
}

func (s *Simulator) timeline(contact string) []demo.Entry {
	var list []demo.Entry
	for _, r := range s.all("WA_Message__c") {
		if !r.Deleted && r.Values["Contact__c"] == contact {
			at, _ := time.Parse(stamp, r.Values["SentAt__c"])
			list = append(list, s.message(r, at))
		}
	}
	for _, r := range s.all("Task") {
		if !r.Deleted && r.Values["WhoId"] == contact {
			day, _ := time.Parse(time.DateOnly, r.Values["ActivityDate"])
			list = append(list, s.task(r, day))
		}
	}
	slices.SortStableFunc(list, func(a, b demo.Entry) int { return a.At.Compare(b.At) })
	return list
}

func (s *Simulator) entry(r *record, at time.Time, text string) demo.Entry {
	shown := strings.ReplaceAll(html.EscapeString(text), "\n", "<br>")
	e := demo.Entry{ID: r.ID, At: at, HTML: "<p>" + shown + "</p>"}
	for _, link := range s.all("ContentDocumentLink") {
		if !link.Deleted && link.Values["LinkedEntityId"] == r.ID {
			e.Files = append(e.Files, s.file(link))
		}
	}
	return e
}

// message is a record of the conversation. Threadline says in its last line what went wrong.
func (s *Simulator) message(r *record, at time.Time) demo.Entry {
	body := r.Values["Body__c"]
	e := s.entry(r, at, body)
	e.Kind, e.Status, e.Problem = "WhatsApp message", r.Values["Status__c"], demo.Failure(body)
	e.From = map[string]demo.Side{"Received": demo.Customer, "Sent": demo.Company, "Both": demo.Both}[r.Values["Direction__c"]]
	if e.From != demo.Both {
		e.Heading, _ = demo.Heading(body)
	}
	return e
}

// task is an activity: a message where there are no records for them, or why nothing was sent. The last line of its
// comments is Threadline's mark.
func (s *Simulator) task(r *record, day time.Time) demo.Entry {
	subject := r.Values["Subject"]
	said, _, _ := strings.Cut(r.Values["Description"], "\n\nThreadline ")
	e := s.entry(r, day, subject+"\n"+r.Values["Description"])
	e.Kind, e.Status, e.Problem = "Task", r.Values["Status"], demo.Failure(said)
	e.Heading, e.From = demo.Heading(subject)
	if subject == "WhatsApp · not sent" {
		e.Problem = demo.NotSent(said)
	}
	return e
}

// Asked are the messages to send of a contact that weren't sent, or not yet.
func (s *Simulator) Asked(contact string) []demo.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []demo.Entry
	for _, r := range s.all("WA_Outbound__c") {
		if r.Deleted || r.Values["Contact__c"] != contact || r.Values["Status__c"] == "Sent" {
			continue
		}
		e := s.entry(r, r.Created, cmp.Or(r.Values["Text__c"], r.Values["Template__c"]))
		e.Kind, e.From, e.Status = "WhatsApp message to send", demo.Company, r.Values["Status__c"]
		e.Problem = demo.NotSent(r.Values["Problem__c"])
		list = append(list, e)
	}
	return list
}

// Key is the contact's of Threadline.
func (s *Simulator) Key(contact string) string { return s.values(contact)["WA_Id__c"] }

// Properties are what a contact's page shows.
func (s *Simulator) Properties(contact string) []demo.Property {
	values := s.values(contact)
	return demo.Present([]demo.Property{
		{Label: "First name", Value: values["FirstName"]}, {Label: "Last name", Value: values["LastName"]},
		{Label: "Mobile", Value: values["MobilePhone"]}, {Label: "Phone", Value: values["Phone"]},
		{Label: "WhatsApp username", Value: values["WA_Username__c"]}, {Label: "WhatsApp marketing", Value: values["WA_Marketing__c"]},
		{Label: "Threadline ID", Value: values["WA_Id__c"]}, {Label: "Record", Value: contact},
	})
}

// values are a contact's fields; none if there is no such contact.
func (s *Simulator) values(contact string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.records[contact]; r != nil && r.Object == "Contact" && !r.Deleted {
		return r.clone().Values
	}
	return nil
}

func (s *Simulator) file(link *record) demo.File {
	document := s.records[link.Values["ContentDocumentId"]]
	version := s.records[document.Values["LatestPublishedVersionId"]]
	size, _ := strconv.ParseInt(version.Values["ContentSize"], 10, 64)
	name := version.Values["PathOnClient"]
	return demo.File{
		ID: document.ID, Name: name, MIME: cmp.Or(mime.TypeByExtension(path.Ext(name)), "application/octet-stream"), Size: size,
		Private: link.Values["Visibility"] == "InternalUsers" || !s.options.Sites, Changed: version.Changed,
	}
}

// Open opens a file's bytes.
func (s *Simulator) Open(id string) (io.ReadSeekCloser, demo.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, link := range s.all("ContentDocumentLink") {
		if link.Values["ContentDocumentId"] != id || link.Deleted {
			continue
		}
		version := s.records[s.records[id].Values["LatestPublishedVersionId"]]
		content, err := s.journal.OpenFile(version.Values["VersionData"])
		return content, s.file(link), err
	}
	return nil, demo.File{}, errors.New("no such file")
}

// Add types a record in, as a user would, and returns its id.
func (s *Simulator) Add(object string, values map[string]string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.schema[object]
	if o == nil {
		return "", fmt.Errorf("no object %s", object)
	}
	for name, value := range values {
		f := o.fields[name]
		if f == nil {
			return "", noColumn(name, object)
		}
		stored, err := s.checkValue(o, name, f, value)
		if err != nil {
			return "", err
		}
		values[name] = stored
	}
	r := s.newRecord(object, values)
	r.By = s.user(1)
	if o.custom {
		r.Values["Name"] = s.autoNumber(object)
	}
	return r.ID, s.commit(r)
}

// Delete puts a record into the recycle bin, with its details.
func (s *Simulator) Delete(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[long(id)]
	if r == nil || r.Deleted {
		return errors.New("no such record")
	}
	return s.remove(r)
}

// Merge lets the second contact live on in the first.
func (s *Simulator) Merge(winner, loser string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, err := s.find("Contact", winner)
	if err != nil {
		return err
	}
	l, err := s.find("Contact", loser)
	if err != nil {
		return err
	}
	return s.merge(w, l)
}
