"""What AWS should have for one environment of a catalogue, thing by thing, with the tags that say whose it is and from what it was made."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.compile.aws import compile_state
from orders_obs.alerts.compile.names import account, arn, tags, topic_name
from orders_obs.alerts.reach import by_aws
from orders_obs.aws.normal import comparable, digest
from orders_obs.aws.things import CONTENT_TAG, SOURCE_TAG, TOLD_TAG, Owner, Thing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orders_obs.alerts.catalogue import Catalogue
    from orders_obs.alerts.compile.aws import DesiredState
    from orders_obs.alerts.compile.engines import Difference
    from orders_obs.alerts.model import Environment
    from orders_obs.aws.things import Kind

__all__ = [
    "MOST_TOLD",
    "Desired",
    "address_name",
    "desired_things",
    "subscription_name",
    "told_digest",
    "told_digests",
    "told_value",
    "topic_of",
]

MOST_TOLD = 28
"""Digests with spaces between that a tag's value of 256 characters holds."""


class Desired:
    """What AWS should have.

    Attributes:
        owner: Whose it is.
        path: The catalogue's file.
        environment: Where.
        things: By identity.
        differences: What will not be as the catalogue says.
        key: Alias of the key that encrypts topics; empty where none does.
        alert_ids: Of each alert by its name.
        renamed: Names that alerts had, with their severities.
        record_group: The log group of the record of changes.
        record_tags: Its tags.
        unreached: By the name of a topic, why receivers of its severities hear nothing of it, each with what to do.
    """

    def __init__(self, catalogue: Catalogue, environment: str) -> None:
        resolved = catalogue.resolve(environment)
        account(resolved.environment)
        state = compile_state(resolved)
        words = catalogue.own_words(environment)
        self.path = catalogue.path
        self.owner = Owner(catalogue.service, environment)
        self.environment: Environment = resolved.environment
        self.differences: list[Difference] = state.differences
        self.key: str = state.key["Alias"] if state.key else ""
        sources = {
            (alert.alert_id, alert.severity.name): digest(words.get(alert.name, "")) for alert in resolved
        }
        self.alert_ids = {alert.name: alert.alert_id for alert in resolved}
        self.renamed = {(old, alert.severity.name) for alert in resolved for old in alert.was}
        self.record_group = f"/orders-obs/{catalogue.service}-{environment}"
        self.record_tags = _tags(
            tags(catalogue.service, resolved.environment, Name=self.record_group, owner=catalogue.owner)
        )
        self.unreached: dict[str, tuple[str, ...]] = {}
        for severity in resolved.severities:
            if severity.own_topic:
                name = topic_name(severity, resolved.environment)
                lost = (*self.unreached.get(name, ()), *by_aws(severity, resolved.environment).lost)
                self.unreached[name] = tuple(dict.fromkeys(lost))
        self.things: dict[str, Thing] = {
            thing.identity: _marked(thing, sources) for thing in desired_things(state, resolved.environment)
        }

    def emptied(self) -> Desired:
        """The same without a thing in it: what is wanted where all that is ours shall go."""
        nothing = copy.copy(self)
        nothing.things = {}
        return nothing

    @property
    def alarms(self) -> list[Thing]:
        """The alarms among the things, children first."""
        return [thing for thing in self.things.values() if thing.kind in ("metric-alarm", "composite-alarm")]


