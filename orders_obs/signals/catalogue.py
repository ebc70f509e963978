"""The signals that the library ships: what alerts, dashboards and the demo's report speak of.

Where a mapping is not the obvious one, the reason is in the comment above it.
"""

from __future__ import annotations

from orders_obs.signals import instruments
from orders_obs.signals.model import (
    CloudWatchMetric,
    Count,
    Event,
    External,
    Level,
    Matcher,
    Presence,
    PromQL,
    Ratio,
    Selector,
    Share,
    Signal,
    Statistic,
)

__all__ = ["SIGNALS"]

_LOAD_BALANCER = (("LoadBalancer", "load_balancer"),)
_TARGETS = (*_LOAD_BALANCER, ("TargetGroup", "target_group"))
_ECS = (("ClusterName", "cluster"), ("ServiceName", "ecs_service"))
_OWN = (("Service", "service"), ("Environment", "environment"))
_EXPORTER = "a CloudWatch exporter (YACE, cloudwatch_exporter) would bring it to Prometheus"


def _load_balancer(name: str) -> CloudWatchMetric:
    return CloudWatchMetric("AWS/ApplicationELB", name, _LOAD_BALANCER)


def _rds(name: str) -> CloudWatchMetric:
    return CloudWatchMetric("AWS/RDS", name, (("DBInstanceIdentifier", "db_instance"),))


def _cache(name: str) -> CloudWatchMetric:
    return CloudWatchMetric("AWS/ElastiCache", name, (("CacheClusterId", "cache_cluster"),))


def _on_aws(
    name: str,
    title: str,
    description: str,
    unit: str,
    metric: CloudWatchMetric,
    statistic: Statistic = "Average",
) -> Level:
    """A level that only CloudWatch has."""
    return Level(name, title, description, unit, cloudwatch=metric, statistic=statistic, elsewhere=_EXPORTER)


def _rds_event(name: str, title: str, description: str, *numbers: str) -> Event:
    return Event(
        name,
        title,
        description,
        source="aws.rds",
        detail_types=("RDS DB Instance Event",),
        detail=(("EventID", tuple(f"RDS-EVENT-{number}" for number in numbers)),),
        resource="db_instance_arn",
        elsewhere=_NO_EVENTS,
    )


def _deployment(name: str, title: str, description: str, event: str) -> Event:
    return Event(
        name,
        title,
        description,
        source="aws.ecs",
        detail_types=("ECS Deployment State Change",),
        detail=(("eventName", (event,)),),
        resource="ecs_service_arn",
        elsewhere=_NO_EVENTS,
    )


