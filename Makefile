# Two commands for a newcomer: `make demo` and `make test`. Each makes .venv from the lock by itself.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check judges compose-schema public-rules public-dashboards terraform-types grafana-types uplot unit live emulator rules lock clean

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

# Other people's material that judges ours travels in registries' packages; the tests themselves reach no network.
judges: compose-schema public-rules public-dashboards terraform-types grafana-types uplot

compose-schema public-rules public-dashboards:
	@if command -v go >/dev/null; then cd $(JUDGE_$@) && go mod download || echo "$@: not fetched; its test will say so"; fi

JUDGE_compose-schema := tests/sandbox/compose_spec
JUDGE_public-rules := tests/alerts/lint/public_rules
JUDGE_public-dashboards := tests/dashboards/lint/public_dashboards
TERRAFORM_JUDGE := tests/alerts/terraform
GRAFANA_JUDGE := tests/dashboards/typescript
UPLOT_JUDGE := tests/dashboards/preview/uplot

terraform-types: JUDGE = $(TERRAFORM_JUDGE)
grafana-types: JUDGE = $(GRAFANA_JUDGE)
uplot: JUDGE = $(UPLOT_JUDGE)
terraform-types grafana-types uplot:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(JUDGE)/node_modules/.package-lock.json \
	  || echo "$@: not fetched; its test will say so"; fi

%/node_modules/.package-lock.json: %/package-lock.json
	cd $* && npm ci --silent

unit: .venv judges
	$(BIN)/pytest -m "not live"

live: .venv emulator
	$(BIN)/pytest -m live

# An AWS emulator in an environment of its own: it pins the SDK that the package leaves open.
emulator: .venv-emulator/.ready

.venv-emulator/.ready: requirements/emulator.txt
	$(PYTHON) -m venv --clear .venv-emulator
	.venv-emulator/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/emulator.txt
	@touch $@

# The sandbox's alerts are builds of the catalogue.
rules: .venv
	$(BIN)/orders-obs alerts build --engine prometheus --env demo -o collector/prometheus/rules
	$(BIN)/orders-obs alerts build --engine alertmanager --env demo -o collector/alertmanager

# Resolves again and rewrites the hashed lock; needs uv (`pip install uv`).
lock:
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --all-extras --group dev \
	  --custom-compile-command "make lock" pyproject.toml -o requirements/dev.txt
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	  --custom-compile-command "make lock" requirements/emulator.in -o requirements/emulator.txt

clean:
	rm -rf .venv .venv-emulator build dist
