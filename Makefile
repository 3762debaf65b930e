# Two commands are enough on a fresh machine with Python 3.11+: `make forge` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export DO_NOT_TRACK := 1

.PHONY: forge test test-slow test-all lint ui clean

forge: $(VENV)/ready
	$(BIN)/forge run

# Two tiers: `test` has a witness for every guarantee, `test-slow` the rest (marked `slow`). tests/conftest.py says which
# tests stay together. Models of tests are too small for more than a thread, and many wait for other processes: three at
# once keep two cores busy.
PYTEST := OMP_NUM_THREADS=1 POLARS_MAX_THREADS=1 $(BIN)/pytest --numprocesses 3 --dist loadscope --no-loadscope-reorder --durations=10

test: $(VENV)/ready
	$(PYTEST) -m "not slow"

test-slow: $(VENV)/ready
	$(PYTEST) -m slow

test-all: test test-slow

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/forge check
	PATH="$(BIN):$$PATH" DAGSTER_HOME="$$PWD" FORGE_DAGSTER="$$(mktemp -d)" $(BIN)/dg check toml
	PATH="$(BIN):$$PATH" DAGSTER_HOME="$$PWD" FORGE_DAGSTER="$$(mktemp -d)" $(BIN)/dg check defs

# Variables of the environment are read by shell and Python alone: make would read a `$` or `#` in them.
ui: $(VENV)/ready
	@echo "Dagster UI on http://localhost:$${PORT:-3000} (Ctrl-C stops it, the sensors and the metrics)"
	@trap 'trap - EXIT INT TERM; kill 0' EXIT INT TERM; \
	  data="$$($(BIN)/python -m forge_resources.config.data_folder)" || exit 1; \
	  export DAGSTER_HOME="$${DAGSTER_HOME:-$$PWD}" FORGE_DAGSTER="$${FORGE_DAGSTER:-$$data/dagster}"; \
	  mkdir -p "$$FORGE_DAGSTER"; \
	  $(BIN)/forge metrics --port "$${METRICS_PORT:-9464}" & \
	  $(BIN)/dagster-daemon run -w workspace.yaml & \
	  $(BIN)/dagster-webserver -w workspace.yaml -p "$${PORT:-3000}"

clean: $(VENV)/ready # everything that was made except the virtual environment and the base models
	$(BIN)/forge clean

# torch comes first and pinned: its wheel for this version needs no GPU packages.
$(VENV)/ready: constraints.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
