"""Lint of Prometheus rule files, whoever wrote them: what promtool lets pass and yet can never fire, or always does.

Expressions are judged on their trees. Where a file records a series, an expression that reads it is judged by what is recorded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import promql_parser
import yaml

from orders_obs.alerts.nodes import Node, compose, loader
from orders_obs.alerts.promql import children, parse, uses
from orders_obs.alerts.promql.trees import (
    COMPARISONS,
    COUNTING,
    RATES,
    SELECTING,
    Comparison,
    Kind,
    Span,
    aggregation,
    bare,
    call,
    carried,
    comparison,
    comparisons,
    grouping,
    is_events_ratio,
    is_rated,
    meaning,
    metric,
    moves_in_time,
    nodes,
    number,
    op,
    reading,
    scaled,
    span,
    terms,
)
from orders_obs.errors import UserError
from orders_obs.findings import Finding, Level
from orders_obs.signals.instruments import INSTRUMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["RULES", "lint_rules"]


def lint_rules(text: str, path: Path) -> list[Finding]:
    """What is wrong with the rules of a file, in the order of the file.

    Args:
        text: Content of the file: `groups:` as Prometheus reads it, or a `PrometheusRule` of its operator.
        path: Its name, for the findings' `FILE:LINE`, which is the line where the rule begins.

    Raises:
        UserError: It is no rule file: not YAML, no `groups:`, or a rule that is neither an alert nor a recording rule.
    """
    findings = [
        Finding(name, check.level, f"{path}:{rule.line}", f"{rule.name}: {said.message}", said.hint)
        for rule in _read(text, path).rules
        for name, check in _CHECKS.items()
        if rule.tree is not None or check.reads_text
        for said in check.find(rule)
    ]
    return list(dict.fromkeys(findings))


# Reading


@dataclass(frozen=True, slots=True)
class _File:
    """The rules in their order, those of one name and labels together, and what the recording rules compute by name."""

    rules: list[_Rule] = field(default_factory=list)
    alike: dict[object, list[_Rule]] = field(default_factory=dict)
    recorded: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, rule: _Rule) -> None:
        self.rules.append(rule)
        self.alike.setdefault(rule.identity, []).append(rule)
        if rule.tree is not None and not rule.is_alert:
            self.recorded.setdefault(rule.name, []).append(rule.tree)


@dataclass(frozen=True, slots=True)
class _Rule:
    """An alert or a recording rule; `tree` is None and `fault` says why where the expression does not parse."""

    file: _File
    name: str
    is_alert: bool
    tree: Any
    fault: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    line: int

    @property
    def identity(self) -> object:
        return self.is_alert, self.name, frozenset(self.labels.items())


def _read(text: str, path: Path) -> _File:
    composed = compose(text, path)
    try:
        plain = yaml.load(text, Loader=loader(text))  # noqa: S506  # one of the two safe ones
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UserError(f"is not YAML: {error.problem}", file=path, line=line) from None
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"is not YAML: {error}", file=path, line=1) from None
    if composed is not None and isinstance(plain, dict):
        document = Node(path, composed, "the file")
        if "groups" not in plain and isinstance(plain.get("spec"), dict):
            document, plain = document.mapping()["spec"], plain["spec"]
        if "groups" in plain:
            return _rules(document, plain)
    hint = "Prometheus reads rules from `groups:`, a list of groups with `rules:`"
    raise UserError("is no rule file: it has no `groups:`", hint=hint, file=path, line=1)


def _rules(document: Node, plain: Mapping[str, Any]) -> _File:
    file = _File()
    for group, content in _items(document, plain, "groups"):
        common = _texts(group, content, "labels")
        for rule, fields in _items(group, content, "rules"):
            file.add(_rule(rule, fields, file, common))
    return file


def _rule(node: Node, fields: Mapping[str, Any], file: _File, common: Mapping[str, str]) -> _Rule:
    if ("alert" in fields) == ("record" in fields):
        node.fail("must have one of `alert:` and `record:`")
    if fields.get("expr") is None:
        node.fail("has no `expr:`")
    tree, fault = None, ""
    try:
        tree = parse(str(fields["expr"]))
    except ValueError as error:
        fault = str(error)
    return _Rule(
        file=file,
        name=str(fields.get("alert", fields.get("record"))),
        is_alert="alert" in fields,
        tree=tree,
        fault=fault,
        labels={**common, **_texts(node, fields, "labels")},
        annotations=_texts(node, fields, "annotations"),
        line=node.source.line,
    )


def _items(node: Node, fields: Mapping[str, Any], key: str) -> Iterator[tuple[Node, Mapping[str, Any]]]:
    """The mappings of a list, each with its place."""
    if fields.get(key) is None:
        return
    listed = node.mapping().get(key)
    if listed is None:
        node.fail(f"takes its `{key}:` from a merge", "write them out")
    for place, value in zip(listed.sequence(), fields[key], strict=True):
        place.mapping()  # refuses what is none, and a key that stands twice
        yield place, value


def _texts(node: Node, fields: Mapping[str, Any], key: str) -> dict[str, str]:
    found = fields.get(key) or {}
    if not isinstance(found, dict):
        node.fail(f"its `{key}:` must be names and texts")
    return {str(name): "" if value is None else str(value) for name, value in found.items()}


# The checks


@dataclass(frozen=True, slots=True)
class _Said:
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class _Check:
    """A rule of the lint; `reads_text` where it needs no tree."""

    level: Level
    why: str
    find: Callable[[_Rule], Iterable[_Said]]
    reads_text: bool = False


def _invalid(rule: _Rule) -> Iterator[_Said]:
    if rule.tree is None:
        yield _Said(
            f"is no PromQL: {rule.fault}",
            "Prometheus refuses a whole file for it, unless it is syntax behind one of its feature flags",
        )


# Quantiles


def _streams(rule: _Rule) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The metrics whose buckets a histogram_quantile reads, each with the nodes between, outermost first."""
    for node in nodes(rule.tree):
        if call(node) == "histogram_quantile":
            for selector, path in carried(node.args[1]):
                yield metric(selector), path


