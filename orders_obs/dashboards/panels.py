"""Panels made from signals: title, unit, description and expression are the signal's, lines and runbooks are its alerts'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.frame import PROMETHEUS, SERVICE
from orders_obs.dashboards.given import labels_of, signal_named
from orders_obs.dashboards.grafana import (
    HeatmapPanel,
    PromTarget,
    StateTimelinePanel,
    StatPanel,
    TimeSeriesPanel,
)
from orders_obs.dashboards.thresholds import (
    of_signal,
    quantile_text,
    runbooks,
    threshold_lines,
    with_conditions,
)
from orders_obs.errors import UserError
from orders_obs.signals import (
    Count,
    External,
    Level,
    Presence,
    PromQL,
    Ratio,
    Selector,
    Share,
    promql,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders_obs.alerts import Alert
    from orders_obs.dashboards.frame import Scope
    from orders_obs.signals import Signal

__all__ = [
    "WINDOW",
    "expression",
    "heatmap_of",
    "panel_of",
    "presence_of",
    "slow_share_of",
    "stat_of",
    "unit_of",
]

WINDOW = "$__rate_interval"
"""The range of a rate: at least four scrapes, and as long as a step of the graph."""

# Points of a number that has no graph: so that `$__rate_interval` stays short where a week is shown.
_FINE = 10_000
_LEVEL_UNITS = {"1": "percentunit", "By": "bytes", "s": "s"}


def unit_of(signal: Signal) -> str:
    """Grafana's id of the unit in which a panel shows a signal on Prometheus."""
    if isinstance(signal, Ratio):
        return "percentunit"
    if isinstance(signal, Share):
        return "s"
    if isinstance(signal, Count):
        return "reqps" if signal.counted == "{request}" else "eps"
    return _LEVEL_UNITS.get(getattr(signal, "unit", ""), "short")


def expression(
    signal: Signal,
    *,
    scope: Scope = SERVICE,
    by: Sequence[str] | str = (),
    q: float = 0.99,
    alerts: Sequence[Alert] = (),
) -> str:
    """The PromQL of a signal: a share, events per second, a quantile, a level.

    Args:
        signal: Which.
        scope: Whose series.
        by: Labels that split it, or one.
        q: For a latency: the quantile.
        alerts: Their environment names the jobs of exporters.

    Raises:
        UserError: Prometheus has no such series.
    """
    by = labels_of(by)
    if isinstance(signal, Ratio):
        return promql.ratio(signal, *_of(signal.total, scope), window=WINDOW, by=by)
    if isinstance(signal, Share):
        return promql.quantile(q, signal.events, *_of(signal.events, scope), window=WINDOW, by=by)
    if isinstance(signal, Count) and signal.events is not None:
        rate = promql.rate(signal.events, *_of(signal.events, scope), window=WINDOW, by=by)
        # A counter that has counted nothing yet may have no series; the service that answers has had none of it. One that does not
        # answer has `up` too, as 0.
        return rate if by else f"{rate} or 0 * sum(up{promql.label_set(scope.matchers)} == 1)"
    if isinstance(signal, Level) and signal.prometheus:
        return _level(signal, scope, by, alerts)
    raise UserError(
        f"{signal.name} has no series on Prometheus",
        hint="orders_obs.dashboards.cloudwatch has panels of what AWS measures",
    )


def panel_of(
    name: str,
    *,
    alerts: Sequence[Alert] = (),
    by: Sequence[str] | str = (),
    q: float = 0.99,
    scope: Scope = SERVICE,
    **options: Any,
) -> TimeSeriesPanel:
    """A graph of a signal.

    Args:
        name: The signal.
        alerts: Those on this signal are described and linked to their runbooks, and drawn where the graph is not split; the others
            are left out.
        by: Labels that split the graph, or one.
        q: For a latency: the quantile.
        scope: Whose series.
        options: Attributes of the panel that differ, such as `title`.

    Raises:
        UserError: Prometheus has no such series.
    """
    signal = signal_named(name)
    by = labels_of(by)
    legend = " ".join(f"{{{{{label}}}}}" for label in by) or signal.title.lower()
    # What an alert looks at is the whole; on a part its threshold says nothing.
    drawn = () if by else alerts
    values = _of_signal(signal, alerts, q) | {
        "lines": threshold_lines(name, drawn, q=q if isinstance(signal, Share) else None),
        "targets": [
            PromTarget(
                expr=expression(signal, scope=scope, by=by, q=q, alerts=alerts),
                datasource=PROMETHEUS,
                legendFormat=legend,
                exemplar=isinstance(signal, Share),
            )
        ],
    }
    return TimeSeriesPanel(**(values | options))


