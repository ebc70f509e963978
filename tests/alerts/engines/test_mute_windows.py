"""Mute windows mean the same times to Alertmanager and to CloudWatch, read as each documents its own form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from orders_obs.alerts.compile.alertmanager import configuration
from orders_obs.alerts.model import MuteWindow
from tests.alerts.engines.conftest import Built, build

WINDOWS = {window.name: window for window in build("wide").catalogue.mutes}
CONFIGURATION: dict[str, Any] = configuration(build("wide").catalogue)[0]
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def moments() -> Iterator[datetime]:
    """Two weeks around the window that comes once, without a change of the clocks."""
    start = datetime(2026, 12, 18, tzinfo=UTC)
    for step in range(14 * 24 * 4):
        yield start + timedelta(minutes=15 * step, seconds=30)


def meant(window: MuteWindow, moment: datetime) -> bool:
    local = moment.astimezone(ZoneInfo(window.timezone))
    for back in range(17):
        day = local.date() - timedelta(days=back)
        if (window.on and day != window.on) or (window.days and day.weekday() not in window.days):
            continue
        begin = datetime(day.year, day.month, day.day, tzinfo=local.tzinfo) + timedelta(minutes=window.minute)
        if begin <= local < begin + timedelta(minutes=window.length):
            return True
    return False


def minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def by_alertmanager(interval: dict[str, Any], moment: datetime) -> bool:
    """One element of `time_intervals`: all that it names must hold; the end of a time is not in it."""
    local = moment.astimezone(ZoneInfo(interval["location"]))
    now = local.hour * 60 + local.minute
    times = interval.get("times", [{"start_time": "00:00", "end_time": "24:00"}])
    return (
        any(minute(t["start_time"]) <= now < minute(t["end_time"]) for t in times)
        and DAYS[local.weekday()] in interval.get("weekdays", DAYS)
        and str(local.day) in interval.get("days_of_month", [str(local.day)])
        and str(local.month) in interval.get("months", [str(local.month)])
        and str(local.year) in interval.get("years", [str(local.year)])
    )


def by_cloudwatch(schedule: dict[str, str], moment: datetime) -> bool:
    """The schedule of a mute rule: `cron(minutes hours day-of-month month day-of-week)` or `at(…)`, and for how long."""
    zone = ZoneInfo(schedule["Timezone"])
    parts = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", schedule["Duration"])
    assert parts is not None
    days, hours, minutes = (int(part or 0) for part in parts.groups())
    length = timedelta(days=days, hours=hours, minutes=minutes)
    form, _, content = schedule["Expression"].rstrip(")").partition("(")
    begins: list[datetime] = []
    if form == "at":
        begins = [datetime.fromisoformat(content).replace(tzinfo=zone)]
    else:
        at, hour, _, _, names = content.split()
        allowed = {"MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"} if names == "*" else set(names.split(","))
        local: date = moment.astimezone(zone).date()
        for back in range(17):
            day = local - timedelta(days=back)
            if day.strftime("%a").upper() in allowed:
                begins.append(datetime(day.year, day.month, day.day, int(hour), int(at), tzinfo=zone))
    return any(begin <= moment < begin + length for begin in begins)


@pytest.mark.parametrize("name", WINDOWS)
def test_both_engines_mute_when_the_catalogue_says(wide: Built, name: str) -> None:
    window = WINDOWS[name]
    (intervals,) = [i["time_intervals"] for i in CONFIGURATION["time_intervals"] if i["name"] == name]
    (rule,) = [r for r in wide.state.mute_rules if r["Name"].endswith(f"-{name}")]
    wanted = [meant(window, moment) for moment in moments()]
    assert {True, False} == set(wanted)
    assert [
        any(by_alertmanager(interval, moment) for interval in intervals) for moment in moments()
    ] == wanted
    assert [by_cloudwatch(rule["Rule"]["Schedule"], moment) for moment in moments()] == wanted


def test_both_engines_mute_the_alerts_that_the_catalogue_says(wide: Built) -> None:
    routes = {
        route["receiver"]: route
        for route in CONFIGURATION["route"]["routes"]
        if any("severity=" in matcher for matcher in route["matchers"]) and route["receiver"] != "nobody"
    }
    muted = {rule["Name"]: rule["MuteTargets"]["AlarmNames"] for rule in wide.state.mute_rules}
    made = {alarm["AlarmName"] for alarm in (*wide.state.metric_alarms, *wide.state.composite_alarms)}
    for alert in wide.catalogue:
        windows = [window.name for window in WINDOWS.values() if window.covers(alert)]
        if alert.full_name in made:
            assert [
                name
                for name in WINDOWS
                if any(alert.full_name in a for n, a in muted.items() if n.endswith(f"-{name}"))
            ] == windows
        children = routes.get(alert.severity.name, {}).get("routes", [])
        found = [
            child["mute_time_intervals"]
            for child in children
            if re.fullmatch(re.match(r'alertname=~"(.*)"', child["matchers"][0])[1], alert.name)  # type: ignore[index]  # it matches
        ]
        if found:
            assert found == [windows]


def test_what_is_due_is_told_when_it_is_due(built: Built) -> None:
    """A group is looked at each `group_interval`: what repeats sooner waits for the next look."""
    seconds = {"s": 1, "m": 60, "h": 3600}

    def walk(route: dict[str, Any], above: dict[str, Any]) -> None:
        own = above | route
        look, again = own["group_interval"], own["repeat_interval"]
        assert int(look[:-1]) * seconds[look[-1]] <= int(again[:-1]) * seconds[again[-1]], own
        for child in route.get("routes", []):
            walk(child, own)

    walk(configuration(built.catalogue)[0]["route"], {})
