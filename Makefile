# SPDX-FileCopyrightText: 2026 The voucherify.oauth contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# All output goes to build/, which git ignores. Paths are relative where possible, so that the path of the checkout may
# contain a space.

# Try each Python, because a name on the PATH can be a shim that fails. Debian has ensurepip in a separate package.
PYTHON_CHECK := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do \
	$$python -c '$(PYTHON_CHECK)' 2>/dev/null && echo $$python && break; done)

VENV := build/venv
BIN := $(VENV)/bin

# Ansible finds a collection by the names of its folders. A link with the right path makes it find this checkout.
TREE := build/collections
COLLECTION := $(TREE)/ansible_collections/voucherify/oauth

export PATH := $(CURDIR)/$(BIN):$(PATH)
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/$(TREE)
export ANSIBLE_LOCALHOST_WARNING := false
export ANSIBLE_INVENTORY_UNPARSED_WARNING := false
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/build/hypothesis

# Empty for what each change needs. Set for everything: `make test-all`, but also for example `make unit ALL=1`.
ALL ?=
PYTEST := $(BIN)/pytest --numprocesses auto $(if $(ALL),-m '')

# The demo should start quickly, so the tools for the checks are installed in a second step, and those for publishing and
# for everything in a third.
DEMO_READY := $(VENV)/demo-ready $(COLLECTION)
TEST_READY := $(VENV)/$(if $(ALL),publish,test)-ready $(COLLECTION)
PUBLISH_READY := $(VENV)/publish-ready $(COLLECTION)
BENCH_READY := $(VENV)/bench-ready $(COLLECTION)

# When make started, to say at the end how long it took.
STARTED := $(shell date +%s)

# The checks that run beside each other. Versions of make before 4.0 would mix their output, so they run one by one there.
CHECKS := sanity ansible-lint types docs-lint licenses lint
TOGETHER := $(if $(filter output-sync,$(.FEATURES)),--jobs=2 --output-sync=target) --no-print-directory --keep-going

.PHONY: help demo sandbox test test-all lint types licenses docs-lint changelog ansible-lint unit integration coverage publishable \
    sanity docs test-matrix release-check bench format pins clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' Makefile

demo: $(DEMO_READY) build/demo-vault-password ## Run the demo against Voucherify if its keys are set, otherwise against the sandbox
	@export ANSIBLE_VAULT_PASSWORD_FILE="$(CURDIR)/build/demo-vault-password" \
	    ANSIBLE_CALLBACK_RESULT_FORMAT=yaml ANSIBLE_DISPLAY_SKIPPED_HOSTS=false; \
	if [ -n "$$VOUCHERIFY_APP_ID" ] && [ -n "$$VOUCHERIFY_APP_TOKEN" ]; then \
	    $(BIN)/ansible-playbook voucherify.oauth.demo; \
	else \
	    $(BIN)/python tests/sandbox -- ansible-playbook voucherify.oauth.demo; \
	fi

sandbox: $(DEMO_READY) build/demo-vault-password ## Open a shell with the sandbox, its keys, a vault password and the Ansible of this checkout
	@ANSIBLE_VAULT_PASSWORD_FILE="$(CURDIR)/build/demo-vault-password" \
	    $(BIN)/python tests/sandbox -- bash --rcfile tests/sandbox/shell.bashrc -i || true

test: $(TEST_READY) ## Run what each change needs: all checks, all unit tests, and most of the others
	@$(MAKE) $(TOGETHER) $(CHECKS)
	$(PYTEST)
	@echo "make test passed in $$(($$(date +%s) - $(STARTED))) s. make test-all also runs the slow tests, pylint and coverage."

test-all: $(PUBLISH_READY) ## Run everything, and measure the coverage
	@$(MAKE) $(TOGETHER) ALL=1 $(CHECKS)
	@$(MAKE) --no-print-directory coverage
	@echo "make test-all passed in $$(($$(date +%s) - $(STARTED))) s."

lint: $(TEST_READY) ## Check the style of the Python and shell code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/shellcheck .ci/run tests/*.sh docs/site/*.sh

types: $(TEST_READY) ## Check the types
	$(BIN)/mypy

licenses: $(TEST_READY) ## Check that each file names its license
	tests/in_copy.sh reuse lint

docs-lint: $(TEST_READY) ## Check the documentation of the plugins and the changelog fragments
	@mkdir -p build/home
	HOME=build/home $(BIN)/antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs self .
	$(BIN)/antsibull-changelog lint
	$(BIN)/antsibull-changelog lint-changelog-yaml --strict changelogs/changelog.yaml

