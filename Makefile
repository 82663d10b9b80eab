# Two commands matter: `make deploy` and `make test`. Each does all the set-up it needs; what is done is not repeated.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/sh

PYTHON ?= python3
STACK ?= local
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.7

# Everything below is relative to the project's folder, so that its path may contain spaces.
VENV := .venv
PY := $(VENV)/bin/python
DONE := $(VENV)/done
CDKTF := $(VENV)/bin/cdktf
RESULTS := .pytest_cache/results
PYTEST = $(PY) -m pytest -m "not matrix" --junitxml=$(RESULTS)/$@.xml
PIP := $(PY) -m pip --disable-pip-version-check --quiet

##@ The lakehouse (STACK=local)
.PHONY: deploy diff destroy reset
deploy: setup ## bring the stack up, or update it to what lakehouse.yaml says
	$(CDKTF) deploy $(STACK) --auto-approve

diff: setup ## show what a deploy would change
	$(CDKTF) diff $(STACK)

destroy: setup ## stop the stack and remove its services; the data stays
	$(CDKTF) destroy $(STACK) --auto-approve

reset: destroy ## stop the stack and delete its data as well: tables, catalog state, logs, secrets
	$(VENV)/bin/lakehouse --stack $(STACK) destroy --data --yes

##@ Pipeline (STACK=local): what the workflows run
.PHONY: pipeline-plan pipeline-apply pipeline-drift
pipeline-plan: setup-dev ## check the sources, report what would be done (CHECKS=no: only report)
	@$(PY) -m bootstrap.cli.pipeline plan $(STACK) $(if $(filter no,$(CHECKS)),--no-checks)

pipeline-apply: setup-dev ## do exactly what was planned: deploy, bootstrap, verify
	@$(PY) -m bootstrap.cli.pipeline apply $(STACK) $(if $(APPROVED),--approved $(APPROVED))

pipeline-drift: setup-dev ## fail if the stack or its contents differ from the file
	@$(PY) -m bootstrap.cli.pipeline drift $(STACK)

##@ Development
.PHONY: test test-processes test-docker unit synth behaviour integration containers matrix
.PHONY: lint lint-workflows types format scan bench schema
# The targets of a lane one after the other: a make of its own, which takes no jobs from the one above.
IN_TURN = MAKEFLAGS="$(filter-out -j% --jobserver%,$(MAKEFLAGS))" $(MAKE) --no-print-directory

# Side by side: what runs as processes, and what is built for Docker and runs there, each with a part of the rest. A line
# of a recipe is printed when it is done; after a failure the rest goes on, so that one run says all that is wrong.
test: setup-dev ## rules, types, policy scans, all tests: they deploy the real thing, on Docker too if it answers
	@rm -rf $(RESULTS)
	@+$(MAKE) --no-print-directory -k -j2 -Oline test-processes test-docker; code=$$?; \
	  $(PY) -m tests.slowest $(RESULTS); exit $$code

test-processes: setup-dev
	@+$(IN_TURN) lint types unit integration

test-docker: setup-dev
	@+$(IN_TURN) docker lint-workflows scan synth behaviour containers

unit: setup-dev ## the unit tests: pure, seconds
	$(PYTEST) tests/unit

synth: setup-dev ## whole synths of main.py, checked by contracts, policy checks and AWS's double
	$(PYTEST) tests/synth

behaviour: setup-dev ## the reconciler on real stores and catalogs
	$(PYTEST) tests/behaviour

integration: setup-dev ## a lakehouse as processes, and its bad days
	$(PYTEST) tests/integration

containers: setup-dev docker ## a lakehouse on Docker, and its bad days
	$(PYTEST) tests/containers

matrix: setup-dev docker ## other pairs of stores, catalogs and versions, for docs/compatibility.md
	$(PY) -m pytest -m matrix tests/behaviour tests/integration tests/containers

lint: $(DONE)/dev ## ruff: rules and format
	$(PY) -m ruff check
	$(PY) -m ruff format --check

types: $(DONE)/dev ## mypy, strict
	$(PY) -m mypy

format: $(DONE)/dev ## format the sources
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

