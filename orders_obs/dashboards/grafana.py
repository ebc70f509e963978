"""grafanalib for today's Grafana (11 to 13): its classes, with the JSON of schema 42.

grafanalib 0.7.1 is frozen since January 2024. What it gives is taken through these subclasses, which leave its legacy keys out and
spell every option, since Grafana migrates a panel that names no version as one of 6.1.
"""

from __future__ import annotations

import copy
import json
import string
from typing import TYPE_CHECKING, Any

import attr
from grafanalib._gen import DashboardEncoder
from grafanalib.core import Dashboard, GridPos, Panel, Target

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "CloudWatchLogsTarget",
    "CloudWatchTarget",
    "JaegerTarget",
    "LogsPanel",
    "ModernDashboard",
    "PromTarget",
    "StatPanel",
    "TablePanel",
    "TimeSeriesPanel",
    "lay_out",
    "to_json",
]

SCHEMA_VERSION = 42
"""The newest that Grafana's own migrations know; 11 to 13 all load it."""
_PLUGIN_VERSION = "13.1.0"
# Under another name mypy's attrs plugin leaves the classes alone: it does not see what the untyped bases declare.
_attributes: Any = attr.s
_WIDTH = 24

_DASHBOARD_KEYS = frozenset(
    {
        "annotations", "description", "editable", "graphTooltip", "links", "panels", "refresh", "schemaVersion", "tags",
        "templating", "time", "timepicker", "timezone", "title", "uid",
    }
)  # fmt: skip
_PANEL_KEYS = frozenset(
    {
        "datasource",
        "description",
        "gridPos",
        "id",
        "interval",
        "links",
        "targets",
        "title",
        "transformations",
        "transparent",
    }
)


@_attributes
class PromTarget(Target):  # type: ignore[misc]  # grafanalib has no types
    """A Prometheus query.

    Attributes:
        exemplar: Show exemplars; for queries of histograms.
        table: One row a series at the end of the range, instead of a graph.
    """

    exemplar = attr.ib(default=False)
    table = attr.ib(default=False)

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana's Prometheus data source has it."""
        return {
            "datasource": self.datasource,
            "editorMode": "code",
            "exemplar": self.exemplar,
            "expr": self.expr,
            "format": "table" if self.table else "time_series",
            "instant": self.table,
            "legendFormat": self.legendFormat or "__auto",
            "range": not self.table,
            "refId": self.refId,
        }


@_attributes
class JaegerTarget(Target):  # type: ignore[misc]  # grafanalib has no types
    """A search for traces in Jaeger.

    Attributes:
        service: Whose traces.
        tags: Conditions in logfmt, such as `error=true`.
        limit: Traces at the most.
    """

    service = attr.ib(default="")
    tags = attr.ib(default="")
    limit = attr.ib(default=20)

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana's Jaeger data source has it."""
        return {
            "datasource": self.datasource,
            "limit": self.limit,
            "queryType": "search",
            "refId": self.refId,
            "service": self.service,
            "tags": self.tags,
        }


@_attributes
class CloudWatchTarget(Target):  # type: ignore[misc]  # grafanalib has no types
    """A metric of CloudWatch.

    Attributes:
        namespace: Such as `ECS/ContainerInsights`.
        dimensions: Dimension name to value; a value may be a variable.
        statistic: Such as `Average`.
    """

    namespace = attr.ib(default="")
    dimensions: Any = attr.ib(factory=dict)
    statistic = attr.ib(default="Average")

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana's CloudWatch data source has it."""
        return {
            "datasource": self.datasource,
            "dimensions": {name: [value] for name, value in self.dimensions.items()},
            "expression": "",
            "id": "",
            "label": self.legendFormat,
            "matchExact": True,
            "metricEditorMode": 0,
            "metricName": self.metric,
            "metricQueryType": 0,
            "namespace": self.namespace,
            "period": "",
            "queryMode": "Metrics",
            "refId": self.refId,
            "region": "default",
            "statistic": self.statistic,
        }


@_attributes
class CloudWatchLogsTarget(Target):  # type: ignore[misc]  # grafanalib has no types
    """A query of CloudWatch Logs Insights.

    Attributes:
        log_group: Its name.
    """

    log_group = attr.ib(default="")

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana's CloudWatch data source has it."""
        return {
            "datasource": self.datasource,
            "expression": self.expr,
            "id": "",
            "logGroups": [{"arn": self.log_group, "name": self.log_group}],
            "queryLanguage": "CWLI",
            "queryMode": "Logs",
            "refId": self.refId,
            "region": "default",
            "statsGroups": [],
        }


