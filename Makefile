# The commands of this repository. Their logic is in dev/, simulator/ and operations/.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

comma := ,
# On PATH: the virtual environment, then the engine that the setup chose (none if it chose yours), then everything else.
machine_path := $(PATH)
# Text is UTF-8 in every locale, for the commands and for what pulumi starts.
export PYTHONUTF8 = 1
engine = $(shell cat .local/setup/engine-path 2>/dev/null)
tools = $(CURDIR)/.venv/bin:$(if $(engine),$(engine):)$(machine_path)

try := up preview logs shell destroy down seed-vendor
operate := status doctor api-token verify reconcile backfill test-alert drift plan deploy preview-pr show-script import-config adopt readme
develop := quick test browser lint format new-resource bench soak lock
$(try) $(operate) $(develop): private export PATH = $(tools)
$(try) $(operate) $(develop): private export PULUMI_SKIP_UPDATE_CHECK = true
# Pulumi's processes talk over gRPC on loopback, which a proxy of the machine cannot reach; gRPC reads https_proxy.
$(try) $(operate) $(develop): private export no_grpc_proxy := \
  127.0.0.1,localhost,::1$(if $(no_grpc_proxy)$(no_proxy)$(NO_PROXY),$(comma)$(or $(no_grpc_proxy),$(no_proxy),$(NO_PROXY)))
# Keeps colours; without it each pulumi command waits 5 s on terminals that do not report their background colour.
up preview destroy $(operate): private export CI = true

# The dev stack is in .local/, encrypted with a public passphrase. These are set, not defaulted, so that your own
# passphrase, login or backend neither affects it nor is affected.
STACK ?= dev
dev_stack := up preview logs shell destroy $(if $(filter dev,$(STACK)),$(operate))
$(dev_stack): private export PULUMI_CONFIG_PASSPHRASE = local
$(dev_stack): private export PULUMI_BACKEND_URL = file://$(CURDIR)/.local/state
$(dev_stack): private export PULUMI_HOME = $(CURDIR)/.local/pulumi-home
select = mkdir -p .local/state && pulumi stack select dev --create --non-interactive
ask = python -m operations $@ --stack "$(STACK)"

.PHONY: help
help: ## list these commands
	@awk -F ':.*## ' '/^##@/ { printf "\n%s\n", substr($$0, 5) } /^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

# Each goal installs only what it needs: for a deployment, for the local environment too, or for the tests too.
# Goals pass what they export to the goals they need, even if it is private; the setup must see the user's own PATH.
for-%: export PATH = $(machine_path)
for-%:
	@PYTHON="$(PYTHON)" dev/toolchain/setup.sh $*

##@ Try it on your machine; no account needed

.PHONY: up
up: for-up ## deploy the dev stack to a local Dynatrace and show its first run
	@python -m local_dynatrace start
	@$(select)
	@pulumi up --yes --skip-preview --non-interactive --suppress-progress --suppress-outputs --stack dev
	@python -m operations summary --stack dev

.PHONY: preview
preview: for-up ## preview what `make up` would change, with text differences
	@$(select)
	@pulumi preview --diff --non-interactive --stack dev

.PHONY: logs
logs: for-up ## print the audit records that have arrived, using the manual's query
	@python -m operations logs --stack dev

.PHONY: shell
shell: for-up ## open a shell for plain pulumi commands on the dev stack (ARGS="pulumi preview" runs one)
	@python -m local_dynatrace start
	@$(select)
	@$(if $(ARGS),,echo "pulumi works on the dev stack here; leave with exit" &&) exec env -u MAKEFLAGS -u MAKELEVEL -u ARGS \
	  $(if $(ARGS),$(ARGS),"$${SHELL:-bash}")

.PHONY: seed-vendor
seed-vendor: for-up ## rehearse a migration: what the vendor's script creates, in the local environment
	@python -m local_dynatrace start
	@python -m local_sectigo.vendor $(ARGS)

.PHONY: destroy
destroy: for-up ## remove everything the dev stack created
	@python -m local_dynatrace start
	@$(select)
	@pulumi destroy --yes --skip-preview --run-program --non-interactive --stack dev

.PHONY: down
down: ## stop the local environment (its state is kept)
	@[ ! -x .venv/bin/python ] || python -m local_dynatrace stop

##@ Operate a stack (STACK=prod; the default is dev)

