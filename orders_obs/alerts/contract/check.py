"""What is used against what is emitted."""

from __future__ import annotations

import difflib
import itertools
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from prometheus_client.utils import floatToGoString

from orders_obs.alerts.contract.dashboards import VARIABLE
from orders_obs.alerts.contract.known import EXPORTERS
from orders_obs.alerts.contract.model import TARGET_LABELS, Emitted, Inventory
from orders_obs.alerts.contract.thresholds import thresholds
from orders_obs.alerts.contract.trees import label_reads, labels_after, unit_of
from orders_obs.alerts.promql import uses
from orders_obs.alerts.promql.trees import RATES, call, carried, nodes
from orders_obs.findings import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from orders_obs.alerts.contract.model import Part, Query, Unread
    from orders_obs.alerts.contract.trees import Labels
    from orders_obs.alerts.promql import Use
    from orders_obs.signals.model import Matcher

__all__ = ["RULES", "check", "recorded"]

RULES: dict[str, str] = {
    "metric-not-emitted": "An alert on a metric that nobody emits never fires, and its panel is empty, without any error.",
    "label-not-emitted": "A label that a metric never has makes a selector empty, or a grouping one nameless series.",
    "label-value-not-emitted": "A value that a label never takes makes a selector empty, which looks like all is well.",
    "metric-type-mismatch": "A function that fits another type of metric gives nothing, or a number that means nothing.",
    "bucket-not-emitted": "What is slower than a bound is only counted exactly where the histogram has a bucket at that bound.",
    "unit-mismatch": "A value that is read in another unit than it is measured in is wrong by a factor.",
    "declared-twice": "Of two declarations of one metric only one is shown, so queries that need the other find nothing.",
    "declaration-not-read": "What depends on more than constants is not known before the program runs, so nothing is promised of it.",
    "declaration-refused": "prometheus_client raises where such a declaration runs, so the program does not start.",
    "source-not-read": "Metrics of a file that cannot be parsed are not known, so their uses look wrong.",
    "dashboard-query-unparsable": "A panel whose query Prometheus refuses shows an error instead of data.",
    "promql-invalid": "Prometheus refuses a whole file for one expression that it cannot parse.",
    "emitted-never-used": "A metric that nobody looks at costs memory at each scrape, or is an alert that was forgotten.",
}
"""Each rule of the contract and why it is one."""

_GAUGE_ONLY = frozenset(
    {"delta", "idelta", "deriv", "predict_linear", "holt_winters", "double_exponential_smoothing"}
)
_NATIVE_ONLY = frozenset(
    {"histogram_avg", "histogram_count", "histogram_sum", "histogram_stddev", "histogram_stdvar"}
)
_GROWING: frozenset[Part] = frozenset({"counter", "bucket", "count", "sum"})
_GAUGES: frozenset[Part] = frozenset({"gauge", "quantile"})


def check(
    emitted: Iterable[Emitted],
    queries: Sequence[Query],
    *,
    unread: Sequence[Unread] = (),
    uses_ours: bool = True,
    target_labels: Iterable[str] = (),
) -> list[Finding]:
    """Compare what is used with what is emitted, both ways.

    Args:
        emitted: All metrics that are known.
        queries: What alerts, rules and dashboards evaluate. What one of them records counts as emitted.
        unread: Declarations whose names are not known: a metric that may be one of them is no error.
        uses_ours: Whether the source uses `orders_obs`, so that a metric of the same name is a conflict. Where it does not, a query
            of `http_requests_total` is about somebody else's, of which nothing but the name is known.
        target_labels: Labels that the team's scrapes add, besides `TARGET_LABELS`.
    """
    if not uses_ours:
        emitted = [one for metric in emitted for one in _by_name_only(metric)]
    found = Inventory([*emitted, *recorded(queries)])
    checker = _Checker(found, list(unread), TARGET_LABELS | set(target_labels))
    findings = [finding for query in queries for finding in checker.query(query)]
    findings += _off_buckets(found, queries)
    findings += _twice(found, uses_ours=uses_ours)
    findings += _never_used(found, queries, uses_ours=uses_ours)
    findings += [
        Finding(
            "declaration-not-read",
            "info",
            one.where,
            f"the name of a {one.kind} depends on {one.reason}, so it is not known",
            "write it as a constant, or give the text of its /metrics with --also",
        )
        for one in unread
    ]
    return list(dict.fromkeys(findings))


