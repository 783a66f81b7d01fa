.DEFAULT_GOAL := help
.PHONY: man pictures answers chaos tmux-versions events figures accuracy soak help setup demo test flakes test-clients bench lint lock
PY := .venv/bin/python
ARGS ?=
N ?= 20
ABREAST := -n auto --dist worksteal
unexport PYTHONDONTWRITEBYTECODE # else each of the many processes of a test compiles what it imports

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

setup: ## install all that the others need, into .venv (they do it themselves); PYTHON=... picks the Python
	@sh .ci/setup

demo: setup ## see it work, with workers that only pretend to be agents (ARGS="..." goes to dispatch demo)
	@.venv/bin/dispatch demo $(ARGS)

test: setup ## the tests (ARGS="..." goes to pytest)
	@$(PY) -m pytest $(ABREAST) $(ARGS)

flakes: setup ## the tests N=20 times, every second time beside a load: what failed, and how often
	@$(PY) tests/flakes.py $(N) $(ABREAST) $(ARGS)

test-clients: setup ## the tests against real agent CLIs, which they install
	@$(PY) -m pytest tests/clients $(ARGS)

tmux-versions: setup ## the tests that depend on tmux, on all tmux that Debian has (ARGS="3.5a 3.8"; needs apt-get)
	@sh tests/tmux/versions $(ARGS)

bench: setup ## measure speed, beside the figures that were kept last (ARGS="--keep" keeps these)
	@$(PY) tests/benchmarks/run.py $(ARGS)

figures: setup ## 100 deliveries to a real CLI (CLIENT=codex), into docs/accuracy.md
	@$(PY) tests/clients/figures.py $(CLIENT) 100

answers: setup ## answers to a real CLI's own questions (CLIENT=gemini ARGS="80x24 keys"): right, wrong, refused
	@$(PY) tests/clients/answers.py $(CLIENT) $(ARGS)

events: setup ## how soon an event follows what a real CLI does (CLIENT=codex), into docs/accuracy.md
	@$(PY) tests/clients/events.py $(CLIENT) 25

soak: setup ## a crew of demo workers under a restless person (ARGS="seconds workers seed"): is any state wrong for over a second?
	@$(PY) tests/benchmarks/soak.py $(ARGS)

chaos: setup ## break it on purpose (ARGS="files --seed 3 --tries 700"; without ARGS: what there is)
	@nice -n 5 $(PY) tests/chaos/run.py $(ARGS)

accuracy: setup ## the figures in docs/accuracy.md
	@$(PY) tests/benchmarks/accuracy.py

pictures: setup ## the pictures of the README, from real runs in a real tmux (ARGS=inbox: only that one)
	@$(PY) docs/pictures/make.py $(ARGS)

man: setup ## the man page, as a wheel brings it
	@$(PY) .ci/manpage.py >.cache/dispatch.1 && man -l .cache/dispatch.1

lint: setup ## ruff and mypy; and how large the modules and functions are
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) .ci/sizes.py

lock: ## pin the newest versions in .ci/requirements.lock (needs uv)
	@uv pip compile pyproject.toml --group dev --extra notify --universal --python-version 3.10 --generate-hashes --upgrade --quiet \
	  --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	  -o .ci/requirements.lock