changelog: $(TEST_READY) ## Write the changelog of the version in galaxy.yml from its fragments, with today's date
	$(BIN)/antsibull-changelog release --update-existing

ansible-lint: $(TEST_READY) ## Check the role, the playbooks and the layout of the collection
	$(BIN)/ansible-lint --offline

unit: $(TEST_READY) ## Run the unit tests
	$(PYTEST) tests/unit

integration: $(TEST_READY) ## Run the integration tests: real playbook runs against the sandbox
	$(PYTEST) tests/integration

publishable: $(TEST_READY) ## Check the content of the tarball and of the documentation
	$(PYTEST) tests/publish

# Each process that a test starts records which lines of the plugins it runs: see tool.coverage in pyproject.toml.
coverage: $(PUBLISH_READY) ## Run all tests, show which lines of the plugins they run, and fail if these are too few
	@rm -rf build/coverage && mkdir -p build/coverage
	COVERAGE_FILE="$(CURDIR)/build/coverage/data" CHECKOUT="$(CURDIR)" \
	    $(BIN)/coverage run -m pytest --numprocesses auto -m ''
	@# It warns about processes that were killed while they saved their data.
	@$(BIN)/python -W ignore -m coverage combine --quiet --data-file=build/coverage/data build/coverage
	$(BIN)/coverage report --data-file=build/coverage/data

sanity: $(TEST_READY) ## Run ansible-test sanity, Ansible's own checks of a collection; pylint only with ALL=1
	tests/sanity.sh $(if $(ALL),,--skip-test pylint)

test-matrix: $(COLLECTION) ## Run the integration tests and ansible-test sanity with every ansible-core, or only some: make test-matrix CORE=2.19
	"$(PYTHON)" tests/matrix.py $(CORE)

docs: $(PUBLISH_READY) ## Build the documentation as HTML in build/docs/html
	docs/site/build.sh

release-check: $(PUBLISH_READY) ## Build the collection, check it with Galaxy's importer, install it and run the demo from there
	tests/release.sh

bench: $(BENCH_READY) ## Run the benchmarks and write docs/benchmarks.md; BENCH=--help lists options
	PYTHONPATH=tests $(BIN)/python -m benchmarks $(BENCH)

format: $(TEST_READY) ## Format the Python code and fix what ruff can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

pins: $(VENV)/demo-ready ## Update the pinned versions in tests/requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check uv
	{ sed -n '/SPDX/p' tests/requirements.in && echo '# Written by `make pins`' && \
	    $(BIN)/uv --system-certs --no-python-downloads pip compile --no-header \
	        --universal --python-version 3.10 tests/requirements.in tests/publish.in benchmarks/requirements.in; \
	} > build/requirements.txt
	mv build/requirements.txt tests/requirements.txt

clean: ## Remove build/
	rm -rf build

# Prints one dot per package. pip's own output would fill the screen, and with no output pip would seem to hang.
define install
@printf 'Installing into $(VENV): $(1) '
@{ $(BIN)/pip install --disable-pip-version-check $(2) || echo failed; } | \
    awk '/^(Collecting|Processing)/ { printf "."; fflush() } /^failed/ { exit 1 } END { print "" }'
@touch $@
endef

$(VENV)/demo-ready: tests/requirements.txt
	@"$(PYTHON)" -c '$(PYTHON_CHECK)' 2>/dev/null || { \
	    echo 'You need Python 3.10 or newer with the venv module (Debian: python3-venv). To choose one: make PYTHON=…' >&2; \
	    exit 1; }
	@"$(PYTHON)" -m venv --clear $(VENV)
	$(call install,what the demo needs,--constraint tests/requirements.txt ansible-core requests aiohttp)

$(VENV)/test-ready: $(VENV)/demo-ready
	$(call install,what the checks need,--constraint tests/requirements.txt --requirement tests/requirements.in)

$(VENV)/publish-ready: $(VENV)/test-ready
	$(call install,what test-all and publishing need,--constraint tests/requirements.txt --requirement tests/publish.in)

build/demo-vault-password: | $(VENV)/demo-ready
	@(umask 077 && $(BIN)/python -c 'import secrets; print(secrets.token_urlsafe())' > $@)

$(VENV)/bench-ready: $(VENV)/demo-ready
	$(call install,what the benchmarks need,--constraint tests/requirements.txt --requirement benchmarks/requirements.in)

$(COLLECTION):
	@mkdir -p $(@D)
	@ln -s ../../../.. $@
