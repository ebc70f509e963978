"""An alert explained: what it watches, how fast it fires and recovers, what silence does, what it costs, whom it tells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.compile import cloudwatch
from orders_obs.alerts.compile.engines import missing_on
from orders_obs.alerts.compile.names import topic_name
from orders_obs.alerts.describe import describe, number
from orders_obs.alerts.evaluate import SampleRule
from orders_obs.alerts.model import Alert, BurnAlert, EventAlert, RawAlert
from orders_obs.alerts.prices import ALARM_METRIC_USD, COMPOSITE_USD
from orders_obs.alerts.reach import by_alertmanager, by_aws
from orders_obs.alerts.units import duration_text
from orders_obs.errors import UserError
from orders_obs.signals.aws_metrics import AWS_NAMESPACES
from orders_obs.signals.model import Count, Level, Presence, Ratio, Share

if TYPE_CHECKING:
    from orders_obs.alerts.model import AnyAlert, Engine

__all__ = ["ALARM_METRIC_USD", "COMPOSITE_USD", "Explanation", "alarm_parts", "explain", "seconds_until"]

_CLOUDWATCH_LATE = "its metrics arrive 1 to 2 minutes later than that"

_NO_DATA = {
    "ok": "a missing sample counts as good, so the alert ends when data end",
    "breach": "a missing sample breaches, so the alert fires when data end",
    "keep": "the alert stays as it is, firing or not, until there are samples again",
    "unknown": "CloudWatch says INSUFFICIENT_DATA, Prometheus counts a missing sample as good",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What there is to say of an alert, as pairs of a word and a sentence."""

    name: str
    source: str
    rows: tuple[tuple[str, str], ...]

    def text(self) -> str:
        """For a terminal."""
        return (
            "\n".join([f"{self.name}   {self.source}", *(f"  {word:12} {said}" for word, said in self.rows)])
            + "\n"
        )

    def as_data(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "name": self.name,
            "source": self.source,
            **{word.replace(" ", "_"): said for word, said in self.rows},
        }


def explain(alert: AnyAlert) -> Explanation:
    """An alert in words and numbers."""
    rows = []
    if isinstance(alert, Alert | BurnAlert | EventAlert):
        rows.append(("watches", f"{alert.signal.title}. {alert.signal.description}"))
    rows.append(("fires", f"while {describe(alert)}"))
    if isinstance(alert, RawAlert) and (alert.cloudwatch or {}).get("AlarmDescription"):
        rows.append(("says", " ".join(str((alert.cloudwatch or {})["AlarmDescription"]).split())))
    if isinstance(alert, Alert):
        rows += _sampled_rows(alert)
    elif isinstance(alert, BurnAlert):
        rows += _burn_rows(alert)
    elif isinstance(alert, EventAlert):
        rows += [
            ("how fast", "as soon as AWS announces it, each time"),
            ("recovers", "never: it is an announcement"),
            ("no data", "nothing: AWS announces as best it can, so silence proves nothing"),
        ]
    if alert.mode == "shadow":
        rows.append(("mode", "shadow: evaluated, and tells nobody"))
    rows += [
        ("tells", _told(alert)),
        ("prometheus", _prometheus(alert)),
        ("cloudwatch", _cloudwatch(alert)),
        ("promql", _promql(alert)),
    ]
    if alert.owner:
        rows.append(("owner", alert.owner))
    if alert.runbook:
        rows.append(("runbook", alert.runbook))
    return Explanation(alert.full_name, str(alert.source), tuple(rows))


def _sampled_rows(alert: Alert) -> list[tuple[str, str]]:
    rows = []
    if not isinstance(alert.signal, Presence):
        rows += [("how fast", _speeds(alert)), ("recovers", _recovery(alert))]
    else:
        span = duration_text(alert.over * alert.breaching)
        rows += [("how fast", f"{span} after the last sign of it"), ("recovers", "at the first sign of it")]
    rows.append(("no data", _NO_DATA[alert.when_missing]))
    if alert.minimum:
        a_minute = number(round(alert.minimum / alert.over * 60, 1))
        window = duration_text(alert.over)
        said = f"a sample with fewer than {alert.minimum} events in {window} ({a_minute} a minute) is missing"
        rows.append(("low traffic", said))
    return rows


