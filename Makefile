# Every target first installs or builds what it needs and what is missing. `make help` lists the targets.
PYTHON ?= python3
STACKED = $(PYTHON) toolchain/stack.py
TOOL = $(PYTHON) toolchain/tool.py

# What a person or a CI job gives is never part of a command line, where a shell would run it, and never expanded, where
# make would: it reaches the programs in the environment, as it was typed, and they check it.
STACK ?= dev
override STACK := $(value STACK)
override DB := $(value DB)
override ROLE := $(value ROLE)
override ARGS := $(value ARGS)
override SETUP := $(value SETUP)
override M := $(value M)
override NAME := $(value NAME)
export STACK DB ROLE ARGS SETUP M NAME

.DEFAULT_GOAL := help
.PHONY: env-up env-down env-list env-sweep env-template help setup up preview refresh destroy status outputs psql backup restore accept cancel shell test test-fast check lint generate revision review diagram docs bench requirements

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/; s/[$$][$$]/$$/' | expand -t 14

setup: python  ## install or build what is missing (SETUP=online fetches released plugins)
	@$(PYTHON) toolchain/setup.py

up: python  ## create or update the stack from its settings and sql/ (STACK=dev)
	@$(STACKED) up

preview: python  ## show what `up` would do, with a line diff of the SQL
	@$(STACKED) preview

refresh: python  ## compare the state with the live server
	@$(STACKED) refresh

destroy: python  ## remove the stack and everything that it created
	@$(STACKED) destroy

status: setup  ## show what the stack's databases have, and what `up` would do
	@$(TOOL) -m infra status

outputs: python  ## show the stack's outputs (ARGS=--show-secrets)
	@$(STACKED) outputs

psql: python  ## open psql on a database (DB=name ROLE=migrator|app|readonly|… ARGS='-c "SELECT 1"')
	@$(STACKED) psql

backup: development  ## dump the stack's databases into backups/, each dump proved by a restore
	@$(TOOL) -m infra backup

restore: development  ## replace what the stack's databases have by a backup (ARGS=backups/dev/...)
	@$(TOOL) -m infra restore

accept: python  ## take over a database whose ledger is of another stack or server (DB=name)
	@$(STACKED) accept

cancel: python  ## release the lock of a run that was killed
	@$(STACKED) cancel

shell: python  ## print the variables for running pulumi yourself: eval "$$(make -s shell)"
	@$(STACKED) shell

env-up: python  ## create or update an environment from Pulumi.pr.yaml (NAME=pr-12 ARGS=--ttl=2h)
	@$(PYTHON) toolchain/environments.py up

env-down: python  ## remove an environment with its data (NAME=pr-12 ARGS=--prove)
	@$(PYTHON) toolchain/environments.py down

env-list: python  ## list the environments
	@$(PYTHON) toolchain/environments.py list

env-sweep: python  ## list what has expired or lost its stack (ARGS=--apply: and remove it)
	@$(PYTHON) toolchain/environments.py sweep

env-template: python  ## make the database that new ones of environments on a server that is there are clones of
	@$(PYTHON) toolchain/environments.py template

test: development  ## run the tests (FULL=1: also those that take long)
	@$(TOOL) -m pytest -n auto

test-fast: development  ## run the tests that need neither a server nor pulumi
	@$(TOOL) -m pytest -n auto tests/unit

check: development  ## prove on scratch databases that sql/ and models/ are the same schema (ARGS=--stack=dev)
	@$(TOOL) -m infra check

lint: development  ## check the code with ruff and pyright, and sql/ with its own rules
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/pyright && $(TOOL) -m infra lint

revision: development  ## write the revision for existing databases after a change of sql/ (M="what changes")
	@$(TOOL) -m infra revision

generate: development  ## write the generated modules of sql/ from the models
	@$(TOOL) -m infra generate

review: development  ## write what the branch would do to databases, as a comment (ARGS=--base=origin/main)
	@$(TOOL) -m infra review

diagram: development  ## draw the schema into docs/schema (ARGS=--check: only check that it is current)
	@$(TOOL) -m infra diagram

docs: development  ## describe the schema in docs/schema (ARGS=--check: only check that it is current)
	@$(TOOL) -m infra docs

bench: development  ## run the benchmarks of docs/performance.md
	@$(TOOL) -m bench

requirements: development  ## pin requirements*.in into requirements*.txt, with hashes
	@for part in requirements requirements-embedded requirements-docker requirements-dev; do .venv/bin/uv pip compile --quiet --universal --python-version 3.10 \
	  --fork-strategy fewest --generate-hashes --no-header $$part.in -o $$part.txt; done

.PHONY: python development
python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null \
	  || { echo "setup: \`$(PYTHON)\` is not Python 3.10 or newer; install it, or name it: make PYTHON=python3.12" >&2; exit 2; }

development: python
	@$(PYTHON) toolchain/setup.py --development
