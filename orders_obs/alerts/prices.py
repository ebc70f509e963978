"""What alarms cost: AWS's list prices as data, with their date, and the bill that follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "ALARM_METRIC_USD",
    "COMPOSITE_USD",
    "HIGH_RESOLUTION_USD",
    "PRICES_AS_OF",
    "Bill",
    "bill",
    "priced_metrics",
]

PRICES_AS_OF = "2026-11"
"""The month of the price list: Amazon CloudWatch pricing, us-east-1, without the free tier of 10 alarm metrics."""
ALARM_METRIC_USD = 0.10
"""USD a month for each metric of a standard alarm, those in an expression included."""
HIGH_RESOLUTION_USD = 0.30
"""USD a month for each metric of an alarm with a period below a minute."""
COMPOSITE_USD = 0.50
"""USD a month for a composite alarm."""
_ANOMALY_METRICS = 3
"""An anomaly alarm is charged for its metric and the two bounds of its band."""
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Bill:
    """What alarms cost.

    Attributes:
        metrics: Metrics in standard alarms.
        fast_metrics: Metrics in alarms of high resolution.
        composites: Composite alarms.
        unpriced: Alarms on a query, whose price depends on what the query reads.
    """

    metrics: int = 0
    fast_metrics: int = 0
    composites: int = 0
    unpriced: int = 0

    @property
    def usd(self) -> float:
        """USD a month at list price, what is not priced left out."""
        return round(
            self.metrics * ALARM_METRIC_USD
            + self.fast_metrics * HIGH_RESOLUTION_USD
            + self.composites * COMPOSITE_USD,
            2,
        )

    def __str__(self) -> str:
        more = f", and {self.unpriced} on a query, which is charged by what it reads" if self.unpriced else ""
        return f"{self.usd:.2f} USD a month at list price ({PRICES_AS_OF}, us-east-1){more}"


def bill(alarms: Iterable[Mapping[str, Any]]) -> Bill:
    """What alarms cost, each given as the arguments of `put_metric_alarm` or `put_composite_alarm`."""
    metrics = fast = composites = unpriced = 0
    for alarm in alarms:
        if "AlarmRule" in alarm:
            composites += 1
            continue
        number, shortest = priced_metrics(alarm)
        if not number:
            unpriced += 1
        elif shortest < _MINUTE:
            fast += number
        else:
            metrics += number
    return Bill(metrics, fast, composites, unpriced)


def priced_metrics(alarm: Mapping[str, Any]) -> tuple[int, int]:
    """How many metrics an alarm is charged for, and its shortest period in seconds; (0, 0) where it evaluates a query.

    Args:
        alarm: Arguments of `put_metric_alarm`.
    """
    queries = alarm.get("Metrics") or []
    if "EvaluationCriteria" in alarm or any(
        str(query.get("Expression", "")).lstrip().upper().startswith("SELECT") for query in queries
    ):
        return 0, 0
    if not queries:
        return 1, int(alarm.get("Period", _MINUTE))
    statistics = [query["MetricStat"] for query in queries if query.get("MetricStat")]
    number = _ANOMALY_METRICS if alarm.get("ThresholdMetricId") else len(statistics)
    return number, min((int(stat.get("Period", _MINUTE)) for stat in statistics), default=_MINUTE)
