"""grafanalib for today's Grafana (11 to 13): its classes, with the JSON of schema 42.

grafanalib 0.7.1 is frozen since January 2024. What it gives is taken through subclasses, which leave its legacy keys out and spell
every option, since Grafana migrates a panel that names no version as one of 6.1. This module has the dashboard, and offers the
queries and panels too.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import attr
from grafanalib._gen import DashboardEncoder
from grafanalib.core import Dashboard, GridPos, Panel, RowPanel

from orders_obs.dashboards.base import ModernPanel, attributes
from orders_obs.dashboards.figures import (
    AlertListPanel,
    BarGaugePanel,
    DashboardListPanel,
    GaugePanel,
    LogsPanel,
    StatPanel,
    TablePanel,
    TextPanel,
)
from orders_obs.dashboards.graphs import BarChartPanel, HeatmapPanel, StateTimelinePanel, TimeSeriesPanel
from orders_obs.dashboards.targets import (
    CloudWatchLogsTarget,
    CloudWatchTarget,
    JaegerTarget,
    LokiTarget,
    PromTarget,
)
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "AlertListPanel",
    "BarChartPanel",
    "BarGaugePanel",
    "CloudWatchLogsTarget",
    "CloudWatchTarget",
    "DashboardListPanel",
    "Folded",
    "GaugePanel",
    "HeatmapPanel",
    "JaegerTarget",
    "LogsPanel",
    "LokiTarget",
    "ModernDashboard",
    "ModernPanel",
    "PromTarget",
    "Row",
    "StatPanel",
    "StateTimelinePanel",
    "TablePanel",
    "TextPanel",
    "TimeSeriesPanel",
    "lay_out",
    "to_json",
]

SCHEMA_VERSION = 42
"""The newest that Grafana's own migrations know; 11 to 13 all load it."""
_WIDTH = 24
_IDS = 1_000_000

_DASHBOARD_KEYS = frozenset(
    {
        "annotations", "description", "editable", "graphTooltip", "links", "panels", "refresh", "schemaVersion", "tags",
        "templating", "time", "timepicker", "timezone", "title", "uid",
    }
)  # fmt: skip
_ROW_KEYS = frozenset({"collapsed", "gridPos", "id", "panels", "title", "type"})


@dataclass(frozen=True, slots=True)
class Folded:
    """Rows that are shown when somebody opens them; their queries are not sent before.

    Attributes:
        title: Of the bar that opens them.
        rows: Pairs of height and panels.
    """

    title: str
    rows: Sequence[tuple[int, Sequence[Panel]]]


Row: TypeAlias = tuple[int, "Sequence[Panel]"] | str | Folded
"""Panels beside each other with their height; the title of a bar; rows that a bar opens."""


@attributes
class ModernDashboard(Dashboard):  # type: ignore[misc]  # grafanalib has no types
    """A dashboard in schema 42, without what Grafana no longer knows."""

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana has it."""
        known = {key: value for key, value in super().to_json_data().items() if key in _DASHBOARD_KEYS}
        return {
            **known,
            "fiscalYearStartMonth": 0,
            "liveNow": False,
            "preload": False,
            "schemaVersion": SCHEMA_VERSION,
            "timepicker": {"refresh_intervals": ["5s", "10s", "30s", "1m", "5m", "15m"]},
            "weekStart": "",
        }


@attributes
class _Row(RowPanel):  # type: ignore[misc]  # grafanalib has no types
    """The bar above rows."""

    def to_json_data(self) -> dict[str, Any]:
        """With the keys that a bar has."""
        return {key: value for key, value in super().to_json_data().items() if key in _ROW_KEYS}


def lay_out(rows: Sequence[Row]) -> list[Panel]:
    """Give panels their places and their ids.

    An id is made from the title, so that a link to a panel survives what is added before it.

    Args:
        rows: Pairs of a height and the panels, which share the width, evenly but for those that have one; a text, which is the bar
            above what follows; or folded rows.

    Raises:
        UserError: A row is none of these.
    """
    taken: set[int] = set()
    placed: list[Panel] = []
    top = 0
    for row in rows:
        if isinstance(row, str):
            placed.append(_bar(row, top, taken))
            top += 1
        elif isinstance(row, Folded):
            bar = _bar(row.title, top, taken)
            bar.collapsed = True
            below = top + 1
            for height, panels in map(_pair, row.rows):
                bar.panels += _side_by_side(height, panels, below, taken)
                below += height
            placed.append(bar)
            top += 1
        else:
            height, panels = _pair(row)
            placed += _side_by_side(height, panels, top, taken)
            top += height
    return placed


def to_json(dashboard: Dashboard) -> dict[str, Any]:
    """The dashboard as data: what grafanalib's encoder gives, without nulls except a threshold's."""
    encoded = json.loads(json.dumps(dashboard, cls=DashboardEncoder))
    cleaned: dict[str, Any] = _without_nulls(encoded)
    return cleaned


def _pair(row: Any) -> tuple[int, Sequence[Panel]]:
    try:
        height, panels = row
        right = isinstance(height, int) and height > 0 and all(isinstance(panel, Panel) for panel in panels)
    except (TypeError, ValueError):
        right = False
    if not right:
        raise UserError(
            f"a row is {_said(row)}, not a height and its panels",
            hint="such as (8, [panel_of(…), panel_of(…)]); a text is a bar",
        )
    return height, panels


def _said(row: Any) -> str:
    if isinstance(row, Panel):
        return f"the panel {str(row.title)!r:.60} alone"
    if isinstance(row, list | tuple) and row and all(isinstance(item, Panel) for item in row):
        return f"{len(row)} panels without a height"
    return "something else" if isinstance(row, list | tuple) else f"of type {type(row).__name__}"


def _bar(title: str, top: int, taken: set[int]) -> _Row:
    return _Row(title=title, id=_id(title, taken), gridPos=GridPos(1, _WIDTH, 0, top))


def _side_by_side(height: int, panels: Sequence[Panel], top: int, taken: set[int]) -> list[Panel]:
    own = [getattr(panel, "width", 0) for panel in panels]
    rest, sharing = _WIDTH - sum(own), own.count(0)
    shares = [rest // sharing + (index < rest % sharing) for index in range(sharing)]
    placed, left = [], 0
    for index, panel in enumerate(panels):
        width = own[index] or shares.pop(0)
        # A panel may stand in two dashboards.
        here = attr.evolve(panel, gridPos=GridPos(height, width, left, top), id=_id(str(panel.title), taken))
        left += width
        placed.append(here)
    return placed


def _id(title: str, taken: set[int]) -> int:
    number = zlib.crc32(title.encode()) % _IDS + 1
    while number in taken:
        number = number % _IDS + 1
    taken.add(number)
    return number


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        step = value.keys() == {"color", "value"}
        return {
            key: _without_nulls(item)
            for key, item in value.items()
            if item is not None or (step and key == "value")
        }
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
