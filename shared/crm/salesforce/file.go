package salesforce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"regexp"
	"strings"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// A file's version, its key where the metadata is deployed, and its link to a record.
const (
	versionObject = "ContentVersion"
	fileKey       = "Threadline_Key__c"
	linkObject    = "ContentDocumentLink"
)

// maxFile is the largest file that a multipart call takes, in bytes.
// https://developer.salesforce.com/docs/platform/api-rest/guide/dome-sobject-insert-update-blob.html
const maxFile = 2 << 30

// PutFile uploads the file onto the contact in one pass and links it to the entry.
func (c *Connector) PutFile(ctx context.Context, on crm.ContactRef, entry crm.EntryRef, f crm.File) (crm.FileRef, error) {
	l, contact, err := c.place(ctx, on)
	if err != nil {
		return "", err
	}
	_, record, err := split(entry)
	if err != nil {
		return "", err
	}
	const op = "upload file"
	content, err := contentOf(f, version(f, contact, l))
	if err != nil {
		return "", fmt.Errorf("%s: %w", op, err)
	}
	var out created
	err = c.do(ctx, call{op: op, object: versionObject, method: http.MethodPost, path: "sobjects/" + versionObject, content: content}, &out)
	id, err := idOf(op, out, err)
	if err != nil {
		return "", c.whereabouts(ctx, contact, err)
	}
	document, err := c.attach(ctx, id, record)
	return crm.FileRef(document), uploaded(err)
}

// uploaded says of an error that the file is in Salesforce all the same.
func uploaded(err error) error {
	if e, ok := errors.AsType[*crm.Error](err); ok {
		e.Unknown = true
	} else if err != nil {
		return &crm.Error{Class: crm.Transient, Unknown: true, Op: "link file", Status: http.StatusOK, Err: err}
	}
	return err
}

// attach asks for the document of a version and links it to a record, in one call.
func (c *Connector) attach(ctx context.Context, version, record string) (document string, err error) {
	const op = "link file"
	results, err := c.composite(ctx, op, []call{
		{op: op, object: versionObject, method: http.MethodGet, path: "sobjects/" + versionObject + "/" + version + "?fields=ContentDocumentId"},
		link(op, "@{step0.ContentDocumentId}", record),
	})
	if err != nil {
		return "", err
	}
	if results[0].err != nil {
		return "", results[0].err
	}
	var v struct{ ContentDocumentID string }
	if json.Unmarshal(results[0].body, &v) != nil || !isID(v.ContentDocumentID) {
		return "", &crm.Error{Class: crm.Transient, Op: op, Status: http.StatusOK, Reason: "NO_ID"}
	}
	// An entry that is gone is told by UpdateMessage; the file is on the contact.
	if err := results[1].err; err != nil && !linkedOrDeleted(err) {
		return "", err
	}
	return long(v.ContentDocumentID), nil
}

// link makes a file visible on a record. To whom is left to Salesforce: internal users, or everybody who sees the record
// as long as there is no Experience Cloud site, that is, nobody else.
// https://help.salesforce.com/s/articleView?id=000384243&type=1
func link(op, document, record string) call {
	return call{op: op, object: linkObject, method: http.MethodPost, path: "sobjects/" + linkObject, in: map[string]any{
		"ContentDocumentId": document, "LinkedEntityId": record, "ShareType": "V",
	}}
}

// FindFile looks for the file by its key, or among the contact's files for the one whose description has it.
func (c *Connector) FindFile(ctx context.Context, on crm.ContactRef, _ crm.EntryRef, f crm.File) (crm.FileRef, bool, error) {
	l, contact, err := c.place(ctx, on)
	if err != nil {
		return "", false, err
	}
	const op = "find file"
	if l.metadata {
		rows, err := query[struct{ ContentDocumentID string }](ctx, c, op, versionObject,
			queryPath("SELECT ContentDocumentId FROM "+versionObject+" WHERE "+fileKey+" = "+literal(f.Key)+" LIMIT 1"))
		if err != nil || len(rows) == 0 {
			return "", false, err
		}
		return crm.FileRef(long(rows[0].ContentDocumentID)), true, nil
	}
	rows, err := query[struct {
		ContentDocumentID string
		ContentDocument   struct {
			LatestPublishedVersion struct{ Description string }
		}
	}](ctx, c, op, linkObject, queryPath("SELECT ContentDocumentId, ContentDocument.LatestPublishedVersion.Description FROM "+
		linkObject+" WHERE LinkedEntityId = "+literal(contact)))
	if err != nil {
		return "", false, err
	}
	for _, row := range rows {
		if row.ContentDocument.LatestPublishedVersion.Description == marker+f.Key {
			return crm.FileRef(long(row.ContentDocumentID)), true, nil
		}
	}
	return "", false, nil
}

// version are the values of a file: where it is seen first, and our key.
func version(f crm.File, contact string, l layout) map[string]any {
	values := map[string]any{
		"Title":                  shorten(strings.TrimSuffix(f.Name, path.Ext(f.Name)), 255),
		"PathOnClient":           shortName(f.Name),
		"FirstPublishLocationId": contact,
	}
	if l.metadata {
		values[fileKey] = f.Key
	} else {
		values["Description"] = marker + f.Key
	}
	return values
}

// shortName keeps the extension, which is all that Salesforce tells a file's type by.
func shortName(name string) string {
	ext := path.Ext(name)
	return shorten(strings.TrimSuffix(name, ext), 500-len(ext)) + ext
}

var plainExtension = regexp.MustCompile(`^\.[A-Za-z0-9]{1,8}$`)

// contentOf is the file behind its values. Its name is among them: a header would have to be ASCII.
func contentOf(f crm.File, values map[string]any) (*rest.Content, error) {
	fields, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	name := "file"
	if ext := path.Ext(f.Name); plainExtension.MatchString(ext) {
		name += ext
	}
	return rest.Multipart(f, `form-data; name="VersionData"; filename="`+name+`"`,
		rest.Field{Name: "entity_content", Type: "application/json", Value: string(fields)})
}
