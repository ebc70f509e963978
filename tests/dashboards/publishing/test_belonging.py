"""What belongs to a set: the dashboards of the source folder, checked by lint, and what a plan says of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orders_obs.dashboards.lint.rules import lint_dashboard
from tests.dashboards.grafana_server.server import Grafana
from tests.dashboards.publishing.site import BUILT, Site

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).resolve().parents[3]


def _elsewhere(folder: Path, uid: str = "exported") -> Path:
    file = folder / f"{uid}.json"
    file.write_text(json.dumps(BUILT | {"uid": uid, "title": uid.title()}))
    return file


def test_d2_one_command_publishes_with_a_diff_and_a_second_time_writes_nothing(
    grafana: Grafana, site: Site
) -> None:
    def publish() -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "orders_obs.dashboards", "publish", "--targets", str(site.targets)]
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)

    assert "+ orders (Orders): new" in publish().stdout
    assert set(grafana.store.dashboards) == {"orders"}
    grafana.forget()
    assert "= orders (Orders): unchanged" in publish().stdout
    assert grafana.writes == []
    site.dashboard(refresh="30s")
    assert "refresh: 10s -> 30s" in publish().stdout
    assert grafana.store.dashboards["orders"].content["refresh"] == "30s"


def test_a_file_from_elsewhere_is_no_part_of_the_set_and_is_not_pruned(
    grafana: Grafana, site: Site, tmp_path: Path, capsys: Capture
) -> None:
    assert site("publish", _elsewhere(tmp_path)) == 0
    assert (
        "note: not of the source folder, so that it is no part of what it publishes and prunes: exported (exported.json)"
        in capsys.readouterr().out
    )
    assert site("publish", "--prune") == 0
    assert (
        "note: published from a file that is not of the folder, and is left alone: exported"
        in capsys.readouterr().out
    )
    assert set(grafana.store.dashboards) == {"orders", "exported"}
    assert site("diff") == 0
    grafana.forget()
    assert site("publish", _elsewhere(tmp_path)) == 0
    assert grafana.writes == []


def test_a_file_from_elsewhere_that_the_folder_builds_by_now_is_of_the_set(
    grafana: Grafana, site: Site, tmp_path: Path, capsys: Capture
) -> None:
    assert site("publish", _elsewhere(tmp_path)) == 0
    made = site.dashboard("exported")
    assert site("publish") == 0
    assert "is of the source folder: false -> true" in capsys.readouterr().out
    made.unlink()
    assert site("publish", "--prune") == 0
    assert set(grafana.store.dashboards) == {"orders"}


def test_the_built_json_of_the_folder_is_of_the_set_wherever_it_stands(
    grafana: Grafana, site: Site, tmp_path: Path, capsys: Capture
) -> None:
    source = site.dashboard("gone")
    assert site("publish", source, _elsewhere(tmp_path, "orders")) == 0
    assert "not of the source folder" not in capsys.readouterr().out
    source.unlink()
    assert site("publish", "--prune") == 0
    assert set(grafana.store.dashboards) == {"orders"}


def _undefined(content: dict[str, Any]) -> None:
    content["panels"][0]["targets"][0]["expr"] = "errors{job="


def test_what_lint_calls_an_error_is_not_published_unless_one_says_so(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    site.dashboard(change=_undefined)
    for words in ((), ("--dry-run",), ("--check",)):
        assert site("publish", *words) == 1
    said = capsys.readouterr().err
    assert "[promql-invalid]" in said
    assert "refused: nothing was written; mend them, or publish with --without-lint" in said
    assert grafana.requests == []
    assert site("diff") == 1
    assert "[promql-invalid]" in capsys.readouterr().err
    assert site("publish", "--without-lint") == 0
    assert set(grafana.store.dashboards) == {"orders"}


def test_lint_finds_no_error_in_the_projects_own_dashboards() -> None:
    files = sorted((ROOT / "dashboards").glob("*.json"))
    assert files
    found = [finding for file in files for finding in lint_dashboard(json.loads(file.read_text()), file.name)]
    assert [finding for finding in found if finding.level == "error"] == []


def test_a_plan_says_where_the_target_and_the_build_differ_on_editable(site: Site, capsys: Capture) -> None:
    said = "note: `editable` of the target is sent, true, and the build says otherwise: orders"
    assert site("publish", "--dry-run") == 0
    assert said in capsys.readouterr().out
    site.dashboard(editable=True)
    assert site("publish", "--dry-run") == 0
    assert "editable" not in capsys.readouterr().out


def test_a_plan_says_that_the_json_beside_the_source_is_stale(site: Site, capsys: Capture) -> None:
    beside = site.folder / "orders.json"
    beside.write_text(json.dumps(BUILT | {"refresh": "1h"}))
    assert site("publish", "--dry-run") == 0
    assert "note: stale beside its source, which is what is published: orders.json" in capsys.readouterr().out
    beside.write_text("{")
    assert site("publish", "--dry-run") == 0
    assert "stale beside" in capsys.readouterr().out


def test_a_plan_of_tags_shows_the_sets_tag_as_it_will_stand(site: Site, capsys: Capture) -> None:
    assert site("publish") == 0
    site.dashboard(tags=["shop"])
    assert site("publish") == 0
    assert 'tags: ["orders-obs", "orders-obs:shop"] -> ["shop", "orders-obs:shop"]' in capsys.readouterr().out


def test_a_settings_file_without_dashboards_beside_it_says_where_they_are_sought(
    tmp_path: Path, capsys: Capture
) -> None:
    site = Site(tmp_path / "d", "http://127.0.0.1:9")
    assert site("publish") == 2
    said = capsys.readouterr().err
    assert "there are no dashboards beside the settings file" in said
    assert "files NAME.dashboard.py are sought in its folder" in said
