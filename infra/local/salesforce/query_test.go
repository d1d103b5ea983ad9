package salesforce

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestQueries(t *testing.T) {
	c := start(t, Options{Batch: 2})
	var ids []string
	for _, name := range []string{"O'Hara", `back\slash`, "Silva"} {
		id, err := c.sim.Add("Contact", map[string]string{"LastName": name, "Phone": "600 11 12 22"})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	for soql, want := range map[string]int{
		`SELECT Id FROM Contact WHERE LastName = 'O\'Hara'`:                                     1,
		`SELECT Id FROM Contact WHERE LastName = 'back\\slash'`:                                 1,
		`SELECT Id FROM Contact WHERE LastName = 'silva' AND (Id = '` + ids[2][:15] + `')`:      1,
		`SELECT Id FROM Contact WHERE Phone LIKE '%6%0%0%1%1%1%2%2%2%' LIMIT 2`:                 2,
		`SELECT Id FROM Contact WHERE LastName LIKE '%l_a%'`:                                    1,
		`SELECT Id FROM Contact WHERE LastName LIKE '\%%'`:                                      0,
		`SELECT Id FROM Contact WHERE LastName = 'x' OR LastName IN ('Silva', 'y')`:             1,
		`SELECT Id, CreatedBy.Name FROM Contact WHERE CreatedDate < 2000-01-01T00:00:00Z`:       0,
		`SELECT MasterLabel FROM TaskStatus WHERE IsClosed = TRUE ORDER BY SortOrder LIMIT 1`:   1,
		`SELECT Id FROM Contact WHERE LastName != null ORDER BY LastName DESC, Id LIMIT 1`:      1,
		`SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '` + ids[0] + `'`:            0,
		`SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId IN ('` + ids[0] + `') LIMIT 1`: 0,
	} {
		if got := c.rows(soql); len(got) != want {
			t.Errorf("%s: %d rows, want %d", soql, len(got), want)
		}
	}
	for soql, code := range map[string]string{
		`SELECT Id FROM Contact WHERE LastName = 'O'Hara'`:           "MALFORMED_QUERY",
		`SELECT Id FROM Contact WHERE LastName = 'a\z'`:              "MALFORMED_QUERY",
		`SELECT Id FROM Contact WHERE A = '1' AND B = '2' OR C = ''`: "MALFORMED_QUERY",
		`SELECT * FROM Contact`:                                      "MALFORMED_QUERY",
		`SELECT Nickname FROM Contact`:                               "INVALID_FIELD",
		`SELECT Id FROM Task WHERE Description = 'x'`:                "INVALID_FIELD",
		`SELECT Id FROM Nothing__c`:                                  "INVALID_TYPE",
		`SELECT Id FROM ContentDocumentLink`:                         "MALFORMED_QUERY",
	} {
		c.want(400, code, "GET", "query?q="+url.QueryEscape(soql), "")
	}
	first := c.want(200, `"done":false`, "GET", "query?q="+url.QueryEscape("SELECT Id FROM Contact WHERE Phone != '0-0'"), "")
	var page struct {
		Next string `json:"nextRecordsUrl"`
	}
	if err := json.Unmarshal([]byte(first), &page); err != nil {
		t.Fatal(err)
	}
	c.want(200, `"done":true`, "GET", strings.TrimPrefix(page.Next, "/services/data/v62.0/"), "")
	if err := c.sim.Merge(ids[0], ids[1]); err != nil {
		t.Fatal(err)
	}
	c.want(200, ids[0], "GET", "queryAll?q="+url.QueryEscape("SELECT MasterRecordId FROM Contact WHERE Id = '"+ids[1]+"'"), "")
}

// TestSearch proves that the index knows words, and nothing of the last moment.
func TestSearch(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := start(t, Options{Now: func() time.Time { return now }, SearchLag: time.Minute})
	for _, phone := range []string{"+34600111222", "600 111 222"} {
		if _, err := c.sim.Add("Contact", map[string]string{"LastName": "Silva", "HomePhone": phone}); err != nil {
			t.Fatal(err)
		}
	}
	search := func(q string, want int) {
		t.Helper()
		answer := c.want(200, "searchRecords", "GET", "parameterizedSearch?q="+url.QueryEscape(q)+"&in=PHONE&sobject=Contact&Contact.fields=Id,HomePhone", "")
		if got := strings.Count(answer, "HomePhone"); got != want {
			t.Errorf("%q: %d found, want %d", q, got, want)
		}
	}
	search("34600111222", 0)
	now = now.Add(time.Hour)
	search("34600111222", 1)
	search("600111222", 0)
	search("600 222 111", 1)
	search("1 OR 34600111222 OR 600 111 222", 2)
}
