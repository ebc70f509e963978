"""Metric math judged: functions, arguments, ids, and whether the result is one series, many, or a number.

Source: the user guide's "Using math expressions with CloudWatch metrics", with its tables of functions; MetricDataQuery.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from orders_obs.alerts.lint.cloudwatch.metric_math import (
    Call,
    Infix,
    Listed,
    Name,
    Number,
    Term,
    Text,
    names,
    parse,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Fault", "Kind", "calls", "expression_faults", "is_insights", "kind_of", "tree", "uses_ids"]

Kind = Literal["number", "series", "array", "unknown"]
"""What an expression gives; `unknown` where the documents leave it open."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an expression; `kind` as in `Problem`."""

    message: str
    hint: str = ""
    kind: str = ""


# Least and most arguments of each function; None where there is no end.
_ARITY: dict[str, tuple[int, int | None]] = {
    "ABS": (1, 1), "ANOMALY_DETECTION_BAND": (1, 2), "AVG": (1, 1), "CEIL": (1, 1), "DATAPOINT_COUNT": (1, 1),
    "DATE": (1, 1), "DAY": (1, 1), "DB_PERF_INSIGHTS": (3, 3), "DIFF": (1, 1), "DIFF_TIME": (1, 1), "EPOCH": (1, 1),
    "FILL": (2, 2), "FIRST": (1, 1), "FLOOR": (1, 1), "HOUR": (1, 1), "IF": (2, 3), "INSIGHT_RULE_METRIC": (2, 2),
    "LAMBDA": (1, None), "LAST": (1, 1), "LOG": (1, 1), "LOG10": (1, 1), "MAX": (1, 1), "METRICS": (0, 1),
    "METRIC_COUNT": (1, 1), "MIN": (1, 1), "MINUTE": (1, 1), "MONTH": (1, 1), "PERIOD": (1, 1), "RATE": (1, 1),
    "REMOVE_EMPTY": (1, 1), "RUNNING_SUM": (1, 1), "SEARCH": (2, 3), "SERVICE_QUOTA": (1, 1), "SLICE": (2, 3),
    "SORT": (3, 4), "STDDEV": (1, 1), "SUM": (1, 1), "TIME_SERIES": (1, 1), "YEAR": (1, 1),
}  # fmt: skip
# One series in, a number out; an array in, one series out.
_FOLDS = frozenset({"AVG", "DATAPOINT_COUNT", "MAX", "MIN", "STDDEV", "SUM"})
# As many series out as in.
_MAPS = frozenset(
    {"ABS", "CEIL", "DIFF", "DIFF_TIME", "FILL", "FLOOR", "LOG", "LOG10", "RATE", "RUNNING_SUM"}
)
# Functions of time that a number has no answer for.
_OF_SERIES = frozenset({"ANOMALY_DETECTION_BAND", "DATE", "DAY", "DIFF", "DIFF_TIME", "EPOCH", "FILL", "FIRST", "HOUR", "LAST",
                        "METRIC_COUNT", "MINUTE", "MONTH", "PERIOD", "RATE", "REMOVE_EMPTY", "RUNNING_SUM", "SLICE", "SORT",
                        "YEAR"}) | _FOLDS  # fmt: skip
_GIVES: dict[str, Kind] = {
    "ANOMALY_DETECTION_BAND": "array", "DATE": "series", "DAY": "series", "EPOCH": "series", "FIRST": "series", "HOUR": "series",
    "INSIGHT_RULE_METRIC": "series", "LAST": "series", "METRICS": "array", "METRIC_COUNT": "number", "MINUTE": "series",
    "MONTH": "series", "PERIOD": "number", "REMOVE_EMPTY": "array", "SEARCH": "array", "SERVICE_QUOTA": "series", "SORT": "array",
    "TIME_SERIES": "series", "YEAR": "series",
}  # fmt: skip
# Functions whose arguments are names of something else than queries.
_FREE = frozenset({"DB_PERF_INSIGHTS", "INSIGHT_RULE_METRIC", "LAMBDA", "SEARCH"})
_TEXTS = frozenset({*_FREE, "METRICS"})
_OPERATORS = re.compile(r"[-+*/^<>=!&|(\[]|\b(?:AND|OR)\b", re.IGNORECASE)
_MOST_OPERATORS = 120
_NAMED = re.compile(r"(\w+)\s*\(")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")


def is_insights(expression: str) -> bool:
    """Whether an expression is a Metrics Insights query."""
    return re.match(r"\s*SELECT\b", expression, re.IGNORECASE) is not None


def tree(expression: str) -> Term | None:
    """The tree of an expression of metric math; None where it is not read."""
    return None if is_insights(expression) or _not_judged(expression) else parse(expression)


