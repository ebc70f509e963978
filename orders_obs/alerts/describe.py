"""An alert in words and numbers, the same on every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orders_obs.alerts.model import Alert, BurnAlert, EventAlert
from orders_obs.alerts.units import duration_text
from orders_obs.signals.model import Count, Level, Presence, Ratio, Share

if TYPE_CHECKING:
    from orders_obs.alerts.model import AnyAlert

__all__ = ["amount", "breach", "describe", "number", "title"]

_SIDES = {"above": "above", "below": "below", "at_least": "at least", "at_most": "at most"}
_STATISTICS = {"Average": "average", "Maximum": "maximum", "Minimum": "minimum"}
_KIB = 1024.0


def describe(alert: AnyAlert) -> str:
    """When an alert fires, such as `http_error_ratio is above 5% over 5m; a sample needs 100 events`."""
    if isinstance(alert, BurnAlert):
        return _burning(alert)
    if isinstance(alert, EventAlert):
        return f"AWS announces it: {alert.signal.description.rstrip('.')}"
    if not isinstance(alert, Alert):
        return "its own expression says so"
    text = breach(alert)
    if not isinstance(alert.signal, Presence):
        text += f" over {duration_text(alert.over)}"
    if alert.samples > 1:
        text += f", in {alert.breaching} of the last {alert.samples} samples"
    if alert.minimum:
        text += f"; a sample needs {alert.minimum} events"
    return text


def breach(alert: Alert) -> str:
    """When one sample breaches."""
    signal, side = alert.signal, _SIDES[alert.comparison]
    if isinstance(signal, Presence):
        return f"{signal.name} is absent for {duration_text(alert.over)}"
    if isinstance(signal, Count):
        return f"{signal.name} is {side} {number(alert.threshold)}"
    if isinstance(signal, Level):
        return (
            f"{signal.name} ({_STATISTICS[alert.statistic]}) is {side} {amount(alert.threshold, signal.unit)}"
        )
    share = f"{number(alert.threshold * 100)}%"
    if isinstance(signal, Ratio):
        return f"{signal.name} is {side} {share}"
    assert alert.bound is not None  # noqa: S101  # the catalogue gives every share a bound
    return f"the share of {signal.name} slower than {duration_text(alert.bound)} is {side} {share}"


def title(alert: AnyAlert) -> str:
    """What it is about, for a headline."""
    if isinstance(alert, Alert | BurnAlert | EventAlert):
        return alert.signal.title
    return alert.name.replace("_", " ")


def amount(value: float, unit: str) -> str:
    """A level with its unit: `80%`, `10GiB`, `30s`, `80 connections`."""
    if unit == "1":
        return f"{number(value * 100)}%"
    if unit == "s":
        return duration_text(value)
    if unit == "By":
        for power, name in ((3, "GiB"), (2, "MiB"), (1, "KiB")):
            if value >= _KIB**power:
                return f"{number(round(value / _KIB**power, 3))}{name}"
        return f"{number(value)}B"
    word = unit.strip("{}")
    return f"{number(value)} {word if value == 1 else word + 's'}"


def number(value: float) -> str:
    """A number without exponent and without needless zeros."""
    return f"{value:.9f}".rstrip("0").rstrip(".")


def _burning(alert: BurnAlert) -> str:
    bad = (
        f"slower than {duration_text(alert.bound)}"
        if isinstance(alert.signal, Share) and alert.bound
        else "bad"
    )
    pairs = " or ".join(
        f"more than {number(window.threshold * 100)}% are {bad} over {duration_text(window.long)} and over"
        f" {duration_text(window.short)} (the budget of {number(round((1 - alert.objective) * 100, 6))}% burns {number(window.factor)} times"
        f" too fast; {window.minimum} events needed)"
        for window in alert.windows
    )
    return f"of {alert.signal.name}, {pairs}"
