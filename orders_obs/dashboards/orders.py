"""The dashboard "Orders API - Production"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders_obs.dashboards.base import link_to
from orders_obs.dashboards.cloudwatch import cloudwatch_panel_of, cloudwatch_variables, log_lines
from orders_obs.dashboards.frame import (
    JAEGER,
    PROMETHEUS,
    SERVICE,
    explore,
    service_dashboard,
    source,
    traces_of,
)
from orders_obs.dashboards.given import catalogue_of
from orders_obs.dashboards.grafana import JaegerTarget, PromTarget, TablePanel
from orders_obs.dashboards.panels import panel_of
from orders_obs.signals import SIGNALS, Count, promql

if TYPE_CHECKING:
    from orders_obs.alerts.catalogue import Catalogue
    from orders_obs.alerts.model import ResolvedCatalogue
    from orders_obs.dashboards.frame import Scope
    from orders_obs.dashboards.grafana import LogsPanel, ModernDashboard

__all__ = ["error_lines", "error_traces", "errors_by_type", "orders_production"]

# `error` is searched by stores that index it. Jaeger's own in-memory store searches what a span carries, and derives `error` from its
# status only when it shows it: there the status codes find them.
_FAILED = ("error=true", *(f"http.response.status_code={status}" for status in (500, 502, 503, 504)))


def orders_production(
    catalogue: Catalogue | ResolvedCatalogue | None = None, *, aws: bool = False
) -> ModernDashboard:
    """Eight panels: requests, errors, p99, database, cache, connections, tasks, recent errors.

    Args:
        catalogue: Whose alerts are drawn; the one in `alerts` here, else the shipped one, unless said.
        aws: The number of tasks and the recent errors come from CloudWatch; without it they come from Prometheus and Jaeger.
    """
    catalogue = catalogue_of(catalogue)
    alerts = catalogue.alerts
    tasks = (
        cloudwatch_panel_of("running_tasks", catalogue) if aws else panel_of("running_tasks", alerts=alerts)
    )
    links = [traces_of()]
    rows = [
        (
            8,
            [
                panel_of("http_requests", by=("route",), alerts=alerts),
                panel_of("http_error_ratio", alerts=alerts, data_links=links),
                panel_of("http_latency", alerts=alerts, data_links=links),
            ],
        ),
        (
            8,
            [
                panel_of("database_latency", by=("operation", "table"), q=0.95, alerts=alerts),
                panel_of("cache_hit_ratio", alerts=alerts),
            ],
        ),
        (6, [panel_of("database_connections", alerts=alerts), tasks]),
        (
            9,
            [error_lines(catalogue)] if aws and catalogue.log_groups else [errors_by_type(), error_traces()],
        ),
    ]
    return service_dashboard(
        "Orders API - Production" + (" (AWS)" if aws else ""),
        "orders-api-production" + ("-aws" if aws else ""),
        "Requests, errors, response time, and what the orders API depends on. Lines are the thresholds of its alerts.",
        rows,
        service=catalogue.service,
        tags=[catalogue.service],
        variables=[
            source("traces", "Traces", "jaeger"),
            *(cloudwatch_variables(["running_tasks"], catalogue) if aws else ()),
        ],
        refresh="10s",
    )


def errors_by_type(*, scope: Scope = SERVICE) -> TablePanel:
    """Errors of the time that is shown, by route and type, the most frequent first."""
    errors = SIGNALS["errors"]
    assert isinstance(errors, Count)  # noqa: S101  # it counts
    assert errors.events is not None  # noqa: S101  # on Prometheus
    counted = promql.series(errors.events, *scope.requests)
    return TablePanel(
        title="Recent errors",
        description=f"{errors.description} Of the time that is shown.",
        dataSource=PROMETHEUS,
        unit="short",
        decimals=0,
        by="Errors",
        no_value="No errors in this time",
        targets=[
            PromTarget(
                expr=f"sum by (route, error_type) (increase({counted}[$__range])) > 0",
                datasource=PROMETHEUS,
                table=True,
            )
        ],
        transformations=[
            {
                "id": "organize",
                "options": {
                    "excludeByName": {"Time": True},
                    "indexByName": {"route": 0, "error_type": 1, "Value": 2},
                    "renameByName": {"Value": "Errors", "error_type": "Type", "route": "Route"},
                },
            }
        ],
    )


def error_traces(service: str = "$job") -> TablePanel:
    """Traces of requests that failed.

    Args:
        service: As Jaeger calls it; a variable that has several values finds none.
    """
    return TablePanel(
        title="Recent error traces",
        description=(
            "Traces of requests that failed, by their status; a click opens one. Choose one service: Jaeger searches one at a time."
        ),
        dataSource=JAEGER,
        unit="short",
        no_value="No failed trace found (choose one service)",
        targets=[JaegerTarget(service=service, tags=tags, datasource=JAEGER) for tags in _FAILED],
        transformations=[{"id": "merge", "options": {}}],
    )


def error_lines(catalogue: ResolvedCatalogue) -> LogsPanel:
    """Log lines of level error, each with a link to its trace.

    Args:
        catalogue: Whose log groups they are in.
    """
    query = (
        "fields @timestamp, endpoint, status_code, error_type, request_id, trace_id, exception\n"
        '| filter level = "error"\n| sort @timestamp desc\n| limit 100'
    )
    trace = {"refId": "A", "datasource": JAEGER, "query": "${__value.raw}"}
    return log_lines(
        "Recent errors",
        query,
        catalogue.log_groups[:1],
        description="Lines of level error, by CloudWatch Logs Insights; a line's trace_id opens its trace.",
        overrides=[
            {
                "matcher": {"id": "byName", "options": "trace_id"},
                "properties": [
                    {
                        "id": "links",
                        "value": [link_to("Open the trace", explore("${traces}", trace))],
                    }
                ],
            }
        ],
    )
