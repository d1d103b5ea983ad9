package salesforce_test

import (
	"encoding/xml"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

const root = "force-app/main/default"

// element is any element of a metadata file.
type element struct {
	XMLName  xml.Name
	Text     string    `xml:",chardata"`
	Elements []element `xml:",any"`
}

// each calls f for every element with a name, however deep.
func (e element) each(name string, f func(element)) {
	if e.XMLName.Local == name {
		f(e)
	}
	for _, inside := range e.Elements {
		inside.each(name, f)
	}
}

func (e element) text() string { return strings.TrimSpace(e.Text) }

func parse(t *testing.T) map[string]element {
	t.Helper()
	files := map[string]element{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var e element
		if err := xml.Unmarshal(source, &e); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		files[filepath.ToSlash(strings.TrimPrefix(name, root+"/"))] = e
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// standard are fields that every org has.
var standard = map[string]bool{
	"Contact.Phone": true, "Contact.MobilePhone": true, "Contact.HomePhone": true, "Contact.OtherPhone": true,
	"Task.ActivityDate": true, "Task.Description": true, "Task.WhoId": true,
	"WA_Message__c.Name": true, "WA_Outbound__c.Name": true,
}

// TestFieldsExist proves that what layouts, lists and permission sets name is there, under the name of its file.
func TestFieldsExist(t *testing.T) {
	files := parse(t)
	fields, mandatory := map[string]bool{}, map[string]bool{}
	for name, e := range files {
		if !strings.HasSuffix(name, ".field-meta.xml") {
			continue
		}
		object := path.Base(path.Dir(path.Dir(name)))
		e.each("fullName", func(n element) {
			if file := strings.TrimSuffix(path.Base(name), ".field-meta.xml"); strings.HasSuffix(n.text(), "__c") && n.text() != file {
				t.Errorf("%s is called %s", name, n.text())
			}
		})
		field := object + "." + strings.TrimSuffix(path.Base(name), ".field-meta.xml")
		fields[field] = true
		e.each("required", func(r element) { mandatory[field] = mandatory[field] || r.text() == "true" })
		e.each("type", func(k element) { mandatory[field] = mandatory[field] || k.text() == "MasterDetail" })
	}
	exists := func(in, field string) {
		t.Helper()
		if !fields[field] && !standard[field] {
			t.Errorf("%s names %s", in, field)
		}
	}
	for name, e := range files {
		switch {
		case strings.HasPrefix(name, "permissionsets/"):
			e.each("field", func(f element) {
				exists(name, f.text())
				if mandatory[f.text()] {
					t.Errorf("%s: a required field such as %s takes no permission", name, f.text())
				}
			})
		case strings.HasPrefix(name, "layouts/"):
			object, _, _ := strings.Cut(path.Base(name), "-")
			e.each("field", func(f element) { exists(name, object+"."+f.text()) })
		case strings.Contains(name, "/listViews/"):
			e.each("columns", func(f element) {
				if strings.HasSuffix(f.text(), "__c") {
					exists(name, path.Base(path.Dir(path.Dir(name)))+"."+f.text())
				}
			})
		}
	}
	if len(fields) != 15 {
		t.Errorf("%d fields", len(fields))
	}
}

// TestPermissionsStandTogether proves what a deployment checks of a permission set: a right to read a detail comes with the
// one to read its master, and what is of one kind stands in one place.
func TestPermissionsStandTogether(t *testing.T) {
	files := parse(t)
	masters := map[string][]string{"Contact": {"Account"}}
	for name, e := range files {
		if object := path.Base(path.Dir(path.Dir(name))); strings.HasPrefix(name, "objects/") {
			masterDetail := false
			e.each("type", func(k element) { masterDetail = masterDetail || k.text() == "MasterDetail" })
			e.each("referenceTo", func(to element) {
				if masterDetail {
					masters[object] = append(masters[object], to.text())
				}
			})
		}
	}
	if len(masters) != 3 {
		t.Fatalf("masters %v, want those of contacts and of two objects of ours", masters)
	}
	for name, e := range files {
		if !strings.HasPrefix(name, "permissionsets/") {
			continue
		}
		readable := map[string]bool{}
		e.each("object", func(o element) { readable[o.text()] = true })
		for object := range readable {
			for _, master := range masters[object] {
				if !readable[master] {
					t.Errorf("%s: to read %s depends on reading %s", name, object, master)
				}
			}
		}
		done, last := map[string]bool{}, ""
		for _, part := range e.Elements {
			if kind := part.XMLName.Local; kind != last {
				if done[kind] {
					t.Errorf("%s: %s stands in two places", name, kind)
				}
				done[kind], last = true, kind
			}
		}
	}
}