@_attributes
class _Modern(Panel):  # type: ignore[misc]  # grafanalib has no types
    """What the panels share.

    Attributes:
        unit: Grafana's id of the unit.
        decimals: Digits after the point; None lets Grafana choose.
        lines: Thresholds as pairs of value and colour, the base first with None as its value.
        minimum: Lowest value of the axis.
        maximum: Highest value of the axis.
    """

    unit = attr.ib(default="short")
    decimals = attr.ib(default=None)
    lines: Any = attr.ib(default=((None, "green"),))
    minimum = attr.ib(default=None)
    maximum = attr.ib(default=None)

    def modern(
        self,
        kind: str,
        options: dict[str, Any],
        custom: dict[str, Any] | None = None,
        color: str = "palette-classic",
    ) -> dict[str, Any]:
        """The panel's JSON: grafanalib's own keys that are still known, and what this kind adds."""
        for letter, target in zip(string.ascii_uppercase, self.targets, strict=False):
            target.refId = target.refId or letter
        known = {key: value for key, value in self.panel_json({}).items() if key in _PANEL_KEYS}
        defaults: dict[str, Any] = {
            "color": {"mode": color},
            "custom": custom or {},
            "decimals": self.decimals,
            "mappings": [],
            "max": self.maximum,
            "min": self.minimum,
            "thresholds": {
                "mode": "absolute",
                "steps": [{"color": color_name, "value": value} for value, color_name in self.lines],
            },
            "unit": self.unit,
        }
        return {
            **known,
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": copy.deepcopy(options),
            "pluginVersion": _PLUGIN_VERSION,
            "type": kind,
        }


@_attributes
class TimeSeriesPanel(_Modern):
    """A graph over time; thresholds are drawn as dashed lines."""

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana has it."""
        custom = {
            "axisBorderShow": False,
            "axisCenteredZero": False,
            "axisColorMode": "text",
            "axisLabel": "",
            "axisPlacement": "auto",
            "barAlignment": 0,
            "drawStyle": "line",
            "fillOpacity": 10,
            "gradientMode": "none",
            "hideFrom": {"legend": False, "tooltip": False, "viz": False},
            "insertNulls": False,
            "lineInterpolation": "linear",
            "lineWidth": 2,
            "pointSize": 5,
            "scaleDistribution": {"type": "linear"},
            "showPoints": "auto",
            "spanNulls": False,
            "stacking": {"group": "A", "mode": "none"},
            "thresholdsStyle": {"mode": "dashed" if len(self.lines) > 1 else "off"},
        }
        options = {
            "legend": {
                "calcs": ["lastNotNull", "max"],
                "displayMode": "table",
                "placement": "bottom",
                "showLegend": True,
            },
            "tooltip": {"hideZeros": False, "mode": "multi", "sort": "desc"},
        }
        return self.modern("timeseries", options, custom)


@_attributes
class StatPanel(_Modern):
    """One number with its course behind it."""

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana has it."""
        options = {
            "colorMode": "value",
            "graphMode": "area",
            "justifyMode": "auto",
            "orientation": "auto",
            "percentChangeColorMode": "standard",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "showPercentChange": False,
            "textMode": "auto",
            "wideLayout": True,
        }
        return self.modern("stat", options, color="thresholds")


@_attributes
class TablePanel(_Modern):
    """Rows."""

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana has it."""
        custom = {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True, "inspect": False}
        return self.modern(
            "table", {"cellHeight": "sm", "frameIndex": 0, "showHeader": True}, custom, color="thresholds"
        )


@_attributes
class LogsPanel(_Modern):
    """Log lines."""

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana has it."""
        options = {
            "dedupStrategy": "none",
            "enableLogDetails": True,
            "prettifyLogMessage": False,
            "showCommonLabels": False,
            "showLogContextToggle": False,
            "showLabels": False,
            "showTime": True,
            "sortOrder": "Descending",
            "wrapLogMessage": True,
        }
        return self.modern("logs", options, color="thresholds")


@_attributes
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


def lay_out(rows: Sequence[tuple[int, Sequence[Panel]]]) -> list[Panel]:
    """Give panels their places: rows of a height, each shared evenly among its panels; and their ids."""
    placed, top, number = [], 0, 1
    for height, panels in rows:
        width = _WIDTH // len(panels)
        for index, panel in enumerate(panels):
            last = index == len(panels) - 1
            panel.gridPos = GridPos(height, _WIDTH - width * index if last else width, width * index, top)
            panel.id = number
            number += 1
            placed.append(panel)
        top += height
    return placed


def to_json(dashboard: Dashboard) -> dict[str, Any]:
    """The dashboard as data: what grafanalib's encoder gives, without nulls except a threshold's."""
    encoded = json.loads(json.dumps(dashboard, cls=DashboardEncoder))
    cleaned: dict[str, Any] = _without_nulls(encoded)
    return cleaned


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
