"""The least IAM policies with which one environment of a catalogue can be planned and applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from orders_obs.alerts.compile.names import arn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders_obs.aws.desired import Desired

__all__ = ["For", "rights"]

For = Literal["plan", "apply", "destroy"]
# What is allowed on `*` has no resources (Service Authorization Reference), or is asked of an account as a whole.
_ANYWHERE = (
    "cloudwatch:DescribeAlarms",
    "cloudwatch:ListAlarmMuteRules",
    "events:ListRuleNamesByTarget",
    "events:ListRules",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "sns:GetSubscriptionAttributes",
    "tag:GetResources",
)
# PutCompositeAlarm must be scoped to `*` (its API reference).
_ANYWHERE_WRITE = (
    "cloudwatch:ListMetrics", "cloudwatch:PutCompositeAlarm", "sns:SetSubscriptionAttributes", "sns:Unsubscribe",
)  # fmt: skip
_ALARMS_READ = ("ListTagsForResource",)
_ALARMS_WRITE = ("DeleteAlarms", "PutMetricAlarm", "TagResource", "UntagResource")
_MUTES_READ = ("GetAlarmMuteRule", "ListTagsForResource")
_MUTES_WRITE = ("DeleteAlarmMuteRule", "PutAlarmMuteRule", "TagResource", "UntagResource")
_TOPICS_READ = ("GetTopicAttributes", "ListSubscriptionsByTopic", "ListTagsForResource")
_TOPICS_WRITE = (
    "CreateTopic", "DeleteTopic", "SetTopicAttributes", "Subscribe", "TagResource", "UntagResource",
)  # fmt: skip
_RULES_READ = ("DescribeRule", "ListTagsForResource", "ListTargetsByRule")
_RULES_WRITE = ("DeleteRule", "PutRule", "PutTargets", "RemoveTargets", "TagResource", "UntagResource")
_GROUPS_READ = ("ListTagsForResource",)
_GROUPS_WRITE = ("CreateLogGroup", "PutRetentionPolicy", "TagResource", "UntagResource")
_RECORD_READ = ("DescribeLogStreams", "GetLogEvents")
_RECORD_WRITE = (
    "CreateLogGroup", "CreateLogStream", "DeleteLogStream", "PutLogEvents", "PutRetentionPolicy", "TagResource",
)  # fmt: skip


def rights(desired: Desired, what: For) -> dict[str, Any]:
    """The least IAM policy.

    `sts:GetCallerIdentity`, which is called too, needs no right.

    Args:
        desired: What the catalogue wants, whose names the policy has.
        what: `plan` only reads; `apply` and `destroy` write too.
    """
    allowed: dict[tuple[str, ...], set[str]] = {}
    for action, resources in _rights(desired, writes=what != "plan"):
        allowed.setdefault(tuple(sorted(set(resources))), set()).add(action)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": sorted(actions), "Resource": list(resources)}
            for resources, actions in sorted(allowed.items())
        ],
    }


def _rights(desired: Desired, *, writes: bool) -> Iterator[tuple[str, list[str]]]:
    environment = desired.environment
    prefix = f"{desired.owner.service}-{desired.owner.environment}-"

    def named(service: str, kind: str, *kinds: str) -> list[str]:
        own = [thing.name for thing in desired.things.values() if thing.kind in kinds]
        others = [name for name in own if not name.startswith(prefix)]
        return [arn(environment, service, kind + name) for name in (f"{prefix}*", *others)]

    def some(service: str, actions: tuple[str, ...], resources: list[str]) -> Iterator[tuple[str, list[str]]]:
        for action in actions:
            yield f"{service}:{action}", resources

    yield from ((action, ["*"]) for action in _ANYWHERE)
    alarms = named("cloudwatch", "alarm:", "metric-alarm", "composite-alarm")
    mutes = named("cloudwatch", "alarm-mute-rule:", "mute-rule")
    rules = named("events", "rule/", "rule")
    topics = [thing.arn for thing in desired.things.values() if thing.kind == "topic"]
    names = [thing.name for thing in desired.things.values() if thing.kind == "log-group"]
    groups = [arn(environment, "logs", f"log-group:{name}{end}") for name in names for end in ("", ":*")]
    record = [arn(environment, "logs", f"log-group:{desired.record_group}{end}") for end in ("", ":*")]
    yield from some("cloudwatch", _ALARMS_READ, alarms)
    yield from some("cloudwatch", _MUTES_READ, mutes)
    yield from some("events", _RULES_READ, rules)
    yield from some("logs", _RECORD_READ, record)
    if topics:
        yield from some("sns", _TOPICS_READ, topics)
    if groups:
        yield from some("logs", _GROUPS_READ, groups)
    yield from _referred(desired, writes=writes)
    if not writes:
        return
    yield from ((action, ["*"]) for action in _ANYWHERE_WRITE)
    yield from some("cloudwatch", _ALARMS_WRITE, alarms)
    # A mute rule is made with the alarms that it mutes (API reference of PutAlarmMuteRule).
    yield from some("cloudwatch", _MUTES_WRITE, [*mutes, *alarms])
    yield from some("events", _RULES_WRITE, rules)
    yield from some("logs", _RECORD_WRITE, record)
    if topics:
        yield from some("sns", _TOPICS_WRITE, topics)
    if groups:
        yield from some("logs", _GROUPS_WRITE, groups)
    if any(thing.kind == "log-policy" for thing in desired.things.values()):
        yield from some("logs", ("DeleteResourcePolicy", "PutResourcePolicy"), ["*"])


def _referred(desired: Desired, *, writes: bool) -> Iterator[tuple[str, list[str]]]:
    """What the things refer to, which must be there."""
    environment = desired.environment
    if desired.key:
        yield "kms:DescribeKey", [arn(environment, "kms", "key/*")]
    cluster, service = environment.resources.get("cluster"), environment.resources.get("ecs_service")
    if cluster and service:
        yield "ecs:DescribeServices", [arn(environment, "ecs", f"service/{cluster}/{service}")]
    for thing in desired.things.values():
        if thing.kind != "subscription":
            continue
        secret = thing.arguments.get("Secret")
        if secret:
            address = [arn(environment, "secretsmanager", f"secret:{secret}-*")]
            yield "secretsmanager:DescribeSecret", address
            yield "secretsmanager:GetSecretValue", address
        elif writes and thing.arguments["Protocol"] == "lambda":
            yield "lambda:GetPolicy", [thing.arguments["Endpoint"]]
