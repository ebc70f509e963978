"""Panels without an axis: numbers, tables, logs, text, and lists of alerts and dashboards."""

from __future__ import annotations

from typing import Any

import attr

from orders_obs.dashboards.base import ModernPanel, attributes

__all__ = [
    "AlertListPanel",
    "BarGaugePanel",
    "DashboardListPanel",
    "GaugePanel",
    "LogsPanel",
    "StatPanel",
    "TablePanel",
    "TextPanel",
]


def _reduced(calc: str) -> dict[str, Any]:
    return {"calcs": [calc], "fields": "", "values": False}


@attributes
class StatPanel(ModernPanel):
    """One number, its colour that of the threshold it has passed; where it has none, that of text.

    Attributes:
        lines: As of every panel.
        course: Whether its course is drawn behind it; a query for now has none.
        calc: What becomes of the values of the range.
        text: `auto`, `value` or `value_and_name`.
        background: Whether the colour fills the panel, for what must be seen from afar.
    """

    lines: Any = attr.ib(default=((None, "text"),))
    course = attr.ib(default=True)
    calc = attr.ib(default="lastNotNull")
    text = attr.ib(default="auto")
    background = attr.ib(default=False)

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana has it."""
        options = {
            "colorMode": "background" if self.background else "value",
            "graphMode": "area" if self.course else "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "percentChangeColorMode": "standard",
            "reduceOptions": _reduced(self.calc),
            "showPercentChange": False,
            "textMode": self.text,
            "wideLayout": True,
        }
        return self.modern("stat", options, color="thresholds")


@attributes
class GaugePanel(ModernPanel):
    """One number on a dial; give it a minimum and a maximum.

    Attributes:
        calc: What becomes of the values of the range.
    """

    calc = attr.ib(default="lastNotNull")

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana has it.

        The options that 13.2 added are left to it: Grafana 11 to 13.1 do not know them.
        """
        options = {
            "minVizHeight": 75,
            "minVizWidth": 75,
            "orientation": "auto",
            "reduceOptions": _reduced(self.calc),
            "showThresholdLabels": False,
            "showThresholdMarkers": True,
            "sizing": "auto",
        }
        return self.modern("gauge", options, color="thresholds")


@attributes
class BarGaugePanel(ModernPanel):
    """Several numbers as bars.

    Attributes:
        calc: What becomes of the values of the range.
    """

    calc = attr.ib(default="lastNotNull")

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana has it."""
        options = {
            "displayMode": "basic",
            "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
            "maxVizHeight": 300,
            "minVizHeight": 16,
            "minVizWidth": 8,
            "namePlacement": "auto",
            "orientation": "horizontal",
            "reduceOptions": _reduced(self.calc),
            "showUnfilled": True,
            "sizing": "auto",
            "valueMode": "color",
        }
        return self.modern("bargauge", options, color="thresholds")


@attributes
class TablePanel(ModernPanel):
    """Rows.

    Attributes:
        by: The column that it is sorted by, the highest first.
    """

    by = attr.ib(default="")

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana has it."""
        custom = {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": True, "inspect": False}
        options: dict[str, Any] = {"cellHeight": "sm", "frameIndex": 0, "showHeader": True}
        if self.by:
            options["sortBy"] = [{"desc": True, "displayName": self.by}]
        return self.modern("table", options, custom, color="thresholds")


@attributes
class LogsPanel(ModernPanel):
    """Log lines."""

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana has it."""
        options = {
            "dedupStrategy": "none",
            "enableLogDetails": True,
            "prettifyLogMessage": False,
            "showCommonLabels": False,
            "showLabels": False,
            "showLogContextToggle": False,
            "showTime": True,
            "sortOrder": "Descending",
            "wrapLogMessage": True,
        }
        return self.modern("logs", options, color="thresholds")


@attributes
class TextPanel(ModernPanel):
    """Markdown.

    Attributes:
        content: The text; Grafana takes scripts out of it.
    """

    content = attr.ib(default="")

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana has it."""
        code = {"language": "plaintext", "showLineNumbers": False, "showMiniMap": False}
        return self.bare("text", {"code": code, "content": self.content, "mode": "markdown"})


@attributes
class AlertListPanel(ModernPanel):
    """Alerts that fire, with those of Prometheus's own rules where the data source manages alerts.

    Attributes:
        matching: Matchers on an alert's labels, such as `{service="orders-api"}`.
        most: Alerts at the most.
    """

    matching = attr.ib(default="")
    most = attr.ib(default=20)

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana has it; `sortOrder` 3 is by importance."""
        options = {
            "alertInstanceLabelFilter": self.matching,
            "alertName": "",
            "dashboardAlerts": False,
            "groupBy": [],
            "groupMode": "default",
            "maxItems": self.most,
            "showInactiveAlerts": False,
            "showInstances": False,
            "sortOrder": 3,
            "stateFilter": {"error": True, "firing": True, "noData": False, "normal": False, "pending": True},
            "viewMode": "list",
        }
        return self.bare("alertlist", options)


@attributes
class DashboardListPanel(ModernPanel):
    """Dashboards by their tags, opened with the time and the variables of this one.

    Attributes:
        tags: All of which a dashboard must have.
    """

    tags: Any = attr.ib(factory=tuple)

    def to_json_data(self) -> dict[str, Any]:
        """As Grafana has it."""
        options = {
            "includeVars": True,
            "keepTime": True,
            "maxItems": 30,
            "query": "",
            "showFolderNames": False,
            "showHeadings": False,
            "showRecentlyViewed": False,
            "showSearch": True,
            "showStarred": False,
            "tags": list(self.tags),
        }
        return self.bare("dashlist", options)
