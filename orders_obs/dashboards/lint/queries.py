"""The PromQL of a dashboard as trees, with Grafana's own words and variables put in so that each can be found again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.promql import parse
from orders_obs.alerts.promql.fill import fill
from orders_obs.dashboards.lint.views import VARIABLE, mapping, text, variables_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orders_obs.dashboards.lint.views import DashboardView, Target

__all__ = [
    "INTERVAL",
    "PLACEHOLDER",
    "RATE_INTERVAL",
    "PromQuery",
    "is_variable_window",
    "parsed",
    "prometheus_queries",
    "variable_query",
]

PLACEHOLDER = "grafana_variable_"
"""What a variable's name is put behind where it stands in a text or for a name."""
# Seconds that stand for the window of a variable: longer than anybody's own, and below what the parser takes, 2^32.
RATE_INTERVAL = 4_000_001
"""Seconds that stand for `$__rate_interval`."""
INTERVAL = 4_000_002
"""Seconds that stand for `$__interval`."""
_RANGE = 4_000_003
_OTHER = 4_000_004
_WINDOWS = {
    "__rate_interval": RATE_INTERVAL,
    "__interval": INTERVAL,
    "__range": _RANGE,
    "__auto": RATE_INTERVAL,
}
_NUMBERS = re.compile(r"__(?:range|interval|rate_interval)_(?:s|ms)|__(?:from|to|org|dashboard)|timezone")
_UNIT = re.compile(r"ms|[smhdwy]")
_LONGEST = 20_000


@dataclass(frozen=True)
class PromQuery:
    """A query of Prometheus.

    Attributes:
        name: For a sentence: `panel 'Requests', query A`.
        text: As written.
        tree: As `orders_obs.alerts.promql.parse` gives it; None where it does not parse.
        filled: The text that the tree was made from.
        fault: Why it does not parse.
        sure: Whether it is known to be PromQL: the data source says so, and no variable stands where syntax could be.
        at: Its part of the JSON.
        target: The panel's query that it is; None for an annotation or a variable.
    """

    name: str
    text: str
    tree: Any
    filled: str
    fault: str
    sure: bool
    at: Any
    target: Target | None = None

    @cached_property
    def names(self) -> list[str]:
        """The variables in it."""
        return variables_of(self.text)


def prometheus_queries(view: DashboardView) -> Iterator[PromQuery]:
    """Each query of the panels and annotations that goes to Prometheus, or to a data source that is not named."""
    for target in view.targets:
        words = text(target.json.get("expr"))
        if words.strip() and target.kind in ("", "prometheus"):
            yield parsed(target.name, words, view, target.kind, target.json, target)
    for annotation in view.annotations:
        kind = view.kind_of(annotation.get("datasource"))
        words = text(annotation.get("expr")) or text(mapping(annotation.get("target")).get("expr"))
        if words.strip() and kind in ("", "prometheus"):
            yield parsed(f"annotation {annotation.get('name', '')!s:.60}", words, view, kind, annotation)


_FUNCTIONS = (
    (re.compile(r"label_values\((?:(.+),)?\s*([\w${}\[\]:.]+)\s*\)", re.DOTALL), "values"),
    (re.compile(r"query_result\((.+)\)", re.DOTALL), "expr"),
    (re.compile(r"label_names\((.*)\)", re.DOTALL), ""),
    (re.compile(r"metrics\((.*)\)", re.DOTALL), ""),
)
_ANY_FUNCTION = re.compile(r"\s*(label_values|query_result|label_names|metrics)\s*\(")


