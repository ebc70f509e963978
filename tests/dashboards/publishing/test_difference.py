from __future__ import annotations

import copy
from typing import Any

import pytest

from orders_obs.dashboards.publishing.difference import Change, difference, lines
from orders_obs.dashboards.publishing.marks import Mark, digest, normal, read_mark, unmarked, with_mark
from tests.dashboards.publishing.site import BUILT


def _panel(content: dict[str, Any]) -> dict[str, Any]:
    panel: dict[str, Any] = content["panels"][0]
    return panel


def _said(change: Any) -> list[str]:
    new = copy.deepcopy(BUILT)
    change(new)
    return lines(difference(normal(BUILT, "shop"), normal(new, "shop")))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.update(refresh="30s"), ["refresh: 10s -> 30s"]),
        (lambda c: c["time"].update({"from": "now-6h"}), ["time.from: now-1h -> now-6h"]),
        (
            lambda c: _panel(c)["fieldConfig"]["defaults"].update(unit="percent"),
            ['panel "Error rate": unit: percentunit -> percent'],
        ),
        (
            lambda c: _panel(c)["fieldConfig"]["defaults"]["custom"].update(lineWidth=1),
            ['panel "Error rate": lineWidth: 2 -> 1'],
        ),
        (
            lambda c: _panel(c)["gridPos"].update(w=24),
            ['panel "Error rate": place: 12 x 8 at 0, 0 -> 24 x 8 at 0, 0'],
        ),
        (
            lambda c: _panel(c)["targets"][0].update(expr="a"),
            ['panel "Error rate": target A expr: errors / requests -> a'],
        ),
        (
            lambda c: _panel(c)["targets"].append({"expr": "b", "refId": "B"}),
            ['panel "Error rate": target B: (none) -> b'],
        ),
        (
            lambda c: _panel(c)["fieldConfig"]["defaults"]["thresholds"]["steps"].append(
                {"color": "black", "value": 1}
            ),
            ['panel "Error rate": threshold black: (none) -> 1'],
        ),
        (lambda c: _panel(c).update(title="Errors"), ['panel "Error rate": title: Error rate -> Errors']),
        (lambda c: c["panels"].pop(), ['panel "Traces": removed']),
        (lambda c: c["panels"].append({"id": 9, "title": "New", "type": "text"}), ['panel "New": added']),
        (
            lambda c: c["templating"]["list"][1].update(query="q"),
            ["variable job: query: label_values(job) -> q"],
        ),
        (lambda c: c["templating"]["list"].pop(0), ["variable datasource: removed"]),
        (
            lambda c: c["templating"]["list"].reverse(),
            ["variables: order: datasource, job -> job, datasource"],
        ),
        (
            lambda c: _panel(c).update(pluginVersion="13.2.0"),
            ["and 1 that Grafana sets by itself (pluginVersion)"],
        ),
        (lambda c: c.update(id=7, uid="x", version=9, iteration=3), []),
        (lambda c: c["annotations"]["list"].clear(), []),
        (lambda c: _panel(c)["fieldConfig"]["defaults"]["thresholds"]["steps"][0].pop("value"), []),
        (lambda c: c["panels"].reverse(), ["panels: order: Error rate, Traces -> Traces, Error rate"]),
        (
            lambda c: _panel(c)["targets"].append({"expr": "b", "refId": "A"}),
            ['panel "Error rate": target A (2): (none) -> b'],
        ),
        (
            lambda c: c["templating"]["list"].append({"name": "job", "type": "textbox"}),
            ["variable job (2): added"],
        ),
        (lambda c: c["templating"].update(enable=True), ["templating.enable: (none) -> true"]),
        (lambda c: c["panels"].append("x"), ["something else differs"]),
        (
            lambda c: _panel(c)["fieldConfig"]["defaults"]["thresholds"]["steps"].reverse(),
            [
                'panel "Error rate": thresholds: [{"color": "green"}, {"color": "red", "value": 0.05}] -> [{"color": "red", "value": 0.05}, {"color": "green"}]'
            ],
        ),
        (
            lambda c: _panel(c)["gridPos"].update(static=True),
            ['panel "Error rate": gridPos.static: (none) -> true'],
        ),
        (
            lambda c: _panel(c)["options"]["legend"].update(showLegend=1),
            ['panel "Error rate": legend.showLegend: true -> 1'],
        ),
    ],
)
def test_a_change_is_said_by_panel_and_setting(change: Any, said: list[str]) -> None:
    assert _said(change) == said


def test_a_long_value_stands_on_lines_of_its_own() -> None:
    long = "sum(rate(http_requests_total{status=~'5..'}[5m])) / sum(rate(http_requests_total[5m]))"
    assert _said(lambda c: _panel(c)["targets"][0].update(expr=long)) == [
        'panel "Error rate": target A expr:',
        "  - errors / requests",
        f"  + {long}",
    ]


def test_panels_of_a_collapsed_row_are_compared_one_by_one() -> None:
    old = {
        "panels": [
            {
                "id": 5,
                "type": "row",
                "title": "More",
                "collapsed": True,
                "panels": copy.deepcopy(BUILT["panels"]),
            }
        ]
    }
    new = copy.deepcopy(old)
    new["panels"][0]["panels"][1]["title"] = "Spans"
    assert lines(difference(old, new)) == ['panel "Traces": title: Traces -> Spans']


def test_two_panels_of_one_title_are_told_apart() -> None:
    old = {
        "panels": [
            {"id": 1, "type": "stat", "title": "x", "a": 1},
            {"id": 2, "type": "stat", "title": "x", "a": 2},
        ]
    }
    new = {
        "panels": [
            {"id": 1, "type": "stat", "title": "x", "a": 1},
            {"id": 2, "type": "stat", "title": "x", "a": 3},
        ]
    }
    assert difference(old, new) == [Change('panel "x"', "a", 2, 3)]


def test_a_mark_goes_in_and_comes_out_as_it_was() -> None:
    mark = Mark("shop", "orders", digest(BUILT, "shop"))
    for description in ("", "Some text.", "Two.\n\nParagraphs."):
        plain = BUILT | {"description": description}
        marked = with_mark(plain, mark)
        assert read_mark(marked) == mark
        assert unmarked(marked, "shop") == plain
        assert with_mark(marked, mark) == marked
    bare = {key: value for key, value in BUILT.items() if key not in ("description", "tags")}
    assert digest(with_mark(bare, mark), "shop") == digest(bare, "shop")


def test_the_hash_never_changes_between_versions() -> None:
    """Else every dashboard that is published would look drifted after an upgrade of this package."""
    assert digest(BUILT, "shop") == "12bd74bbced67747"


def test_numbers_are_the_same_as_go_writes_them() -> None:
    assert digest({"a": 1.0, "b": [0.5]}, "shop") == digest({"a": 1, "b": [0.5]}, "shop")
    assert digest({"a": 1}, "shop") != digest({"a": 2}, "shop")
