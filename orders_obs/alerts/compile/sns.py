"""SNS: topics with policies and keys, and who subscribes.

The policy lets exactly those publish who have something to say: CloudWatch, EventBridge and RDS, the first and the last for this
account only. A topic that is encrypted needs a key of one's own: the policy of AWS's own key cannot be changed, so nothing would
arrive. Slack takes no message of SNS, so a relay subscribes in its place; PagerDuty's address is a secret, and stands here by its
name. It is tried for close to an hour: what SNS does unless told, three times in a minute, is shorter than most outages.

EventBridge says for which rule it speaks neither to SNS nor to KMS, so a condition on it would let nothing through, and nothing
would tell (EventBridge user guide, "Using resource-based policies", Amazon SNS permissions; SNS developer guide, "Key management").
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orders_obs.alerts.compile.engines import Difference
from orders_obs.alerts.compile.names import account, arn, key_alias, tags, topic_arn, topic_name

if TYPE_CHECKING:
    from orders_obs.alerts.model import ResolvedCatalogue, Severity

__all__ = ["RETRIES", "compile_key", "compile_subscriptions", "compile_topics", "own_topics"]

RETRIES: dict[str, int | str] = {
    "minDelayTarget": 5,
    "maxDelayTarget": 40,
    "numRetries": 92,
    "numNoDelayRetries": 2,
    "numMinDelayRetries": 2,
    "numMaxDelayRetries": 83,
    "backoffFunction": "exponential",
}
"""How SNS tries again over https: twice at once, twice after 5 s, five times at growing delays, 83 times each 40 s.

