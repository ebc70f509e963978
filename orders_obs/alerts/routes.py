"""The parts of a catalogue that say who is told and when: severities, mute windows, waivers of lint."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, available_timezones

from orders_obs.alerts import units
from orders_obs.alerts.model import MuteWindow, Receiver, Severity, Waiver
from orders_obs.alerts.nodes import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from orders_obs.alerts.nodes import Node

__all__ = ["MUTE_WORDS", "SEVERITY_WORDS", "WAIVER_WORDS", "mute_window", "receiver", "severity", "waiver"]

SEVERITY_WORDS = ("email", "encrypt", "log", "page", "pagerduty", "slack", "topic", "webhook")
MUTE_WORDS = ("alerts", "at", "days", "for", "reason", "severities", "timezone")
WAIVER_WORDS = ("alert", "reason", "rule", "until")

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# SNS allows 256 characters; the environment is added.
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,190}\Z")
_TOPIC_ARN = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}\Z")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_REFERENCE = re.compile(r"(secret|file):([A-Za-z0-9/_+=.@-]{1,512})\Z")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z")
_MINUTE = 60
# CloudWatch mutes for a minute at least and 15 days at most.
_LONGEST = 15 * 86_400


def severity(name: str, rank: int, values: Mapping[str, Node], place: Node) -> Severity:
    """A severity from its words, those of its environment included."""
    topic = values["topic"].text() if "topic" in values else ""
    if "topic" in values and not (_TOPIC.match(topic) or _TOPIC_ARN.match(topic)):
        values["topic"].fail(
            f"{topic!r} is no name of a topic",
            "letters, digits, - and _, without the environment; or the ARN of a topic managed elsewhere",
        )
    emails = values["email"].sequence() if "email" in values else []
    for email in emails:
        if not _EMAIL.match(email.text()):
            email.fail(f"{email.text()!r} is no e-mail address")
    receivers = tuple(
        receiver(values[kind], kind) for kind in ("slack", "pagerduty", "webhook") if kind in values
    )
    flags = {word: word in values and values[word].flag() for word in ("page", "log", "encrypt")}
    return Severity(
        name,
        rank,
        flags["page"],
        topic,
        tuple(email.text() for email in emails),
        receivers,
        flags["log"],
        flags["encrypt"],
        place.source,
    )


def receiver(node: Node, kind: str) -> Receiver:
    """A receiver, by the name of the secret or file that holds its address."""
    match = _REFERENCE.match(node.text())
    if match is None:
        # The text may be the address itself, which is a secret, so it is not said again.
        node.fail(
            "is not the name of a secret",
            f"an address does not belong into a file: write secret:NAME or file:NAME, which holds the {kind} address",
        )
    stored: Literal["secret", "file"] = "secret" if match[1] == "secret" else "file"
    assert kind in ("slack", "pagerduty", "webhook")  # noqa: S101  # the three words that take an address
    return Receiver(kind, stored, match[2])  # type: ignore[arg-type]  # narrowed above


def mute_window(name: str, node: Node, alerts: Collection[str], severities: Collection[str]) -> MuteWindow:
    """A mute window from its words.

    Args:
        name: Its name.
        node: Its words.
        alerts: The alerts that there are.
        severities: The severities that there are.
    """
    values = node.mapping(MUTE_WORDS)
    for word in ("at", "for", "reason"):
        if word not in values:
            node.fail(f"does not say {word}")
    on, minute = _begin(values["at"])
    days = _days(values["days"]) if "days" in values else ()
    if on and days:
        values["days"].fail(
            "does not go with a date", "a date comes once; take the time alone, such as 02:00"
        )
    seconds = units.duration(values["for"])
    if seconds % _MINUTE or not _MINUTE <= seconds <= _LONGEST:
        values["for"].fail(f"{values['for'].text()} is no length", "whole minutes, 15 days at most")
    if not on and seconds > (86_400 if not days else 7 * 86_400):
        values["for"].fail(f"{values['for'].text()} is longer than the time to the next one")
    timezone = values["timezone"].text() if "timezone" in values else "UTC"
    try:
        ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        values["timezone"].fail(
            f"{timezone!r} is no time zone", did_you_mean(timezone, available_timezones())
        )
    return MuteWindow(
        name,
        _names(values, "alerts", alerts),
        _names(values, "severities", severities),
        days,
        on,
        minute,
        round(seconds / _MINUTE),
        timezone,
        values["reason"].text(),
        node.source,
    )


def waiver(node: Node, rules: Collection[str], alerts: Collection[str]) -> Waiver:
    """A waiver of a finding from its words."""
    values = node.mapping(WAIVER_WORDS)
    for word in ("rule", "reason", "until"):
        if word not in values:
            node.fail(f"does not say {word}", "a finding is lived with for a reason, until a day")
    rule = values["rule"].text()
    if rule not in rules:
        values["rule"].fail(f"{rule!r} is no rule of lint", did_you_mean(rule, rules))
    alert = values["alert"].text() if "alert" in values else ""
    if alert and alert not in alerts:
        values["alert"].fail(f"{alert!r} is no alert of this catalogue", did_you_mean(alert, alerts))
    try:
        until = date.fromisoformat(values["until"].text())
    except ValueError:
        values["until"].fail(f"{values['until'].text()!r} is no day", "such as 2027-03-01")
    return Waiver(rule, alert, values["reason"].text(), until, node.source)


def _begin(node: Node) -> tuple[date | None, int]:
    """Minute of the day, and the day of a window that comes once."""
    text = node.text()
    clock = _CLOCK.match(text)
    if clock:
        return None, int(clock[1]) * 60 + int(clock[2])
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M")  # noqa: DTZ007  # the zone is a word of its own
    except ValueError:
        node.fail(f"{text!r} is no beginning", 'such as "02:00", or 2026-12-24T22:00 for once')
    return moment.date(), moment.hour * 60 + moment.minute


def _days(node: Node) -> tuple[int, ...]:
    days = []
    for item in node.sequence():
        if item.text() not in _DAYS:
            item.fail(f"{item.text()!r} is no day", f"one of {', '.join(_DAYS)}")
        days.append(_DAYS.index(item.text()))
    return tuple(sorted(set(days)))


def _names(values: Mapping[str, Node], word: str, known: Collection[str]) -> tuple[str, ...]:
    if word not in values:
        return ()
    for item in values[word].sequence():
        if item.text() not in known:
            item.fail(f"{item.text()!r} is not there", did_you_mean(item.text(), known))
    return tuple(item.text() for item in values[word].sequence())
