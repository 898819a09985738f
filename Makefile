# Two commands for people: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint types floors tests clean

demo: .venv/demo
	$(BIN)/python examples/demo.py

test: lint types floors tests

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev
	$(BIN)/mypy

floors: .venv/dev
	$(BIN)/lint-imports --no-cache

tests: .venv/dev
	$(BIN)/python -m pytest

.venv/bin/python:
	$(PYTHON) -m venv .venv

# The demonstration needs no torch and no tools of developers.
.venv/demo: .venv/bin/python pyproject.toml
	$(BIN)/pip install --quiet --editable .
	touch $@

# torch is pinned: its CPU build installs in seconds, while an open range pulls gigabytes.
.venv/dev: .venv/bin/python pyproject.toml
	$(BIN)/pip install --quiet "torch==2.13.0"
	$(BIN)/pip install --quiet --editable ".[dev,torch]"
	touch $@

clean:
	rm -rf .venv .scratch dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