def _right_quantile(name: str) -> str:
    for suffix in ("_bucket", "_count", "_sum", "_total"):
        name = name.removesuffix(suffix)
    return f"histogram_quantile(0.99, sum by (le) (rate({name}_bucket[5m])))"


def _quantile_without_le(rule: _Rule) -> Iterator[_Said]:
    for name, path in _streams(rule):
        if "_bucket" in name and any(map(_drops_le, path)) and not any(map(_makes_le, path)):
            message = f"the aggregation of {name} drops `le`, so histogram_quantile finds no buckets and returns nothing"
            yield _Said(message, _right_quantile(name))


def _drops_le(node: Any) -> bool:
    if not aggregation(node) or aggregation(node) in SELECTING:
        return False
    how, labels = grouping(node)
    return ("le" in labels) == (how == "Without")


def _makes_le(node: Any) -> bool:
    return call(node) in ("label_replace", "label_join") and node.args[1].val == "le"


def _quantile_of_raw(rule: _Rule) -> Iterator[_Said]:
    for name, path in _streams(rule):
        if not name or ":" in name or name in rule.file.recorded:
            continue
        if name.endswith(("_count", "_sum", "_total")):
            message = f"histogram_quantile of {name}, which has no buckets, returns nothing"
            yield _Said(message, _right_quantile(name))
        elif not any(isinstance(node, promql_parser.MatrixSelector) or moves_in_time(node) for node in path):
            result = "is a quantile since each process began, which hardly moves"
            if not name.endswith("_bucket"):
                result = f"returns nothing on a classic histogram, and on a native one {result}"
            yield _Said(f"histogram_quantile of {name} without rate() {result}", _right_quantile(name))


def _thresholds_on_quantiles(rule: _Rule) -> Iterator[tuple[Comparison, Span]]:
    for found in comparisons(rule.tree):
        values = span(found.value, rule.file.recorded)
        if values is not None and values.kind == "quantile" and found.op not in ("==", "!="):
            yield found, values


