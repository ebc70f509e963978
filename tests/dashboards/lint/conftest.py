"""A dashboard of which the lint says nothing, to be broken in one place by each test."""

from __future__ import annotations

import json
from typing import Any

import pytest

PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}
LOKI = {"type": "loki", "uid": "${loki}"}
CLOUDWATCH = {"type": "cloudwatch", "uid": "${cloudwatch}"}


def prometheus(expr: str, ref: str = "A", **more: Any) -> dict[str, Any]:
    return {
        "datasource": PROMETHEUS, "editorMode": "code", "exemplar": False, "expr": expr, "format": "time_series",
        "instant": False, "legendFormat": "{{route}}", "range": True, "refId": ref, **more,
    }  # fmt: skip


def panel(
    number: int, kind: str, title: str, place: tuple[int, int], *targets: Any, **more: Any
) -> dict[str, Any]:
    x, y = place
    steps = [{"color": "green", "value": None}, {"color": "orange", "value": 1}, {"color": "red", "value": 5}]
    defaults = {"thresholds": {"mode": "absolute", "steps": steps}, "unit": "reqps", "custom": {}}
    return {
        "id": number, "type": kind, "title": title, "description": f"{title}, and when it is bad.",
        "datasource": targets[0]["datasource"], "gridPos": {"x": x, "y": y, "w": 12, "h": 8},
        "pluginVersion": "13.1.0", "targets": list(targets),
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {"legend": {"calcs": ["lastNotNull", "p95"], "displayMode": "table", "placement": "bottom", "showLegend": True}}
        if kind == "timeseries" else {}, **more,
    }  # fmt: skip


def source(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "label": name, "type": "datasource", "query": kind, "hide": 0}


def metric(ref: str, identity: str, name: str, statistic: str = "Sum", **more: Any) -> dict[str, Any]:
    return {
        "datasource": CLOUDWATCH, "dimensions": {"LoadBalancer": ["app/orders/0123456789abcdef"]}, "expression": "",
        "id": identity, "label": name, "matchExact": True, "metricEditorMode": 0, "metricName": name, "metricQueryType": 0,
        "namespace": "AWS/ApplicationELB", "period": "", "queryMode": "Metrics", "refId": ref, "region": "default",
        "statistic": statistic, **more,
    }  # fmt: skip


def _good() -> dict[str, Any]:
    job = 'job=~"$job", instance=~"$instance"'
    rate = f"sum by (route) (rate(http_requests_total{{{job}}}[$__rate_interval]))"
    buckets = f"sum by (le, route) (rate(http_request_duration_seconds_bucket{{{job}}}[$__rate_interval]))"
    reduced = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    override = {
        "matcher": {"id": "byName", "options": "GET"},
        "properties": [{"id": "custom.lineWidth", "value": 2}, {"id": "unit", "value": "reqps"}],
    }
    panels = [
        panel(1, "timeseries", "Requests", (0, 0), prometheus(rate)),
        panel(2, "timeseries", "p99", (12, 0), prometheus(f"histogram_quantile(0.99, {buckets})", exemplar=True)),
        panel(3, "stat", "Requests now", (0, 8), prometheus(rate, instant=True, range=False), options=reduced),
        panel(4, "logs", "Errors", (12, 8), {"datasource": LOKI, "expr": '{app="orders"} |= "error"', "queryType": "range", "refId": "A"}),
        panel(
            5, "timeseries", "Errors of the load balancer", (0, 16),
            metric("A", "errors", "HTTPCode_ELB_5XX_Count"), metric("B", "requests", "RequestCount"),
            metric("C", "share", "", metricEditorMode=1, expression="errors / requests * 100", namespace="", dimensions={}),
        ),
        panel(
            6, "logs", "Lines", (12, 16),
            {"datasource": CLOUDWATCH, "expression": "fields @message", "id": "", "logGroups": [{"arn": "/orders", "name": "/orders"}],
             "queryLanguage": "CWLI", "queryMode": "Logs", "refId": "A", "region": "default", "statsGroups": []},
        ),
    ]  # fmt: skip
    panels[0]["fieldConfig"]["overrides"] = [override]
    panels[0]["transformations"] = [{"id": "organize", "options": {}}]
    panels[0]["links"] = [{"title": "Guide", "url": "https://example.com/guide", "targetBlank": True}]
    variables = [
        source("datasource", "prometheus"),
        source("loki", "loki"),
        source("cloudwatch", "cloudwatch"),
        *(
            {
                "name": name, "label": name, "type": "query", "datasource": PROMETHEUS, "refresh": 2, "multi": True,
                "includeAll": True, "allValue": ".+", "definition": query, "query": {"qryType": 1, "query": query, "refId": name},
                "regex": "/(.+)/",
            }
            for name, query in (
                ("job", "label_values(http_requests_total, job)"),
                ("instance", 'label_values(http_requests_total{job=~"$job"}, instance)'),
            )
        ),
    ]  # fmt: skip
    return {
        "title": "Orders", "uid": "orders", "schemaVersion": 42, "editable": False, "panels": panels, "refresh": "30s",
        "tags": [], "templating": {"list": variables}, "time": {"from": "now-1h", "to": "now"}, "timezone": "browser",
        "annotations": {"list": []}, "links": [],
    }  # fmt: skip


def clean() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(json.dumps(_good()))
    return content


@pytest.fixture
def good() -> dict[str, Any]:
    return clean()
