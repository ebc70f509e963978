"""CloudWatch PromQL alarms (experimental: nothing here was run against AWS): the arguments of `put_metric_alarm`.

CloudWatch takes metrics sent by OTLP, with resource attributes as labels such as `@resource.service.name`, and its own vended metrics
as delta samples, which `rate` reads wrong. There are no recording rules, so samples stand in the query; every series that the query
returns breaches. Counts are `increase()`, which extrapolates: the difference is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders_obs.alerts.compile.cloudwatch import alarm_head
from orders_obs.alerts.compile.engines import Difference, chosen
from orders_obs.alerts.compile.names import own_things, resource
from orders_obs.alerts.describe import number
from orders_obs.alerts.model import Alert, BurnAlert
from orders_obs.alerts.units import duration_text
from orders_obs.errors import UserError
from orders_obs.signals.aws_metrics import aws_metric
from orders_obs.signals.model import Count, Level, Matcher, Presence, Ratio, Selector, Share
from orders_obs.signals.promql import label_set

if TYPE_CHECKING:
    from collections.abc import Collection

    from orders_obs.alerts.model import AnyAlert, ResolvedCatalogue
    from orders_obs.signals.model import CloudWatchMetric, Statistic

_Own = dict[str, list[str]]
__all__ = ["QUERY_LENGTH", "compile_alarms"]

QUERY_LENGTH = 10_000
"""Characters of a query (botocore's model of PutMetricAlarm)."""
# Seconds between two looks that CloudWatch takes, besides whole minutes up to the longest (API reference of PutMetricAlarm).
_INTERVALS, _MINUTE, _LONGEST_INTERVAL = (10, 20, 30), 60, 3600
_SIGNS = {"above": ">", "below": "<", "at_least": ">=", "at_most": "<="}
_SCALE = {"Percent": 100.0, "Milliseconds": 1000.0}
# Vended levels are delta histograms: plain functions over time skip them.
_VENDED: dict[Statistic, str] = {
    "Average": "histogram_avg(",
    "Maximum": "histogram_quantile(1, ",
    "Minimum": "histogram_quantile(0, ",
}
_OVER_TIME: dict[Statistic, str] = {
    "Average": "avg_over_time",
    "Maximum": "max_over_time",
    "Minimum": "min_over_time",
}


def compile_alarms(
    catalogue: ResolvedCatalogue, *, but: Collection[str] = ()
) -> tuple[list[dict[str, Any]], list[Difference]]:
    """The alarms of one environment, and what is not in them as the catalogue says.

    Args:
        catalogue: The environment.
        but: Full names of alerts that are left out, since they are elsewhere.

    Raises:
        UserError: An alert cannot be expressed.
    """
    found, differences = chosen(catalogue, "cloudwatch-promql")
    own = own_things(catalogue)
    alarms = []
    for alert in found:
        if alert.full_name in but:
            continue
        assert isinstance(alert, Alert | BurnAlert)  # noqa: S101  # the others are not on this engine
        query = _burning(alert) if isinstance(alert, BurnAlert) else _query(own, alert)
        if len(query) > QUERY_LENGTH:
            raise UserError(
                f"{alert.name}: its query has {len(query)} characters",
                hint=f"{QUERY_LENGTH} are allowed: take fewer samples",
                file=alert.source.file,
                line=alert.source.line,
            )
        alarms.append(
            {
                **alarm_head(alert),
                "EvaluationCriteria": {
                    "PromQLCriteria": {"Query": query, "PendingPeriod": 0, "RecoveryPeriod": 0}
                },
                "EvaluationInterval": _interval(alert),
            }
        )
        differences += _differences(alert)
    return alarms, differences


def _interval(alert: AnyAlert) -> int:
    every = alert.environment.every
    if every < _INTERVALS[0]:
        return _INTERVALS[0]
    if every not in _INTERVALS and (every % _MINUTE or every > _LONGEST_INTERVAL):
        raise UserError(
            f"{alert.name}: CloudWatch cannot look every {duration_text(every)}, as environment {alert.environment.name} does",
            hint="it can every 10, 20, 30 s and every whole number of minutes, an hour at most",
            file=alert.environment.source.file,
            line=alert.environment.source.line,
        )
    return round(every)


def _query(own: _Own, alert: Alert) -> str:
    over = duration_text(alert.over)
    samples = [
        _sample(own, alert, over, f" offset {duration_text(back * alert.over)}" if back else "")
        for back in range(alert.samples)
    ]
    missing = "vector(1)" if alert.when_missing == "breach" else "vector(0)"
    if alert.samples == 1 and alert.when_missing != "breach":
        return f"({samples[0]}) == 1"
    return " + ".join(f"(({sample}) or {missing})" for sample in samples) + f" >= {alert.breaching}"


def _sample(own: _Own, alert: Alert, over: str, offset: str) -> str:
    """1 where the sample breaches, 0 where it does not, nothing where it is missing."""
    signal, sign = alert.signal, _SIGNS[alert.comparison]
    if isinstance(signal, Ratio | Share):
        part, total = _events(alert, signal, alert.bound, over, offset)
        return f"({part} / {total} {sign} bool {number(alert.threshold)}) and {total} >= {alert.minimum}"
    threshold = alert.threshold
    if isinstance(signal, Count):
        value = _count(own, alert, signal, over, offset)
    elif isinstance(signal, Level):
        value = _level(own, alert, signal, over, offset)
        if signal.cloudwatch is not None:
            threshold = round(threshold * _SCALE.get(signal.cloudwatch.unit, 1.0), 9)
    else:
        value = _presence(own, alert, signal, over, offset)
    return f"{value} {sign} bool {number(threshold)}"


def _events(
    alert: AnyAlert, signal: Ratio | Share, bound: float | None, over: str, offset: str
) -> tuple[str, str]:
    if isinstance(signal, Ratio):
        total = _increase(alert, signal.total, over, offset)
        return f"({_increase(alert, signal.part, over, offset)} or 0 * {total})", total
    assert bound is not None  # noqa: S101  # the catalogue gives every share a bound
    histogram = f"sum(increase({_series(alert, signal.events)}[{over}]{offset}))"
    total = f"histogram_count({histogram})"
    return f"((1 - histogram_fraction(0, {number(bound)}, {histogram})) * {total})", total


def _count(own: _Own, alert: Alert, signal: Count, over: str, offset: str) -> str:
    if signal.events is not None:
        return _increase(alert, signal.events, over, offset)
    return f"sum(sum_over_time({_vended(own, alert, signal.cloudwatch)}[{over}]{offset}))"


def _level(own: _Own, alert: Alert, signal: Level, over: str, offset: str) -> str:
    emitted = next((source for source in signal.prometheus if isinstance(source, Selector)), None)
    if emitted is not None and signal.cloudwatch is None:
        return f"sum({_OVER_TIME[alert.statistic]}({_series(alert, emitted)}[{over}]{offset}))"
    vended = f"sum(sum_over_time({_vended(own, alert, signal.cloudwatch)}[{over}]{offset}))"
    return f"{_VENDED[alert.statistic]}{vended})"


def _presence(own: _Own, alert: Alert, signal: Presence, over: str, offset: str) -> str:
    values = f"sum(sum_over_time({_vended(own, alert, signal.cloudwatch)}[{over}]{offset}))"
    metric = signal.cloudwatch
    known = aws_metric(metric.namespace, metric.name) if metric else None
    return values if known and known.kind == "count" else f"histogram_count({values})"


def _burning(alert: BurnAlert) -> str:
    pairs = []
    for window in alert.windows:
        long, short = (
            _events(alert, alert.signal, alert.bound, duration_text(w), "")
            for w in (window.long, window.short)
        )
        threshold = number(window.threshold)
        pairs.append(
            f"({long[0]} / {long[1]} > {threshold} and {long[1]} >= {window.minimum} and {short[0]} / {short[1]} > {threshold})"
        )
    return " or ".join(pairs)


def _increase(alert: AnyAlert, selector: Selector, over: str, offset: str) -> str:
    return f"sum(increase({_series(alert, selector)}[{over}]{offset}))"


def _series(alert: AnyAlert, selector: Selector) -> str:
    matchers = (Matcher("@resource.service.name", "=", alert.service), *selector.matchers)
    return _quoted(selector.instrument.name, matchers)


def _vended(own: _Own, alert: AnyAlert, metric: CloudWatchMetric | None) -> str:
    assert metric is not None  # noqa: S101  # else the engine does not have it
    scope = "cloudwatch." + metric.namespace.lower()
    matchers = [Matcher("@instrumentation.@name", "=", scope)]
    for name, placeholder in metric.dimensions:
        if placeholder.startswith("@"):
            values = own.get(placeholder, ())
            if not values:
                raise UserError(
                    f"{alert.name}: watches {placeholder[1:]}, of which the catalogue has none",
                    hint="take the alert out",
                    file=alert.source.file,
                    line=alert.source.line,
                )
            matchers.append(Matcher(name, "=~", "|".join(values)))
        else:
            matchers.append(Matcher(name, "=", resource(alert, placeholder)))
    return _quoted(metric.name, matchers)


def _quoted(name: str, matchers: tuple[Matcher, ...] | list[Matcher]) -> str:
    labels = [
        f'"{matcher.label}"{label_set([Matcher("", matcher.op, matcher.value)])[1:-1]}'
        for matcher in matchers
    ]
    return "{" + ", ".join([f'"{name}"', *labels]) + "}"


def _differences(alert: Alert | BurnAlert) -> list[Difference]:
    reasons = []
    if alert.environment.every < _INTERVALS[0]:
        reasons.append(
            f"CloudWatch PromQL: looks every {_INTERVALS[0]} s, not every {duration_text(alert.environment.every)}"
        )
    if isinstance(alert, BurnAlert) or (isinstance(alert.signal, Ratio | Share | Count)):
        reasons.append("CloudWatch PromQL: counts are extrapolated by increase()")
    if isinstance(alert, Alert) and alert.when_missing == "keep":
        reasons.append("CloudWatch PromQL: a firing alert is over when there is no data; keep is not there")
    return [Difference(alert.name, alert.source.short, reason) for reason in reasons]