_NO_EVENTS = "it is announced once, on EventBridge; no series says it"
_ELB_5XX = _load_balancer("HTTPCode_ELB_5XX_Count")

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
        cloudwatch_part=(_load_balancer("HTTPCode_Target_5XX_Count"), _ELB_5XX),
        cloudwatch_total=(_load_balancer("RequestCount"), _ELB_5XX),
    ),
    Share(
        "http_latency",
        "Response time",
        "Requests slower than a bound, as a share of all requests, timed to the last byte of the response.",
        events=Selector(instruments.HTTP_REQUEST_DURATION),
        cloudwatch=_load_balancer("TargetResponseTime"),
    ),
    Count(
        "errors",
        "Errors",
        "Requests that ended with a status of 5xx or an exception, by type of error.",
        events=Selector(instruments.ERRORS),
        elsewhere="http_error_ratio has the load balancer's 5xx",
    ),
    Count(
        "orders_created",
        "Orders created",
        "Orders that were created.",
        events=Selector(instruments.ORDERS_CREATED, (Matcher("status", "=", "success"),)),
        cloudwatch=CloudWatchMetric("Orders", "OrdersCreated", _OWN),
    ),
    Share(
        "database_latency",
        "Database query time",
        "Database calls slower than a bound, as a share of all calls.",
        events=Selector(instruments.DATABASE_QUERY_DURATION),
        elsewhere="the application's own histogram would have to be sent to CloudWatch",
    ),
    Count(
        "database_connection_errors",
        "Database connection errors",
        "Attempts to connect to the database that failed.",
        events=Selector(instruments.DATABASE_CONNECTION_ERRORS),
        cloudwatch=CloudWatchMetric("Orders", "DatabaseConnectionErrors", _OWN, sparse=True),
    ),
    # Hits and misses are summed before the division: averages of a rate over instances lie.
    Ratio(
        "cache_hit_ratio",
        "Cache hit rate",
        "Look-ups that the cache answered, as a share of all look-ups.",
        part=Selector(instruments.CACHE_REQUESTS, (Matcher("result", "=", "hit"),)),
        total=Selector(instruments.CACHE_REQUESTS),
        cloudwatch_part=(_cache("CacheHits"),),
        cloudwatch_total=(_cache("CacheHits"), _cache("CacheMisses")),
        good_is_high=True,
    ),
    Level(
        "database_connections",
        "Active connections",
        "Connections to the database: the server's own count where postgres_exporter runs, else those in use in the pool.",
        unit="{connection}",
        prometheus=(
            External("pg_stat_activity_count", job="postgres_job"),
            Selector(instruments.DATABASE_POOL_CONNECTIONS, (Matcher("state", "=", "used"),)),
        ),
        cloudwatch=_rds("DatabaseConnections"),
    ),
    Level(
        "pool_connections",
        "Pool connections in use",
        "Connections of the application's own pool that are in use, over all its processes.",
        unit="{connection}",
        prometheus=(Selector(instruments.DATABASE_POOL_CONNECTIONS, (Matcher("state", "=", "used"),)),),
        elsewhere="the application's own gauge would have to be sent to CloudWatch",
    ),
    # No metric says that a database is down. RDS reports CPUUtilization as long as an instance runs; connections of 0 are not down.
    Presence(
        "database",
        "Database",
        "The database is there: RDS reports on it, or postgres_exporter reaches it.",
        prometheus=(External("pg_up", job="postgres_job"),),
        cloudwatch=_rds("CPUUtilization"),
        elsewhere="postgres_exporter would bring pg_up; name its job as the resource postgres_job",
    ),
    Level(
        "running_tasks",
        "ECS task count",
        "Running tasks of the service: ECS's own count on AWS, the number of live targets elsewhere.",
        unit="{task}",
        prometheus=(External("ecs_service_running_count", label="service"), External("up", of_service=True)),
        # Exists with Container Insights only.
        cloudwatch=CloudWatchMetric("ECS/ContainerInsights", "RunningTaskCount", _ECS),
        statistic="Minimum",
    ),
    Presence(
        "service",
        "Service",
        "At least one process of the service can be scraped; on CloudWatch, ECS reports on the service.",
        prometheus=(External("up", of_service=True),),
        cloudwatch=CloudWatchMetric("AWS/ECS", "CPUUtilization", _ECS),
    ),
    # AWS's average is over the tasks, of what is reserved for them; a process of Python can use one core.
    Level(
        "service_cpu",
        "Service CPU",
        "CPU that the service uses, as a share: of what ECS reserves for it, and of one core for each process elsewhere.",
        unit="1",
        prometheus=(
            PromQL(
                'avg by (job) (rate(process_cpu_seconds_total{job="$job"}[$window]))',
                "process_cpu_seconds_total",
                "increase",
            ),
        ),
        cloudwatch=CloudWatchMetric("AWS/ECS", "CPUUtilization", _ECS),
    ),
    Level(
        "service_memory",
        "Service memory",
        "Memory that the service uses, as a share of what ECS reserves for it.",
        unit="1",
        cloudwatch=CloudWatchMetric("AWS/ECS", "MemoryUtilization", _ECS),
        elsewhere="a limit is needed to compare with: cAdvisor has one in container_spec_memory_limit_bytes",
    ),
    # Minimum: every node of the load balancer agrees (AWS's advice).
    Level(
        "unhealthy_hosts",
        "Unhealthy instances",
        "Instances that fail the load balancer's health check; elsewhere, targets that cannot be scraped.",
        unit="{host}",
        prometheus=(PromQL('sum by (job) (up{job="$job"} == bool 0)', "up", "zeros"),),
        cloudwatch=CloudWatchMetric("AWS/ApplicationELB", "UnHealthyHostCount", _TARGETS),
        statistic="Minimum",
    ),
    Level(
        "healthy_hosts",
        "Healthy instances",
        "Instances that pass the load balancer's health check; elsewhere, targets that can be scraped.",
        unit="{host}",
        prometheus=(External("up", of_service=True),),
        cloudwatch=CloudWatchMetric("AWS/ApplicationELB", "HealthyHostCount", _TARGETS),
        statistic="Minimum",
    ),
    _on_aws("rds_cpu", "Database CPU", "CPU of the RDS instance, as a share.", "1", _rds("CPUUtilization")),
    _on_aws(
        "rds_free_memory",
        "Database free memory",
        "Memory of the RDS instance that is free.",
        "By",
        _rds("FreeableMemory"),
    ),
    # Aurora has no such limit: its storage grows by itself.
    _on_aws(
        "rds_free_storage",
        "Database free storage",
        "Storage of the RDS instance that is free.",
        "By",
        _rds("FreeStorageSpace"),
        "Minimum",
    ),
    _on_aws(
        "rds_replica_lag",
        "Replica lag",
        "How far a read replica is behind its source.",
        "s",
        _rds("ReplicaLag"),
        "Maximum",
    ),
    _on_aws(
        "cache_cpu",
        "Cache CPU",
        "CPU of the cache's engine thread, as a share.",
        "1",
        _cache("EngineCPUUtilization"),
    ),
    _on_aws(
        "cache_memory",
        "Cache memory",
        "Memory of the cache that is in use, as a share.",
        "1",
        _cache("DatabaseMemoryUsagePercentage"),
    ),
    # Announced only where the circuit breaker or deployment alarms are on. The detail names no cluster: the resources do.
    _deployment(
        "deployment_failed",
        "Deployment failed",
        "ECS gave up a deployment of the service.",
        "SERVICE_DEPLOYMENT_FAILED",
    ),
    _deployment(
        "deployment_done",
        "Deployment done",
        "ECS finished a deployment of the service.",
        "SERVICE_DEPLOYMENT_COMPLETED",
    ),
    # ECS does not send SERVICE_DESIRED_COUNT_UPDATED when a policy scales (aws/containers-roadmap #1895). What starts target tracking
    # is an alarm of its own, named after the service; a step policy has an alarm of the team's.
    Event(
        "scaling",
        "Scaling",
        "A scaling policy of the service was triggered: its alarm fired.",
        source="aws.cloudwatch",
        detail_types=("CloudWatch Alarm State Change",),
        detail=(("state.value", ("ALARM",)),),
        resource="scaling_alarms",
        resource_field="alarmName",
        beginning=True,
        elsewhere=_NO_EVENTS,
    ),
    # AWS announces scaling activities only when they reach the maximum.
    Event(
        "scaled_to_maximum",
        "Scaled to the maximum",
        "The service was scaled to its maximum and cannot be scaled further.",
        source="aws.application-autoscaling",
        detail_types=("Application Auto Scaling Scaling Activity State Change",),
        detail=(("scaledToMax", (True,)),),
        resource="ecs_resource_id",
        resource_field="resourceId",
        elsewhere=_NO_EVENTS,
    ),
    Event(
        "tasks_not_placed",
        "Tasks not started",
        "ECS cannot place or start tasks of the service.",
        source="aws.ecs",
        detail_types=("ECS Service Action",),
        detail=(
            (
                "eventName",
                (
                    "SERVICE_TASK_START_IMPAIRED",
                    "SERVICE_TASK_PLACEMENT_FAILURE",
                    "SERVICE_TASK_CONFIGURATION_FAILURE",
                ),
            ),
        ),
        resource="ecs_service_arn",
        elsewhere=_NO_EVENTS,
    ),
    # Shut down; restart failed; full; failed or incompatible; stopped. AWS sends events as best it can, so none proves nothing.
    _rds_event(
        "database_down_event",
        "Database down",
        "RDS announced that the instance is down or unusable.",
        "0004",
        "0007",
        "0022",
        "0031",
        "0035",
        "0036",
        "0087",
        "0221",
    ),
    _rds_event("backup_finished", "Backup finished", "RDS finished a backup of the instance.", "0002"),
    # What the alert `backup_finished`'s own rule matched: the absence of the event is the thing to know.
    Presence(
        "backup",
        "Backup",
        "A backup of the database finished, as counted by the rule of the alert backup_finished.",
        cloudwatch=CloudWatchMetric("AWS/Events", "MatchedEvents", (("RuleName", "@rule:backup_finished"),)),
        elsewhere="a job that pushes the time of its last success would bring it",
    ),
    Count(
        "telemetry_dropped",
        "Telemetry lost",
        "Spans, log lines and samples that the service's telemetry lost.",
        events=Selector(instruments.TELEMETRY_DROPPED),
        elsewhere="the application's own counter would have to be sent to CloudWatch",
    ),
    Count(
        "telemetry_internal_errors",
        "Telemetry faults",
        "Faults of telemetry itself that were kept from the application.",
        events=Selector(instruments.TELEMETRY_INTERNAL_ERRORS),
        elsewhere="the application's own counter would have to be sent to CloudWatch",
    ),
    Count(
        "notifications_failed",
        "Notifications failed",
        "Notifications of the catalogue's own topics that SNS could not deliver.",
        cloudwatch=CloudWatchMetric("AWS/SNS", "NumberOfNotificationsFailed", (("TopicName", "@topics"),)),
        unit="{notification}",
        elsewhere="Alertmanager counts its own in alertmanager_notifications_failed_total",
    ),
    Count(
        "rule_deliveries_failed",
        "Event deliveries failed",
        "Events of the catalogue's own rules that EventBridge could not deliver.",
        cloudwatch=CloudWatchMetric("AWS/Events", "FailedInvocations", (("RuleName", "@rules"),)),
        unit="{delivery}",
        elsewhere=_NO_EVENTS,
    ),
    Count(
        "relay_errors",
        "Relay errors",
        "Calls of the relay to Slack that failed.",
        cloudwatch=CloudWatchMetric("AWS/Lambda", "Errors", (("FunctionName", "relay_function"),)),
        unit="{error}",
        elsewhere="the relay is a Lambda function",
    ),
)

SIGNALS: dict[str, Signal] = {signal.name: signal for signal in _ALL}
