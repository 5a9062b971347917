# Everything a developer or CI runs. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCKS := requirements/dev.txt pyproject.toml
export PYTHONPATH := tests
# Compiled modules are kept: without them every test worker and every operator that a test starts compiles them anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup lock

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: $(VENV)/.ready ## .venv with the locked dependencies and the project itself

$(VENV)/.ready: $(LOCKS)
	@echo "setup: creating $(VENV) from requirements/dev.txt"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

lock: setup ## resolve the dependencies again into requirements/
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet --disable-pip-version-check uv
	build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate pyproject.toml -o requirements/runtime.txt
	build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate pyproject.toml --group dev -c requirements/runtime.txt -o requirements/dev.txt
	build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --group bench -c requirements/dev.txt -o requirements/bench.txt

.PHONY: sbom audit
sbom: setup ## requirements/sbom.cdx.json (CycloneDX), from the lock; the image has a copy
	@$(BIN)/python -m harness.sbom

audit: ## look for known vulnerabilities in the lock with pip-audit; needs the network, and is not part of the tests
	$(PYTHON) -m venv build/audit
	build/audit/bin/pip install --quiet --disable-pip-version-check pip-audit
	build/audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements/runtime.txt

# The environment: see tests/harness. Only a KUBECONFIG given to make itself is used, never the one of the shell.
.PHONY: build up down
GIVEN_KUBECONFIG = $(if $(filter command,$(origin KUBECONFIG)),--kubeconfig "$(KUBECONFIG)")

build: setup ## the control plane, helm, promtool, actionlint, Kafka and Kafka Connect into build/
	@$(BIN)/python -m harness build

up: setup ## the environment in the background; .run/env then holds its addresses
	@$(BIN)/python -m harness up $(GIVEN_KUBECONFIG)

down: ## end what `make up` started
	@test ! -e $(BIN)/python || $(BIN)/python -m harness down

.PHONY: chart
chart: setup ## the chart's copies of the CRDs, and the table of values in its README
	@$(BIN)/python -m harness chart

.PHONY: demo
demo: setup ## everything at once, shown step by step; ends at Ctrl-C, with EXIT=1 by itself; WITH=postgres: a database, too
	@$(BIN)/python -m harness demo $(GIVEN_KUBECONFIG) $(if $(filter-out 0,$(EXIT)),--exit) $(if $(WITH),--with $(WITH))

.PHONY: picture
picture: setup ## docs/kubectl-lenses.svg, from a real run in the demo's environment
	@$(BIN)/python -m harness.picture

.PHONY: docs
docs: setup ## docs/reference.md, from crds/
	@$(BIN)/python -m harness.reference

# Checks. pytest's closing line is the last one: that is what CI reads.
.PHONY: lint types layers test test-personas test-node test-connectors chaos
# Many more workers than processors: most of what the tests of the operator take is waiting. See tests/harness/dealing.py.
SPREAD = -n 8 --dist loadscope --no-loadscope-reorder
lint: setup ## ruff: rules and format; hadolint: the Dockerfile
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/hadolint --failure-threshold style Dockerfile

types: setup ## mypy, strict
	@$(BIN)/mypy

layers: setup ## import-linter: who may import whom
	@$(BIN)/lint-imports

# With PERSONA=both the scenarios of connectors and offsets run under both personas of the Lenses server; see below.
test: lint types layers build ## lint, types, layers, and all tests; lists the slowest twenty
	@$(BIN)/pytest $(SPREAD) --slowest 20 tests/chaos tests/unit tests/fuzz tests/integration tests/e2e

# With TABLE=write docs/connect-versions.md is made to say what was seen.
test-connectors: build ## Debezium on a real PostgreSQL, MirrorMaker, and Kafka Connect 2.8 to 4.3
	@$(BIN)/python -m harness build --connectors
	@TABLE="$(TABLE)" $(BIN)/pytest tests/connectors

# PERSONA: connect, documented, observed, or both.
test-personas: build ## the scenarios of connectors and offsets under another persona of the Lenses server
	@test -n "$(PERSONA)" || { echo "test-personas: say PERSONA=connect, documented, observed or both" >&2; exit 2; }
	@PERSONA="$(PERSONA)" $(BIN)/pytest $(SPREAD) tests/integration/operator tests/integration/complete tests/integration/offsets

test-node: build ## the image in pods of a real kubelet; as root, and skipped with a word where that cannot be
	@$(BIN)/python -m harness node
	@$(BIN)/pytest tests/node

# Skipped with a word where go or git is missing. Its builds are its own: no other target needs them.
.PHONY: test-gitops
test-gitops: build ## what docs/gitops.md says, with the real Argo CD and the real Flux
	@! command -v go >/dev/null || $(BIN)/python -m harness build flux argocd
	@$(BIN)/pytest tests/gitops

# TRIALS: such as kubernetes-1.31 or helm-3.18.6; all if none is given. Hours the first time, nearly all of it builds.
.PHONY: test-versions
test-versions: build ## other versions of Kubernetes, helm and Python; docs/versions.md from what came out
	@$(BIN)/python -m harness versions $(TRIALS)

# SEED, MINUTES, CONNECTORS: see docs/chaos.md.
chaos: build ## one long storm of faults, by default 5 minutes over 300 connectors with a seed of its own
	@CHAOS_SEED=$${SEED:-$$RANDOM} CHAOS_MINUTES=$${MINUTES:-5} CHAOS_CONNECTORS=$${CONNECTORS:-300} $(BIN)/pytest -s tests/chaos/real/test_storm.py

.PHONY: faults
faults: setup ## bring back faults that were found once, one by one: the tests must notice each
	@PYTHONPATH=operator:tests $(BIN)/python -m faults $(FAULTS)

# The figures of docs/performance.md; BENCH=... gives other options, such as BENCH="--sizes 100 --steady 30".
.PHONY: bench
BENCH ?=
bench: build $(VENV)/.bench ## speed, memory and requests, beside a plain kopf operator; over an hour
	@PYTHONPATH=operator:tests $(BIN)/python -m bench $(or $(BENCH),--plot docs/performance.png)

$(VENV)/.bench: requirements/bench.txt $(VENV)/.ready
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@
