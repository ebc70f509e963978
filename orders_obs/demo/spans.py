"""A trace as the report needs it, and where the time of a request went."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Breakdown", "TraceSpan", "break_down", "root_of"]

_CACHES = frozenset({"redis", "memory", "memcached", "valkey"})


@dataclass(frozen=True, slots=True)
class TraceSpan:
    """One span; times in microseconds since the epoch."""

    span_id: str
    parent_id: str
    service: str
    name: str
    kind: str
    start: int
    duration: int
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """When it ended."""
        return self.start + self.duration


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Milliseconds of a request by what it waited for; what nothing else explains is `other`."""

    total: float
    database: float
    payment: float
    cache: float
    other: float


def root_of(spans: Iterable[TraceSpan], service: str) -> TraceSpan | None:
    """The service's server span, the earliest where there are several."""
    servers = [span for span in spans if span.service == service and span.kind == "server"]
    return min(servers, key=lambda span: span.start, default=None)


def break_down(spans: Sequence[TraceSpan], root: TraceSpan) -> Breakdown:
    """Where the time of `root` went, by the calls that its own service made.

    Calls that overlap are counted once, as the time in which at least one was under way.
    """
    own = [span for span in spans if span.service == root.service and span.kind == "client"]
    database = [
        s for s in own if "db.system.name" in s.attributes and s.attributes["db.system.name"] not in _CACHES
    ]
    cache = [s for s in own if s.attributes.get("db.system.name") in _CACHES]
    payment = [s for s in own if "http.request.method" in s.attributes]
    every = _covered([*database, *cache, *payment], root)
    return Breakdown(
        total=root.duration / 1000,
        database=_covered(database, root) / 1000,
        payment=_covered(payment, root) / 1000,
        cache=_covered(cache, root) / 1000,
        other=(root.duration - every) / 1000,
    )


def _covered(spans: Iterable[TraceSpan], root: TraceSpan) -> int:
    covered, reached = 0, root.start
    for start, end in sorted((max(s.start, root.start), min(s.end, root.end)) for s in spans):
        covered += max(0, end - max(start, reached))
        reached = max(reached, end)
    return covered
