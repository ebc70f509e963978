"""Filter policies of subscriptions.

Source: SNS developer guide, "Filter policy constraints", "AND/OR logic", "String value matching", "Numeric value matching".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.documents import read_json, utf8_size
from orders_obs.alerts.aws_calls.patterns import field_faults, is_or
from orders_obs.alerts.aws_calls.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["SCOPES", "filter_problems"]

SCOPES = ("MessageAttributes", "MessageBody")
_KEYS = 5
_COMBINATIONS = 150
_BYTES = 256 * 1024
_DEEPEST = 100
_GUIDE = "SNS developer guide, filter policies"


def filter_problems(path: str, written: str, scope: str | None) -> Iterator[Problem]:
    """What is wrong with a filter policy.

    Args:
        path: Of the argument.
        written: JSON text; empty takes the policy away.
        scope: What the policy looks at; None where it is not known, as where it was set before.
    """
    if not written.strip():
        return
    if utf8_size(written) > _BYTES:
        yield Problem(
            path, f"the policy has {utf8_size(written)} bytes, and the limit is {_BYTES}", "", "limit"
        )
    content, fault = read_json(written)
    if fault:
        yield Problem(path, f"the filter policy is no JSON: {fault}", "", "json")
        return
    if not isinstance(content, dict):
        yield Problem(path, "the filter policy is no JSON object", 'such as {"store": ["example"]}')
        return
    names = [name for name, value in content.items() if not (name == "$or" and is_or(value))]
    if len(names) > _KEYS:
        yield Problem(path, f"the policy has {len(names)} keys, and the limit is {_KEYS}", "", "limit")
    for place, message in field_faults(content, nested=scope != "MessageAttributes") if content else ():
        yield Problem(path, f"{place}: {message}", _GUIDE)
    count = _combinations(content, 1)
    if count > _COMBINATIONS:
        message = f"the policy has {count} combinations of values, and the limit is {_COMBINATIONS}"
        yield Problem(path, message, _GUIDE, "limit")


def _combinations(content: Mapping[str, Any], depth: int) -> int:
    """The number of values of each key, times how deep it is nested, multiplied; alternatives are added."""
    total = 1
    for name, value in content.items():
        if total > _COMBINATIONS or depth > _DEEPEST:
            break
        if name == "$or" and is_or(value):
            total *= sum(_combinations(branch, depth) for branch in value)
        elif isinstance(value, dict):
            total *= _combinations(value, depth + 1)
        elif isinstance(value, list) and value:
            total *= len(value) * depth
    return total
