"""Changes of people that are easily overlooked: each is drift, and none is thrown away unasked."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from orders_obs.dashboards.publishing import marks
from tests.dashboards.grafana_server.server import Grafana
from tests.dashboards.publishing.site import BUILT, Site

Capture = pytest.CaptureFixture[str]


def _wiki(content: dict[str, Any]) -> None:
    """A second link of the same title before the first one."""
    link = content["links"][0]
    content["links"] = [{**link, "type": "link", "url": "https://wiki.example.com/oncall"}, link]


def _query(content: dict[str, Any]) -> None:
    """A second query of the same letter before the first one."""
    targets = content["panels"][0]["targets"]
    targets.insert(0, {**targets[0], "expr": "my query"})


def _swap(content: dict[str, Any]) -> None:
    content["panels"][0]["targets"].reverse()


def _flag(content: dict[str, Any]) -> None:
    content["templating"]["enable"] = True


def _line(content: dict[str, Any]) -> None:
    content["panels"][0]["fieldConfig"]["defaults"]["thresholds"]["steps"].reverse()


@pytest.mark.parametrize("change", [_wiki, _query, _swap, _flag, _line])
def test_a_change_that_names_and_letters_hide_is_drift_and_is_told(
    grafana: Grafana, site: Site, capsys: Capture, change: Any
) -> None:
    def more(content: dict[str, Any]) -> None:
        content["links"] = [{"title": "Dashboards", "type": "dashboards", "tags": ["x"], "url": ""}]
        content["panels"][0]["targets"].append({"datasource": {"type": "x"}, "expr": "q2", "refId": "B"})

    site.dashboard(change=more)
    assert site("publish") == 0
    grafana.save_in_page("orders", change)
    grafana.forget()
    capsys.readouterr()
    assert site("publish") == 1
    said = capsys.readouterr().out
    assert "! orders (Orders): somebody changed it in Grafana" in said
    assert said.count("\n      ") > 1
    assert grafana.writes == []


def test_another_version_of_a_panels_plugin_is_the_same_by_now(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    assert site("publish") == 0
    grafana.save_in_page("orders", lambda content: content["panels"][0].update(pluginVersion="13.2.0"))
    assert site("publish") == 0
    assert "the build says the same by now" in capsys.readouterr().out


def _default(value: str) -> Any:
    def change(content: dict[str, Any]) -> None:
        content["templating"]["list"][1]["current"] = {"text": value, "value": value}

    return change


def _live_default(grafana: Grafana) -> Any:
    return grafana.store.dashboards["orders"].content["templating"]["list"][1]["current"]["value"]


def test_a_changed_default_of_a_queried_variable_is_published(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    assert site("publish") == 0
    site.dashboard(change=_default("checkout"))
    assert site("diff") == 1
    assert "variable job: current: orders-api -> checkout" in capsys.readouterr().out
    assert site("publish") == 0
    assert _live_default(grafana) == "checkout"
    grafana.save_in_page("orders", _default("payments"))
    assert site("diff") == 0
    assert _live_default(grafana) == "payments"


def test_a_value_chosen_where_the_build_has_no_default_is_left(grafana: Grafana, site: Site) -> None:
    site.dashboard(change=lambda content: content["templating"]["list"][1].pop("current"))
    assert site("publish") == 0
    grafana.save_in_page("orders", _default("payments"))
    assert site("diff") == 0


def test_a_mark_of_the_older_form_is_read_and_written_anew_only_for_a_reason(
    grafana: Grafana, site: Site
) -> None:
    def older(content: dict[str, Any]) -> None:
        mark = marks.read_mark(content)
        assert mark is not None
        assert mark.defaults
        content["description"] = content["description"].replace(f" defaults:{mark.defaults}", "")

    assert site("publish") == 0
    grafana.save_in_page("orders", older)
    assert marks.read_mark(grafana.store.dashboards["orders"].content) == marks.Mark(
        "shop", "orders", marks.digest(grafana.store.dashboards["orders"].content, "shop")
    )
    assert site("diff") == 0
    site.dashboard(change=_default("checkout"))
    assert site("publish") == 0
    assert _live_default(grafana) == "checkout"


def _tampered(grafana: Grafana) -> dict[str, Any]:
    content = copy.deepcopy(grafana.store.dashboards["orders"].content)
    content["panels"][0]["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"] = 0.5
    return content


def test_a_first_version_that_somebody_else_made_is_not_ours(tmp_path: Path, capsys: Capture) -> None:
    """As an import of an edited export makes it: its mark is ours, and its content is not what the mark says."""
    with Grafana(11) as grafana:
        site = Site(tmp_path / "d", grafana.url)
        site.dashboard()
        assert site("publish") == 0
        content = _tampered(grafana)
        del grafana.store.dashboards["orders"]
        grafana.store.save("orders", content, folder="", message="", by="anna")
        assert site("diff") == 1
        assert "somebody changed it in Grafana by anna" in capsys.readouterr().out


def test_our_message_under_somebody_elses_save_does_not_make_it_ours(
    site13: Site, grafana13: Grafana, capsys: Capture
) -> None:
    """As an edit of the object by its API leaves the annotations."""
    assert site13("publish") == 0
    known = grafana13.store.dashboards["orders"]
    content = _tampered(grafana13)
    grafana13.store.save(
        "orders",
        content,
        folder=known.folder,
        message="",
        by="user:kube",
        annotations=dict(known.annotations),
    )
    assert site13("diff") == 1
    assert "somebody changed it in Grafana by user:kube" in capsys.readouterr().out


def test_a_copy_under_a_uid_that_is_built_later_is_somebodys(
    grafana: Grafana, site: Site, capsys: Capture
) -> None:
    assert site("publish") == 0
    content = copy.deepcopy(grafana.store.dashboards["orders"].content)
    grafana.store.save("checkout", content, folder="", message="", by="anna")
    site.dashboard("checkout")
    assert site("publish") == 1
    assert "it is a copy of orders" in capsys.readouterr().out
    assert site("publish", "--adopt", "checkout") == 0
    assert grafana.store.dashboards["checkout"].content["title"] == "Checkout"


def test_what_an_adoption_takes_away_is_told(grafana: Grafana, site: Site, capsys: Capture) -> None:
    content = copy.deepcopy(BUILT)
    content["panels"][0]["fieldConfig"]["defaults"]["links"] = [{"title": "Runbook", "url": "https://wiki"}]
    content["weekStart"] = "monday"
    content["templating"]["list"][1]["current"] = {"text": "Chosen", "value": "chosen"}
    grafana.store.save("orders", content, folder="", message="", by="anna")
    assert site("publish", "--adopt", "orders", "--dry-run") == 0
    said = capsys.readouterr().out
    assert "weekStart: monday -> (none)" in said
    assert "Runbook" in said
    assert 'variable job: current: {"text": "Chosen", "value": "chosen"} -> orders-api' in said
