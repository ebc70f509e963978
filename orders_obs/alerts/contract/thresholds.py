"""The bounds that alerts and dashboards ask of a histogram, and the buckets that these bounds need."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import promql_parser

from orders_obs.alerts.promql import uses
from orders_obs.alerts.promql.trees import bare, call, carried, comparisons, meaning, metric, scaled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orders_obs.alerts.contract.model import Query

__all__ = ["Threshold", "buckets_for", "thresholds"]

_STEPS = (1.0, 2.5, 5.0)
_DECADES_BELOW = 2
_APART = 1.15
"""Two bounds nearer than this factor tell hardly more than one."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A bound that a query asks of a histogram.

    Attributes:
        histogram: Its name, without `_bucket`.
        bound: In the histogram's unit.
        query: Who asks.
        op: The comparison of a quantile; empty where a bucket is read by its `le`.
        text: The comparison or matcher as it is written.
    """

    histogram: str
    bound: float
    query: Query
    op: str
    text: str


def thresholds(queries: Sequence[Query]) -> list[Threshold]:
    """The bounds that queries ask of histograms: values of `le`, and constants that quantiles are compared with."""
    recorded: dict[str, list[Any]] = {}
    for query in queries:
        if query.records:
            recorded.setdefault(query.records, []).append(query.tree)
    found = []
    for query in queries:
        for use in uses(query.tree):
            for matcher in use.matchers:
                if matcher.label == "le" and matcher.op == "=" and use.metric.endswith("_bucket"):
                    bound = _number(matcher.value)
                    if bound is not None:
                        text = f'le="{matcher.value}"'
                        found.append(Threshold(use.metric.removesuffix("_bucket"), bound, query, "", text))
        for comparison in comparisons(query.tree):
            factor, value = scaled(comparison.value)
            factor, name = _quantile_of(value, recorded, factor)
            if name and factor > 0 and comparison.op not in ("==", "!=") and comparison.limit > 0:
                found.append(
                    Threshold(name, comparison.limit / factor, query, comparison.op, comparison.text)
                )
    return found


def _quantile_of(node: Any, recorded: Mapping[str, list[Any]], factor: float) -> tuple[float, str]:
    """What a quantile is multiplied by and its histogram's name, empty where the node is no quantile."""
    for _ in range(20):
        node = meaning(node, recorded)
        more, node = scaled(node)
        factor *= more
        node = bare(node)
        if isinstance(node, promql_parser.AggregateExpr) and str(node.op) in (
            "max",
            "min",
            "avg",
            "topk",
            "bottomk",
        ):
            node = node.expr
        elif call(node) in ("max_over_time", "min_over_time", "avg_over_time", "label_replace", "label_join"):
            node = bare(node.args[0])
            if isinstance(node, promql_parser.SubqueryExpr):
                node = node.expr
            elif isinstance(node, promql_parser.MatrixSelector):
                node = node.vector_selector
        else:
            break
    if call(node) != "histogram_quantile":
        return factor, ""
    names = {metric(selector) for selector, _ in carried(node.args[1])}
    name = names.pop() if len(names) == 1 else ""
    return factor, name.removesuffix("_bucket") if name.endswith("_bucket") else ""


def _number(text: str) -> float | None:
    try:
        bound = float(text)
    except ValueError:
        return None
    return bound if math.isfinite(bound) else None


def buckets_for(bounds: Iterable[float], existing: Iterable[float] = ()) -> tuple[float, ...]:
    """Upper bounds of a histogram on which these thresholds can be judged exactly.

    A bound at each threshold; at least two above the highest, for a quantile never exceeds the largest finite bound; and some
    below the lowest, so that a quantile still moves while all is well. Between them the steps 1, 2.5, 5 of each decade.

    Args:
        bounds: The thresholds, above 0, at least one.
        existing: Bounds that the histogram has; they stay, so that what was recorded with them can be read on.

    Raises:
        ValueError: There is no threshold above 0.
    """
    wanted = sorted({float(bound) for bound in bounds})
    if not wanted or wanted[0] <= 0 or not math.isfinite(wanted[-1]):
        raise ValueError("buckets are derived from thresholds above 0")
    kept = sorted({float(bound) for bound in existing if math.isfinite(bound)})
    low, high = wanted[0], wanted[-1]
    decade = math.floor(math.log10(low)) - _DECADES_BELOW
    steps = []
    while 10.0**decade <= high * 1000:
        steps += [float(f"{step}e{decade}") for step in _STEPS]
        decade += 1
    fixed = sorted({*wanted, *kept})
    chosen = set(fixed)
    if not kept:
        below = [step for step in steps if low / 10.0**_DECADES_BELOW <= step < high]
        chosen.update(step for step in below if all(_are_apart(step, one) for one in fixed))
    above = [step for step in steps if step > high and all(_are_apart(step, one) for one in fixed)]
    while sum(bound > high for bound in chosen) < 2:
        chosen.add(above.pop(0))
    return tuple(sorted(chosen))


def _are_apart(one: float, other: float) -> bool:
    if one <= 0 or other <= 0:
        return True
    return max(one, other) / min(one, other) >= _APART
