"""Schedules of mute rules and of log alarms: cron with five fields, at, rate, ISO 8601 durations, time zones.

Source: the structure Schedule of PutAlarmMuteRule, WallClockWindow, ScheduleConfiguration of PutLogAlarm.
"""

from __future__ import annotations

import re
import zoneinfo
from datetime import datetime
from functools import cache

__all__ = [
    "duration_seconds",
    "is_time_zone",
    "schedule_fault",
    "wall_clock_zone_fault",
]

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# Name, smallest, largest, names with the number of the first. Sunday is 0 in some crons and 7 in others, and AWS does not say.
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...], int], ...] = (
    ("minutes", 0, 59, (), 0),
    ("hours", 0, 23, (), 0),
    ("day of month", 1, 31, (), 0),
    ("month", 1, 12, _MONTHS, 1),
    ("day of week", 0, 7, _DAYS, 0),
)
_DURATION = re.compile(
    r"P(?=.)(?:(?P<w>\d+(?:[.,]\d+)?)W)?(?:(?P<d>\d+(?:[.,]\d+)?)D)?"
    r"(?:T(?=.)(?:(?P<h>\d+(?:[.,]\d+)?)H)?(?:(?P<m>\d+(?:[.,]\d+)?)M)?(?:(?P<s>\d+(?:[.,]\d+)?)S)?)?",
    re.ASCII | re.IGNORECASE,
)
_SECONDS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}
_OFFSET = re.compile(r"(?:UTC|GMT|UT)?[+-](\d{1,2})(?::?(\d{2}))?|Z", re.ASCII)
_LARGEST_OFFSET = 18


def schedule_fault(expression: str) -> str:
    """Why an expression of a mute rule is none; empty where it is one."""
    found = re.fullmatch(r"(cron|at)\((.*)\)", expression.strip(), re.DOTALL)
    if found is None:
        return "it is neither cron(…) nor at(…)"
    return _cron_fault(found[2]) if found[1] == "cron" else _at_fault(found[2])


def _at_fault(text: str) -> str:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d", text, re.ASCII):
        return f"at({text}) is not of the form at(yyyy-MM-ddThh:mm)"
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return f"at({text}) is no day or time of the calendar"
    return ""


def _cron_fault(text: str) -> str:
    fields = text.split()
    if len(fields) != len(_FIELDS):
        names = ", ".join(field[0] for field in _FIELDS)
        return f"cron has {len(fields)} fields, and it takes five: {names}"
    faults = (_field_fault(written, *field) for written, field in zip(fields, _FIELDS, strict=True))
    return next((fault for fault in faults if fault), "")


def _field_fault(written: str, name: str, low: int, high: int, words: tuple[str, ...], first: int) -> str:
    for part in written.split(","):
        span, slash, step = part.partition("/")
        # Steps are in no list of what AWS supports, and in every "standard cron syntax" that its guide refers to: left open.
        if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
            return f"{part!r} is no value of the field {name}"
        if span == "*":
            continue
        start, dash, end = span.partition("-")
        values = [_value(word, words, first) for word in ((start, end) if dash else (start,))]
        if any(value is None for value in values):
            return f"{part!r} is no value of the field {name}"
        numbers = [value for value in values if value is not None]
        if any(not low <= value <= high for value in numbers):
            return f"{part!r} is no value of the field {name}, which goes from {low} to {high}"
        if len(numbers) == 2 and numbers[0] > numbers[1] and not words:
            return f"{part!r} of the field {name} ends before it begins"
    return ""


def _value(word: str, words: tuple[str, ...], first: int) -> int | None:
    if word.upper() in words:
        return words.index(word.upper()) + first
    return int(word) if word.isascii() and word.isdigit() and len(word) <= 4 else None


def duration_seconds(text: str) -> float | None:
    """Seconds of an ISO 8601 duration in weeks, days, hours, minutes and seconds; None where it is none."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    parts = {unit: value for unit, value in found.groupdict().items() if value}
    if not parts:
        return None
    return sum(float(value.replace(",", ".")) * _SECONDS[unit] for unit, value in parts.items())


def is_time_zone(name: str) -> bool:
    """Whether a text is a time zone; an offset is one too, and everything is where this machine knows no zones."""
    return not _zones() or name in _zones() or _OFFSET.fullmatch(name) is not None


def wall_clock_zone_fault(name: str) -> str:
    """Why a wall clock window refuses a time zone; empty where it takes it."""
    offset = _OFFSET.fullmatch(name)
    if offset is None:
        return "" if is_time_zone(name) else f"{name!r} is no time zone"
    hours, minutes = int(offset[1] or 0), int(offset[2] or 0)
    if hours > _LARGEST_OFFSET or minutes > 59:
        return f"{name!r} is no offset of a time zone"
    return f"{name!r} is not aligned to 5 minutes" if minutes % 5 else ""


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
