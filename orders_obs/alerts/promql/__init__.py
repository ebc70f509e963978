"""PromQL read back: which series an expression chooses, and through which functions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import promql_parser

from orders_obs.signals.model import Matcher

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Use", "children", "parse", "uses"]

_DEEPEST = 300
# The parser ends the process where its stack ends: at about 4,900 terms of one sum.
_MOST_BRANCHES = 1000
_BRANCHES = re.compile(r"[(\[+\-*/%^<>=]|\b(?:and|or|unless)\b")
_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


@dataclass(frozen=True, slots=True)
class Use:
    """A selector of an expression.

    Attributes:
        metric: Name of the metric; empty where the selector gives none.
        matchers: Conditions on labels, the one on `__name__` left out.
        window: Seconds of its range, None for an instant vector.
        functions: What it passes through, innermost first: names of functions and of aggregations.
    """

    metric: str
    matchers: tuple[Matcher, ...]
    window: float | None
    functions: tuple[str, ...]


def parse(expr: str) -> Any:
    """The tree of an expression.

    Raises:
        ValueError: It is no PromQL; the message says why.
    """
    if len(_BRANCHES.findall(expr)) > _MOST_BRANCHES:
        raise ValueError("it has too many operators to be judged")
    try:
        tree = promql_parser.parse(expr)
    except (ValueError, TypeError) as error:
        raise ValueError(str(error)) from None
    level = [tree]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in children(node)]
        if not level:
            return tree
    raise ValueError(f"it nests more than {_DEEPEST} levels, too deeply to be judged")


def uses(tree: Any) -> list[Use]:
    """Every selector of an expression's tree, in the order of the text."""
    return list(_walk(tree, (), None))


def children(node: Any) -> list[Any]:
    """The direct parts of a node."""
    if isinstance(node, promql_parser.BinaryExpr):
        return [node.lhs, node.rhs]
    if isinstance(node, promql_parser.Call):
        return list(node.args)
    if isinstance(node, promql_parser.AggregateExpr):
        return [node.expr] if node.param is None else [node.param, node.expr]
    if isinstance(node, (promql_parser.ParenExpr, promql_parser.UnaryExpr, promql_parser.SubqueryExpr)):
        return [node.expr]
    if isinstance(node, promql_parser.MatrixSelector):
        return [node.vector_selector]
    return []


def _walk(node: Any, functions: tuple[str, ...], window: float | None) -> Iterator[Use]:
    if isinstance(node, promql_parser.VectorSelector):
        yield _use(node, functions, window)
        return
    if isinstance(node, promql_parser.MatrixSelector):
        window = node.range.total_seconds()
    elif isinstance(node, promql_parser.Call):
        functions = (node.func.name, *functions)
    elif isinstance(node, promql_parser.AggregateExpr):
        functions = (str(node.op), *functions)
    for child in children(node):
        yield from _walk(child, functions, window)


def _use(node: Any, functions: tuple[str, ...], window: float | None) -> Use:
    metric, matchers = node.name or "", []
    for matcher in node.matchers.matchers:
        op = _OPERATORS[str(matcher.op).rpartition(".")[2].partition("(")[0]]
        if matcher.name == "__name__" and op == "=":
            metric = matcher.value
        else:
            matchers.append(Matcher(matcher.name, op, matcher.value))  # type: ignore[arg-type]  # one of the four operators
    return Use(metric, tuple(matchers), window, functions)
