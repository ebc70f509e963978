"""The calls that make a change: boto3's operations with their arguments, in order.

Tags go along where a thing is made. On what is there AWS ignores them, so they are set by calls of their own, after the settings: an apply
that ends in between is seen by the hash that does not fit.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orders_obs.aws.things import CONTENT_TAG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orders_obs.aws.plan import Change
    from orders_obs.aws.things import Thing

__all__ = ["Call", "calls_for", "loosened"]

_TAGGED_BY = {
    "metric-alarm": "cloudwatch",
    "composite-alarm": "cloudwatch",
    "mute-rule": "cloudwatch",
    "topic": "sns",
    "rule": "events",
    "log-group": "logs",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        service: As boto3 names it.
        operation: As boto3 names it.
        arguments: Of the operation.
        secret: Name of the secret that holds the `Endpoint`; empty where it is no secret.
    """

    service: str
    operation: str
    arguments: dict[str, Any] = field(default_factory=dict)
    secret: str = ""


def calls_for(change: Change, live: Thing | None) -> list[Call]:
    """The calls of a change.

    Args:
        change: The change.
        live: The thing as it is at this moment, with what others added to it; None where it is not there.
    """
    return list(_calls(change, live))


def loosened(composite: Thing) -> Call:
    """The call that makes a composite depend on nothing for a moment, so that what it depends on can be deleted."""
    kept = ("AlarmActions", "OKActions", "InsufficientDataActions", "AlarmDescription")
    arguments = {key: composite.settings[key] for key in kept if key in composite.settings}
    return Call(
        "cloudwatch",
        "put_composite_alarm",
        {"AlarmName": composite.name, "AlarmRule": "FALSE", "ActionsEnabled": False, **arguments},
    )


def _calls(change: Change, live: Thing | None) -> Iterator[Call]:
    thing = change.thing
    if change.action == "delete":
        yield from _DELETE[thing.kind](thing)
        return
    if change.action == "replace" and live is not None and live.kind != thing.kind:
        yield from _delete_alarm(live)
        live = None
    if change.action in ("create", "update", "replace"):
        yield from _PUT[thing.kind](thing, live)
    if live is not None and thing.kind in _TAGGED_BY:
        yield from _tags(thing, live, change)


def _tags(thing: Thing, live: Thing, change: Change) -> Iterator[Call]:
    service = _TAGGED_BY[thing.kind]
    name = {"sns": "ResourceArn", "logs": "resourceArn"}.get(service, "ResourceARN")
    wanted = {key: value for key, value in change.tags.items() if live.tags.get(key) != value}
    # The hash last of all: it says that everything else is as it should be.
    pairs = dict(sorted(wanted.items(), key=lambda pair: pair[0] == CONTENT_TAG))
    if pairs and service == "logs":
        yield Call(service, "tag_resource", {name: live.arn, "tags": pairs})
    elif pairs:
        yield Call(service, "tag_resource", {name: live.arn, "Tags": _list(pairs)})
    if change.untag:
        keys = "tagKeys" if service == "logs" else "TagKeys"
        yield Call(service, "untag_resource", {name: live.arn, keys: list(change.untag)})


def _list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _without(arguments: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in arguments.items() if key not in names}


def _put_alarm(operation: str) -> Callable[[Thing, Thing | None], Iterator[Call]]:
    def calls(thing: Thing, live: Thing | None) -> Iterator[Call]:
        tags = {"Tags": _list(thing.tags)} if live is None else {}
        yield Call("cloudwatch", operation, {**_without(thing.arguments, "Tags"), **tags})

    return calls


def _put_topic(thing: Thing, live: Thing | None) -> Iterator[Call]:
    arguments = thing.arguments
    if live is None:
        # With its policy from the first moment on: nobody else may do anything with it in between.
        attributes = {**arguments["Attributes"], "Policy": _policy(thing, [])}
        made = {"Name": arguments["Name"], "Attributes": attributes, "Tags": _list(thing.tags)}
        yield Call("sns", "create_topic", made)
        return
    key = thing.settings.get("KmsMasterKeyId", "")
    if live.settings.get("KmsMasterKeyId", "") != key:
        yield _attribute(thing, "KmsMasterKeyId", key)
    if live.settings.get("Statements") != thing.settings["Statements"]:
        yield _attribute(thing, "Policy", _policy(thing, live.found.get("Others", [])))


def _policy(topic: Thing, others: list[dict[str, Any]]) -> str:
    """The policy of a topic: our statements, and those of others as they are."""
    ours = topic.arguments["Policy"]
    return json.dumps({**ours, "Statement": [*ours["Statement"], *others]}, separators=(",", ":"))


def _attribute(topic: Thing, name: str, value: str) -> Call:
    arguments = {"TopicArn": topic.arn, "AttributeName": name, "AttributeValue": value}
    return Call("sns", "set_topic_attributes", arguments)


