"""Rules on the PromQL of panels: what parses, is drawn without a word, and is wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import promql_parser

from orders_obs.alerts.lint.rule_files import lint_rules
from orders_obs.alerts.promql import uses
from orders_obs.alerts.promql.trees import (
    RATES,
    SELECTING,
    aggregation,
    bare,
    call,
    carried,
    grouping,
    metric,
    moves_in_time,
    nodes,
    number,
    op,
)
from orders_obs.dashboards.lint.queries import INTERVAL, PLACEHOLDER, is_variable_window
from orders_obs.dashboards.lint.views import Said, mapping, text
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orders_obs.dashboards.lint.queries import PromQuery

__all__ = [
    "SHARED",
    "counter_as_gauge",
    "counter_shown",
    "exemplar_without_histogram",
    "instant_on_graph",
    "irate",
    "legend_missing",
    "promql_invalid",
    "quantile_averaged",
    "quantile_of_average",
    "quantile_out_of_range",
    "rate_interval",
    "rate_window",
    "ratio_averaged",
    "shared",
]  # fmt: skip

_GRAPHS = ("timeseries", "graph")
_HOUR = 3600
SHARED = {
    "quantile-without-le": "error",
    "quantile-of-raw-histogram": "error",
    "ratio-of-unaggregated": "error",
    "sides-never-match": "error",
    "rate-of-gauge": "warning",
    "rate-of-sum": "error",
}
"""Rules on expressions that alerts have as well, and their levels."""
_RECORD = "orders_obs:dashboard_query"


def shared(queries: Sequence[PromQuery]) -> dict[str, list[Said]]:
    """What the lint of rule files says of the expressions, by the name of its rule."""
    found: dict[str, list[Said]] = {}
    rules = [
        {"record": f"{_RECORD}_{index}", "expr": query.filled}
        for index, query in enumerate(queries)
        if query.tree is not None
    ]
    if rules:
        document = json.dumps({"groups": [{"name": "queries", "rules": rules}]})
        try:
            findings = lint_rules(document, Path("dashboard"))
        except UserError:
            findings = []  # a query that YAML cannot hold
        for finding in findings:
            if finding.rule in SHARED and finding.message.startswith(_RECORD):
                name, _, message = finding.message.partition(": ")
                query = queries[int(name.rpartition("_")[2])]
                if finding.rule == "quantile-without-le" and "vmrange" in query.text:
                    continue  # the buckets of VictoriaMetrics's own histograms
                if finding.rule == "sides-never-match" and PLACEHOLDER in message:
                    continue  # the variable may be the label that both have
                said = Said(f"{query.name}: {_readable(message)}", _readable(finding.hint), query.at)
                found.setdefault(finding.rule, []).append(said)
    return found


def _readable(words: str) -> str:
    return words.replace(PLACEHOLDER, "$")


def promql_invalid(queries: Sequence[PromQuery]) -> Iterator[Said]:
    other = any(_METRICSQL.search(query.text) for query in queries)
    for query in queries:
        if query.tree is None:
            hint = "the panel shows an error instead of data"
            if other:
                hint = "the dashboard has MetricsQL in it, which only VictoriaMetrics reads"
            elif not query.sure:
                hint = "if it is meant for another data source, name that; a variable may also stand for what is missing"
            yield Said(
                f"{query.name}: `{_short(query.text)}` is no PromQL: {_readable(query.fault)}",
                hint,
                query.at,
                None if query.sure and not other else "info",
            )


# Words that PromQL does not have; and the metrics that VictoriaMetrics emits of itself.
_METRICSQL = re.compile(
    r"\b(?:topk_\w+|bottomk_\w+|histogram_quantiles|quantiles_over_time|share_\w+|range_\w+|running_\w+|label_(?:set|map|del|keep|match)"
    r"|keep_metric_names|keep_last_value|remove_resets|rollup\w*|increase_pure|default_rollup|lag|vmrange|prometheus_buckets"
    r"|vm_\w+|alias|any|limit_offset|outliersk|sort_by_label\w*|WITH)\b|\bdefault\s+\d"
)


def _short(words: str) -> str:
    words = " ".join(words.split())
    return words if len(words) <= 80 else f"{words[:77]}..."


# Windows


def _windows(query: PromQuery) -> Iterator[tuple[str, float]]:
    """The functions that count growth, each with its window in seconds."""
    for node in nodes(query.tree) if query.tree is not None else ():
        if call(node) in RATES and node.args and isinstance(bare(node.args[0]), promql_parser.MatrixSelector):
            yield call(node), bare(node.args[0]).range.total_seconds()


def rate_window(queries: Sequence[PromQuery]) -> Iterator[Said]:
    for query in queries:
        if query.target is None or query.target.instant_only:
            continue
        fixed = {
            (name, seconds)
            for name, seconds in _windows(query)
            if not is_variable_window(seconds) and name in ("rate", "increase")
        }
        for name, seconds in sorted(fixed):
            yield Said(
                f"{query.name}: {name}() over {_duration(seconds)}, whatever the range: what is between two points of a long one is not counted",
                f"{name}(…[$__rate_interval])",
                query.at,
                # An increase over an hour is often just what the title says.
                "info" if seconds >= _HOUR or name == "increase" else None,
            )


def _duration(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds:g}s"


def rate_interval(queries: Sequence[PromQuery]) -> Iterator[Said]:
    for query in queries:
        names = {name for name, seconds in _windows(query) if seconds == INTERVAL}
        for name in sorted(names):
            yield Said(
                f"{query.name}: {name}() over $__interval has a single sample on a short range, and so no result",
                f"{name}(…[$__rate_interval])",
                query.at,
            )


def irate(queries: Sequence[PromQuery]) -> Iterator[Said]:
    for query in queries:
        if any(name == "irate" for name, _ in _windows(query)):
            yield Said(
                f"{query.name}: irate() shows the last two samples before each point, and nothing of those between",
                "rate(…[$__rate_interval])",
                query.at,
            )


# Counters


def counter_shown(queries: Sequence[PromQuery]) -> Iterator[Said]:
    for query in queries:
        if query.tree is None or query.target is None or query.target.panel.type not in _GRAPHS:
            continue
        raw = []
        for selector, path in carried(query.tree):
            name = metric(selector)
            if (
                not name.endswith("_total")
                or ":" in name
                or any(aggregation(node) == "count" for node in path)
            ):
                continue
            if not any(call(node) or op(node) == "-" or moves_in_time(node) for node in path):
                raw.append(name)
        for name in dict.fromkeys(raw):
            yield Said(
                f"{query.name} draws the counter {name} itself: a line that rises until its process restarts",
                f"rate({name}[$__rate_interval])",
                query.at,
            )


_OF_GAUGES = {
    "delta": "increase",
    "idelta": "increase",
    "deriv": "rate",
    "predict_linear": "rate",
    "sum_over_time": "increase",
}
"""Functions for what goes up and down, and what is meant of a counter."""


def counter_as_gauge(queries: Sequence[PromQuery]) -> Iterator[Said]:
    for query in queries:
        found = {
            (call(node), name)
            for node in (nodes(query.tree) if query.tree is not None else ())
            if call(node) in _OF_GAUGES and (name := _counter(node.args[0]))
        }
        for function, name in sorted(found):
            what = (
                "adds up all that was counted at each scrape"
                if function == "sum_over_time"
                else "takes a restart for a fall"
            )
            yield Said(
                f"{query.name}: {function}() of {name}, a counter, {what}",
                f"{_OF_GAUGES[function]}({name}[$__rate_interval])",
                query.at,
            )


def _counter(node: Any) -> str:
    """The counter whose own values a range holds, empty where it is none."""
    node = bare(node)
    if isinstance(node, promql_parser.SubqueryExpr):
        node = bare(node.expr)
    selector = node.vector_selector if isinstance(node, promql_parser.MatrixSelector) else node
    name = metric(selector) if isinstance(selector, promql_parser.VectorSelector) else ""
    return name if name.endswith(("_total", "_bucket")) and ":" not in name else ""


# Quantiles and ratios


def _quantiles(query: PromQuery) -> Iterator[Any]:
    for node in nodes(query.tree) if query.tree is not None else ():
        if call(node) == "histogram_quantile" and len(node.args) == 2:
            yield node


def quantile_out_of_range(queries: Sequence[PromQuery]) -> Iterator[Said]:
    for query in queries:
        for node in nodes(query.tree) if query.tree is not None else ():
            if call(node) in ("histogram_quantile", "quantile_over_time") and node.args:
                value = number(node.args[0])
            elif aggregation(node) == "quantile" and node.param is not None:
                value = number(node.param)
            else:
                continue
            if value is not None and not 0 <= value <= 1:
                yield Said(
                    f"{query.name} asks for the quantile {value:g}, which is infinite everywhere",
                    f"a quantile is from 0 to 1: {value / 100:g}?" if 1 < value <= 100 else "from 0 to 1",
                    query.at,
                )


def quantile_of_average(queries: Sequence[PromQuery]) -> Iterator[Said]:
    for query in queries:
        for quantile in _quantiles(query):
            for selector, path in carried(quantile.args[1]):
                names = {aggregation(node) for node in path}
                for name in sorted(names & {"avg", "max", "min", "quantile", "stddev"}):
                    if "_bucket" in metric(selector):
                        yield Said(
                            f"{query.name} takes {name}() of buckets before histogram_quantile(): each bucket counts events, and only their sum does",
                            "histogram_quantile(…, sum by (le) (…))",
                            query.at,
                            "info" if name == "avg" else None,
                        )


def quantile_averaged(queries: Sequence[PromQuery]) -> Iterator[Said]:
    for query in queries:
        for node in nodes(query.tree) if query.tree is not None else ():
            if not (aggregation(node) in ("avg", "sum") or call(node) == "avg_over_time"):
                continue
            inner = bare(node.expr if aggregation(node) else node.args[0])
            how = aggregation(node) or call(node)
            if isinstance(inner, promql_parser.SubqueryExpr):
                inner = bare(inner.expr)
            if call(inner) == "histogram_quantile":
                yield Said(
                    f"{query.name} takes {how}() of quantiles, which is the quantile of nothing",
                    "sum the buckets, and take the quantile of that",
                    query.at,
                )
            elif aggregation(node) and _is_summary(inner):
                yield Said(
                    f"{query.name} takes {how}() of the quantiles of a summary, which is the quantile of nothing",
                    "show them per instance, or count in a histogram",
                    query.at,
                    "info",
                )


def _is_summary(node: Any) -> bool:
    if not isinstance(node, promql_parser.VectorSelector):
        return False
    return any(matcher.label == "quantile" for matcher in uses(node)[0].matchers)


def ratio_averaged(queries: Sequence[PromQuery]) -> Iterator[Said]:
    for query in queries:
        for node in nodes(query.tree) if query.tree is not None else ():
            inner = bare(node.expr) if aggregation(node) == "avg" else None
            if inner is None or op(inner) != "/" or number(inner.rhs) is not None:
                continue
            if all(any(call(part) in RATES for part in nodes(side)) for side in (inner.lhs, inner.rhs)):
                yield Said(
                    f"{query.name} averages ratios, so an idle instance weighs as much as a busy one",
                    "sum(rate(part)) / sum(rate(total))",
                    query.at,
                )


# How it is asked and shown


def instant_on_graph(queries: Sequence[PromQuery]) -> Iterator[Said]:
    for query in queries:
        target = query.target
        if target is not None and target.instant_only and target.panel.type in _GRAPHS and not target.hidden:
            if text(target.json.get("format")) in ("table", "heatmap"):
                continue
            bars = mapping(target.panel.defaults.get("custom")).get("drawStyle") == "bars"
            yield Said(
                f"{query.name} asks for one moment, so the graph is a single {'bar' if bars else 'point'}",
                "instant: false, range: true",
                query.at,
                "info" if bars else None,
            )


def exemplar_without_histogram(queries: Sequence[PromQuery]) -> Iterator[Said]:
    for query in queries:
        target = query.target
        if target is None or query.tree is None or target.json.get("exemplar") is not True:
            continue
        names = [use.metric for use in uses(query.tree)]
        may = any(
            not name or PLACEHOLDER in name or ":" in name or name.endswith(("_bucket", "_total"))
            for name in names
        )
        native = any(True for _ in _quantiles(query))
        if names and not may and not native:
            yield Said(
                f"{query.name} asks for exemplars of {names[0]}, and only buckets and counters have them",
                "exemplar: false",
                query.at,
            )


def legend_missing(queries: Sequence[PromQuery]) -> Iterator[Said]:
    for query in queries:
        target = query.target
        if target is None or query.tree is None or target.panel.type != "timeseries" or target.hidden:
            continue
        legend = target.panel.options.get("legend")
        if isinstance(legend, dict) and (
            legend.get("showLegend") is False or legend.get("displayMode") == "hidden"
        ):
            continue
        if text(target.json.get("legendFormat")).strip() not in ("", "__auto"):
            continue
        node = bare(query.tree)
        if op(node):
            sides = [side for side in (node.lhs, node.rhs) if number(side) is None]
            nameless = bool(sides) and all(_nameless(side) for side in sides)
        else:
            nameless = _nameless(node)
        if nameless and not target.panel.defaults.get("displayName"):
            yield Said(
                f"{query.name} gives one series without labels, so the legend shows the expression",
                "legendFormat: a word for it",
                query.at,
            )


def _nameless(node: Any) -> bool:
    """Whether the result has one series without labels."""
    node = bare(node)
    if call(node) == "histogram_quantile":
        inner = bare(node.args[-1])
        return bool(aggregation(inner)) and grouping(inner) == ("By", frozenset({"le"}))
    name = aggregation(node)
    return bool(name) and name not in (*SELECTING, "count_values") and grouping(node) == ("By", frozenset())
