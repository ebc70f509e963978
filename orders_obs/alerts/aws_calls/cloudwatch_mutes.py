"""What `put_alarm_mute_rule` refuses, and the calls that list, read and delete mute rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orders_obs.alerts.aws_calls.limits import limit
from orders_obs.alerts.aws_calls.problems import Problem
from orders_obs.alerts.aws_calls.reading import instant, mapping, text
from orders_obs.alerts.aws_calls.schedules import duration_seconds, is_time_zone, schedule_fault
from orders_obs.alerts.aws_calls.tags import tag_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orders_obs.alerts.aws_calls.problems import Rules

__all__ = ["RULES"]

_SCHEDULE = "Rule.Schedule"


def _put_alarm_mute_rule(arguments: Mapping[str, Any]) -> Iterator[Problem]:
    yield from tag_problems(arguments)
    schedule = mapping(mapping(arguments.get("Rule")).get("Schedule"))
    expression = text(schedule.get("Expression"))
    if expression and (fault := schedule_fault(expression)):
        yield Problem(f"{_SCHEDULE}.Expression", fault, "cron(0 2 * * SUN), or at(2026-12-23T00:00)")
    yield from _duration(schedule)
    zone = text(schedule.get("Timezone"))
    if zone and not is_time_zone(zone):
        yield Problem(f"{_SCHEDULE}.Timezone", f"{zone!r} is no time zone", "such as Europe/Berlin, or UTC")
    start, end = instant(arguments.get("StartDate")), instant(arguments.get("ExpireDate"))
    if start is not None and end is not None and end <= start:
        yield Problem("ExpireDate", f"it ends at {end.isoformat()}, before it begins", "after StartDate")


def _duration(schedule: Mapping[str, Any]) -> Iterator[Problem]:
    written = text(schedule.get("Duration"))
    if not written:
        return
    path, least, most = f"{_SCHEDULE}.Duration", limit("mute-shortest"), limit("mute-longest")
    seconds = duration_seconds(written)
    if seconds is None:
        yield Problem(
            path,
            f"{written!r} is no ISO 8601 duration in days, hours and minutes",
            "such as PT4H, or P2DT12H",
        )
    elif not least <= seconds <= most:
        yield Problem(
            path,
            f"{written} is {'shorter' if seconds < least else 'longer'} than a mute window may be",
            "from PT1M to P15D",
        )


RULES: Rules = {"put_alarm_mute_rule": (_put_alarm_mute_rule,)}
