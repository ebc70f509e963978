"""What is emitted and what is used, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["TARGET_LABELS", "Emitted", "Inventory", "Kind", "Origin", "Part", "Query", "Unread"]

Kind = Literal["counter", "gauge", "histogram", "summary", "info", "stateset", "gaugehistogram", "unknown"]
"""The type of a metric, in prometheus_client's words."""
Part = Literal["counter", "gauge", "bucket", "count", "sum", "quantile", "unknown"]
"""What one series of a metric is."""
Origin = Literal["library", "source", "well-known", "exporter", "file", "rules"]

TARGET_LABELS = frozenset(
    {
        *(
            "__name__",
            "job",
            "instance",
            "service",
            "namespace",
            "pod",
            "container",
            "endpoint",
            "node",
            "host",
        ),
        *("cluster", "region", "zone", "env", "environment", "prometheus", "prometheus_replica", "tenant_id"),
    }
)
"""Labels that a scrape, a service discovery or a remote write adds to a metric's own."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """A metric that something emits.

    Attributes:
        name: As a query names it, without `_bucket`, `_count` and `_sum`; a counter's ends in `_total`, an info's in `_info`.
        kind: Its type.
        where: `FILE:LINE` of its declaration, or what gives it.
        origin: Who gives it.
        labels: Its own labels, without the target's and `le`; None where they are not known.
        buckets: Finite upper bounds, ascending; None where they are not known, or it is no histogram.
        values: Labels whose values are all known, with these values.
        declared_values: Whether the declaration itself gives `values`; else they were read from the calls of `labels()`.
        unit: UCUM code or plural word of its unit, where the declaration has one.
    """

    name: str
    kind: Kind
    where: str
    origin: Origin
    labels: tuple[str, ...] | None = None
    buckets: tuple[float, ...] | None = None
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    declared_values: bool = False
    unit: str = ""

    @property
    def series(self) -> dict[str, Part]:
        """The names of its series and what each is."""
        created: dict[str, Part] = {}
        if self.origin in ("library", "source") and self.kind in ("counter", "histogram", "summary"):
            base = self.name.removesuffix("_total") if self.kind == "counter" else self.name
            created = {f"{base}_created": "gauge"}
        own: dict[str, Part] = {}
        if self.kind == "counter":
            own = {self.name: "counter"}
        elif self.kind == "histogram":
            own = {f"{self.name}_bucket": "bucket", f"{self.name}_count": "count", f"{self.name}_sum": "sum"}
            if self.buckets and self.buckets[0] < 0:
                del own[f"{self.name}_sum"]  # prometheus_client leaves it out where events can be negative
        elif self.kind == "summary":
            own = {f"{self.name}_count": "count", f"{self.name}_sum": "sum"}
            if "quantile" in (self.labels or ()):
                own[self.name] = "quantile"
        elif self.kind == "gaugehistogram":
            own = dict.fromkeys((f"{self.name}_{part}" for part in ("bucket", "gcount", "gsum")), "gauge")
        else:
            own = {self.name: "unknown" if self.kind == "unknown" else "gauge"}
        return own | created


@dataclass(frozen=True, slots=True)
class Unread:
    """A declaration whose name cannot be known without running the code.

    Attributes:
        where: `FILE:LINE`.
        kind: What it declares.
        pattern: A regular expression that its name satisfies; `.+` where nothing is known of it.
        reason: What could not be read.
    """

    where: str
    kind: Kind
    pattern: str
    reason: str

    @property
    def says_nothing(self) -> bool:
        """Whether it could have any name."""
        return not any(letter.isalnum() for letter in re.sub(r"_(total|info)\Z", "", self.pattern))


@dataclass(frozen=True, slots=True)
class Query:
    """An expression that an alert, a recording rule or a dashboard evaluates.

    Attributes:
        where: `FILE:LINE` or `FILE`.
        name: Of the alert, the recorded series or the panel.
        tree: As `orders_obs.alerts.promql.parse` gives it.
        text: As written.
        origin: Where it stands.
        unit: Grafana's unit of a panel.
        labels: Labels that it reads by other means, as `label_values(metric, label)` does.
        records: The series that it records; empty where it records none.
        record_labels: Labels that a recording rule adds.
    """

    where: str
    name: str
    tree: Any
    text: str
    origin: Literal["catalogue", "rules", "dashboard"]
    unit: str = ""
    labels: tuple[str, ...] = ()
    records: str = ""
    record_labels: tuple[str, ...] = ()


class Inventory:
    """All that is emitted, found by the name of a series.

    Of several declarations of one metric the application's own is what a scrape shows; others are taken together.
    """

    def __init__(self, emitted: Iterable[Emitted]) -> None:
        self.emitted = list(dict.fromkeys(emitted))
        own = {metric.name for metric in self.emitted if metric.origin == "source"}
        self.shown = [
            metric
            for metric in self.emitted
            if metric.origin not in ("library", "well-known") or metric.name not in own
        ]
        self._series: dict[str, list[tuple[Emitted, Part]]] = {}
        for metric in self.shown:
            for name, part in metric.series.items():
                self._series.setdefault(name, []).append((metric, part))
        self.families: dict[str, list[Emitted]] = {}
        for metric in self.shown:
            self.families.setdefault(metric.name, []).append(metric)

    def __contains__(self, name: str) -> bool:
        return name in self._series

    def __getitem__(self, name: str) -> list[tuple[Emitted, Part]]:
        """The metrics that have a series of that name; none where nobody emits it."""
        return self._series.get(name, [])

    @property
    def names(self) -> list[str]:
        """The names of all series."""
        return list(self._series)

    def part(self, name: str) -> Part:
        """What a series is, `unknown` where that is not known or differs."""
        parts = {part for _, part in self[name]}
        return parts.pop() if len(parts) == 1 else "unknown"

    def labels(self, name: str) -> frozenset[str] | None:
        """The labels that a series can have of its own, None where that is not known."""
        found = self[name]
        if not found:
            return None
        labels: set[str] = set()
        for metric, part in found:
            if metric.labels is None:
                return None
            labels.update(metric.labels)
            if part == "bucket" or metric.kind == "gaugehistogram":
                labels.add("le")
            if part in ("count", "sum"):
                labels.discard("quantile")
        return frozenset(labels)

    def buckets(self, name: str) -> tuple[float, ...] | None:
        """The finite bounds of a histogram by the name of its buckets, None where they are not known."""
        bounds: set[float] = set()
        for metric, part in self[name]:
            if part != "bucket" or metric.buckets is None:
                return None
            bounds.update(metric.buckets)
        return tuple(sorted(bounds)) or None

    def values(self, name: str, label: str) -> tuple[tuple[str, ...], bool] | None:
        """The values that a label can have and whether its declaration says so, None where they are not known."""
        together: dict[str, None] = {}
        declared = True
        for metric, _ in self[name]:
            values = dict(metric.values).get(label)
            if values is None:
                return None
            together.update(dict.fromkeys(values))
            declared = declared and metric.declared_values
        return (tuple(together), declared) if together else None
