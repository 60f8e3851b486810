# Two commands on a fresh machine: `make run` and `make test`. Both make .venv first, from the lock.
# Needed: make, and Python 3.11 or newer with its venv module.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help setup web-tools run test check lint fast format docs lock bench clean

BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
LOG := .venv/install.log
ARGS ?=

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

# What .venv was made from: a new lock, another folder or another Python and it is made again.
SIGN := { cat requirements.lock pyproject.toml | cksum; pwd; $(BIN)/python -V; } 2>&1

setup: ## make .venv from requirements.lock (again only when that or pyproject.toml changed)
	@$(SIGN) | cmp -s - .venv/made-from || $(MAKE) .venv/anew

.PHONY: .venv/anew
.venv/anew:
	@$(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		&& grep -qF "$$(pwd -P)/.venv" $(BIN)/activate \
		|| { python=$$($(FIND_PYTHON)) && echo "Making .venv with $$python" \
		&& "$$python" -m venv --clear .venv; }
	@echo "Installing what requirements.lock names (a minute or two, once)"
	@{ $(PIP) install --require-hashes -r requirements.lock \
		&& $(PIP) install --no-deps --no-build-isolation -e .; } >$(LOG) 2>&1 \
		|| { cat $(LOG) >&2; exit 1; }
	@$(SIGN) > .venv/made-from

# The lock is made with 3.11, so that comes first. A command of that name may exist and not run.
define FIND_PYTHON
for python in $(PYTHON) python3.11 python3 python3.12 python3.13 python3.14; do \
	"$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		&& echo "$$python" && exit 0; \
done; \
echo "tapgrid needs Python 3.11 or newer with its venv module; found: $$(python3 --version 2>/dev/null || echo none)." >&2; \
echo "On Debian or Ubuntu: sudo apt-get install python3.11 python3.11-venv" >&2; \
echo "Or name one: make setup PYTHON=/path/to/python3" >&2; \
exit 1
endef

# What checks the page, from package-lock.json by the Node.js of the lock: `make run` needs none of it.
WEB_SIGN := { cat package.json package-lock.json | cksum; pwd; } 2>&1
WITH_NODE := PATH="$(CURDIR)/$(BIN):$$PATH"

# Not `npm ci`: it wants the lock to name the programs for every other kind of machine, too.
web-tools: setup ## make node_modules (again only when package-lock.json changed)
	@$(WEB_SIGN) | cmp -s - node_modules/.made-from || { \
		$(WITH_NODE) npm install --no-save --silent --no-progress && $(WEB_SIGN) > node_modules/.made-from; }

run: setup ## the venue in demo mode at http://127.0.0.1:8080 (ARGS="--port 9000 ...")
	@$(BIN)/tapgrid serve --demo $(ARGS)

test: web-tools ## every test, also the slow ones and whole venues (ARGS="-k drain ...")
	@$(BIN)/python -m pytest -q $(ARGS)

check: lint fast ## format, lint, types and the fast tests: before each commit

lint: web-tools ## format, lint and types
	@$(BIN)/ruff format --quiet --check . || { echo "make format mends it"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(WITH_NODE) node_modules/.bin/biome ci --log-level=warn --colors=off
	@$(WITH_NODE) node_modules/.bin/tsc --pretty false

fast: web-tools ## the fast tests
	@$(BIN)/python -m pytest -q -m "not slow and not system" -n auto --dist loadfile $(ARGS)

format: web-tools ## put the code into its form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(WITH_NODE) node_modules/.bin/biome check --write

docs: setup ## write from the code: docs/configuration.md, docs/errors.md, the table of docs/api.md, the page's types
	@$(BIN)/python -m tests.support.pages

lock: setup ## compile requirements.lock from pyproject.toml
	@$(BIN)/pip-compile --quiet --allow-unsafe --extra=dev --generate-hashes --no-emit-find-links \
		--no-emit-index-url --output-file=requirements.lock --strip-extras pyproject.toml

bench: setup ## run the benchmarks; what is claimed stands in bench/RESULTS.md
	@for file in bench/bench_*.py; do \
		bench=bench.$$(basename "$$file" .py) && echo "$$bench" && $(BIN)/python -m "$$bench" || exit 1; done

clean: ## remove .venv and caches, never the data folder
	@rm -rf .venv node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
