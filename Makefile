# Every command runs in .venv, which `make install` makes once and after a change of the requirements.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export LOOKALIKE_DATA ?= $(wildcard $(abspath ../shared/data))

.DEFAULT_GOAL := help
.PHONY: help install demo test lint bench

help:  ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

install: $(VENV)/.installed  ## Make .venv with lookalike, all extras and the development tools

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: install  ## Draw a catalogue, index it, search it: demo/grid.png
	$(BIN)/python examples/demo.py

# A worker for each core, with one thread each: more would wait for one another.
test: install  ## Run every test, the examples in the docstrings included
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --dist loadfile

lint: install  ## Check format, style and types
	$(BIN)/ruff check src tests examples benchmarks
	$(BIN)/ruff format --check src tests examples benchmarks
	$(BIN)/mypy

# Three hold what others share.
BENCHMARKS := $(filter-out held_out nine_tasks keras_worker,$(basename $(notdir $(wildcard benchmarks/*.py))))
ONE := $(addprefix bench-,$(BENCHMARKS))
.PHONY: $(ONE)

bench: $(ONE)  ## Run every benchmark, on LOOKALIKE_DATA; one alone with make bench-NAME (make bench-start)

$(VENV)/.bench: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@touch $@

$(ONE): bench-%: $(VENV)/.bench
	$(BIN)/python benchmarks/$*.py
