"""An alert in words and numbers, the same on every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders_obs.alerts.units import duration_text
from orders_obs.signals.model import Count, Ratio

if TYPE_CHECKING:
    from orders_obs.alerts.model import Alert

__all__ = ["breach", "describe", "number"]


def describe(alert: Alert) -> str:
    """When an alert fires, such as `http_error_ratio is above 5% over 5m; a sample needs 100 events`."""
    text = f"{breach(alert)} over {duration_text(alert.over)}"
    if alert.samples > 1:
        text += f", in {alert.breaching} of the last {alert.samples} samples"
    if alert.minimum:
        text += f"; a sample needs {alert.minimum} events"
    return text


def breach(alert: Alert) -> str:
    """When one sample breaches."""
    if isinstance(alert.signal, Count):
        return f"{alert.signal.name} is {alert.comparison} {number(alert.threshold)}"
    share = f"{number(alert.threshold * 100)}%"
    if isinstance(alert.signal, Ratio):
        return f"{alert.signal.name} is {alert.comparison} {share}"
    assert alert.bound is not None  # noqa: S101  # the catalogue gives every share a bound
    return f"the share of {alert.signal.name} slower than {duration_text(alert.bound)} is {alert.comparison} {share}"


def number(value: float) -> str:
    """A number without exponent and without needless zeros."""
    return f"{value:.9f}".rstrip("0").rstrip(".")
