package stack_test

import (
	"testing"

	"threadline/infra/local/stack"
)

// The real template, deployed as a company deploys it, carries a message from the phone to the CRM.
func TestSAMDeploymentWorks(t *testing.T) {
	o := options(t, t.TempDir())
	o.Template, o.Environ, o.SAM = "", nil, true
	s, _ := start(t, o)
	customer, err := s.Meta().AddCustomer("Somebody", "+34600111222", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Meta().WriteText(customer.ID, "hello"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the message is in the CRM", func() bool { return inCRM(s) })
}

func inCRM(s *stack.Stack) bool {
	for _, contact := range s.HubSpot().Contacts() {
		if len(s.HubSpot().Timeline(contact.ID)) == 1 {
			return true
		}
	}
	return false
}
