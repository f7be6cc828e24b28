# Every command runs in .venv. `make demo` fills it with what users install, everything else with the extras and the
# development tools as well; a change of the requirements does both again.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export LOOKALIKE_DATA ?= $(wildcard $(abspath ../shared/data))

.DEFAULT_GOAL := help
.PHONY: help base install demo page test test-slow test-install lint bench
PIP_INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

base: $(VENV)/.base  ## Make .venv with lookalike alone: it indexes, searches, learns and draws

install: $(VENV)/.installed  ## Add all extras and the development tools

$(VENV)/.base: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) -e .
	@touch $@

$(VENV)/.installed: $(VENV)/.base
	$(PIP_INSTALL) -e '.[dev]'
	@touch $@

demo: base  ## Draw a catalogue, index it, teach it two meanings: demo/taught.png
	$(BIN)/python examples/demo.py

$(VENV)/.page: $(VENV)/.base
	$(PIP_INSTALL) -e '.[server]'
	@touch $@

page: $(VENV)/.page  ## Open the demo's catalogue in the browser
	test -d demo/catalogue/photos || $(BIN)/python examples/demo.py
	$(BIN)/lookalike serve demo/catalogue/photos

# A worker for each core, with one thread each: more would wait for one another.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto

test: install  ## Run the tests but for the slow ones, the examples in the docstrings included
	$(PYTEST) --dist loadfile -m 'not slow'

test-slow: install  ## Run the slow tests: whole pages, a whole figure, an installation, further families of networks
	$(PYTEST) -m slow

test-install: install  ## Run one of the slow tests: a venv with nothing but the package indexes, searches and learns
	$(PYTEST) -m slow tests/test_install.py

lint: install  ## Check format, style and types
	$(BIN)/ruff check src tests examples benchmarks tools
	$(BIN)/ruff format --check src tests examples benchmarks tools
	$(BIN)/mypy

# These hold what others share.
SHARED := drill_searches held_out keras_worker light_network nine_tasks s3_server survival survival_checks
BENCHMARKS := $(filter-out $(SHARED),$(basename $(notdir $(wildcard benchmarks/*.py))))
ONE := $(addprefix bench-,$(BENCHMARKS))
.PHONY: $(ONE)

bench: $(ONE)  ## Run every benchmark, on LOOKALIKE_DATA; one alone with make bench-NAME (make bench-start)

$(VENV)/.bench: $(VENV)/.installed
	$(PIP_INSTALL) -e '.[bench]'
	@touch $@

$(ONE): bench-%: $(VENV)/.bench
	$(BIN)/python benchmarks/$*.py
