"""Schedules of EventBridge rules: rate and cron with six fields.

Source: EventBridge user guide, "Using cron and rate expressions to schedule rules"; what people reported of PutRule where the guide is
silent: a step above the largest value is refused, a comma with nothing behind it is not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["event_schedule_fault"]

_RATE = re.compile(r"\s*(\S+)\s+(\S+)\s*")
_UNITS = ("minute", "hour", "day")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# Name, smallest, largest, names of which the first has the smallest number.
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minutes", 0, 59, ()),
    ("hours", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 1, 7, _DAYS),
    ("year", 1970, 2199, ()),
)
_MONTH_DAY = re.compile(r"L(W|-([12]?\d|30))?|(\d{1,2})W", re.ASCII)
_WEEK_DAY = re.compile(r"L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5])", re.ASCII)


def event_schedule_fault(expression: str) -> str:
    """Why a schedule of a rule is none; empty where it is one."""
    found = re.fullmatch(r"(\w+)\((.*)\)", expression.strip(), re.DOTALL)
    if found is None or found[1] not in ("rate", "cron"):
        return "it is neither rate(…) nor cron(…)"
    return _rate_fault(found[2]) if found[1] == "rate" else next(_cron_faults(found[2]), "")


def _rate_fault(text: str) -> str:
    found = _RATE.fullmatch(text)
    if found is None:
        return f"rate({text}) is no number and unit, such as rate(5 minutes)"
    number, unit = found[1], found[2]
    if not re.fullmatch(r"\d{1,9}", number, re.ASCII) or int(number) == 0:
        return f"{number!r} is no whole number above zero"
    if unit.removesuffix("s") not in _UNITS:
        return f"{unit!r} is no unit: minute, hour, day, and with an s behind a number above 1"
    if (int(number) == 1) == unit.endswith("s"):
        right = unit.removesuffix("s") + ("" if int(number) == 1 else "s")
        return f"rate({number} {unit}) is rate({number} {right})"
    return ""


def _cron_faults(text: str) -> Iterator[str]:
    fields = text.split()
    if len(fields) != len(_FIELDS):
        names = ", ".join(field[0] for field in _FIELDS)
        yield f"cron has {len(fields)} fields, and it takes six: {names}"
        return
    for written, field in zip(fields, _FIELDS, strict=True):
        parts = [part for part in written.upper().split(",") if part]
        yield from (fault for part in parts if (fault := _part_fault(part, *field)))
        if len(parts) > 1 and any("#" in part for part in parts):
            yield f"{written!r} has more than one day, and a field with # has one"
    if (fields[2].strip(",") == "?") == (fields[4].strip(",") == "?"):
        yield "one of day of month and day of week is ?, and the other is not"


def _part_fault(part: str, name: str, low: int, high: int, words: tuple[str, ...]) -> str:
    of_days = name.startswith("day")
    if of_days and part == "?":
        return ""
    special = {"day of month": _MONTH_DAY, "day of week": _WEEK_DAY}.get(name)
    found = special.fullmatch(part) if special else None
    if found is not None:
        near = found[3] if name == "day of month" else None
        return "" if near is None or low <= int(near) <= high else f"{part!r} is no {name}"
    span, slash, step = part.partition("/")
    if slash and not (re.fullmatch(r"\d{1,4}", step, re.ASCII) and int(step)):
        return f"{part!r} is no {name}: a step is a whole number above zero"
    if slash and name != "year" and int(step) > high:
        return f"{part!r} is no {name}: a step is {high} at most"
    if span == "*" or (slash and not span):
        return ""
    start, dash, end = span.partition("-")
    for word in (start, end) if dash else (start,):
        value = words.index(word) + low if word in words else _number(word)
        if value is None or not low <= value <= high:
            return f"{part!r} is no {name}, which goes from {low} to {high}"
    return ""


def _number(word: str) -> int | None:
    return int(word) if re.fullmatch(r"\d{1,4}", word, re.ASCII) else None
