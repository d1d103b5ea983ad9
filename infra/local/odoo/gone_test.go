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