def variable_query(name: str, variable: Mapping[str, Any], view: DashboardView) -> PromQuery | str | None:
    """The expression in a variable of Prometheus; a text says what is wrong with it, None that there is no expression."""
    query = variable.get("query")
    words = text(mapping(query).get("query")) if isinstance(query, dict) else text(query)
    kind = view.kind_of(variable.get("datasource"))
    if len(words) > _LONGEST:
        return None
    if not words.strip():
        empty = isinstance(query, dict) and not {"qryType", "type", "queryType"} & query.keys()
        return "has an empty query" if query in (None, "") or empty else None
    if kind != "prometheus" and not (kind == "" and _ANY_FUNCTION.match(words)):
        return None
    for pattern, what in _FUNCTIONS:
        found = pattern.fullmatch(words.strip())
        if found is None:
            continue
        inside = (found[1] or "").strip() if what else ""
        if inside:
            return parsed(f"variable {name!r}", inside, view, "prometheus", variable)
        return None
    called = _ANY_FUNCTION.match(words)
    if called is not None and words.count("(") != words.count(")"):
        return f"has a query whose brackets do not close: `{words.strip():.80}`"
    if called is not None:
        return f"has a query that Grafana does not read: `{words.strip():.80}`"
    # Whatever else is written, Grafana takes for a selector and gives the series.
    return parsed(f"variable {name!r}", words, view, "prometheus", variable)


def parsed(
    name: str, words: str, view: DashboardView, kind: str, at: Any, target: Target | None = None
) -> PromQuery:
    """A query with its tree, from the first of the ways to read its variables that parses."""
    fault, filled = "", words
    open_variables = False
    if len(words) > _LONGEST:
        return PromQuery(name, words, None, words, "it is too long to be judged", sure=False, at=at, target=target)  # fmt: skip
    for attempt in ("name", "1", "current", "sum", "+"):
        filled, bare = _filled(words, view, attempt)
        open_variables = open_variables or bare
        try:
            return PromQuery(name, words, parse(filled), filled, "", sure=True, at=at, target=target)
        except ValueError as error:
            fault = fault or str(error)
        if not bare:
            break
    sure = kind == "prometheus" and not open_variables
    return PromQuery(name, words, None, filled, fault, sure=sure, at=at, target=target)


def _filled(words: str, view: DashboardView, attempt: str) -> tuple[str, bool]:
    """The query with its variables put in, and whether one stood where syntax may be."""
    bare = False

    def instead(found: re.Match[str], quote: str, in_range: bool, before: str) -> str | None:
        nonlocal bare
        name = found[1] or found[2] or found[3]
        if name[0].isdigit():
            return None
        if quote:
            return f"{PLACEHOLDER}{name}"
        after = words[found.end() :][:2]
        value, syntax = _instead(name, view, attempt, in_range=in_range, before=before.rstrip(), after=after)
        bare = bare or syntax
        return value

    return fill(words, VARIABLE, instead), bare


def _instead(
    name: str, view: DashboardView, attempt: str, *, in_range: bool, before: str, after: str
) -> tuple[str, bool]:
    if in_range or name in _WINDOWS or before.endswith("offset"):
        return _window(_WINDOWS.get(name, _OTHER), before, after), False
    if _NUMBERS.fullmatch(name):
        return "1", False
    if attempt == "name":
        return f"{PLACEHOLDER}{name}", True
    if attempt == "current":
        value = mapping(mapping(view.variables.get(name)).get("current")).get("value")
        return (str(value) if isinstance(value, str | int | float) else f"{PLACEHOLDER}{name}"), True
    return attempt, True


def _window(seconds: int, before: str, after: str) -> str:
    """A duration that `is_variable_window` knows, also where only its number or only its unit is the variable's."""
    if before[-1:].isdigit():
        return "000004s"  # behind the digit of `[5$unit]`
    unit = _UNIT.match(after)
    if unit is None:
        return f"{seconds}s"
    return str({"ms": 4_200_000_000, "d": 9_999, "w": 9_999, "y": 99}.get(unit[0], _OTHER))


def is_variable_window(seconds: float) -> bool:
    """Whether a variable gives a window of a filled query; nobody writes one of 46 days, or of 1000004 seconds."""
    return seconds >= RATE_INTERVAL - 1 or (seconds >= 1_000_000 and seconds % 3600 != 0)
