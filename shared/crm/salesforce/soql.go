package salesforce

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"threadline/shared/crm"
)

var literalEscaper = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

// literal writes a text as a SOQL string that ends where it is meant to.
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
func literal(s string) string { return "'" + literalEscaper.Replace(s) + "'" }

// moment writes a time as SOQL compares it.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// queryPath is the path of a query. That of queryAll also sees what is deleted, and activities that are archived.
func queryPath(soql string) string    { return "query?q=" + url.QueryEscape(soql) }
func queryAllPath(soql string) string { return "queryAll?q=" + url.QueryEscape(soql) }

// query returns all the rows of a query.
func query[T any](ctx context.Context, c *Connector, op, object, path string) ([]T, error) {
	var rows []T
	for path != "" {
		var page struct {
			Records []T    `json:"records"`
			Next    string `json:"nextRecordsUrl"`
		}
		if err := c.do(ctx, call{op: op, object: object, method: http.MethodGet, path: path}, &page); err != nil {
			return nil, err
		}
		rows = append(rows, page.Records...)
		if path = page.Next; path != "" && !strings.HasPrefix(path, "/services/data/") {
			return nil, &crm.Error{Class: crm.Transient, Op: op, Status: http.StatusOK, Reason: "BAD_NEXT_PAGE"}
		}
	}
	return rows, nil
}

// isID tells whether a text is a record's id, of either length.
func isID(s string) bool {
	if len(s) != 15 && len(s) != 18 {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
}

// long returns an id's form of 18 characters: the last three say which of the others are upper case, so that it can be
// compared without regard to case. https://help.salesforce.com/s/articleView?id=000385585&type=1
func long(id string) string {
	if len(id) != 15 {
		return id
	}
	for part := 0; part < 15; part += 5 {
		bits := 0
		for i := range 5 {
			if c := id[part+i]; c >= 'A' && c <= 'Z' {
				bits |= 1 << i
			}
		}
		id += string("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits])
	}
	return id
}
