# schedgen. `make` alone lists what there is; each target says what it does while it takes time.

SHELL := /bin/bash
.DEFAULT_GOAL := help

GO      ?= go
PORT    ?= 8080
DATA    ?= .schedgen
FUZZTIME ?= 30s

export GO

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT  := $(shell git rev-parse HEAD 2>/dev/null)
LDFLAGS := -s -w -X github.com/schedgen/schedgen/shared/faas.version=$(VERSION) -X github.com/schedgen/schedgen/shared/faas.commit=$(COMMIT)

.PHONY: help
help: ## list the targets
	@echo "schedgen: turns University of Pretoria timetable PDFs into calendars"
	@echo
	@grep -hE '^[a-z -]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-15s %s\n", $$1, $$2 }'

.PHONY: setup
setup: ## install what the tests need (Debian packages, real MinIO, packages of npm), only what is missing
	@scripts/setup.sh test

.PHONY: build
build: ## build bin/schedgen and each function's own program
	@scripts/build.sh "$(LDFLAGS)"

.PHONY: run
run: ## serve the whole system on $PORT (8080), with its data under .schedgen/
	@scripts/setup.sh run
	@scripts/build.sh "$(LDFLAGS)" schedgen
	@exec bin/schedgen up --port $(PORT) --data $(DATA)

.PHONY: test
test: setup ## run every test and show the coverage of each module (at least 70 %)
	@scripts/test.sh

.PHONY: test-all
test-all: setup ## run every test, with 10,000 generated PDFs and the long fault runs
	@SCHEDGEN_TEST_ALL=1 scripts/test.sh

.PHONY: cover
cover: setup ## run every test and write coverage/<module>.html
	@scripts/test.sh html

.PHONY: test-platform
test-platform: setup ## build the images, run them in containers, break every line of the manifests (as root)
	@scripts/test-platform.sh

.PHONY: deploy-knative
deploy-knative: ## back up, migrate, roll out to Knative, or roll back; DRY_RUN=1 only says so
	@scripts/deploy.sh knative $(if $(DRY_RUN),--dry-run)

.PHONY: deploy-openfaas
deploy-openfaas: ## the same for OpenFaaS
	@scripts/deploy.sh openfaas $(if $(DRY_RUN),--dry-run)

.PHONY: generate docs
generate docs: ## write docs/configuration.md, and the numbers of deploy/scaling.json wherever they are repeated
	@$(GO) run ./deploy/platform/cmd/generate

.PHONY: schema
schema: ## write docs/database-schema.md from the migrations
	@cd shared && $(GO) test -count=1 -run '^TestSchemaPageIsCurrent$$' ./postgres -update

.PHONY: bench
bench: ## run the benchmarks, each beside its peer; BEFORE=commit adds a table of before, after and peer
	@BEFORE=$(BEFORE) scripts/bench.sh

.PHONY: perturb
perturb: ## read COUNT (20000) timetables changed in every way we know; none may be wrong without a warning
	@scripts/perturb.sh $(or $(COUNT),20000)

.PHONY: hostile
hostile: setup ## send COUNT (10000) mutants, bombs and garbage to a running system; nothing may crash or be left
	@scripts/hostile.sh $(or $(COUNT),10000)

.PHONY: overload
overload: setup ## send ten times what a running system can read for FOR (2m); answers come soon, nothing is lost or left
	@scripts/overload.sh $(or $(FOR),2m)

.PHONY: load
load: ## run SCENARIO of load-tests in full, against the whole system on this machine or against TARGET
	@TARGET=$(TARGET) OUT=$(OUT) scripts/load.sh $(SCENARIO)

.PHONY: load-short
load-short: ## run every scenario of load-tests for some seconds; nothing may be lost (part of make test)
	@scripts/load.sh short

.PHONY: load-fixtures
load-fixtures: ## write COUNT (300) timetables with their truth, made from SEED (1), to OUT (.cache/load-fixtures)
	@$(GO) run ./load-tests --count $(or $(COUNT),300) --seed $(or $(SEED),1) --out $(or $(OUT),.cache/load-fixtures)

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (30s) each
	@scripts/fuzz.sh "$(FUZZTIME)"

.PHONY: lint
lint: ## gofmt, vet, staticcheck, tidy modules, builds without the workspace, known vulnerabilities
	@scripts/lint.sh

.PHONY: licenses
licenses: ## list the licence of every dependency; fail where the project cannot take one
	@scripts/licenses.sh

.PHONY: sbom
sbom: ## write an SBOM (CycloneDX) for each program and each npm project into sbom/
	@scripts/sbom.sh "$(LDFLAGS)"

.PHONY: release
release: ## build the tagged version into release/, push and sign its images (REGISTRY); DRY_RUN=1 does so with any commit, without images
	@scripts/release.sh $(if $(DRY_RUN),--dry-run)

.PHONY: clean
clean: ## remove what was built and cached here (not the data under .schedgen/)
	rm -rf bin coverage sbom release .cache node_modules functions/web/app/node_modules functions/web/dist/page functions/web/dist/page.sum
