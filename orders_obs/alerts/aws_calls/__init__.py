"""Which requests AWS refuses, found before any call is made.

Two judges: botocore's own models read strictly (`shapes`), and what AWS documents beside them (the `RULES` of the modules here). Where the
documents leave something open it is taken to be right.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orders_obs.alerts.aws_calls.problems import Rule, Rules

__all__ = ["Problem", "find_problems", "validate"]


def validate(operation: str, params: Mapping[str, Any]) -> list[Problem]:
    """What AWS would refuse of a request.

    Args:
        operation: boto3's name of the method, such as `put_metric_alarm`.
        params: Its keyword arguments.

    Returns:
        The problems in the order of their paths; empty where AWS would take the request as far as can be told without asking it:
        whether an alarm or a topic exists, and what an account's rights and quotas are, only AWS knows.

    Raises:
        UserError: There is no such operation.
    """
    return find_problems(operation, params)


def find_problems(
    operation: str, params: Mapping[str, Any], *, unknown: tuple[type, ...] = (), loose: bool = False
) -> list[Problem]:
    """`validate`, of arguments that may not all be known yet, as those of a template.

    Args:
        operation: boto3's name of the method.
        params: Its keyword arguments.
        unknown: Types of the values that stand for what is not known; such a value is taken to be right.
        loose: Take numbers and truth values that are written as text.

    Raises:
        UserError: There is no such operation.
    """
    from collections.abc import Mapping as AnyMapping

    from orders_obs.alerts.aws_calls import shapes

    given: Any = params
    named: Mapping[str, Any] = given if isinstance(given, AnyMapping) else {}
    rules = _rules().get(operation, ())
    found = None
    if shapes.has_botocore():
        found = shapes.find_operation(operation, named)
    if found is None and not rules:
        raise _no_operation(operation)
    if named is not given:
        return [Problem("", f"the arguments are a {type(given).__name__}, and names and values are wanted")]
    problems: dict[Problem, None] = {}
    if found is not None:
        problems.update(dict.fromkeys(shapes.model_problems(*found, named, unknown=unknown, loose=loose)))
    for rule in rules:
        problems.update(dict.fromkeys(rule(named)))
    return sorted(_once(list(problems)), key=_order)


def _once(problems: list[Problem]) -> list[Problem]:
    """Without what is said twice: the model's "missing" where a rule says it too."""
    missing = [problem.path for problem in problems if problem.kind == "missing"]
    kept, seen = [], set[str]()
    for problem in problems:
        if problem.kind == "missing" and problem.path and missing.count(problem.path) > 1:
            if problem.path in seen:
                continue
            seen.add(problem.path)
        kept.append(problem)
    return kept


def _order(problem: Problem) -> tuple[list[tuple[int, int, str]], str]:
    """By path, with numbers as numbers, then by what is said."""
    parts = [
        (0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part)
        for part in re.findall(r"[0-9]{1,9}|[^0-9]+", problem.path)
    ]
    return parts, problem.message


def _no_operation(operation: str) -> UserError:
    from difflib import get_close_matches

    near = get_close_matches(str(operation), sorted(_rules()), 1)
    hint = f"did you mean {near[0]}?" if near else "boto3's name of a method, such as put_metric_alarm"
    return UserError(f"there is no operation {operation!r} that could be judged", hint=hint)


@cache
def _rules() -> dict[str, tuple[Rule, ...]]:
    """The rules of every module of this package that has `RULES`, by operation; a rule that two modules name counts once."""
    merged: dict[str, dict[Rule, None]] = {}
    for name in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        found: Rules = getattr(importlib.import_module(f"{__name__}.{name}"), "RULES", {})
        for operation, rules in found.items():
            merged.setdefault(operation, {}).update(dict.fromkeys(rules))
    return {operation: tuple(rules) for operation, rules in merged.items()}
