# Three commands for people: `make demo`, `make federated` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo federated test lint types floors tests fuzz docs golden clean

demo: .venv/demo
	$(BIN)/python examples/demo.py
	$(BIN)/python -m examples.lineage

# Federated learning under attack; draws docs/pictures/federated.svg.
federated: .venv/dev
	$(BIN)/python -m examples.federated

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

# FUZZ_SECONDS for each target (60); FUZZ="hdf5 gguf" for some of them. Inputs that find something go to .scratch/fuzz.
fuzz: .venv/fuzz
	$(BIN)/python tests/fuzz/fuzz.py $(FUZZ)

# The page of rules is written from their table.
docs: .venv/dev
	$(BIN)/python -c "from cli.rendering.rules import rules_page; from policies import RULES; print(rules_page(RULES.values()), end='')" > docs/rules.md

# After a wanted change of an output format: write the golden files anew, then read the difference.
golden: .venv/dev
	REGENERATE_GOLDEN=1 $(BIN)/python -m pytest tests/unit/cli/test_golden.py

.venv/bin/python:
	$(PYTHON) -m venv .venv

# The demonstration needs no torch and no tools of developers; its second part trains on digits.
.venv/demo: .venv/bin/python pyproject.toml
	$(BIN)/pip install --quiet --editable . scikit-learn
	touch $@

# torch is pinned: its CPU build installs in seconds, while an open range pulls gigabytes.
.venv/dev: .venv/bin/python pyproject.toml
	$(BIN)/pip install --quiet "torch==2.13.0"
	$(BIN)/pip install --quiet --editable ".[dev,torch]"
	touch $@

# Where atheris has no wheel, hypothesis alone fuzzes.
.venv/fuzz: .venv/dev
	-$(BIN)/pip install --quiet --editable ".[fuzz]"
	touch $@

clean:
	rm -rf .venv .scratch dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
