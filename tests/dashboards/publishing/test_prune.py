"""What `--prune` deletes: ours, of this target, built by no file, and as it stood when it was looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.dashboards.grafana_server.server import Fault, Grafana, Request
from tests.dashboards.publishing.site import Site

Capture = pytest.CaptureFixture[str]
TWO = """publish: 1
set: shop
targets:
  orders: {{url: "{url}", folder: {{uid: orders, title: Orders}}, dashboards: [orders]}}
  platform: {{url: "{url}", folder: {{uid: platform, title: Platform}}, dashboards: [platform]}}
"""


@pytest.fixture
def two(grafana: Grafana, site: Site) -> Site:
    """Two targets on one Grafana, each with a dashboard of its own."""
    site.dashboard("platform")
    site.targets.write_text(TWO.format(url=grafana.url))
    assert site("publish", "--target", "orders") == 0
    assert site("publish", "--target", "platform") == 0
    return site


def test_prune_leaves_what_another_target_publishes(grafana: Grafana, two: Site, capsys: Capture) -> None:
    capsys.readouterr()
    assert two("diff", "--target", "orders") == 0
    assert "note: belongs to another target, and is left alone: platform" in capsys.readouterr().out
    assert two("publish", "--target", "orders", "--prune") == 0
    assert set(grafana.store.dashboards) == {"orders", "platform"}


def test_prune_leaves_what_stands_in_another_folder(grafana: Grafana, two: Site, capsys: Capture) -> None:
    (two.folder / "platform.dashboard.py").unlink()
    capsys.readouterr()
    assert two("publish", "--target", "orders", "--prune") == 0
    assert "belongs to another target, and is left alone: platform" in capsys.readouterr().out
    assert set(grafana.store.dashboards) == {"orders", "platform"}


@pytest.fixture
def gone(grafana: Grafana, site: Site) -> Site:
    """A dashboard in Grafana that no file builds any more."""
    old = site.dashboard("old")
    assert site("publish") == 0
    old.unlink()
    grafana.forget()
    return site


def test_diff_finds_what_is_no_longer_built(gone: Site, capsys: Capture) -> None:
    assert gone("diff") == 1
    said = capsys.readouterr()
    assert "= old (Old): no longer built" in said.out
    assert "1 no longer built" in said.err
    assert gone("publish", "--check") == 0


def _save_old(grafana: Grafana) -> None:
    grafana.save_in_page("old", lambda content: content.update(refresh="9m"))


def test_prune_keeps_what_somebody_saved_after_it_was_looked_at(
    grafana: Grafana, gone: Site, capsys: Capture
) -> None:
    def act(request: Request) -> None:
        if request.method in ("PUT", "POST"):
            grafana.before = None
            _save_old(grafana)

    gone.dashboard(refresh="1m")
    grafana.before = act
    assert gone("publish", "--prune") == 1
    assert "failed: delete dashboard old: somebody changed it in the meantime" in capsys.readouterr().out
    assert "old" in grafana.store.dashboards


def test_a_delete_names_the_version_that_it_is_meant_for(tmp_path: Path, capsys: Capture) -> None:
    def act(request: Request) -> None:
        if request.method == "DELETE":
            grafana.before = None
            _save_old(grafana)

    with Grafana(13) as grafana:
        site = Site(tmp_path / "d", grafana.url)
        site.dashboard()
        old = site.dashboard("old")
        assert site("publish") == 0
        old.unlink()
        grafana.before = act
        assert site("publish", "--prune") == 1
        assert "somebody changed it in the meantime" in capsys.readouterr().out
        assert "old" in grafana.store.dashboards


@pytest.mark.parametrize("kind", [500, "drop", "lose", "cut"])
def test_a_delete_whose_answer_is_lost_is_looked_up(grafana: Grafana, gone: Site, kind: Any) -> None:
    grafana.faults = [Fault(kind, "DELETE")]
    assert gone("publish", "--prune") == 0
    assert set(grafana.store.dashboards) == {"orders"}
