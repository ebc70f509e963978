"""The words of the catalogue that mean the condition of an alarm, where there are any: found by building them and comparing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orders_obs.alerts import conditions
from orders_obs.alerts.compile import cloudwatch
from orders_obs.alerts.describe import amount, number
from orders_obs.alerts.model import Source
from orders_obs.alerts.nodes import Node, compose
from orders_obs.alerts.raw import HEAD
from orders_obs.alerts.units import duration_text
from orders_obs.aws.normal import comparable
from orders_obs.errors import UserError
from orders_obs.signals import SIGNALS
from orders_obs.signals.model import Count, Event, Level, Presence, Ratio, Share

if TYPE_CHECKING:
    from orders_obs.alerts.model import Environment, SampledSignal, Severity
    from orders_obs.aws.importing.existing import Existing
    from orders_obs.signals.model import CloudWatchMetric

__all__ = ["readable"]

_SIDES = {
    "GreaterThanThreshold": "above",
    "LessThanThreshold": "below",
    "GreaterThanOrEqualToThreshold": "at_least",
    "LessThanOrEqualToThreshold": "at_most",
}
_MISSING = {"notBreaching": "ok", "breaching": "breach", "ignore": "keep", "missing": "unknown"}
_STATISTICS = {"Average": "average", "Maximum": "maximum", "Minimum": "minimum"}
_SCALE = {"Percent": 100.0, "Milliseconds": 1000.0, "Megabytes": 1e-6, "Kilobytes": 1e-3}
_MINIMUM = re.compile(r">= (\d+), ")
_BOUND = re.compile(r"PR\(:([0-9.]+)\)")
_NOWHERE = Source(Path("an alarm"), 1)


def readable(thing: Existing, environment: Environment, severity: Severity) -> tuple[str, ...]:
    """Lines of YAML with the same condition in the words of the catalogue; empty where the language has none.

    Args:
        thing: The alarm.
        environment: Where, with the resources that fill dimensions.
        severity: Whom it is to tell.
    """
    if thing.kind != "metric-alarm":
        return ()
    wanted = _condition(thing.arguments)
    metrics = _metrics(thing.arguments)
    for signal in SIGNALS.values():
        if isinstance(signal, Event) or metrics != {(m.namespace, m.name) for m in _of_signal(signal)}:
            continue
        words = _words(signal, thing.arguments)
        made = _built(signal, words, environment, severity) if words else None
        if made is not None and made == wanted:
            shared = [
                f"{key}: {value}" for key, value in words.items() if key not in conditions.CONDITION_WORDS
            ]
            own = ", ".join(
                f"{key}: {value}" for key, value in words.items() if key in conditions.CONDITION_WORDS
            )
            return (f"signal: {signal.name}", *shared, f"{severity.name}: {{{own}}}")
    return ()


def _condition(arguments: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in comparable("metric-alarm", arguments).items() if key not in HEAD}


def _metrics(arguments: dict[str, Any]) -> set[tuple[str, str]]:
    """Namespace and name of each metric that it reads."""
    if "MetricName" in arguments:
        return {(str(arguments.get("Namespace")), str(arguments["MetricName"]))}
    stats = [query["MetricStat"]["Metric"] for query in arguments.get("Metrics", ()) if "MetricStat" in query]
    return {(str(metric.get("Namespace")), str(metric.get("MetricName"))) for metric in stats}


def _of_signal(signal: SampledSignal) -> tuple[CloudWatchMetric, ...]:
    if isinstance(signal, Ratio):
        return (*signal.cloudwatch_part, *signal.cloudwatch_total)
    return (signal.cloudwatch,) if signal.cloudwatch else ()


def _words(signal: SampledSignal, arguments: dict[str, Any]) -> dict[str, str]:
    """What the words would have to be; empty where there can be none."""
    queries = arguments.get("Metrics", ())
    periods = {query["MetricStat"]["Period"] for query in queries if "MetricStat" in query}
    period = arguments.get("Period") or (periods.pop() if len(periods) == 1 else 0)
    samples = arguments.get("EvaluationPeriods", 0)
    side = _SIDES.get(str(arguments.get("ComparisonOperator")), "")
    threshold = arguments.get("Threshold")
    if not (period and samples and side) or threshold is None:
        return {}
    breaching = arguments.get("DatapointsToAlarm", samples)
    counted = {"breaching": f"{breaching} of {samples}"} if samples > 1 else {}
    if isinstance(signal, Presence):
        return {"absent_for": duration_text(period), **counted}
    words = {"over": duration_text(period), **counted}
    missing = _MISSING.get(str(arguments.get("TreatMissingData", "missing")), "")
    if missing != "ok":
        words["when_missing"] = missing
    if isinstance(signal, Level):
        assert signal.cloudwatch is not None  # noqa: S101  # its metric is the alarm's
        value = round(threshold / _SCALE.get(signal.cloudwatch.unit, 1.0), 9)
        statistic = str(arguments.get("Statistic"))
        if statistic != signal.statistic:
            words["statistic"] = _STATISTICS.get(statistic, "")
        return {side: amount(value, signal.unit), **words}
    if isinstance(signal, Count):
        return {side: f"{number(threshold)} {signal.counted.strip('{}')}s", **words}
    texts = " ".join(str(query.get("Expression", "")) for query in queries)
    minimum = _MINIMUM.search(texts)
    if minimum is None:
        return {}
    words["minimum"] = f"{minimum[1]} {_counted(signal)}s"
    found: dict[str, str] = {}
    if isinstance(signal, Share):
        bound = _BOUND.search(" ".join(str(query.get("MetricStat", {}).get("Stat", "")) for query in queries))
        if bound is None:
            return {}
        found["slower_than"] = duration_text(float(bound[1]))
    return {**found, side: f"{number(threshold * 100)}%", **words}


def _counted(signal: Ratio | Share) -> str:
    """What a minimum counts."""
    events = signal.total if isinstance(signal, Ratio) else signal.events
    unit = events.instrument.unit
    return unit.strip("{}") if unit.startswith("{") else "request"


def _built(
    signal: SampledSignal, words: dict[str, str], environment: Environment, severity: Severity
) -> dict[str, Any] | None:
    """The condition that the words would make; None where the language or the engine refuses them."""
    text = "".join(f"{key}: {value}\n" for key, value in words.items())
    composed = compose(text, _NOWHERE.file)
    assert composed is not None  # noqa: S101  # there are words
    place = Node(_NOWHERE.file, composed, signal.name)
    common = {
        "name": "imported", "alert_id": "imported", "was": (), "service": "imported", "environment": environment,
        "severity": severity, "owner": "", "runbook": "", "mode": "live", "engines": (), "source": _NOWHERE,
    }  # fmt: skip
    try:
        alert = conditions.sampled(signal, place.mapping(), place, common)
        made = cloudwatch.compile_one(alert)
    except UserError:
        return None
    return _condition(made.metric[0]) if len(made.metric) == 1 and not made.composite else None