def _quantile_out_of_reach(rule: _Rule) -> Iterator[_Said]:
    for found, values in _thresholds_on_quantiles(rule):
        if found.never(values.low, values.high):
            yield _Said(
                f"`{found.text}` can never be true: a quantile of {values.of} is at most {values.high:g}, its largest bucket",
                "alert on the share of events above a bucket's bound, or add buckets above the threshold",
            )


def _quantile_not_on_bucket(rule: _Rule) -> Iterator[_Said]:
    for found, values in _thresholds_on_quantiles(rule):
        if any(math.isclose(found.limit, bound) for bound in values.buckets):
            continue
        for low, high in pairwise((0.0, *values.buckets)):
            if low < found.limit < high:
                yield _Said(
                    f"`{found.text}` is no bucket of {values.of}: between {low:g} and {high:g} a quantile is a guess",
                    f"use {f'{low:g} or ' if low else ''}{high:g}, or add a bucket at the threshold",
                )


# Ratios


def _ratio_of_unaggregated(rule: _Rule) -> Iterator[_Said]:
    for node in nodes(rule.tree):
        if op(node) != "/" or (node.modifier is not None and node.modifier.matching is not None):
            continue
        part, total = (reading(scaled(side)[1]) for side in (node.lhs, node.rhs))
        if part is None or total is None or part.grouping is not None or total.grouping is not None:
            continue
        alike = (part.function, part.metric, part.when) == (total.function, total.metric, total.when)
        if alike and part.matchers != total.matchers:
            yield _Said(
                f"divides each series of {part.metric} by itself: 1 for those that both sides choose, nothing for the rest",
                "sum(…) / sum(…), or `sum by (…)` with the same labels on both sides",
            )


def _sides_never_match(rule: _Rule) -> Iterator[_Said]:
    for node in nodes(rule.tree):
        if op(node) in ("", "and", "or", "unless") or (
            node.modifier is not None and node.modifier.matching is not None
        ):
            continue
        one, other = (_kept_labels(scaled(side)[1]) for side in (node.lhs, node.rhs))
        if one is not None and other is not None and one != other:
            yield _Said(
                f"`{op(node)}` joins series by ({', '.join(sorted(one))}) with series by ({', '.join(sorted(other))}): none are alike, so there is no result",
                "the same labels on both sides, or `on (…) group_left`",
            )
        for kept, single in ((one, node.rhs), (other, node.lhs)):
            name = _scraped(single, rule)
            # Each series that is scraped has the label `instance`.
            if name and kept is not None and "instance" not in kept:
                of = f"one for each ({', '.join(sorted(kept))})" if kept else "one without labels"
                yield _Said(
                    f"`{op(node)}` joins each series of {name} with {of}: none are alike, so there is no result",
                    "sum(…) on both sides, with the same labels, or `on (…) group_left`",
                )


def _scraped(node: Any, rule: _Rule) -> str:
    """The counter that a node is a plain rate of, series by series; empty for any other node, and for what may be recorded."""
    found = reading(scaled(node)[1])
    if found is None or found.function not in RATES or found.grouping is not None:
        return ""
    return "" if ":" in found.metric or found.metric in rule.file.recorded else found.metric


def _kept_labels(node: Any) -> frozenset[str] | None:
    """The labels that an aggregation names for its result, None for any other node."""
    if aggregation(node) not in ("sum", "avg", "min", "max", "count", "group"):
        return None
    how, labels = grouping(node)
    return labels if how == "By" else None


def _ratio_without_minimum(rule: _Rule) -> Iterator[_Said]:
    for branch in terms(rule.tree, "or") if rule.is_alert else ():
        conditions = [found for term in terms(branch, "and") if (found := comparison(term))]
        ratios = [found for found in conditions if is_events_ratio(found.value, rule.file.recorded)]
        others = [found for found in conditions if found not in ratios]
        if ratios and not any(found.op in (">", ">=") and found.limit > 0 for found in others):
            yield _Said(
                "compares a ratio of events without a minimum of events: one failure in ten requests at night is 10 %",
                "add `and sum(increase(total[5m])) > 100`, with the labels of the ratio",
            )


