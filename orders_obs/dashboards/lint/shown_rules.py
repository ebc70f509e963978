"""Rules on PromQL together with the panel that shows it: a unit of another scale, buckets that are drawn as lines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.promql import uses
from orders_obs.alerts.promql.trees import (
    COMPARISONS,
    SELECTING,
    aggregation,
    bare,
    call,
    grouping,
    is_events_ratio,
    nodes,
    number,
    op,
    scaled,
    span,
)
from orders_obs.dashboards.lint.views import Said, listed, mapping, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orders_obs.dashboards.lint.queries import PromQuery
    from orders_obs.dashboards.lint.views import Panel

__all__ = ["heatmap_format", "unit_scale"]

_HUNDRED = 100
_KEEPS_SCALE = ("avg", "max", "min", *SELECTING)
_KEEPS_VALUES = ("clamp_max", "clamp_min", "label_join", "label_replace", "sort", "sort_desc")
# What divided by its like is a share, by the end of the name.
_AMOUNTS = ("_bytes", "_fds")
_COMPUTING = ("calculateField", "configFromData", "rowsToFields")
"""Transformations that may change a value or its unit."""


def unit_scale(queries: Sequence[PromQuery]) -> Iterator[Said]:
    for query in queries:
        if query.target is None or query.tree is None or query.target.hidden:
            continue
        unit = _unit(query.target.panel)
        if unit == "percent" and math.isclose(_share(query.tree) or 0, 1):
            yield Said(
                f"{query.name} gives a share from 0 to 1, and the unit `percent` shows 0.05 as 0.05 %",
                "the unit percentunit, or 100 * …",
                query.at,
            )
        elif unit == "percentunit" and math.isclose(_factor(query.tree), _HUNDRED):
            yield Said(
                f"{query.name} multiplies by 100, and so does the unit `percentunit`: 5 % is shown as 500 %",
                "the unit percent, or without 100 *",
                query.at,
            )


def _unit(panel: Panel) -> str:
    """The unit of all that a panel shows, empty where there may be several."""
    if any(item.get("id") in _COMPUTING for item in listed(panel.json.get("transformations"))):
        return ""
    if panel.type == "graph":
        axes = listed(panel.json.get("yaxes"))
        return text(axes[0].get("format")) if axes and not panel.json.get("seriesOverrides") else ""
    if panel.type == "singlestat":
        return text(panel.json.get("format"))
    overrides = listed(mapping(panel.json.get("fieldConfig")).get("overrides"))
    if any(item.get("id") == "unit" for one in overrides for item in listed(one.get("properties"))):
        return ""
    return text(panel.defaults.get("unit"))


def _inner(node: Any) -> Any:
    """What a node hands on with its values as they are, None where it does not."""
    if aggregation(node) in _KEEPS_SCALE:
        return node.expr
    if call(node) in _KEEPS_VALUES:
        return node.args[0]
    if op(node) in ("or", "and", "unless"):
        return node.lhs
    if op(node) in COMPARISONS and not (node.modifier is not None and node.modifier.return_bool):
        return node.lhs if number(node.lhs) is None else node.rhs
    return None


def _share(node: Any) -> float | None:
    """What 100 % is in an expression that gives a share, such as 1 or 100; None where it gives none, or it is not known."""
    node = bare(node)
    inner = _inner(node)
    if inner is not None:
        return _share(inner)
    factor, inner = scaled(node)
    if inner is not node:
        whole = _share(inner)
        return None if whole is None else whole * factor
    if op(node) == "-":
        whole, rest = number(node.lhs), _share(node.rhs)
        return rest if whole is not None and rest is not None and math.isclose(whole, rest) else None
    if op(node) == "/" and (is_events_ratio(node, {}) or _is_like_by_like(node)):
        return scaled(node.lhs)[0] / scaled(node.rhs)[0] if scaled(node.rhs)[0] else None
    values = span(node, {})
    return values.high if values is not None and values.kind in ("share", "up") else None


def _is_like_by_like(node: Any) -> bool:
    sides = [uses(side) for side in (node.lhs, node.rhs)]
    return any(
        all(side and all(use.metric.endswith(ending) and not use.functions for use in side) for side in sides)
        for ending in _AMOUNTS
    )


def _factor(node: Any) -> float:
    """What constants multiply an expression's values by."""
    node = bare(node)
    inner = _inner(node)
    if inner is None and aggregation(node) == "sum":
        inner = node.expr
    if inner is not None:
        return _factor(inner)
    factor, inner = scaled(node)
    if inner is not node:
        return factor * _factor(inner)
    if op(node) == "/" and number(node.rhs) is None:
        below = _factor(node.rhs)
        return _factor(node.lhs) / below if below else 1.0
    if op(node) == "-" and number(node.lhs) is not None:
        return _factor(node.rhs)
    return 1.0


def heatmap_format(queries: Sequence[PromQuery]) -> Iterator[Said]:
    for query in queries:
        target = query.target
        if target is None or query.tree is None or target.hidden or target.panel.type != "heatmap":
            continue
        panel = target.panel
        of_old = text(panel.json.get("dataFormat"))
        computed = panel.options.get("calculate") is True or of_old not in ("", "tsbuckets")
        unknown = not panel.options and not of_old
        changed = any(
            item.get("id") in ("heatmap", "histogram") for item in listed(panel.json.get("transformations"))
        )
        if computed or unknown or changed or text(target.json.get("format")) == "heatmap":
            continue
        if _gives_buckets(query.tree):
            yield Said(
                f"{query.name} gives the buckets of a histogram as lines: each counts those below it too, and they are not in order",
                "format: heatmap",
                query.at,
            )


def _gives_buckets(tree: Any) -> bool:
    """Whether the series have a bucket's `le`."""
    groupings = [grouping(node) for node in nodes(tree) if aggregation(node)]
    if any(call(node) == "histogram_quantile" for node in nodes(tree)):
        return False
    if groupings:
        return all(how == "By" and "le" in labels for how, labels in groupings)
    return any(use.metric.endswith("_bucket") for use in uses(tree))