.PHONY: mutations
mutations: setup-dev ## read or refuse 4,000 mutated files (set LAKEHOUSE_MUTATIONS, LAKEHOUSE_SEED to change that)
	LAKEHOUSE_MUTATIONS=$${LAKEHOUSE_MUTATIONS:-4000} $(PY) -m pytest -q -s --timeout 1800 \
		tests/synth/test_mutated.py -k mutated_files

bench: setup-dev docker ## measure, for docs/benchmarks.md
	$(PY) -m pytest tests/bench -m bench --timeout 3600

lint-workflows: ## actionlint over .github/workflows, if there is Go to build it
	@if command -v go >/dev/null; then go run $(ACTIONLINT); else echo "skipped: actionlint is built by Go, which is missing"; fi

scan: $(DONE)/node $(DONE)/dev ## policy scans: stacks, workflows, Dockerfiles, secrets
	@$(PY) -m policies.scan

schema: $(DONE)/runtime ## write lakehouse.schema.json from the model
	$(PY) -m lakehouse.spec.schema

##@ Docker
.PHONY: images providers docker
images: $(DONE)/runtime ## build the images if no registry can be reached (IMAGES=--all, or names)
	@$(PY) -m offline.images $(IMAGES)

providers: $(DONE)/runtime ## build Terraform's Docker provider if no registry has it
	@$(PY) -m offline.provider

# What the tests on Docker need, where Docker answers.
docker: $(DONE)/runtime
	@if docker info >/dev/null 2>&1; then \
	  $(MAKE) -s --no-print-directory providers images IMAGES="--all --pull"; fi

##@ Set-up
.PHONY: setup setup-dev packages clean distclean terraform
# The parts that do not need each other are made side by side.
setup: terraform ## everything that a deploy needs: venv, cdktf, Java, packages
	@+$(MAKE) -s --no-print-directory $(DONE)/runtime
	@+$(MAKE) -s --no-print-directory -j2 $(DONE)/node packages

setup-dev: terraform ## the same, and what the tests need
	@+$(MAKE) -s --no-print-directory $(DONE)/runtime
	@+$(MAKE) -s --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j3) $(DONE)/node packages $(DONE)/dev

packages: $(DONE)/runtime ## fetch what lakehouse.yaml needs into the user's cache folder
	@$(PY) -m bootstrap.cli.packages fetch
	@$(PY) -m lakehouse.runtimes.training

clean: ## remove what was generated: cdktf.out and caches (no state, no data)
	rm -rf cdktf.out .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -not -path './$(VENV)/*' -not -path './node_modules/*' -prune -exec rm -rf {} +

distclean: clean ## remove the set-up as well (the packages in the user's cache folder stay)
	rm -rf $(VENV) node_modules

terraform:
	@command -v terraform >/dev/null || { echo "error: terraform is not on PATH. Install 1.5 or newer from your" \
	  "system's packages or from HashiCorp (developer.hashicorp.com/terraform/install), then run this again." >&2; exit 1; }

# A venv without pip is a half-made one; Debian has ensurepip in a package of its own.
$(DONE)/venv: pipenv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "error: Python 3.11 or newer is needed, and $(PYTHON) is not one. Install it, or run make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "error: $(PYTHON) has no venv module. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "setting up $(VENV)"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes --no-deps -r pipenv.txt
	@mkdir -p $(DONE) && touch $@

PIPENV = PIPENV_VERBOSITY=-1 PIPENV_IGNORE_VIRTUALENVS=0 VIRTUAL_ENV="$$PWD/$(VENV)" \
  PATH="$$PWD/$(VENV)/bin:$$PATH" $(PY) -m pipenv

$(DONE)/runtime: Pipfile.lock pyproject.toml | $(DONE)/venv
	@echo "installing the Python packages of Pipfile.lock"
	@$(PIPENV) sync --quiet
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(DONE)/dev: Pipfile.lock | $(DONE)/runtime
	@echo "installing the development packages of Pipfile.lock"
	@$(PIPENV) sync --categories dev-packages --quiet
	@touch $@

$(DONE)/node: package-lock.json bin/cdktf bin/setup-node | $(DONE)/runtime
	@echo "installing cdktf-cli"
	@bin/setup-node
	@touch $@

##@ Help
.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