def _by_name_only(metric: Emitted) -> list[Emitted]:
    """A metric of ours as somebody else's: each of its series, and nothing of what they are."""
    if metric.origin != "library":
        return [metric]
    names = dict.fromkeys((metric.name, *metric.series))
    return [
        replace(metric, name=name, kind="unknown", labels=None, buckets=None, values=()) for name in names
    ]


def recorded(queries: Iterable[Query]) -> list[Emitted]:
    """The series that recording rules give, with their labels where the rule's expression names them."""
    found = []
    for query in queries:
        if query.records:
            labels = labels_after(query.tree)
            own = None if labels is None else tuple(sorted(labels.union(query.record_labels)))
            found.append(Emitted(query.records, "unknown", query.where, "rules", own))
    return found


class _Checker:
    def __init__(self, found: Inventory, unread: list[Unread], target_labels: frozenset[str]) -> None:
        self._found = found
        self._unread = unread
        self._targets = target_labels

    def query(self, query: Query) -> Iterator[Finding]:
        for use in uses(query.tree):
            yield from self._use(query, use)
        for native in _natives(query.tree):
            yield from self._native(query, *native)
        for read in label_reads(query.tree, self._labels_of):
            if VARIABLE not in read.label:
                yield self._label_read(query, read.label, read.metrics, read.how)
        for label in query.labels:
            for use in uses(query.tree):
                labels = self._labels_of(use.metric)
                if labels is not None and label not in labels and VARIABLE not in label:
                    yield self._said(
                        "label-not-emitted",
                        "error",
                        query,
                        f"{use.metric} has no label {label}, so the variable has no values",
                        self._labels_hint(use.metric, label),
                    )
        yield from self._unit(query)

    # --- metrics and labels -------------------------------------------------------------------------------------------

    def _use(self, query: Query, use: Use) -> Iterator[Finding]:
        if not use.metric:
            yield from self._named_by_pattern(query, use)
            return
        if VARIABLE in use.metric:
            pattern = re.escape(use.metric).replace(VARIABLE, ".+")
            if not any(re.fullmatch(pattern, name) for name in self._found.names):
                shown = use.metric.replace(VARIABLE, "$…")
                message = f"no metric is emitted whose name is like {shown}"
                yield self._said("metric-not-emitted", "warning", query, message, self._source_hint())
            return
        if use.metric not in self._found:
            yield from self._missing(query, use)
            return
        yield from self._types(query, use)
        for matcher in use.matchers:
            yield from self._matcher(query, use, matcher)

    def _named_by_pattern(self, query: Query, use: Use) -> Iterator[Finding]:
        for matcher in use.matchers:
            if matcher.label == "__name__" and matcher.op == "=~" and VARIABLE not in matcher.value:
                pattern = _compiled(matcher.value)
                if pattern is not None and not any(map(pattern.fullmatch, self._found.names)):
                    message = f"no metric is emitted whose name satisfies {matcher.value!r}"
                    yield self._said("metric-not-emitted", "warning", query, message, self._source_hint())

    def _missing(self, query: Query, use: Use) -> Iterator[Finding]:
        name = use.metric
        mismatch = self._other_type(name)
        if mismatch is not None:
            message, hint, certain = mismatch
            yield self._said("metric-type-mismatch", certain, query, message, hint)
            return
        maybe = [one for one in self._unread if _may_be(one, name)]
        near = self._near(name)
        exporter = EXPORTERS.get(name.partition("_")[0]) if not near else None
        level: Level = "error"
        message = f"{name} is emitted by nothing that was read"
        hint = f"did you mean {' or '.join(near)}?" if near else self._source_hint()
        if any(not one.says_nothing for one in maybe):
            level, hint = "info", f"it may be what {maybe[0].where} declares, whose name is not known"
        elif exporter is not None:
            level = "info"
            message = f"{name} is read from {exporter}, whose metrics were not read"
            hint = "give the text of its /metrics, or a list of names, with --also"
        elif maybe:
            level = "warning"
            hint += f"; {maybe[0].where} declares metrics whose names are not known"
        yield self._said("metric-not-emitted", level, query, message, hint)

    def _other_type(self, name: str) -> tuple[str, str, Level] | None:
        """Why a series of a metric that exists does not, where the metric is of another type."""
        for family in self._found.families.get(name, ()):
            certain: Level = "error" if family.origin in ("library", "source") else "warning"
            if family.kind == "histogram":
                message = f"{name} is a histogram: no series has that name alone"
                return message, f"{name}_bucket, {name}_count or {name}_sum", certain
            if family.kind == "summary":
                message = f"{name} is a summary of prometheus_client, which has no quantiles"
                return message, f"{name}_count and {name}_sum, or make it a histogram", certain
        for suffix in ("_bucket", "_count", "_sum"):
            base = name.removesuffix(suffix)
            if base == name:
                continue
            for family in (
                *self._found.families.get(base, ()),
                *self._found.families.get(f"{base}_total", ()),
            ):
                if family.kind in ("counter", "gauge", "summary", "histogram", "info", "stateset"):
                    message = f"{family.name} is a {family.kind} ({family.where}): it has no {name}"
                    hint = "make it a histogram" if suffix == "_bucket" else f"{' or '.join(family.series)}"
                    return message, hint, "error"
        return None

    def _near(self, name: str) -> list[str]:
        sure = [
            f"{name}_total",
            name.removesuffix("_total"),
            f"{name}_info",
            f"{name}_seconds",
            f"{name}_bytes",
        ]
        sure = [one for one in sure if one != name and one in self._found]
        names = [one for one in self._found.names if not one.endswith("_created")]
        return list(dict.fromkeys([*sure, *difflib.get_close_matches(name, names, 3, cutoff=0.8)]))[:3]

    def _labels_of(self, metric: str) -> Labels:
        """The labels that a series can have, the target's included; None where that is not known."""
        own = self._found.labels(metric)
        if own is None:
            return None
        is_recorded = all(emitted.origin == "rules" for emitted, _ in self._found[metric])
        return own | ({"__name__"} if is_recorded else self._targets)

    def _has(self, labels: frozenset[str], label: str) -> bool:
        return label in labels or label.removeprefix("exported_") in labels or label.startswith("__")

    def _matcher(self, query: Query, use: Use, matcher: Matcher) -> Iterator[Finding]:
        label, labels = matcher.label, self._labels_of(use.metric)
        part = self._found.part(use.metric)
        if label == "le" and part in ("count", "sum", "counter", "gauge"):
            hint = "`le` is a label of a histogram's _bucket only"
            yield self._said("label-not-emitted", "error", query, f"{use.metric} has no label le", hint)
            return
        if labels is not None and not self._has(labels, label):
            yield from self._absent(query, use, matcher)
            return
        if label == "le" and part == "bucket":
            yield from self._bucket(query, use, matcher)
            return
        known = self._found.values(use.metric, label)
        if known is None or VARIABLE in matcher.value or label in TARGET_LABELS:
            return
        values, declared = known
        fits = {
            "=": matcher.value in ("", *values),
            "=~": _any_fits(matcher.value, ("", *values)),
        }
        if not fits.get(matcher.op, True):
            yield self._value(query, use, matcher, values, declared=declared)

    def _value(
        self, query: Query, use: Use, matcher: Matcher, values: tuple[str, ...], *, declared: bool
    ) -> Finding:
        shown = [value for value in values if not value.startswith("__")]
        asked = f'{matcher.label}{matcher.op}"{matcher.value}"'
        return self._said(
            "label-value-not-emitted",
            "error" if declared else "warning",
            query,
            f"{use.metric} never has {asked}",
            f"{matcher.label} is one of {', '.join(shown)}",
        )

    def _absent(self, query: Query, use: Use, matcher: Matcher) -> Iterator[Finding]:
        asked = f'{matcher.label}{matcher.op}"{matcher.value.replace(VARIABLE, "$…")}"'
        hint = self._labels_hint(use.metric, matcher.label)
        message = f"{use.metric} has no label {matcher.label}, so {asked} chooses nothing"
        if VARIABLE in matcher.value:
            yield self._said("label-not-emitted", "warning", query, message, hint)
            return
        pattern = _compiled(matcher.value) if matcher.op in ("=~", "!~") else None
        empty = pattern.fullmatch("") is not None if pattern is not None else not matcher.value
        if matcher.op in ("=", "=~") and not empty:
            yield self._said("label-not-emitted", "error", query, message, hint)
        elif matcher.op in ("!=", "!~") and not empty:
            message = f"{use.metric} has no label {matcher.label}, so {asked} keeps everything"
            yield self._said("label-not-emitted", "warning", query, message, hint)

    def _label_read(self, query: Query, label: str, metrics: tuple[str, ...], how: str) -> Finding:
        names = ", ".join(metrics) or "the expression below it"
        level: Level = "info" if " without (" in how else "warning"
        message = f"`{how}`: {names} {'have' if len(metrics) > 1 else 'has'} no label {label} there"
        return self._said(
            "label-not-emitted",
            level,
            query,
            message,
            self._labels_hint(metrics[0] if metrics else "", label),
        )

    def _labels_hint(self, metric: str, label: str) -> str:
        own = sorted((self._found.labels(metric) or frozenset()) - {"le"})
        near = difflib.get_close_matches(label, own, 1)
        if near:
            return f"did you mean {near[0]}?"
        listed = f"its own labels are {', '.join(own)}" if own else "it has no labels of its own"
        return f"{listed}; name one that the scrape adds with --target-label"

    # --- types --------------------------------------------------------------------------------------------------------

    def _types(self, query: Query, use: Use) -> Iterator[Finding]:
        part, kinds = self._found.part(use.metric), [metric.kind for metric, _ in self._found[use.metric]]
        inner = use.functions[0] if use.functions else ""
        if inner in RATES and use.window is not None and part in _GAUGES:
            message = f"{inner}() of {use.metric}, which is a {_kind_name(kinds)}: each fall counts as growth"
            hint = "delta() or deriv() for its change, avg_over_time() for its level"
            yield self._said("metric-type-mismatch", "error", query, message, hint)
        if inner in _GAUGE_ONLY and use.window is not None and part in _GROWING:
            message = f"{inner}() of {use.metric}, which is a counter: a restart counts as a fall"
            yield self._said("metric-type-mismatch", "warning", query, message, "rate() or increase()")

    def _native(self, query: Query, function: str, use: Use) -> Iterator[Finding]:
        part = self._found.part(use.metric)
        if use.metric not in self._found or part == "unknown":
            return
        if function == "histogram_quantile" and part != "bucket":
            kinds = [metric.kind for metric, _ in self._found[use.metric]]
            message = f"histogram_quantile of {use.metric}, which is no bucket of a histogram but a {_kind_name(kinds)}"
            hint = "histogram_quantile(q, sum by (le) (rate(NAME_bucket[5m])))"
            yield self._said("metric-type-mismatch", "error", query, message, hint)
        elif function in _NATIVE_ONLY:
            message = f"{function} of {use.metric}: it gives nothing for histograms with buckets"
            hint = "divide the rates of NAME_sum and NAME_count"
            yield self._said("metric-type-mismatch", "error", query, message, hint)

    # --- buckets and units --------------------------------------------------------------------------------------------

    def _bucket(self, query: Query, use: Use, matcher: Matcher) -> Iterator[Finding]:
        buckets = self._found.buckets(use.metric)
        if buckets is None or VARIABLE in matcher.value or matcher.op not in ("=", "=~"):
            return
        texts = [*map(_le, buckets), "+Inf"]
        asked = f'le{matcher.op}"{matcher.value}"'
        if matcher.op == "=~":
            pattern = _compiled(matcher.value)
            if pattern is not None and not any(map(pattern.fullmatch, texts)):
                hint = f"the bounds are {', '.join(texts)}"
                yield self._said(
                    "bucket-not-emitted", "error", query, f"{use.metric} has no bucket {asked}", hint
                )
            return
        if matcher.value in texts:
            return
        try:
            wanted = _le(float(matcher.value))
        except ValueError:
            wanted = ""
        hint = f"the bounds are {', '.join(texts)}"
        if wanted in texts:
            hint = f'the bound is scraped as le="{wanted}"'
        yield self._said("bucket-not-emitted", "error", query, f"{use.metric} has no bucket {asked}", hint)

    def _unit(self, query: Query) -> Iterator[Finding]:
        if not query.unit:
            return
        measured = unit_of(query.tree, self._found.part, self._declared_unit)
        shown = _PANEL_UNITS.get(query.unit)
        if measured is None or shown is None or shown == measured:
            return
        yield self._said(
            "unit-mismatch",
            "error",
            query,
            f"shows {measured} in the unit {query.unit!r}, which is read as {shown}",
            f"choose the unit of {measured}, or convert the value",
        )

    def _declared_unit(self, name: str) -> str:
        units = {_UNITS.get(metric.unit, metric.unit) for metric, _ in self._found[name]} - {"", "1"}
        return units.pop() if len(units) == 1 else ""

    def _source_hint(self) -> str:
        return "name its source with --source, or give the text of its /metrics with --also"

    def _said(self, rule: str, level: Level, query: Query, message: str, hint: str) -> Finding:
        return Finding(rule, level, query.where, f"{query.name}: {message}", hint)


