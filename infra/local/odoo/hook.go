package odoo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// hookPatience is how long Odoo waits for whom it tells. It tells once.
// https://github.com/odoo/odoo/blob/19.0/odoo/addons/base/models/ir_actions.py _run_action_webhook
const hookPatience = time.Second

// callHook tells a web address of a record, after the commit. What was written there isn't told, only where.
func (t *tx) callHook(action *record, model string, id int64) {
	url := action.text("webhook_url")
	payload, err := json.Marshal(map[string]any{
		"_action": fmt.Sprintf("%s(#%d)", action.text("name"), action.ID), "_id": id, "_model": model,
	})
	if url == "" || err != nil {
		return
	}
	t.after = append(t.after, func() { t.s.tell(url, payload) })
}

func (s *Simulator) tell(url string, payload []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), hookPatience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(payload))
	if err != nil {
		return
	}
	r.Header.Set("Content-Type", "application/json")
	if res, err := s.options.HTTP.Do(r); err == nil {
		_ = res.Body.Close() // whatever it says
	}
}
