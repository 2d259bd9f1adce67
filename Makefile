# Everything a newcomer needs is `make demo` and `make test`; `make help` lists
# the rest.

GO        ?= go
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
PREFIX    ?= /usr/local
BINDIR    ?= $(PREFIX)/bin
DESTDIR   ?=
LINKS     ?= rc-compile rc-db rc-init rc-ctl rc-diff rc-update rc-store \
             s6-rc-compile s6-rc-db s6-rc-init s6-rc s6-rc-update
FUZZTIME  ?= 20s
TESTFLAGS ?=

# One static binary that depends on the sources alone: no paths, no C.
export CGO_ENABLED = 0
LDFLAGS = -s -w -X strata/cmd/internal/cli.version=$(VERSION)
GOBUILD = $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)'

# The linker writes into a mapping, page by page, and the kernel keeps the file so: it
# starts some tenths of a millisecond later than a copy, which make install makes anyway.
copied = mv $(1) $(1).linked && cp $(1).linked $(1) && rm $(1).linked

.DEFAULT_GOAL := help
.PHONY: help build install uninstall demo test test-long test-s6-new ci lint fmt fuzz bench bench-engine bench-update cover vuln deps clean

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 16
	@echo "variables: PREFIX BINDIR DESTDIR LINKS (install), FUZZTIME (fuzz), TESTFLAGS (test)"

build: ## bin/strata and its links
	$(GOBUILD) -o bin/strata ./cmd/strata
	@$(call copied,bin/strata)
	@for link in $(LINKS); do ln -sfn strata bin/$$link || exit 1; done

install: build ## into BINDIR; a file that is not ours is never replaced
	@internal/tools/install add "$(DESTDIR)$(BINDIR)" bin/strata $(LINKS)

uninstall: ## what install made, and nothing else
	@internal/tools/install remove "$(DESTDIR)$(BINDIR)" bin/strata $(LINKS)

deps: ## s6 and execline, by apt-get where that is possible
	@internal/tools/deps

demo: build ## the main job, shown on a private s6-svscan in under a minute
	@internal/tools/deps
	@internal/tools/with-tmpdir source-examples/demo.sh bin

test: ## every test; what is skipped is counted at the end
	@$(GO) build -o .tools/testcount ./internal/testcount
	@if internal/tools/deps; then STRATA_REQUIRE_S6=1; export STRATA_REQUIRE_S6; fi; \
	internal/tools/with-tmpdir .tools/testcount $(TESTFLAGS) ./...

test-long: ## the long suites, which make test leaves out: minutes, and memory for 10,000 supervisors
	@$(GO) build -o .tools/testcount ./internal/testcount
	@internal/tools/deps
	@STRATA_LONG=1 STRATA_REQUIRE_S6=1 internal/tools/with-tmpdir \
	.tools/testcount -count=1 -p=1 -parallel=4 -timeout=2h -run='^TestLong' $(TESTFLAGS) ./...

test-s6-new: ## the tests with a supervisor, on the s6 of Debian unstable
	@$(GO) build -o .tools/testcount ./internal/testcount
	@STRATA_REQUIRE_S6=1 internal/tools/with-tmpdir internal/tools/s6-new \
	.tools/testcount -count=1 $(TESTFLAGS) ./live/... ./cmd/internal/cli

ci: ## what .ci/run calls: deps, lint, test and a short fuzz
	$(MAKE) deps
	$(MAKE) lint
	$(MAKE) test
	$(MAKE) fuzz FUZZTIME=5s

lint: .tools/golangci-lint ## the linters, the layer rules among them
	.tools/golangci-lint run ./...

fmt: .tools/golangci-lint ## gofumpt and the order of imports
	.tools/golangci-lint fmt ./...

fuzz: ## each fuzz target for FUZZTIME
	@internal/tools/with-tmpdir internal/tools/fuzz "$(GO)" $(FUZZTIME)

bench: build ## compile time and memory for 1,000, 10,000 and 100,000 services
	@internal/tools/with-tmpdir $(GO) run ./internal/bench bin/rc-compile

bench-engine: build ## 1,000 services up and down, and the state of 10,000, on a real s6, against the least it can take
	@internal/tools/deps
	@$(GO) build -o .tools/benchengine ./internal/benchengine
	@$(call copied,.tools/benchengine)
	@internal/tools/with-tmpdir .tools/benchengine bin/strata

bench-update: build ## updates of 10,000 services and of other numbers, planned and applied on a real s6
	@internal/tools/deps
	@$(GO) build -o .tools/benchupdate ./internal/benchupdate
	@internal/tools/with-tmpdir .tools/benchupdate bin/strata

cover: ## coverage by package, and cover.out for go tool cover
	@if internal/tools/deps; then STRATA_REQUIRE_S6=1; export STRATA_REQUIRE_S6; fi; \
	internal/tools/with-tmpdir $(GO) test -coverpkg=./... -coverprofile=cover.out ./...
	@$(GO) tool cover -func=cover.out | tail -n 1

vuln: .tools/govulncheck ## known vulnerabilities in what we link (asks the public database)
	.tools/govulncheck ./...

clean: ## remove what the targets above made here
	rm -rf bin .tools cover.out

# The tools have a module of their own: internal/tools/go.mod pins them.
.tools/golangci-lint: internal/tools/go.mod internal/tools/go.sum
	@mkdir -p .tools
	$(GO) -C internal/tools build -o $(CURDIR)/$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

.tools/govulncheck: internal/tools/go.mod internal/tools/go.sum
	@mkdir -p .tools
	$(GO) -C internal/tools build -o $(CURDIR)/$@ golang.org/x/vuln/cmd/govulncheck