_UNITS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds", "By": "bytes"}
# Grafana's ids of units (packages/grafana-data, valueFormats/categories.ts).
_PANEL_UNITS = {
    "s": "seconds",
    "ms": "milliseconds",
    "µs": "microseconds",
    "ns": "nanoseconds",
    "m": "minutes",
    "h": "hours",
    "d": "days",
    "dtdurations": "seconds",
    "dtdurationms": "milliseconds",
    "clocks": "seconds",
    "bytes": "bytes",
    "decbytes": "bytes",
    "kbytes": "kibibytes",
    "mbytes": "mebibytes",
    "gbytes": "gibibytes",
    "deckbytes": "kilobytes",
    "decmbytes": "megabytes",
    "decgbytes": "gigabytes",
    "percentunit": "ratio",
    "percent": "percent",
    "celsius": "celsius",
}


def _le(bound: float) -> str:
    """A bound as the text of the label `le` that prometheus_client exposes."""
    return str(floatToGoString(bound))  # type: ignore[no-untyped-call]  # prometheus_client gives it no types


def _kind_name(kinds: Sequence[str]) -> str:
    names = {"stateset": "gauge", "info": "gauge"}
    return " or ".join(dict.fromkeys(names.get(kind, kind) for kind in kinds))


def _may_be(one: Unread, name: str) -> bool:
    series = {
        "histogram": ("_bucket", "_count", "_sum", "_created"),
        "summary": ("_count", "_sum", "_created"),
    }.get(one.kind, ("",))
    return any(
        re.fullmatch(one.pattern, name.removesuffix(suffix)) for suffix in series if name.endswith(suffix)
    )


