"""The query of a PromQL alarm: whether it parses, and whether it gives a vector (AlarmPromQLCriteria, Query)."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["query_fault"]

# The parser has no bound on nesting of its own, and ends the process where the stack ends.
_OPERATORS = re.compile(r"[(\[+\-*/%^<>=]|\b(?:and|or|unless)\b", re.IGNORECASE)
_MOST_OPERATORS = 250


def query_fault(query: str) -> str:
    """Why a query is refused; empty where it is taken, or where this machine has no parser to tell."""
    if len(_OPERATORS.findall(query)) > _MOST_OPERATORS:
        return ""
    try:
        from orders_obs.alerts.promql import parse
    except ImportError:
        return ""
    try:
        tree = parse(query)
    except ValueError as error:
        # Functions come with each version of Prometheus, and this parser knows those of its own.
        return "" if "unknown function" in str(error) else f"the query is no PromQL: {error}"
    kind = _kind(tree)
    return f"the query gives a {kind}, and an alarm needs a vector" if kind else ""


def _kind(tree: Any) -> str:
    """What a query gives where that is no vector; empty else."""
    name = type(tree).__name__
    if name == "ParenExpr":
        return _kind(tree.expr)
    if name in ("MatrixSelector", "SubqueryExpr"):
        return "range of values"
    if name == "StringLiteral":
        return "text"
    if name == "NumberLiteral":
        return "number"
    if name == "UnaryExpr":
        return _kind(tree.expr)
    if name == "BinaryExpr":
        return "number" if _kind(tree.lhs) == _kind(tree.rhs) == "number" else ""
    if name == "Call":
        return "number" if str(tree.func.return_type).endswith("Scalar") else ""
    return ""
