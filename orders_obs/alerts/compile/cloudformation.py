"""The desired state as a CloudFormation template."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.compile.composites import named_alarms

if TYPE_CHECKING:
    from orders_obs.alerts.compile.aws import DesiredState
    from orders_obs.alerts.model import ResolvedCatalogue

__all__ = ["template"]

# Characters of a logical id (CloudFormation quotas).
_LOGICAL_ID_LENGTH = 255


def template(catalogue: ResolvedCatalogue, state: DesiredState) -> dict[str, Any]:
    """The template of one environment.

    Names are given, so that the same alarms, rules and topics are meant as everywhere else; a subscription whose address is a secret
    refers to Secrets Manager.
    """
    resources: dict[str, dict[str, Any]] = {}

    def add(kind: str, name: str, content: dict[str, Any], **more: Any) -> str:
        identifier = _identifier(kind.rpartition("::")[2], name)
        if identifier in resources or len(identifier) > _LOGICAL_ID_LENGTH:
            # Names that differ in their dashes only, or are too long.
            digest = hashlib.sha256(name.encode()).hexdigest()[:8]
            identifier = identifier[: _LOGICAL_ID_LENGTH - len(digest)] + digest
        resources[identifier] = {"Type": kind, **more, "Properties": content}
        return identifier

    topics: dict[str, str] = {}
    keys: list[str] = []
    if state.key:
        name = state.key["Alias"].removeprefix("alias/")
        key = add(
            "AWS::KMS::Key",
            name,
            {
                "Description": state.key["Description"],
                "EnableKeyRotation": True,
                "KeyPolicy": state.key["Policy"],
                "Tags": state.key["Tags"],
            },
            DeletionPolicy="Retain",
            UpdateReplacePolicy="Retain",
        )
        keys = [add("AWS::KMS::Alias", name, {"AliasName": state.key["Alias"], "TargetKeyId": {"Ref": key}})]
    for topic in state.topics:
        content = {"TopicName": topic["Name"], "Tags": topic["Tags"], **topic["Attributes"]}
        waits = {"DependsOn": keys} if keys and topic["Attributes"] else {}
        topics[topic["Name"]] = add("AWS::SNS::Topic", topic["Name"], content, **waits)
        policy = json.loads(json.dumps(topic["Policy"]))
        for statement in policy["Statement"]:
            statement["Resource"] = {"Ref": topics[topic["Name"]]}
        add(
            "AWS::SNS::TopicPolicy",
            topic["Name"],
            {"Topics": [{"Ref": topics[topic["Name"]]}], "PolicyDocument": policy},
        )
    for subscription in state.subscriptions:
        topic_name = subscription["TopicArn"].rpartition(":")[2]
        secret = subscription.get("Secret")
        endpoint = f"{{{{resolve:secretsmanager:{secret}}}}}" if secret else subscription["Endpoint"]
        label = f"{topic_name}-{subscription['Protocol']}-{secret or endpoint.rpartition(':')[2]}"
        protocol = subscription["Protocol"]
        topic_ref = {"Ref": topics[topic_name]}
        content = {"TopicArn": topic_ref, "Protocol": protocol, "Endpoint": endpoint}
        attributes = {name: json.loads(value) for name, value in subscription.get("Attributes", {}).items()}
        add("AWS::SNS::Subscription", label, {**content, **attributes})
        if protocol == "lambda":
            add(
                "AWS::Lambda::Permission",
                label,
                {
                    "Action": "lambda:InvokeFunction",
                    "FunctionName": endpoint,
                    "Principal": "sns.amazonaws.com",
                    "SourceArn": topic_ref,
                },
            )
    groups = [
        add(
            "AWS::Logs::LogGroup",
            group["logGroupName"],
            {
                "LogGroupName": group["logGroupName"],
                "RetentionInDays": group["retentionInDays"],
                "Tags": [{"Key": key, "Value": value} for key, value in group["tags"].items()],
            },
            DeletionPolicy="Retain",
            UpdateReplacePolicy="Retain",
        )
        for group in state.log_groups
    ]
    policies = []
    if state.log_policy:
        document = json.dumps(state.log_policy["policyDocument"], separators=(",", ":"))
        content = {"PolicyName": state.log_policy["policyName"], "PolicyDocument": document}
        policies = [add("AWS::Logs::ResourcePolicy", state.log_policy["policyName"], content)]
    # An action on a topic is worth what the topic's policy allows, so the policies come first.
    before = sorted(
        name
        for name, made in resources.items()
        if made["Type"] in ("AWS::SNS::TopicPolicy", "AWS::SNS::Topic")
    )
    alarms = {}
    for alarm in state.metric_alarms:
        alarms[alarm["AlarmName"]] = add(
            "AWS::CloudWatch::Alarm", alarm["AlarmName"], alarm, DependsOn=before
        )
    for composite in state.composite_alarms:
        children = [alarms[name] for name in named_alarms(composite) if name in alarms]
        name = composite["AlarmName"]
        alarms[name] = add(
            "AWS::CloudWatch::CompositeAlarm", name, composite, DependsOn=sorted({*before, *children})
        )
    for rule in state.rules:
        content = {**rule, "EventPattern": json.loads(rule["EventPattern"])}
        add("AWS::Events::Rule", rule["Name"], content, DependsOn=sorted({*before, *groups, *policies}))
    for mute in state.mute_rules:
        targets = sorted(alarms[name] for name in mute["MuteTargets"]["AlarmNames"])
        add("AWS::CloudWatch::AlarmMuteRule", mute["Name"], mute, DependsOn=targets)
    for made in resources.values():
        if not made.get("DependsOn", True):
            del made["DependsOn"]
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Alerts of {catalogue.service} in {catalogue.environment.name}, built by orders-obs",
        "Resources": dict(sorted(resources.items())),
    }


def _identifier(kind: str, name: str) -> str:
    """A logical id: letters and digits, unique as the name is."""
    words = re.split(r"[^A-Za-z0-9]+", name)
    return kind + "".join(word[:1].upper() + word[1:] for word in words)
