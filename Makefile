# Two commands are enough on a fresh machine with Python 3.11+: `make forge` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export DAGSTER_HOME := $(CURDIR)
export FORGE_DATA ?= $(CURDIR)/.forge
export FORGE_DAGSTER ?= $(FORGE_DATA)/dagster
export DO_NOT_TRACK := 1

.PHONY: forge test lint ui clean

forge: $(VENV)/ready
	$(BIN)/forge run

# tests/conftest.py says which tests stay together. Models of tests are too small for more than a thread, and many wait
# for other processes: three at once keep two cores busy.
test: $(VENV)/ready
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 3 --dist loadscope --no-loadscope-reorder

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

ui: $(VENV)/ready
	@mkdir -p $(FORGE_DAGSTER)
	@echo "Dagster UI on http://localhost:$${PORT:-3000} (Ctrl-C stops it, the sensors and the metrics)"
	@trap 'trap - EXIT INT TERM; kill 0' EXIT INT TERM; \
	  $(BIN)/forge metrics --port $${METRICS_PORT:-9464} & \
	  $(BIN)/dagster-daemon run -w workspace.yaml & \
	  $(BIN)/dagster-webserver -w workspace.yaml -p $${PORT:-3000}

clean: # everything that was made except the virtual environment and the base models
	find $(FORGE_DATA) -mindepth 1 -maxdepth 1 ! -name models -exec rm -rf {} + 2>/dev/null || true

# torch comes first and pinned: its wheel for this version needs no GPU packages.
$(VENV)/ready: constraints.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
