# `make demo` and `make test` need make and Python 3.11 to 3.13; they build their own environment in .venv.
# Choose the interpreter with `make PYTHON=python3.12 test`.

.DEFAULT_GOAL := help
.PHONY: help demo test format images clean

SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c '$(SUITABLE)' 2>/dev/null && echo "$$p" && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Compiled by all processors: pip takes one.
INSTALL := $(PIP) install --no-compile --editable
COMPILE := $(BIN)/python -m compileall -qq -j 0 .venv/lib || true

help:
	@echo "make demo    check every file in examples/"
	@echo "make test    style, types, architecture and tests"
	@echo "make format  rewrite the Python files in the project's style"
	@echo "make images  draw the pictures of the documentation again"
	@echo "make clean   remove .venv and all caches"

demo: .venv/demo.stamp
	$(BIN)/verifier check examples/

# Tests start hundreds of processes, each of which would compile the package where no bytecode may be written.
test: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict verifier benchmarks
	$(BIN)/lint-imports
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto

format: .venv/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 to 3.13 found. Install one, or say where it is: make PYTHON=/path/to/python"; exit 1; }
	@"$(PYTHON)" -c '$(SUITABLE)' || { echo "$(PYTHON) is not Python 3.11 to 3.13."; exit 1; }
	"$(PYTHON)" -m venv .venv || { rm -rf .venv; exit 1; }

.venv/demo.stamp: pyproject.toml | $(BIN)/python
	$(INSTALL) '.[all]'
	$(COMPILE)
	@touch $@

.venv/dev.stamp: pyproject.toml | $(BIN)/python
	$(INSTALL) '.[dev]'
	$(COMPILE)
	@touch $@ .venv/demo.stamp

PLOT := $(BIN)/verifier plot

images: .venv/demo.stamp
	$(PLOT) examples/paper.vf --assertion fooled -o docs/images/paper.svg
	$(PLOT) examples/paper.vf --assertion contained --kind fibres -o docs/images/paper-fibres.svg
	$(PLOT) examples/halfspace.vf --assertion A1 -o docs/images/halfspace.svg
	$(PLOT) examples/equivalent.vf --assertion E9 --kind fibres -o docs/images/squares.svg
	$(PLOT) examples/relu.vf --assertion D5 -o docs/images/relu.svg
	$(PLOT) examples/blind.vf --kind uncontained -o docs/images/blind.svg
	$(PLOT) examples/curve.vf --kind modulus -o docs/images/curve.svg
	$(PLOT) examples/iris_rows.vf --kind distances -o docs/images/iris-rows.svg

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find verifier tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
