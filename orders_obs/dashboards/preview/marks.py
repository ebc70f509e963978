"""Annotations that a dashboard takes from Prometheus, such as deployments: stretches of time with a text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.preview import sources
from orders_obs.dashboards.preview.interpolate import fill
from orders_obs.dashboards.preview.prometheus import QueryFailed
from orders_obs.dashboards.preview.series import number
from orders_obs.dashboards.preview.times import as_seconds, step_of
from orders_obs.dashboards.preview.variables import macros

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orders_obs.dashboards.preview.asking import Context

__all__ = ["marks"]

_LEGEND = re.compile(r"\{\{\s*(.+?)\s*\}\}")
_MOST = 200
_POINTS = 1000


def marks(
    dashboard: Mapping[str, Any], context: Context
) -> tuple[list[dict[str, Any]], list[str], list[str]]:
    """The annotations that are switched on, what failed of them, and what a preview cannot ask.

    Each has `name`, `color`, `start`, `end` (seconds), `text`.
    """
    found: list[dict[str, Any]] = []
    problems: list[str] = []
    notes: list[str] = []
    for entry in (dashboard.get("annotations") or {}).get("list") or ():
        if not isinstance(entry, dict) or not entry.get("enable") or entry.get("builtIn"):
            continue
        name = str(entry.get("name") or "annotation")
        kind = sources.kind_of(entry.get("datasource"), None, context.kinds, context.inputs)
        target = entry.get("target")
        expr = entry.get("expr") or (target.get("expr") if isinstance(target, dict) else None)
        if kind != sources.PROMETHEUS or not isinstance(expr, str) or not expr.strip():
            notes.append(f"annotations {name!r}: {sources.spoken(kind)} is not asked by a preview")
            continue
        try:
            found += _of(entry, name, expr, context)
        except QueryFailed as error:
            problems.append(f"annotations {name!r}: {error}")
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            problems.append(f"annotations {name!r}: the JSON is not as Grafana has it ({error})")
    return found[:_MOST], problems, notes


def _of(entry: Mapping[str, Any], name: str, expr: str, context: Context) -> list[dict[str, Any]]:
    span = context.span
    step = step_of(span.seconds, _POINTS, as_seconds(str(entry.get("step") or "")) or context.scrape)
    filled = fill(expr, {**macros(span, step, context.scrape), **context.values}, default="promql")
    found: list[dict[str, Any]] = []
    for series in context.api.query_range(filled, span.start, span.end, step).result:
        labels = {str(key): str(value) for key, value in (series.get("metric") or {}).items()}
        parts = [_legend(str(entry.get(key) or ""), labels) for key in ("titleFormat", "textFormat")]
        text = " ".join(part for part in parts if part) or name
        values = [(float(time), number(value)) for time, value in series.get("values") or ()]
        if entry.get("useValueForTime") in (True, "on"):
            moments = sorted({value / 1000 for _, value in values if value})
            stretches = [[at, at] for at in moments if span.start <= at <= span.end]
        else:
            stretches = _stretches([time for time, value in values if value], step)
        color = str(entry.get("iconColor") or "blue")
        found += [
            {"name": name, "color": color, "start": start, "end": end, "text": text}
            for start, end in stretches
        ]
    return found


def _stretches(times: Sequence[float], step: float) -> list[list[float]]:
    """From when to when, of samples that follow one another."""
    found: list[list[float]] = []
    for time in times:
        if found and time - found[-1][1] <= step * 1.5:
            found[-1][1] = time
        else:
            found.append([time, time])
    return found


def _legend(text: str, labels: Mapping[str, str]) -> str:
    return _LEGEND.sub(lambda match: labels.get(match[1], ""), text).strip()