def _burn_unreachable(rule: _Rule) -> Iterator[_Said]:
    for found in comparisons(rule.tree):
        if _is_burn_out_of_reach(found, rule):
            yield _Said(
                f"`{found.text}` is {found.limit:g}, and no share of events is above 1: it can never be true",
                "a burn factor times (1 - objective) must stay below 1: take a smaller factor, or a higher objective",
            )


def _is_burn_out_of_reach(found: Comparison, rule: _Rule) -> bool:
    written = bare(found.written)
    if found.op not in (">", ">=") or not any(op(node) == "*" for node in nodes(written)):
        return False
    values = span(found.value, rule.file.recorded)
    if values is not None:
        return values.kind == "share" and found.never(values.low, values.high)
    if op(written) != "*":
        return False
    whole, ratio = scaled(found.value)
    budget = min(number(written.lhs) or 0, number(written.rhs) or 0)
    return (
        0 < budget < whole
        and found.never(0, whole)
        and (is_events_ratio(ratio, rule.file.recorded) or _is_named_ratio(ratio))
    )


def _is_named_ratio(node: Any) -> bool:
    """Whether a recorded series says by its name that it is a share of events, as the common SLO generators write it."""
    name = metric(node) if isinstance(node, promql_parser.VectorSelector) else ""
    return ":" in name and any(word in name for word in ("ratio_rate", "burnrate", "error_ratio"))


# Counters and gauges

# Gauges that everybody has, and endings that only gauges have.
_GAUGES = frozenset(
    {
        *(
            "up",
            "process_start_time_seconds",
            "process_open_fds",
            "process_max_fds",
            "go_goroutines",
            "go_threads",
        ),
        *("process_resident_memory_bytes", "process_virtual_memory_bytes", "go_memstats_alloc_bytes"),
        *(
            "node_load1",
            "node_load5",
            "node_load15",
            "node_memory_MemAvailable_bytes",
            "node_memory_MemFree_bytes",
        ),
        *("node_filesystem_avail_bytes", "container_memory_working_set_bytes", "container_memory_rss"),
    }
)
_GAUGE_ENDINGS = ("_info", "_ratio", "_celsius", "_timestamp_seconds", "_in_progress", "_in_flight")


def _is_gauge(name: str) -> bool:
    instrument = INSTRUMENTS.get(name)
    if instrument is not None:
        return instrument.kind == "gauge"
    return name in _GAUGES or name.endswith(_GAUGE_ENDINGS)


def _rate_of_gauge(rule: _Rule) -> Iterator[_Said]:
    for use in uses(rule.tree):
        if is_rated(use) and _is_gauge(use.metric):
            yield _Said(
                f"{use.functions[0]}() of {use.metric}, a gauge: each fall is taken for a restart and counted as growth",
                "delta() or deriv() for its change, avg_over_time() for its level",
            )


def _level_of_counter(rule: _Rule) -> Iterator[_Said]:
    for found in comparisons(rule.tree):
        if found.limit == 0:
            continue  # whether it ever happened, or a gauge whose name ends like a counter's
        for name in _levels(found.value):
            if _is_counter(name) and name not in rule.file.recorded:
                yield _Said(
                    f"compares the counter {name} itself with `{found.text}`: it grows until its process restarts",
                    f"increase({name}[5m]) {found.op} …, or rate()",
                )


def _is_counter(name: str) -> bool:
    return name.endswith("_total") and ":" not in name


_KEEP_LEVEL = (
    *("abs", "ceil", "floor", "round", "scalar", "sort", "sort_desc", "label_replace", "label_join"),
    *("max_over_time", "min_over_time", "avg_over_time", "last_over_time"),
)
_LEVELS = ("sum", "avg", "min", "max", "quantile", *SELECTING)


