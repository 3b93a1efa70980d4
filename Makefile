# Every chore is one command. `make` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
SERVICES := gateway auth operator worker-image notifier
DISTRIBUTIONS := contracts $(SERVICES) localcluster localcluster/images/mailsink
DISTRIBUTIONS_OF_A_RELEASE := contracts $(SERVICES) charts
LOCALCLUSTER := $(BIN)/python -m video2mp3_localcluster
RELEASE ?= video2mp3
NAMESPACE ?= video2mp3

##@ See it work

.PHONY: demo
demo: venv ## Local cluster, images, chart, an account, and one video through all nine steps; leaves it running
	@$(LOCALCLUSTER) demo

.PHONY: down
down: venv ## Remove the local cluster and all that runs on it
	@$(LOCALCLUSTER) down

##@ Test it

# The end-to-end tests follow each other, since they break parts of one release; the files of the others run side by side, the
# many short ones last, so that no process is left with a long one.
.PHONY: test
test: venv ## All set-up, then every test, end-to-end ones included
	@$(LOCALCLUSTER) prepare
	@$(BIN)/pytest tests/integration tests/contract tests/unit --numprocesses 3 --dist loadfile --no-loadscope-reorder \
	  --durations 10
	@$(BIN)/pytest tests/e2e --durations 10

.PHONY: test-upgrade
test-upgrade: venv ## Upgrade an earlier release to this one while people upload, and go back (ten minutes)
	@$(LOCALCLUSTER) prepare --earlier
	@$(BIN)/pytest tests/upgrade --durations 5

.PHONY: test-unit
test-unit: venv ## The fast tests: no sockets, no servers
	@$(BIN)/pytest tests/unit -n 2 -q

.PHONY: verify
verify: venv generate ## Generate, lint, types, import rules; fails when that leaves the tree dirty
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@git diff --exit-code --stat -- $(GENERATED) || { echo "Generated files were stale: commit what make generate wrote."; exit 1; }

.PHONY: fuzz
fuzz: venv ## Look for media that the worker does not end well with (FUZZ="--seconds 3600 --seed 1")
	@nice $(BIN)/python -m tests.fuzz $(FUZZ)

.PHONY: fuzz-gateway
fuzz-gateway: venv ## Look for heads and forms that the gateway does not answer well (FUZZ="--seconds 600 --seed 1")
	@nice $(BIN)/python -m tests.fuzz.gateway $(FUZZ)

.PHONY: chaos
chaos: venv ## Kill parts of a release and a node at random while people upload, and count what became of it (CHAOS="--minutes 30 --seed 1")
	@$(LOCALCLUSTER) prepare --nodes 2
	@$(BIN)/python -m tests.chaos $(CHAOS)

##@ Measure it

.PHONY: formats
formats: venv ## Convert every format in the worker's image and write what was measured into docs/formats.md
	@$(LOCALCLUSTER) images worker >/dev/null
	@$(BIN)/python -m tests.integration.worker.in_image tests.integration.worker.formats_page >docs/formats.md.new
	@mv docs/formats.md.new docs/formats.md && git diff --stat -- docs/formats.md

PEERS := benchmarks/peers/.venv

.PHONY: bench-worker
bench-worker: venv ## The worker beside plain ffmpeg and the tutorials' way (BENCH="--minutes 10"); prints a table
	@[ -x $(PEERS)/bin/python ] || { $(BIN)/uv venv --quiet $(PEERS) && \
	  $(BIN)/uv pip install --quiet --python $(PEERS) -r benchmarks/peers/requirements.txt; }
	@$(LOCALCLUSTER) images worker >/dev/null
	@PYTHONPATH=. $(BIN)/python -m benchmarks.worker --peer-python $(PEERS)/bin/python $(BENCH)

.PHONY: bench-operator
bench-operator: venv ## The operator under 100, 1,000 and 10,000 Conversions (BENCH="--conversions 100 1000"); prints a table
	@$(LOCALCLUSTER) build
	@PYTHONPATH=. $(BIN)/python -m benchmarks.operator $(BENCH)

.PHONY: bench-gateway
bench-gateway: venv ## Lists of 100,000 Conversions by the gateway, beside paging the API server (BENCH="--lists 1000"); prints a table
	@$(LOCALCLUSTER) build
	@PYTHONPATH=. $(BIN)/python -m benchmarks.gateway $(BENCH)

.PHONY: bench-latency
bench-latency: venv ## From an upload to its mp3 on the local cluster, beside bare Jobs of ffmpeg (BENCH="--clips 60"); prints a table
	@$(LOCALCLUSTER) prepare
	@PYTHONPATH=. $(BIN)/python -m benchmarks.latency $(BENCH)

##@ Build it

SITE_TOOLS := docs/mkdocs/.venv

.PHONY: docs
docs: venv ## Build the site of the pages in site/, every link checked
	@[ -x $(SITE_TOOLS)/bin/mkdocs ] || $(BIN)/uv venv --quiet --clear $(SITE_TOOLS)
	@$(BIN)/uv pip install --quiet --python $(SITE_TOOLS)/bin/python --require-hashes -r docs/mkdocs/requirements.txt
	@command -v npm >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends npm; }
	@rm -rf build/site && $(SITE_TOOLS)/bin/python docs/mkdocs/stage.py build/site site
	@NO_MKDOCS_2_WARNING=1 $(SITE_TOOLS)/bin/mkdocs build --quiet --strict --config-file build/site/mkdocs.yml
	@echo "site/index.html"

