"""Who may do what: the policies of topics, key and log group, judged by moto's reading of IAM's grammar and by asking them."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable
from typing import Any

import pytest
from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.policy_validation import BaseIAMPolicyValidator

from tests.alerts.engines.conftest import Built

ACCOUNT, OTHER = "111122223333", "444455556666"
Policy = dict[str, Any]


def policies(built: Built) -> list[Policy]:
    state = built.state
    found = [topic["Policy"] for topic in state.topics]
    found += [state.key["Policy"]] if state.key else []
    return found + ([state.log_policy["policyDocument"]] if state.log_policy else [])


def grammatical(policy: Policy) -> None:
    """Raise where IAM's grammar is broken; moto knows policies of identities, which have no principal."""
    statements = [
        {k: v for k, v in statement.items() if k != "Principal"} for statement in policy["Statement"]
    ]
    assert all(statement.get("Principal") for statement in policy["Statement"])
    BaseIAMPolicyValidator(json.dumps({**policy, "Statement": statements})).validate()


def allows(policy: Policy, principal: str, action: str, resource: str, context: dict[str, str]) -> bool:
    """Whether a policy lets a service do something: IAM's evaluation, as far as these policies need it."""
    return any(
        principal in _list(statement["Principal"].get("Service", []))
        and any(
            fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in _list(statement["Action"])
        )
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in _list(statement["Resource"]))
        and _holds(statement.get("Condition", {}), context)
        for statement in policy["Statement"]
        if statement["Effect"] == "Allow"
    )


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _holds(condition: dict[str, dict[str, Any]], context: dict[str, str]) -> bool:
    """A key that the caller does not send makes its condition false."""
    compare: dict[str, Callable[[str, str], bool]] = {
        "StringEquals": lambda one, other: one == other,
        "ArnLike": fnmatch.fnmatchcase,
    }
    return all(
        key in context and any(compare[operator](context[key], wanted) for wanted in _list(values))
        for operator, keys in condition.items()
        for key, values in keys.items()
    )


def from_(arn: str) -> dict[str, str]:
    return {"aws:SourceAccount": arn.split(":")[4], "aws:SourceArn": arn}


# EventBridge sends neither key on its way to a topic (EventBridge user guide, "Using resource-based policies for Amazon EventBridge":
# "You can't use Condition blocks in Amazon SNS topic policies for EventBridge").
NOTHING: dict[str, str] = {}
MAY = [
    (
        "cloudwatch.amazonaws.com",
        from_(f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:orders-api-production-a-critical"),
    ),
    ("events.amazonaws.com", NOTHING),
    ("events.rds.amazonaws.com", from_(f"arn:aws:rds:eu-west-1:{ACCOUNT}:db:orders")),
    ("events.rds.amazonaws.com", from_(f"arn:aws:rds:eu-west-1:{ACCOUNT}:cluster:orders")),
]
MAY_NOT = [
    ("cloudwatch.amazonaws.com", from_(f"arn:aws:cloudwatch:eu-west-1:{OTHER}:alarm:theirs")),
    ("cloudwatch.amazonaws.com", NOTHING),
    ("events.rds.amazonaws.com", from_(f"arn:aws:rds:eu-west-1:{OTHER}:db:orders")),
    ("s3.amazonaws.com", from_(f"arn:aws:s3:eu-west-1:{ACCOUNT}:bucket")),
]


def test_every_policy_is_grammatical(built: Built) -> None:
    assert len(policies(built)) >= 3
    for policy in policies(built):
        grammatical(policy)
        names = [statement["Sid"] for statement in policy["Statement"]]
        assert all(name.isalnum() for name in names)


def test_exactly_those_publish_to_a_topic_who_have_something_to_say(built: Built) -> None:
    for topic in built.state.topics:
        arn = f"arn:aws:sns:eu-west-1:{ACCOUNT}:{topic['Name']}"
        for principal, context in MAY:
            assert allows(topic["Policy"], principal, "sns:Publish", arn, context), (principal, context)
            assert not allows(topic["Policy"], principal, "sns:Subscribe", arn, context)
            assert not allows(topic["Policy"], principal, "sns:Publish", arn + "-other", context)
        for principal, context in MAY_NOT:
            assert not allows(topic["Policy"], principal, "sns:Publish", arn, context), (principal, context)


def test_whoever_publishes_to_an_encrypted_topic_may_use_its_key(wide: Built) -> None:
    """A condition on the source is not supported on the way from EventBridge to an encrypted topic (SNS guide, Key management)."""
    assert wide.state.key is not None
    policy = wide.state.key["Policy"]
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        for principal, context in MAY:
            account = {key: value for key, value in context.items() if key == "aws:SourceAccount"}
            assert allows(policy, principal, action, "arn:aws:kms:eu-west-1:1:key/1", account), principal
        assert not allows(policy, "cloudwatch.amazonaws.com", action, "k", {"aws:SourceAccount": OTHER})
    assert not allows(policy, "events.amazonaws.com", "kms:ScheduleKeyDeletion", "k", NOTHING)


def test_only_the_topics_that_say_so_are_encrypted_and_with_the_catalogues_own_key(wide: Built) -> None:
    assert wide.state.key is not None
    encrypted = {t["Name"]: t["Attributes"].get("KmsMasterKeyId") for t in wide.state.topics}
    assert encrypted == {
        "orders-wake-up-production": wide.state.key["Alias"],
        "orders-urgent-production": None,
        "orders-quiet-production": None,
    }
    assert not wide.state.key["Alias"].startswith("alias/aws/")


def test_the_account_can_still_administer_its_topics_and_its_key(built: Built) -> None:
    root = f"arn:aws:iam::{ACCOUNT}:root"
    for topic in built.state.topics:
        (owner,) = [s for s in topic["Policy"]["Statement"] if s["Principal"] == {"AWS": root}]
        assert {"sns:SetTopicAttributes", "sns:DeleteTopic", "sns:Subscribe", "sns:Publish"} <= {
            *owner["Action"]
        }
    if built.state.key:
        (owner,) = [s for s in built.state.key["Policy"]["Statement"] if s["Principal"] == {"AWS": root}]
        assert owner["Action"] == "kms:*"


def test_eventbridge_may_write_into_the_group_of_its_rules_and_into_no_other(built: Built) -> None:
    policy = built.state.log_policy
    assert policy is not None
    groups = {
        target["Arn"] for rule in built.state.rules for target in rule["Targets"] if ":logs:" in target["Arn"]
    }
    assert groups
    document = policy["policyDocument"]
    for principal in ("events.amazonaws.com", "delivery.logs.amazonaws.com"):
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            for group in groups:
                assert allows(document, principal, action, f"{group}:log-stream:stream", NOTHING)
            other = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/orders/api/production:log-stream:stream"
            assert not allows(document, principal, action, other, NOTHING)
    assert {group["logGroupName"] for group in built.state.log_groups} >= {
        arn.rpartition(":")[2] for arn in groups
    }


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Maybe"},
        {"Action": "Publish"},
        {"Condition": {"ArnIsLike": {"aws:SourceArn": "*"}}},
        {"Rule": "x"},
    ],
)
def test_the_grammar_is_awake(built: Built, change: dict[str, Any]) -> None:
    policy = policies(built)[0]
    broken = {**policy, "Statement": [{**policy["Statement"][0], **change}]}
    with pytest.raises(MalformedPolicyDocument):
        grammatical(broken)