def _put_subscription(thing: Thing, live: Thing | None) -> Iterator[Call]:
    if live is None:
        secret = thing.arguments.get("Secret", "")
        yield Call("sns", "subscribe", _without(thing.arguments, "Secret"), secret)
        return
    for name, value in (("FilterPolicy", "{}"), ("RawMessageDelivery", "false")):
        if name in live.settings:
            yield _of_subscription(live, name, value)
    policy = thing.settings.get("DeliveryPolicy")
    if live.settings.get("DeliveryPolicy") != policy:
        # What others said beside the retries stays.
        whole = {**live.found.get("DeliveryPolicy", {}), **(policy or {})}
        yield _of_subscription(live, "DeliveryPolicy", json.dumps(whole, separators=(",", ":")))


def _of_subscription(live: Thing, name: str, value: str) -> Call:
    arguments = {"SubscriptionArn": live.arn, "AttributeName": name, "AttributeValue": value}
    return Call("sns", "set_subscription_attributes", arguments)


def _put_rule(thing: Thing, live: Thing | None) -> Iterator[Call]:
    arguments = _without(thing.arguments, "Targets", "Tags")
    tags = {"Tags": _list(_without(thing.tags, CONTENT_TAG))} if live is None else {}
    wanted: dict[str, Any] = thing.settings["Targets"]
    there: dict[str, Any] = live.settings.get("Targets", {}) if live else {}
    if live is None or _without(live.settings, "Targets") != _without(thing.settings, "Targets"):
        yield Call("events", "put_rule", {**arguments, **tags})
    if wanted != there:
        yield Call("events", "put_targets", {"Rule": thing.name, "Targets": thing.arguments["Targets"]})
    gone = sorted(set(there) - set(wanted))
    if gone:
        yield Call("events", "remove_targets", {"Rule": thing.name, "Ids": gone})
    if live is None:
        pairs = {CONTENT_TAG: thing.tags[CONTENT_TAG]}
        yield Call("events", "tag_resource", {"ResourceARN": thing.arn, "Tags": _list(pairs)})


def _put_group(thing: Thing, live: Thing | None) -> Iterator[Call]:
    if live is None:
        tags = _without(thing.tags, CONTENT_TAG)
        yield Call("logs", "create_log_group", {"logGroupName": thing.name, "tags": tags})
    if live is None or live.settings != thing.settings:
        days = thing.settings["retentionInDays"]
        yield Call("logs", "put_retention_policy", {"logGroupName": thing.name, "retentionInDays": days})
    if live is None:
        pairs = {CONTENT_TAG: thing.tags[CONTENT_TAG]}
        yield Call("logs", "tag_resource", {"resourceArn": thing.arn, "tags": pairs})


def _put_log_policy(thing: Thing, _live: Thing | None) -> Iterator[Call]:
    document = json.dumps(thing.arguments["policyDocument"], separators=(",", ":"))
    yield Call("logs", "put_resource_policy", {"policyName": thing.name, "policyDocument": document})


def _delete_alarm(thing: Thing) -> Iterator[Call]:
    yield Call("cloudwatch", "delete_alarms", {"AlarmNames": [thing.name]})


def _delete_rule(thing: Thing) -> Iterator[Call]:
    targets = sorted(thing.settings.get("Targets", {}))
    if targets:
        yield Call("events", "remove_targets", {"Rule": thing.name, "Ids": targets})
    yield Call("events", "delete_rule", {"Name": thing.name})


def _delete_mute_rule(thing: Thing) -> Iterator[Call]:
    yield Call("cloudwatch", "delete_alarm_mute_rule", {"AlarmMuteRuleName": thing.name})


def _delete_topic(thing: Thing) -> Iterator[Call]:
    yield Call("sns", "delete_topic", {"TopicArn": thing.arn})


def _unsubscribe(thing: Thing) -> Iterator[Call]:
    yield Call("sns", "unsubscribe", {"SubscriptionArn": thing.arn})


def _delete_log_policy(thing: Thing) -> Iterator[Call]:
    yield Call("logs", "delete_resource_policy", {"policyName": thing.name})


_PUT: dict[str, Callable[[Thing, Thing | None], Iterator[Call]]] = {
    "metric-alarm": _put_alarm("put_metric_alarm"),
    "composite-alarm": _put_alarm("put_composite_alarm"),
    "mute-rule": _put_alarm("put_alarm_mute_rule"),
    "topic": _put_topic,
    "subscription": _put_subscription,
    "rule": _put_rule,
    "log-group": _put_group,
    "log-policy": _put_log_policy,
}
_DELETE: dict[str, Callable[[Thing], Iterator[Call]]] = {
    "metric-alarm": _delete_alarm,
    "composite-alarm": _delete_alarm,
    "mute-rule": _delete_mute_rule,
    "topic": _delete_topic,
    "subscription": _unsubscribe,
    "rule": _delete_rule,
    "log-policy": _delete_log_policy,
}
