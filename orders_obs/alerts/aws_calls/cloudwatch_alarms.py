"""What `put_metric_alarm` refuses: classic alarms, metric math, anomaly bands, Metrics Insights, PromQL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.actions import action_problems
from orders_obs.alerts.aws_calls.cloudwatch_math import (
    OF_METRIC,
    given,
    math_problems,
    maybe_percentile,
    periods_of,
    window_problems,
)
from orders_obs.alerts.aws_calls.cloudwatch_metrics import dimension_problems, period_problems
from orders_obs.alerts.aws_calls.limits import limit
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.promql_query import query_fault
from orders_obs.alerts.aws_calls.reading import mapping, number, shown, size, text
from orders_obs.alerts.aws_calls.schedules import wall_clock_zone_fault
from orders_obs.alerts.aws_calls.statistics import is_alarm_period, is_extended
from orders_obs.alerts.aws_calls.tags import tag_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orders_obs.alerts.aws_calls.problems import Rules

__all__ = ["BAND_OPERATORS", "MISSING_DATA", "RULES", "common_problems", "configuration_problems"]

BAND_OPERATORS = (
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
)
"""The operators that compare with a band."""
MISSING_DATA = ("breaching", "notBreaching", "ignore", "missing")
"""Values of TreatMissingData."""
_FORMS = ("MetricName", "Metrics", "EvaluationCriteria")
_OF_CLASSIC = (*OF_METRIC, "Metrics", "Threshold", "ComparisonOperator", "ThresholdMetricId", "EvaluationPeriods", "DatapointsToAlarm")  # fmt: skip
_WALL_CLOCK = (60, 300, 3600, 86_400, 604_800)


def _form(arguments: Mapping[str, Any]) -> str:
    if "EvaluationCriteria" in arguments:
        return "promql"
    if given(arguments, "Metrics"):
        return "anomaly" if "ThresholdMetricId" in arguments else "math"
    return "metric"


def common_problems(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    """What alarms of every kind share: the characters of the name, tags, the size of the request."""
    name = text(arguments.get("AlarmName"))
    if name and re.search(r"[\x00-\x1f\x7f]", name):
        yield Problem("AlarmName", "the name has a control character", "take it out")
    yield from tag_problems(arguments)
    if size(arguments) > limit("alarm-request"):
        yield Problem("", f"the request is larger than {limit('alarm-request')} bytes", "shorter texts")


def configuration_problems(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with `ActionConfiguration`."""
    path = "ActionConfiguration.AlarmTagsPropagation"
    propagation = mapping(mapping(arguments.get("ActionConfiguration")).get("AlarmTagsPropagation"))
    if "IncludedTagKeys" in propagation and "ExcludedTagKeys" in propagation:
        yield Problem(
            path,
            "IncludedTagKeys and ExcludedTagKeys do not go together",
            "one of them, or neither for all tags",
        )


