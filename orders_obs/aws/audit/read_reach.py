"""Whom alarms tell: topics, subscriptions, keys, functions, and the event rules beside them. Addresses are masked as they are read."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from orders_obs.aws.audit.model import ABSENT
from orders_obs.aws.audit.policies import document
from orders_obs.aws.audit.read_times import read_deliveries
from orders_obs.aws.kinds import parse_arn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from orders_obs.aws.audit.alarms import Alarm
    from orders_obs.aws.audit.model import Seen
    from orders_obs.aws.audit.reading import Reader

__all__ = ["is_own", "masked", "read_reach"]

_STATES = ("AlarmActions", "OKActions", "InsufficientDataActions")
_TOPIC = ("Policy", "KmsMasterKeyId", "Owner")
_SUBSCRIPTION = ("FilterPolicy", "FilterPolicyScope", "RedrivePolicy", "PendingConfirmation")
_ON_AWS = ("lambda", "sqs", "firehose")
_TARGET = ("Id", "Arn", "RoleArn", "DeadLetterConfig")
_GROUPS = "arn:{}:logs:{}:{}:log-group:"


def masked(protocol: str, endpoint: str) -> str:
    """An address that a person recognizes and nobody can use: no path, no name before the @, the last digits of a number."""
    if protocol in _ON_AWS:
        return endpoint
    if protocol in ("http", "https"):
        try:
            return urlsplit(endpoint).hostname or "an address"
        except ValueError:
            return "an address"
    if "@" in endpoint:
        return f"{endpoint[:1]}…@{endpoint.rpartition('@')[2]}"
    return f"…{endpoint[-2:]}"


def is_own(arn: str, service: str, seen: Seen) -> bool:
    """Whether something of a service is in the account and region that are looked at."""
    parts = parse_arn(arn)
    return parts is not None and (parts.service, parts.region, parts.account) == (
        service,
        seen.region,
        seen.account,
    )


def read_reach(reader: Reader, seen: Seen, alarms: Sequence[Alarm], now: datetime) -> None:
    """Read whom the alarms and the event rules tell."""
    _read_rules(reader, seen)
    told = [action for alarm in alarms for state in _STATES for action in alarm.described.get(state) or ()]
    aimed = [str(target.get("Arn", "")) for targets in seen.targets.values() for target in targets]
    for number, arn in enumerate(topics := sorted(_own({*told, *aimed}, "sns", seen)), 1):
        _read_topic(reader, seen, arn, f"{arn.rpartition(':')[2]} ({number} of {len(topics)})")
    called = [
        str(subscription["address"])
        for listed in seen.subscriptions.values()
        for subscription in listed
        if subscription["protocol"] == "lambda"
    ]
    for arn in sorted(_own({*told, *aimed, *called}, "lambda", seen)):
        _read_function(reader, seen, arn)
    there = [arn for arn in topics if isinstance(seen.topics.get(arn), dict)]
    if there:
        read_deliveries(reader, seen, there, now)
    _read_logs(reader, seen, aimed)


def _own(arns: Iterable[str], service: str, seen: Seen) -> set[str]:
    return {arn for arn in arns if is_own(arn, service, seen)}


# Topics


def _read_topic(reader: Reader, seen: Seen, arn: str, about: str) -> None:
    found = reader.call(
        "sns", "get_topic_attributes", about=f"topic {about}", absent="NotFound",
        keep=lambda answer: {key: value for key, value in (answer.get("Attributes") or {}).items() if key in _TOPIC},
        TopicArn=arn,
    )  # fmt: skip
    if found is not None:
        seen.topics[arn] = found
    if found == ABSENT:
        return
    listed = reader.pages_of(
        "sns", "list_subscriptions_by_topic", about=f"subscriptions of topic {about}", absent="NotFound",
        keep=lambda page: [_subscription(item) for item in page.get("Subscriptions") or ()], TopicArn=arn,
    )  # fmt: skip
    if listed == ABSENT:
        seen.topics[arn] = ABSENT
    elif isinstance(listed, list):
        seen.subscriptions[arn] = [_with_attributes(reader, item, about) for item in listed]
    if isinstance(found, dict) and found.get("KmsMasterKeyId"):
        _read_key(reader, seen, str(found["KmsMasterKeyId"]))


def _subscription(item: Mapping[str, Any]) -> dict[str, Any]:
    arn, protocol, endpoint = (str(item.get(key, "")) for key in ("SubscriptionArn", "Protocol", "Endpoint"))
    host = masked(protocol, endpoint) if protocol in ("http", "https") else ""
    return {
        "arn": arn,
        "protocol": protocol,
        "address": masked(protocol, endpoint),
        "digest": hashlib.sha256(endpoint.encode()).hexdigest()[:12],
        "slack": host == "hooks.slack.com",
        "confirmed": arn.startswith("arn:"),
        "deleted": arn == "Deleted",
    }


def _with_attributes(reader: Reader, subscription: dict[str, Any], about: str) -> dict[str, Any]:
    if not subscription["confirmed"]:
        return subscription
    found = reader.call(
        "sns", "get_subscription_attributes", about=f"a subscription of topic {about}", absent="NotFound",
        keep=lambda answer: {
            key: value for key, value in (answer.get("Attributes") or {}).items() if key in _SUBSCRIPTION
        },
        SubscriptionArn=subscription["arn"],
    )  # fmt: skip
    if found == ABSENT:
        return {**subscription, "deleted": True}
    if not isinstance(found, dict):
        return subscription
    pending = found.get("PendingConfirmation") == "true"
    return {
        **subscription,
        "confirmed": not pending,
        "attributes": True,
        "filter": document(found.get("FilterPolicy")),
        "scope": found.get("FilterPolicyScope") or "MessageAttributes",
        "dead_letters": bool(document(found.get("RedrivePolicy"))),
    }


def _read_key(reader: Reader, seen: Seen, key: str) -> None:
    if key in seen.keys or (key.rpartition("/")[2] == "sns" and "alias/aws/" in key):
        return
    described = reader.call(
        "kms", "describe_key", about=f"key {key}", absent="NotFound",
        keep=lambda answer: {
            name: value for name, value in (answer.get("KeyMetadata") or {}).items()
            if name in ("KeyId", "Arn", "KeyManager", "KeyState", "AWSAccountId")
        },
        KeyId=key,
    )  # fmt: skip
    if described is None:
        return
    if not isinstance(described, dict):
        seen.keys[key] = described
        return
    policy = None
    if described.get("KeyManager") != "AWS" and described.get("AWSAccountId", seen.account) == seen.account:
        policy = reader.call(
            "kms", "get_key_policy", about=f"policy of key {key}", absent="NotFound",
            keep=lambda answer: {"policy": document(answer.get("Policy"))},
            KeyId=str(described.get("KeyId")), PolicyName="default",
        )  # fmt: skip
    seen.keys[key] = {**described, **(policy if isinstance(policy, dict) else {})}


# Functions


def _read_function(reader: Reader, seen: Seen, arn: str) -> None:
    parts = arn.split(":")
    name, qualifier = parts[6], parts[7] if len(parts) > 7 and parts[7] != "$LATEST" else ""
    # Of the calls that say whether a function is there, this one shows nothing of its environment.
    found = reader.call(
        "lambda", "get_function_concurrency", about=f"function {name}", absent="ResourceNotFound",
        keep=lambda answer: {"reserved": answer.get("ReservedConcurrentExecutions")}, FunctionName=name,
    )  # fmt: skip
    if found is None:
        return
    if not isinstance(found, dict):
        seen.functions[arn] = found
        return
    policy = reader.call(
        "lambda", "get_policy", about=f"policy of function {name}", absent="ResourceNotFound",
        keep=lambda answer: {"policy": document(answer.get("Policy"))},
        FunctionName=name, **({"Qualifier": qualifier} if qualifier else {}),
    )  # fmt: skip
    if policy == ABSENT:
        policy = {"policy": {"Statement": []}}
    seen.functions[arn] = {**found, **(policy if isinstance(policy, dict) else {})}


# EventBridge


def _read_rules(reader: Reader, seen: Seen) -> None:
    seen.rules = reader.pages(
        "events", "list_rules", about="event rules",
        keep=lambda page: [_rule(rule) for rule in page.get("Rules") or () if not rule.get("ManagedBy")],
    )  # fmt: skip
    for number, rule in enumerate(seen.rules or (), 1):
        targets = reader.pages(
            "events", "list_targets_by_rule", about=f"targets of event rule {rule['Name']} ({number} of {len(seen.rules or ())})",
            keep=lambda page: [
                {key: value for key, value in target.items() if key in _TARGET} for target in page.get("Targets") or ()
            ],
            Rule=rule["Name"],
        )  # fmt: skip
        if targets is not None:
            seen.targets[rule["Name"]] = targets


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: rule[key] for key in ("Name", "Arn", "State") if key in rule}
    kept["scheduled"] = bool(rule.get("ScheduleExpression"))
    try:
        kept["pattern"] = json.loads(rule.get("EventPattern") or "null")
    except ValueError:
        kept["pattern"] = None
    return kept


def _read_logs(reader: Reader, seen: Seen, aimed: Sequence[str]) -> None:
    prefix = _GROUPS.format(seen.partition, seen.region, seen.account)
    names = sorted({arn.removeprefix(prefix).removesuffix(":*") for arn in aimed if arn.startswith(prefix)})
    if not names:
        return
    for name in names:
        found = reader.pages(
            "logs", "describe_log_groups", about=f"log group {name}",
            keep=lambda page: [group.get("logGroupName") for group in page.get("logGroups") or ()],
            logGroupNamePrefix=name,
        )  # fmt: skip
        if found is not None:
            seen.log_groups[name] = name in found
    policies = reader.pages(
        "logs", "describe_resource_policies", about="policies of log groups",
        keep=lambda page: [document(one.get("policyDocument")) for one in page.get("resourcePolicies") or ()],
    )  # fmt: skip
    seen.log_policies = policies
