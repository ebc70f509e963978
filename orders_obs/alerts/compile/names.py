"""Names and addresses on AWS, made in one place so that what refers to a thing and the thing itself agree."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from orders_obs.errors import UserError

if TYPE_CHECKING:
    from orders_obs.alerts.model import AnyAlert, Environment, ResolvedCatalogue, Severity

__all__ = [
    "RULE_NAME_LENGTH",
    "account",
    "arn",
    "event_log_group",
    "key_alias",
    "own_things",
    "resource",
    "rule_name",
    "tag_value",
    "tags",
    "topic_arn",
    "topic_name",
]

RULE_NAME_LENGTH = 64
"""Characters of a rule's name (EventBridge quotas)."""
_HASH = 8
# What no value of a tag may have in it, and how long one is (AWS general reference, "Tagging your AWS resources").
_NO_TAG_VALUE = re.compile(r"[^\w\s.:/=+\-@]")
_TAG_VALUE_LENGTH = 256
_PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"))


def account(environment: Environment) -> tuple[str, str]:
    """Account and region of an environment.

    Raises:
        UserError: It has none.
    """
    if not environment.account or not environment.region:
        raise UserError(
            f"environment {environment.name} has no account and region, so it has no CloudWatch alarms",
            hint="add account and region, or build another engine",
            file=environment.source.file,
            line=environment.source.line,
        )
    return environment.account, environment.region


def arn(environment: Environment, service: str, rest: str) -> str:
    """An ARN in the environment's account and region."""
    number, region = account(environment)
    partition = next((name for start, name in _PARTITIONS if region.startswith(start)), "aws")
    return f"arn:{partition}:{service}:{region}:{number}:{rest}"


def topic_name(severity: Severity, environment: Environment) -> str:
    """Name of the topic of a severity."""
    return (
        severity.topic.rpartition(":")[2]
        if not severity.own_topic
        else f"{severity.topic}-{environment.name}"
    )


def topic_arn(severity: Severity, environment: Environment) -> str:
    """Address of the topic of a severity; empty where it has none."""
    if not severity.topic:
        return ""
    return (
        severity.topic
        if not severity.own_topic
        else arn(environment, "sns", topic_name(severity, environment))
    )


def rule_name(name: str) -> str:
    """A rule's name, shortened by a hash of what is cut where it is longer than EventBridge takes."""
    if len(name) <= RULE_NAME_LENGTH:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH]
    return f"{name[: RULE_NAME_LENGTH - _HASH - 1]}-{digest}"


def event_log_group(service: str, environment: Environment) -> str:
    """The log group of what is only recorded; EventBridge's console takes names that begin so."""
    return f"/aws/events/{service}-{environment.name}"


def key_alias(catalogue: ResolvedCatalogue) -> str:
    """Alias of the key of encrypted topics."""
    return f"alias/{catalogue.service}-{catalogue.environment.name}-alerts"


def own_things(catalogue: ResolvedCatalogue) -> dict[str, list[str]]:
    """Names of the catalogue's own topics and rules, by the placeholder that stands for them in a signal's dimensions."""
    environment = catalogue.environment
    live = {alert.severity.name for alert in catalogue if alert.mode == "live"}
    topics = [
        topic_name(severity, environment)
        for severity in catalogue.severities
        if severity.topic and severity.name in live
    ]
    rules = {f"@rule:{alert.name}": [rule_name(alert.full_name)] for alert in catalogue.events}
    return {
        "@topics": list(dict.fromkeys(topics)),
        "@rules": [name for names in rules.values() for name in names],
        **rules,
    }


def tag_value(text: str) -> str:
    """A text as the value of a tag: what AWS does not take is `_`, and what is too long is cut."""
    return _NO_TAG_VALUE.sub("_", text)[:_TAG_VALUE_LENGTH]


def tags(service: str, environment: Environment, **more: str) -> list[dict[str, str]]:
    """The tags that everything of ours carries; of a value that AWS does not take, what it does not take is `_`."""
    pairs = {"managed-by": "orders-obs", "service": service, "environment": environment.name, **more}
    return [
        {"Key": key.replace("_", "-"), "Value": tag_value(value)} for key, value in pairs.items() if value
    ]


def resource(alert: AnyAlert, placeholder: str) -> str:
    """The value of a placeholder.

    Raises:
        UserError: The environment does not say it, or its lookup has not been resolved.
    """
    environment = alert.environment
    if placeholder == "service":
        return alert.service
    if placeholder == "environment":
        return environment.name
    if placeholder == "ecs_service_arn":
        path = f"service/{resource(alert, 'cluster')}/{resource(alert, 'ecs_service')}"
        return arn(environment, "ecs", path)
    if placeholder == "db_instance_arn":
        return arn(environment, "rds", f"db:{resource(alert, 'db_instance')}")
    if placeholder == "ecs_resource_id":
        return f"service/{resource(alert, 'cluster')}/{resource(alert, 'ecs_service')}"
    value = environment.resources.get(placeholder)
    if value is not None:
        return value
    if placeholder == "scaling_alarms":
        return f"TargetTracking-{resource(alert, 'ecs_resource_id')}-Alarm"
    lookup = environment.lookups.get(placeholder)
    place = lookup.source if lookup else environment.source
    raise UserError(
        f"environment {environment.name} does not say what {placeholder} is, which {alert.name} needs"
        if lookup is None
        else f"{placeholder} of environment {environment.name}, which {alert.name} needs, is not in the lock as it is asked for here",
        hint=f"add {placeholder} to its resources"
        if lookup is None
        else "run orders-obs resolve, and commit the lock",
        file=place.file,
        line=place.line,
    )