def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error:
        return None  # Prometheus's own syntax of expressions, which Python does not have


def _any_fits(pattern: str, values: Iterable[str]) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or any(map(compiled.fullmatch, values))


def _natives(tree: Any) -> Iterator[tuple[str, Use]]:
    """The selectors whose values a function of histograms reads."""
    for node in nodes(tree):
        name = call(node)
        if name == "histogram_quantile" or name in _NATIVE_ONLY:
            for selector, _ in carried(node.args[1 if name == "histogram_quantile" else 0]):
                yield name, uses(selector)[0]


# Buckets at thresholds


def _off_buckets(found: Inventory, queries: Sequence[Query]) -> Iterator[Finding]:
    """Quantiles that are compared with what is no bucket; a bucket read by its `le` is judged where it stands."""
    for asked in thresholds(queries):
        name = f"{asked.histogram}_bucket"
        buckets = found.buckets(name)
        if not asked.op or buckets is None or any(math.isclose(asked.bound, bound) for bound in buckets):
            continue
        said, where = f"{asked.query.name}: `{asked.text}`", asked.query.where
        smaller = asked.bound / 1000
        if asked.bound > buckets[-1] and any(math.isclose(smaller, bound) for bound in buckets):
            unit = "seconds" if asked.histogram.endswith("_seconds") else "the metric's unit"
            message = f"{said} of {asked.histogram} is in thousandths: its buckets end at {buckets[-1]:g}"
            yield Finding("unit-mismatch", "error", where, message, f"in {unit} that is {smaller:g}")
        elif asked.bound > buckets[-1]:
            message = f"{said} is above the largest bucket of {asked.histogram}, {buckets[-1]:g}, which no quantile exceeds"
            hint = "add buckets at the threshold and above it: see --buckets"
            yield Finding(
                "bucket-not-emitted", "error" if asked.op in (">", ">=") else "warning", where, message, hint
            )
        else:
            low = max((bound for bound in buckets if bound < asked.bound), default=0.0)
            high = min(bound for bound in buckets if bound > asked.bound)
            message = f"{said} is no bucket of {asked.histogram}: between {low:g} and {high:g} a quantile is a guess"
            yield Finding(
                "bucket-not-emitted", "warning", where, message, "add a bucket there: see --buckets"
            )


