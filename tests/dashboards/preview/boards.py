"""Dashboards for the tests: one with every kind of panel, and the parts to make others."""

from __future__ import annotations

from typing import Any

from tests.dashboards.preview.fake import HOSTILE

__all__ = ["dashboard", "every_kind", "panel", "query"]

PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}
STEPS = [{"color": "green", "value": None}, {"color": "orange", "value": 0.4}, {"color": "red", "value": 0.6}]


def query(expr: str, **more: Any) -> dict[str, Any]:
    return {
        "refId": "A",
        "datasource": PROMETHEUS,
        "expr": expr,
        "range": True,
        "legendFormat": "__auto",
        **more,
    }


def panel(kind: str, *targets: dict[str, Any] | str, **more: Any) -> dict[str, Any]:
    queries = [query(t) if isinstance(t, str) else t for t in targets]
    for letter, target in zip("ABCDEFGH", queries, strict=False):
        target["refId"] = letter
    field = {
        "defaults": {
            "unit": more.pop("unit", "s"),
            "color": {"mode": more.pop("color", "palette-classic")},
            "custom": more.pop("custom", {}),
            "thresholds": {"mode": "absolute", "steps": STEPS},
            **more.pop("defaults", {}),
        },
        "overrides": more.pop("overrides", []),
    }
    grid = {"x": more.pop("x", 0), "y": more.pop("y", 0), "w": more.pop("w", 8), "h": more.pop("h", 8)}
    title = more.pop("title", kind)
    return {
        "type": kind,
        "title": title,
        "gridPos": grid,
        "fieldConfig": field,
        "targets": queries,
        "options": {},
        **more,
    }


def dashboard(*panels: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "title": "Test",
        "uid": "test",
        "schemaVersion": 42,
        "time": {"from": "now-1h", "to": "now"},
        "panels": list(panels),
        **more,
    }


TABLE = {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["lastNotNull", "max"]}
LIST = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
RIGHT = {"displayMode": "table", "placement": "right", "showLegend": True, "calcs": ["mean"]}
MULTI = {"mode": "multi", "sort": "desc"}


def every_kind() -> dict[str, Any]:
    thresholds = {"fillOpacity": 10, "thresholdsStyle": {"mode": "dashed"}}
    stacked = {"fillOpacity": 40, "stacking": {"mode": "normal", "group": "A"}}
    percent = {"fillOpacity": 60, "stacking": {"mode": "percent", "group": "A"}}
    log = {"scaleDistribution": {"type": "log", "log": 10}, "axisLabel": "seconds"}
    area = {"thresholdsStyle": {"mode": "area"}, "lineInterpolation": "stepAfter", "spanNulls": False}
    mappings = [
        {
            "type": "value",
            "options": {"0": {"text": "Down", "color": "red"}, "1": {"text": "Up", "color": "green"}},
        }
    ]
    text = "# Runbook\nWhat to do, **in order**:\n\n1. Look at `Errors`\n2. Open [the page](https://example.com/runbook)\n\n<script>alert(1)</script>"
    organize = {
        "id": "organize",
        "options": {"excludeByName": {"Time": True, "__name__": True}, "renameByName": {"Value": "Errors"}},
    }
    cloudwatch = {
        "refId": "A",
        "datasource": {"type": "cloudwatch", "uid": "cw"},
        "namespace": "AWS/ECS",
        "metricName": "CPUUtilization",
        "statistic": "Average",
        "dimensions": {"ClusterName": ["orders"]},
    }
    limits = {"min": 0, "max": 1}
    return dashboard(
        panel("timeseries", query("lines", exemplar=True), title="Lines", custom=thresholds, options={"legend": TABLE, "tooltip": MULTI}),
        panel("timeseries", "stacked", title="Stacked", x=8, custom=stacked, options={"legend": LIST}),
        panel("timeseries", "percent", title="Percent", x=16, custom=percent, unit="short", options={"legend": RIGHT}),
        panel("timeseries", "log", title="Logarithmic", y=8, custom=log, options={"legend": LIST}),
        panel("timeseries", "one gaps", title="Gaps and areas", x=8, y=8, custom=area, options={"legend": LIST}),
        panel("timeseries", "bars", title="Bars", x=16, y=8, custom={"drawStyle": "bars", "fillOpacity": 80, "stacking": {"mode": "normal", "group": "A"}}, unit="reqps", options={"legend": LIST}),
        panel("stat", "one", title="Stat", y=16, w=4, h=5, color="thresholds", options={"graphMode": "area", "colorMode": "value"}),
        panel("stat", "many", title="Several stats", x=4, y=16, w=8, h=5, color="thresholds", options={"colorMode": "background", "graphMode": "none"}),
        panel("gauge", "one", title="Gauge", x=12, y=16, w=4, h=5, unit="percentunit", color="thresholds", defaults=limits),
        panel("bargauge", "many", title="Bar gauge", x=16, y=16, h=5, unit="percentunit", color="thresholds", defaults=limits, options={"orientation": "horizontal"}),
        panel("table", query("rows", instant=True, range=False, format="table"), title="Table", y=21, w=12, h=6, unit="short", transformations=[organize, {"id": "sortBy", "options": {"sort": [{"field": "Errors", "desc": True}]}}]),
        panel("barchart", query("rows", instant=True, range=False, format="table"), title="Bar chart", x=12, y=21, w=6, h=6),
        panel("piechart", "shares", title="Pie", x=18, y=21, w=6, h=6, unit="short"),
        panel("heatmap", query("buckets", format="heatmap"), title="Heat map", y=27, w=12, options={"yAxis": {"unit": "s"}}),
        panel("state-timeline", "states", title="States", x=12, y=27, w=12, color="thresholds", defaults={"mappings": mappings}),
        panel("text", title="Text", y=35, w=6, h=6, options={"mode": "markdown", "content": text}),
        panel("timeseries", "fails", title="Fails", x=6, y=35, w=6, h=6),
        panel("timeseries", "empty", title="Empty", x=12, y=35, w=6, h=6),
        panel("timeseries", cloudwatch, title="CloudWatch", x=18, y=35, w=6, h=6, datasource={"type": "cloudwatch", "uid": "cw"}),
        {"type": "row", "title": "Shut", "collapsed": True, "gridPos": {"x": 0, "y": 41, "w": 24, "h": 1}, "panels": [panel("timeseries", "hidden", title="In the row", y=42)]},
        {"type": "row", "title": f"Hostile {HOSTILE}", "collapsed": False, "gridPos": {"x": 0, "y": 42, "w": 24, "h": 1}},
        panel("timeseries", "hostile", title=HOSTILE, description=HOSTILE, y=43, w=12, options={"legend": TABLE, "tooltip": MULTI}),
        panel("table", query("hostile", instant=True, range=False, format="table"), title="Hostile table", x=12, y=43, w=12),
        title="Every kind",
        templating={
            "list": [
                {"name": "datasource", "type": "datasource", "query": "prometheus"},
                {"name": "job", "type": "query", "query": {"query": "label_values(up, job)"}, "current": {}, "regex": "/.*/", "multi": True, "includeAll": True},
                {"name": "step", "type": "interval", "query": "1m,5m", "current": {"value": "5m"}},
            ]
        },
        graphTooltip=1,
        annotations={"list": [{"enable": True, "name": "Starts", "expr": "moments", "datasource": PROMETHEUS, "useValueForTime": True, "iconColor": "purple", "titleFormat": "Started"}]},
    )  # fmt: skip
