"""Series of an answer: their points on the panel's grid, their names as Grafana gives them, and what a legend computes of them."""

from __future__ import annotations

import math
import re
import statistics
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orders_obs.dashboards.preview.prometheus import Answer

__all__ = ["CALCULATIONS", "Series", "calculate", "grid", "of_matrix", "of_vector", "short"]

_LEGEND = re.compile(r"\{\{\s*(.+?)\s*\}\}")
_PERCENTILE = re.compile(r"p([1-9]\d?)")


@dataclass(frozen=True, slots=True)
class Series:
    """One line.

    Attributes:
        ref: Of its query.
        name: As the legend shows it.
        labels: Of the series, without the metric's name.
        values: One for each time of the panel's grid; None where there is no sample.
    """

    ref: str
    name: str
    labels: dict[str, str] = field(default_factory=dict)
    values: list[float | None] = field(default_factory=list)


def grid(start: float, end: float, step: float) -> list[float]:
    """The times of a range query, aligned as Grafana aligns them: whole multiples of the step."""
    first = math.floor(start / step)
    last = math.floor(end / step)
    return [round(index * step, 3) for index in range(first, last + 1)]


def of_matrix(answer: Answer, target: Mapping[str, Any], times: Sequence[float]) -> list[Series]:
    """The series of a range query; a scalar's answer is one without labels."""
    position = {round(time * 1000): index for index, time in enumerate(times)}
    found = []
    for entry, name, labels in _named(answer, target):
        values: list[float | None] = [None] * len(times)
        for time, text in entry.get("values") or ():
            index = position.get(round(float(time) * 1000))
            if index is not None:
                values[index] = number(text)
        found.append(Series(str(target.get("refId", "A")), name, labels, values))
    return found


def of_vector(answer: Answer, target: Mapping[str, Any]) -> list[Series]:
    """The series of an instant query, one value each."""
    if answer.kind in ("scalar", "string"):
        value = number(answer.result[1])
        return [Series(str(target.get("refId", "A")), str(target.get("expr", "")), {}, [value])]
    return [
        Series(str(target.get("refId", "A")), name, labels, [number((entry.get("value") or (0, "NaN"))[1])])
        for entry, name, labels in _named(answer, target)
    ]


def number(text: Any) -> float | None:
    """A sample's value; None for NaN and the infinities, which a graph shows as a gap."""
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def short(value: float | None) -> float | None:
    """The value with six digits: more are not seen, and the page stays small."""
    return None if value is None else float(f"{value:.6g}")


def _named(answer: Answer, target: Mapping[str, Any]) -> list[tuple[dict[str, Any], str, dict[str, str]]]:
    entries = [entry for entry in answer.result if isinstance(entry, dict)]
    metrics = [{str(k): str(v) for k, v in (entry.get("metric") or {}).items()} for entry in entries]
    legend = str(target.get("legendFormat") or "__auto")
    names = {name for metric in metrics for name in metric if name != "__name__"}
    single = next(iter(names)) if len(names) == 1 and len(entries) > 1 else None
    rows = []
    for entry, metric in zip(entries, metrics, strict=True):
        labels = {name: value for name, value in metric.items() if name != "__name__"}
        if legend != "__auto":
            name = _LEGEND.sub(partial(_label, metric), legend).strip() or _full_name(metric) or "Value"
        elif single is not None and single in labels:
            name = labels[single]
        else:
            name = _full_name(metric) or str(target.get("expr", ""))
        rows.append((entry, name, labels))
    return rows


def _label(metric: Mapping[str, str], match: re.Match[str]) -> str:
    return metric.get(match[1], "")


def _full_name(metric: Mapping[str, str]) -> str:
    inner = ", ".join(f'{key}="{value}"' for key, value in sorted(metric.items()) if key != "__name__")
    return metric.get("__name__", "") + (f"{{{inner}}}" if inner else "")


def calculate(name: str, values: Sequence[float | None]) -> float | None:
    """One number of many, by Grafana's id of the calculation; None where there is none, or the id is not known."""
    percentile = _PERCENTILE.fullmatch(name)
    known = [value for value in values if value is not None]
    if percentile:
        return _quantile(known, int(percentile[1]) / 100)
    function = CALCULATIONS.get(name)
    return None if function is None else function(list(values), known)


def _quantile(known: list[float], share: float) -> float | None:
    # Grafana takes the nearest one and nothing between two; a half is rounded up.
    return sorted(known)[math.floor((len(known) - 1) * share + 0.5)] if known else None


def _of_known(
    function: Callable[[list[float]], float],
) -> Callable[[list[float | None], list[float]], float | None]:
    return lambda _values, known: function(known) if known else None


def _change(known: list[float]) -> float:
    return known[-1] - known[0]


def _rises(known: list[float]) -> float:
    """What a counter rose by; the step after a reset is not counted, as Grafana has it."""
    total, rising = 0.0, True
    for before, after in pairwise(known):
        if after < before:
            rising = False
        else:
            total += after - before if rising else 0.0
            rising = True
    return total


CALCULATIONS: dict[str, Callable[[list[float | None], list[float]], float | None]] = {
    "lastNotNull": _of_known(lambda known: known[-1]),
    "last": lambda values, _known: values[-1] if values else None,
    "firstNotNull": _of_known(lambda known: known[0]),
    "first": lambda values, _known: values[0] if values else None,
    "min": _of_known(min),
    "max": _of_known(max),
    "mean": _of_known(lambda known: math.fsum(known) / len(known)),
    "median": _of_known(statistics.median),
    "sum": _of_known(math.fsum),
    "count": lambda _values, known: float(len(known)),
    "countAll": lambda values, _known: float(len(values)),
    "range": _of_known(lambda known: max(known) - min(known)),
    "diff": _of_known(_change),
    "diffperc": _of_known(lambda known: 100 * _change(known) / known[0] if known[0] else 0.0),
    "delta": _of_known(_rises),
    "step": lambda _values, known: min((b - a for a, b in pairwise(known)), default=None),
    "logmin": lambda _values, known: min((value for value in known if value > 0), default=None),
    "stdDev": _of_known(statistics.pstdev),
    "variance": _of_known(statistics.pvariance),
    "changeCount": _of_known(lambda known: float(sum(a != b for a, b in pairwise(known)))),
    "distinctCount": _of_known(lambda known: float(len(set(known)))),
    "allIsZero": lambda _values, known: float(bool(known) and not any(known)),
    "allIsNull": lambda _values, known: float(not known),
}
"""What a legend or a stat computes, by Grafana's id, of all values and of those that are there."""
