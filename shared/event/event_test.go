package event

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"threadline/shared/chat"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// samples are one event of each type with all of its fields, and with as few as there may be.
var samples = map[string][2]Detail{
	NumberHealthV1: {
		NumberHealth{
			Number: "111", Account: "222", Display: "15550100001", Answers: true, Why: "restriction:X", Until: now,
			Facts: map[string]Fact{"restriction:X": {Value: "X", Why: "spam", Until: now, At: now}},
		},
		NumberHealth{Number: "111", Facts: map[string]Fact{}},
	},
}

func schema(t *testing.T, kind string) *jsonschema.Schema {
	t.Helper()
	raw, err := Schema(kind)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource(kind, document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile(kind)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func encoded(t *testing.T, e Event) map[string]any {
	t.Helper()
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return value.(map[string]any)
}

// Ensure that what is published is what the schemas promise, and that the schemas know every field there is.
func TestEventsFollowTheirSchemas(t *testing.T) {
	for _, kind := range Types() {
		t.Run(kind, func(t *testing.T) {
			s := schema(t, kind)
			both, there := samples[kind]
			if !there {
				t.Fatal("there is no sample")
			}
			for _, d := range both {
				if err := s.Validate(encoded(t, New("e1", now, d))); err != nil {
					t.Error(err)
				}
			}
			full, least := encoded(t, New("e1", now, both[0])), encoded(t, New("e1", now, both[1]))
			sameFields(t, "", s, full)
			for name := range least {
				without := maps.Clone(least)
				delete(without, name)
				if s.Validate(without) == nil {
					t.Errorf("an event without %s passes, and every one has it", name)
				}
			}
		})
	}
}

// sameFields compares the fields of a sample that has all of them with those that its schema describes.
func sameFields(t *testing.T, path string, s *jsonschema.Schema, sample map[string]any) {
	t.Helper()
	described, there := slices.Sorted(maps.Keys(s.Properties)), slices.Sorted(maps.Keys(sample))
	if !slices.Equal(described, there) {
		t.Errorf("%s/: the schema has %v, the event %v", path, described, there)
	}
	for name, field := range sample {
		inner, isObject := field.(map[string]any)
		if !isObject || s.Properties[name] == nil {
			continue
		}
		each, named := s.Properties[name].AdditionalProperties.(*jsonschema.Schema)
		for key, value := range inner {
			if value, isObject := value.(map[string]any); named && isObject {
				sameFields(t, path+"/"+name+"/"+key, each, value)
			}
		}
	}
}

func TestSchemasRefuse(t *testing.T) {
	s := schema(t, NumberHealthV1)
	for name, wrong := range map[string]any{"v": 2, "at": "yesterday", "answers": "yes", "number": "", "facts": []any{}, "until": "2026"} {
		e := encoded(t, New("e1", now, samples[NumberHealthV1][0]))
		e[name] = wrong
		if s.Validate(e) == nil {
			t.Errorf("%s = %v passes", name, wrong)
		}
	}
}

func TestEncoding(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.FixedZone("CET", 3600))
	raw, err := json.Marshal(New("e1", at, NumberHealth{Number: "111", Answers: true, Templates: true, Facts: map[string]Fact{}}))
	if want := `{"answers":true,"at":"2026-11-22T09:00:00Z","facts":{},"id":"e1","number":"111","templates":true,"v":1}`; err != nil || string(raw) != want {
		t.Errorf("%s, %v\nwant %s", raw, err, want)
	}
	for _, wrong := range []any{nil, 1, []string{"x"}, struct {
		ID string `json:"id"`
	}{"mine"}} {
		if raw, err := json.Marshal(Event{V: 1, ID: "e1", Type: "x.v1", At: now, Detail: wrong}); err == nil {
			t.Errorf("%#v is encoded as %s", wrong, raw)
		}
	}
}

// Ensure that nobody asks for a schema and gets another file.
func TestSchema(t *testing.T) {
	for _, kind := range []string{"", "message.read.v9", "../event"} {
		if _, err := Schema(kind); err == nil || !strings.Contains(err.Error(), "no event type") {
			t.Errorf("%q: %v", kind, err)
		}
	}
	files, err := schemas.ReadDir("schemas")
	if err != nil || len(files) != len(Types()) {
		t.Errorf("%d schemas for %d types, %v", len(files), len(Types()), err)
	}
}

func TestHealth(t *testing.T) {
	stamp := func(minutes int) chat.Stamp { return chat.Stamp{At: now.Add(time.Duration(minutes) * time.Minute)} }
	own := chat.Facts{
		chat.FactQuality: {Value: "GREEN", Stamp: stamp(-3)},
		chat.FactAlert:   {Value: "own", Stamp: stamp(-2)},
	}
	until := now.Add(time.Hour)
	restricted := chat.FactRestriction + ":RESTRICTED_BIZ_INITIATED_MESSAGING"
	account := chat.Facts{
		chat.FactAlert: {Value: "the account's", Stamp: stamp(-1)},
		restricted:     {Value: "RESTRICTED_BIZ_INITIATED_MESSAGING", Why: "spam", Until: until, Stamp: stamp(-1)},
	}
	want := NumberHealth{
		Number: "111", Account: "222", Display: "+1", Answers: true, Templates: false, Why: restricted, Until: until,
		Facts: map[string]Fact{
			chat.FactQuality: {Value: "GREEN", At: stamp(-3).At},
			chat.FactAlert:   {Value: "own", At: stamp(-2).At},
			restricted:       {Value: "RESTRICTED_BIZ_INITIATED_MESSAGING", Why: "spam", Until: until, At: stamp(-1).At},
		},
	}
	if got := Health("111", "222", "+1", own, account, now); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := account[chat.FactAlert].Value; got != "the account's" || len(account) != 2 {
		t.Error("the account's own facts were changed")
	}
	if got := Health("111", "", "", nil, nil, now); !got.Answers || !got.Templates || got.Facts == nil {
		t.Errorf("of a number of which nothing is known: %+v", got)
	}
}

// Ensure that the example that people copy is an event.
func TestDocumentedExamples(t *testing.T) {
	page, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range Types() {
		_, section, _ := strings.Cut(string(page), "\n## "+kind+"\n")
		_, example, _ := strings.Cut(section, "```json\n")
		example, _, found := strings.Cut(example, "```")
		if !found {
			t.Errorf("docs/events.md has no example of %s", kind)
			continue
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(example))
		if err == nil {
			err = schema(t, kind).Validate(value)
		}
		if err != nil {
			t.Error(err)
		}
	}
}
