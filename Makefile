# Two commands to begin with: `make up` and `make test`. Everything they need beyond Python and make goes into .venv.
# A line `##@ Heading` begins a group of the help.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
PYTEST := $(BIN)/pytest --numprocesses auto --dist worksteal
# On further servers without what asks nothing of the server, and with fewer rows.
FURTHER := --fewer-rows --statements 500 --ignore=tests/test_readme.py --ignore=tests/test_contributing.py --ignore=tests/runner/test_wheel.py
.DEFAULT_GOAL := help
.PHONY: help up down test test-16 test-debian lint format contract docs mutants fuzz bench clean

help: ## Show this list
	@echo 'To use it: make up, then README.md. To change it: make test, then CONTRIBUTING.md.'
	@awk -F ':.*## ' '/^##@ / { print "\n" substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ To use it
up: $(VENV)/.companion ## Start the embedded server, apply every system, load demo data
	@$(BIN)/companion up

down: ## Stop the embedded server; its data stays
	@if [ -x $(BIN)/companion ]; then $(BIN)/companion server stop; fi

##@ To change it
test: lint ## Run lint and all tests on an embedded server of their own, in 6 minutes (one test: .venv/bin/pytest tests/hugo -k word)
	$(PYTEST) $(ARGS)

lint: $(VENV)/.dev ## Check file conventions, SQL and Python
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/companion lint
	$(BIN)/sqlfluff lint --disable-progress-bar --processes 0 docs/examples

format: $(VENV)/.dev ## Bring SQL and Python into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix --quiet sql

contract: $(VENV)/.dev ## Write contract/<system>.json from what the files make
	$(BIN)/companion contract export --from-files --output contract

docs: $(VENV)/.dev ## Write docs/<system>.md and docs/html from contract, rules and examples
	$(BIN)/python -m docs.generate

##@ What takes longer
test-16: $(VENV)/.dev ## Run all tests on the embedded server's PostgreSQL 16
	PGSERVER_POSTGRES_VERSION=16 $(PYTEST) $(FURTHER) $(ARGS)

test-debian: $(VENV)/.dev ## Run all tests, and those of pg_cron, PgBouncer, plpgsql_check and Chromium, on Debian's PostgreSQL 15 (as root; installs packages)
	tests/debian/with_server $(PYTEST) $(FURTHER) $(ARGS)

mutants: $(VENV)/.dev ## Take every rule out of a copy of the schemas, one at a time, and see that a test notices (ARGS=--help)
	$(BIN)/python -m tests.mutants $(ARGS)

fuzz: $(VENV)/.dev ## Make 100,000 random statements in each system, other ones each time (an hour; ARGS='--statements N')
	$(PYTEST) tests/fuzz --at-random --statements 100000 -rP $(ARGS)

bench: $(VENV)/.dev ## Measure side by side and write bench/results.md (ARGS=--quick for a small run that writes nothing)
	$(BIN)/python -m bench $(ARGS)

##@ To tidy up
clean: down ## Remove the virtual environment and all caches; the embedded server's data stays
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo 'Companion needs Python 3.10 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo 'This Python has no venv module (on Debian: apt install python3-venv).' >&2; exit 1; }

$(VENV)/.companion: $(VENV)/bin/pip pyproject.toml
	@echo 'Installing Companion into $(VENV) ...'
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.companion pyproject.toml
	@echo 'Installing the tools for development into $(VENV) ...'
	@$(PIP) --editable '.[dev]'
	@touch $@