def uses_ids(expression: str) -> list[str]:
    """The ids that an expression reads."""
    term = tree(expression)
    return [] if term is None else [name for name in names(term) if name[:1].islower()]


def calls(expression: str, function: str) -> list[Call]:
    """The calls of a function in an expression."""
    term = tree(expression)
    return (
        []
        if term is None
        else [part for part in walk(term) if isinstance(part, Call) and part.name == function]
    )


def expression_faults(expression: str, ids: Mapping[str, Kind] | None) -> Iterator[Fault]:
    """What is wrong with an expression, whatever it is for.

    Args:
        expression: Metric math or a Metrics Insights query.
        ids: What each query of the call gives, by its id; None where the ids are not all known.
    """
    if is_insights(expression):
        yield from _insights_faults(expression)
        return
    if _not_judged(expression):
        return
    lower = [
        name
        for name in _NAMED.findall(_QUOTED.sub("''", expression))
        if name.upper() in _ARITY and name != name.upper()
    ]
    for name in dict.fromkeys(lower):
        yield Fault(f"the function {name} is written {name.upper()}", "functions stand in upper-case letters")
    term = parse(expression)
    if term is None:
        yield Fault(f"it cannot be read: {_why(expression)}", "such as 100 * m1 / m2, or FILL(m1, 0)")
        return
    yield from _term_faults(term, ids)


def _not_judged(expression: str) -> bool:
    """What the parser is not made for: escaped quotes, and more nesting and operators than anybody writes."""
    return "\\" in expression or len(_OPERATORS.findall(expression)) > _MOST_OPERATORS


def _why(expression: str) -> str:
    bare = _QUOTED.sub("''", expression)
    if not bare.strip():
        return "it is empty"
    if "SELECT" in bare.upper().split():
        return "a Metrics Insights query and metric math do not mix in one expression"
    for opening, closing in (("(", ")"), ("[", "]")):
        if bare.count(opening) != bare.count(closing):
            return f"{bare.count(opening)} {opening!r} and {bare.count(closing)} {closing!r}"
    if bare.replace("''", "").count("'") or '"' in bare:
        return "a quote has no end"
    odd = re.search(r"[^\w\s.+\-*/^<>=!&|()\[\],'\"]", bare)
    if odd:
        return f"it has {odd[0]!r}"
    return "an operator or a value is missing"


def _term_faults(term: Term, ids: Mapping[str, Kind] | None) -> Iterator[Fault]:
    words: set[int] = set()
    for part in walk(term):
        if isinstance(part, Call):
            yield from _call_faults(part, ids)
            words |= {id(word) for word in _keywords(part)}
        elif isinstance(part, Infix) and (isinstance(part.left, Text) or isinstance(part.right, Text)):
            yield Fault(
                f"{part.op} does not compute with text",
                "text is an argument of SEARCH, METRICS and the like only",
            )
    if isinstance(term, Text):
        yield Fault("it is text and gives no series", "an id or a function")
    if ids is None:
        return
    unknown = [
        part.value
        for part in walk(term)
        if isinstance(part, Name) and id(part) not in words and part.value not in ids
    ]
    for name in dict.fromkeys(unknown):
        yield Fault(
            f"it reads {name}, and no query has that id", f"ids: {', '.join(sorted(ids))}", "id-unknown"
        )


def _keywords(call: Call) -> list[Term]:
    """The arguments of a call that are words and no ids."""
    if call.name in _FREE:
        return [part for argument in call.arguments for part in walk(argument)]
    given = call.arguments
    if call.name == "FILL" and len(given) == 2 and _is_word(given[1], "REPEAT", "LINEAR"):
        return [given[1]]
    if call.name == "SORT":
        return [word for word in given[1:3] if _is_word(word, "AVG", "MIN", "MAX", "SUM", "ASC", "DESC")]
    return []


def _is_word(term: Term, *words: str) -> bool:
    return isinstance(term, Name) and term.value in words


def _call_faults(call: Call, ids: Mapping[str, Kind] | None) -> Iterator[Fault]:
    if call.name not in _ARITY:
        near = difflib.get_close_matches(call.name, sorted(_ARITY), 1)
        yield Fault(f"there is no function {call.name}", f"did you mean {near[0]}?" if near else "")
        return
    least, most = _ARITY[call.name]
    count = len(call.arguments)
    if count < least or (most is not None and count > most):
        takes = f"{least}" if least == most else f"at least {least}" if most is None else f"{least} to {most}"
        hint = f"{call.name}([m1, m2])" if call.name in _FOLDS and count > 1 else ""
        yield Fault(f"{call.name} has {count} arguments, and it takes {takes}", hint)
        return
    if call.name not in _TEXTS and any(isinstance(argument, Text) for argument in call.arguments):
        yield Fault(f"{call.name} takes no text", "ids stand without quotes")
        return
    if call.name == "SORT" and not (
        _is_word(call.arguments[1], "AVG", "MIN", "MAX", "SUM") and _is_word(call.arguments[2], "ASC", "DESC")
    ):
        yield Fault("SORT takes a function and an order", "SORT(METRICS(), AVG, DESC)")
    if call.name == "METRICS" and call.arguments and not isinstance(call.arguments[0], Text):
        yield Fault("METRICS takes text", 'METRICS("errors")')
    if ids is not None and call.arguments:
        yield from _operand_faults(call, ids)


