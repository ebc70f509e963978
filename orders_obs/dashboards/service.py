"""The dashboard "Service overview": rate, errors and duration by route, and what the service depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.base import link_to
from orders_obs.dashboards.cloudwatch import cloudwatch_panel_of, cloudwatch_variables, log_lines
from orders_obs.dashboards.frame import JAEGER, PROMETHEUS, Scope, service_dashboard, source, traces_of
from orders_obs.dashboards.given import catalogue_of
from orders_obs.dashboards.grafana import (
    Folded,
    JaegerTarget,
    PromTarget,
    StatPanel,
    TablePanel,
    TimeSeriesPanel,
)
from orders_obs.dashboards.orders import error_traces
from orders_obs.dashboards.panels import WINDOW, expression, heatmap_of, panel_of, slow_share_of, stat_of
from orders_obs.dashboards.thresholds import of_signal, runbooks, threshold_lines
from orders_obs.signals import INSTRUMENTS, SIGNALS, Selector, Share, promql

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orders_obs.alerts import Alert
    from orders_obs.alerts.catalogue import Catalogue
    from orders_obs.alerts.model import ResolvedCatalogue
    from orders_obs.dashboards.grafana import ModernDashboard, Row

__all__ = ["service_overview"]

_SLOW_TRACE = "1s"
_SHADES = ("{}", "dark-{}", "light-{}", "super-light-{}", "semi-dark-{}")
# Colours of a class, and the codes that have a shade of their own: the plain colour is that of the class's other codes.
_STATUS = {
    "2": (("green",), (201, 204, 202)),
    "3": (("blue",), (304, 302, 301)),
    "4": (("yellow", "orange"), (404, 401, 403, 422, 429, 499, 405, 402, 409)),
    "5": (("red",), (503, 502, 504, 501)),
}
_OBJECTIVES = "/d/service-objectives?${datasource:queryparam}&${job:queryparam}&${__url_time_range}"


def service_overview(
    catalogue: Catalogue | ResolvedCatalogue | None = None, *, aws: bool = False, environment: str = ""
) -> ModernDashboard:
    """Is the service well, and if not, which route and why.

    Args:
        catalogue: Whose alerts are drawn; the one in `alerts` here, else the shipped one, unless said.
        aws: With the time to the first byte, which the load balancer and the access lines have.
        environment: The label that tells environments apart, where one does.
    """
    catalogue = catalogue_of(catalogue)
    alerts = catalogue.alerts
    whole = Scope(environment)
    routes = Scope(environment, route=True)
    rows: list[Row] = [
        (4, _now(alerts, whole)),
        "Requests, by route",
        (
            8,
            [
                panel_of("http_requests", by=("route",), scope=routes, title="Requests by route"),
                panel_of(
                    "http_error_ratio",
                    by=("route",),
                    alerts=alerts,
                    scope=routes,
                    title="Error rate by route",
                ),
                panel_of(
                    "http_latency",
                    by=("route",),
                    alerts=alerts,
                    scope=routes,
                    title="Response time by route, p99",
                    data_links=[traces_of()],
                ),
            ],
        ),
        "Errors",
        (8, [_by_status(routes), _by_type(routes), _route_table(routes)]),
        "Response time",
        (
            8,
            [
                heatmap_of("http_latency", scope=routes, data_links=[traces_of()]),
                _quantiles(alerts, routes),
                *_slow_share(alerts, routes),
            ],
        ),
        "Dependencies",
        (
            7,
            [
                panel_of("database_latency", by=("operation", "table"), q=0.95, alerts=alerts, scope=whole),
                panel_of("database_connection_errors", alerts=alerts, scope=whole),
                _pool(whole),
                panel_of("cache_hit_ratio", by=("cache_name",), alerts=alerts, scope=whole),
            ],
        ),
    ]
    if aws:
        rows += ["To the first byte", (7, _first_byte(catalogue))]
    rows.append(Folded("Traces", [(9, [_slow_traces(), error_traces()])]))
    return service_dashboard(
        "Service overview" + (" (AWS)" if aws else ""),
        "service-overview" + ("-aws" if aws else ""),
        "Rate, errors and duration by route, and what the service depends on. Read it from the top: is it well, which route, why.",
        rows,
        scope=routes,
        service=catalogue.service,
        variables=[
            source("traces", "Traces", "jaeger"),
            *(cloudwatch_variables(["http_latency"], catalogue) if aws else ()),
        ],
    )


def _now(alerts: Sequence[Alert], scope: Scope) -> list[StatPanel]:
    running = f"sum(http_requests_in_progress{{{scope.text}}})"
    firing = f'count(ALERTS{{alertstate="firing",service=~"$job",severity!="none",mode!="shadow"}}) or 0 * sum(up{{{scope.text}}})'
    return [
        stat_of("http_requests", scope=scope, title="Requests now"),
        stat_of("http_error_ratio", alerts=alerts, scope=scope, title="Error rate now"),
        stat_of("http_latency", alerts=alerts, scope=scope, title="p99 now"),
        _stat("In progress", INSTRUMENTS["http_requests_in_progress"].help, running),
        _stat(
            "Alerts firing",
            "Alerts of the service that fire, muted ones too; the dashboard of objectives says which.",
            firing,
            lines=((None, "green"), (1, "red")),
            data_links=[link_to("Which ones", _OBJECTIVES)],
        ),
        stat_of("unhealthy_hosts", alerts=alerts, scope=scope),
    ]


def _stat(title: str, description: str, expr: str, **options: Any) -> StatPanel:
    values: dict[str, Any] = {
        "title": title,
        "description": description,
        "dataSource": PROMETHEUS,
        "decimals": 0,
        "minimum": 0,
        "course": False,
        "targets": [PromTarget(expr=expr, datasource=PROMETHEUS, legendFormat=title.lower(), now=True)],
    }
    return StatPanel(**(values | options))


def _by_status(scope: Scope) -> TimeSeriesPanel:
    requests = Selector(INSTRUMENTS["http_requests_total"])
    return TimeSeriesPanel(
        title="Requests by status",
        description="Requests that ended, by the status of the response. 499 is a client that went away.",
        dataSource=PROMETHEUS,
        unit="reqps",
        minimum=0,
        stacked=True,
        calcs=(),
        targets=[
            PromTarget(
                expr=promql.rate(requests, *scope.requests, window=WINDOW, by=("status",)),
                datasource=PROMETHEUS,
                legendFormat="{{status}}",
            )
        ],
        overrides=[_painted(pattern, color) for pattern, color in _status_colors()],
    )


def _status_colors() -> Iterator[tuple[str, str]]:
    """Patterns of a status and its colour, the class before its codes: of two that match, Grafana takes the last."""
    for first, (colors, codes) in _STATUS.items():
        yield f"/^{first}/", colors[0]
        shades = [shade.format(color) for color in colors for shade in _SHADES][1:]
        yield from ((f"/^{code}$/", shade) for code, shade in zip(codes, shades, strict=False))


def _painted(pattern: str, color: str) -> dict[str, Any]:
    return {
        "matcher": {"id": "byRegexp", "options": pattern},
        "properties": [{"id": "color", "value": {"fixedColor": color, "mode": "fixed"}}],
    }


def _by_type(scope: Scope) -> TimeSeriesPanel:
    return panel_of(
        "errors",
        by=("error_type",),
        scope=scope,
        title="Errors by type",
        stacked=True,
        bars=True,
        calcs=(),
        no_value="No errors in this time",
    )


def _route_table(scope: Scope) -> TablePanel:
    columns = {
        "http_requests": (
            "Requests",
            "reqps",
            expression(SIGNALS["http_requests"], scope=scope, by=("route",)),
        ),
        "http_error_ratio": (
            "Errors",
            "percentunit",
            expression(SIGNALS["http_error_ratio"], scope=scope, by=("route",)),
        ),
        "http_latency": ("p95", "s", expression(SIGNALS["http_latency"], scope=scope, by=("route",), q=0.95)),
    }
    letters = dict(zip(columns, "ABC", strict=True))
    return TablePanel(
        title="Routes",
        description="Each route now: requests, share of 5xx, and the time within which 95 of 100 responses ended.",
        dataSource=PROMETHEUS,
        by="Requests",
        targets=[
            PromTarget(expr=expr, datasource=PROMETHEUS, table=True, refId=letters[name])
            for name, (_, _, expr) in columns.items()
        ],
        transformations=[
            {"id": "joinByField", "options": {"byField": "route", "mode": "outer"}},
            {
                "id": "organize",
                "options": {
                    "excludeByName": {"Time": True, "Time 1": True, "Time 2": True, "Time 3": True},
                    "indexByName": {},
                    "renameByName": {
                        "route": "Route",
                        **{f"Value #{letters[name]}": title for name, (title, _, _) in columns.items()},
                    },
                },
            },
        ],
        overrides=[
            {"matcher": {"id": "byName", "options": title}, "properties": [{"id": "unit", "value": unit}]}
            for title, unit, _ in columns.values()
        ],
    )


def _quantiles(alerts: Sequence[Alert], scope: Scope) -> TimeSeriesPanel:
    signal = SIGNALS["http_latency"]
    assert isinstance(signal, Share)  # noqa: S101  # it is a latency
    return TimeSeriesPanel(
        title="Response time, p50 p90 p99",
        description="Times within which so many of 100 responses ended, estimated from the histogram's buckets. Lines are of the p99.",
        dataSource=PROMETHEUS,
        links=runbooks(of_signal("http_latency", alerts)),
        unit="s",
        minimum=0,
        lines=threshold_lines("http_latency", alerts, q=0.99),
        targets=[
            PromTarget(
                expr=expression(signal, scope=scope, q=q),
                datasource=PROMETHEUS,
                legendFormat=f"p{q * 100:g}",
                exemplar=q > 0.9,
            )
            for q in (0.5, 0.9, 0.99)
        ],
    )


def _pool(scope: Scope) -> TimeSeriesPanel:
    pool = INSTRUMENTS["database_pool_connections"]
    return TimeSeriesPanel(
        title="Connection pool",
        description=f"{pool.help} Used ones at the top of the pool make requests wait.",
        dataSource=PROMETHEUS,
        unit="short",
        decimals=0,
        minimum=0,
        stacked=True,
        targets=[
            PromTarget(
                expr=f"sum by (state) ({pool.name}{{{scope.text}}})",
                datasource=PROMETHEUS,
                legendFormat="{{state}}",
            )
        ],
    )


def _slow_traces() -> TablePanel:
    return TablePanel(
        title="Recent slow traces",
        description=f"Traces of at least {_SLOW_TRACE}; a click opens one. Choose one service: Jaeger searches one at a time.",
        dataSource=JAEGER,
        unit="short",
        no_value="No slow trace found (choose one service)",
        targets=[JaegerTarget(service="$job", longer_than=_SLOW_TRACE, datasource=JAEGER)],
    )


def _slow_share(alerts: Sequence[Alert], scope: Scope) -> list[TimeSeriesPanel]:
    """What the alerts on the response time look at; nothing where there are none."""
    if not any(alert.bound is not None for alert in of_signal("http_latency", alerts)):
        return []
    return [slow_share_of("http_latency", alerts=alerts, scope=scope)]


def _first_byte(catalogue: ResolvedCatalogue) -> list[Any]:
    behind = cloudwatch_panel_of(
        "http_latency", catalogue, title="Time to first byte at the load balancer, p99"
    )
    behind.description = (
        "Time from the load balancer's sending a request to the first of the target's response headers: what a client waits for"
        " before anything arrives, where the response time counts to the last byte."
    )
    if not catalogue.log_groups:
        return [behind]
    query = (
        'filter event = "API metrics" and ispresent(first_byte_ms)\n'
        "| stats pct(first_byte_ms, 50) as p50, pct(first_byte_ms, 99) as p99 by bin(5m)"
    )
    lines = log_lines("Time to first byte in the service", query, catalogue.log_groups[:1])
    logged = TimeSeriesPanel(
        title=lines.title,
        description="Time from accepting a request to the first byte of its response, from the access lines.",
        dataSource=lines.dataSource,
        unit="ms",
        minimum=0,
        targets=lines.targets,
    )
    return [behind, logged]
