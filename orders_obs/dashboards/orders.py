"""The dashboard "Orders API - Production"."""

from __future__ import annotations

from typing import Any

from grafanalib.core import Annotations, Template, Templating, Time

from orders_obs._resources import resource_path
from orders_obs.alerts import load
from orders_obs.dashboards.grafana import (
    CloudWatchLogsTarget,
    CloudWatchTarget,
    JaegerTarget,
    LogsPanel,
    ModernDashboard,
    PromTarget,
    TablePanel,
    TimeSeriesPanel,
    lay_out,
)
from orders_obs.dashboards.panels import JOB, PROMETHEUS, panel_of
from orders_obs.signals import SIGNALS, Count, promql

__all__ = ["orders_production"]

_JAEGER = {"type": "jaeger", "uid": "jaeger"}
_CLOUDWATCH = {"type": "cloudwatch", "uid": "${cloudwatch}"}
_LOG_GROUP = "/orders/api/production"


def orders_production(*, aws: bool = False) -> ModernDashboard:
    """Eight panels: requests, errors, p99, database, cache, connections, tasks, recent errors.

    Args:
        aws: The number of tasks and the recent errors come from CloudWatch; without it they come from Prometheus and Jaeger.
    """
    alerts = load(resource_path("alerts")).resolve("production").alerts
    tasks = _tasks_on_aws() if aws else panel_of("running_tasks", decimals=0)
    rows = [
        (
            8,
            [
                panel_of("http_requests", by=("route",)),
                panel_of("http_error_ratio", alerts=alerts),
                panel_of("http_latency", alerts=alerts, title="Response time, p99"),
            ],
        ),
        (
            8,
            [
                panel_of(
                    "database_latency", by=("operation", "table"), q=0.95, title="Database query time, p95"
                ),
                panel_of("cache_hit_ratio", by=()),
            ],
        ),
        (6, [panel_of("database_connections", decimals=0), tasks]),
        (9, [_errors_on_aws()] if aws else [_errors_by_type(), _error_traces()]),
    ]
    return ModernDashboard(
        title="Orders API - Production" + (" (AWS)" if aws else ""),
        uid="orders-api-production" + ("-aws" if aws else ""),
        description="Requests, errors, response time, and what the orders API depends on. Lines are the thresholds of its alerts.",
        tags=["orders-obs", "orders-api"],
        timezone="browser",
        refresh="10s",
        time=Time("now-1h", "now"),
        graphTooltip=1,
        editable=False,
        templating=Templating(_variables(aws=aws)),
        annotations=Annotations([_builtin_annotations()]),
        panels=lay_out(rows),
    )


def _errors_by_type() -> TablePanel:
    errors = SIGNALS["errors"]
    assert isinstance(errors, Count)  # noqa: S101  # it counts
    assert errors.events is not None  # noqa: S101  # on Prometheus
    window = "$__range"
    increase = f"sum by (route, error_type) (increase({promql.series(errors.events, JOB)}[{window}])) > 0"
    return TablePanel(
        title="Recent errors",
        description=errors.description,
        dataSource=PROMETHEUS,
        unit="short",
        decimals=0,
        targets=[PromTarget(expr=increase, datasource=PROMETHEUS, table=True)],
        transformations=[
            {
                "id": "organize",
                "options": {
                    "excludeByName": {"Time": True},
                    "indexByName": {},
                    "renameByName": {"Value": "Errors", "error_type": "Type", "route": "Route"},
                },
            },
            {"id": "sortBy", "options": {"fields": {}, "sort": [{"desc": True, "field": "Errors"}]}},
        ],
    )


def _error_traces() -> TablePanel:
    return TablePanel(
        title="Recent error traces",
        description="Traces with a failed span; a click opens one.",
        dataSource=_JAEGER,
        unit="short",
        targets=[JaegerTarget(service="orders-api", tags="error=true", datasource=_JAEGER)],
    )


def _errors_on_aws() -> LogsPanel:
    query = (
        "fields @timestamp, endpoint, status_code, error_type, request_id, trace_id, exception\n"
        '| filter level = "error"\n| sort @timestamp desc\n| limit 100'
    )
    return LogsPanel(
        title="Recent errors",
        description="Lines of level error, by CloudWatch Logs Insights.",
        dataSource=_CLOUDWATCH,
        unit="short",
        targets=[CloudWatchLogsTarget(expr=query, log_group=_LOG_GROUP, datasource=_CLOUDWATCH)],
    )


def _tasks_on_aws() -> TimeSeriesPanel:
    signal = SIGNALS["running_tasks"]
    metric = getattr(signal, "cloudwatch", None)
    assert metric is not None  # noqa: S101  # ECS has it
    target = CloudWatchTarget(
        namespace=metric.namespace,
        metric=metric.name,
        dimensions={name: f"${placeholder}" for name, placeholder in metric.dimensions},
        datasource=_CLOUDWATCH,
        legendFormat="running tasks",
    )
    return TimeSeriesPanel(
        title=signal.title,
        description=signal.description,
        dataSource=_CLOUDWATCH,
        unit="short",
        decimals=0,
        minimum=0,
        targets=[target],
    )


def _variables(*, aws: bool) -> list[Any]:
    variables = [
        _variable(name="datasource", label="Data source", type="datasource", query="prometheus"),
        _variable(
            name="job",
            label="Service",
            type="query",
            query={"qryType": 1, "query": "label_values(http_requests_total, job)", "refId": "job"},
            datasource=PROMETHEUS,
            definition="label_values(http_requests_total, job)",
            refresh=2,
            sort=1,
            multi=True,
            includeAll=True,
            allValue=".+",
            current={"selected": True, "text": ["orders-api"], "value": ["orders-api"]},
        ),
    ]
    if aws:
        variables.append(
            _variable(name="cloudwatch", label="CloudWatch", type="datasource", query="cloudwatch")
        )
        for name, label, value in (
            ("cluster", "ECS cluster", "orders"),
            ("ecs_service", "ECS service", "orders-api"),
        ):
            current = {"selected": True, "text": value, "value": value}
            variables.append(_variable(name=name, label=label, type="textbox", query=value, current=current))
    return variables


class _Variable(Template):  # type: ignore[misc]  # grafanalib has no types
    """A variable with today's keys only."""

    def to_json_data(self) -> dict[str, Any]:
        return dict(self.modern)


def _variable(name: str, **values: Any) -> _Variable:
    variable = _Variable(name=name, query="")
    variable.modern = {"hide": 0, "name": name, "skipUrlSync": False, **values}
    return variable


def _builtin_annotations() -> dict[str, Any]:
    return {
        "builtIn": 1,
        "datasource": {"type": "grafana", "uid": "-- Grafana --"},
        "enable": True,
        "hide": True,
        "iconColor": "rgba(0, 211, 255, 1)",
        "name": "Annotations & Alerts",
        "type": "dashboard",
    }
