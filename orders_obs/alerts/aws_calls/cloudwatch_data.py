"""What CloudWatch refuses of the calls that read and write metrics, and of those on anomaly detectors."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.cloudwatch_metrics import (
    Queries,
    dimension_problems,
    printable,
    query_problems,
    statistic_problems,
)
from orders_obs.alerts.aws_calls.expressions import calls, is_insights
from orders_obs.alerts.aws_calls.limits import limit
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import instant, items, listed, mapping, number, shown, size, text
from orders_obs.alerts.aws_calls.schedules import is_time_zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orders_obs.alerts.aws_calls.problems import Rules

__all__ = ["RULES"]

_LARGEST = 2.0**360
_ENTITY_KEYS = ("Type", "ResourceType", "Identifier", "Name", "Environment")


def _get_metric_data(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    queries = Queries(arguments.get("MetricDataQueries"), "MetricDataQueries")
    count, most = len(queries.listed), limit("data-queries")
    if count > most:
        yield Problem(
            "MetricDataQueries", f"{count} queries, and the limit is {most}", "several calls", "limit"
        )
    yield from query_problems(queries, alarm=False)
    insights = [query for query in queries.listed if is_insights(text(query.get("Expression")) or "")]
    if len(insights) > 1:
        yield Problem(
            "MetricDataQueries",
            f"{len(insights)} Metrics Insights queries, and a call takes one",
            "several calls",
        )
    start, end = instant(arguments.get("StartTime")), instant(arguments.get("EndTime"))
    if start is not None and end is not None and start >= end:
        yield Problem(
            "EndTime", f"it ends at {end.isoformat()}, and begins at {start.isoformat()}", "after StartTime"
        )
    points = number(arguments.get("MaxDatapoints"))
    if points is not None and points > limit("data-points"):
        yield Problem(
            "MaxDatapoints", f"{points:g} data points, and the limit is {limit('data-points')}", "", "limit"
        )
    zone = text(mapping(arguments.get("LabelOptions")).get("Timezone"))
    if zone is not None and not re.fullmatch(r"[+-]\d{4}", zone, re.ASCII):
        yield Problem("LabelOptions.Timezone", f"{zone!r} is no offset", "such as +0130")


# Writing


def _put_metric_data(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    namespace = text(arguments.get("Namespace"))
    if namespace:
        if not printable(namespace):
            yield Problem("Namespace", "a namespace holds ASCII characters only, and none that controls")
        elif not namespace.strip():
            yield Problem("Namespace", "a namespace needs a character that is no blank")
    if not any(name in arguments for name in ("MetricData", "EntityMetricData")):
        yield Problem("", "neither MetricData nor EntityMetricData", "what to write", "missing")
    metrics = list(items(arguments, "MetricData"))
    for where, entry in items(arguments, "EntityMetricData"):
        metrics += list(items(mapping(entry), "MetricData", where))
    if len(metrics) > limit("put-metrics"):
        yield Problem(
            "MetricData",
            f"{len(metrics)} metrics, and the limit is {limit('put-metrics')}",
            "several calls",
            "limit",
        )
    for path, metric in metrics:
        yield from _datum(path, mapping(metric))
    yield from _entities(arguments)
    if size(arguments) > limit("put-request"):
        yield Problem("", f"the request is larger than {limit('put-request')} bytes", "several calls")


def _entities(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    if "EntityMetricData" not in arguments:
        return
    count = len(listed(arguments["EntityMetricData"]))
    if "StrictEntityValidation" not in arguments:
        yield Problem(
            "StrictEntityValidation",
            "StrictEntityValidation is missing, which EntityMetricData needs",
            "True or False",
            "missing",
        )
    if arguments.get("StrictEntityValidation") is not True:
        return  # then a wrong entity is left out, and the call succeeds
    if count > limit("put-entities"):
        yield Problem(
            "EntityMetricData",
            f"{count} entities, and the limit is {limit('put-entities')}",
            "several calls",
            "limit",
        )
    for where, entry in items(arguments, "EntityMetricData"):
        keys = mapping(mapping(mapping(entry).get("Entity")).get("KeyAttributes"))
        for key in keys:
            if key not in _ENTITY_KEYS:
                yield Problem(
                    f"{where}.Entity.KeyAttributes.{key}",
                    f"{key} is no key attribute of an entity",
                    ", ".join(_ENTITY_KEYS),
                )


def _datum(path: str, metric: Mapping[str, Any]) -> Iterator[Problem]:
    yield from dimension_problems(metric, path)
    given = [name for name in ("Value", "StatisticValues", "Values") if name in metric]
    if len(given) > 1:
        yield Problem(
            path, f"{' and '.join(given)} do not go together", "one of Value, Values and StatisticValues"
        )
    elif not given and metric:
        yield Problem(path, "the metric has no value", "Value, Values or StatisticValues", "missing")
    yield from _values(path, metric)
    resolution = number(metric.get("StorageResolution"))
    if resolution is not None and resolution not in (1, 60):
        yield Problem(f"{path}.StorageResolution", f"a resolution of {resolution:g} s", "1 or 60")
    moment = instant(metric.get("Timestamp"))
    if moment is not None:
        now = datetime.now(UTC)
        # A day and an hour beyond what AWS says, for clocks that differ.
        if moment < now - timedelta(days=limit("put-past-days") + 1):
            yield Problem(
                f"{path}.Timestamp", f"{moment.isoformat()} is more than {limit('put-past-days')} days ago"
            )
        elif moment > now + timedelta(hours=limit("put-future-hours") + 1):
            yield Problem(
                f"{path}.Timestamp",
                f"{moment.isoformat()} is more than {limit('put-future-hours')} hours from now",
            )


def _values(path: str, metric: Mapping[str, Any]) -> Iterator[Problem]:
    statistics = mapping(metric.get("StatisticValues"))
    single: list[tuple[str, Any]] = [(f"{path}.Value", metric.get("Value"))]
    single += [
        (f"{path}.StatisticValues.{name}", statistics.get(name))
        for name in ("SampleCount", "Sum", "Minimum", "Maximum")
    ]
    for where, value in (*single, *items(metric, "Values", path)):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and not _in_range(value):
            yield Problem(where, f"{shown(value)} is out of range", "from -2^360 to 2^360")
    if "Counts" in metric and "Values" not in metric:
        yield Problem(f"{path}.Counts", "Counts without Values", "how often each of Values occurred")
        return
    values, counts = metric.get("Values"), metric.get("Counts")
    if isinstance(values, list | tuple):
        if len(values) > limit("put-values"):
            yield Problem(
                f"{path}.Values",
                f"{len(values)} values, and the limit is {limit('put-values')}",
                "several calls",
                "limit",
            )
        if isinstance(counts, list | tuple) and len(counts) != len(values):
            yield Problem(
                f"{path}.Counts", f"{len(counts)} counts of {len(values)} values", "as many as Values"
            )


def _in_range(value: float) -> bool:
    # Python compares whole numbers of any size with it exactly, and nothing with NaN.
    return -_LARGEST <= value <= _LARGEST


# Anomaly detectors

_OWN = ("Namespace", "MetricName", "Dimensions", "Stat")
_NESTED = ("SingleMetricAnomalyDetector", "MetricMathAnomalyDetector")


def _put_anomaly_detector(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _detector(arguments)
    configuration = mapping(arguments.get("Configuration"))
    ranges = listed(configuration.get("ExcludedTimeRanges"))
    if len(ranges) > limit("excluded-ranges"):
        yield Problem(
            "Configuration.ExcludedTimeRanges",
            f"{len(ranges)} time ranges, and the limit is {limit('excluded-ranges')}",
            "",
            "limit",
        )
    for where, given in items(configuration, "ExcludedTimeRanges", "Configuration"):
        start, end = instant(mapping(given).get("StartTime")), instant(mapping(given).get("EndTime"))
        if start is not None and end is not None and end <= start:
            yield Problem(
                f"{where}.EndTime", f"it ends at {end.isoformat()}, before it begins", "after StartTime"
            )
    zone = text(configuration.get("MetricTimezone"))
    if zone and not is_time_zone(zone):
        yield Problem(
            "Configuration.MetricTimezone",
            f"{zone!r} is no time zone of the tz database",
            "such as Europe/Berlin",
        )


def _delete_anomaly_detector(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    if "AnomalyDetectorId" not in arguments:
        yield from _detector(arguments)


def _detector(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    nested = [name for name in _NESTED if name in arguments]
    own = [name for name in _OWN if name in arguments]
    if len(nested) > 1:
        yield Problem("", f"{' and '.join(nested)} do not go together", "one of the two")
    if nested and own:
        yield Problem(own[0], f"{', '.join(own)} and {nested[0]} do not go together", f"inside {nested[0]}")
    if not nested:
        for name in ("Namespace", "MetricName", "Stat"):
            if name not in arguments:
                yield Problem(
                    name,
                    f"{name} is missing, which a detector of one metric needs",
                    "or SingleMetricAnomalyDetector, MetricMathAnomalyDetector",
                    "missing",
                )
    yield from dimension_problems(arguments)
    yield from statistic_problems("Stat", arguments.get("Stat"))
    single = mapping(arguments.get("SingleMetricAnomalyDetector"))
    if "SingleMetricAnomalyDetector" in arguments:
        yield from dimension_problems(single, "SingleMetricAnomalyDetector")
        yield from statistic_problems("SingleMetricAnomalyDetector.Stat", single.get("Stat"))
    if "MetricMathAnomalyDetector" in arguments:
        yield from _math_detector(mapping(arguments["MetricMathAnomalyDetector"]))


def _math_detector(detector: Mapping[str, Any]) -> Iterator[Problem]:
    path = "MetricMathAnomalyDetector.MetricDataQueries"
    queries = Queries(detector.get("MetricDataQueries"), path)
    yield from query_problems(queries, alarm=False)
    if len(queries.listed) > limit("anomaly-math"):
        yield Problem(
            path,
            f"{len(queries.listed)} metrics and expressions, and the limit is {limit('anomaly-math')}",
            "",
            "limit",
        )
    flags = [query.get("ReturnData", True) for query in queries.listed]
    if queries.complete and all(isinstance(flag, bool) for flag in flags) and sum(flags) != 1:
        yield Problem(
            path,
            f"{sum(flags)} queries have ReturnData true, and it takes one",
            "ReturnData false on all others: left out it is true",
            "returned",
        )
    kinds = queries.kinds() if queries.known else {}
    periods = {
        number(mapping(query.get("MetricStat")).get("Period"))
        for query in queries.listed
        if "MetricStat" in query
    } - {None}
    if len(periods) > 1:
        yield Problem(path, "the metrics have different periods", "one period for all")
    if any(period < 60 for period in periods if period is not None):
        yield Problem(
            path,
            "a detector on metric math takes no high-resolution metrics",
            "a period of 60 seconds or more",
        )
    for index, query in enumerate(queries.listed):
        expression = text(query.get("Expression"))
        if query.get("ReturnData", True) is True and kinds.get(str(query.get("Id"))) in ("array", "number"):
            yield Problem(
                f"{queries.where(index)}.Expression",
                "it gives no single series, which a detector needs",
                "SUM, AVG, MAX or MIN over several",
            )
        for function in ("METRICS", "SEARCH"):
            if expression is not None and calls(expression, function):
                yield Problem(
                    f"{queries.where(index)}.Expression",
                    f"anomaly detection on metric math has no {function}",
                    "name the metrics",
                )


RULES: Rules = {
    "delete_anomaly_detector": (_delete_anomaly_detector,),
    "get_metric_data": (_get_metric_data,),
    "put_anomaly_detector": (_put_anomaly_detector,),
    "put_metric_data": (_put_metric_data,),
}
