"""What an expression's tree says of labels and units: which labels are there at each point, and what its value measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import promql_parser

from orders_obs.alerts.promql import children, uses
from orders_obs.alerts.promql.trees import (
    COMPARISONS,
    RATES,
    SELECTING,
    aggregation,
    bare,
    call,
    carried,
    grouping,
    metric,
    number,
    op,
    scaled,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from orders_obs.alerts.contract.model import Part

__all__ = ["LabelRead", "Labels", "label_reads", "labels_after", "unit_of"]

Labels = frozenset[str] | None
"""Labels that series can have; None where that is not known."""

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LabelRead:
    """A label that a grouping or a matching names and that is not there.

    Attributes:
        label: Its name.
        metrics: The metrics below.
        how: Such as `sum by (route)`.
    """

    label: str
    metrics: tuple[str, ...]
    how: str


def label_reads(tree: Any, labels_of: Callable[[str], Labels]) -> list[LabelRead]:
    """The labels that aggregations and matchings name and that no series has there.

    Args:
        tree: The expression.
        labels_of: The labels of a metric's series.
    """
    missing: list[LabelRead] = []
    _flow(tree, labels_of, missing)
    together: dict[tuple[str, str], dict[str, None]] = {}
    for read in missing:
        together.setdefault((read.label, read.how), {}).update(dict.fromkeys(read.metrics))
    return [LabelRead(label, tuple(metrics), how) for (label, how), metrics in together.items()]


def labels_after(tree: Any) -> Labels:
    """The labels that the result of an expression can have, as far as the expression alone says so."""
    return _flow(tree, lambda _: None, [])


def _flow(node: Any, labels_of: Callable[[str], Labels], missing: list[LabelRead]) -> Labels:
    if isinstance(node, promql_parser.VectorSelector):
        return labels_of(metric(node)) if metric(node) else None
    if isinstance(node, promql_parser.AggregateExpr):
        return _after_aggregation(node, labels_of, missing)
    if isinstance(node, promql_parser.Call):
        return _after_call(node, labels_of, missing)
    if isinstance(node, promql_parser.BinaryExpr):
        return _after_operation(node, labels_of, missing)
    below = children(node)
    return _flow(below[0], labels_of, missing) if below else _NONE


def _after_aggregation(node: Any, labels_of: Callable[[str], Labels], missing: list[LabelRead]) -> Labels:
    inner = _flow(node.expr, labels_of, missing)
    how, labels = grouping(node)
    written = (
        f"{aggregation(node)} {how.lower()} ({', '.join(node.modifier.labels)})" if node.modifier else ""
    )
    _note(labels, inner, node.expr, written, missing)
    if aggregation(node) in SELECTING:
        return inner
    if how == "Without":
        after = None if inner is None else inner - labels
    else:
        after = labels if inner is None else labels & inner
    if aggregation(node) == "count_values" and after is not None:
        after |= {str(node.param.val)}
    return after


def _after_call(node: Any, labels_of: Callable[[str], Labels], missing: list[LabelRead]) -> Labels:
    flows = [_flow(argument, labels_of, missing) for argument in node.args]
    name = call(node)
    if name in ("vector", "scalar", "time", "pi") or not node.args:
        return _NONE
    if name == "info":
        return None
    if name in ("absent", "absent_over_time"):
        return frozenset(m.label for use in uses(node)[:1] for m in use.matchers if m.op == "=")
    if name in ("label_replace", "label_join"):
        return None if flows[0] is None else flows[0] | {str(node.args[1].val)}
    if name in ("histogram_quantile", "quantile_over_time", "histogram_fraction"):
        labels = flows[2 if name == "histogram_fraction" else 1]
        return labels if labels is None or not name.startswith("histogram") else labels - {"le"}
    return flows[0]


def _after_operation(node: Any, labels_of: Callable[[str], Labels], missing: list[LabelRead]) -> Labels:
    left, right = (_flow(side, labels_of, missing) for side in (node.lhs, node.rhs))
    if number(node.lhs) is not None or number(node.rhs) is not None:
        return right if number(node.lhs) is not None else left
    matching = node.modifier.matching if node.modifier is not None else None
    named, on = _NONE, False
    if matching is not None:
        named = frozenset(matching.labels)
        on = str(matching.type).endswith("Include")
        if on:
            for side, labels in ((node.lhs, left), (node.rhs, right)):
                _note(named, labels, side, f"on ({', '.join(matching.labels)})", missing)
    if op(node) in ("and", "unless"):
        return left
    if op(node) == "or":
        return None if left is None or right is None else left | right
    card = str(node.modifier.card).rpartition(".")[2] if node.modifier is not None else "OneToOne"
    copied = frozenset(node.modifier.group_labels or ()) if node.modifier is not None else _NONE
    if card in ("ManyToOne", "OneToMany"):
        many = left if card == "ManyToOne" else right
        return None if many is None else many | copied
    if op(node) in COMPARISONS and not (node.modifier is not None and node.modifier.return_bool):
        return left if not on else (named if left is None else left & named)
    if on:
        return named
    if left is None or right is None:
        return None
    return (left | right) - named


def _note(labels: frozenset[str], there: Labels, below: Any, how: str, missing: list[LabelRead]) -> None:
    if there is None:
        return
    metrics = tuple(dict.fromkeys(use.metric for use in uses(below) if use.metric))
    missing.extend(
        LabelRead(label, metrics, how)
        for label in sorted(labels)
        if label not in there and label.removeprefix("exported_") not in there and metrics
    )


# Units

_WORDS = (
    *("nanoseconds", "microseconds", "milliseconds", "seconds", "minutes", "hours", "days"),
    *(
        "bytes",
        "kibibytes",
        "mebibytes",
        "gibibytes",
        "kilobytes",
        "megabytes",
        "gigabytes",
        "celsius",
        "ratio",
    ),
)
_SHORT = {"ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_SAME = frozenset(
    {
        *(
            "avg_over_time",
            "min_over_time",
            "max_over_time",
            "last_over_time",
            "abs",
            "ceil",
            "floor",
            "round",
        ),
        *("sort", "sort_desc", "label_replace", "label_join", "clamp", "clamp_min", "clamp_max"),
    }
)


def unit_of(node: Any, part_of: Callable[[str], Part], declared: Callable[[str], str]) -> str | None:
    """The unit of an expression's value, None where it is computed in a way that may change it.

    Args:
        node: The expression.
        part_of: What a series is.
        declared: The unit that a metric's declaration gives, empty where it gives none.
    """
    factor, node = scaled(node)
    if factor != 1:
        return None

    def inner(part: Any) -> str | None:
        return unit_of(part, part_of, declared)

    if isinstance(node, promql_parser.VectorSelector):
        name = metric(node)
        return _unit_of_name(name, declared) if part_of(name) == "gauge" else None
    if isinstance(node, promql_parser.MatrixSelector):
        return inner(node.vector_selector)
    if aggregation(node) in ("sum", "avg", "min", "max", "topk", "bottomk"):
        return inner(node.expr)
    if call(node) == "histogram_quantile":
        units = {
            _unit_of_name(metric(one), declared)
            for one, _ in carried(node.args[1])
            if part_of(metric(one)) == "bucket"
        }
        return units.pop() if len(units) == 1 else None
    if call(node) in _SAME:
        return inner(node.args[0])
    if op(node) == "or":
        left, right = inner(node.lhs), inner(node.rhs)
        return left if left == right else None
    if op(node) in COMPARISONS and number(node.rhs) is not None:
        return inner(node.lhs)
    if op(node) == "/":
        return _unit_of_mean(node, part_of, declared)
    return None


def _unit_of_mean(node: Any, part_of: Callable[[str], Part], declared: Callable[[str], str]) -> str | None:
    """The unit of the sum of a histogram's values over their number."""
    names = []
    for side in (node.lhs, node.rhs):
        inside = bare(side)
        if aggregation(inside) == "sum":
            inside = bare(inside.expr)
        if call(inside) not in RATES:
            return None
        names.append(uses(inside)[0].metric)
    parts = [part_of(name) for name in names]
    return _unit_of_name(names[0], declared) if parts == ["sum", "count"] else None


def _unit_of_name(name: str, declared: Callable[[str], str]) -> str | None:
    for suffix in ("_bucket", "_sum", "_count"):
        name = name.removesuffix(suffix)
    last = name.rpartition("_")[2]
    last = _SHORT.get(last, last)
    if last in _WORDS:
        return (
            None
            if name.endswith(("_timestamp_seconds", "_start_time_seconds", "_boot_time_seconds"))
            else last
        )
    return declared(name) or None
