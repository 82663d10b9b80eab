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
