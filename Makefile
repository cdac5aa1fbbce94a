# Needs make and a Python >= 3.11 with venv, nothing else. `make` alone says what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help install demo test test-long bench check docs format lock clean

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SCRIPTS := scripts/kafka scripts/make-secrets scripts/reference scripts/schemas scripts/screenshots scripts/production-story
ARGS :=
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' $(MAKEFILE_LIST) | while read -r name words; do \
		printf '  make %-10s %s\n' "$$name" "$$words"; done

install: $(INSTALLED) ## .venv with everything, exactly as in requirements.lock

demo: $(INSTALLED) ## the main job on the embedded default; ARGS=--exit ends it afterwards
	@$(BIN)/alerting demo $(ARGS)

# Three workers, whatever the machine: each starts services of its own, and waits for them half of its time. They
# take the files in the order of tests/conftest.py, not those with the most tests first.
test: $(INSTALLED) ## the whole suite, services included; ARGS="-k word" for a part
	@$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

SEED := $(shell date +%s)
test-long: $(INSTALLED) ## 100,000 conditions against PostgreSQL, 300 orders of arrival, 32 back-tests against DuckDB, 100,000 due instants by the minute; SEED=n repeats
	@echo "seed $(SEED), commit $$(git rev-parse --short HEAD)"
	@ALERTING_TEST_LONG=30 ALERTING_TEST_SEED=$(SEED) $(BIN)/pytest -q -s --hypothesis-seed=$(SEED) \
		tests/database/conditions/test_conditions_in_postgresql.py::test_every_condition_means_what_postgresql_says \
		tests/database/conditions/test_moments_in_postgresql.py::test_moments_lists_and_numbers_mean_what_postgresql_says \
		tests/database/alerts/late/test_late_orders.py::test_the_same_facts_in_any_order_end_in_the_same_alerts \
		tests/database/alerts/test_backtest_oracle.py::test_duckdb_comes_to_the_same_facts_and_alerts \
		tests/unit/times/test_calendars.py

# Ratios taken in one run, no timed tests. What we are compared with is installed beside the product, not into it.
PEERS := .venv-bench/.installed
bench: $(INSTALLED) $(PEERS) ## the figures of bench/README.md, measured on this machine
	@for each in $(or $(BENCH),conditions rule_index backtest importing recomputing live_join sweep due_timers cdnow due report); do $(BIN)/python -m bench.$$each; done

$(PEERS): bench/requirements.txt $(INSTALLED)
	@$(BIN)/pip install --quiet --require-hashes --upgrade --target $(@D) --requirement $<
	@touch $@

check: $(INSTALLED) ## format, lint, types, layers, spelling, the site, then the tests
	@$(BIN)/ruff format --check --quiet . $(SCRIPTS)
	@$(BIN)/ruff check --quiet . $(SCRIPTS)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/codespell
	@$(MAKE) --no-print-directory docs test

# A link that leads nowhere is an error. What is generated in docs/reference/ is written by scripts/reference.
docs: $(INSTALLED) ## the documentation as a site, in build/site
	@$(BIN)/sphinx-build -q -W --keep-going -n -d build/doctrees docs build/site

format: $(INSTALLED) ## put the code into its form
	@$(BIN)/ruff check --quiet --fix-only . $(SCRIPTS)
	@$(BIN)/ruff format --quiet . $(SCRIPTS)

# The one lock serves every platform and Python >= 3.11, with a hash for every file. Only this target needs uv: the one
# on the PATH, else one fetched by pip into the .venv. Add UPGRADE=--upgrade to move to the newest versions.
lock: $(INSTALLED) ## write requirements.lock anew from pyproject.toml
	@uv=$$(command -v uv) || uv=$(VENV)/uv/bin/uv; \
	[ -x "$$uv" ] || $(BIN)/pip install --quiet --target $(VENV)/uv uv; \
	"$$uv" pip compile -q --universal --python-version 3.11 --generate-hashes --group dev --group docs --all-extras \
		pyproject.toml -o requirements.lock $(UPGRADE)

clean: ## remove .venv and what the tools left behind
	@rm -rf $(VENV) .venv-bench build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last, so an installation that was broken off is begun again.
$(INSTALLED): requirements.lock pyproject.toml
	@python=; for each in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
		"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { python=$$each; break; }; \
	done; \
	[ "$$python" ] || { \
		echo "No Python >= 3.11 found. Install one, or name it: make PYTHON=/path/to/python3.11"; exit 1; }; \
	"$$python" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$$python comes without venv. Install it (Debian, Ubuntu: apt-get install python3-venv)."; exit 1; }; \
	echo "Installing into $(VENV) with $$("$$python" --version), about a minute the first time ..."; \
	"$$python" -m venv $(VENV); \
	$(BIN)/pip install --quiet --require-hashes --requirement requirements.lock; \
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
