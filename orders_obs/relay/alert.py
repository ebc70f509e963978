"""What a message says, whoever sent it: the one form that every receiver is told from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

__all__ = ["WORDS", "Alert", "Status", "cut", "moment", "worded"]

Status = Literal["firing", "recovered", "unknown", "happened"]

WORDS = ("critical", "warning", "info")
"""Severities that names and tags are searched for: those of the shipped packages."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to tell.

    Attributes:
        status: `firing` and `recovered` of an alarm, `unknown` where it has no data, `happened` of an event or a text.
        severity: How bad; empty where nothing says it.
        title: What, for a headline.
        name: What it is called where it comes from, such as the alarm's name.
        text: What it says in words.
        since: Since when, or when.
        facts: Name and value of what else there is: value, threshold, state before.
        links: Name and address: alarm, runbook, logs.
        source: What sent it, such as `CloudWatch alarm`.
        account: Of AWS.
        region: Of AWS.
    """

    status: Status
    severity: str
    title: str
    name: str = ""
    text: str = ""
    since: datetime | None = None
    facts: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    source: str = ""
    account: str = ""
    region: str = ""


def moment(text: object) -> datetime | None:
    """The moment that AWS writes: `2026-11-25T08:30:00.123+0000`, `2026-11-25T08:30:00Z`, `2026-11-25 08:30:00.123`; None where it is none."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def cut(text: str, longest: int) -> str:
    """A text of at most so many characters, which says where it was cut."""
    if len(text) <= longest:
        return text
    note = f"… ({len(text)} characters in all)"
    return text[: max(0, longest - len(note))] + note


def worded(value: object) -> str:
    """A value of a message as text; empty where there is none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else str(value)
