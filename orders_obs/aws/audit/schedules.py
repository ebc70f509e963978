"""Schedules of mute rules: whether their windows leave any minute free.

`cron(Minutes Hours Day-of-month Month Day-of-week)` with `*`, `-`, `,` and English names (API reference of PutAlarmMuteRule).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

__all__ = ["covers_all", "seconds_of"]

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")
_CRON = re.compile(r"cron\((.+)\)")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FROM = datetime(2027, 1, 1, tzinfo=UTC)
_SPAN = 400
"""Days that are looked at: a year and what precedes it."""


def seconds_of(duration: str) -> int | None:
    """An ISO 8601 duration of days, hours and minutes in seconds; None where it is none."""
    found = _DURATION.fullmatch(duration)
    if not duration or found is None or not any(found.groups()):
        return None
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return (days * 24 + hours) * 3600 + minutes * 60


def covers_all(expression: str, duration: str) -> bool:
    """Whether the windows of a schedule follow each other without a gap."""
    length, found = seconds_of(duration), _CRON.fullmatch(expression.strip())
    fields = found[1].split() if found else []
    if length is None or len(fields) != 5:
        return False
    sets = [
        _set(field, low, high, names)
        for field, (low, high, names) in zip(
            fields, ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, _MONTHS), (0, 7, _DAYS)), strict=True
        )
    ]
    if any(one is None for one in sets):
        return False
    minutes, hours, days, months, weekdays = (one or set() for one in sets)
    times = sorted(hour * 60 + minute for hour in hours for minute in minutes)
    last: datetime | None = None
    for offset in range(_SPAN):
        day = _FROM + timedelta(days=offset)
        # As in cron, a day of the month and a day of the week that are both restricted are each enough.
        on_day, on_weekday = day.day in days, day.isoweekday() % 7 in {one % 7 for one in weekdays}
        either = fields[2] != "*" and fields[4] != "*"
        if day.month not in months or not ((on_day or on_weekday) if either else (on_day and on_weekday)):
            continue
        for time in times:
            start = day + timedelta(minutes=time)
            if last is not None and (start - last).total_seconds() > length:
                return False
            last = start
    return last is not None and (_FROM + timedelta(days=_SPAN) - last).total_seconds() <= length + 86_400


def _set(field: str, low: int, high: int, names: tuple[str, ...]) -> set[int] | None:
    """The numbers of a field; None where it is not understood."""
    made: set[int] = set()
    for part in field.split(","):
        if part == "*":
            made |= set(range(low, high + 1))
            continue
        first, _, last = part.partition("-")
        ends = [_number(end, low, names) for end in (first, last or first)]
        if ends[0] is None or ends[1] is None or not low <= ends[0] <= ends[1] <= high:
            return None
        made |= set(range(ends[0], ends[1] + 1))
    return made


def _number(text: str, low: int, names: tuple[str, ...]) -> int | None:
    if text.upper() in names:
        return names.index(text.upper()) + low
    return int(text) if text.isdigit() else None