That lasts from 3,355 to 3,530 s, by how the delays grow, which AWS does not publish; 3,600 s is the most that SNS allows (SNS developer
guide, "Amazon SNS message delivery retries"). It tries again after 5xx, 429 and no answer, and after no other 4xx.
"""

# Sid, principal, and the service and resource for which it speaks; no resource where it does not say.
_PUBLISHERS = (
    ("CloudWatchAlarms", "cloudwatch.amazonaws.com", "cloudwatch", "alarm:*"),
    ("EventBridgeRules", "events.amazonaws.com", "", ""),
    ("RdsEvents", "events.rds.amazonaws.com", "rds", "*"),
)
_KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey*")
_OWNER_ACTIONS = (
    "AddPermission", "DeleteTopic", "GetTopicAttributes", "ListSubscriptionsByTopic", "Publish", "RemovePermission",
    "SetTopicAttributes", "Subscribe",
)  # fmt: skip


def own_topics(catalogue: ResolvedCatalogue) -> list[Severity]:
    """The severities whose topics the catalogue manages, one for each topic."""
    found: dict[str, Severity] = {}
    for severity in catalogue.severities:
        if severity.own_topic:
            first = found.setdefault(severity.topic, severity)
            # Whoever asks for encryption has it, for all that share the topic.
            if severity.encrypt and not first.encrypt:
                found[severity.topic] = replace(first, encrypt=True)
    return list(found.values())


def compile_topics(catalogue: ResolvedCatalogue) -> list[dict[str, Any]]:
    """The topics: arguments of `create_topic`, and the `Policy` to set on each as data."""
    topics = []
    for severity in own_topics(catalogue):
        name = topic_name(severity, catalogue.environment)
        attributes = {"KmsMasterKeyId": key_alias(catalogue)} if severity.encrypt else {}
        topics.append(
            {
                "Name": name,
                "Attributes": attributes,
                "Tags": tags(catalogue.service, catalogue.environment, owner=catalogue.owner),
                "Policy": _policy(catalogue, severity),
            }
        )
    return topics


def compile_subscriptions(catalogue: ResolvedCatalogue) -> tuple[list[dict[str, Any]], list[Difference]]:
    """Who subscribes to the topics: arguments of `subscribe`; `Secret` in place of an endpoint that is one."""
    environment = catalogue.environment
    subscriptions: list[dict[str, Any]] = []
    differences = []
    for severity in catalogue.severities:
        if not severity.own_topic:
            told = [*severity.email, *(receiver.kind for receiver in severity.receivers)]
            if severity.topic and told:
                reason = f"severity {severity.name}: its topic is managed elsewhere, and so is who subscribes: not {', '.join(told)}"
                differences.append(Difference(severity.name, severity.source.short, reason))
            continue
        topic = {"TopicArn": topic_arn(severity, environment)}
        subscriptions += [{**topic, "Protocol": "email", "Endpoint": address} for address in severity.email]
        chat = [receiver.kind for receiver in severity.receivers if receiver.kind in ("slack", "webhook")]
        relay = environment.resources.get("relay_function")
        if chat and relay:
            function = relay if relay.startswith("arn:") else arn(environment, "lambda", f"function:{relay}")
            subscriptions.append({**topic, "Protocol": "lambda", "Endpoint": function})
        elif chat:
            reason = (
                f"severity {severity.name}: {' and '.join(chat)} takes no message of SNS; name the relay's function as the"
                " resource relay_function"
            )
            differences.append(Difference(severity.name, severity.source.short, reason))
        pager = severity.receiver("pagerduty")
        if pager and pager.store == "secret":
            policy = json.dumps({"healthyRetryPolicy": RETRIES}, separators=(",", ":"))
            attributes = {"DeliveryPolicy": policy}
            subscriptions.append(
                {**topic, "Protocol": "https", "Secret": pager.name, "Attributes": attributes}
            )
        elif pager:
            reason = f"severity {severity.name}: a file is not there on AWS; name a secret"
            differences.append(Difference(severity.name, severity.source.short, reason))
    unique = {json.dumps(subscription, sort_keys=True): subscription for subscription in subscriptions}
    return list(unique.values()), differences


def compile_key(catalogue: ResolvedCatalogue) -> dict[str, Any] | None:
    """The key of encrypted topics: its alias, and its policy as data; None where no topic is encrypted."""
    if not any(severity.encrypt for severity in own_topics(catalogue)):
        return None
    environment = catalogue.environment
    number, _ = account(environment)
    return {
        "Alias": key_alias(catalogue),
        "Description": f"Alerts of {catalogue.service} in {environment.name}",
        "Policy": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "Account",
                    "Effect": "Allow",
                    "Principal": {"AWS": _root(catalogue)},
                    "Action": "kms:*",
                    "Resource": "*",
                },
                *(
                    {
                        "Sid": sid,
                        "Effect": "Allow",
                        "Principal": {"Service": principal},
                        "Action": list(_KEY_ACTIONS),
                        "Resource": "*",
                        **({"Condition": {"StringEquals": {"aws:SourceAccount": number}}} if service else {}),
                    }
                    for sid, principal, service, _ in _PUBLISHERS
                ),
            ],
        },
        "Tags": tags(catalogue.service, environment, owner=catalogue.owner),
    }


def _policy(catalogue: ResolvedCatalogue, severity: Severity) -> dict[str, Any]:
    environment = catalogue.environment
    number, _ = account(environment)
    topic = topic_arn(severity, environment)
    # Setting a policy takes the place of the one that SNS gives, with which the account administers the topic.
    statements: list[dict[str, Any]] = [
        {
            "Sid": "Owner",
            "Effect": "Allow",
            "Principal": {"AWS": _root(catalogue)},
            "Action": [f"sns:{action}" for action in _OWNER_ACTIONS],
            "Resource": topic,
        }
    ]
    for sid, principal, service, rest in _PUBLISHERS:
        condition = {
            "StringEquals": {"aws:SourceAccount": number},
            "ArnLike": {"aws:SourceArn": arn(environment, service, rest)},
        }
        statements.append(
            {
                "Sid": sid,
                "Effect": "Allow",
                "Principal": {"Service": principal},
                "Action": "sns:Publish",
                "Resource": topic,
                **({"Condition": condition} if service else {}),
            }
        )
    return {"Version": "2012-10-17", "Statement": statements}


def _root(catalogue: ResolvedCatalogue) -> str:
    number, _ = account(catalogue.environment)
    partition = arn(catalogue.environment, "sns", "").split(":")[1]
    return f"arn:{partition}:iam::{number}:root"
