package hubspot

import (
	"cmp"
	"io"
	"regexp"

	"threadline/infra/local/demo"
)

// Demo is the account as the demo page shows it. Somebody can write in it if it has the workflow action.
func (s *Simulator) Demo() demo.CRM {
	if s.options.ActionURL == "" {
		return shown{s}
	}
	return writing{shown{s}}
}

// shown is demo.CRM and demo.Detailed.
type shown struct{ account *Simulator }

// writing is demo.Writer too.
type writing struct{ shown }

func (w writing) How() string { return w.account.How() }

func (w writing) Write(contact, text string) error { return w.account.Write(contact, text) }

func (shown) Title() string { return "simulated HubSpot" }

func (v shown) Revision() int64 {
	v.account.mu.Lock()
	defer v.account.mu.Unlock()
	return v.account.revision
}

func (v shown) Contacts() []demo.Contact {
	list := []demo.Contact{}
	for _, c := range v.account.Contacts() {
		list = append(list, demo.Contact{
			ID: c.ID, Name: c.Name(), Phone: cmp.Or(c.Properties["phone"], c.Properties["mobilephone"]), Entries: c.Entries, Latest: c.Latest,
		})
	}
	return list
}

func (v shown) Timeline(contact string) []demo.Entry {
	list := []demo.Entry{}
	for _, e := range v.account.Timeline(contact) {
		one := demo.Entry{ID: e.ID, At: e.At, Kind: kinds[e.Kind], HTML: e.HTML}
		if m := notSent.FindStringSubmatch(e.HTML); m != nil && e.Kind == notes {
			one.Problem = demo.NotSent(demo.Text(m[1]))
		}
		for _, f := range e.Files {
			one.Files = append(one.Files, demo.File{ID: f.ID, Name: f.Name, MIME: f.MIME, Size: f.Size, Private: f.Access == "PRIVATE"})
		}
		list = append(list, one)
	}
	return list
}

// kinds are HubSpot's names of what is on a timeline.
var kinds = map[string]string{communications: "WhatsApp message", notes: "Note"}

// notSent is a note that says why a request wasn't sent.
var notSent = regexp.MustCompile(`^<p><strong>WhatsApp · not sent</strong></p><p>(.*?)</p>`)

func (v shown) Open(id string) (io.ReadSeekCloser, demo.File, error) {
	content, f, err := v.account.openFile(id)
	if err != nil {
		return nil, demo.File{}, err
	}
	return content, demo.File{
		ID: f.ID, Name: f.fullName(), MIME: f.MIME, Size: f.Size, Private: f.Access == "PRIVATE", Changed: f.UpdatedAt,
	}, nil
}

func (v shown) Key(contact string) string { return v.properties(contact)["threadline_id"] }

func (v shown) Properties(contact string) []demo.Property {
	list := []demo.Property{}
	values := v.properties(contact)
	for _, p := range shownProperties {
		list = append(list, demo.Property{Label: p[1], Value: values[p[0]]})
	}
	return demo.Present(list)
}

func (v shown) properties(contact string) map[string]string {
	v.account.mu.Lock()
	defer v.account.mu.Unlock()
	o, err := v.account.find(contacts, contact, "", false)
	if err != nil {
		return nil
	}
	return o.clone().Properties
}

// shownProperties are those in the sidebar, in order.
var shownProperties = [][2]string{
	{"firstname", "First name"}, {"lastname", "Last name"}, {"phone", "Phone number"}, {"mobilephone", "Mobile phone number"},
	{"hs_whatsapp_phone_number", "WhatsApp number"}, {"email", "Email"}, {"company", "Company"}, {"createdate", "Created"},
	{"lastmodifieddate", "Last changed"}, {"threadline_id", "Threadline ID"}, {"hs_object_id", "Record ID"},
}
