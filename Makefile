# Every target does its own set-up; the second run finds it done.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PORT ?= 9092
BROKERS ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo test check fmt bench kafka-up kafka-down clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(STAMP)  ## the whole system on this machine: events in, verdicts out
	$(BIN)/stream-attr demo

test: $(STAMP)  ## all tests, on the embedded broker and (where Java and Maven are) on Apache Kafka
	$(BIN)/python -m pytest

check: $(STAMP)  ## lint, types, layers; edits nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: $(STAMP)  ## format and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)  ## speed and memory as ratios, in one table (under 5 minutes)
	$(BIN)/python -m benchmarks

kafka-up: $(STAMP)  ## Apache Kafka on 127.0.0.1:9092 (PORT=…), data in .cache/kafka; needs Java 17 and Maven
	$(BIN)/python deploy/kafka/apache_kafka.py up --port $(PORT) --brokers $(BROKERS)

kafka-down: $(STAMP)  ## stop it; its data stays
	$(BIN)/python deploy/kafka/apache_kafka.py down

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