def _levels(node: Any) -> list[str]:
    """The metrics whose level an expression carries; a difference is no level."""
    if isinstance(node, promql_parser.VectorSelector):
        return [metric(node)]
    if call(node):
        return _levels(node.args[0]) if call(node) in _KEEP_LEVEL else []
    if aggregation(node):
        return _levels(node.expr) if aggregation(node) in _LEVELS else []
    if not op(node):
        return [name for child in children(node) for name in _levels(child)]
    if op(node) in ("and", "unless"):
        return _levels(node.lhs)
    if op(node) not in ("or", "+", "*", "/") or moves_in_time(node):
        return []
    left, right = _levels(node.lhs), _levels(node.rhs)
    if op(node) == "/" and number(node.rhs) is None and not any(map(_is_counter, right)):
        return []
    return left if op(node) == "/" else left + right


def _rate_of_sum(rule: _Rule) -> Iterator[_Said]:
    for node in nodes(rule.tree):
        if call(node) not in RATES:
            continue
        inner = meaning(children(bare(node.args[0]))[0], rule.file.recorded)
        if aggregation(inner) == "sum" and not any(call(part) in COUNTING for part in nodes(inner)):
            name = call(node)
            yield _Said(
                f"{name}() of a sum of counters: where one process restarts the sum falls, and all the rest counts as growth",
                f"sum({name}(…)), not {name}(sum(…))",
            )


# Conditions

_SAID: dict[Kind, tuple[str, str]] = {
    "constant": ("a constant", "compare something that moves"),
    "share": ("a share of events", "a share goes from 0 to 1: 5 % of the events is 0.05"),
    "up": ("up", "`up == 0` is a target that cannot be scraped"),
    "presence": ("absent() or group(), where it answers at all,", "leave the comparison away"),
    "count": ("count() of at least one series", "use absent(…), or (count(…) or vector(0)) == 0"),
    "rate": ("growth of a counter", "a counter never falls: delta() is for gauges"),
    "quantile": ("a quantile", "a quantile never exceeds the largest finite bucket"),
    "value": ("this", "choose a threshold on both sides of which the value can be"),
}


def _never_true(rule: _Rule) -> Iterator[_Said]:
    for found in comparisons(rule.tree):
        values = span(found.value, rule.file.recorded)
        if values is None or not found.never(values.low, values.high):
            continue
        if (values.kind == "quantile" and found.op not in ("==", "!=")) or _is_burn_out_of_reach(found, rule):
            continue  # has a rule of its own
        yield _Said(f"`{found.text}` can never be true: {_described(values)}", _SAID[values.kind][1])


def _always_true(rule: _Rule) -> Iterator[_Said]:
    found = comparison(rule.tree) if rule.is_alert else None
    values = found and span(found.value, rule.file.recorded)
    if not found or not values or values.kind in ("presence", "count"):
        return  # `absent(x) == 1` and `count(x) > 0` ask whether there is a series
    chooses = any(op(node) in COMPARISONS for node in nodes(found.value))
    if not chooses and found.always(values.low, values.high):
        message = f"`{found.text}` is true wherever there is data, so it fires for ever: {_described(values)}"
        yield _Said(message, _SAID[values.kind][1])


def _described(values: Span) -> str:
    what, _ = _SAID[values.kind]
    if values.low == values.high:
        return f"{what} is {values.low:g}"
    if values.high == math.inf:
        return f"{what} is never below {values.low:g}"
    return f"{what} goes from {values.low:g} to {values.high:g}"


# Whom it tells, and what


def _without_severity(rule: _Rule) -> Iterator[_Said]:
    if rule.is_alert and not rule.labels.get("severity"):
        yield _Said(
            "has no label `severity`, so no route can tell whom to wake", "labels: {severity: warning}"
        )


def _without_summary(rule: _Rule) -> Iterator[_Said]:
    if rule.is_alert and not rule.annotations.get("summary"):
        yield _Said("has no annotation `summary`", "one sentence that the person who is woken reads first")


def _without_runbook(rule: _Rule) -> Iterator[_Said]:
    if rule.is_alert and not any(rule.annotations.get(key) for key in ("runbook_url", "runbook")):
        yield _Said("has no annotation `runbook_url`", "the address of a page that says what to do")


