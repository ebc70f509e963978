"""EventBridge rules: the arguments of `put_rule` and `put_targets`.

An announcement goes to the topic of its severity; what is only recorded, and what is in shadow, to a log group, where a person can
query it. So do the changes of state of alarms that only record.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.compile.engines import chosen
from orders_obs.alerts.compile.names import (
    account,
    arn,
    event_log_group,
    resource,
    rule_name,
    tags,
    topic_arn,
)
from orders_obs.alerts.describe import title
from orders_obs.alerts.model import EventAlert
from orders_obs.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orders_obs.alerts.compile.cloudwatch import Alarms
    from orders_obs.alerts.model import AnyAlert, Environment, ResolvedCatalogue
    from orders_obs.signals.model import Event

__all__ = ["PATTERN_LENGTH", "compile_rules", "pattern"]

PATTERN_LENGTH = 2048
"""Characters of an event pattern (EventBridge quotas, the default)."""
_DESCRIPTION_LENGTH = 512


def compile_rules(catalogue: ResolvedCatalogue, alarms: Alarms) -> list[dict[str, Any]]:
    """The rules of one environment, each with its targets under `Targets`.

    Raises:
        UserError: A resource that a rule needs is not filled in, or a pattern is longer than EventBridge takes.
    """
    found, _ = chosen(catalogue, "cloudwatch")
    rules = [_rule(alert) for alert in found if isinstance(alert, EventAlert)]
    quiet = {
        alert.full_name
        for alert in catalogue
        if not isinstance(alert, EventAlert) and (alert.severity.log or alert.mode == "shadow")
    }
    names = sorted(quiet & {alarm["AlarmName"] for alarm in (*alarms.metric, *alarms.composite)})
    return [*rules, *_states(catalogue, names)]


def pattern(signal: Event, value: str, environment: Environment) -> dict[str, Any]:
    """What an event of a signal looks like.

    Args:
        signal: The signal.
        value: What its resource is, or how its name begins; empty where it has none.
        environment: Whose account and region it comes from.
    """
    content = _of(environment, signal.source, signal.detail_types)
    detail: dict[str, Any] = {}
    for path, values in signal.detail:
        *outer, name = path.split(".")
        place = detail
        for step in outer:
            place = place.setdefault(step, {})
        place[name] = list(values)
    wanted = {"prefix": value} if signal.beginning else value
    if signal.resource and signal.resource_field:
        detail[signal.resource_field] = [wanted]
    elif signal.resource:
        content["resources"] = [wanted]
    if detail:
        content["detail"] = detail
    return content


def _of(environment: Environment, source: str, detail_types: Sequence[str]) -> dict[str, Any]:
    """Events of a source, of this account and region: a bus may take those of others as well, of things named alike."""
    number, region = account(environment)
    return {
        "source": [source],
        "detail-type": list(detail_types),
        "account": [number],
        "region": [region],
    }


def _rule(alert: EventAlert) -> dict[str, Any]:
    signal = alert.signal
    value = resource(alert, signal.resource) if signal.resource else ""
    text = _text(alert, pattern(signal, value, alert.environment))
    topic = topic_arn(alert.severity, alert.environment)
    told = bool(topic) and not alert.severity.log and alert.mode == "live"
    target = topic if told else _log_target(alert)
    description = f"{title(alert)}: {signal.description}"
    if alert.runbook:
        description += f" Runbook: {alert.runbook}"
    name = rule_name(alert.full_name)
    return {
        "Name": name,
        "Description": description[:_DESCRIPTION_LENGTH],
        "EventPattern": text,
        "State": "ENABLED",
        "Tags": tags(
            alert.service,
            alert.environment,
            alert_id=alert.alert_id,
            severity=alert.severity.name,
            owner=alert.owner,
        ),
        "Targets": [{"Id": "topic" if told else "log", "Arn": target}],
    }


def _log_target(alert: AnyAlert) -> str:
    return arn(alert.environment, "logs", f"log-group:{event_log_group(alert.service, alert.environment)}")


def _states(catalogue: ResolvedCatalogue, names: list[str]) -> list[dict[str, Any]]:
    """Rules that record the changes of state of alarms; as many as the length of a pattern makes necessary."""
    environment = catalogue.environment
    parts: list[list[str]] = []
    for name in names:
        if not parts or len(_dump(_changes(environment, [*parts[-1], name]))) > PATTERN_LENGTH:
            parts.append([])
        parts[-1].append(name)
    log = "log-group:" + event_log_group(catalogue.service, environment)
    return [
        {
            "Name": rule_name(
                f"{catalogue.service}-{environment.name}-alarm-states" + (f"-{number}" if number > 1 else "")
            ),
            "Description": "Changes of state of alarms that tell nobody, recorded.",
            "EventPattern": _dump(_changes(environment, part)),
            "State": "ENABLED",
            "Tags": tags(catalogue.service, environment),
            "Targets": [{"Id": "log", "Arn": arn(environment, "logs", log)}],
        }
        for number, part in enumerate(parts, 1)
    ]


def _changes(environment: Environment, names: list[str]) -> dict[str, Any]:
    changes = _of(environment, "aws.cloudwatch", ("CloudWatch Alarm State Change",))
    return {**changes, "detail": {"alarmName": names}}


def _text(alert: AnyAlert, content: dict[str, Any]) -> str:
    text = _dump(content)
    if len(text) > PATTERN_LENGTH:
        raise UserError(
            f"{alert.name}: its event pattern has {len(text)} characters",
            hint=f"{PATTERN_LENGTH} are allowed",
            file=alert.source.file,
            line=alert.source.line,
        )
    return text


def _dump(content: dict[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"))
