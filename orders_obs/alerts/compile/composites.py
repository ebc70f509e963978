"""What composite alarms refer to, and the order in which they are made: children first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["children_first", "named_alarms"]

# A name stands in quotation marks or bare, alone in a function or in the list of AT_LEAST (text of PutCompositeAlarm in botocore's
# model; user guide, "Create a composite alarm"). What is in quotation marks elsewhere is passed over whole.
_STATE = r"\b(?:ALARM|OK|INSUFFICIENT_DATA)\s*"
_NAMES = re.compile(
    rf"""{_STATE}\(\s*(?:"(?P<quoted>[^"]*)"|(?P<bare>[^()"]+?))\s*\)"""
    rf"""|{_STATE},\s*\((?P<listed>(?:"[^"]*"|[^()"])*)\)"""
    r"""|"[^"]*\""""
)
_ITEM = re.compile(r'"([^"]*)"|([^\s,"][^,"]*)')


def named_alarms(arguments: Mapping[str, Any]) -> list[str]:
    """Names of the alarms that a composite refers to, its suppressor among them; of an ARN, the name in it.

    Args:
        arguments: Of `put_composite_alarm`.
    """
    found: list[str] = []
    for match in _NAMES.finditer(str(arguments.get("AlarmRule", ""))):
        if match["listed"] is not None:
            found += [quoted or bare.strip() for quoted, bare in _ITEM.findall(match["listed"])]
        else:
            found.append(match["quoted"] or match["bare"] or "")
    found.append(str(arguments.get("ActionsSuppressor") or ""))
    names = (name.partition(":alarm:")[2] if name.startswith("arn:") else name for name in found)
    return [name for name in dict.fromkeys(names) if name]


def children_first(composites: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Composites so that none comes before one that it refers to, else as they were.

    Args:
        composites: Arguments of `put_composite_alarm`.

    Returns:
        The order, and those of a circle and above it, which have none.
    """
    left = {composite["AlarmName"]: composite for composite in composites}
    needs = {
        name: [child for child in named_alarms(composite) if child in left]
        for name, composite in left.items()
    }
    ordered: list[dict[str, Any]] = []
    while left:
        # One at a time keeps what need not move where it is.
        free = next((name for name in left if not any(child in left for child in needs[name])), None)
        if free is None:
            break
        ordered.append(left.pop(free))
    return ordered, list(left.values())