.PHONY: images
images: venv ## Build the container images, and load them into the local cluster if it runs
	@$(LOCALCLUSTER) images

.PHONY: push
push: venv ## Build the five images and push them (REGISTRY=registry.example.com/video2mp3; TAG and INSECURE=1 if need be)
	@$(LOCALCLUSTER) push "$(REGISTRY)" $(if $(TAG),--tag "$(TAG)") $(if $(INSECURE),--insecure)

.PHONY: release
release: venv ## Make a release in dist/: chart, images, contents, provenance, checksums (VERSION=1.2.3; REGISTRY, SOURCE, ARCHITECTURES, BUILDER)
	@$(LOCALCLUSTER) release "$(VERSION)" $(if $(REGISTRY),--registry "$(REGISTRY)") $(if $(SOURCE),--source "$(SOURCE)") \
	  $(if $(BUILDER),--builder "$(BUILDER)") $(if $(ARCHITECTURES),--architectures $(ARCHITECTURES))

.PHONY: publish
publish: venv ## Put a release of dist/ into a registry (VERSION=1.2.3 REGISTRY=registry.example.com/video2mp3; INSECURE=1)
	@$(LOCALCLUSTER) publish "$(VERSION)" "$(REGISTRY)" $(if $(INSECURE),--insecure)

.PHONY: earlier-release
earlier-release: ## Let the upgrade test start from a released tag (VERSION=1.2.3)
	git archive "v$(VERSION)" .dockerignore $(DISTRIBUTIONS_OF_A_RELEASE) | xz -9e >tests/upgrade/earlier-release.tar.xz

.PHONY: install
install: ## Install the chart into the current kube context (RELEASE, NAMESPACE; more by HELM_ARGS)
	helm upgrade --install $(RELEASE) charts/video2mp3 --namespace $(NAMESPACE) --create-namespace --wait $(HELM_ARGS)

GENERATED := crds charts/video2mp3/files docs/conversion.md docs/classes.md docs/sets.md THIRD_PARTY.md

.PHONY: generate
generate: venv ## Write what follows from the sources: the CRD, the reference's tables, pictures of the code, the chart's copies
	@$(BIN)/video2mp3-crd crds
	@$(BIN)/python -m video2mp3_contracts.api.reference docs/conversion.md docs/classes.md docs/sets.md
	@$(BIN)/python -m tests.contract.words
	@$(BIN)/python -m tests.contract.rooms
	@$(BIN)/python -m video2mp3_localcluster.release.third_party
	@mkdir -p charts/video2mp3/files
	@cp init.sql crds/*.yaml charts/video2mp3/files/

.PHONY: format
format: venv ## Format and mend what the linter can
	@$(BIN)/ruff check --fix-only . ; $(BIN)/ruff format .

.PHONY: lock
lock: venv ## Lock every dependency by version and hash (requirements.txt of each service, requirements-dev.txt)
	@wheels=$$(mktemp -d); trap 'rm -rf "$$wheels"' EXIT; \
	$(BIN)/uv build --quiet --wheel --out-dir "$$wheels" contracts; \
	lock() { echo "$$1"; $(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header --find-links "$$wheels" --no-emit-package video2mp3-contracts \
	  "$${@:2}" --output-file "$$1"; }; \
	for service in $(SERVICES) localcluster/images/mailsink; do \
	  lock $$service/requirements.txt --python-version 3.13 $$service/pyproject.toml; \
	done; \
	lock docs/mkdocs/requirements.txt --universal --python-version 3.11 docs/mkdocs/requirements.in; \
	lock localcluster/images/mongo/requirements.txt --python-version 3.13 localcluster/images/mongo/requirements.in; \
	lock requirements-dev.txt --universal --python-version 3.11 --all-extras requirements-dev.in \
	  $(addsuffix /pyproject.toml,$(DISTRIBUTIONS))

##@ Set up

.PHONY: venv
venv: $(VENV)/.installed ## The virtual environment with every tool and our packages

$(VENV)/.installed: requirements-dev.txt $(addsuffix /pyproject.toml,$(DISTRIBUTIONS))
	@SECONDS=0; echo "==> virtual environment"; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; name one by 'make PYTHON=python3.13 ...'"; exit 1; }; \
	$(PYTHON) -c 'import ensurepip' 2>/dev/null || { apt-get update -qq && apt-get install -y -qq python3-venv; }; \
	[ -x $(BIN)/pip ] || $(PYTHON) -m venv $(VENV); \
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt; \
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	  $(foreach distribution,$(DISTRIBUTIONS),-e ./$(distribution)); \
	touch $@; echo "    done in $${SECONDS} s"

.PHONY: own
own: ## Let git work here whoever owns the files, as in the containers of code hosts
	@git config --global --add safe.directory "$(CURDIR)"

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
