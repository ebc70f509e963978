"""What the alerts on a signal add to a panel of it: lines in their severity's colour, their conditions in words, their runbooks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.describe import describe
from orders_obs.dashboards.base import link_to
from orders_obs.signals import Count, Presence, Share

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orders_obs.alerts.model import Alert, AnyAlert, Severity

__all__ = ["color_of", "of_signal", "quantile_text", "runbooks", "threshold_lines", "with_conditions"]

_GOOD = "green"
# Grafana draws a line below a transparent step in the colour of the step before it: "less than" (its `getThresholdsDrawHook`).
_UNPAINTED = "transparent"
_BY_RANK = ("red", "orange", "yellow")


def color_of(severity: Severity) -> str:
    """Red for who pages, then by rank; blue for what is only recorded."""
    if severity.log:
        return "blue"
    return "red" if severity.page else _BY_RANK[min(severity.rank, len(_BY_RANK) - 1)]


def of_signal(name: str, alerts: Iterable[Alert]) -> list[Alert]:
    """The alerts on a signal, the mildest first."""
    return sorted(
        (alert for alert in alerts if alert.signal.name == name), key=lambda alert: -alert.severity.rank
    )


def threshold_lines(
    name: str, alerts: Sequence[Alert], *, scale: float = 1, q: float | None = None, painted: bool = False
) -> tuple[tuple[float | None, str], ...]:
    """Steps with a line at each threshold of the alerts on a signal; where two meet, the worse one's.

    Of a count it is the rate that breaches when it lasts for a sample. Of a latency that is shown as a quantile it is the bound,
    for the alerts whose share belongs to that quantile: more than 1% above the bound is a p99 above it; else it is the share.

    Args:
        name: The signal.
        alerts: Any alerts; those on other signals are left out.
        scale: What the panel shows for 1 of the signal, such as 100 for a percentage.
        q: The quantile that the panel shows.
        painted: Whether the steps colour values, as in a number's panel; else they are lines.
    """
    high: dict[float, str] = {}
    low: dict[float, str] = {}
    for alert in of_signal(name, alerts):
        value = _shown(alert, q)
        if value is not None:
            (high if alert.high_is_bad else low)[round(value * scale, 9)] = color_of(alert.severity)
    if not low:
        return ((None, _GOOD), *sorted(high.items()))
    # A value breaches below the lowest threshold in that one's colour, and above the highest not at all.
    bounds = sorted(low)
    colors = [low[bound] for bound in bounds]
    good = _GOOD if painted else _UNPAINTED
    steps: list[tuple[float | None, str]] = list(zip([None, *bounds], [*colors, good], strict=True))
    return (*steps, *((value, color) for value, color in sorted(high.items()) if value > bounds[-1]))


def with_conditions(text: str, alerts: Sequence[AnyAlert]) -> str:
    """A description with when the alerts fire, in words, the worst first."""
    texts = [
        f"{alert.name} ({alert.severity.name}): {describe(alert)}." for alert in sorted(alerts, key=_rank)
    ]
    return f"{text} Alerts: {' '.join(texts)}" if texts else text


def quantile_text(title: str, q: float) -> str:
    """What a quantile of a latency says.

    Args:
        title: Of the latency.
        q: From 0 to 1.
    """
    return f"The {title.lower()} that {q * 100:g} of 100 stay within, estimated from the histogram's buckets."


def runbooks(alerts: Iterable[AnyAlert]) -> list[dict[str, Any]]:
    """A link to each runbook of the alerts, as a panel has it."""
    pages = {alert.runbook: alert.name for alert in sorted(alerts, key=_rank) if alert.runbook}
    return [link_to(f"Runbook: {name}", page) for page, name in pages.items()]


def _shown(alert: Alert, q: float | None) -> float | None:
    if isinstance(alert.signal, Presence):
        return None
    if isinstance(alert.signal, Count):
        return alert.threshold / alert.over
    if isinstance(alert.signal, Share) and q is not None:
        return alert.bound if math.isclose(alert.threshold, 1 - q) else None
    return alert.threshold


def _rank(alert: AnyAlert) -> tuple[int, str]:
    return alert.severity.rank, alert.name
