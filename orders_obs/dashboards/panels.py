"""Panels made from signals: title, unit, description and expression are the signal's, threshold lines are its alerts'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.grafana import PromTarget, TimeSeriesPanel
from orders_obs.signals import SIGNALS, Count, Level, Ratio, Share, promql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders_obs.alerts import Alert

__all__ = ["JOB", "PROMETHEUS", "panel_of", "threshold_lines", "unit_of"]

PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}
"""The data source that the dashboard's variable names."""
JOB = 'job=~"$job"'
"""The services that the dashboard's variable names."""

_WINDOW = "$__rate_interval"
# UCUM of a rate or level to Grafana's id.
_UNITS = {
    "{request}": "reqps",
    "{connection}": "short",
    "{task}": "short",
    "{error}": "ops",
    "{order}": "ops",
    "s": "s",
}
_COLORS = {"critical": "red", "warning": "orange"}


def unit_of(ucum: str) -> str:
    """Grafana's id for events of this unit per second, or for a level in it."""
    return _UNITS[ucum]


def panel_of(
    name: str, *, alerts: Sequence[Alert] = (), by: Sequence[str] = (), q: float = 0.99, **options: Any
) -> TimeSeriesPanel:
    """A graph of a signal.

    Args:
        name: The signal.
        alerts: Those whose thresholds on this signal are drawn.
        by: Labels that split the graph.
        q: For a latency: the quantile.
        options: Attributes of the panel that differ, such as `title`.
    """
    signal = SIGNALS[name]
    legend = " ".join(f"{{{{{label}}}}}" for label in by) or signal.title.lower()
    exemplar = False
    if isinstance(signal, Ratio):
        expr, unit = promql.ratio(signal, JOB, window=_WINDOW, by=by), "percentunit"
    elif isinstance(signal, Share):
        expr, unit, exemplar = promql.quantile(q, signal.events, JOB, window=_WINDOW, by=by), "s", True
    elif isinstance(signal, Count) and signal.events is not None:
        expr, unit = (
            promql.rate(signal.events, JOB, window=_WINDOW, by=by),
            unit_of(signal.events.instrument.unit),
        )
    else:
        assert isinstance(signal, Level)  # noqa: S101  # there are no panels of other kinds
        expr, unit = promql.level(signal, JOB, by=by), unit_of(signal.unit)
    values: dict[str, Any] = {
        "title": signal.title,
        "description": signal.description,
        "dataSource": PROMETHEUS,
        "unit": unit,
        "minimum": 0,
        "lines": threshold_lines(name, alerts),
        "targets": [PromTarget(expr=expr, datasource=PROMETHEUS, legendFormat=legend, exemplar=exemplar)],
    }
    if isinstance(signal, Ratio) and signal.good_is_high:
        values["maximum"] = 1
    return TimeSeriesPanel(**(values | options))


def threshold_lines(name: str, alerts: Sequence[Alert]) -> tuple[tuple[float | None, str], ...]:
    """The base and a line for each alert on a signal: a ratio's threshold, a latency's bound."""
    lines: dict[float, str] = {}
    for alert in alerts:
        if alert.signal.name == name and not isinstance(alert.signal, Count):
            value = alert.threshold if alert.bound is None else alert.bound
            lines[value] = _COLORS.get(alert.severity.name, "yellow")
    return ((None, "green"), *sorted(lines.items()))