def _operand_faults(call: Call, ids: Mapping[str, Kind]) -> Iterator[Fault]:
    first = kind_of(call.arguments[0], ids.get)
    if call.name in _OF_SERIES and first == "number":
        yield Fault(f"{call.name} of a number", "it takes a series")
    elif call.name == "TIME_SERIES" and first in ("series", "array"):
        yield Fault("TIME_SERIES of a series", "it takes a number, such as TIME_SERIES(10)")
    elif call.name == "ANOMALY_DETECTION_BAND" and first == "array":
        yield Fault("ANOMALY_DETECTION_BAND of several series", "it takes one metric")
    elif call.name == "IF" and all(kind_of(argument, ids.get) == "number" for argument in call.arguments):
        yield Fault("IF of numbers alone", "one of its arguments must be a series")
    if call.name == "PERIOD" and not isinstance(call.arguments[0], Name):
        yield Fault("PERIOD of an expression", "it takes the id of a metric")


def kind_of(term: Term, of_id: Callable[[str], Kind | None]) -> Kind:
    """What a term gives.

    Args:
        term: A tree.
        of_id: What a query gives, by its id.
    """
    if isinstance(term, Number):
        return "number"
    if isinstance(term, Name):
        return of_id(term.value) or "unknown"
    if isinstance(term, Listed):
        return "array"
    if isinstance(term, Infix):
        return _widest(kind_of(term.left, of_id), kind_of(term.right, of_id))
    if isinstance(term, Call):
        return _kind_of_call(term, of_id)
    return "unknown"


def _kind_of_call(call: Call, of_id: Callable[[str], Kind | None]) -> Kind:
    inner: list[Kind] = [kind_of(argument, of_id) for argument in call.arguments]
    if call.name in _GIVES:
        return _GIVES[call.name]
    if not inner:
        return "unknown"
    if call.name in _FOLDS:
        folded: dict[Kind, Kind] = {"series": "number", "array": "series"}
        return folded.get(inner[0], "unknown")
    if call.name in _MAPS:
        return inner[0]
    if call.name == "IF":
        # The documented forms give one series; of arrays nothing is said.
        return "unknown" if "array" in inner or "unknown" in inner else "series"
    if call.name == "SLICE" and len(inner) == 2:
        return "array"
    return "unknown"


def _widest(left: Kind, right: Kind) -> Kind:
    order: tuple[Kind, ...] = ("unknown", "array", "series")
    return next((kind for kind in order if kind in (left, right)), "number")


# Metrics Insights


_CLAUSES = ("SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "LIMIT")


def _insights_faults(query: str) -> Iterator[Fault]:
    from orders_obs.alerts.aws_calls.limits import limit

    bare = _QUOTED.sub("''", query).strip()
    found = [
        (match.start(), re.sub(r"\s+", " ", match[0].upper()))
        for match in re.finditer(r"\b(SELECT|FROM|WHERE|GROUP\s+BY|ORDER\s+BY|LIMIT)\b", bare, re.IGNORECASE)
    ]
    order = [_CLAUSES.index(clause) for _, clause in found]
    selected = re.match(r"SELECT\s+([A-Za-z]+)\s*\(", bare, re.IGNORECASE)
    if "FROM" not in [clause for _, clause in found]:
        yield Fault("the query has no FROM", 'SELECT AVG(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId)')
    if order != sorted(set(order)):
        yield Fault("the clauses of the query are not in their order", " ".join(_CLAUSES))
    if selected is None or selected[1].upper() not in ("AVG", "COUNT", "MAX", "MIN", "SUM"):
        yield Fault(
            "the query selects no AVG, COUNT, MAX, MIN or SUM",
            'SELECT AVG(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId)',
        )
    if bare.count("(") != bare.count(")"):
        yield Fault("the query has parentheses that do not close")
    top = re.search(r"\bLIMIT\b\s*(\S*)\s*;?\s*$", bare, re.IGNORECASE)
    if top is not None and not (
        top[1].rstrip(";").isdigit() and 1 <= int(top[1].rstrip(";")) <= limit("insights-series")
    ):
        yield Fault(f"LIMIT {top[1]}", f"from 1 to {limit('insights-series')}")
