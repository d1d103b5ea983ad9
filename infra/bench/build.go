package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	texttemplate "text/template"
)

// deployedArch is template.yaml's default.
const deployedArch = "arm64"

// flags are those of a deployment: see the Makefile.
var flags = []string{"-trimpath", "-tags=lambda.norpc", "-ldflags=-s"}

// withPhones is the router's empty function with the package that knows telephone numbers: what the library behind that one
// adds.
const withPhones = "phone library"

// buildAll builds every function, and beside it an empty one that makes the same clients: for this machine into
// dir/own and dir/empty, as deployed into dir/deployed. The last one is withPhones.
func buildAll(ctx context.Context, root, dir string) (functions []string, err error) {
	mains, err := filepath.Glob(filepath.Join(root, "functions", "*", "main.go"))
	if err != nil {
		return nil, err
	}
	o := overlay{dir: dir, root: root, replace: map[string]string{}}
	var own, empty []string
	for _, main := range mains {
		name := filepath.Base(filepath.Dir(main))
		functions, own = append(functions, name), append(own, "./functions/"+name)
		pkg, err := o.add(name, main)
		if err != nil {
			return nil, err
		}
		empty = append(empty, pkg)
	}
	phones, err := o.add("phones", filepath.Join(root, "functions/router/main.go"), "threadline/shared/phone")
	if err != nil {
		return nil, err
	}
	overlaid, err := o.write()
	if err != nil {
		return nil, err
	}
	for _, b := range []struct {
		arch, into string
		arguments  []string
	}{
		{runtime.GOARCH, "own", append([]string{overlaid, phones}, own...)},
		{runtime.GOARCH, "empty", append([]string{overlaid}, empty...)},
		{deployedArch, "deployed", append([]string{overlaid, phones}, own...)},
	} {
		if err := build(ctx, root, b.arch, filepath.Join(dir, b.into), b.arguments); err != nil {
			return nil, err
		}
	}
	for into, file := range map[string]string{"own": "phones", "deployed": "phones", "empty": "router"} {
		if err := os.Link(filepath.Join(dir, into, file), filepath.Join(dir, into, withPhones)); err != nil {
			return nil, err
		}
	}
	return append(functions, withPhones), nil
}

// overlay are packages that are in the module for one build only.
type overlay struct {
	dir, root string
	replace   map[string]string // path in the module to the file that stands for it
}

// add makes an empty function with the clients of another one, and with packages that it only imports. It returns how a
// build names it.
func (o *overlay) add(name, main string, imports ...string) (pkg string, err error) {
	source, err := emptySource(main, imports...)
	if err != nil {
		return "", err
	}
	file := filepath.Join(o.dir, name+".go")
	if err := os.WriteFile(file, source, 0o600); err != nil {
		return "", err
	}
	inModule, err := filepath.Abs(filepath.Join(o.root, "infra/bench/empty", name, "main.go"))
	o.replace[inModule] = file
	return "./infra/bench/empty/" + name, err
}

// write returns the build's flag for all that was added.
func (o *overlay) write() (flag string, err error) {
	text, err := json.Marshal(map[string]any{"Replace": o.replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(o.dir, "overlay.json")
	return "-overlay=" + file, os.WriteFile(file, text, 0o600)
}

func build(ctx context.Context, root, arch, into string, arguments []string) error {
	if err := os.MkdirAll(into, 0o700); err != nil {
		return err
	}
	all := append([]string{"build"}, flags...)
	all = append(append(all, "-o", into+string(filepath.Separator)), arguments...)
	cmd := exec.CommandContext(ctx, "go", all...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS="+runtime.GOOS, "GOARCH="+arch)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build for %s: %w: %s", arch, err, bytes.TrimSpace(output))
	}
	return nil
}

const clients = "github.com/aws/aws-sdk-go-v2/service/"

var emptyMain = texttemplate.Must(texttemplate.New("").Parse(`package main

import (
	"context"
	"encoding/json"
	"log"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
{{range .Clients}}	"{{.Path}}"
{{end}}{{range .Imports}}	_ "{{.}}"
{{end}})

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
{{range .Clients}}	_ = {{.Name}}.NewFromConfig(cfg)
{{end}}	lambda.Start(func(context.Context, json.RawMessage) (struct{}, error) { return struct{}{}, nil })
}
`))

// emptySource is a function that makes the clients of another one and does nothing else.
func emptySource(main string, imports ...string) ([]byte, error) {
	file, err := parser.ParseFile(token.NewFileSet(), main, nil, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	type client struct{ Name, Path string }
	var made []client
	for _, i := range file.Imports {
		if p, err := strconv.Unquote(i.Path.Value); err == nil && strings.HasPrefix(p, clients) {
			made = append(made, client{path.Base(p), p})
		}
	}
	var source bytes.Buffer
	err = emptyMain.Execute(&source, map[string]any{"Clients": made, "Imports": imports})
	return source.Bytes(), err
}
