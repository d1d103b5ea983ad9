package salesforce

import "slices"

// object is what an org knows of one of its objects.
type object struct {
	name   string
	prefix string // of its records' ids
	custom bool
	fields map[string]*field

	read, create, edit bool // what the API's user may do
}

// field is a field of an object.
type field struct {
	kind     string // id string textarea phone picklist boolean datetime date int reference
	length   int    // in characters
	required bool
	unique   bool
	external bool // an external id: an upsert may name it
	refers   []string
	relation string // the name that a query follows the reference by
	cascades bool   // the record goes with the one it refers to
	fixed    bool   // can't be changed once it is there
	values   []string
	initial  string

	readOnly   bool // nobody writes it
	unfiltered bool // a query can't filter by it
	visible    bool // to the API's user
	editable   bool // by the API's user
}

func standardObjects() map[string]*object {
	text := func(length int) *field { return &field{kind: "string", length: length} }
	phone := func() *field { return &field{kind: "phone", length: 40} }
	long := func(length int) *field { return &field{kind: "textarea", length: length, unfiltered: true} }
	reference := func(relation string, to ...string) *field {
		return &field{kind: "reference", relation: relation, refers: to}
	}
	required := func(f *field) *field { f.required = true; return f }
	fixed := func(f *field) *field { f.fixed = true; return f }
	calculated := func(f *field) *field { f.readOnly = true; return f }
	cascading := func(f *field) *field { f.cascades = true; return f }

	all := map[string]*object{
		"User":       {prefix: "005", fields: map[string]*field{"Name": calculated(text(121))}},
		"TaskStatus": {prefix: "01T", fields: map[string]*field{"ApiName": calculated(text(255)), "MasterLabel": calculated(text(255)), "IsClosed": calculated(&field{kind: "boolean"}), "SortOrder": calculated(&field{kind: "int"})}},
		"Contact": {prefix: "003", create: true, edit: true, fields: map[string]*field{
			"FirstName": text(40), "LastName": required(text(80)), "Name": calculated(text(121)), "Email": text(80),
			"Phone": phone(), "MobilePhone": phone(), "HomePhone": phone(), "OtherPhone": phone(), "Description": long(32000),
			"MasterRecordId": calculated(reference("MasterRecord", "Contact")),
		}},
		"Task": {prefix: "00T", create: true, edit: true, fields: map[string]*field{
			"Subject": text(255), "Description": long(32000), "ActivityDate": {kind: "date"}, "WhatId": reference("What"),
			"WhoId": cascading(reference("Who", "Contact")), "Status": {kind: "picklist", length: 255, initial: "No iniciada"},
			"Priority": {kind: "picklist", length: 255, initial: "Normal"}, "IsClosed": calculated(&field{kind: "boolean"}),
		}},
		"ContentDocument": {prefix: "069", edit: true, fields: map[string]*field{
			"Title": text(255), "LatestPublishedVersionId": calculated(reference("LatestPublishedVersion", "ContentVersion")),
		}},
		"ContentVersion": {prefix: "068", create: true, edit: true, fields: map[string]*field{
			"Title": text(255), "PathOnClient": required(fixed(text(500))), "Description": {kind: "textarea", length: 1000},
			"FirstPublishLocationId": fixed(reference("FirstPublishLocation")), "VersionData": fixed(&field{kind: "base64", unfiltered: true}),
			"ContentDocumentId": calculated(reference("ContentDocument", "ContentDocument")), "ContentSize": calculated(&field{kind: "int"}),
			"Checksum": calculated(text(50)), "FileExtension": calculated(text(40)),
		}},
		"ContentDocumentLink": {prefix: "06A", create: true, edit: true, fields: map[string]*field{
			"ContentDocumentId": required(fixed(cascading(reference("ContentDocument", "ContentDocument")))),
			"LinkedEntityId":    required(fixed(cascading(reference("LinkedEntity")))),
			"ShareType":         {kind: "picklist", length: 40, values: []string{"V", "C", "I"}},
			"Visibility":        {kind: "picklist", length: 40, values: []string{"AllUsers", "InternalUsers", "SharedUsers"}},
		}},
	}
	for name, o := range all {
		o.name, o.read = name, true
		o.finish()
		for _, f := range o.fields {
			f.visible, f.editable = true, !f.readOnly
		}
	}
	return all
}

// finish adds the fields that every object has.
func (o *object) finish() {
	o.fields["Id"] = &field{kind: "id", readOnly: true, visible: true}
	o.fields["IsDeleted"] = &field{kind: "boolean", readOnly: true, visible: true}
	o.fields["CreatedById"] = &field{kind: "reference", relation: "CreatedBy", refers: []string{"User"}, readOnly: true, visible: true}
	for _, name := range []string{"CreatedDate", "LastModifiedDate", "SystemModstamp"} {
		o.fields[name] = &field{kind: "datetime", readOnly: true, visible: true}
	}
}

// relation returns the field that a query follows by a name.
func (o *object) relation(name string) (string, *field) {
	for key, f := range o.fields {
		if f.relation == name && f.visible {
			return key, f
		}
	}
	return "", nil
}

// value returns a field's value as it is stored or calculated.
func (s *Simulator) value(r *record, name string) string {
	switch name {
	case "Id":
		return r.ID
	case "CreatedById":
		return r.By
	case "CreatedDate":
		return r.Created.UTC().Format(stamp)
	case "LastModifiedDate", "SystemModstamp":
		return r.Changed.UTC().Format(stamp)
	case "IsDeleted":
		return map[bool]string{true: "true", false: "false"}[r.Deleted]
	}
	switch {
	case r.Object == "Contact" && name == "Name":
		return nameOf(r)
	case r.Object == "Task" && name == "IsClosed":
		closed := slices.ContainsFunc(s.all("TaskStatus"), func(t *record) bool {
			return t.Values["ApiName"] == r.Values["Status"] && t.Values["IsClosed"] == "true"
		})
		return map[bool]string{true: "true", false: "false"}[closed]
	}
	return r.Values[name]
}

func nameOf(contact *record) string {
	if contact.Values["FirstName"] == "" {
		return contact.Values["LastName"]
	}
	return contact.Values["FirstName"] + " " + contact.Values["LastName"]
}

// stamp is how Salesforce writes a moment.
const stamp = "2006-01-02T15:04:05.000-0700"
