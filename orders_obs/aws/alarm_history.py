"""What CloudWatch still knows of an alarm's past: in which state it was, from when to when, and for which times that is not known."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from orders_obs.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orders_obs.aws.session import Aws

__all__ = ["ABSENT", "PROMISED_DAYS", "UNKNOWN", "Past", "Span", "Timeline", "read_past", "timeline"]

PROMISED_DAYS = 14
"""Days for which history is kept at least: older guides of CloudWatch say two weeks, newer ones 30 days."""
UNKNOWN, ABSENT = "UNKNOWN", "ABSENT"
"""States of ours: nobody can say any more; there was no such alarm."""

_TYPES = ["MetricAlarm", "CompositeAlarm", "LogAlarm"]
_KINDS = ("StateUpdate", "ConfigurationUpdate")
_ITEMS = 10_000
"""Entries that are read at most, the newest first: a hundred pages, half a minute at 3 a second."""
_SAID = 300
_STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")
_SUMMARY = re.compile(r"updated from (OK|ALARM|INSUFFICIENT_DATA) to (OK|ALARM|INSUFFICIENT_DATA)\b")
_ORDER = ("created", "state", "deleted")
"""Of what happened at one time."""
_NEXT = "?"
"""What the state became is said by the entry that comes next."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which an alarm was in one state.

    Attributes:
        begin: Its beginning.
        end: Its end, which is the beginning of the next one.
        state: `OK`, `ALARM`, `INSUFFICIENT_DATA`, `UNKNOWN` or `ABSENT`.
        reason: Why CloudWatch changed to it; empty where that is not known.
    """

    begin: datetime
    end: datetime
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of the history; `old` and `new` are empty where they cannot be read."""

    at: datetime
    kind: str
    old: str = ""
    new: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """What AWS says of an alarm.

    Attributes:
        name: Its name.
        entries: Of its history, the oldest first.
        alarm: As DescribeAlarms has it; None where there is none of that name now.
        undated: Entries without a time, which are left out.
        cut: Whether there are older entries that were not read.
    """

    name: str
    entries: tuple[_Entry, ...]
    alarm: Mapping[str, Any] | None
    undated: int = 0
    cut: bool = False

    @property
    def first(self) -> datetime | None:
        """The time of the oldest entry."""
        return self.entries[0].at if self.entries else None

    @property
    def last(self) -> datetime | None:
        """The time of the newest entry."""
        return self.entries[-1].at if self.entries else None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The states of an alarm, without a gap.

    Attributes:
        name: Its name.
        spans: One after the other; neighbours differ.
        state: Now; `ABSENT` where there is no such alarm.
        actions: Whether its actions are enabled; None where there is no such alarm.
        created: When it was made, the last time; None where that is longer ago than the history goes.
        notes: What is wrong with the history.
    """

    name: str
    spans: tuple[Span, ...]
    state: str
    actions: bool | None
    created: datetime | None
    notes: tuple[str, ...] = ()


def read_past(aws: Aws, name: str, start: datetime) -> Past | None:
    """Ask AWS about an alarm of any type.

    Args:
        aws: The session.
        name: The alarm's name.
        start: From when on its history is read.

    Returns:
        None where there is no such alarm and was none.

    Raises:
        EnvironmentFault: AWS cannot be asked.
    """
    about = f"alarm {name}"
    answer = (
        aws.call("cloudwatch", "describe_alarms", about=about, AlarmNames=[name], AlarmTypes=_TYPES) or {}
    )
    alarms = [
        alarm for kind in _TYPES for alarm in answer.get(f"{kind}s") or () if alarm["AlarmName"] == name
    ]
    items: list[Mapping[str, Any]] = []
    cut = False
    for kind in _KINDS:
        pages = aws.pages(
            "cloudwatch", "describe_alarm_history", about=f"history of alarm {name}",
            AlarmName=name, AlarmTypes=_TYPES, HistoryItemType=kind, StartDate=start, ScanBy="TimestampDescending",
            PaginationConfig={"PageSize": 100, "MaxItems": _ITEMS},
        )  # fmt: skip
        found = [item for page in pages for item in page.get("AlarmHistoryItems") or ()]
        cut = cut or len(found) >= _ITEMS
        # Not every emulator heeds what it was asked for.
        items += [
            item
            for item in reversed(found)
            if item.get("AlarmName", name) == name and item.get("HistoryItemType", kind) == kind
        ]
    if not alarms and not items:
        return None
    entries = [entry for item in items if (entry := _entry(item))]
    entries.sort(key=lambda entry: (entry.at, _ORDER.index(entry.kind)))
    undated = sum(not isinstance(item.get("Timestamp"), datetime) for item in items)
    return Past(name, tuple(entries), alarms[0] if alarms else None, undated, cut)


def timeline(past: Past, start: datetime, until: datetime) -> Timeline:
    """The states of an alarm between two times, as its history and its state now tell them.

    Args:
        past: What AWS says of it.
        start: The beginning.
        until: The end.
    """
    notes = [f"{past.undated} entries of its history have no time"] if past.undated else []
    now = str(past.alarm["StateValue"]) if past.alarm is not None else ABSENT
    marks = [(min(start, past.first or start), _before(past, start), "")]
    unread = 0
    for entry in past.entries:
        at, state, reason = marks[-1]
        if state == _NEXT:
            state = entry.old or UNKNOWN
            marks[-1] = (at, state, reason)
        if entry.kind == "state":
            unread += not entry.new
            if entry.old and state in _STATES and entry.old != state and at < entry.at:
                # Between the two the state changed, and no entry says when.
                marks[-1] = (at, UNKNOWN, "")
                notes.append(f"an entry is missing between {_minute(at)} and {_minute(entry.at)}")
            marks.append((entry.at, entry.new or _NEXT, entry.reason))
        else:
            marks.append((entry.at, ABSENT if entry.kind == "deleted" else _NEXT, ""))
    marks += _ending(past, marks[-1], now)
    if unread:
        notes.append(f"{unread} entries of its history could not be read")
    return Timeline(
        past.name,
        _spans(marks, start, until),
        now,
        bool(past.alarm.get("ActionsEnabled")) if past.alarm is not None else None,
        max((entry.at for entry in past.entries if entry.kind == "created"), default=None),
        tuple(notes),
    )


def _before(past: Past, start: datetime) -> str:
    """The state before the first entry."""
    if past.entries:
        first = past.entries[0]
        return {"created": ABSENT, "deleted": UNKNOWN}.get(first.kind, first.old or UNKNOWN)
    if past.alarm is None:
        return ABSENT
    return UNKNOWN if _changed(past, start) else str(past.alarm["StateValue"])


def _changed(past: Past, since: datetime) -> datetime | None:
    """When the alarm came into the state that it is in, where that is later than a time."""
    at = _utc((past.alarm or {}).get("StateTransitionedTimestamp"))
    return at if at is not None and at > since else None


def _ending(past: Past, last: tuple[datetime, str, str], now: str) -> list[tuple[datetime, str, str]]:
    """What the state now adds to the history, which comes a little later than the state."""
    at, state, _ = last
    if state == now:
        return []
    if past.alarm is None:
        # Gone, and no entry says when.
        return [(at, UNKNOWN, "")]
    changed = _changed(past, at)
    if changed is not None:
        between = UNKNOWN if state in (ABSENT, _NEXT) else state
        return [(at, between, ""), (changed, now, str(past.alarm.get("StateReason") or "")[:_SAID])]
    return [(at, now if state == _NEXT else UNKNOWN, "")]


def _spans(marks: Iterable[tuple[datetime, str, str]], start: datetime, until: datetime) -> tuple[Span, ...]:
    spans: list[Span] = []
    end = (until, UNKNOWN, "")
    for (begin, state, reason), (following, *_) in pairwise([*marks, end]):
        low, high = max(begin, start), min(following, until)
        if low >= high:
            continue
        if spans and spans[-1].state == state:
            spans[-1] = Span(spans[-1].begin, high, state, spans[-1].reason)
        else:
            spans.append(Span(low, high, state, reason))
    return tuple(spans)


def _entry(item: Mapping[str, Any]) -> _Entry | None:
    at = _utc(item.get("Timestamp"))
    if at is None:
        return None
    data, summary = _data(item), str(item.get("HistorySummary") or "")
    if item.get("HistoryItemType") == "ConfigurationUpdate":
        kinds = {"create": "created", "delete": "deleted"}
        kind = kinds.get(str(data.get("type") or "").lower()) or next(
            (word for word in kinds.values() if not data.get("type") and summary.endswith(f" {word}")), ""
        )
        return _Entry(at, kind) if kind else None
    old, new = _part(data, "oldState"), _part(data, "newState")
    states = [str(side.get("stateValue") or "") for side in (old, new)]
    # The data is cut at 4,095 characters, which a long reason fills.
    told = _SUMMARY.search(summary)
    states = [
        state if state in _STATES else told[side] if told else "" for side, state in enumerate(states, 1)
    ]
    reason = redact_text(str(new.get("stateReason") or ""))[:_SAID]
    return _Entry(at, "state", states[0], states[1], reason)


def _data(item: Mapping[str, Any]) -> dict[str, Any]:
    try:
        data = json.loads(item.get("HistoryData") or "{}")
    except (ValueError, TypeError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _part(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = data.get(name)
    return part if isinstance(part, dict) else {}


def _utc(at: object) -> datetime | None:
    if not isinstance(at, datetime):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