def stat_of(
    name: str, *, alerts: Sequence[Alert] = (), q: float = 0.99, scope: Scope = SERVICE, **options: Any
) -> StatPanel:
    """A signal as the number that it is now, coloured by its alerts' thresholds. Arguments as for `panel_of`.

    It is asked for one moment: of a range the last value stays, long after what gave it has gone.
    """
    signal = signal_named(name)
    lines = threshold_lines(name, alerts, q=q if isinstance(signal, Share) else None, painted=True)
    values = _of_signal(signal, alerts, q) | {
        **({"lines": lines} if len(lines) > 1 else {}),
        "course": False,
        "maxDataPoints": _FINE,
        "targets": [
            PromTarget(
                expr=expression(signal, scope=scope, q=q, alerts=alerts),
                datasource=PROMETHEUS,
                legendFormat=signal.title.lower(),
                now=True,
            )
        ],
    }
    return StatPanel(**(values | options))


def slow_share_of(
    name: str, *, alerts: Sequence[Alert], scope: Scope = SERVICE, **options: Any
) -> TimeSeriesPanel:
    """The share of a latency's events above each bound that its alerts have: exactly what they look at, where a quantile estimates.

    Arguments as for `panel_of`.
    """
    signal = signal_named(name)
    if not isinstance(signal, Share):
        raise UserError(f"{name} is no latency", hint="take http_latency or database_latency")
    own = of_signal(name, alerts)
    matchers = _of(signal.events, scope)
    total = promql.rate(signal.events, *matchers, window=WINDOW, suffix="_count")
    targets = []
    for bound in sorted({alert.bound for alert in own if alert.bound is not None}):
        within = promql.rate(
            signal.events, *matchers, f'le="{promql.le_literal(bound)}"', window=WINDOW, suffix="_bucket"
        )
        targets.append(
            PromTarget(
                expr=f"1 - {within} / {total}", datasource=PROMETHEUS, legendFormat=f"slower than {bound:g} s"
            )
        )
    values = _of_signal(signal, alerts, 0.99) | {
        "title": f"{signal.title}: share of slow ones",
        "description": with_conditions(signal.description, own),
        "unit": "percentunit",
        "lines": threshold_lines(name, alerts),
        "targets": targets,
    }
    return TimeSeriesPanel(**(values | options))


def heatmap_of(name: str, *, scope: Scope = SERVICE, **options: Any) -> HeatmapPanel:
    """How a latency is spread over time, with its exemplars as dots that open a trace. Arguments as for `panel_of`."""
    signal = signal_named(name)
    if not isinstance(signal, Share):
        raise UserError(f"{name} is no latency", hint="take http_latency or database_latency")
    buckets = promql.series(signal.events, *_of(signal.events, scope), suffix="_bucket")
    values: dict[str, Any] = {
        "title": f"{signal.title}, spread",
        "description": "How many lie between two bounds, over time; a dot is one with a trace, and opens it.",
        "dataSource": PROMETHEUS,
        "unit": signal.events.instrument.unit,
        "targets": [
            PromTarget(
                expr=f"sum by (le) (increase({buckets}[{WINDOW}]))",
                datasource=PROMETHEUS,
                legendFormat="{{le}}",
                exemplar=True,
                heatmap=True,
            )
        ],
    }
    return HeatmapPanel(**(values | options))


