"""Rules on an alarm's settings: what CloudWatch refuses, what it takes and never evaluates, what it costs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.lint.cloudwatch.files import Unknown, text_of
from orders_obs.alerts.lint.cloudwatch.metric_math import names
from orders_obs.alerts.lint.cloudwatch.views import AlarmView, Said, Series, known_number
from orders_obs.alerts.promql import children, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "ACTIONS",
    "datapoints_over_periods",
    "expensive",
    "id_invalid",
    "id_unknown",
    "math_on_ec2",
    "mixed_periods",
    "one_datapoint",
    "over_limit",
    "period_invalid",
    "promql_always_fires",
    "promql_invalid",
    "promql_rate_of_delta",
    "promql_with_threshold",
    "results_not_one",
    "search_in_alarm",
    "window_over_limit",
]

ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")


def _periods(alarm: AlarmView) -> list[float]:
    own = [series.period for series in alarm.series if series.period is not None]
    given = [known_number(query.get("Period")) for query in alarm.queries]
    return [*own, *(period for period in given if period is not None)]


def period_invalid(alarm: AlarmView) -> Iterator[Said]:
    for period in dict.fromkeys(_periods(alarm)):
        if period not in (10, 20, 30) and (period <= 0 or period % 60):
            yield Said(f"a period of {period:g} s is refused", "10, 20, 30 or a multiple of 60 seconds")


def window_over_limit(alarm: AlarmView) -> Iterator[Said]:
    periods = _periods(alarm)
    if not periods or alarm.periods is None:
        return
    period = max(periods)
    limit = 86_400 if period < 3_600 else 604_800
    if period * alarm.periods > limit:
        yield Said(
            f"{alarm.periods:g} periods of {period:g} s are {period * alarm.periods:g} s, and the limit is {limit} s at that period",
            "at most one day where the period is below an hour, seven days else",
        )


def datapoints_over_periods(alarm: AlarmView) -> Iterator[Said]:
    if alarm.periods is None or alarm.datapoints is None:
        return
    if alarm.datapoints > alarm.periods:
        yield Said(
            f"DatapointsToAlarm {alarm.datapoints:g} is more than EvaluationPeriods {alarm.periods:g}",
            "M of N needs M at most N",
        )
    elif alarm.datapoints < 1 or alarm.periods < 1:
        yield Said("DatapointsToAlarm and EvaluationPeriods must be at least 1", "")


def mixed_periods(alarm: AlarmView) -> Iterator[Said]:
    found = sorted({series.period for series in alarm.series if series.period is not None})
    if alarm.queries and len(found) > 1:
        listed = ", ".join(f"{period:g}" for period in found)
        yield Said(f"its metrics have periods of {listed} s", "all metrics of an alarm need the same period")


def over_limit(alarm: AlarmView) -> Iterator[Said]:
    for what, count, limit in _counts(alarm):
        if count > limit:
            yield Said(f"{what}: {count}, and the limit is {limit}", "CloudWatch refuses more")


def _counts(alarm: AlarmView) -> Iterator[tuple[str, int, int]]:
    arguments = alarm.arguments
    for key, what, limit in (
        ("AlarmName", "characters of the name", 255),
        ("AlarmDescription", "characters of the description", 1024),
        ("AlarmRule", "characters of the rule", 10_240),
    ):
        if isinstance(arguments.get(key), str):
            yield what, len(arguments[key]), limit
    for key in ACTIONS:
        if isinstance(arguments.get(key), list):
            yield key, len(arguments[key]), 5
    if isinstance(arguments.get("Tags"), list):
        yield "tags", len(arguments["Tags"]), 50
    for series in alarm.series:
        yield f"dimensions of {series.text}", len(series.values or ()), 30
    if alarm.queries:
        yield "metrics", sum("MetricStat" in query for query in alarm.queries), 10
        yield "expressions", sum("Expression" in query for query in alarm.queries), 10
    for query in alarm.queries:
        if isinstance(query.get("Expression"), str):
            yield f"characters of the expression {text_of(query.get('Id'))}", len(query["Expression"]), 2048
    query_text = _promql(alarm)
    if query_text is not None:
        yield "characters of the query", len(query_text), 10_000


def results_not_one(alarm: AlarmView) -> Iterator[Said]:
    if not alarm.queries or alarm.is_anomaly or len(alarm.queries) != len(alarm.arguments["Metrics"]):
        return
    given = [query.get("ReturnData", True) for query in alarm.queries]
    if any(isinstance(value, Unknown) for value in given):
        return
    count = sum(value is True for value in given)
    if count != 1:
        yield Said(
            f"{count} queries have ReturnData true, and an alarm compares one",
            "ReturnData false on all others: left out it is true",
        )


def search_in_alarm(alarm: AlarmView) -> Iterator[Said]:
    for query in alarm.queries:
        expression = query.get("Expression")
        if isinstance(expression, str) and re.search(r"\bSEARCH\s*\(", expression):
            yield Said(
                "uses SEARCH, which gives many series, so CloudWatch refuses it in an alarm",
                "name the metrics, or use a Metrics Insights query",
            )


def id_invalid(alarm: AlarmView) -> Iterator[Said]:
    seen: set[str] = set()
    for query in alarm.queries:
        name = query.get("Id")
        if not isinstance(name, str):
            continue
        if not re.fullmatch(r"[a-z][A-Za-z0-9_]*", name):
            yield Said(
                f"the id {name!r} is refused", "begin with a lower-case letter, then letters, digits and _"
            )
        if name in seen:
            yield Said(f"the id {name!r} stands twice", "each query needs its own")
        seen.add(name)


def id_unknown(alarm: AlarmView) -> Iterator[Said]:
    ids = [query.get("Id") for query in alarm.queries]
    if any(not isinstance(name, str) for name in ids):
        return
    listed = alarm.arguments.get("Metrics")
    if isinstance(listed, list) and len(listed) != len(alarm.queries):
        return
    for of, term in alarm.expressions.items():
        for name in dict.fromkeys(names(term) if term is not None else ()):
            if name not in ids and not name.isupper():
                yield Said(
                    f"the expression {of} reads {name}, and no query has that id",
                    f"ids: {', '.join(map(str, ids))}",
                )
    threshold = alarm.arguments.get("ThresholdMetricId")
    if isinstance(threshold, str) and ids and threshold not in ids:
        yield Said(
            f"ThresholdMetricId is {threshold}, and no query has that id", f"ids: {', '.join(map(str, ids))}"
        )


def math_on_ec2(alarm: AlarmView) -> Iterator[Said]:
    if not alarm.queries and "AlarmRule" not in alarm.arguments:
        return
    what = "a composite alarm" if "AlarmRule" in alarm.arguments else "an alarm on metric math"
    for key in ACTIONS:
        actions = alarm.arguments.get(key)
        for action in actions if isinstance(actions, list) else ():
            text = text_of(action)
            if re.match(r"arn:[^:]*:automate:[^:]*(:[^:]*)?:ec2:", text) or (
                ":swf:" in text and ":action/actions/AWS_EC2" in text
            ):
                yield Said(
                    f"{key}: {what} cannot stop, reboot or recover an instance",
                    "use an alarm on one metric, with a dimension InstanceId",
                )


def one_datapoint(alarm: AlarmView) -> Iterator[Said]:
    result = alarm.result
    if (
        not isinstance(result, Series)
        or result.known is None
        or result.known.kind == "count"
        or result.period is None
    ):
        return
    if alarm.datapoints == 1 and result.period <= 60 and result.stat != "SampleCount":
        yield Said(
            f"fires at a single value of {result.text} over {result.period:g} s",
            "3 of 5 datapoints keep a short spike quiet",
        )


def expensive(alarm: AlarmView) -> Iterator[Said]:
    metrics = len(alarm.series)
    fast = any(period < 60 for period in _periods(alarm))
    if metrics > 5 or (fast and metrics):
        price = metrics * (0.30 if fast else 0.10)
        why = "at high resolution" if fast else "each metric counts"
        yield Said(
            f"reads {metrics} metric{'s' if metrics > 1 else ''}, {why}: {price:.2f} USD a month (us-east-1 list price)",
            "a period of 60 s costs a third" if fast else "publish the sum as a metric, or alarm on fewer",
        )


# PromQL alarms


def _promql(alarm: AlarmView) -> str | None:
    criteria = alarm.arguments.get("EvaluationCriteria")
    inner = criteria.get("PromQLCriteria") if isinstance(criteria, dict) else None
    query = inner.get("Query") if isinstance(inner, dict) else None
    return query if isinstance(query, str) else None


_CLASSIC = ("ComparisonOperator", "Threshold", "EvaluationPeriods", "DatapointsToAlarm", "TreatMissingData", "Period", "Statistic",
            "ExtendedStatistic", "MetricName", "Namespace", "Dimensions", "Metrics", "Unit", "EvaluateLowSampleCountPercentile")  # fmt: skip


def promql_with_threshold(alarm: AlarmView) -> Iterator[Said]:
    given = [key for key in _CLASSIC if key in alarm.arguments]
    if alarm.is_promql and given:
        yield Said(
            f"a PromQL alarm takes no {', '.join(given)}",
            "the comparison stands in the query, PendingPeriod is the time that it must hold",
        )


def _tree(query: str) -> Any:
    """The tree of a query; None where it does not parse."""
    try:
        return parse(query)
    except ValueError:
        return None


def promql_invalid(alarm: AlarmView) -> Iterator[Said]:
    query = _promql(alarm)
    # CloudWatch takes names in quotes, of which a parser of Prometheus 2 knows nothing.
    if query is None or re.search(r"[{,(]\s*[\"']", query):
        return
    try:
        parse(query)
    except ValueError as error:
        yield Said(f"its query is no PromQL: {error}", "try it in CloudWatch's query editor")


def promql_always_fires(alarm: AlarmView) -> Iterator[Said]:
    query = _promql(alarm)
    tree = _tree(query) if query is not None else None
    if tree is not None and not any(_filters(node) for node in _nodes(tree)):
        yield Said(
            "its query compares nothing, and each series that it returns breaches: it fires for ever",
            "end it with a comparison, such as `> 5`",
        )


def _nodes(tree: Any) -> Iterator[Any]:
    yield tree
    for child in children(tree):
        yield from _nodes(child)


def _filters(node: Any) -> bool:
    op = str(getattr(node, "op", ""))
    function = getattr(getattr(node, "func", None), "name", "")
    return op in (">", "<", ">=", "<=", "==", "!=", "and", "unless") or function.startswith("absent")


_DELTA = re.compile(
    r"\b(rate|irate|increase)\s*\(\s*\{[^}]*@instrumentation\.@name\"?\s*=~?\s*\"cloudwatch\.aws/"
)


def promql_rate_of_delta(alarm: AlarmView) -> Iterator[Said]:
    query = _promql(alarm)
    found = _DELTA.search(query) if query is not None else None
    if found:
        yield Said(
            f"{found[1]}() of a metric of an AWS service, which comes as differences and is no counter: the value is wrong",
            "sum_over_time() of a count, histogram_avg() of a level",
        )
