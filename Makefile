export CGO_ENABLED := 0
# The same flags everywhere, as deployed: packages are compiled once for the functions, the runner and the tests.
export GOFLAGS := -trimpath -tags=lambda.norpc -ldflags=-s

.PHONY: help run test bench fuzz deploy-local redrive reset setup lint build go

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\n%s\n%s\n' "Settings of run and deploy-local, such as PORT=8081 CRM_CONNECTOR=odoo make run" \
	  "(more, and how to use a real CRM: docs/run-locally.md, Settings):"
	@awk -F ' *[|] *' '/^## / { on = $$0 == "## Settings" } on && /^[|] `/ { gsub(/`/, ""); printf "  %-48s %s\n", $$2, $$3 }' docs/run-locally.md

run: go ## Everything on http://localhost:8080, with a simulated Meta and CRM
	@[ -e build/local ] || echo "Building the local runner (a minute or two the first time)"
	@go build -o build/ ./infra/local
	@exec build/local

test: lint ## All tests, the end-to-end tests included
	go test -timeout 25m ./...

# Every fuzz target for TIME each; what it finds is written to testdata/fuzz, which `make test` replays.
fuzz: go ## Fuzz the parsers (TIME=10m for each), by hand or every night
	@for t in $$(grep -rl '^func Fuzz' --include='*_test.go' .); do \
	  for f in $$(sed -n 's/^func \(Fuzz[A-Za-z]*\).*/\1/p' $$t); do \
	    echo "$$f in $$(dirname $$t)"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(or $(TIME),10m) ./$$(dirname $$t) || exit 1; \
	  done; \
	done

bench: go ## Measure calls, units, dollars, times, sizes and memory (ONLY=cost,start … for a part)
	@go run ./infra/bench -only "$(ONLY)"

lint: go setup build/golangci-lint ## Formatting, go vet, golangci-lint with staticcheck, the template's linters
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	if [ -n "$$unformatted" ]; then echo "run gofmt -w on:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	build/golangci-lint run ./...
	.venv/tools/bin/cfn-lint template.yaml
	AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0 .venv/tools/bin/sam validate --lint

build: go ## All programs and functions, for this machine
	go build -o build/ ./...

deploy-local: go setup ## Like run, but deployed with `sam build` and `sam deploy`, as on AWS
	@go build -o build/ ./infra/local
	@exec build/local -sam

reset: go ## Delete the local state in STATE_DIR: messages, contacts, files
	@go run ./infra/local/reset

redrive: go ## On AWS: give a dead-letter queue's messages back to their queue (QUEUE=inbound|media|crm|outbound|bulk, STACK=)
	@go run ./cmd/threadline redrive --stack "$(or $(STACK),threadline)" "$(QUEUE)"

setup: go ## Install the pinned Python tools into .venv (done by the other targets when needed)
	@go run ./infra/local/setup -all

build/golangci-lint: infra/tools/go.mod infra/tools/go.sum
	@echo "Building golangci-lint (some minutes on a new machine)"
	@go build -C infra/tools -o ../../build/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

go:
	@command -v go >/dev/null || { echo "Go 1.26 or newer is needed: https://go.dev/dl"; exit 1; }
