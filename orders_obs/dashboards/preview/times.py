"""Points in time as Grafana's time picker has them, lengths of time, and the step of a query."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orders_obs.errors import UserError

__all__ = ["Range", "as_seconds", "duration_text", "moment", "rate_interval", "step_of"]

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "y": 31536000}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwMy])")
_RELATIVE = re.compile(r"now((?:\s*[+-]\s*\d+[smhdwMy])*)(?:/([smhdwMy]))?")
_OFFSET = re.compile(r"([+-])\s*(\d+)([smhdwMy])")
# Grafana's steps in seconds: an interval below the bound becomes the value ([code] rangeutil.roundInterval of @grafana/data).
_ROUND = (
    (0.015, 0.01), (0.035, 0.02), (0.075, 0.05), (0.15, 0.1), (0.35, 0.2), (0.75, 0.5), (1.5, 1), (3.5, 2), (7.5, 5),
    (12.5, 10), (17.5, 15), (25, 20), (45, 30), (90, 60), (210, 120), (450, 300), (750, 600), (1050, 900), (1500, 1200),
    (2700, 1800), (5400, 3600), (9000, 7200), (16200, 10800), (32400, 21600), (86400, 43200), (604800, 86400),
    (1814400, 604800), (3628800, 2592000),
)  # fmt: skip
_YEAR = 31536000
_MOST_POINTS = 11000
"""Prometheus refuses a range query of more points for each series."""
_SCRAPES = 4


@dataclass(frozen=True, slots=True)
class Range:
    """From when to when.

    Attributes:
        start: Seconds since 1970.
        end: Seconds since 1970.
    """

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start


def as_seconds(text: str) -> float | None:
    """Seconds of a length such as `15s`, `1m30s` or `>1m`; None where it is none."""
    plain = text.strip().lstrip(">").strip()
    parts = _LENGTH.findall(plain)
    if not parts or "".join(number + unit for number, unit in parts) != plain:
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def duration_text(seconds: float) -> str:
    """A length as Prometheus reads it, such as `90s`; milliseconds below a second."""
    if seconds < 1 or seconds != int(seconds):
        return f"{max(1, round(seconds * 1000))}ms"
    return f"{int(seconds)}s"


def moment(text: str, now: datetime) -> float:
    """Seconds since 1970 of `now`, `now-1h`, `now-1d/d`, an RFC 3339 time, or a number of seconds or milliseconds.

    Raises:
        UserError: It is none of these.
    """
    plain = text.strip()
    relative = _RELATIVE.fullmatch(plain)
    if relative:
        at = now
        for sign, number, unit in _OFFSET.findall(relative[1]):
            at = _moved(at, int(number) * (1 if sign == "+" else -1), unit)
        return (_floor(at, relative[2]) if relative[2] else at).timestamp()
    if re.fullmatch(r"\d{9,14}", plain):
        return int(plain) / (1000 if len(plain) > 11 else 1)  # Grafana's are milliseconds
    try:
        at = datetime.fromisoformat(plain)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise UserError(f"{text!r} is no time", hint="such as now-1h or 2026-01-31T12:00:00Z") from None


def _moved(at: datetime, number: int, unit: str) -> datetime:
    try:
        return at + timedelta(seconds=number * _SECONDS[unit])
    except OverflowError:
        raise UserError(f"{number}{unit} from now is out of reach", hint="such as now-1h") from None


def _floor(at: datetime, unit: str) -> datetime:
    if unit == "w":
        at -= timedelta(days=at.weekday())
    kept = {"y": 1, "M": 2, "w": 3, "d": 3, "h": 4, "m": 5, "s": 6}[unit]
    parts = [at.year, at.month, at.day, at.hour, at.minute, at.second][:kept]
    return datetime(*parts, *([1] * (3 - len(parts))), tzinfo=at.tzinfo)  # type: ignore[arg-type, misc]  # as many as are left


def step_of(span: float, points: int, least: float) -> float:
    """Seconds between the points of a range query, as Grafana chooses them.

    Args:
        span: Seconds of the range.
        points: How many points there may be, one for each pixel of width.
        least: Seconds that a step is at the least: the panel's interval, or the scrape interval.
    """
    wanted = span / max(1, points)
    rounded = next((value for bound, value in _ROUND if wanted < bound), _YEAR)
    return max(rounded, least, span / _MOST_POINTS, 0.001)


def rate_interval(step: float, scrape: float) -> float:
    """Seconds of `$__rate_interval`: a step and a scrape, and four scrapes at the least (Grafana's documented rule)."""
    return max(step + scrape, _SCRAPES * scrape)
