package salesforce

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"threadline/shared/crm"
)

// maxHits bounds what a search returns: a number is on a few contacts at most.
const maxHits = "200"

// SearchContacts asks the search index and the table. The index is fast, but it lags behind, and it knows words: of
// "600 111 222" it knows three. The table is read as it is now, and however a number was typed: it counts where the
// index refuses the question, and the index alone counts where reading the table takes too long.
func (c *Connector) SearchContacts(ctx context.Context, p crm.Phone) ([]crm.Contact, error) {
	if !p.Known() {
		return nil, nil
	}
	hits, unindexed := c.searchIndex(ctx, p)
	if unindexed != nil && !refused(unindexed) {
		return nil, unindexed
	}
	more, err := c.searchTable(ctx, p)
	if err != nil && (unindexed != nil || reason(err) != queryTimeout) {
		return nil, err
	}
	var list []crm.Contact
	for _, hit := range append(hits, more...) {
		ref := crm.ContactRef(long(hit.ID))
		if !slices.ContainsFunc(list, func(known crm.Contact) bool { return known.Ref == ref }) {
			list = append(list, hit.found())
		}
	}
	return list, nil
}

// searchIndex searches telephone fields for each way to write the number.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_search_parameterized_get.htm
func (c *Connector) searchIndex(ctx context.Context, p crm.Phone) ([]contact, error) {
	var found struct {
		Records []contact `json:"searchRecords"`
	}
	q := url.Values{
		"q": {strings.Join(plain(slices.Concat(p.Ways, p.National)), " OR ")}, "in": {"PHONE"}, "sobject": {"Contact"},
		"Contact.fields": {contactFields}, "Contact.limit": {maxHits},
	}
	err := c.do(ctx, call{
		op: "search contact", object: "Contact", method: http.MethodGet, path: "parameterizedSearch?" + q.Encode(),
	}, &found)
	return found.Records, err
}

// tablePatience is how long reading the table may take: less than whoever asks has left, and than Salesforce itself would
// go on.
const tablePatience = 30 * time.Second

// searchTable looks for the national number's digits with anything between them. In an org with very many contacts that
// may take too long, which is QUERY_TIMEOUT, whoever has given up.
func (c *Connector) searchTable(ctx context.Context, p crm.Phone) ([]contact, error) {
	var conditions []string
	for _, national := range plain(p.National) {
		pattern := literal("%" + strings.Join(strings.Split(national, ""), "%") + "%")
		for _, field := range telephones {
			conditions = append(conditions, field+" LIKE "+pattern)
		}
	}
	if conditions == nil {
		return nil, nil
	}
	const op = "search contact"
	bounded, cancel := context.WithTimeout(ctx, tablePatience)
	defer cancel()
	rows, err := query[contact](bounded, c, op, "Contact",
		queryPath("SELECT "+contactFields+" FROM Contact WHERE "+strings.Join(conditions, " OR ")+" LIMIT "+maxHits))
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		err = &crm.Error{Class: crm.Transient, Op: op, Status: http.StatusRequestTimeout, Reason: queryTimeout}
	}
	return rows, err
}

// dials tells whether one of the numbers ends with the digits of the telephone.
func dials(numbers []string, p crm.Phone) bool {
	return slices.ContainsFunc(numbers, func(typed string) bool {
		return slices.ContainsFunc(p.National, func(n string) bool { return n != "" && strings.HasSuffix(crm.Digits(typed), n) })
	})
}

// plain leaves nothing but digits of the ways to write a number, so that none holds an operator or a wildcard.
func plain(ways []string) []string {
	var list []string
	for _, way := range ways {
		if way = crm.Digits(way); way != "" && !slices.Contains(list, way) {
			list = append(list, way)
		}
	}
	return list
}