# Declarations


def _twice(found: Inventory, *, uses_ours: bool) -> Iterator[Finding]:
    by_name: dict[str, list[Emitted]] = {}
    for metric in found.emitted:
        if metric.origin == "source" or (metric.origin == "library" and uses_ours):
            by_name.setdefault(metric.name, []).append(metric)
    for name, metrics in by_name.items():
        own = [metric for metric in metrics if metric.origin == "source"]
        for one, other in itertools.combinations(metrics, 2):
            if own and other is not one and _differ(one, other):
                later, first = (
                    (one, other) if other.origin == "source" and one.origin != "source" else (other, one)
                )
                if later.origin == "library":
                    later, first = first, later
                yield Finding(
                    "declared-twice",
                    "error" if later.kind != first.kind else "warning",
                    later.where,
                    f"{name} is declared otherwise by {first.where}: {_differ(one, other)}",
                    "declare it once and import it from there, or give one another name",
                )
    yield from _under_one_name(_of_source(found))


def _of_source(found: Inventory) -> list[Emitted]:
    """The metrics that the source declares, one of each name."""
    return list({metric.name: metric for metric in found.emitted if metric.origin == "source"}.values())


def _under_one_name(metrics: list[Emitted]) -> Iterator[Finding]:
    """Metrics of different names whose series have the same name: prometheus_client refuses the second."""
    owners: dict[str, Emitted] = {}
    for metric in metrics:
        for series in metric.series:
            first = owners.setdefault(series, metric)
            if first is not metric:
                message = f"{metric.name} and {first.name} ({first.where}) both have the series {series}"
                yield Finding("declared-twice", "error", metric.where, message, "give one another name")


