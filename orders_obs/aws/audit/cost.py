"""What alarms cost a month, each by itself, at the list price that orders_obs.alerts.prices has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders_obs.alerts.prices import (
    ALARM_METRIC_USD,
    COMPOSITE_USD,
    HIGH_RESOLUTION_USD,
    PRICES_AS_OF,
    priced_metrics,
)
from orders_obs.aws.audit.model import Cost

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orders_obs.aws.audit.alarms import Alarm

__all__ = ["CAVEAT", "costs", "total"]

CAVEAT = f"list price of us-east-1 as of {PRICES_AS_OF}, before free tier and discounts; other regions differ"
_MINUTE = 60


def costs(alarms: Iterable[Alarm]) -> tuple[Cost, ...]:
    """What each alarm costs, dearest first; what has no price of its own at the end."""
    found = [_cost(alarm) for alarm in alarms]
    return tuple(sorted(found, key=lambda cost: (cost.usd is None, -(cost.usd or 0), cost.alarm)))


def total(found: Iterable[Cost]) -> float:
    """The sum of what has a price."""
    return sum(cost.usd or 0.0 for cost in found)


def _cost(alarm: Alarm) -> Cost:
    if alarm.kind == "composite":
        return Cost(alarm.name, COMPOSITE_USD, "composite")
    metrics, period = (0, _MINUTE) if alarm.kind == "log" else priced_metrics(alarm.view.arguments)
    if not metrics:
        return Cost(alarm.name, None, "by what its query reads")
    fast = period < _MINUTE
    price = HIGH_RESOLUTION_USD if fast else ALARM_METRIC_USD
    words = f"{metrics} metric{'s' if metrics > 1 else ''}{' at high resolution' if fast else ''}"
    band = ", two of them the bounds of its band" if alarm.view.is_anomaly else ""
    return Cost(alarm.name, round(metrics * price, 2), words + band)
