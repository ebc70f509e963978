from __future__ import annotations

import json
from typing import Any

import pytest

from orders_obs.dashboards.publishing.prepare import built_for
from orders_obs.dashboards.publishing.targets import read_settings
from tests.dashboards.grafana_server.server import Grafana
from tests.dashboards.publishing.site import BUILT, Site

Capture = pytest.CaptureFixture[str]
SOURCES = "    datasources: {prometheus: {uid: amp}, jaeger: {uid: shared-jaeger}}\n"


def _change(content: dict[str, Any]) -> None:
    content["panels"][0]["targets"][0]["expr"] = "errors / clamp_min(requests, 1)"
    content["description"] = content["description"].replace("does.", "does now.")


def test_what_is_pulled_is_the_build_with_the_change_and_nothing_else(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    site.settings(f"    url: {grafana.url}\n{SOURCES}")
    assert site("publish") == 0
    grafana.save_in_page("orders", _change)
    capsys.readouterr()
    assert site("pull") == 0
    said = capsys.readouterr()
    expected = json.loads(json.dumps(BUILT)) | {
        "description": "What the orders API does now.",
        "title": "Orders",
    }
    _change(expected)
    pulled = json.loads((site.folder / "orders.json.pulled").read_text())
    built = next(iter(built_for(read_settings(site.targets).target("test"), []).values()))
    assert pulled == built | {
        "description": "What the orders API does now.",
        "panels": expected["panels"],
    } | {
        # A null in the build is Grafana's default; it comes back as it was stored.
        key: value
        for key, value in pulled.items()
        if key not in built
    }
    assert not set(pulled) - set(built)
    assert (
        'panel "Error rate": target A expr: errors / requests -> errors / clamp_min(requests, 1)' in said.out
    )
    assert "orders (Orders), saved by user:u000000002" in said.out


def test_what_was_pulled_into_the_code_is_published_without_being_asked(grafana: Grafana, site: Site) -> None:
    assert site("publish") == 0
    grafana.save_in_page("orders", lambda content: content["panels"][0].update(title="Errors"))
    assert site("pull") == 0
    pulled = json.loads((site.folder / "orders.json.pulled").read_text())
    site.dashboard(**pulled)
    assert site("publish") == 0
    grafana.forget()
    assert site("publish") == 0
    assert grafana.writes == []


def test_nothing_changed_is_said_and_a_dry_run_writes_no_file(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    assert site("publish") == 0
    assert site("pull") == 0
    assert "nothing was changed in Grafana" in capsys.readouterr().err
    grafana.save_in_page("orders", _change)
    assert site("pull", "--dry-run") == 0
    assert list(site.folder.glob("*.pulled")) == []
    grafana.forget()
    assert site("pull", "--json", "-o", site.folder / "out") == 0
    data = json.loads(capsys.readouterr().out.partition("{")[2].join(["{", ""]))
    assert data["pulled"][0]["file"].endswith("out/orders.json.pulled")
    assert grafana.writes == []


def test_a_dashboard_that_is_not_there_cannot_be_pulled(site: Site, capsys: Capture) -> None:
    assert site("pull", "orders") == 2
    assert "orders is not built, or not in Grafana" in capsys.readouterr().err


def test_the_new_schema_is_said_when_it_is_pulled(site13: Site, grafana13: Grafana, capsys: Capture) -> None:
    assert site13("publish") == 0
    grafana13.save_in_page("orders", _change, stored="v2")
    assert site13("pull") == 0
    assert "tabs and conditional sections are not in it here" in capsys.readouterr().err
