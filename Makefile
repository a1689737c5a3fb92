# What can be done here. Everything needs Python 3.11 or newer and make; the rest is fetched into .venv and a cache.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# These fill both cores by themselves, or measure an API that has them to itself; of the rest, two files run at a time.
FILLING := tests/attacks/test_openapi.py tests/system

.PHONY: help run demo test long check bench faults soak clean docs lock

help:            ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 12

.venv/ready: requirements.lock pyproject.toml
	@echo "Making the environment in .venv: about 110 packages, a minute or two the first time …"
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "orderlog needs Python 3.11 or newer; name one: make PYTHON=python3.12 …")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: .venv/ready ## start everything, place real orders, tell what happened, stay up until Ctrl-C (ARGS="--orders 50")
	@$(BIN)/orders run $(ARGS)

demo: .venv/ready ## the same, but exit by itself; fails if any order is not settled
	@$(BIN)/orders demo $(ARGS)

test: .venv/ready ## all tests but the long ones, on a real Kafka and a real Postgres that are started here
ifeq ($(ARGS),)
	@$(BIN)/python -m pytest -q --durations=15 -m "not long" -n 2 --dist loadfile tests $(addprefix --ignore=,$(FILLING))
	@$(BIN)/python -m pytest -q --durations=15 -m "not long" $(FILLING)
else
	@$(BIN)/python -m pytest $(ARGS)
endif

long: .venv/ready ## the tests that take long: writers that fight, releases that change, workers and servers that are killed for a minute each
	@$(BIN)/python -m pytest -q --durations=15 -m long tests

check: .venv/ready ## format, lint, types, import contracts, and promises to readers of events and clients
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.gate

bench: .venv/ready ## print figures: drain, latency, CPU, restart
	@$(BIN)/python -m tests.bench $(ARGS)

faults: .venv/ready ## every failpoint, 30 kills and all other faults at 2,000 orders; a checker of its own says what held (10 minutes)
	@$(BIN)/python -m tests.faults ci $(ARGS)

soak: .venv/ready ## the same for 90 minutes: 300 kills, 50,000 orders; writes docs/reliability.md
	@$(BIN)/python -m tests.faults soak $(ARGS)

docs: .venv/ready ## print again what is printed from the code, unless that breaks a promise to readers or clients
	@$(BIN)/python -m tests.gate
	@$(BIN)/python -m workers.print_docs
	@$(BIN)/python -m api.print_openapi
	@$(BIN)/python -m api.print_client

clean:           ## forget the data of local runs (not the environment)
	@test ! -x $(BIN)/orders || $(BIN)/orders clean

lock: .venv/ready ## pin requirements.in anew
	@$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet requirements.in -o requirements.lock
