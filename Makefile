# The commands of the project. Thin on purpose: what they do is in include/local.
.DEFAULT_GOAL := help
.PHONY: help setup setup-lint run up test test-fast test-campaign bench lint sql dbt manifest airflow smoke-snowflake clean
MAKEFLAGS += --no-print-directory

PYTHON3 := $(or $(shell command -v python3 || command -v python3.12 || command -v python3.11),python3)
VENV    := .venv/.ready
LINT    := .venv-lint/.ready
BENCH   := .venv-bench/.ready
LOCAL   := .venv/bin/python -m include.local
# Rooms of the tests run side by side, each in one process (tests/conftest.py).
SIDE_BY_SIDE := -n auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV): requirements.txt requirements-dev.txt constraints.txt
	@$(PYTHON3) include/local/bootstrap.py run

$(LINT): lint/requirements.txt lint/constraints.txt
	@$(PYTHON3) include/local/bootstrap.py lint

$(BENCH): benchmarks/requirements.txt benchmarks/constraints.txt
	@$(PYTHON3) include/local/bootstrap.py bench

setup: ## make .venv and install the pinned dependencies (again only when they changed)
	@$(PYTHON3) include/local/bootstrap.py run --say

setup-lint: ## the same for the lint tools, which live in .venv-lint
	@$(PYTHON3) include/local/bootstrap.py lint --say

run: $(VENV) ## run the pipeline once through Airflow and sum it up; NIGHTS=n runs the next n nights
	@exec $(LOCAL) run "$${NIGHTS:-}"

up: $(VENV) ## Airflow's UI on localhost:8080 with everything registered; PORT=n moves it, Ctrl-C ends it
	@exec $(LOCAL) up "$${PORT:-8080}"

test: $(VENV) $(LINT) ## all tests; ARGS="-k word" hands options to pytest
	@.venv/bin/python -m pytest $(SIDE_BY_SIDE) $(ARGS)

test-fast: $(VENV) $(LINT) ## the tests that need neither servers nor dbt runs
	@.venv/bin/python -m pytest -m "not integration and not e2e" $(ARGS)

test-campaign: $(VENV) ## tests at large counts, recorded; SUITE=gold SEED=n BUDGET=minutes JOBS=2 RESUME=1 COUNT="schedules=20"
	@.venv/bin/python -m tests.campaign $(SUITE) $(if $(SEED),--seed $(SEED)) $(if $(COUNT),--count $(COUNT)) \
		$(if $(BUDGET),--budget $(BUDGET)) $(if $(JOBS),--jobs $(JOBS)) $(if $(RESUME),--resume)

bench: $(VENV) $(BENCH) ## measure everything README and docs claim; ONLY=name a part, QUICK=1 only whether it works
	@.venv/bin/python -m benchmarks $(ONLY) $(if $(QUICK),--quick) $(if $(REPORT),--report) $(ARGS)

lint: $(VENV) $(LINT) ## every static check
	@.venv-lint/bin/python lint/run.py $(ARGS)

sql: $(VENV) ## a prompt on the published copy; Q="select ..." answers one query
	@exec $(LOCAL) sql "$${Q:-}"

dbt: $(VENV) ## dbt on the project's warehouse: make dbt ARGS="build -s fct_def_tickets"
	@exec $(LOCAL) dbt $(ARGS)

manifest: $(VENV) ## rebuild the slim manifest the DAGs are drawn from
	@exec $(LOCAL) manifest

airflow: $(VENV) ## Airflow's own command line on the local stack: make airflow ARGS="dags list"
	@exec $(LOCAL) airflow $(ARGS)

smoke-snowflake: $(VENV) ## write and read a scratch schema on the Snowflake account that is configured
	@exec .venv/bin/python -m include.bronze.smoke

clean: ## remove the data the commands made; ALL=1 removes the environments too
	@$(PYTHON3) -m include.local.clean $(if $(ALL),all)