def _put_metric_alarm(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from common_problems(arguments)
    yield from configuration_problems(arguments)
    form = _form(arguments)
    yield from action_problems(arguments, form)
    forms = [name for name in _FORMS if given(arguments, name)]
    if len(forms) != 1:
        said = f"{' and '.join(forms)} do not go together" if forms else f"none of {', '.join(_FORMS)}"
        yield Problem("", said, "one of them says what the alarm watches", "form")
    if form == "promql":
        yield from _promql(arguments)
        return
    if "EvaluationInterval" in arguments:
        yield Problem(
            "EvaluationInterval",
            "EvaluationInterval goes with EvaluationCriteria only",
            "Period and EvaluationPeriods say when this alarm is evaluated",
        )
    yield from _evaluation(arguments)
    yield from _wall_clock(arguments)
    if form == "metric":
        yield from _classic(arguments)
    else:
        yield from math_problems(arguments, banded=form == "anomaly")


def _classic(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    if "MetricName" in arguments:
        for name in ("Namespace", "Period"):
            if name not in arguments:
                yield Problem(name, f"{name} is missing, which goes with MetricName", "", "missing")
        stats = [name for name in ("Statistic", "ExtendedStatistic") if name in arguments]
        if len(stats) != 1:
            said = (
                "neither Statistic nor ExtendedStatistic"
                if not stats
                else "both Statistic and ExtendedStatistic"
            )
            yield Problem("Statistic", said, "one of the two", "statistic")
    if "ThresholdMetricId" in arguments:
        yield Problem(
            "ThresholdMetricId",
            "ThresholdMetricId names a query of Metrics, and there is no Metrics",
            "Metrics with ANOMALY_DETECTION_BAND",
        )
    yield from dimension_problems(arguments)
    yield from period_problems("Period", arguments.get("Period"), alarm=True)
    extended = text(arguments.get("ExtendedStatistic"))
    if extended is not None and not is_extended(extended):
        yield Problem(
            "ExtendedStatistic",
            f"{extended!r} is no extended statistic",
            "such as p99, tm90, IQM, PR(:1), TM(10%:90%); Sum and the like are of Statistic",
        )
    period = number(arguments.get("Period"))
    if period is not None and is_alarm_period(period):
        yield from window_problems(arguments, period)
    low = "EvaluateLowSampleCountPercentile" in arguments
    if low and (
        "Statistic" in arguments
        or (extended is not None and is_extended(extended) and not maybe_percentile(extended))
    ):
        yield Problem(
            "EvaluateLowSampleCountPercentile",
            "it goes with percentiles only",
            "leave it out, or ExtendedStatistic such as p99",
        )


def _evaluation(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    """How an alarm compares: operator, threshold, M of N, missing data."""
    if any(given(arguments, name) for name in _FORMS):
        for name in ("EvaluationPeriods", "ComparisonOperator"):
            if name not in arguments:
                yield Problem(
                    name, f"{name} is missing", "every alarm but a PromQL alarm needs it", "missing"
                )
    operator = text(arguments.get("ComparisonOperator"))
    banded = "ThresholdMetricId" in arguments
    if operator in BAND_OPERATORS and not banded:
        yield Problem(
            "ComparisonOperator",
            f"{operator} compares with a band, and there is no ThresholdMetricId",
            "ThresholdMetricId: the id of ANOMALY_DETECTION_BAND",
        )
    elif (
        banded and operator is not None and operator.endswith("Threshold") and operator not in BAND_OPERATORS
    ):
        yield Problem(
            "ComparisonOperator",
            f"{operator} compares with a number, and ThresholdMetricId is a band",
            ", ".join(BAND_OPERATORS),
        )
    if banded and "Threshold" in arguments:
        yield Problem(
            "Threshold",
            "Threshold and ThresholdMetricId do not go together",
            "no Threshold: the band is the threshold",
        )
    elif (
        not banded
        and "Threshold" not in arguments
        and operator not in BAND_OPERATORS
        and any(given(arguments, name) for name in _FORMS)
    ):
        yield Problem("Threshold", "Threshold is missing, which a static threshold needs", "", "missing")
    many, of = number(arguments.get("DatapointsToAlarm")), number(arguments.get("EvaluationPeriods"))
    if many is not None and of is not None and many > of:
        yield Problem(
            "DatapointsToAlarm",
            f"{many:g} datapoints of {of:g} periods",
            "at most EvaluationPeriods",
            "datapoints",
        )
    missing = text(arguments.get("TreatMissingData"))
    if missing is not None and missing not in MISSING_DATA:
        yield Problem(
            "TreatMissingData", f"{shown(missing)} is not among its values", ", ".join(MISSING_DATA)
        )
    low = text(arguments.get("EvaluateLowSampleCountPercentile"))
    if low is not None and low not in ("evaluate", "ignore"):
        yield Problem(
            "EvaluateLowSampleCountPercentile", f"{shown(low)} is not among its values", "evaluate, ignore"
        )


def _wall_clock(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    window = mapping(mapping(arguments.get("EvaluationWindow")).get("WallClockWindow"))
    if "WallClockWindow" not in mapping(arguments.get("EvaluationWindow")):
        return
    zone = text(window.get("Timezone"))
    if zone and (fault := wall_clock_zone_fault(zone)):
        yield Problem(
            "EvaluationWindow.WallClockWindow.Timezone", fault, "such as Europe/Berlin, +05:30 or UTC+05:30"
        )
    periods = {number(arguments.get("Period"))} if "Metrics" not in arguments else set(periods_of(arguments))
    for period in sorted(period for period in periods if period is not None):
        if period not in _WALL_CLOCK:
            yield Problem(
                "EvaluationWindow.WallClockWindow",
                f"a wall clock window with a period of {period:g} s",
                f"periods of {', '.join(map(str, _WALL_CLOCK))} s",
            )


def _promql(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    for name in _OF_CLASSIC:
        # MetricName and Metrics beside it are said of the whole.
        if given(arguments, name) and name not in _FORMS:
            yield Problem(
                name,
                f"{name} does not go with EvaluationCriteria",
                "the query and its periods say all",
                "promql-classic",
            )
    if "EvaluationWindow" in arguments:
        yield Problem("EvaluationWindow", "a PromQL alarm has no evaluation window", "leave it out")
    interval = number(arguments.get("EvaluationInterval"))
    if "EvaluationInterval" not in arguments:
        yield Problem(
            "EvaluationInterval",
            "EvaluationInterval is missing, which EvaluationCriteria needs",
            "such as 60",
            "missing",
        )
    elif interval is not None and not is_alarm_period(interval):
        yield Problem(
            "EvaluationInterval",
            f"an interval of {interval:g} s is refused",
            "10, 20, 30 or a multiple of 60 seconds",
        )
    criteria = mapping(mapping(arguments.get("EvaluationCriteria")).get("PromQLCriteria"))
    query = text(criteria.get("Query"))
    if query and (fault := query_fault(query)):
        yield Problem(
            "EvaluationCriteria.PromQLCriteria.Query", fault, "such as sum(rate(x[5m])) > 5", "promql"
        )


RULES: Rules = {"put_metric_alarm": (_put_metric_alarm,)}
