.DEFAULT_GOAL := help
.PHONY: help dev demo test check lock bench
PYTHON ?= python3
BIN := .venv/bin

help: ## what each target does
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 8

.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

dev: .venv/installed ## a virtual environment with the locked dependencies and this checkout

demo: dev ## load the sample customer and open the app in a browser
	$(BIN)/spendproof demo

test: dev ## every check and test, browser included
	./tests/setup.sh
	$(MAKE) check
	$(BIN)/python -m pytest -n 2

check: dev ## format, lint, types, import contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

lock: ## write requirements.lock anew from pyproject.toml
	uv pip compile --universal --generate-hashes --python-version 3.11 --extra dev pyproject.toml -o requirements.lock --custom-compile-command "make lock"

bench: dev ## every benchmark, each with its ratio
	for b in benchmarks/[a-z]*.py; do $(BIN)/python $$b --json; done
