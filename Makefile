# The front door. `make` alone tells what it can do.

VENV     := .venv
BIN      := $(VENV)/bin
STAMP    := $(VENV)/.installed
LOCKS    := requirements.lock requirements-dev.lock
PACKAGES := canonical operators sources sinks dataflows

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench bench-throttle bench-parquet soak lock clean

help:  ## tell what each command does
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP)  ## simulate a retail day, run it, and show what a retailer would want to see
	$(BIN)/sellable demo

test: lint  ## lint, then every test
	$(BIN)/pytest

lint: $(STAMP)  ## style, types and the layer law
	$(BIN)/ruff check $(PACKAGES) tests
	$(BIN)/ruff format --check $(PACKAGES) tests
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)  ## measure events per second, memory and stalls (minutes)
	$(BIN)/python tests/bench/run.py

bench-throttle: $(STAMP)  ## measure what the throttle's order of updates saves, against other orders (minutes)
	$(BIN)/python -m tests.bench.throttle.run

bench-parquet: $(STAMP)  ## measure a snapshot of a million SKUs: time, size, look-ups, stall (a minute)
	$(BIN)/python -m tests.bench.parquet

soak: $(STAMP)  ## kill the publishing of snapshots 200 times, readers beside it (minutes)
	SELLABLE_KILLS=200 $(BIN)/pytest --timeout 900 tests/sinks/parquet/test_kills.py

# The engine has wheels for Python 3.11 and 3.12 only, so another interpreter is refused here with words.
$(BIN)/python:
	@for python in python3.11 python3.12 python3; do \
	  if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null; then \
	    echo "making $(VENV) with $$($$python --version)"; \
	    $$python -m venv $(VENV) && exit 0; \
	    rm -rf $(VENV); echo "$$python cannot make a virtual environment (on Debian: python3-venv)." >&2; exit 1; \
	  fi; \
	done; \
	echo "Sellable needs Python 3.11 or 3.12 on the PATH; found: $$(python3 --version 2>&1)." >&2; exit 1

# Everything fetched is checked against a hash; our own build then uses only what the lock brought.
$(STAMP): $(BIN)/python $(LOCKS) pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Locks name no host and no path, so that they hold wherever the packages come from.
UV_COMPILE := env -u PIP_FIND_LINKS -u UV_FIND_LINKS UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile pyproject.toml \
	--quiet --universal --fork-strategy fewest --generate-hashes --no-header --no-annotate --python $(BIN)/python \
	$(UPGRADE)

lock: $(STAMP)  ## choose dependency versions anew, with hashes (UPGRADE=--upgrade for the newest)
	$(UV_COMPILE) --output-file requirements.lock
	$(UV_COMPILE) --group dev --constraints requirements.lock --output-file requirements-dev.lock

clean:  ## remove the virtual environment, caches and everything built
	rm -rf $(VENV) build dist out day .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find $(PACKAGES) tests -name __pycache__ -type d -prune -exec rm -rf {} +
