# The only entry for people and CI. Every target sets up what it needs in .venv.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
OUT ?= out
TESTS ?= tests/unit tests/contract tests/integration tests/security tests/e2e
export OMP_NUM_THREADS ?= 1
export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM ?= false
export SEED SOAK_MINUTES JSON ONLY EXAMPLES

.DEFAULT_GOAL := help
.PHONY: help setup demo up down test lint types unit contract integration security e2e \
        browser bench test-vllm test-faults fuzz diagram clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(STAMP): pyproject.toml deploy/constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint deploy/constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint deploy/constraints.txt --editable ".[local,train,dev]"
	touch $(STAMP)

setup: $(STAMP) ## Make the virtual environment

demo: $(STAMP) ## Run five requests (or REQUEST="...") into OUT=out
	$(BIN)/interleave demo --out "$(OUT)" $(if $(REQUEST),"$(REQUEST)")

up: $(STAMP) ## Start the stack on this machine; Ctrl-C stops it
	$(BIN)/interleave up

down: $(STAMP) ## Stop a running stack
	$(BIN)/interleave down

lint: $(STAMP) ## ruff and import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMP) ## pyright, strict
	$(BIN)/pyright --pythonpath $(BIN)/python

test: $(STAMP) ## unit, contract, integration, security and e2e tests
	$(BIN)/python -m pytest $(TESTS)

unit contract integration security e2e: $(STAMP) ## One tier of tests
	$(BIN)/python -m pytest tests/$@

bench: $(STAMP) ## Measure orchestration overhead and batching
	$(BIN)/python -m tests.benchmarks

test-faults: $(STAMP) ## Break the running stack in every way (SEED=, SOAK_MINUTES=, JSON=FILE, ONLY=)
	$(BIN)/python -m tests.faults

fuzz: $(STAMP) ## Fuzz the API from its own document (EXAMPLES=50 an operation, SEED=)
	$(BIN)/python -m tests.security.fuzzing

test-vllm: $(STAMP) ## The engine client against a real vLLM server (own environment)
	bash tests/vllm/run.sh

diagram: $(STAMP) ## Write docs/state-machine.md from the code
	$(BIN)/python -m services.orchestrator diagram > docs/state-machine.md

browser: $(STAMP) ## The studio page in Chromium (Debian packages chromium, chromium-driver)
	$(BIN)/python -m pytest tests/browser

clean: ## Remove the environment and what runs left behind
	rm -rf $(VENV) .venv-vllm .interleave out build *.egg-info