def _differ(one: Emitted, other: Emitted) -> str:
    if one.kind != other.kind:
        return f"a {one.kind} and a {other.kind}"
    if one.labels is not None and other.labels is not None and set(one.labels) != set(other.labels):
        return f"labels ({', '.join(one.labels)}) and ({', '.join(other.labels)})"
    if one.buckets is not None and other.buckets is not None and one.buckets != other.buckets:
        return "other buckets"
    return ""


def _never_used(found: Inventory, queries: Sequence[Query], *, uses_ours: bool) -> Iterator[Finding]:
    used: set[str] = set()
    for query in queries:
        for use in uses(query.tree):
            used.add(use.metric)
            used.update(_named_by(use, found))
    hint = "put it on a panel, alert on it, or stop emitting it"
    for metric in _of_source(found):
        if not used.intersection(metric.series):
            message = f"{metric.name} is in no alert and no dashboard that was read"
            yield Finding("emitted-never-used", "info", metric.where, message, hint)
    library = [metric for metric in found.shown if metric.origin == "library"]
    unused = [metric.name for metric in library if not used.intersection(metric.series)]
    if unused and uses_ours:
        message = f"{len(unused)} of the library's {len(library)} metrics are in no alert and no dashboard: {', '.join(unused)}"
        yield Finding(
            "emitted-never-used",
            "info",
            "orders_obs",
            message,
            "they cost little; look whether one is worth a panel",
        )


def _named_by(use: Use, found: Inventory) -> list[str]:
    """The series that a selector chooses by a pattern for their names."""
    patterns = [m.value for m in use.matchers if m.label == "__name__" and m.op == "=~"]
    if VARIABLE in use.metric:
        patterns.append(re.escape(use.metric).replace(VARIABLE, ".*"))
    compiled = [_compiled(pattern.replace(VARIABLE, ".*")) for pattern in patterns]
    return [name for pattern in compiled if pattern for name in found.names if pattern.fullmatch(name)]