def desired_things(state: DesiredState, environment: Environment) -> Iterator[Thing]:
    """The things of a desired state, in the order in which they are made."""
    for group in state.log_groups:
        name = group["logGroupName"]
        settings = {"retentionInDays": group["retentionInDays"]}
        address = arn(environment, "logs", f"log-group:{name}")
        yield Thing("log-group", name, settings, dict(group["tags"]), address, group)
    if state.log_policy:
        settings = comparable("log-policy", {"policyDocument": state.log_policy["policyDocument"]})
        yield Thing("log-policy", state.log_policy["policyName"], settings, arguments=state.log_policy)
    told: dict[str, list[str]] = {}
    subscriptions = [_subscription(subscription) for subscription in state.subscriptions]
    for subscription in subscriptions:
        told.setdefault(subscription.arguments["TopicArn"], []).append(told_digest(subscription.name))
    for topic in state.topics:
        address = arn(environment, "sns", topic["Name"])
        statements = {statement["Sid"]: statement for statement in topic["Policy"]["Statement"]}
        settings = comparable("topic", {**topic["Attributes"], "Statements": statements})
        tags = _tags(topic["Tags"])
        if told.get(address):
            tags[TOLD_TAG] = " ".join(sorted(told[address]))
        yield Thing("topic", topic["Name"], settings, tags, address, topic)
    yield from subscriptions
    for alarm in state.metric_alarms:
        yield _alarm("metric-alarm", alarm, environment)
    for alarm in state.composite_alarms:
        yield _alarm("composite-alarm", alarm, environment)
    for rule in state.rules:
        settings = comparable(
            "rule",
            {key: value for key, value in rule.items() if key not in ("Name", "Targets")}
            | {"Targets": {target["Id"]: target for target in rule["Targets"]}},
        )
        address = arn(environment, "events", f"rule/{rule['Name']}")
        yield Thing("rule", rule["Name"], settings, _tags(rule["Tags"]), address, rule)
    for mute in state.mute_rules:
        address = arn(environment, "cloudwatch", f"alarm-mute-rule:{mute['Name']}")
        yield Thing(
            "mute-rule", mute["Name"], comparable("mute-rule", mute), _tags(mute["Tags"]), address, mute
        )


def subscription_name(topic_arn: str, protocol: str, endpoint: str) -> str:
    """What tells a subscription from others: its topic, its protocol, and its endpoint or the name of the secret that holds it."""
    return f"{topic_arn.rpartition(':')[2]} {protocol} {endpoint}"


def address_name(endpoint: str) -> str:
    """What stands for an address that may have a secret in it."""
    return f"address#{digest(endpoint)[:8]}"


def told_digest(name: str) -> str:
    """What the tag of a topic has of a subscription: eight digits, from which no address can be had back that has a secret in it."""
    return digest(name)[:8]


def told_digests(subscription: Thing) -> set[str]:
    """What the tag of its topic may have of a subscription: by its name, and by what stands for an address that a secret holds."""
    names = (subscription.name, subscription.found.get("Address"))
    return {told_digest(name) for name in names if name}


def told_value(digests: set[str]) -> str:
    """The value of the tag; what does not fit into one is left out."""
    return " ".join(sorted(digests)[:MOST_TOLD])


def topic_of(subscription: Thing) -> str:
    """The name of a subscription's topic."""
    return subscription.name.split(" ")[0]


def _subscription(subscription: dict[str, Any]) -> Thing:
    secret = subscription.get("Secret")
    endpoint = f"<{secret}>" if secret else subscription["Endpoint"]
    name = subscription_name(subscription["TopicArn"], subscription["Protocol"], endpoint)
    settings = {key: json.loads(value) for key, value in subscription.get("Attributes", {}).items()}
    return Thing("subscription", name, settings, arguments=subscription)


def _alarm(kind: Kind, alarm: dict[str, Any], environment: Environment) -> Thing:
    address = arn(environment, "cloudwatch", f"alarm:{alarm['AlarmName']}")
    return Thing(kind, alarm["AlarmName"], comparable(kind, alarm), _tags(alarm["Tags"]), address, alarm)


def _marked(thing: Thing, sources: dict[tuple[str, str], str]) -> Thing:
    if not thing.tags:
        return thing
    tags = {**thing.tags, CONTENT_TAG: thing.content}
    source = sources.get(thing.alert)
    if source:
        tags[SOURCE_TAG] = source
    return replace(thing, tags=tags)


def _tags(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}
