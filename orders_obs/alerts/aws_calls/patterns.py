"""Event patterns of EventBridge, and the language of conditions that they share with filter policies of SNS.

Source: EventBridge user guide, "Event patterns" and "Comparison operators"; the rule compiler of aws/event-ruler, which EventBridge and SNS
run, for what the guide leaves open. The limit for the complexity of wildcards is nowhere given as a number, and that for the size of
numbers was lifted in event-ruler, so neither is checked.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.documents import read_json
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import shown
from orders_obs.alerts.compile.eventbridge import PATTERN_LENGTH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["condition_faults", "field_faults", "is_or", "pattern_problems"]

_DEEPEST = 100
_RESERVED = frozenset({
    "exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr", "=", "<", "<=", ">", ">=",
    "regex", "not-wildcard", "not-equals-ignore-case", "date-after", "date-on-or-after", "date-before", "date-on-or-before",
    "in-date-range", "ip-address-in-range", "ip-address-not-in-range",
})  # fmt: skip
_INNER = ("prefix", "suffix", "equals-ignore-case", "wildcard")
_OPERATORS = "prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, exists, cidr"


def pattern_problems(path: str, written: Any) -> Iterator[Problem]:
    """What is wrong with an event pattern.

    Args:
        path: Of the argument.
        written: JSON text; anything else is left to the model.
    """
    if not isinstance(written, str):
        return
    if len(written) > PATTERN_LENGTH:
        hint = f"the quota is {PATTERN_LENGTH}, if it was not raised for the account"
        yield Problem(path, f"the pattern has {len(written)} characters", hint, "quota")
    content, fault = read_json(written)
    if fault:
        yield Problem(path, f"the pattern is no JSON: {fault}", "", "json")
    elif not isinstance(content, dict):
        yield Problem(path, "the pattern is no JSON object", 'such as {"source": ["aws.ec2"]}')
    else:
        for place, message in field_faults(content):
            yield Problem(
                path, f"{place}: {message}" if place else message, "EventBridge user guide, event patterns"
            )


def field_faults(content: Mapping[str, Any], *, nested: bool = True) -> list[tuple[str, str]]:
    """What is wrong with the fields of a pattern: where, and why.

    Under `$or` stand alternatives. Where that gives no pattern, it is a field like any other, as it was before there were alternatives.

    Args:
        content: The pattern.
        nested: Whether a field can have fields.
    """
    faults = list(_fields(content, "", 0, nested=nested, alternatives=True, inside=False))
    if (
        faults
        and _has_or(content)
        and not any(_fields(content, "", 0, nested=nested, alternatives=False, inside=False))
    ):
        return []
    return faults


def _has_or(content: Any) -> bool:
    todo = [content]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            if "$or" in value:
                return True
            todo += value.values()
        elif isinstance(value, list):
            todo += value
    return False


def _fields(
    content: Mapping[str, Any], place: str, depth: int, *, nested: bool, alternatives: bool, inside: bool
) -> Iterator[tuple[str, str]]:
    if not content:
        yield place, "there is no field in it"
    if depth > _DEEPEST:
        return
    for name, value in content.items():
        inner = f"{place}.{name}" if place else name
        if alternatives and name == "$or":
            yield from _branches(value, inner, depth, nested=nested)
        elif inside and name in _RESERVED:
            yield inner, "an operator stands where a field is wanted"
        elif isinstance(value, dict):
            if not nested:
                yield (
                    inner,
                    "a policy on message attributes has no nested keys; FilterPolicyScope MessageBody has",
                )
            yield from _fields(
                value, inner, depth + 1, nested=nested, alternatives=alternatives, inside=inside
            )
        elif not isinstance(value, list):
            yield inner, f"{shown(value)} is no list, and values stand in a list"
        else:
            yield from ((inner, fault) for fault in condition_faults(value))


def _branches(value: Any, place: str, depth: int, *, nested: bool) -> Iterator[tuple[str, str]]:
    if not isinstance(value, list) or len(value) < 2:
        yield place, "$or takes a list of two alternatives or more"
        return
    for branch in value:
        if isinstance(branch, dict):
            yield from _fields(branch, place, depth + 1, nested=nested, alternatives=True, inside=True)
        else:
            yield place, f"{shown(branch)} is no alternative, which has fields"


def is_or(value: Any) -> bool:
    """Whether what stands under `$or` are alternatives."""
    return isinstance(value, list) and len(value) >= 2 and all(isinstance(branch, dict) for branch in value)


def condition_faults(conditions: list[Any]) -> Iterator[str]:
    """Why a list of values and conditions is none."""
    if not conditions:
        yield "the list is empty"
    for condition in conditions:
        if isinstance(condition, list):
            yield f"{shown(condition)} is a list in a list"
        elif isinstance(condition, dict):
            yield from _condition(condition)


def _condition(condition: Mapping[str, Any]) -> Iterator[str]:
    if len(condition) != 1:
        yield f"{shown(condition)} has {len(condition)} operators, and one is wanted"
        return
    ((operator, operand),) = condition.items()
    if operator in ("prefix", "suffix"):
        yield from _prefix(operator, operand)
    elif operator in ("equals-ignore-case", "wildcard", "exactly"):
        yield from _word(operator, operand)
    elif operator == "anything-but":
        yield from _anything_but(operand)
    elif operator == "numeric":
        yield from _numeric(operand)
    elif operator == "exists":
        if not isinstance(operand, bool):
            yield f"exists is true or false, and not {shown(operand)}"
    elif operator == "cidr":
        yield from _cidr(operand)
    else:
        yield f"there is no operator {operator!r}: {_OPERATORS}"


def _prefix(operator: str, operand: Any) -> Iterator[str]:
    if isinstance(operand, dict):
        if set(operand) != {"equals-ignore-case"}:
            yield f"{operator} takes a text or equals-ignore-case, and not {shown(operand)}"
        else:
            yield from _word("equals-ignore-case", operand["equals-ignore-case"])
    else:
        yield from _word(operator, operand)


def _word(operator: str, operand: Any) -> Iterator[str]:
    if not isinstance(operand, str):
        yield f"{operator} takes a text, and not {shown(operand)}"
    elif operator == "wildcard":
        yield from _wildcard(operand)


def _wildcard(operand: str) -> Iterator[str]:
    index = 0
    while index < len(operand):
        pair = operand[index : index + 2]
        if pair == "**":
            yield f"wildcard {operand!r} has two * in a row"
            return
        if pair[0] == "\\":
            if pair not in ("\\*", "\\\\"):
                yield f"wildcard {operand!r}: a backslash escapes * or itself only"
                return
            index += 1
        index += 1


def _anything_but(operand: Any) -> Iterator[str]:
    if isinstance(operand, dict):
        if len(operand) != 1 or next(iter(operand)) not in _INNER:
            yield f"anything-but takes values or one of {', '.join(_INNER)}, and not {shown(operand)}"
            return
        ((operator, inner),) = operand.items()
        for value in inner if isinstance(inner, list) else [inner]:
            yield from _word(operator, value)
            if value == "" and operator in ("prefix", "suffix"):
                yield f"{operator} in anything-but is empty"
        return
    values = operand if isinstance(operand, list) else [operand]
    texts = sum(isinstance(value, str) for value in values)
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if not values:
        yield "the list of anything-but is empty"
    elif texts + len(numbers) != len(values):
        yield f"anything-but takes texts or numbers, and not {shown(operand)}"
    elif texts and numbers:
        yield "anything-but takes texts only or numbers only, and not both"


def _numeric(operand: Any) -> Iterator[str]:
    if not isinstance(operand, list):
        yield f"numeric takes a list, and not {shown(operand)}"
        return
    signs, values = operand[::2], operand[1::2]
    wrong = [sign for sign in signs if sign not in ("=", "<", "<=", ">", ">=")]
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if not operand or len(signs) != len(values) or len(numbers) != len(values):
        yield f'numeric takes a sign and a number, such as [">", 0, "<=", 5], and not {shown(operand)}'
    elif wrong:
        yield f"numeric has no sign {shown(wrong[0])}: =, <, <=, >, >="
    elif len(signs) > 2 or (len(signs) == 2 and (signs[0] not in (">", ">=") or signs[1] not in ("<", "<="))):
        yield f"a range of numeric is > or >= and then < or <=, and not {shown(operand)}"
    elif len(values) == 2 and values[0] >= values[1]:
        yield f"the range {shown(operand)} ends before it begins"


def _cidr(operand: Any) -> Iterator[str]:
    if not isinstance(operand, str):
        yield f"cidr takes a text, and not {shown(operand)}"
        return
    address, slash, bits = operand.partition("/")
    try:
        version: int = ipaddress.ip_address(address).version
    except ValueError:
        version = 0
    if not slash or version == 0 or not (bits.isascii() and bits.isdigit()) or len(bits) > 3:
        yield f"{operand!r} is no block of addresses, such as 10.0.0.0/24"
    elif int(bits) >= (32 if version == 4 else 128):
        yield f"{operand!r} is a single address, which is a value of its own"
