package hubspot

import (
	"context"
	"net/http"
	"slices"

	"threadline/shared/crm"
	"threadline/shared/crm/rest"
)

// Check makes one call for each permission that is needed: reads, and writes of nothing. An answer other than 401 and
// 403 says that the permission is there. What is missing is told all at once. To read the account's time zone is none of
// it: that only tells when the day's calls are there again.
func (c *Connector) Check(ctx context.Context) error {
	if err := c.readAccount(ctx); err != nil && !refused(err) && !rest.HasStatus(err, http.StatusForbidden) {
		return err
	}
	nothing := map[string]any{"inputs": []any{}}
	calls := []struct {
		method, path string
		in           any
	}{
		{http.MethodGet, c.objectPath(contacts) + "?limit=1", nil},
		{http.MethodPost, c.objectPath(contacts, "batch", "upsert"), nothing},
		{http.MethodPost, propertiesPath + contacts + "/batch/create", nothing},
		{http.MethodGet, filesPath + "/search?limit=1", nil},
	}
	var missing *crm.Error
	for _, call := range calls {
		err := c.call(ctx, "check permissions", call.method, call.path, call.in, nil)
		e, ok := asError(err)
		switch {
		case err == nil || ok && e.Class == crm.Refused:
		case ok && e.Class == crm.Stopped && e.Status == http.StatusForbidden:
			if missing == nil {
				missing = e
				continue
			}
			for _, scope := range e.Scopes {
				if !slices.Contains(missing.Scopes, scope) {
					missing.Scopes = append(missing.Scopes, scope)
				}
			}
		default:
			return err
		}
	}
	if missing != nil {
		return missing
	}
	return nil
}
