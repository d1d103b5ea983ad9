package hubspot

import "net/http"

// getAccount describes the account.
// https://developers.hubspot.com/docs/api-reference/latest/account/account-information/get-account-details
func (s *Simulator) getAccount(*http.Request) (int, any, error) {
	zone := s.options.Zone
	now := s.options.Now().In(zone)
	_, offset := now.Zone()
	return http.StatusOK, map[string]any{
		"portalId": 1, "accountType": "DEVELOPER_TEST", "timeZone": zone.String(), "companyCurrency": "EUR",
		"additionalCurrencies": []string{}, "utcOffset": now.Format("-07:00"), "utcOffsetMilliseconds": offset * 1000,
		"uiDomain": "app.hubspot.com", "dataHostingLocation": "na1",
	}, nil
}
