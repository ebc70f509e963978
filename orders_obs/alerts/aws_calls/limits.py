"""AWS's limits on requests that no model of botocore carries, each once, with where AWS says it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LIMITS", "Limit", "limit"]


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit.

    Attributes:
        value: The largest that AWS takes.
        of: What is counted.
        source: Where AWS says so: an operation or a structure of the API reference, or a page of the user guide.
    """

    value: int
    of: str
    source: str


_GUIDE = "CloudWatch user guide"

LIMITS: dict[str, Limit] = {
    "alarm-request": Limit(120 * 1024, "bytes of a request", "PutMetricAlarm: maximum uncompressed payload of 120 KB"),
    "alarm-window-short": Limit(86_400, "seconds of Period x EvaluationPeriods, with periods below an hour", "PutMetricAlarm, Period"),
    "alarm-window": Limit(604_800, "seconds of Period x EvaluationPeriods", "PutMetricAlarm, Period"),
    "insights-window": Limit(10_800, "seconds that an alarm on a Metrics Insights query looks back", "GetMetricData: only the most recent three hours"),
    "alarm-metrics": Limit(10, "queries with MetricStat", "MetricDataQuery"),
    "alarm-expressions": Limit(10, "queries with Expression", "MetricDataQuery"),
    "insights-series": Limit(500, "series of LIMIT in a Metrics Insights query", f"{_GUIDE}, Metrics Insights quotas"),
    "tags": Limit(50, "tags", "PutMetricAlarm, Tags; TagResource"),
    "composite-children": Limit(100, "alarms in a rule", "PutCompositeAlarm, AlarmRule"),
    "composite-elements": Limit(500, "elements of a rule", "PutCompositeAlarm, AlarmRule"),
    "mute-shortest": Limit(60, "seconds of a mute window at least", "Schedule, Duration: PT1M"),
    "mute-longest": Limit(15 * 86_400, "seconds of a mute window", "Schedule, Duration: P15D"),
    "log-alarm-results": Limit(100, "results to evaluate", "PutLogAlarm, QueryResultsToEvaluate"),
    "log-alarm-lines": Limit(50, "log lines in a notification", "PutLogAlarm, ActionLogLineCount"),
    "data-queries": Limit(500, "queries of a call", "GetMetricData, MetricDataQueries"),
    "data-points": Limit(100_800, "data points of a call", "GetMetricData, MaxDatapoints"),
    "put-metrics": Limit(1000, "metrics of a call", "PutMetricData, MetricData"),
    "put-entities": Limit(2, "EntityMetricData of a call", "PutMetricData, EntityMetricData"),
    "put-values": Limit(150, "values of a metric", "PutMetricData: up to 150 values per metric"),
    "put-request": Limit(1024 * 1024, "bytes of a request", "PutMetricData: limited to 1 MB"),
    "put-past-days": Limit(14, "days before now", "PutMetricData: as much as two weeks before the current date"),
    "put-future-hours": Limit(2, "hours after now", "PutMetricData: as much as 2 hours after the current day and time"),
    "dashboard-name": Limit(255, "characters of a dashboard's name", "PutDashboard, DashboardName"),
    "dashboard-widgets": Limit(500, "widgets of a dashboard", f"{_GUIDE}, service quotas"),
    "widget-metrics": Limit(500, "metrics of a widget", f"{_GUIDE}, service quotas"),
    "dashboard-metrics": Limit(2500, "metrics of a dashboard", f"{_GUIDE}, service quotas"),
    "dashboard-columns": Limit(24, "columns of a dashboard", "Dashboard body structure, width"),
    "widget-height": Limit(1000, "rows of a widget", "Dashboard body structure, height"),
    "widget-alarms": Limit(100, "alarms of a widget", "Dashboard body structure, alarm widget"),
    "delete-dashboards": Limit(100, "dashboards of a call", "DeleteDashboards"),
    "excluded-ranges": Limit(10, "time ranges to exclude", "PutAnomalyDetector, Configuration"),
    "anomaly-math": Limit(10, "metrics and expressions", f"{_GUIDE}, anomaly detection on metric math"),
    "describe-detectors": Limit(100, "detectors of a page", "DescribeAnomalyDetectors, MaxResults"),
}  # fmt: skip


def limit(name: str) -> int:
    """The value of a limit."""
    return LIMITS[name].value
