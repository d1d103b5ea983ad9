package odoo

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"threadline/shared/crm"
)

// row is an import of one record: Odoo's load, which makes the record that an external id names, or changes it. That is
// what makes everything here idempotent.
type row struct {
	op      string
	model   string
	name    string // of its external id, without the module
	columns []string
	cells   []string
	context map[string]any
	on      int64 // the contact that the record belongs to; 0 if it is one
}

func (r *row) set(column, cell string) {
	r.columns, r.cells = append(r.columns, column), append(r.cells, cell)
}

func (r row) call() call {
	columns, cells := append([]string{"id"}, r.columns...), append([]string{module + "." + r.name}, r.cells...)
	return call{op: r.op, model: r.model, method: "load", args: map[string]any{"fields": columns, "data": [][]string{cells}}, context: r.context}
}

// loaded is what load returns: with ids false, and status 200, if it failed.
type loaded struct {
	IDs      any `json:"ids"`
	Messages []struct {
		Type    string `json:"type"`
		Field   string `json:"field"`
		Message string `json:"message"`
	} `json:"messages"`
}

// id returns the record's id; 0 if it was refused.
func (l loaded) id() int64 {
	if list, ok := l.IDs.([]any); ok && len(list) == 1 {
		n, _ := list[0].(float64)
		return int64(n)
	}
	return 0
}

// refused is the reason of an import that was refused, with the field in which, if Odoo names one.
const refused = "LOAD_REFUSED"

func refusedIn(field string) string { return refused + "_" + field }

// contended tells whether it lost a race. The words are PostgreSQL's, of which nothing but the English ones are known.
// https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html
func (l loaded) contended() bool {
	for _, m := range l.Messages {
		if strings.Contains(m.Message, "could not serialize access") || strings.Contains(m.Message, "deadlock detected") {
			return true
		}
	}
	return false
}

func (c *Connector) load(ctx context.Context, r row) (int64, error) {
	var out loaded
	if err := c.do(ctx, r.call(), &out); err != nil {
		return 0, err
	}
	return c.settle(ctx, r, out)
}

// settle returns the id of what was imported, or finds out why it wasn't. Nothing was done then.
func (c *Connector) settle(ctx context.Context, r row, out loaded) (int64, error) {
	if id := out.id(); id != 0 {
		return id, nil
	}
	if out.contended() {
		return 0, &crm.Error{Class: crm.Transient, Op: r.op, Status: http.StatusOK, Reason: "SerializationFailure"}
	}
	if r.on != 0 {
		if err := c.exists(ctx, r.op, partnerModel, r.on); err != nil {
			return 0, err
		}
	}
	for _, right := range [][2]string{{r.model, "create"}, {r.model, "write"}, {partnerModel, "write"}} {
		ok, err := c.may(ctx, right[0], right[1])
		if err != nil {
			return 0, err
		}
		if !ok {
			return 0, lacks(r.op, right[0])
		}
	}
	// A rule of the company's, or a module's: a field of theirs that is required, for instance. Somebody may change it.
	e := &crm.Error{Class: crm.Transient, Op: r.op, Status: http.StatusOK, Reason: refused}
	for _, m := range out.Messages {
		if m.Type == "error" && m.Field != "" {
			e.Reason = refusedIn(m.Field)
		}
	}
	return 0, e
}

func lacks(op, model string) error {
	return &crm.Error{Class: crm.Stopped, Op: op, Status: http.StatusOK, Reason: "AccessError", Scopes: []string{model}}
}

// stored is a field that every record has. Asked for their ids alone, Odoo tells even of records that it doesn't have.
// https://github.com/odoo/odoo/blob/19.0/odoo/orm/models.py _read_format
const stored = "create_date"

// exists is crm.ErrGone if a record was deleted: read then returns nothing, which is no error.
func (c *Connector) exists(ctx context.Context, op, model string, id int64) error {
	var found []struct{}
	err := c.do(ctx, call{op: op, model: model, method: "read", ids: []int64{id}, args: map[string]any{"fields": []string{stored}}}, &found)
	if err == nil && len(found) == 0 {
		return fmt.Errorf("%s: %w", op, crm.ErrGone)
	}
	return err
}

// may asks for a right to a model.
func (c *Connector) may(ctx context.Context, model, operation string) (ok bool, err error) {
	q := call{
		op: "ask for rights", model: model, method: "check_access_rights",
		args: map[string]any{"operation": operation, "raise_exception": false},
	}
	way, err := c.detect(ctx)
	if err != nil {
		return false, err
	}
	if way == json2 { // 19 does without check_access_rights, 17 has no has_access
		q.method, q.ids, q.args = "has_access", []int64{}, map[string]any{"operation": operation}
	}
	err = c.do(ctx, q, &ok)
	return ok, err
}
