package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"threadline/infra/sim"
	wa "threadline/shared/whatsapp"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// observed is what all tests look at: finding it out takes a second.
func observed(t *testing.T) observation {
	t.Helper()
	running.Do(func() { failure = sim.Outside(func(h testing.TB) { found = observe(h) }) })
	if failure != nil {
		t.Fatal(failure)
	}
	return found
}

var (
	running sync.Once
	found   observation
	failure error
)

func TestDocumentIsWhatTheCodeDoes(t *testing.T) {
	written, err := os.ReadFile(filepath.Join("..", "..", "docs", "whatsapp.md"))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(document(observed(t)), "\n")
	for i, line := range strings.Split(string(written), "\n") {
		if i >= len(want) || line != want[i] {
			t.Fatalf("docs/whatsapp.md:%d isn't what go run ./infra/coverage writes:\n%s\n%s", i+1, line, want[min(i, len(want)-1)])
		}
	}
}

func TestEveryEmptyCellHasAReason(t *testing.T) {
	used := make([]bool, len(reasons))
	for _, r := range observed(t).rows {
		for _, c := range columns {
			i, ok := whyEmpty(r.key(), c)
			switch {
			case r.cells[c] != absent:
			case !ok:
				t.Errorf("%s: nothing says why %s is empty", r.key(), c)
			default:
				used[i] = true
			}
		}
	}
	for i, r := range reasons {
		if !used[i] {
			t.Errorf("a reason is for no empty cell: %s: %s", r.rows, r.columns)
		}
	}
}

// TestExactReasonsAreForEmptyCells: one that names a row is wrong as soon as the row isn't empty any more.
func TestExactReasonsAreForEmptyCells(t *testing.T) {
	for _, r := range observed(t).rows {
		for _, why := range reasons {
			for _, c := range columns {
				exact := slices.Contains(strings.Split(why.rows, "|"), r.key())
				if exact && slices.Contains(strings.Fields(why.columns), string(c)) && r.cells[c] != absent {
					t.Errorf("%s: %s isn't empty, and a reason says why it is", r.key(), c)
				}
			}
		}
	}
}

func TestSamplesAreToldApart(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range observed(t).rows {
		if seen[r.key()] {
			t.Errorf("two rows are called %s", r.key())
		}
		seen[r.key()] = true
	}
}

// parsedTypes are what updates are parsed into.
var parsedTypes = []any{
	wa.Message{}, wa.Status{}, wa.History{}, wa.Call{}, wa.SavedContact{}, wa.Preference{}, wa.Handover{}, wa.GroupEvent{},
	wa.Signal{}, wa.AccountEvent{}, wa.Update{},
}

// rowless are fields without a row, and why.
var rowless = map[string]string{
	"Update.Kind": "what the webhook was taken apart into", "Update.Field": "the name of the table's row", "AccountEvent.Field": "the same",
	"Interactive.Type": "samples are called after it",
	"Update.Time":      "of the envelope", "AccountEvent.Timestamp": "the envelope's time",
	"History.Media": "which of two forms it came in", "HistoryMessage.FromBusiness": "concluded from who wrote to whom",
	"SavedContact.BSUID": "Meta doesn't document it",
	"Error.HTTPStatus":   "of answers", "Error.Subcode": "of answers", "Error.Type": "of answers", "Error.Transient": "of answers",
	"Error.FBTraceID": "of answers", "Error.RetryAfter": "of answers", "Error.Err": "of answers", "Error.Class": "concluded from the code",
}

// TestEveryParsedFieldHasARow: what is read by package whatsapp is in the tables, also what will be.
func TestEveryParsedFieldHasARow(t *testing.T) {
	typed := observed(t).typed
	all := map[string]bool{}
	for _, v := range parsedTypes {
		typeFields(reflect.TypeOf(v), "", all)
	}
	for f := range all {
		if !typed[f] && rowless[f] == "" {
			t.Errorf("whatsapp.%s: no sample shows it", f)
		}
	}
	for f := range rowless {
		if typed[f] || !all[f] {
			t.Errorf("whatsapp.%s: a sample shows it, or it is gone", f)
		}
	}
}

// typeFields collects the fields that have no fields themselves, such as "Media.Caption".
func typeFields(t reflect.Type, name string, all map[string]bool) {
	switch {
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		typeFields(t.Elem(), name, all)
	case t.Kind() == reflect.Slice: // Meta's JSON as it came
	case t.Kind() != reflect.Struct || t.PkgPath() == "time":
		all[name] = true
	default:
		for i := range t.NumField() {
			f := t.Field(i)
			inner := t.Name() + "." + f.Name
			if t.Name() == "Edit" && f.Name == "Message" || !f.IsExported() {
				continue // a message in a message
			}
			typeFields(f.Type, inner, all)
		}
	}
}

// TestEveryOutgoingFieldHasARow: so for what can be sent, by Meta's names.
func TestEveryOutgoingFieldHasARow(t *testing.T) {
	rows := map[string]bool{}
	for _, r := range observed(t).rows {
		if r.group == "sending" {
			rows[r.field] = true
		}
	}
	for i := range reflect.TypeFor[wa.Outgoing]().NumField() {
		f := reflect.TypeFor[wa.Outgoing]().Field(i)
		for path := range wirePaths(f) {
			if !rows[path] {
				t.Errorf("whatsapp.Outgoing.%s: no order shows %s", f.Name, path)
			}
		}
	}
}

// wirePaths are the paths at which a field of a message is sent.
func wirePaths(f reflect.StructField) map[string]bool {
	known := map[string]string{"To": "to", "Recipient": "recipient", "Group": "to", "ReplyTo": "context.message_id", "CallbackData": "biz_opaque_callback_data",
		"Template": "template.name", "Interactive": "interactive.body.text"}
	if path, ok := known[f.Name]; ok {
		return map[string]bool{path: true}
	}
	all := map[string]bool{}
	jsonPaths(f.Type, strings.ToLower(f.Name), all)
	for path := range all {
		kind, name, _ := strings.Cut(path, ".")
		only := map[string]string{"caption": "image video document", "filename": "document", "voice": "audio", "link": "image"}[name]
		if only != "" && !strings.Contains(only, kind) {
			delete(all, path) // Meta takes it with other kinds only, or one stands for all
		}
	}
	return all
}

func jsonPaths(t reflect.Type, path string, all map[string]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		jsonPaths(t.Elem(), path, all)
	case reflect.Struct:
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			jsonPaths(t.Field(i).Type, path+"."+name, all)
		}
	default:
		all[path] = true
	}
}

// TestEveryComposerIsTried: what writes messages in package whatsapp writes one of the orders.
func TestEveryComposerIsTried(t *testing.T) {
	tried, err := os.ReadFile("orders.go")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob(filepath.Join("..", "..", "shared", "whatsapp", "compose*.go"))
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !fn.Name.IsExported() {
				continue
			}
			count++
			if !regexp.MustCompile(`\.` + fn.Name.Name + `\(`).Match(tried) {
				t.Errorf("whatsapp.%s isn't among the orders", fn.Name.Name)
			}
		}
	}
	if count < 20 {
		t.Errorf("found %d composers only", count)
	}
}
