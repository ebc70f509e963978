"""The dashboard "AWS resources": what CloudWatch measures of the load balancer, the service, the database, the cache and the alerts' way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.cloudwatch import cloudwatch_panel_of, cloudwatch_variables, events_of
from orders_obs.dashboards.frame import service_dashboard
from orders_obs.dashboards.given import catalogue_of
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from orders_obs.alerts.catalogue import Catalogue
    from orders_obs.alerts.model import ResolvedCatalogue
    from orders_obs.dashboards.grafana import ModernDashboard, Row

__all__ = ["aws_resources"]

_ROWS = {
    "At the load balancer": ("http_requests", "http_error_ratio", "http_latency", "unhealthy_hosts"),
    "Service": ("running_tasks", "service_cpu", "service_memory", "healthy_hosts"),
    "Database": ("rds_cpu", "database_connections", "rds_free_memory", "rds_free_storage", "rds_replica_lag"),
    "Cache": ("cache_hit_ratio", "cache_cpu", "cache_memory"),
    "The alerts' own way": ("notifications_failed", "rule_deliveries_failed", "relay_errors"),
}


def aws_resources(catalogue: Catalogue | ResolvedCatalogue | None = None) -> ModernDashboard:
    """Is it AWS's side, and which resource.

    Args:
        catalogue: Whose alerts are drawn and whose resources are shown first; the one in `alerts` here, else the shipped one, unless said.
    """
    catalogue = catalogue_of(catalogue)
    first_byte: dict[str, Any] = {
        "title": "Time to first byte, p99",
        "description": "From the load balancer's sending a request to the first of the target's response headers.",
    }
    rows: list[Row] = []
    shown: list[str] = []
    for title, names in _ROWS.items():
        panels = []
        for name in names:
            try:
                own = first_byte if name == "http_latency" else {}
                panels.append(cloudwatch_panel_of(name, catalogue, **own))
            except UserError:
                continue  # the catalogue makes nothing that it is about, such as rules of events
            shown.append(name)
        if panels:
            rows += [title, (7, panels)]
    rows += ["What AWS announced", (8, [events_of(catalogue)])]
    return service_dashboard(
        f"AWS resources - {catalogue.environment.name}",
        "aws-resources",
        "What CloudWatch measures: load balancer, ECS, RDS, ElastiCache and the way of the alerts. Lines are the alarms' thresholds.",
        rows,
        scope=None,
        variables=cloudwatch_variables(shown, catalogue),
        since="now-6h",
        refresh="1m",
    )
