package salesforce

import (
	"encoding/xml"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// customField is a field's source file.
type customField struct {
	Name         string   `xml:"fullName"`
	Type         string   `xml:"type"`
	Length       int      `xml:"length"`
	Required     bool     `xml:"required"`
	Unique       bool     `xml:"unique"`
	External     bool     `xml:"externalId"`
	ReferenceTo  string   `xml:"referenceTo"`
	Relationship string   `xml:"relationshipName"`
	Reparentable bool     `xml:"reparentableMasterDetail"`
	Values       []choice `xml:"valueSet>valueSetDefinition>value"`
}

type choice struct {
	Name    string `xml:"fullName"`
	Default bool   `xml:"default"`
}

// permissionSet is a permission set's source file.
type permissionSet struct {
	Objects []struct {
		Object string `xml:"object"`
		Read   bool   `xml:"allowRead"`
		Create bool   `xml:"allowCreate"`
		Edit   bool   `xml:"allowEdit"`
	} `xml:"objectPermissions"`
	Fields []struct {
		Field    string `xml:"field"`
		Readable bool   `xml:"readable"`
		Editable bool   `xml:"editable"`
	} `xml:"fieldPermissions"`
	User []struct {
		Name    string `xml:"name"`
		Enabled bool   `xml:"enabled"`
	} `xml:"userPermissions"`
}

// deploy adds what the source files describe, and gives the API's user the permission set.
func (s *Simulator) deploy() error {
	var files []string
	err := fs.WalkDir(s.options.Metadata, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, name)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, suffix := range []string{".object-meta.xml", ".field-meta.xml", "/" + s.options.Assigned + ".permissionset-meta.xml"} {
		for _, name := range files {
			if !strings.HasSuffix(name, suffix) {
				continue
			}
			if err := s.deployFile(name); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

func (s *Simulator) deployFile(name string) error {
	source, err := fs.ReadFile(s.options.Metadata, name)
	if err != nil {
		return err
	}
	switch {
	case strings.HasSuffix(name, ".object-meta.xml"):
		if object := strings.TrimSuffix(path.Base(name), ".object-meta.xml"); s.deploys(object) {
			s.deployObject(object)
		}
		return nil
	case strings.HasSuffix(name, ".field-meta.xml"):
		object := path.Base(path.Dir(path.Dir(name)))
		if !s.deploys(object) {
			return nil
		}
		var f customField
		if err := xml.Unmarshal(source, &f); err != nil {
			return err
		}
		return s.deployField(object, f)
	}
	var p permissionSet
	if err := xml.Unmarshal(source, &p); err != nil {
		return err
	}
	return s.assign(p)
}

func (s *Simulator) deploys(object string) bool {
	return s.options.Objects == nil || slices.Contains(s.options.Objects, object)
}

func (s *Simulator) deployObject(name string) {
	prefix := "a0" + string(alphabet[len(s.schema)%len(alphabet)])
	o := &object{name: name, custom: true, prefix: prefix, fields: map[string]*field{
		"Name": {kind: "string", length: 80, readOnly: true, visible: true},
	}}
	o.finish()
	s.schema[name] = o
}

func (s *Simulator) deployField(object string, c customField) error {
	o := s.schema[object]
	if o == nil {
		return fmt.Errorf("no object %s", object)
	}
	f := &field{length: c.Length, required: c.Required, unique: c.Unique, external: c.External}
	switch c.Type {
	case "Text":
		f.kind = "string"
	case "LongTextArea":
		f.kind, f.unfiltered = "textarea", true
	case "DateTime":
		f.kind = "datetime"
	case "Picklist":
		f.kind, f.length = "picklist", 255
		for _, v := range c.Values {
			f.values = append(f.values, v.Name)
			if v.Default {
				f.initial = v.Name
			}
		}
	case "MasterDetail":
		f.kind, f.refers, f.required, f.cascades, f.fixed = "reference", []string{c.ReferenceTo}, true, true, !c.Reparentable
		f.relation = strings.TrimSuffix(c.Name, "__c") + "__r"
	default:
		return fmt.Errorf("unknown type %s", c.Type)
	}
	// A required field needs no permission of its own.
	f.visible, f.editable = f.required, f.required
	o.fields[c.Name] = f
	return nil
}

// assign gives the API's user what a permission set has, and nothing else: the profile of an integration's user has no
// rights of its own. It refuses what a deployment refuses.
func (s *Simulator) assign(p permissionSet) error {
	s.takeAway()
	for _, given := range p.Objects {
		o := s.schema[given.Object]
		if o == nil {
			continue
		}
		o.read, o.create, o.edit = o.read || given.Read, o.create || given.Create, o.edit || given.Edit
	}
	for _, o := range s.schema {
		for _, f := range o.fields {
			if f.cascades && f.required && o.custom && o.read && !s.schema[f.refers[0]].read {
				return fmt.Errorf("permission Read %s depends on permission(s): Read %s", o.name, f.refers[0])
			}
		}
	}
	rights := 0
	for _, given := range p.User {
		if given.Enabled && slices.Contains(taskRights, given.Name) {
			rights++
		}
	}
	if rights == len(taskRights) {
		task := s.schema["Task"]
		task.read, task.create, task.edit = true, true, true
	}
	for _, given := range p.Fields {
		object, name, _ := strings.Cut(given.Field, ".")
		o := s.schema[object]
		if o == nil || (o.custom || strings.HasSuffix(name, "__c")) && !s.deploys(object) {
			continue
		}
		f := o.fields[name]
		switch {
		case f == nil:
			return fmt.Errorf("no field %s", given.Field)
		case f.required:
			return fmt.Errorf("you cannot deploy to a required field: %s", given.Field)
		}
		f.visible, f.editable = f.visible || given.Readable, f.editable || given.Editable
	}
	return nil
}

// taskRights are what it takes to read and write tasks, which have no permission of an object's.
var taskRights = []string{"ActivitiesAccess", "EditTask"}

// takeAway takes the standard objects from the API's user, and those of their fields that are given one by one.
func (s *Simulator) takeAway() {
	for object, fields := range map[string][]string{
		"Contact": {"Phone", "MobilePhone", "HomePhone", "OtherPhone"},
		"Task":    {"ActivityDate", "Description", "WhoId"},
	} {
		o := s.schema[object]
		o.read, o.create, o.edit = false, false, false
		for _, name := range fields {
			o.fields[name].visible, o.fields[name].editable = false, false
		}
	}
}

// autoNumber is the name of a custom object's record.
func (s *Simulator) autoNumber(object string) string {
	return strings.ToUpper(object[:2]) + "-" + strconv.Itoa(len(s.all(object))+1)
}
