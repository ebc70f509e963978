"""The signals that the library ships: what alerts, dashboards and the demo's report speak of."""

from __future__ import annotations

from orders_obs.signals import instruments
from orders_obs.signals.model import (
    CloudWatchMetric,
    Count,
    External,
    Level,
    Matcher,
    Ratio,
    Selector,
    Share,
    Signal,
)

__all__ = ["SIGNALS"]

_LOAD_BALANCER = (("LoadBalancer", "load_balancer"),)


def _load_balancer(name: str, *, unit: str = "Count", sparse: bool = False) -> CloudWatchMetric:
    return CloudWatchMetric("AWS/ApplicationELB", name, _LOAD_BALANCER, unit=unit, sparse=sparse)


_ELB_5XX = _load_balancer("HTTPCode_ELB_5XX_Count", sparse=True)

_ALL: tuple[Signal, ...] = (
    Count(
        "http_requests",
        "Request rate",
        "Requests that ended, of every route and status.",
        events=Selector(instruments.HTTP_REQUESTS),
        cloudwatch=_load_balancer("RequestCount"),
    ),
    # The load balancer counts a request only when a target was chosen for it, so its own 5xx stand on both sides.
    Ratio(
        "http_error_ratio",
        "Error rate",
        "Requests that ended with a status of 5xx, as a share of all requests.",
        part=Selector(instruments.HTTP_REQUESTS, (Matcher("status", "=~", "5.."),)),
        total=Selector(instruments.HTTP_REQUESTS),
        cloudwatch_part=(_load_balancer("HTTPCode_Target_5XX_Count", sparse=True), _ELB_5XX),
        cloudwatch_total=(_load_balancer("RequestCount"), _ELB_5XX),
    ),
    Share(
        "http_latency",
        "Response time",
        "Requests slower than a bound, as a share of all requests, timed to the last byte of the response.",
        events=Selector(instruments.HTTP_REQUEST_DURATION),
        cloudwatch=_load_balancer("TargetResponseTime", unit="Seconds"),
    ),
    Count(
        "errors",
        "Errors",
        "Requests that ended with a status of 5xx or an exception, by type of error.",
        events=Selector(instruments.ERRORS),
    ),
    Count(
        "orders_created",
        "Orders created",
        "Orders that were created.",
        events=Selector(instruments.ORDERS_CREATED, (Matcher("status", "=", "success"),)),
        cloudwatch=CloudWatchMetric(
            "Orders", "OrdersCreated", (("Service", "service"), ("Environment", "environment"))
        ),
    ),
    Share(
        "database_latency",
        "Database query time",
        "Database calls slower than a bound, as a share of all calls.",
        events=Selector(instruments.DATABASE_QUERY_DURATION),
    ),
    Ratio(
        "cache_hit_ratio",
        "Cache hit rate",
        "Look-ups that the cache answered, as a share of all look-ups.",
        part=Selector(instruments.CACHE_REQUESTS, (Matcher("result", "=", "hit"),)),
        total=Selector(instruments.CACHE_REQUESTS),
        good_is_high=True,
    ),
    Level(
        "database_connections",
        "Active connections",
        "Connections to the database: the server's own count where postgres_exporter runs, else those in use in the pool.",
        unit="{connection}",
        prometheus=(
            External("pg_stat_activity_count"),
            Selector(instruments.DATABASE_POOL_CONNECTIONS, (Matcher("state", "=", "used"),)),
        ),
        cloudwatch=CloudWatchMetric(
            "AWS/RDS", "DatabaseConnections", (("DBInstanceIdentifier", "db_instance"),)
        ),
    ),
    Level(
        "running_tasks",
        "ECS task count",
        "Running tasks of the service: ECS's own count on AWS, the number of live targets elsewhere.",
        unit="{task}",
        prometheus=(External("ecs_service_running_count"), External("up", of_service=True)),
        cloudwatch=CloudWatchMetric(
            "ECS/ContainerInsights",
            "RunningTaskCount",
            (("ClusterName", "cluster"), ("ServiceName", "ecs_service")),
        ),
    ),
)

SIGNALS: dict[str, Signal] = {signal.name: signal for signal in _ALL}
