# What one types here; the logic is in dev/, simulator/ and operations/.

PYTHON ?= python3
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The virtual environment first, then the engine that the set-up chose (nothing, if yours is used), then the rest.
machine_path := $(PATH)
engine = $(shell cat .local/setup/engine-path 2>/dev/null)
tools = $(CURDIR)/.venv/bin:$(if $(engine),$(engine):)$(machine_path)
up preview logs destroy down test browser lint format lock bench soak: private export PATH = $(tools)
# What a goal exports reaches the goals it needs, private or not; the set-up looks for an engine of the user's own.
setup: export PATH = $(machine_path)

# The dev stack lives in .local/ under a passphrase that is public. Set, not defaulted: a passphrase, a login or a
# backend of your own never gets in its way, nor it in theirs.
up preview logs destroy: private export PULUMI_CONFIG_PASSPHRASE = local
up preview logs destroy: private export PULUMI_BACKEND_URL = file://$(CURDIR)/.local/state
up preview logs destroy: private export PULUMI_HOME = $(CURDIR)/.local/pulumi-home
up preview logs destroy test bench soak: private export PULUMI_SKIP_UPDATE_CHECK = true
# Colours stay; without it each pulumi command waits 5 s where a terminal does not tell its background colour.
up preview destroy: private export CI = true

select = mkdir -p .local/state && pulumi stack select dev --create --non-interactive

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: ## install what is missing: Python and JavaScript packages, the Pulumi engine
	@command -v $(PYTHON) >/dev/null || { echo "set-up: Python 3.11 or newer is needed; $(PYTHON) is not on PATH" >&2; exit 1; }
	@$(PYTHON) -m dev.toolchain.setup

.PHONY: up
up: setup ## set up, start the local environment, deploy the dev stack, show its first run
	@python -m local_dynatrace start
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
	@python -m local_dynatrace start
	@$(select)
	@pulumi destroy --yes --skip-preview --run-program --non-interactive --stack dev

.PHONY: down
down: ## stop the local environment (its state is kept)
	@[ ! -x .venv/bin/python ] || python -m local_dynatrace stop

# Commands for any stack: STACK=prod. The dev stack's backend and passphrase are known; yours come from your shell.
STACK ?= dev
for_stack := status doctor reconcile backfill drift plan deploy preview-pr import-config adopt readme
$(for_stack): private export PATH = $(tools)
$(for_stack): private export PULUMI_SKIP_UPDATE_CHECK = true
$(for_stack): private export CI = true
ifeq ($(STACK),dev)
$(for_stack): private export PULUMI_CONFIG_PASSPHRASE = local
$(for_stack): private export PULUMI_BACKEND_URL = file://$(CURDIR)/.local/state
$(for_stack): private export PULUMI_HOME = $(CURDIR)/.local/pulumi-home
# The dev stack names SCM's real host, which stands in the local environment.
doctor reconcile: private export SECTIGO_DYNATRACE_CONNECT_TO = 127.0.0.1:8787
endif
ask = python -m operations $@ --stack "$(STACK)"

.PHONY: status
status: setup ## how a deployed stack is now, on one screen (STACK=prod; so for all below)
	@$(ask) $(ARGS)

.PHONY: doctor
doctor: setup ## check tokens, scopes, permissions and reachability, and say what to do
	@$(ask) $(ARGS)

.PHONY: reconcile
reconcile: setup ## prove that every SCM record is in Dynatrace (FROM=, TO=, JSON=file)
	@$(ask) $(if $(FROM),--from "$(FROM)") $(if $(TO),--to "$(TO)") $(if $(JSON),--json "$(JSON)")

.PHONY: backfill
backfill: setup ## send a window again, beside the schedule (FROM=, TO=, IDS=a,b)
	@$(ask) --from "$(FROM)" $(if $(TO),--to "$(TO)") $(if $(IDS),--ids "$(IDS)")

.PHONY: drift
drift: setup ## what was changed outside Pulumi (ARGS=--report keeps an issue on GitHub)
	@$(ask) $(ARGS)

.PHONY: plan
plan: setup ## preview a real stack (ARGS=--report keeps a comment on the pull request)
	@$(ask) $(ARGS)

.PHONY: deploy
deploy: setup ## pulumi up of a real stack, without asking
	@pulumi up --yes --skip-preview --non-interactive --suppress-outputs --stack "$(STACK)"

.PHONY: preview-pr
preview-pr: setup ## what your changes would change in a stack, without its secrets (BASE=commit)
	@$(ask) $(if $(BASE),--base "$(BASE)")

.PHONY: import-config
import-config: setup ## the vendor's config.yaml into a stack's config, secrets encrypted (FILE=config.yaml)
	@$(ask) --file "$(FILE)"

.PHONY: adopt
adopt: setup ## find what the vendor's script made, to take it over (ARGS=--write sets the config)
	@$(ask) $(ARGS)

.PHONY: readme
readme: setup ## Pulumi.README.md with a stack's outputs
	@$(ask)

.PHONY: test
test: setup ## set up, run all checks and all tests (ARGS="-k word" goes to pytest)
	@python -m dev.toolchain.check --tests $(ARGS)

.PHONY: browser
browser: setup ## find or install a Chromium, so that `make test` also tests the pages in it
	@python -m dev.toolchain.browser

.PHONY: lint
lint: setup ## run the checks alone: style, formatting, types
	@python -m dev.toolchain.check

.PHONY: format
format: setup ## format Python and JavaScript
	@python -m dev.toolchain.check --fix

.PHONY: bench
bench: setup ## measure a deployment, the local environment, the sync script against two peers
	@python -m dev.benchmarks.deploy
	@python -m dev.benchmarks.simulator
	@python -m dev.benchmarks.sync

.PHONY: soak
soak: setup ## long campaigns: seeded worlds of faults, every call of the providers interrupted, kill -9
	@python -m dev.soak.script
	@python -m dev.soak.providers
	@python -m dev.soak.simulator

.PHONY: lock
lock: setup ## pin packages anew from pyproject.toml and package.json (ARGS=--upgrade for the newest)
	@python -m dev.toolchain.lock $(ARGS)