def presence_of(
    name: str, *, alerts: Sequence[Alert] = (), scope: Scope = SERVICE, **options: Any
) -> StateTimelinePanel:
    """When something was there, and when not. Arguments as for `panel_of`."""
    signal = signal_named(name)
    if not isinstance(signal, Presence) or not signal.prometheus:
        raise UserError(
            f"{name} is nothing that Prometheus can see come and go", hint="panel_of draws what has a value"
        )
    needs = "" if any(isinstance(of, External) and of.of_service for of in signal.prometheus) else "postgres"
    expr = " or ".join(
        f"max by (job) ({_external(source, scope, alerts)})"
        for source in signal.prometheus
        if isinstance(source, External)
    )
    values: dict[str, Any] = {
        "title": signal.title,
        "description": with_conditions(signal.description, of_signal(name, alerts)),
        "dataSource": PROMETHEUS,
        "links": runbooks(of_signal(name, alerts)),
        "lines": ((None, "red"), (1, "green")),
        "mappings": [
            {
                "type": "value",
                "options": {
                    "0": {"color": "red", "index": 0, "text": "down"},
                    "1": {"color": "green", "index": 1, "text": "up"},
                },
            }
        ],
        "targets": [PromTarget(expr=expr, datasource=PROMETHEUS, legendFormat="{{job}}", needs=needs)],
    }
    return StateTimelinePanel(**(values | options))


def _of_signal(signal: Signal, alerts: Sequence[Alert], q: float) -> dict[str, Any]:
    said = quantile_text(signal.title, q) if isinstance(signal, Share) else signal.description
    values: dict[str, Any] = {
        "title": f"{signal.title}, p{q * 100:g}" if isinstance(signal, Share) else signal.title,
        "description": with_conditions(said, of_signal(signal.name, alerts)),
        "dataSource": PROMETHEUS,
        "links": runbooks(of_signal(signal.name, alerts)),
        "unit": unit_of(signal),
        "minimum": 0,
    }
    if isinstance(signal, Ratio) and signal.good_is_high:
        values["maximum"] = 1
    if isinstance(signal, Level) and signal.unit.startswith("{"):
        values["decimals"] = 0
    return values


def _of(selector: Selector, scope: Scope) -> tuple[str, ...]:
    return scope.requests if "route" in selector.instrument.labels else scope.matchers


def _level(signal: Level, scope: Scope, by: Sequence[str], alerts: Sequence[Alert]) -> str:
    """The first of a level's sources that has data.

    What an exporter of another job says counts where that job is known, and while the service has such a thing itself: one without a
    database has no connections.
    """
    own = next((source for source in signal.prometheus if isinstance(source, Selector)), None)
    theirs = f" and on () group ({own.instrument.name}{promql.label_set(_of(own, scope))})" if own else ""
    parts = []
    for source in signal.prometheus:
        if not isinstance(source, External) or not source.job:
            parts.append(_source(source, scope, by, alerts))
        elif own is None or _job(source, alerts):
            parts.append(_source(source, scope, by, alerts, theirs))
    return " or ".join(parts)


def _source(
    source: Selector | External | PromQL,
    scope: Scope,
    by: Sequence[str],
    alerts: Sequence[Alert],
    only: str = "",
) -> str:
    if isinstance(source, PromQL):
        expr = source.expr.replace('job="$job"', ",".join(scope.matchers)).replace("$window", WINDOW)
        return expr.replace("by (job)", f"by ({', '.join(by)})") if by else expr
    split = f" by ({', '.join(by)})" if by else ""
    series = (
        promql.series(source, *_of(source, scope))
        if isinstance(source, Selector)
        else _external(source, scope, alerts)
    )
    return f"sum{split} ({series}{only})"


def _external(source: External, scope: Scope, alerts: Sequence[Alert]) -> str:
    if source.of_service:
        return f"{source.name}{promql.label_set(scope.matchers)}"
    if source.label:
        return f'{source.name}{{{source.label}=~"$job"}}'
    job = _job(source, alerts)
    return f'{source.name}{{job="{job}"}}' if job else source.name


def _job(source: External, alerts: Sequence[Alert]) -> str | None:
    return next((alert.environment.resources.get(source.job) for alert in alerts), None)
