"""Rules on how the panels lie: the grid, the ids, what is hidden in rows."""

from __future__ import annotations

import difflib
from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.lint.known import ANGULAR, MIGRATED, PANELS
from orders_obs.dashboards.lint.views import Said, mapping, number, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders_obs.dashboards.lint.views import DashboardView, Panel

__all__ = [
    "angular_panel",
    "duplicate_panel_id",
    "duplicate_ref_id",
    "grid_gap",
    "grid_missing",
    "grid_outside",
    "grid_overlap",
    "panels_in_open_row",
    "type_unknown",
]

_WIDTH = 24
# A dashboard of more panels is judged by its first ones, so that a hostile file ends in time.
_MOST = 1000


def duplicate_panel_id(view: DashboardView) -> Iterator[Said]:
    seen: dict[float, str] = {}
    for json in [*view.rows, *(panel.json for panel in view.panels)]:
        identity = number(json.get("id"))
        if identity is None:
            continue
        name = _title(json)
        if identity in seen:
            yield Said(
                f"{name} and {seen[identity]} both have the id {identity:g}: links, alerts and edits go to one of them",
                "give each panel an id of its own",
                json,
            )
        seen.setdefault(identity, name)


def type_unknown(view: DashboardView) -> Iterator[Said]:
    for panel in view.panels:
        kind = panel.type
        if not kind or kind in PANELS or kind in MIGRATED or kind in ANGULAR or panel.is_reference:
            continue
        near = difflib.get_close_matches(kind[:60], sorted(PANELS), 1, 0.75)
        # A plugin's name is its vendor's, its own and its kind: `vendor-thing-panel`.
        plugin = kind.count("-") >= 2 or kind.endswith(("-panel", "-app"))
        if plugin and kind.removesuffix("-panel") not in PANELS:
            yield Said(
                f"{panel.name} is a {kind:.60}, which no Grafana brings: a plugin has to be installed",
                "say where the dashboard is published that it needs the plugin",
                panel.json,
                "info",
            )
        else:
            yield Said(
                f"{panel.name} is a {kind!r:.60}, which is no panel of Grafana",
                f"did you mean {near[0]}?" if near else "timeseries, stat, table, …",
                panel.json,
            )


def _title(json: dict[str, Any]) -> str:
    kind = "row" if json.get("type") == "row" else "panel"
    return f"{kind} {text(json.get('title'))!r}"


def duplicate_ref_id(view: DashboardView) -> Iterator[Said]:
    for panel in view.panels:
        counted = Counter(text(target.json.get("refId")) for target in panel.targets)
        for name, times in counted.items():
            if name and times > 1:
                yield Said(
                    f"{panel.name}: {times} queries have the refId {name}, so all but one are lost",
                    "A, B, C and so on",
                    panel.json,
                )


def _place(panel: Panel) -> tuple[float, float, float, float] | None:
    """Left, top, width, height; None where it has no whole place."""
    grid = mapping(panel.json.get("gridPos"))
    numbers = [number(grid.get(key)) for key in ("x", "y", "w", "h")]
    if any(value is None for value in numbers):
        return None
    x, y, w, h = (value or 0 for value in numbers)
    return x, y, w, h


def grid_missing(view: DashboardView) -> Iterator[Said]:
    for panel in view.panels:
        # Before Grafana 5 rows and spans said where a panel is.
        if "gridPos" not in panel.json and "span" not in panel.json and not view.json.get("rows"):
            yield Said(
                f"{panel.name} has no gridPos, so Grafana puts it where it likes",
                "gridPos: {x, y, w, h}",
                panel.json,
            )


def grid_outside(view: DashboardView) -> Iterator[Said]:
    for panel in view.panels:
        place = _place(panel)
        if place is None:
            continue
        x, y, w, h = place
        if x < 0 or y < 0 or w < 1 or h < 1:
            yield Said(
                f"{panel.name} is at {x:g}, {y:g} and {w:g} by {h:g}, which is no place in the grid",
                "x and y from 0, w and h from 1",
                panel.json,
            )
        elif x + w > _WIDTH:
            yield Said(
                f"{panel.name} ends at column {x + w:g} of {_WIDTH}, so Grafana moves or narrows it",
                f"x + w of at most {_WIDTH}",
                panel.json,
            )


def grid_overlap(view: DashboardView) -> Iterator[Said]:
    for group in _groups(view):
        for (one, a), (other, b) in combinations(group, 2):
            if a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]:
                yield Said(
                    f"{one.name} and {other.name} lie on each other, so Grafana pushes one down",
                    "move one, or make it smaller",
                    other.json,
                )


def grid_gap(view: DashboardView) -> Iterator[Said]:
    """Columns that stay empty beside a panel; an empty line closes by itself, since Grafana moves panels up."""
    if view.json.get("rows"):
        return
    for group in _groups(view):
        tops = sorted({(place[1], place[3]) for _, place in group})
        for top, height in tops:
            band = [p for _, p in group if p[1] < top + height and top < p[1] + p[3]]
            used = sorted((max(0, p[0]), p[0] + p[2]) for p in band)
            end, free = 0.0, 0.0
            for left, right in used:
                free += max(0.0, left - end)
                end = max(end, right)
            free += max(0.0, _WIDTH - end)
            first = next((panel for panel, place in group if place[1] == top), None)
            if first is not None and free >= 1:
                yield Said(
                    f"{free:g} of {_WIDTH} columns are empty beside {first.name}",
                    "make the panels wider",
                    first.json,
                )
                break  # one says it


def _groups(view: DashboardView) -> list[list[tuple[Panel, tuple[float, float, float, float]]]]:
    """Panels that share a grid: those of the dashboard, and those of each collapsed row."""
    groups: dict[int, list[tuple[Panel, tuple[float, float, float, float]]]] = {}
    for panel in view.panels[:_MOST]:
        place = _place(panel)
        if place is not None and place[2] > 0 and place[3] > 0:
            groups.setdefault(0 if panel.inside is None else id(panel.inside), []).append((panel, place))
    return list(groups.values())


def panels_in_open_row(view: DashboardView) -> Iterator[Said]:
    for row in view.rows:
        if row.get("panels") and row.get("collapsed") is not True:
            yield Said(
                f"{_title(row)} is open and yet holds panels: those of an open row stand behind it in `panels`",
                "collapsed: true, or the panels on the dashboard itself",
                row,
            )


def angular_panel(view: DashboardView) -> Iterator[Said]:
    turned: dict[str, list[Panel]] = {}
    for panel in view.panels:
        if panel.type in ANGULAR:
            yield Said(
                f"{panel.name} is of the type {panel.type}, made with Angular: Grafana 12 and newer cannot show it",
                "a panel of today, such as state-timeline, stat or geomap",
                panel.json,
                "error",
            )
        elif panel.type in MIGRATED:
            turned.setdefault(panel.type, []).append(panel)
    for kind, panels in turned.items():
        several = f" and {len(panels) - 1} more are" if len(panels) > 1 else " is"
        yield Said(
            f"{panels[0].name}{several} of the type {kind}, which Grafana turns into {MIGRATED[kind]} at each load",
            f"save as {MIGRATED[kind]}",
            panels[0].json,
        )
