"""What stands around the panels: variables, annotations, links between dashboards; and the dashboard that has them all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from grafanalib.core import Annotations, Template, Templating, Time

from orders_obs.dashboards.base import link_to
from orders_obs.dashboards.grafana import ModernDashboard, lay_out

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orders_obs.dashboards.grafana import Row

__all__ = [
    "CLOUDWATCH",
    "JAEGER",
    "PROMETHEUS",
    "SERVICE",
    "TAG",
    "Scope",
    "choice",
    "dimension",
    "explore",
    "service_dashboard",
    "source",
    "traces_of",
    "version_changes",
]

PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}
"""The data source that the variable `datasource` names."""
JAEGER = {"type": "jaeger", "uid": "${traces}"}
"""The data source that the variable `traces` names."""
CLOUDWATCH = {"type": "cloudwatch", "uid": "${cloudwatch}"}
"""The data source that the variable `cloudwatch` names."""
TAG = "orders-obs"
"""What every dashboard of the set is tagged with; the links between them follow it."""

_GRAFANA = {"type": "grafana", "uid": "-- Grafana --"}


@dataclass(frozen=True, slots=True)
class Scope:
    """Which series a dashboard is about.

    Attributes:
        environment: The label that tells environments apart, where one does: by a scrape's relabelling or as an external label.
        route: Whether requests are narrowed to the routes that are chosen.
    """

    environment: str = ""
    route: bool = False

    @property
    def matchers(self) -> tuple[str, ...]:
        """On every series of the service."""
        return ('job=~"$job"', *((f'{self.environment}=~"$environment"',) if self.environment else ()))

    @property
    def requests(self) -> tuple[str, ...]:
        """On series that have a route."""
        return (*self.matchers, *(('route=~"$route"',) if self.route else ()))

    @property
    def text(self) -> str:
        """The matchers as they stand between braces."""
        return ",".join(self.matchers)

    def variables(self, service: str) -> list[Any]:
        """What chooses the series: data source, service, and environment and route where they are told apart.

        Args:
            service: The service that is shown first.
        """
        chosen = [
            source("datasource", "Data source", "prometheus"),
            choice("job", "Service", "label_values(http_requests_total, job)", service, every=".+"),
        ]
        if self.environment:
            values = f'label_values(http_requests_total{{job=~"$job"}}, {self.environment})'
            chosen.append(choice("environment", "Environment", values, every=".+"))
        if self.route:
            values = f"label_values(http_requests_total{{{self.text}}}, route)"
            chosen.append(choice("route", "Route", values, every=".*"))
        return chosen


SERVICE = Scope()
"""A service, whatever its environment and route."""


def service_dashboard(
    title: str,
    uid: str,
    description: str,
    rows: Sequence[Row],
    *,
    scope: Scope | None = SERVICE,
    service: str = "orders-api",
    variables: Sequence[Any] = (),
    tags: Sequence[str] = (),
    annotations: Sequence[Mapping[str, Any]] = (),
    links: Sequence[Mapping[str, Any]] = (),
    since: str = "now-1h",
    refresh: str = "30s",
) -> ModernDashboard:
    """A dashboard of a service, with the set's variables, links and annotations.

    Args:
        title: Its name.
        uid: Its identity, at most 40 characters; a link to it survives a new title.
        description: What it answers.
        rows: As `lay_out` takes them.
        scope: Which series it is about; None where it asks no Prometheus.
        service: The service that is shown first.
        variables: Further ones.
        tags: Further ones.
        annotations: Further ones, such as `version_changes` gives.
        links: Further ones.
        since: Where its time begins.
        refresh: How often it asks again.
    """
    return ModernDashboard(
        title=title,
        uid=uid,
        description=description,
        tags=[TAG, *tags],
        timezone="browser",
        refresh=refresh,
        time=Time(since, "now"),
        graphTooltip=1,
        editable=True,
        links=[_others(), *(dict(link) for link in links)],
        templating=Templating([*(scope.variables(service) if scope else ()), *variables]),
        annotations=Annotations(
            [
                _builtin(),
                _deployments(),
                *([_starts(scope)] if scope else ()),
                *(dict(one) for one in annotations),
            ]
        ),
        panels=lay_out(rows),
    )


def source(name: str, label: str, kind: str) -> Any:
    """A variable that chooses a data source.

    Args:
        name: Its name.
        label: What stands beside it.
        kind: The plugin, such as `prometheus`.
    """
    return _variable(
        name=name,
        label=label,
        type="datasource",
        query=kind,
        refresh=1,
        regex="",
        includeAll=False,
        multi=False,
    )


def choice(name: str, label: str, query: str, current: str = "", *, every: str) -> Any:
    """A variable that chooses values of a label, several or all.

    Args:
        name: Its name.
        label: What stands beside it.
        query: Such as `label_values(http_requests_total, job)`.
        current: What is chosen first; all where empty.
        every: The expression that stands for all.
    """
    chosen = {"selected": True, "text": ["All"], "value": ["$__all"]}
    if current:
        chosen = {"selected": True, "text": [current], "value": [current]}
    return _variable(
        name=name,
        label=label,
        type="query",
        query={"qryType": 1, "query": query, "refId": name},
        datasource=PROMETHEUS,
        # On each change of the time too: a new service is there at once.
        refresh=2,
        sort=1,
        regex="",
        multi=True,
        includeAll=True,
        allValue=every,
        current=chosen,
    )


def dimension(name: str, label: str, namespace: str, metric: str, key: str, current: str) -> Any:
    """A variable that chooses a value of a dimension in CloudWatch.

    Args:
        name: Its name.
        label: What stands beside it.
        namespace: Such as `AWS/RDS`.
        metric: One that has the dimension.
        key: Name of the dimension.
        current: What is chosen first.
    """
    query = {
        "dimensionFilters": {},
        "dimensionKey": key,
        "metricName": metric,
        "namespace": namespace,
        "queryType": "dimensionValues",
        "refId": name,
        "region": "default",
    }
    return _variable(
        name=name,
        label=label,
        type="query",
        query=query,
        datasource=CLOUDWATCH,
        refresh=1,
        sort=1,
        regex="",
        multi=False,
        includeAll=False,
        current={"selected": True, "text": current, "value": current},
    )


def version_changes(metric: str, label: str = "version", *, scope: Scope = SERVICE) -> dict[str, Any]:
    """An annotation wherever a new version of the service appears, for a service that exports one.

    Args:
        metric: A series that is 1, with the version as a label, such as `app_build_info`.
        label: That label.
        scope: Which series.
    """
    now = f"count by (job, {label}) ({metric}{{{scope.text}}})"
    # New against five minutes ago, where the service was there at all; `$__interval` may be too short for two scrapes.
    before = f"count by (job, {label}) ({metric}{{{scope.text}}} offset 5m)"
    known = f"count by (job) ({metric}{{{scope.text}}} offset 5m)"
    return {
        "datasource": PROMETHEUS,
        "enable": True,
        "expr": f"({now} unless {before}) and on (job) {known}",
        "hide": False,
        "iconColor": "purple",
        "name": "Versions",
        "step": "1m",
        "tagKeys": f"job,{label}",
        "textFormat": f"{{{{job}}}} {{{{{label}}}}}",
        "titleFormat": "New version",
        "useValueForTime": False,
    }


def traces_of(service: str = "${job:raw}") -> dict[str, Any]:
    """A link from a graph to the traces of its service at that time, in Explore.

    Args:
        service: As Jaeger calls it.
    """
    query = {"refId": "A", "datasource": JAEGER, "queryType": "search", "service": service, "limit": 20}
    return link_to("Traces of this time", explore("${traces}", query))


def explore(uid: str, query: Mapping[str, Any]) -> str:
    """The address of a query in Explore, over the time that the dashboard shows.

    Args:
        uid: Of the data source; may be a variable.
        query: As the data source has it; may name variables.
    """
    pane = {"datasource": uid, "queries": [query], "range": {"from": "${__from}", "to": "${__to}"}}
    # Variables stay as they are: Grafana fills them in before the address is opened.
    panes = quote(json.dumps({"shown": pane}, separators=(",", ":")), safe="${}:,")
    return f"/explore?schemaVersion=1&panes={panes}"


class _Variable(Template):  # type: ignore[misc]  # grafanalib has no types
    """A variable with today's keys only."""

    def to_json_data(self) -> dict[str, Any]:
        return dict(self.modern)


