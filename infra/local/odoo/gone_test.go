package odoo

import (
	"fmt"
	"net/http"
	"reflect"
	"testing"
)

// TestGone proves what Odoo says of records that it doesn't have, which isn't always that it doesn't have them.
func TestGone(t *testing.T) {
	c := start(t, Options{})
	for _, model := range []string{"res.partner", "mail.message", "ir.attachment"} {
		if got := c.call(model+"/read", `{"ids":[4711],"fields":["create_date"]}`); !reflect.DeepEqual(got, []any{}) {
			t.Errorf("read of nothing: %v", got)
		}
		if got := fmt.Sprint(c.call(model+"/read", `{"ids":[4711],"fields":["id"]}`)); got != "[map[id:4711]]" {
			t.Errorf("read of no more than the id: %v", got)
		}
	}
	if got := c.call("mail.message/write", `{"ids":[4711],"vals":{"body":"x"}}`); got != true {
		t.Errorf("write on no message: %v", got)
	}
	if status, _ := c.post("/json/2/mail.message/write", testKey, `{"ids":[4711],"vals":{"body":"x","attachment_ids":[[4,4712]]}}`); status == http.StatusOK {
		t.Error("files on no message are taken")
	}
}

// TestHidden proves that what isn't to be seen is left out of a search and an error for a read, and that a mention shows the
// message and not the contact.
func TestHidden(t *testing.T) {
	c := start(t, Options{})
	id := c.contact()
	if err := c.sim.Write(fmt.Sprint(id), "hello"); err != nil {
		t.Fatal(err)
	}
	message := c.call("mail.message/search", `{"domain":[]}`).([]any)[0].(float64)
	if err := c.sim.Hide(fmt.Sprint(id)); err != nil {
		t.Fatal(err)
	}
	for i, mentioned := range []bool{false, true} {
		if mentioned {
			c.call("mail.message/write", fmt.Sprintf(`{"ids":[%v],"vals":{"partner_ids":[[4,%d]]}}`, message, integrationPartner))
		}
		for model, id := range map[string]any{"res.partner": id, "mail.message": message} {
			seen := mentioned && model == "mail.message"
			found := c.call(model+"/search_count", fmt.Sprintf(`{"domain":[["id","=",%v]]}`, id))
			status, _ := c.post("/json/2/"+model+"/read", testKey, fmt.Sprintf(`{"ids":[%v],"fields":["create_date"]}`, id))
			if (found == 1.0) != seen || (status == http.StatusOK) != seen || !seen && status != http.StatusForbidden {
				t.Errorf("%d: %s: found %v, read %d", i, model, found, status)
			}
		}
	}
}
