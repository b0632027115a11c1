# Madhur. `make run` is all a newcomer needs; `make help` lists the rest.
# Works with GNU make 3.81 or newer and Python 3.11, 3.12 or 3.13; nothing else has to be installed first.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet install
UV_VERSION := 0.13.8

# Tried in this order; name another with `make run PYTHON=/path/to/python3.12`.
PYTHON :=
PYTHONS := $(PYTHON) python3.13 python3.12 python3.11 python3 python

# Arguments for pytest, as in `make test ARGS="tests/unit -k mood"`.
ARGS := tests

.PHONY: run test check format bench lock docker clean help FORCE

run: $(VENV)/run.installed ## Start Madhur with its own database and, the first time, a demo catalogue
	@$(BIN)/madhur serve --demo

test: $(VENV)/dev.installed ## Run the tests
	@PYTHONDONTWRITEBYTECODE=1 $(BIN)/python -m pytest -n 2 $(ARGS)

# B104 (listening on all interfaces) is left to ruff's S104, which wants its reason on the line.
# Each check runs even when one before it failed, so that one run shows everything there is to mend.
check: $(VENV)/dev.installed ## Check format, lint, types, layer rules and security
	@failed=; \
	step() { \
		label=$$1; shift; \
		printf '== %s\n' "$$label"; \
		"$$@" || failed="$$failed [$$label]"; \
	}; \
	step 'format (ruff)' $(BIN)/ruff format --check .; \
	step 'lint (ruff)' $(BIN)/ruff check .; \
	step 'types (mypy --strict)' $(BIN)/mypy; \
	step 'layers (import-linter)' $(BIN)/lint-imports --no-logo; \
	step 'security (bandit)' $(BIN)/bandit --quiet --severity-level medium --skip B104 --recursive src; \
	if $(BIN)/python -c 'import socket; socket.create_connection(("api.osv.dev", 443), 5)' 2>/dev/null; then \
		step 'known vulnerabilities (pip-audit)' $(BIN)/pip-audit --vulnerability-service osv --disable-pip \
			--require-hashes --requirement requirements/prod.txt; \
	else echo '== known vulnerabilities (pip-audit): skipped, api.osv.dev cannot be reached'; fi; \
	if [ -n "$$failed" ]; then printf 'check failed:%s\n' "$$failed" >&2; exit 1; fi; \
	echo 'check passed'

format: $(VENV)/dev.installed ## Rewrite the code in the project's format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# A benchmark that needs a data set names an environment variable MADHUR_BENCH_... in its source.
bench: $(VENV)/dev.installed ## Run the benchmarks whose data is named in the environment
	@for file in benchmarks/*.py; do \
		case $$file in 'benchmarks/*.py'|*/__init__.py|*/_*.py) continue;; esac; \
		missing=; \
		for name in $$(grep -oE 'MADHUR_BENCH_[A-Z0-9_]+' "$$file" | sort -u); do \
			eval "value=\$${$$name:-}"; \
			[ -n "$$value" ] || missing="$$missing $$name=/path/to/data"; \
		done; \
		module=benchmarks.$$(basename "$$file" .py); \
		if [ -n "$$missing" ]; then printf '== %s skipped; to run it: make bench%s\n' "$$module" "$$missing"; \
		else printf '== %s\n' "$$module"; $(BIN)/python -m "$$module" || exit 1; fi; \
	done

# `make lock` keeps the present versions where pyproject.toml allows it; `make lock UPGRADE=1` takes the newest.
lock: $(VENV)/created ## Pin every dependency again, with hashes, for all platforms and Python versions
	@$(PIP) uv==$(UV_VERSION)
	@set -e; \
	compile() { \
		output=requirements/$$1.txt; shift; \
		$(BIN)/uv --no-progress pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file "$$output" "$$@" \
			>/dev/null; \
		printf '%s: %s packages\n' "$$output" "$$(grep -c '==' "$$output")"; \
	}; \
	compile dev pyproject.toml --extra embedded --extra worker --extra dev --group build $(if $(UPGRADE),--upgrade); \
	compile run pyproject.toml --extra embedded --group build --constraints requirements/dev.txt; \
	compile prod pyproject.toml --extra worker --constraints requirements/dev.txt; \
	compile build --group build --constraints requirements/dev.txt

docker: ## Build the production image
	docker build --tag madhur:latest .

clean: ## Remove the virtual environment and caches; the data in var/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## List these commands
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(firstword $(MAKEFILE_LIST)) | expand -t 10

# --- the virtual environment; each step leaves a stamp, so that the next start does nothing ---

# An environment whose interpreter is gone (an upgrade of the system's Python) is made anew.
$(VENV)/created: $(if $(shell $(BIN)/python -c '' 2>/dev/null && echo usable),,FORCE)
	@for python in $(PYTHONS); do \
		"$$python" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
			>/dev/null 2>&1 || continue; \
		echo "Creating $(VENV) with $$("$$python" --version)"; \
		"$$python" -m venv --clear $(VENV) && touch $@; \
		exit; \
	done; \
	echo 'Madhur needs Python 3.11, 3.12 or 3.13 with its venv module, and found none.' >&2; \
	echo 'Install one (on Debian and Ubuntu: python3 and python3-venv), or name yours:' >&2; \
	echo '    make $(or $(MAKECMDGOALS),run) PYTHON=/path/to/python3.12' >&2; \
	exit 1

$(VENV)/%.installed: requirements/%.txt pyproject.toml $(VENV)/created
	@echo 'Installing the dependencies of requirements/$*.txt (a minute or two, once)'
	@$(PIP) --require-hashes --requirement requirements/$*.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

FORCE:
