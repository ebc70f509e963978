from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orders_obs.dashboards.preview.interpolate import Value
from orders_obs.dashboards.preview.reading import read, sections
from orders_obs.errors import UserError
from tests.dashboards.preview.boards import dashboard, panel


def row(title: str, y: int, *inner: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "row",
        "title": title,
        "gridPos": {"x": 0, "y": y, "w": 24, "h": 1},
        "panels": list(inner),
        **more,
    }


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda board: board,
        lambda board: {"dashboard": board, "meta": {}},
        lambda board: {
            "apiVersion": "dashboard.grafana.app/v1",
            "kind": "Dashboard",
            "metadata": {},
            "spec": board,
        },
    ],
)
def test_a_dashboard_is_read_in_any_wrapping(tmp_path: Path, wrapped: Any) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps(wrapped(dashboard(panel("stat", "one")))))
    assert read(file)["title"] == "Test"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "a.json:1: is no JSON"),
        ("[]", "is no dashboard"),
        ('{"panels": 3}', "is no dashboard"),
        ('{"apiVersion": "dashboard.grafana.app/v2", "spec": {"elements": {}}}', "schema v2"),
        ('{"title": "x", "rows": [{"panels": []}]}', "old Grafana"),
    ],
)
def test_what_is_no_dashboard_is_said(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "a.json"
    file.write_text(text)
    with pytest.raises(UserError, match=said):
        read(file)
    with pytest.raises(UserError, match="cannot be read"):
        read(tmp_path / "absent.json")


def test_panels_stand_in_their_rows_and_a_shut_row_brings_its_own() -> None:
    board = dashboard(
        panel("stat", title="above", y=0),
        row("open", 8),
        panel("stat", title="right", y=9, x=12),
        panel("stat", title="left", y=9),
        row("shut", 17, panel("stat", title="inside", y=18), collapsed=True),
    )
    found = sections(board, {})
    assert [(s.title, s.collapsed, [p.panel["title"] for p in s.panels]) for s in found] == [
        ("", False, ["above"]),
        ("open", False, ["left", "right"]),
        ("shut", True, ["inside"]),
    ]
    assert [p.y for p in found[1].panels] == [0, 0]


def test_a_repeated_panel_stands_beside_itself_and_moves_what_is_below() -> None:
    values = {"job": Value(("a", "b", "c"), many=True)}
    board = dashboard(
        panel("stat", repeat="job", maxPerRow=2, w=24, h=4), panel("stat", title="below", y=4, w=24)
    )
    (section,) = sections(board, values)
    assert [(p.x, p.y, p.w, [v.values for v in p.values.values()]) for p in section.panels] == [
        (0, 0, 12, [("a",)]),
        (12, 0, 12, [("b",)]),
        (0, 4, 12, [("c",)]),
        (0, 8, 24, []),
    ]


def test_a_repeated_panel_may_go_down_and_a_repeated_row_brings_its_panels() -> None:
    values = {"job": Value(("a", "b"), many=True)}
    down = sections(dashboard(panel("stat", repeat="job", repeatDirection="v", h=4)), values)
    assert [(p.x, p.y) for p in down[0].panels] == [(0, 0), (0, 4)]
    rows = sections(dashboard(row("of $job", 0, panel("stat"), repeat="job", collapsed=True)), values)
    assert [(s.title, s.panels[0].values["job"].values) for s in rows] == [("of a", ("a",)), ("of b", ("b",))]


@pytest.mark.parametrize("grid", [None, {}, {"x": "a"}, {"x": 30, "w": 99, "h": -1}, {"x": -5, "y": 1e999}])
def test_a_place_that_makes_no_sense_is_one_that_does(grid: Any) -> None:
    (section,) = sections(dashboard({**panel("stat"), "gridPos": grid}), {})
    (placed,) = section.panels
    assert placed.x >= 0
    assert placed.x + placed.w <= 24
    assert placed.h >= 1