.PHONY: deploy
deploy: for-deploy ## run pulumi up on a stack without asking
	@pulumi up --yes --skip-preview --non-interactive --suppress-outputs --stack "$(STACK)"

.PHONY: plan
plan: for-deploy ## preview a stack (ARGS=--report keeps a comment on the pull request)
	@$(ask) $(ARGS)

.PHONY: preview-pr
preview-pr: for-up ## preview what your changes do to a stack, without its secrets (BASE=commit)
	@$(ask) $(if $(BASE),--base "$(BASE)")

.PHONY: status
status: for-deploy ## show a stack's current state on one screen
	@$(ask) $(ARGS)

.PHONY: doctor
doctor: for-deploy ## check tokens, scopes, permissions and reachability, and say what to fix
	@$(ask) $(ARGS)

.PHONY: api-token
api-token: for-deploy ## create a stack's two API tokens for its service user, stored encrypted (ARGS=--replace rotates)
	@$(ask) $(ARGS)

.PHONY: verify
verify: for-deploy ## check our assumptions about the APIs on a tenant, with scratch objects (ARGS="--slow --with-logs")
	@$(ask) $(ARGS)

.PHONY: reconcile
reconcile: for-deploy ## verify that every SCM record is in Dynatrace (FROM=, TO=, JSON=file)
	@$(ask) $(if $(FROM),--from "$(FROM)") $(if $(TO),--to "$(TO)") $(if $(JSON),--json "$(JSON)")

.PHONY: backfill
backfill: for-deploy ## resend a time range, independently of the schedule (FROM=, TO=, IDS=a,b, YES=1)
	@$(ask) --from "$(FROM)" $(if $(YES),--yes) $(if $(TO),--to "$(TO)") $(if $(IDS),--ids "$(IDS)")

.PHONY: test-alert
test-alert: for-deploy ## open a problem on purpose and wait until people have been notified
	@$(ask)

.PHONY: drift
drift: for-deploy ## list what was changed outside Pulumi (ARGS=--report keeps an issue on GitHub)
	@$(ask) $(ARGS)

.PHONY: show-script
show-script: for-deploy ## print the script that a stack deploys, with its parameters and IDs
	@$(ask)

.PHONY: import-config
import-config: for-deploy ## import the vendor's config.yaml into a stack's config, with secrets encrypted (FILE=config.yaml)
	@$(ask) --file "$(FILE)"

.PHONY: adopt
adopt: for-deploy ## find objects that the vendor's script created, to adopt them (ARGS=--write sets the config)
	@$(ask) $(ARGS)

.PHONY: readme
readme: for-deploy ## print a README for a stack, with its outputs
	@$(ask)

##@ Develop

.PHONY: setup
setup: for-test ## install everything that is missing, without running anything

.PHONY: quick
quick: for-test ## run the quick tests, for use while you work (ARGS="-k word" goes to pytest)
	@python -m dev.toolchain.check --quick $(ARGS)

.PHONY: test
test: for-test ## run all linters and all tests (with ARGS="-k word" only the tests whose names match)
	@python -m dev.toolchain.check --tests $(ARGS)

.PHONY: browser
browser: for-test ## find or install a Chromium, so that `make test` also tests the pages in it
	@python -m dev.toolchain.browser

.PHONY: lint
lint: for-test ## run only the linters: style, formatting, types, imports
	@python -m dev.toolchain.check

.PHONY: format
format: for-test ## format Python and JavaScript
	@python -m dev.toolchain.check --fix

.PHONY: new-resource
new-resource: for-test ## write the files of a new resource (NAME=LogBucket)
	@python -m dev.new_resource "$(NAME)"

.PHONY: bench
bench: for-test ## measure a record, benchmark a deployment, the local environment, and the sync script against two peers
	@python -m dev.benchmarks.record
	@python -m dev.benchmarks.deploy
	@python -m dev.benchmarks.simulator
	@python -m dev.benchmarks.sync

.PHONY: soak
soak: for-test ## run long campaigns: random faults, interruption of every provider call, kill -9
	@python -m dev.soak.script
	@python -m dev.soak.mutants
	@python -m dev.soak.providers
	@python -m dev.soak.simulator

.PHONY: lock
lock: for-test ## re-lock dependencies from pyproject.toml and package.json (ARGS=--upgrade for the newest)
	@python -m dev.toolchain.lock $(ARGS)