def _duplicate(rule: _Rule) -> Iterator[_Said]:
    for other in rule.file.alike[rule.identity]:
        if other is rule:
            return
        if str(other.tree) == str(rule.tree) or not (rule.is_alert or _are_apart(other.tree, rule.tree)):
            what, remedy = "series", "keep one, or give each a label of its own"
            if rule.is_alert:
                what, remedy = "alert", "keep one"
            yield _Said(f"stands twice: the same {what} with the same labels is above", remedy)
            return


def _are_apart(one: Any, other: Any) -> bool:
    """Whether two expressions ask for different values of a label, so that they can record one name side by side."""
    first, second = _asked(one), _asked(other)
    return any(not first[label] & second[label] for label in first.keys() & second.keys())


def _asked(tree: Any) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for use in uses(tree):
        for matcher in use.matchers:
            if matcher.op == "=":
                found.setdefault(matcher.label, set()).add(matcher.value)
    return found


_CHECKS: dict[str, _Check] = {
    "promql-invalid": _Check(
        "error",
        "Prometheus refuses a whole file for one expression that it cannot parse.",
        _invalid,
        reads_text=True,
    ),
    "quantile-without-le": _Check(
        "error",
        "histogram_quantile reads a classic histogram's buckets by `le`; where an aggregation drops it there is no result.",
        _quantile_without_le,
    ),
    "quantile-of-raw-histogram": _Check(
        "error",
        "Without rate() a quantile is over each process's whole life, or over a series that has no buckets at all.",
        _quantile_of_raw,
    ),
    "quantile-threshold-out-of-reach": _Check(
        "error",
        "histogram_quantile never returns more than the largest finite bucket, so a threshold there is never exceeded.",
        _quantile_out_of_reach,
    ),
    "quantile-threshold-not-on-bucket": _Check(
        "warning",
        "Inside a bucket a quantile is interpolated: with bounds at 1 and 2, requests of 1.01 s read as 1.99 s.",
        _quantile_not_on_bucket,
    ),
    "ratio-of-unaggregated": _Check(
        "error",
        "A series is divided by the one with equal labels: a failing series by itself, which is 1 at any error rate.",
        _ratio_of_unaggregated,
    ),
    "sides-never-match": _Check(
        "error",
        "An operator joins series with equal labels, so two sides that keep different labels give nothing.",
        _sides_never_match,
    ),
    "ratio-without-minimum": _Check(
        "info",
        "A share of few events jumps: without a minimum of traffic one failure at night wakes someone.",
        _ratio_without_minimum,
    ),
    "burn-threshold-unreachable": _Check(
        "error",
        "A burn factor times the error budget of 1 or more asks for more failures than there are events.",
        _burn_unreachable,
    ),
    "rate-of-gauge": _Check(
        "warning",
        "rate() and increase() take each fall for a counter's restart, so a gauge that moves up and down only grows.",
        _rate_of_gauge,
    ),
    "level-of-counter": _Check(
        "warning",
        "A counter holds all that happened since its process began: a threshold on it, once crossed, stays so until a restart.",
        _level_of_counter,
    ),
    "rate-of-sum": _Check(
        "error",
        "A restart of one process makes a sum of counters fall, and rate() reads all that is left as new events.",
        _rate_of_sum,
    ),
    "never-true": _Check(
        "error", "The value cannot reach the threshold, so the condition never holds.", _never_true
    ),
    "always-true": _Check(
        "error",
        "The value cannot be on the other side of the threshold, so the alert fires for ever.",
        _always_true,
    ),
    "alert-without-severity": _Check(
        "warning",
        "Routes and inhibitions go by `severity`; an alert without one lands in the default route.",
        _without_severity,
        reads_text=True,
    ),
    "alert-without-summary": _Check(
        "info",
        "The summary is the line that a person reads first, on a phone.",
        _without_summary,
        reads_text=True,
    ),
    "missing-runbook": _Check(
        "info",
        "Who is woken should not have to search for what to do.",
        _without_runbook,
        reads_text=True,
    ),
    "duplicate-rule": _Check(
        "error",
        "Two rules that record the same series overwrite each other, and two equal alerts are one kept twice.",
        _duplicate,
    ),
}

RULES: dict[str, str] = {name: check.why for name, check in _CHECKS.items()}
"""Each rule of this lint, and why it is one."""
