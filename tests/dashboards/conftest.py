from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["orders-api-production", "orders-api-production-aws"])
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((ROOT / "dashboards" / f"{request.param}.json").read_text())
    return content


@pytest.fixture(scope="session")
def schemas() -> Path:
    """Grafana's JSON Schemas; their folder is the setting ORDERS_OBS_GRAFANA_SCHEMAS."""
    folder = Path(os.environ.get("ORDERS_OBS_GRAFANA_SCHEMAS", ROOT.parent / "shared/grafana-schemas"))
    if not (folder / "dashboard.json").is_file():
        if os.environ.get("CI"):
            pytest.fail("Grafana's schemas are not there; in CI they must be: set ORDERS_OBS_GRAFANA_SCHEMAS")
        pytest.skip("Grafana's schemas are not there: set ORDERS_OBS_GRAFANA_SCHEMAS to their folder")
    return folder
