# What one types here; the logic is in toolchain/, simulator/ and operations/.

PYTHON ?= python3
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The virtual environment first, then the engine that the set-up chose (nothing, if yours is used), then the rest.
machine_path := $(PATH)
engine = $(shell cat .local/setup/engine-path 2>/dev/null)
tools = $(CURDIR)/.venv/bin:$(if $(engine),$(engine):)$(machine_path)
up preview logs destroy down test lint format lock bench: private export PATH = $(tools)

# The dev stack lives in .local/ under a passphrase that is public. Set, not defaulted: a passphrase, a login or a
# backend of your own never gets in its way, nor it in theirs.
up preview logs destroy: private export PULUMI_CONFIG_PASSPHRASE = local
up preview logs destroy: private export PULUMI_BACKEND_URL = file://$(CURDIR)/.local/state
up preview logs destroy: private export PULUMI_HOME = $(CURDIR)/.local/pulumi-home
up preview logs destroy test bench: private export PULUMI_SKIP_UPDATE_CHECK = true
# Colours stay; without it each pulumi command waits 5 s where a terminal does not tell its background colour.
up preview destroy: private export CI = true

select = mkdir -p .local/state && pulumi stack select dev --create --non-interactive

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: ## install what is missing: Python and JavaScript packages, the Pulumi engine
	@command -v $(PYTHON) >/dev/null || { echo "set-up: Python 3.11 or newer is needed; $(PYTHON) is not on PATH" >&2; exit 1; }
	@$(PYTHON) -m toolchain.setup

.PHONY: up
up: setup ## set up, start the local environment, deploy the dev stack, show its first run
	@python -m simulator start
	@$(select)
	@pulumi up --yes --skip-preview --non-interactive --suppress-progress --suppress-outputs --stack dev
	@python -m operations summary --stack dev

.PHONY: preview
preview: setup ## show what `make up` would change, with the text differences
	@$(select)
	@pulumi preview --diff --non-interactive --stack dev

.PHONY: logs
logs: setup ## print the audit records that arrived, by the manual's query
	@python -m operations logs --stack dev

.PHONY: destroy
destroy: setup ## remove everything the dev stack made
	@python -m simulator start
	@$(select)
	@pulumi destroy --yes --skip-preview --run-program --non-interactive --stack dev

.PHONY: down
down: ## stop the local environment (its state is kept)
	@[ ! -x .venv/bin/python ] || python -m simulator stop

.PHONY: test
test: setup ## set up, run all checks and all tests (ARGS="-k word" goes to pytest)
	@python -m toolchain.check --tests $(ARGS)

.PHONY: lint
lint: setup ## run the checks alone: style, formatting, types
	@python -m toolchain.check

.PHONY: format
format: setup ## format Python and JavaScript
	@python -m toolchain.check --fix

.PHONY: bench
bench: setup ## measure a deployment
	@python -m benchmarks.deploy

.PHONY: lock
lock: setup ## pin packages anew from pyproject.toml and package.json (ARGS=--upgrade for the newest)
	@python -m toolchain.lock $(ARGS)
