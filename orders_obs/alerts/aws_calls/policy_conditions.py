"""Conditions of policies.

Source: IAM user guide, "IAM JSON policy elements: Condition" and "Condition operators".
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.documents import number_text
from orders_obs.alerts.aws_calls.reading import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["condition_faults"]

_TEXTS = ("equals", "notequals", "like", "notlike")
_OPERATORS = frozenset({
    *(f"string{one}" for one in (*_TEXTS, "equalsignorecase", "notequalsignorecase")),
    *(f"arn{one}" for one in _TEXTS),
    *(
        f"{kind}{one}"
        for kind in ("numeric", "date")
        for one in ("equals", "notequals", "lessthan", "lessthanequals", "greaterthan", "greaterthanequals")
    ),
    "bool", "binaryequals", "ipaddress", "notipaddress", "null",
})  # fmt: skip
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?)?)?|\d+", re.ASCII)
_SET_NAMES = ("forallvalues:", "foranyvalue:")


def condition_faults(condition: Any) -> Iterator[str]:
    """Why the value of `Condition` is none."""
    if not isinstance(condition, dict):
        yield f"Condition is operators with keys and values, and not {shown(condition)}"
        return
    for written, wanted in condition.items():
        operator = _operator(written)
        if operator is None:
            yield f"there is no condition operator {written!r}"
        elif not isinstance(wanted, dict):
            yield f"{written} takes keys with values, and not {shown(wanted)}"
        else:
            for key, values in wanted.items():
                if ":" not in key:
                    yield f"the condition key {key!r} has no prefix, such as aws:"
                yield from _values(written, operator, values)


def _operator(written: str) -> str | None:
    """The operator in lower case, without what makes it one over sets or optional; None where there is none."""
    name = written.lower()
    for prefix in _SET_NAMES:
        name = name.removeprefix(prefix)
    bare = name.removesuffix("ifexists")
    if bare not in _OPERATORS or (bare == "null" and bare != name):
        return None
    return bare


def _values(written: str, operator: str, values: Any) -> Iterator[str]:
    given = values if isinstance(values, list) else [values]
    for value in given:
        if not isinstance(value, str | int | float):
            yield f"{written}: {shown(value)} is no text, number or truth value"
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if "${" in text:
            continue
        if operator in ("bool", "null") and text.lower() not in ("true", "false"):
            yield f"{written}: {shown(value)} is neither true nor false"
        elif operator.startswith("numeric") and not number_text(text):
            yield f"{written}: {shown(value)} is no number"
        elif operator.startswith("date") and not _DATE.fullmatch(text):
            yield f"{written}: {shown(value)} is no time, such as 2026-01-31T12:00:00Z"
        elif operator.endswith("ipaddress") and not _is_network(text):
            yield f"{written}: {shown(value)} is no address or block of addresses"


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
