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

// buildAll builds every function, and beside it an empty one that makes the same clients: for this machine into
// dir/own and dir/empty, as deployed into dir/deployed.
func buildAll(ctx context.Context, root, dir string) (functions []string, err error) {
	mains, err := filepath.Glob(filepath.Join(root, "functions", "*", "main.go"))
	if err != nil {
		return nil, err
	}
	overlay := map[string]string{} // path in the module to the file that stands for it
	var own, empty []string
	for _, main := range mains {
		name := filepath.Base(filepath.Dir(main))
		functions, own, empty = append(functions, name), append(own, "./functions/"+name), append(empty, "./infra/bench/empty/"+name)
		source, err := emptySource(main)
		if err != nil {
			return nil, err
		}
		file := filepath.Join(dir, name+".go")
		if err := os.WriteFile(file, source, 0o600); err != nil {
			return nil, err
		}
		inModule, err := filepath.Abs(filepath.Join(root, "infra/bench/empty", name, "main.go"))
		if err != nil {
			return nil, err
		}
		overlay[inModule] = file
	}
	text, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		return nil, err
	}
	overlaid := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlaid, text, 0o600); err != nil {
		return nil, err
	}
	for _, b := range []struct {
		arch, into string
		arguments  []string
	}{
		{runtime.GOARCH, "own", own},
		{runtime.GOARCH, "empty", append([]string{"-overlay", overlaid}, empty...)},
		{deployedArch, "deployed", own},
	} {
		if err := build(ctx, root, b.arch, filepath.Join(dir, b.into), b.arguments); err != nil {
			return nil, err
		}
	}
	return functions, nil
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
{{range .}}	"{{.Path}}"
{{end}})

func main() {
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
{{range .}}	_ = {{.Name}}.NewFromConfig(cfg)
{{end}}	lambda.Start(func(context.Context, json.RawMessage) (struct{}, error) { return struct{}{}, nil })
}
`))

// emptySource is a function that makes the clients of another one and nothing else.
func emptySource(main string) ([]byte, error) {
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
	err = emptyMain.Execute(&source, made)
	return source.Bytes(), err
}
