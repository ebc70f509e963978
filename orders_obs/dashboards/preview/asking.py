"""The queries of one panel: filled, asked, and what came back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orders_obs.dashboards.preview import sources
from orders_obs.dashboards.preview.interpolate import Value, fill
from orders_obs.dashboards.preview.prometheus import QueryFailed
from orders_obs.dashboards.preview.series import grid, number, short
from orders_obs.dashboards.preview.times import as_seconds, step_of
from orders_obs.dashboards.preview.variables import macros

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orders_obs.dashboards.preview.jaeger import Jaeger
    from orders_obs.dashboards.preview.prometheus import Answer, Api
    from orders_obs.dashboards.preview.reading import Placed
    from orders_obs.dashboards.preview.times import Range

__all__ = ["Asked", "Asker", "Context", "points_of"]

_PAGE = 1600
"""Pixels of a wide page: a panel of half its width has half as many points."""
_MOST_EXEMPLARS = 60


@dataclass(frozen=True, slots=True)
class Context:
    """What all panels of a dashboard share.

    Attributes:
        api: Who is asked.
        jaeger: Who is asked for traces; None where there is none.
        span: The time that is shown.
        scrape: Seconds between scrapes, as the data source in Grafana has them.
        values: The variables.
        kinds: The kinds of variables that name data sources.
        inputs: The kinds of the dashboard's inputs.
    """

    api: Api
    jaeger: Jaeger | None
    span: Range
    scrape: float
    values: Mapping[str, Value]
    kinds: Mapping[str, str]
    inputs: Mapping[str, str]


@dataclass(slots=True)
class Asked:
    """One query and its answer.

    Attributes:
        target: As built.
        ref: Its letter.
        kind: Of the data source.
        text: As it was sent.
        answer: None where there is none.
        error: Why there is none, where it was asked.
        reason: Why it was not asked.
        exemplars: Where it asks for them.
        traces: Rows of a search for traces.
    """

    target: Mapping[str, Any]
    ref: str
    kind: str
    text: str
    answer: Answer | None = None
    error: str = ""
    reason: str = ""
    exemplars: list[dict[str, Any]] = field(default_factory=list)
    traces: list[dict[str, Any]] | None = None

    @property
    def instant(self) -> bool:
        """Whether it is asked for one time alone."""
        return is_instant(self.target)


def is_instant(target: Mapping[str, Any]) -> bool:
    """Whether a query is for one time alone."""
    return bool(target.get("instant")) and not target.get("range")


def points_of(panel: Mapping[str, Any], columns: int) -> int:
    """How many points a graph may have: its own setting, else its pixels."""
    most = panel.get("maxDataPoints")
    if isinstance(most, int) and most > 0:
        return most
    return max(100, round(columns / 24 * _PAGE))


class Asker:
    """Asks the queries of one panel."""

    def __init__(self, context: Context, placed: Placed) -> None:
        self.context = context
        self.panel = placed.panel
        every = [target for target in placed.panel.get("targets") or () if isinstance(target, dict)]
        targets = [target for target in every if not target.get("hide")]
        self.hidden = [target for target in every if target.get("hide")]
        self.targets = targets
        lengths = [
            self._length(placed.panel.get("interval")),
            *(self._length(t.get("interval")) for t in targets),
        ]
        least = max([length for length in lengths if length] or [context.scrape])
        factor = max([f for t in targets if isinstance(f := t.get("intervalFactor"), int) and f > 0] or [1])
        self.step = step_of(context.span.seconds, points_of(placed.panel, placed.w), least) * factor
        self.values = {**macros(context.span, self.step, context.scrape), **context.values, **placed.values}
        self.times = grid(context.span.start, context.span.end, self.step)

    def ask(self) -> list[Asked]:
        """Every query that is not hidden."""
        return [self._one(target, at) for at, target in enumerate(self.targets)]

    def text(self, text: str) -> str:
        """A text for people, its variables filled in."""
        return fill(text, self.values, default="text")

    def _length(self, text: Any) -> float | None:
        return (
            as_seconds(
                fill(str(text), {**macros(self.context.span, 60, self.context.scrape), **self.context.values})
            )
            if text
            else None
        )

    def _one(self, target: Mapping[str, Any], at: int) -> Asked:
        context = self.context
        kind = sources.kind_of(
            target.get("datasource"), self.panel.get("datasource"), context.kinds, context.inputs
        )
        ref = str(target.get("refId") or chr(ord("A") + at % 26))
        if kind == "jaeger" and context.jaeger is not None:
            return self._traces(target, ref)
        expr = target.get("expr")
        if kind != sources.PROMETHEUS:
            text = fill(sources.query_text(target), self.values, default="text")
            option = "; --jaeger URL asks one" if kind == "jaeger" else ""
            return Asked(
                target, ref, kind, text, reason=f"{sources.spoken(kind)} is not asked by a preview{option}"
            )
        if not isinstance(expr, str) or not expr.strip():
            return Asked(target, ref, kind, "", reason="the query is empty")
        asked = Asked(target, ref, kind, fill(expr, self.values, default="promql"))
        try:
            if is_instant(target):
                asked.answer = context.api.query(asked.text, context.span.end)
            else:
                asked.answer = context.api.query_range(asked.text, self.times[0], self.times[-1], self.step)
        except QueryFailed as error:
            asked.error = str(error)
        if asked.answer is not None and target.get("exemplar") and asked.answer.kind == "matrix":
            asked.exemplars = self._exemplars(asked.text)
        return asked

    def _traces(self, target: Mapping[str, Any], ref: str) -> Asked:
        jaeger = self.context.jaeger
        assert jaeger is not None  # noqa: S101  # as the caller has seen
        words = {
            key: self.text(str(target.get(key) or ""))
            for key in ("service", "operation", "tags", "minDuration", "maxDuration")
        }
        search = target.get("queryType") in ("search", None)
        text = " ".join(f"{key}={value}" for key, value in words.items() if value)
        asked = Asked(target, ref, "jaeger", text or self.text(sources.query_text(target)))
        if not search or not words["service"]:
            asked.reason = "of Jaeger's queries a preview asks searches of a service"
            return asked
        try:
            asked.traces = jaeger.search(words, target.get("limit"), self.context.span)
        except QueryFailed as error:
            asked.error = str(error)
        return asked

    def _exemplars(self, expr: str) -> list[dict[str, Any]]:
        """Points of the graph, the slowest of each stretch of time where there are many."""
        span, jaeger = self.context.span, self.context.jaeger
        best: dict[int, dict[str, Any]] = {}
        seen: set[tuple[float, float]] = set()
        width = max(self.step, span.seconds / _MOST_EXEMPLARS)
        for series in self.context.api.exemplars(expr, span.start, span.end):
            for exemplar in series.get("exemplars") or ():
                labels = {str(k): str(v) for k, v in (exemplar.get("labels") or {}).items()}
                value, time = number(exemplar.get("value")), number(exemplar.get("timestamp"))
                if value is None or time is None or (time, value) in seen:
                    continue
                seen.add((time, value))
                slot = math.floor(time / width)
                if slot not in best or best[slot]["value"] < value:
                    trace = next(
                        (labels[name] for name in ("trace_id", "traceID", "traceId") if name in labels), ""
                    )
                    link = jaeger.link(trace) if jaeger is not None else None
                    best[slot] = {"time": round(time, 3), "value": value, "trace": trace, "link": link}
        return [point | {"value": short(point["value"])} for _, point in sorted(best.items())]
