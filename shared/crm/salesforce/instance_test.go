package salesforce

import "testing"

func TestSameOrg(t *testing.T) {
	for _, row := range []struct {
		instance string
		same     bool
	}{
		{"https://acme.my.salesforce.com", true},
		{"https://acme.my.salesforce.com/", true},
		{"https://ACME.my.salesforce.com", true},
		{"https://acme.my.force.com", true},
		{"https://other.my.salesforce.com", false},
		{"https://acme2.my.salesforce.com", false},
		{"http://acme.my.salesforce.com", false},
		{"https://acme.my.salesforce.com:8443", false},
		{"https://acme.example.com", false},
		{"https://acme.salesforce.com.example.com", false},
		{"https://acme.evilsalesforce.com", false},
		{"https://acme.my.salesforce.com@example.com", false},
		{"https://example.com/acme.my.salesforce.com", false},
		{"https://acme.my.salesforce.com/elsewhere", false},
		{"", false},
	} {
		if got := sameOrg("https://acme.my.salesforce.com", row.instance); got != row.same {
			t.Errorf("%s: the same org is %v, want %v", row.instance, got, row.same)
		}
	}
	if !sameOrg("http://127.0.0.1:8080", "http://127.0.0.1:8080") || sameOrg("http://127.0.0.1:8080", "http://127.0.0.1:8081") {
		t.Error("on loopback the instance is the configured address, port included")
	}
}

// TestLong compares with ids that Salesforce's own guides show.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_search.htm
func TestLong(t *testing.T) {
	for _, want := range []string{"001D000000IqhSLIAZ", "001D000000IomazIAB"} {
		if got := long(want[:15]); got != want {
			t.Errorf("long(%s) = %s, want %s", want[:15], got, want)
		}
		if got := long(want); got != want {
			t.Errorf("long(%s) = %s", want, got)
		}
	}
}
