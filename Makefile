PYTHON ?= python3
VENV ?= .venv
VENV_ALL ?= .venv-all
VENV_CLOUD ?= .venv-cloud
VENV_OLDEST ?= .venv-oldest
VENV_NEWEST ?= .venv-newest
PORT ?= 8080
JOBS ?= 2
BIN := $(VENV)/bin
TEMPLATE := model_templates/python3_sklearn

.DEFAULT_GOAL := help
.PHONY: help run test test-servers test-others test-all test-cloud test-oldest test-reliability test-scale lint types bench clean

help: ## Show this help.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

# One environment; each stamp says which set of packages is in it.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	@touch $@ $(VENV)/.run

# Apart from the first: it holds every framework, gigabytes of them.
$(VENV_ALL)/.all: pyproject.toml tests/frameworks/constraints.txt
	$(PYTHON) -m venv $(VENV_ALL)
	$(VENV_ALL)/bin/pip install --quiet --disable-pip-version-check \
		--constraint tests/frameworks/constraints.txt --editable '.[frameworks-test]'
	@touch $@

# Apart as well: `make test` has the core alone, which says what is missing.
$(VENV_CLOUD)/.test: pyproject.toml
	$(PYTHON) -m venv $(VENV_CLOUD)
	$(VENV_CLOUD)/bin/pip install --quiet --disable-pip-version-check --editable '.[cloud-test]'
	@touch $@

# What pyproject.toml promises at the least, as pins.
$(VENV_OLDEST)/.test: pyproject.toml tests/interpreter
	python=$$(tests/interpreter 3.10) && $$python -m venv $(VENV_OLDEST)
	sed -n '/^dependencies = \[/,/^\]/s/^ *"\(.*\)>=\(.*\)",/\1==\2/p' pyproject.toml > $(VENV_OLDEST)/pins.txt
	$(VENV_OLDEST)/bin/pip install --quiet --disable-pip-version-check \
		--constraint $(VENV_OLDEST)/pins.txt --editable '.[test]'
	@touch $@ $(VENV_OLDEST)/.run

$(VENV_NEWEST)/.test: pyproject.toml tests/interpreter
	python=$$(tests/interpreter newest) && $$python -m venv $(VENV_NEWEST)
	$(VENV_NEWEST)/bin/pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV_NEWEST)/.run

run: $(VENV)/.run ## Train a template, score it in batch, then serve it on port 8080 (PORT=...).
	$(BIN)/python $(TEMPLATE)/train.py
	$(BIN)/drum score --code-dir $(TEMPLATE) --input $(TEMPLATE)/sample_input.csv --output $(VENV)/predictions.csv
	@head -n 6 $(VENV)/predictions.csv
	@echo
	@echo "Serving. In another terminal:"
	@echo "  curl --data-binary @$(TEMPLATE)/sample_input.csv --header 'Content-Type: text/csv' http://127.0.0.1:$(PORT)/predict/"
	@echo
	@$(BIN)/drum server --code-dir $(TEMPLATE) --address 127.0.0.1:$(PORT)

test: $(VENV)/.test ## Run every test of the core, those of servers beside the others.
	@echo "Two runs side by side, each of which is shown when it has ended ..."
	@$(MAKE) --no-print-directory --keep-going --jobs=$(JOBS) --output-sync=target test-servers test-others

# They wait for most of their time.
test-servers: $(VENV)/.test
	$(BIN)/pytest tests/conformance

test-others: $(VENV)/.test
	$(BIN)/pytest --deselect tests/conformance

# Ten thousand tables through the short reader of CSV.
MANY := tests/unit/data/test_csv_rows.py --hypothesis-profile=thorough
NAMES := from custom_model_runner.plugins import FRAMEWORKS; print(*(f"framework-{name}" for name in FRAMEWORKS))

test-all: $(VENV_ALL)/.all ## Install every framework and try its artifacts, one process per framework; then storages.
	@names=$$($(VENV_ALL)/bin/python -c '$(NAMES)') && \
	$(MAKE) --no-print-directory --keep-going --jobs=$(JOBS) --output-sync=target $$names
	$(VENV_ALL)/bin/pytest $(MANY)
	$(VENV_ALL)/bin/pytest tests/scale/test_memory.py
	$(MAKE) --no-print-directory test-cloud

framework-%: $(VENV_ALL)/.all
	$(VENV_ALL)/bin/pytest tests/frameworks --framework $*

test-cloud: $(VENV_CLOUD)/.test ## Score from and to real servers that speak like storages.
	$(VENV_CLOUD)/bin/pytest tests/cloud

test-oldest: $(VENV_OLDEST)/.test $(VENV_NEWEST)/.test ## Run every test of the core under the oldest and the newest that is promised.
	$(VENV_OLDEST)/bin/pytest
	$(VENV_OLDEST)/bin/pytest $(MANY)
	$(VENV_NEWEST)/bin/pytest

test-reliability: $(VENV)/.test ## Try faults and load on real servers, and print the figures.
	$(BIN)/pytest -s tests/reliability

test-scale: $(VENV)/.test ## Score millions of rows, some 4 GB on disk, and kill batches at many points; print the figures.
	$(BIN)/pytest -s tests/scale --full

lint: $(VENV)/.test ## Check style, Dockerfiles and shell scripts.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/hadolint public_dropin_environments/*/Dockerfile
	$(BIN)/shellcheck .ci/run tests/interpreter public_dropin_environments/*/*.sh

types: $(VENV)/.test ## Check types, code and tests alike.
	$(BIN)/mypy

bench: $(VENV)/.test ## Measure speed and memory against a floor and a reference (ratios in one run).
	$(BIN)/python -m benchmarks

clean: ## Remove the environment and everything that was generated.
	rm -rf $(VENV) $(VENV_ALL) $(VENV_CLOUD) $(VENV_OLDEST) $(VENV_NEWEST) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
