# Everything that this repository does, by name. `make` lists it.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

# Never fetch another Go: what builds here is what is installed here.
export GOTOOLCHAIN := local

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
TOOLS ?= $(shell go env GOPATH)/bin
LISTEN ?= 127.0.0.1:8080
BENCHTIME ?= 1s
BENCHSIZE ?= full
FUZZTIME ?= 10s
FAULTROUNDS ?= 50
TIMEOUT ?= 20m

GOLANGCI_VERSION := v2.15.0
GOLANGCI := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
GOVULNCHECK_VERSION := v1.1.4

# The same bytes from the same commit, whoever builds it and in whatever folder.
BUILD := CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags "-s -w -X main.version=$(VERSION)"
MAX_BINARY_MB := 60

help: ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

build: ## build bin/wardwatch: static, stripped, reproducible
	$(BUILD) -o bin/wardwatch ./cmd/wardwatch

demo: build ## build and start the demo on http://127.0.0.1:8080, or on LISTEN
	bin/wardwatch demo --listen $(LISTEN)

test: needs vet house unit race ## run every test, installing from Debian packages what is missing

needs:
	@.ci/needs gcc chromium npm postfix mailpit versitygw

vet:
	go vet ./...

house: ## who may import whom, and the other rules of the house
	go test -count=1 .

unit: ## run the tests without the race detector
	go test -timeout $(TIMEOUT) ./...

# SQLite under the race detector is about 38 times slower, so its tests keep their estates small. Browsers run here too.
race: ## run the same tests with the race detector
	@.ci/needs gcc chromium npm postfix mailpit versitygw
	CGO_ENABLED=1 go test -race -timeout $(TIMEOUT) ./...

faults: ## only the tests that kill, cut, corrupt and fill disks (named TestFault...), with FAULTROUNDS (50) rounds where one strikes at random
	@.ci/needs postfix mailpit
	@FAULTROUNDS=$(FAULTROUNDS) .ci/each TestFault

fuzz: ## run each fuzz target for FUZZTIME (10s)
	@.ci/each Fuzz $(FUZZTIME)

# With BENCHSIZE=short estates are small and no figure claims its bound.
bench: ## run the benchmarks, BENCHTIME (1s) each, print the figures beside their bounds, and measure against peers where bench/ is there
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) -timeout $(TIMEOUT) $(if $(filter short,$(BENCHSIZE)),-short) $$(go list ./... | grep -v /test/figures)
	@$(MAKE) -s figures BENCHSIZE=$(BENCHSIZE)
	@if [ -f bench/go.mod ]; then cd bench && go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) -timeout $(TIMEOUT) ./...; fi

figures: ## only what the product promises in numbers, in one table (some minutes; docs/figures.md explains)
	@.ci/needs rg zstd
	go test -run '^$$' -bench . -benchtime 1x -timeout 1h $(if $(filter short,$(BENCHSIZE)),-short) ./test/figures

lint: $(GOLANGCI) ## run the pinned golangci-lint
	$(GOLANGCI) run ./...

# Built here from the module proxy, because a linter must know the Go that it reads.
$(GOLANGCI):
	@tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	echo "building golangci-lint $(GOLANGCI_VERSION) (once, some minutes)"; \
	CGO_ENABLED=0 GOFLAGS= GOBIN=$$tmp go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION); \
	mkdir -p $(TOOLS); mv $$tmp/golangci-lint $@

generate: ## remake generated code
	go generate ./...

generate-check: ## fail where generated code is not what generate makes
	@.ci/unchanged make generate

assets: ## rebuild the embedded stylesheets and scripts (needs npm)
	@.ci/needs npm
	cd edge/web/assets && npm ci --ignore-scripts --no-audit --no-fund && npm run build

assets-check: ## fail where the embedded assets are not what assets builds
	@.ci/unchanged make assets

reproducible: ## build the last commit in two folders, compare the bytes, and weigh them
	@tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; version=$$(git rev-parse --short HEAD); \
	for folder in one another; do \
		git archive --prefix=$$folder/ HEAD | tar -x -C "$$tmp"; \
		$(MAKE) -s -C "$$tmp/$$folder" build VERSION=$$version; \
	done; \
	cmp "$$tmp/one/bin/wardwatch" "$$tmp/another/bin/wardwatch"; \
	size=$$(stat -c %s "$$tmp/one/bin/wardwatch"); echo "reproducible, $$((size / 1000000)) MB"; \
	if [ $$size -gt $(MAX_BINARY_MB)000000 ]; then echo "more than $(MAX_BINARY_MB) MB" >&2; exit 1; fi

tidy-check: ## fail where go.mod is not what the code needs
	go mod tidy -diff

vuln: ## look for known weaknesses in what we build on (needs a network)
	go run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) ./...

clean: ## remove what was built
	rm -rf bin dist

# One after the other, so that the first failure is the last thing said.
.NOTPARALLEL:
.PHONY: help build demo test needs vet house unit race faults fuzz bench figures lint generate generate-check assets assets-check reproducible tidy-check vuln clean