def _burn_rows(alert: BurnAlert) -> list[tuple[str, str]]:
    fast = "; ".join(
        f"when all fail, {duration_text(math.ceil(window.long * window.threshold))} for the window of {duration_text(window.long)}"
        for window in alert.windows
    )
    over = "; ".join(
        f"{duration_text(window.short)} after all is well where the window of {duration_text(window.long)} burned"
        for window in alert.windows
    )
    least = ", ".join(f"{window.minimum} in {duration_text(window.long)}" for window in alert.windows)
    return [
        ("how fast", fast),
        ("recovers", over),
        ("no data", "without events nothing burns"),
        ("low traffic", f"a window with fewer events says nothing: {least}"),
    ]


def seconds_until(alert: Alert, before: float, after: float) -> float | None:
    """How long after a steady signal changes its level the alert changes its state, by the plain sample rule.

    Args:
        alert: The alert.
        before: The level until now: a share from 0 to 1 for a ratio or latency, events per second for a count.
        after: The level from now on.

    Returns:
        Seconds to the first look that sees it, where a look falls on the change; one `every` more at worst. None where the change
        does not change the alert.
    """
    rule, every = SampleRule.of(alert), alert.environment.every

    def value(end: float) -> float:
        new = min(max(end, 0.0), alert.over)
        mean = (before * (alert.over - new) + after * new) / alert.over
        # The same rounding that a share has in the catalogue keeps 0.05 from being above 0.05.
        return round(mean * alert.over if isinstance(alert.signal, Count) else mean, 9)

    def fires(now: float, *, fired: bool) -> bool:
        ends = [now - back * alert.over for back in reversed(range(alert.samples))]
        return rule.fires([value(end) for end in ends], fired=fired)

    fired = fires(0.0, fired=False)
    for look in range(1, round((alert.samples + 1) * alert.over / every) + 1):
        if fires(look * every, fired=fired) is not fired:
            return look * every
    return None


def _levels(alert: Alert) -> list[tuple[float, str]]:
    """Levels that breach, and how to say them."""
    signal = alert.signal
    once = alert.threshold / alert.over if isinstance(signal, Count) else alert.threshold
    if not alert.high_is_bad:
        return [(0.0, "at 0"), (once / 2, "at half the threshold")]
    if isinstance(signal, Count) or (isinstance(signal, Level) and signal.unit != "1"):
        return [(once * 10, "at ten times the threshold"), (once * 2, "at twice the threshold")]
    shares = [share for share in (once * 10, once * 2) if share < 1]
    return [(1.0, "at 100%"), *((share, f"at {number(round(share * 100, 6))}%") for share in shares)]


def _good(alert: Alert) -> float:
    """A level that does not breach."""
    if alert.high_is_bad:
        return 0.0
    if isinstance(alert.signal, Ratio | Share):
        return 1.0
    return alert.threshold * 2 / (alert.over if isinstance(alert.signal, Count) else 1)


def _speeds(alert: Alert) -> str:
    return "; ".join(
        f"{said} {_after(seconds_until(alert, _good(alert), level))}" for level, said in _levels(alert)
    )


def _recovery(alert: Alert) -> str:
    return "; ".join(
        f"from {said[3:]} {_after(seconds_until(alert, level, _good(alert)))}"
        for level, said in _levels(alert)
    )


def _after(seconds: float | None) -> str:
    return "never" if seconds is None else f"after {duration_text(seconds)}"


def _told(alert: AnyAlert) -> str:
    severity = alert.severity
    if alert.mode == "shadow":
        return "nobody: it is in shadow"
    if severity.log:
        return "nobody: it is recorded"
    said: dict[str, str] = {}
    somebody = False
    if not _absent(alert, "prometheus"):
        said["Alertmanager"], somebody = _by_alertmanager(alert)
    if not _absent(alert, "cloudwatch") or not _absent(alert, "cloudwatch-promql"):
        said["AWS"], there = _by_aws(alert)
        somebody = somebody or there
    if not said:
        return f"nobody: no engine of {alert.environment.name} has it"
    told = (
        "; ".join(f"on {engine} {words}" for engine, words in said.items())
        if len(said) > 1
        else next(iter(said.values()))
    )
    return (
        f"{told}{'; and pages' if len(said) > 1 else ', and pages'}" if severity.page and somebody else told
    )


