# `make` lists the targets. `make run` and `make test` set up all they need.
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CODE := src tests benchmarks
DATE ?= $(shell date +%F)
COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate

.PHONY: help run test lint types imports kb pytest prove safety-case evaluate figures bench lock schemas clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Soleus needs Python 3.11 or newer; say which with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python cannot make virtual environments; on Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/.run: $(BIN)/python requirements/web.txt pyproject.toml
	@echo "Installing Soleus ..."
	@$(PIP) --require-hashes -r requirements/web.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.run requirements/test.txt
	@echo "Installing what the tests need ..."
	@$(PIP) --require-hashes -r requirements/test.txt
	@touch $@

run: $(VENV)/.run ## start Soleus: the web app on this computer
	@$(BIN)/soleus web

test: lint types imports kb pytest ## everything that has to be green

lint: $(VENV)/.test ## ruff
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)

types: $(VENV)/.test ## mypy, strict
	@$(BIN)/mypy

imports: $(VENV)/.test ## direction of imports
	@PYTHONPATH=src $(BIN)/lint-imports --no-logo

kb: $(VENV)/.run ## check the knowledge base
	@$(BIN)/soleus kb check

pytest: $(VENV)/.test ## the tests alone
	@$(BIN)/python -m pytest

prove: $(VENV)/.test ## the safety proofs, and break every rule to see that they notice
	@$(BIN)/soleus prove --mutate

safety-case: $(VENV)/.test ## regenerate docs/safety-case.* (minutes); DATE=2026-01-31 is what it carries
	@$(BIN)/soleus evaluate safety-case docs --date $(DATE)

evaluate: $(VENV)/.test ## regenerate docs/evaluation.* (minutes); DATE=2026-01-31 is what it carries
	@$(BIN)/soleus evaluate report docs --vignettes tests/vignettes --date $(DATE)

figures: $(VENV)/.run ## renew the figures that the web app carries from docs/ (after evaluate or safety-case)
	@$(BIN)/python -m soleus.delivery.web.figures docs

schemas: $(VENV)/.run ## regenerate docs/schemas/
	@for what in case assessment condition finding rule care hazard; do $(BIN)/soleus kb schema $$what > docs/schemas/$$what.schema.json; done

bench: $(VENV)/.test ## speed, as ratios
	@$(BIN)/python benchmarks/speed.py

lock: $(VENV)/.test ## renew requirements/*.txt (needs uv)
	@$(COMPILE) requirements/run.in -o requirements/run.txt
	@$(COMPILE) requirements/prove.in -c requirements/run.txt -o requirements/prove.txt
	@$(COMPILE) requirements/report.in -c requirements/run.txt -o requirements/report.txt
	@$(COMPILE) requirements/web.in -c requirements/run.txt -c requirements/report.txt -o requirements/web.txt
	@$(COMPILE) requirements/test.in -c requirements/prove.txt -c requirements/report.txt -c requirements/web.txt -o requirements/test.txt

clean: ## remove the virtual environment
	@rm -rf $(VENV)
