# One command a target. `make` alone lists them. PYTHON chooses the interpreter that .venv is made with; with VENV, which
# names another place for it, several can be kept: `make test PYTHON=python3.13 VENV=.venv-3.13`.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test check lint types fmt bench fuzz storm clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## crawl a few thousand pages of forty hosts on this machine, and check each
	$(PY) -m examples.demo

test: $(READY) ## run all tests, one process on each core
	$(PY) -m pytest -n auto --dist worksteal

check: lint types test ## everything that CI checks

lint: $(READY) ## look for mistakes and for unformatted code
	$(PY) -m ruff check
	$(PY) -m ruff format --check

types: $(READY) ## check the types
	$(PY) -m mypy

fmt: $(READY) ## mend what can be mended, and format
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

bench: $(READY) ## measure, side by side with others
	$(PY) -m benchmarks

fuzz: $(READY) ## feed the parsers with nonsense
	$(PY) -m tests.fuzz

storm: $(READY) ## 20,000 requests over 8 connections with everything that can go wrong
	$(PY) -m tests.storm

clean: ## remove .venv and everything else that was made here
	rm -rf $(VENV) .venv-* .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Made anew when pyproject.toml changes; the stamp is set last, so that an interrupted attempt is not taken for a
# whole one.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed, and '$(PYTHON)' is not: try 'make PYTHON=python3.12 ...'" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
	    { echo "'$(PYTHON)' lacks its venv module: on Debian it is the package python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(PY) -m pip install --quiet --editable '.[bench,dev]'
	@touch $@
