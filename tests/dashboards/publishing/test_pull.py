from __future__ import annotations

import copy
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
    assert site("publish", "--force") == 0
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


@pytest.mark.parametrize("words", [(), ("old",)])
def test_a_change_of_what_is_no_longer_built_is_told_and_pulled(
    grafana: Grafana, site: Site, capsys: Capture, words: tuple[str, ...]
) -> None:
    old = site.dashboard("old")
    assert site("publish") == 0
    grafana.save_in_page("old", _change)
    old.unlink()
    capsys.readouterr()
    assert site("diff") == 1
    said = capsys.readouterr().out
    assert "= old (Old): no longer built, and somebody changed it in Grafana by user:u000000002" in said
    assert "keep it with `pull old`, or throw it away with --prune --overwrite-drift" in said
    assert site("pull", *words) == 0
    said = capsys.readouterr().out
    assert "old (Old), saved by user:u000000002" in said
    assert "no longer built: all of it is in the file" in said
    pulled = json.loads((site.folder / "old.json.pulled").read_text())
    assert (pulled["uid"], pulled["description"]) == ("old", "What the orders API does now.")
    assert pulled["panels"][0]["targets"][0]["expr"] == "errors / clamp_min(requests, 1)"
    assert pulled["tags"] == ["orders-obs"]


def test_a_pull_of_somebody_elses_dashboard_says_whose_it_is(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    grafana.store.save("orders", copy.deepcopy(BUILT), folder="", message="", by="anna")
    assert site("pull") == 0
    assert not (site.folder / "orders.json.pulled").exists()
    assert site("pull", "orders") == 0
    said = capsys.readouterr().err
    assert (
        "orders: it is not ours: it has no mark of this set; to publish it, give the build another uid"
        in said
    )
    assert "--adopt orders" in said


def test_a_pull_says_that_it_replaces_what_another_pull_wrote(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    assert site("publish") == 0
    grafana.save_in_page("orders", _change)
    assert site("pull") == 0
    assert site("pull") == 0
    assert "in place of" not in capsys.readouterr().err
    grafana.save_in_page("orders", lambda content: content.update(refresh="9m"))
    assert site("pull", "--json") == 0
    said = capsys.readouterr()
    assert "orders.json.pulled, in place of one that said something else" in said.err
    assert json.loads(said.out)["pulled"][0]["replaces"] is True


def test_a_pull_says_when_the_change_is_published_without_a_question(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    assert site("publish") == 0
    grafana.save_in_page("orders", _change)
    assert site("pull") == 0
    assert "a build that says the same is published without a question" in capsys.readouterr().err