def _by_alertmanager(alert: AnyAlert) -> tuple[str, bool]:
    """Whom Alertmanager tells, and whether that is anybody."""
    if isinstance(alert, RawAlert) and "alert" in (alert.prometheus or {}):
        return "whom the rule's own labels lead to", True
    way = by_alertmanager(alert.severity, alert.environment)
    return _way(way.reached, way.lost, "nobody: the severity has no receiver there"), bool(way.reached)


def _by_aws(alert: AnyAlert) -> tuple[str, bool]:
    """Whom AWS tells, and whether that is anybody of whom the catalogue knows."""
    severity = alert.severity
    own = alert.cloudwatch or {} if isinstance(alert, RawAlert) else {}
    if own.get("ActionsEnabled") is False:
        return "nobody: its actions are disabled", False
    if "AlarmActions" in own:
        told = ", ".join(map(str, own["AlarmActions"]))
        return f"what its own alarm names: {told}" if told else "nobody: its alarm has no AlarmActions", False
    if not severity.topic:
        return "nobody: the severity has no topic", False
    topic = f"topic {topic_name(severity, alert.environment)}"
    if not severity.own_topic:
        return f"{topic}, managed elsewhere", True
    way = by_aws(severity, alert.environment)
    nobody = f"nobody: {topic} has no subscriber"
    return _way((topic, *way.reached) if way.reached else (), way.lost, nobody), bool(way.reached)


def _way(reached: tuple[str, ...], lost: tuple[str, ...], nobody: str) -> str:
    said = ", ".join(reached) or nobody
    return f"{said} ({'; '.join(lost)})" if lost else said


def _absent(alert: AnyAlert, engine: Engine) -> str:
    """Why an engine does not evaluate an alert in its environment; empty where it does."""
    if alert.engines and engine not in alert.engines:
        return "its engines leave it out"
    if engine not in alert.environment.engines and engine not in alert.engines:
        return f"{alert.environment.name} has no such engine"
    return missing_on(alert, engine)


def _prometheus(alert: AnyAlert) -> str:
    reason = _absent(alert, "prometheus")
    if reason:
        return f"not there: {reason}"
    return (
        f"looks every {duration_text(alert.environment.every)}; a scrape and an evaluation later than above"
    )


def _cloudwatch(alert: AnyAlert) -> str:
    reason = _absent(alert, "cloudwatch")
    if reason:
        return f"not there: {reason}"
    if isinstance(alert, EventAlert):
        return "an EventBridge rule, at no price"
    try:
        metrics, composites = alarm_parts(alert)
    except UserError as error:
        return f"not there: {error.message}"
    price = metrics * ALARM_METRIC_USD + composites * COMPOSITE_USD
    joined = f" and {composites} composite" if composites else ""
    named = f"{metrics} metric{'' if metrics == 1 else 's'}"
    sent = _to_be_sent(alert)
    return f"{named}{joined}, {price:.2f} USD a month at list price; {_CLOUDWATCH_LATE}{sent}"


def _to_be_sent(alert: AnyAlert) -> str:
    """What the service itself must send to CloudWatch."""
    metric = getattr(getattr(alert, "signal", None), "cloudwatch", None)
    if metric is None or metric.namespace in AWS_NAMESPACES:
        return ""
    return (
        f"; the service itself must send {metric.namespace} {metric.name} there, else there is nothing to see"
    )


def _promql(alert: AnyAlert) -> str:
    reason = _absent(alert, "cloudwatch-promql")
    return (
        f"not there: {reason}"
        if reason
        else "as a CloudWatch PromQL alarm (experimental), for metrics sent by OTLP"
    )


def alarm_parts(alert: AnyAlert) -> tuple[int, int]:
    """How many metrics and composites an alert is on CloudWatch, what mutes it left out.

    Raises:
        UserError: It cannot be expressed there.
    """
    alarms = cloudwatch.compile_one(alert)
    metrics = sum(
        sum("MetricStat" in query for query in alarm.get("Metrics", ())) or 1 for alarm in alarms.metric
    )
    return metrics, len(alarms.composite)
