"""Rules that every operation on a metric shares: its names, its dimensions, its statistic, its queries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.expressions import (
    Kind,
    expression_faults,
    is_insights,
    kind_of,
    tree,
    uses_ids,
)
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import at, items, listed, mapping, number, text
from orders_obs.alerts.aws_calls.statistics import (
    DATA_PERIODS,
    PERIODS_TEXT,
    is_alarm_period,
    is_data_period,
    is_statistic,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Queries",
    "dimension_problems",
    "period_problems",
    "printable",
    "query_problems",
    "statistic_problems",
]

_ID = re.compile(r"[a-z][A-Za-z0-9_]*")


def printable(value: str) -> bool:
    """Whether text has only ASCII characters and none that controls (Dimension; PutMetricData, Namespace)."""
    return value.isascii() and not re.search(r"[\x00-\x1f\x7f]", value)


def dimension_problems(arguments: Mapping[str, Any], path: str = "") -> Iterator[Problem]:
    """What is wrong with the dimensions of a metric; `path` is where the metric stands."""
    seen: set[str] = set()
    for where, given in items(arguments, "Dimensions", path):
        dimension = mapping(given)
        name, value = text(dimension.get("Name")), text(dimension.get("Value"))
        if name is not None:
            yield from _word_problems(f"{where}.Name", name, "the name of a dimension")
            if name.startswith(":"):
                yield Problem(f"{where}.Name", "the name of a dimension cannot begin with a colon")
            if name in seen:
                yield Problem(f"{where}.Name", f"the dimension {name} stands twice", "each name once")
            seen.add(name)
        if value is not None:
            yield from _word_problems(f"{where}.Value", value, "the value of a dimension")


def _word_problems(path: str, value: str, what: str) -> Iterator[Problem]:
    if not value:
        return  # the model's least length says it
    if not printable(value):
        yield Problem(path, f"{what} holds ASCII characters only, and none that controls")
    elif not value.strip():
        yield Problem(path, f"{what} needs a character that is no blank")


def statistic_problems(path: str, stat: Any) -> Iterator[Problem]:
    """What is wrong with a statistic of any form."""
    given = text(stat)
    if given is not None and not is_statistic(given):
        yield Problem(
            path,
            f"{given!r} is no statistic",
            "Sum, Average, Minimum, Maximum, SampleCount, or such as p99, tm90, IQM, PR(:1), TM(10%:90%)",
        )


def period_problems(path: str, period: Any, *, alarm: bool) -> Iterator[Problem]:
    """What is wrong with a period, of an alarm or of a query."""
    seconds = number(period)
    if seconds is None:
        return
    if alarm and not is_alarm_period(seconds):
        yield Problem(path, f"a period of {seconds:g} s is refused", PERIODS_TEXT, "period")
    elif not alarm and not is_data_period(seconds):
        below = ", ".join(map(str, sorted(DATA_PERIODS)))
        yield Problem(
            path, f"a period of {seconds:g} s is refused", f"{below} or a multiple of 60 seconds", "period"
        )


class Queries:
    """A list of `MetricDataQuery`, as far as it is known.

    Attributes:
        listed: The queries; nothing in place of one that is no mapping.
        complete: Whether each query is there as a mapping.
        known: Whether each has an id that is text, too.
        by_id: The queries by their ids, the first of each.
    """

    def __init__(self, given: Any, path: str) -> None:
        self.path = path
        self.listed = [mapping(query) for query in listed(given)]
        ids = [text(query.get("Id")) for query in self.listed]
        self.complete = isinstance(given, list | tuple) and all(isinstance(query, Mapping) for query in given)
        self.known = self.complete and all(identifier is not None for identifier in ids)
        self.by_id: dict[str, Mapping[str, Any]] = {}
        for identifier, query in zip(ids, self.listed, strict=True):
            if identifier is not None:
                self.by_id.setdefault(identifier, query)

    def where(self, index: int) -> str:
        """The path of a query."""
        return f"{self.path}[{index}]"

    def kinds(self) -> dict[str, Kind]:
        """What each query gives, by its id."""
        found: dict[str, Kind] = {}
        for identifier in self.by_id:
            self._kind(identifier, found, [])
        return found

    def _kind(self, identifier: str, found: dict[str, Kind], under: list[str]) -> Kind:
        if identifier in found:
            return found[identifier]
        query = self.by_id.get(identifier)
        # A cycle, and a chain that is longer than any call may have.
        if query is None or identifier in under or len(under) > 100:
            return "unknown"
        kind: Kind = "unknown"
        expression = text(query.get("Expression"))
        if "MetricStat" in query and "Expression" not in query:
            kind = "series"
        elif expression is not None and is_insights(expression):
            kind = "unknown" if re.search(r"\bGROUP\s+BY\b", expression, re.IGNORECASE) else "series"
        elif expression is not None and (term := tree(expression)) is not None:
            inside = [*under, identifier]
            kind = kind_of(term, lambda name: self._kind(name, found, inside))
        found[identifier] = kind
        return kind

    def cycles(self) -> list[str]:
        """The ids of expressions that read themselves, directly or through others."""
        reads = {
            identifier: uses_ids(expression)
            for identifier, query in self.by_id.items()
            if (expression := text(query.get("Expression"))) is not None
        }
        looping = []
        for start, first in reads.items():
            seen: set[str] = set()
            todo = list(first)
            while todo:
                name = todo.pop()
                if name not in seen:
                    seen.add(name)
                    todo += reads.get(name, [])
            if start in seen:
                looping.append(start)
        return looping


def query_problems(queries: Queries, *, alarm: bool) -> Iterator[Problem]:
    """What is wrong with the queries one by one: ids, MetricStat or Expression, statistics, periods, expressions."""
    seen: set[str] = set()
    kinds = queries.kinds() if queries.known else None
    looping = set(queries.cycles())
    for index, query in enumerate(queries.listed):
        where = queries.where(index)
        identifier = text(query.get("Id"))
        if identifier:
            if not _ID.fullmatch(identifier):
                yield Problem(
                    f"{where}.Id",
                    f"the id {identifier!r}",
                    "a lower-case letter first, then letters, digits and _",
                    "id",
                )
            if identifier in seen:
                yield Problem(
                    f"{where}.Id", f"the id {identifier} stands twice", "each query needs its own", "id"
                )
            seen.add(identifier)
        if ("MetricStat" in query) == ("Expression" in query):
            both = "MetricStat" in query
            if both or query:
                yield Problem(
                    where,
                    f"{'both' if both else 'neither'} MetricStat {'and' if both else 'nor'} Expression",
                    "one of the two",
                )
        if "MetricStat" in query:
            yield from _stat_problems(at(where, "MetricStat"), mapping(query["MetricStat"]), alarm=alarm)
        yield from period_problems(at(where, "Period"), query.get("Period"), alarm=alarm)
        account = text(query.get("AccountId"))
        if account and not re.fullmatch(r"\d{12}", account, re.ASCII):
            yield Problem(at(where, "AccountId"), f"{account!r} is no account", "its number, of 12 digits")
        expression = text(query.get("Expression"))
        if expression:
            for fault in expression_faults(expression, kinds):
                yield Problem(at(where, "Expression"), fault.message, fault.hint, fault.kind)
        if identifier in looping:
            yield Problem(
                at(where, "Expression"),
                f"{identifier} reads itself",
                "an expression reads other queries only",
            )


def _stat_problems(where: str, stat: Mapping[str, Any], *, alarm: bool) -> Iterator[Problem]:
    metric = stat.get("Metric")
    if isinstance(metric, dict):
        for name in ("Namespace", "MetricName"):
            if name not in metric:
                yield Problem(
                    f"{where}.Metric.{name}",
                    f"{name} is missing",
                    "a metric has a namespace and a name",
                    "missing",
                )
        yield from dimension_problems(metric, f"{where}.Metric")
    yield from statistic_problems(f"{where}.Stat", stat.get("Stat"))
    yield from period_problems(f"{where}.Period", stat.get("Period"), alarm=alarm)
