package check

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// allowed is what a package under shared/ may import of this module and, in words, of the outside: "aws" is any AWS
// library, "ulid" the id library, "phonenumbers" the one that knows telephone numbers, "openapi" the one that knows
// vendors' documents. The standard library is always allowed. Arrows point one way: functions → adapters → vocabulary.
var allowed = map[string]string{
	"chat":                  "",
	"event":                 "chat",
	"link":                  "chat",
	"whatsapp":              "",
	"whatsapp/whatsapptest": "whatsapp",
	"route":                 "chat",
	"crm":                   "chat",
	"crm/rest":              "crm",
	"crm/match":             "chat crm phone",
	"crm/crmtest":           "chat crm crm/match",
	"crm/crmtest/contract":  "crm/crmtest openapi",
	"crm/hubspot":           "chat crm crm/rest",
	"crm/odoo":              "chat crm crm/rest",
	"crm/espocrm":           "chat crm crm/rest",
	"crm/pipedrive":         "chat crm crm/rest",
	"crm/salesforce":        "chat crm crm/rest",
	"crm/webhook":           "chat crm crm/rest",
	"crm/known":             "crm crm/hubspot crm/odoo crm/espocrm crm/pipedrive crm/salesforce crm/webhook",
	"store":                 "chat aws ulid",
	"phone":                 "phonenumbers",
	"queue":                 "aws",
	"queue/queuetest":       "queue aws",
	"send":                  "chat queue ulid",
	"bus":                   "event aws",
	"blob":                  "aws",
	"blob/blobtest":         "blob",
	"secret":                "aws",
	"httpapi":               "chat",
	"metric":                "",
	"redact":                "",
	"env":                   "",
}

// listed is what `go list` says of a package.
type listed struct {
	ImportPath string
	Imports    []string
}

func TestArrowsPointOneWay(t *testing.T) {
	for _, p := range packages(t) {
		for _, to := range p.Imports {
			if why := forbidden(p.ImportPath, to); why != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, to, why)
			}
		}
	}
}

func TestArrowCheckCatchesWrongArrows(t *testing.T) {
	for _, wrong := range [][2]string{
		{"threadline/shared/chat", "threadline/shared/store"},
		{"threadline/shared/chat", "github.com/aws/aws-sdk-go-v2/aws"},
		{"threadline/shared/store", "threadline/shared/queue"},
		{"threadline/shared/route", "threadline/functions/router/handler"},
		{"threadline/functions/api/handler", "threadline/functions/sender/handler"},
		{"threadline/functions/api/handler", "threadline/infra/local/stack"},
		{"threadline/shared/utils", "fmt"},
		{"threadline/functions/api/handler", "html/template"},
	} {
		if forbidden(wrong[0], wrong[1]) == "" {
			t.Errorf("%s may import %s", wrong[0], wrong[1])
		}
	}
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "threadline/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list packages: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// forbidden says why a package may not import another; empty if it may.
func forbidden(from, to string) string {
	ours, isOurs := strings.CutPrefix(to, "threadline/")
	deployed := strings.HasPrefix(from, "threadline/functions/") || strings.HasPrefix(from, "threadline/shared/")
	if deployed && (to == "html/template" || to == "text/template") {
		return "templates call methods by their names, for which the linker keeps every method of the AWS SDK (ADR 30)"
	}
	if f, ok := strings.CutPrefix(from, "threadline/functions/"); ok {
		name, _, _ := strings.Cut(f, "/")
		if isOurs && !strings.HasPrefix(ours, "shared/") && !strings.HasPrefix(ours, "functions/"+name+"/") {
			return "a function imports shared packages and its own"
		}
		return ""
	}
	name, ok := strings.CutPrefix(from, "threadline/shared/")
	if !ok {
		return ""
	}
	may, known := allowed[name]
	if !known {
		return "the package isn't in the table of what may import what"
	}
	word := strings.TrimPrefix(ours, "shared/")
	switch {
	case strings.HasPrefix(to, "github.com/aws/"):
		word = "aws"
	case strings.HasPrefix(to, "github.com/oklog/ulid"):
		word = "ulid"
	case strings.HasPrefix(to, "github.com/nyaruka/phonenumbers"):
		word = "phonenumbers"
	case strings.HasPrefix(to, "github.com/getkin/kin-openapi/"):
		word = "openapi"
	case !isOurs && !strings.Contains(strings.Split(to, "/")[0], "."):
		return "" // the standard library
	}
	for _, w := range strings.Fields(may) {
		if w == word {
			return ""
		}
	}
	return "the table of what may import what doesn't list it"
}
