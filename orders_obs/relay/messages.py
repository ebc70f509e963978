"""From a message of SNS to what it says. A form that is not known is told as the text that it is: nothing is lost for its form."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orders_obs.relay import alarms, events, links
from orders_obs.relay.alert import WORDS, Alert, worded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orders_obs.relay.envelope import Envelope
    from orders_obs.relay.settings import RelaySettings

__all__ = ["read", "severity_of", "unsubscribed"]

_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_ARN_REGION = re.compile(r"arn:aws[a-z-]*:cloudwatch:([a-z]{2}(?:-[a-z]+)+-\d):")


def read(envelope: Envelope, settings: RelaySettings) -> Alert | None:
    """What a notification says; None where it is nothing to tell: an alarm is well that had no data before."""
    message = _object(envelope.message)
    severity = severity_of(envelope, message, settings)
    region = envelope.topic.region
    try:
        alert = _read(envelope, message, severity, region, settings)
    except Exception:
        # A field in a form that nobody foresaw must not keep a page from a person.
        alert = events.read_text(envelope.message, envelope.subject, severity, region)
    if alert is None:
        return None
    since = alert.since or envelope.timestamp
    logs = [(f"Logs {group}", links.log_group(alert.region, group, since)) for group in settings.log_groups]
    return replace(alert, since=since, links=(*alert.links, *logs))


def severity_of(envelope: Envelope, message: Mapping[str, Any], settings: RelaySettings) -> str:
    """How bad it is: as the settings say of the topic, else the end of the alarm's name, its tag, the topic's name; else empty.

    Who may publish can write any name and any tag, so what the settings say comes first.
    """
    told = dict(settings.severities).get(envelope.topic.name, "")
    if told:
        return told
    detail = message.get("detail")
    names = [message.get("AlarmName"), detail.get("alarmName") if isinstance(detail, dict) else None]
    known = {*WORDS, *(severity for _, severity in settings.severities)}
    for name in names:
        end = name.rpartition("-")[2] if isinstance(name, str) else ""
        if end in known:
            return end
    tag = _tags(message).get("severity", "")
    if tag in known:
        return tag
    return next((word for word in WORDS if word in re.split(r"[-_.]", envelope.topic.name)), "")


def unsubscribed(envelope: Envelope, severity: str) -> Alert:
    """What is told where SNS says that the relay is subscribed no more."""
    return Alert(
        status="happened",
        severity=severity or WORDS[0],
        title=f"The relay is unsubscribed from {envelope.topic.name}",
        name=str(envelope.topic),
        text="What is published there does not come here any more. If nobody meant that, subscribe the relay again.",
        since=envelope.timestamp,
        source="SNS",
        account=envelope.topic.account,
        region=envelope.topic.region,
    )


def _read(
    envelope: Envelope, message: Mapping[str, Any], severity: str, region: str, settings: RelaySettings
) -> Alert | None:
    if alarms.is_alarm(message):
        if alarms.is_first_data(message):
            return None
        match = _ARN_REGION.match(worded(message.get("AlarmArn")))
        return alarms.read_alarm(message, severity, match[1] if match else region)
    if events.is_event(message):
        if events.is_first_data(message):
            return None
        named = worded(message.get("region"))
        return events.read_event(
            message, severity, named if _REGION.fullmatch(named) else region, settings.runbook_base
        )
    if events.is_rds(message):
        return events.read_rds(message, severity, region, settings.runbook_base)
    return events.read_text(envelope.message, envelope.subject, severity, region)


def _object(text: str) -> dict[str, Any]:
    if not text.lstrip().startswith("{"):
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _tags(message: Mapping[str, Any]) -> dict[str, str]:
    """The alarm's tags, where it sends them (ActionConfiguration, AlarmTagsPropagation): as a mapping or as a list."""
    for key in ("AlarmTags", "Tags", "tags"):
        tags = message.get(key)
        if isinstance(tags, dict):
            return {str(name).lower(): worded(value) for name, value in tags.items()}
        if isinstance(tags, list):
            pairs = [item for item in tags if isinstance(item, dict)]
            return {
                worded(item.get("Key", item.get("key"))).lower(): worded(item.get("Value", item.get("value")))
                for item in pairs
            }
    return {}