def _variable(name: str, **values: Any) -> _Variable:
    variable = _Variable(name=name, query="")
    variable.modern = {"hide": 0, "name": name, "skipUrlSync": False, **values}
    return variable


def _builtin() -> dict[str, Any]:
    return {
        "builtIn": 1,
        "datasource": _GRAFANA,
        "enable": True,
        "hide": True,
        "iconColor": "rgba(0, 211, 255, 1)",
        "name": "Annotations & Alerts",
        "type": "dashboard",
    }


def _deployments() -> dict[str, Any]:
    """Annotations of the whole organization that are tagged `deploy`."""
    return {
        "datasource": _GRAFANA,
        "enable": True,
        "hide": False,
        "iconColor": "blue",
        "name": "Deployments",
        "target": {"limit": 100, "matchAny": False, "tags": ["deploy"], "type": "tags"},
    }


def _starts(scope: Scope) -> dict[str, Any]:
    """Starts of processes, at the very time that each says: a deployment that nobody announced, or a crash."""
    return {
        "datasource": PROMETHEUS,
        "enable": True,
        "expr": f"process_start_time_seconds{{{scope.text}}} * 1000",
        "hide": False,
        "iconColor": "purple",
        "name": "Process starts",
        "step": "1m",
        "tagKeys": "job,instance",
        "textFormat": "{{job}} {{instance}}",
        "titleFormat": "Process started",
        "useValueForTime": True,
    }


def _others() -> dict[str, Any]:
    return {
        "asDropdown": True,
        "icon": "external link",
        "includeVars": True,
        "keepTime": True,
        "tags": [TAG],
        "targetBlank": False,
        "title": "Dashboards",
        "tooltip": "The others of this set, with this time and service",
        "type": "dashboards",
        "url": "",
    }
