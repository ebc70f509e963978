"""What `put_metric_alarm` refuses of an alarm's `Metrics`: metric math, anomaly bands, Metrics Insights queries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.cloudwatch_metrics import Queries, query_problems
from orders_obs.alerts.aws_calls.expressions import calls, is_insights
from orders_obs.alerts.aws_calls.limits import limit
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import listed, mapping, number, text
from orders_obs.alerts.aws_calls.statistics import is_alarm_period, is_percentile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["OF_METRIC", "given", "math_problems", "maybe_percentile", "periods_of", "window_problems"]

OF_METRIC = ("Namespace", "MetricName", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
"""The arguments that say what a classic alarm on one metric watches."""


def given(arguments: Mapping[str, Any], name: str) -> bool:
    """Whether an argument says something: an empty list is sent as none."""
    value = arguments.get(name)
    return value is not None and not (isinstance(value, list | tuple) and not value)


def maybe_percentile(stat: str) -> bool:
    """Percentiles, and the statistics made of them, of which AWS does not say whether they count."""
    return is_percentile(stat) or stat[:2].lower() in ("tm", "tc", "ts", "wm", "iq")


def window_problems(arguments: Mapping[str, Any], period: float) -> Iterator[Problem]:
    """Whether an alarm looks back too far; `period` in seconds."""
    periods = number(arguments.get("EvaluationPeriods"))
    if periods is None:
        return
    most = limit("alarm-window-short") if period < 3600 else limit("alarm-window")
    if period * periods > most:
        yield Problem(
            "EvaluationPeriods",
            f"{periods:g} periods of {period:g} s are {period * periods:g} s, and the limit is {most} s at that period",
            "fewer periods, or a shorter one",
            "window",
        )


def periods_of(arguments: Mapping[str, Any]) -> list[float]:
    """The periods of the metrics of a math alarm; of its queries where it has no metrics."""
    queries = [mapping(query) for query in listed(arguments.get("Metrics"))]
    own = [number(mapping(query.get("MetricStat")).get("Period")) for query in queries]
    beside = [number(query.get("Period")) for query in queries]
    return [period for period in own if period is not None] or [
        period for period in beside if period is not None
    ]


def math_problems(arguments: Mapping[str, Any], *, banded: bool) -> Iterator[Problem]:
    """What is wrong with an alarm on `Metrics`; `banded` where it compares with an anomaly band."""
    mixed = [name for name in OF_METRIC if given(arguments, name) and name != "MetricName"]
    for name in mixed:
        yield Problem(name, f"{name} does not go with Metrics", "it stands in MetricStat of each query")
    queries = Queries(arguments.get("Metrics"), "Metrics")
    yield from query_problems(queries, alarm=True)
    for key, name in (("MetricStat", "alarm-metrics"), ("Expression", "alarm-expressions")):
        count = sum(key in query for query in queries.listed)
        if count > limit(name):
            yield Problem(
                "Metrics",
                f"{count} queries with {key}, and the limit is {limit(name)}",
                "two alarms and a composite",
                "limit",
            )
    low = "EvaluateLowSampleCountPercentile" in arguments
    if low and queries.complete and not _any_percentile(queries):
        yield Problem("EvaluateLowSampleCountPercentile", "it goes with percentiles only", "leave it out")
    yield from _one_period(arguments, queries)
    yield from _returned(arguments, queries, banded=banded)
    yield from _not_in_alarms(queries)


def _any_percentile(queries: Queries) -> bool:
    stats = [
        mapping(query.get("MetricStat")).get("Stat") for query in queries.listed if "MetricStat" in query
    ]
    return any(not isinstance(stat, str) or maybe_percentile(stat) for stat in stats)


def _one_period(arguments: Mapping[str, Any], queries: Queries) -> Iterator[Problem]:
    own = [
        (index, number(mapping(query["MetricStat"]).get("Period")))
        for index, query in enumerate(queries.listed)
        if "MetricStat" in query
    ]
    found = sorted({period for _, period in own if period is not None})
    if len(found) > 1:
        seconds = ", ".join(f"{period:g}" for period in found)
        yield Problem(
            "Metrics",
            f"the metrics have periods of {seconds} s",
            "one period for all metrics of an alarm",
            "mixed-periods",
        )
    if (
        not own
        and queries.listed
        and all("Expression" in query and "Period" not in query for query in queries.listed)
    ):
        yield Problem(
            "Metrics", "no query says its period", "Period beside the Expression that reads no metric"
        )
    periods = periods_of(arguments)
    if periods and all(is_alarm_period(period) for period in periods):
        yield from window_problems(arguments, max(periods))
    many = number(arguments.get("EvaluationPeriods"))
    for index, query in enumerate(queries.listed):
        period, expression = number(query.get("Period")), text(query.get("Expression"))
        if expression is None or not is_insights(expression):
            continue
        if "Period" not in query:
            yield Problem(
                f"{queries.where(index)}.Period", "a Metrics Insights query needs Period", "such as 60"
            )
        elif period is not None and many is not None and period * many > limit("insights-window"):
            yield Problem(
                "EvaluationPeriods",
                f"{many:g} periods of {period:g} s, and an alarm on a Metrics Insights query looks back {limit('insights-window')} s at most",
                "fewer periods",
                "window",
            )
        if re.search(r"\bGROUP\s+BY\b", expression, re.IGNORECASE) and not re.search(
            r"\bORDER\s+BY\b", expression, re.IGNORECASE
        ):
            yield Problem(
                f"{queries.where(index)}.Expression",
                "a query with GROUP BY has no ORDER BY",
                "an alarm on several series needs both",
            )


def _returned(arguments: Mapping[str, Any], queries: Queries, *, banded: bool) -> Iterator[Problem]:
    flags = [query.get("ReturnData", True) for query in queries.listed]
    known = queries.complete and all(isinstance(flag, bool) for flag in flags)
    count, wanted = sum(flag is True for flag in flags), 2 if banded else 1
    if known and count != wanted:
        what = "the metric and its band" if banded else "the one that the alarm watches"
        yield Problem(
            "Metrics",
            f"{count} queries have ReturnData true, and it takes {wanted}: {what}",
            "ReturnData false on all others: left out it is true",
            "returned",
        )
    if banded:
        yield from _band(arguments, queries)
        return
    kinds = queries.kinds()
    for index, (query, flag) in enumerate(zip(queries.listed, flags, strict=True)):
        expression, identifier = text(query.get("Expression")), text(query.get("Id"))
        if flag is not True or expression is None or identifier is None or not queries.known:
            continue
        if kinds.get(identifier) == "array" and not calls(expression, "SEARCH"):
            yield Problem(
                f"{queries.where(index)}.Expression",
                "it gives several series, and an alarm watches one",
                "SUM, AVG, MAX or MIN over them",
            )
        elif kinds.get(identifier) == "number":
            yield Problem(
                f"{queries.where(index)}.Expression",
                "it gives a number and no series",
                "part of a larger expression, or TIME_SERIES() around it",
            )


def _band(arguments: Mapping[str, Any], queries: Queries) -> Iterator[Problem]:
    band = text(arguments.get("ThresholdMetricId"))
    if band is None or not queries.known:
        return
    query = queries.by_id.get(band)
    if query is None:
        yield Problem(
            "ThresholdMetricId",
            f"no query has the id {band}",
            f"ids: {', '.join(queries.by_id)}",
            "id-unknown",
        )
        return
    expression = text(query.get("Expression"))
    if ("Expression" not in query) or (expression is not None and "ANOMALY_DETECTION_BAND" not in expression):
        yield Problem(
            "ThresholdMetricId", f"{band} is no ANOMALY_DETECTION_BAND", "ANOMALY_DETECTION_BAND(m1, 2)"
        )


def _not_in_alarms(queries: Queries) -> Iterator[Problem]:
    for index, query in enumerate(queries.listed):
        expression = text(query.get("Expression"))
        if expression is None or is_insights(expression):
            continue
        path = f"{queries.where(index)}.Expression"
        if calls(expression, "SEARCH"):
            yield Problem(
                path,
                "SEARCH is not supported in an alarm",
                "name the metrics, or use a Metrics Insights query",
                "search",
            )
        bands = calls(expression, "ANOMALY_DETECTION_BAND")
        if len(bands) > 1:
            yield Problem(path, "it has more than one ANOMALY_DETECTION_BAND", "one in an expression")
