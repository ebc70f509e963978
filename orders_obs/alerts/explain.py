"""An alert explained: what it watches, how fast it fires and recovers, what silence does, what it costs, whom it tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.compile import cloudwatch
from orders_obs.alerts.describe import describe, number
from orders_obs.alerts.evaluate import SampleRule
from orders_obs.alerts.units import duration_text
from orders_obs.errors import UserError
from orders_obs.signals.model import Count

if TYPE_CHECKING:
    from orders_obs.alerts.model import Alert

__all__ = ["ALARM_METRIC_USD", "Explanation", "explain", "seconds_until"]

ALARM_METRIC_USD = 0.10
"""USD a month for a standard alarm's metric, of which each in an expression counts: AWS's list price in us-east-1, as known in 2026."""
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


def explain(alert: Alert) -> Explanation:
    """An alert in words and numbers."""
    signal = alert.signal
    rows = [
        ("watches", f"{signal.title}. {signal.description}"),
        ("fires", f"while {describe(alert)}"),
        ("how fast", _speeds(alert)),
        ("recovers", _recovery(alert)),
        ("no data", _NO_DATA[alert.when_missing]),
    ]
    if alert.minimum:
        a_minute = number(round(alert.minimum / alert.over * 60, 1))
        window = duration_text(alert.over)
        said = f"a sample with fewer than {alert.minimum} events in {window} ({a_minute} a minute) is missing"
        rows.append(("low traffic", said))
    rows += [("tells", _told(alert)), ("prometheus", _prometheus(alert)), ("cloudwatch", _cloudwatch(alert))]
    if alert.runbook:
        rows.append(("runbook", alert.runbook))
    return Explanation(alert.full_name, str(alert.source), tuple(rows))


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
    once = alert.threshold / alert.over if isinstance(alert.signal, Count) else alert.threshold
    if alert.comparison == "below":
        return [(0.0, "at 0"), (once / 2, "at half the threshold")]
    if isinstance(alert.signal, Count):
        return [(once * 10, "at ten times the threshold"), (once * 2, "at twice the threshold")]
    shares = [share for share in (once * 10, once * 2) if share < 1]
    return [(1.0, "at 100%"), *((share, f"at {number(round(share * 100, 6))}%") for share in shares)]


def _good(alert: Alert) -> float:
    """A level that does not breach."""
    if alert.comparison == "above":
        return 0.0
    return alert.threshold * 2 / alert.over if isinstance(alert.signal, Count) else 1.0


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


def _told(alert: Alert) -> str:
    if not alert.severity.topic:
        return "nobody: the severity has no topic"
    return f"topic {alert.severity.topic}-{alert.environment.name}" + (
        ", and pages" if alert.severity.page else ""
    )


def _prometheus(alert: Alert) -> str:
    return (
        f"looks every {duration_text(alert.environment.every)}; a scrape and an evaluation later than above"
    )


def _cloudwatch(alert: Alert) -> str:
    try:
        alarm = cloudwatch.compile_alarm(alert)
    except UserError as error:
        return f"not there: {error.message}"
    metrics = sum("MetricStat" in query for query in alarm.get("Metrics", ())) or 1
    return (
        f"{metrics} metrics, {metrics * ALARM_METRIC_USD:.2f} USD a month at list price; {_CLOUDWATCH_LATE}"
    )
