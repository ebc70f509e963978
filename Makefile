# Two commands for a newcomer: `make demo` and `make test`. Each makes .venv from the lock by itself.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check compose-schema unit live lock clean

.venv: .venv/.ready

.venv/.ready: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("orders_obs needs Python 3.11 or newer; set PYTHON=python3.x") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: .venv
	$(BIN)/orders-obs demo

test: check unit live

check: .venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The Compose specification's schema travels in a Go module; the tests themselves reach no network.
compose-schema:
	@if command -v go >/dev/null; then cd tests/sandbox/compose_spec && go mod download || echo "not fetched; its test will say so"; fi

unit: .venv compose-schema
	$(BIN)/pytest -m "not live"

live: .venv
	$(BIN)/pytest -m live

# Resolves again and rewrites the hashed lock; needs uv (`pip install uv`).
lock:
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --all-extras --group dev \
	  --custom-compile-command "make lock" pyproject.toml -o requirements/dev.txt

clean:
	rm -rf .venv build dist
