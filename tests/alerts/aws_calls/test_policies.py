"""What AWS refuses of the policies of resources is refused here, each rule with the place in AWS's documents; what it takes is not.

IAM: the IAM user guide, the page on the element; SNS: the SNS developer guide, API permissions; KMS: the API reference of PutKeyPolicy.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders_obs.alerts.aws_calls import validate
from orders_obs.alerts.aws_calls.policies import KEY, LOGS, QUEUE, Kind, policy_problems, topic_kind

TOPIC = "arn:aws:sns:eu-west-1:111122223333:orders"
ROOT = {"AWS": "arn:aws:iam::111122223333:root"}
ADMIN = {"Effect": "Allow", "Principal": ROOT, "Action": "kms:*", "Resource": "*"}
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"


def whole(**more: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": TOPIC,
        **more,
    }


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in whole().items() if key != name}


def document(*statements: Any, **more: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements), **more}


def when(condition: Any) -> dict[str, Any]:
    return document(whole(Condition=condition))


WRONG: list[tuple[str, Any]] = [
    ("IAM grammar: JSON", '{"Version": "2012-10-17", "Statement": [}'),
    ("IAM grammar", ["a"]),
    ("IAM Version", document(whole(), Version="2012-10-18")),
    ("IAM Version", document(whole(), Version=20121017)),
    ("IAM Id", document(whole(), Id=7)),
    ("IAM Statement", {"Version": "2012-10-17"}),
    ("IAM Statement", document()),
    ("IAM Statement", {"Statement": "all"}),
    ("IAM Statement", document("all")),
    ("IAM grammar", document(whole(), Comment="x")),
    ("IAM grammar", document(whole(Comment="x"))),
    ("IAM Sid: unique", document(whole(Sid="A"), whole(Sid="A"))),
    ("IAM Sid", document(whole(Sid=1))),
    ("IAM Effect: case sensitive", document(whole(Effect="allow"))),
    ("IAM Effect", document(whole(Effect="Permit"))),
    ("IAM Effect: required", document(without("Effect"))),
    ("IAM Principal: required", document(without("Principal"))),
    ("IAM Principal", document(whole(Principal="111122223333"))),
    ("IAM Principal", document(whole(Principal={}))),
    ("IAM Principal", document(whole(Principal={"Account": "111122223333"}))),
    ("IAM Principal", document(whole(Principal={"AWS": []}))),
    ("IAM Principal", document(whole(Principal={"AWS": 111122223333}))),
    ("IAM Principal", document(whole(Principal={"AWS": "1111-2222-3333"}))),
    ("IAM Principal: no wildcards in ARNs", document(whole(Principal={"AWS": "arn:aws:iam::111122223333:role/*"}))),
    ("IAM Principal: no groups", document(whole(Principal={"AWS": "arn:aws:iam::111122223333:group/ops"}))),
    ("IAM Principal", document(whole(Principal={"AWS": TOPIC}))),
    ("IAM Principal: services", document(whole(Principal={"Service": "cloudwatch"}))),
    ("IAM Principal: services", document(whole(Principal={"Service": "cloudwatch.aws.amazon.com"}))),
    ("IAM Principal: services", document(whole(Principal={"Service": "cloudwatch.amazonaws.co"}))),
    ("IAM Principal: services", document(whole(Principal={"Service": "https://cloudwatch.amazonaws.com"}))),
    ("IAM NotPrincipal", document(whole(NotPrincipal=ROOT))),
    ("IAM Action: required", document(without("Action"))),
    ("IAM NotAction", document(whole(NotAction="sns:Publish"))),
    ("IAM Action: prefix", document(whole(Action="Publish"))),
    ("IAM Action", document(whole(Action=[]))),
    ("IAM Action", document(whole(Action={"sns": "Publish"}))),
    ("IAM Action", document(whole(Action="sns:Publish, sns:Subscribe"))),
    ("SNS valid policy actions", document(whole(Action="sns:ListTopics"))),
    ("SNS valid policy actions", document(whole(Action="sns:Foo*"))),
    ("SNS policy quotas: 0 is invalid", document(without("Resource"))),
    ("IAM NotResource", document(whole(NotResource=TOPIC))),
    ("IAM Resource: ARN", document(whole(Resource="orders"))),
    ("SNS policy quotas: own ARN", document(whole(Resource="arn:aws:sns:eu-west-1:111122223333:payments"))),
    ("SNS policy quotas: own ARN", document(whole(Resource="arn:aws:sns:us-east-1:*:orders"))),
    ("SNS policy quotas: 100", document(*[whole()] * 101)),
    ("IAM Condition", when(["a"])),
    ("IAM Condition operators", when({"StringIs": {"aws:SourceAccount": "1"}})),
    ("IAM Condition operators: no NullIfExists", when({"NullIfExists": {"aws:SourceArn": "true"}})),
    ("IAM Condition", when({"StringEquals": "aws:SourceAccount"})),
    ("IAM Condition: vendor", when({"StringEquals": {"SourceAccount": "1"}})),
    ("IAM Condition", when({"StringEquals": {"aws:SourceAccount": {"a": "b"}}})),
    ("IAM Condition", when({"StringEquals": {"aws:SourceAccount": None}})),
    ("IAM Condition operators: Bool", when({"Bool": {"aws:SecureTransport": "yes"}})),
    ("IAM Condition operators: Null", when({"Null": {"aws:SourceArn": "absent"}})),
    ("IAM Condition operators: Numeric", when({"NumericLessThan": {"aws:MultiFactorAuthAge": "an hour"}})),
    ("IAM Condition operators: Date", when({"DateLessThan": {"aws:CurrentTime": "tomorrow"}})),
    ("IAM Condition operators: IpAddress", when({"IpAddress": {"aws:SourceIp": "10.0.0.0/40"}})),
]  # fmt: skip

RIGHT: list[Any] = [
    {"Statement": whole()},
    document(whole(Action=["sns:Publish", "SNS:Subscribe", "sns:*"], Resource=[TOPIC, "*"])),
    document(whole(Principal="*", Condition={"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:bucket"}})),
    document(whole(Principal={"AWS": ["111122223333", "arn:aws:iam::111122223333:role/a/b", "arn:aws:sts::111122223333:assumed-role/a/b", "AIDAJQABLZS4A3QDU576Q"]})),
    document(whole(Principal={"Federated": "cognito-identity.amazonaws.com", "CanonicalUser": "79a59df900b949e5"})),
    document(whole(Principal={"Service": ["events.amazonaws.com", "logs.eu-west-1.amazonaws.com", "events.amazonaws.com.cn", "lambda.alexa.com"]})),
    document(whole(Effect="Deny", Principal="*", Condition={"Bool": {"aws:SecureTransport": False}})),
    document({key: value for key, value in whole(NotAction=["sns:DeleteTopic"]).items() if key != "Action"}),
    document({key: value for key, value in whole(NotPrincipal=ROOT, Effect="Deny").items() if key != "Principal"}),
    document(whole(Sid="One"), whole(Sid="Two"), whole(), Id="__default_policy_ID", Version="2008-10-17"),
    when({"StringEqualsIfExists": {"aws:SourceAccount": ["1", "2"]}, "ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}}),
    when({"ForAllValues:StringNotEqualsIgnoreCase": {"aws:TagKeys": []}, "Null": {"aws:SourceArn": True}}),
    when({"IpAddress": {"aws:SourceIp": ["10.0.0.1/8", "2001:db8::/32", "192.0.2.1"]}, "NumericLessThanEquals": {"aws:MultiFactorAuthAge": 3600}}),
    when({"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}, "DateLessThan": {"aws:EpochTime": 1767225600}}),
    when({"BinaryEquals": {"a:b": "QmluYXJ5VmFsdWVJbkJhc2U2NA=="}, "StringEquals": {"aws:PrincipalTag/x": "${aws:username}"}}),
    document(whole(Resource="arn:aws:sns:*:111122223333:ord*")),
]  # fmt: skip


def found(content: Any, kind: Kind) -> list[str]:
    written = content if isinstance(content, str) else json.dumps(content)
    return [problem.message for problem in policy_problems("Policy", written, kind)]


@pytest.mark.parametrize(("source", "content"), WRONG, ids=[f"{n}-{row[0]}" for n, row in enumerate(WRONG)])
def test_a_policy_that_no_topic_takes_is_refused(source: str, content: Any):
    written = content if isinstance(content, str) else json.dumps(content)
    params = {"TopicArn": TOPIC, "AttributeName": "Policy", "AttributeValue": written}
    refused = validate("set_topic_attributes", params)
    assert [problem.path for problem in refused][:1] == ["AttributeValue"], f"{source}: {refused}"


@pytest.mark.parametrize("content", RIGHT, ids=range(len(RIGHT)))
def test_a_policy_that_topics_take_is_not_refused(content: Any):
    assert found(content, topic_kind(TOPIC)) == []


def test_a_topic_that_is_made_is_known_by_its_name_only():
    kind = topic_kind(name="orders")
    assert found(document(whole()), kind) == []
    assert found(document(whole(Resource=f"{TOPIC}-other")), kind)
    assert found(document(whole(Resource="*")), kind) == []


KEY_WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("KMS: statements contain principals", {"Policy": document(ADMIN, {k: v for k, v in ADMIN.items() if k != "Principal"})}, "Policy"),
    ("KMS: lockout", {"Policy": document(whole(Action="kms:Decrypt", Resource="*"))}, "Policy"),
    ("KMS: lockout", {"Policy": document(ADMIN | {"Action": ["kms:Decrypt", "kms:Describe*"]})}, "Policy"),
    ("KMS: lockout, a statement without Resource has no effect", {"Policy": document({k: v for k, v in ADMIN.items() if k != "Resource"})}, "Policy"),
    ("KMS: lockout", {"Policy": document(ADMIN | {"Effect": "Deny"})}, "Policy"),
    ("KMS quotas: 32 KB", {"Policy": document(ADMIN, Id="a" * 33_000)}, "Policy"),
    ("KMS: Latin-1 only", {"Policy": json.dumps(document(ADMIN, Id="→"), ensure_ascii=False)}, "Policy"),
    ("KMS: the default policy only", {"Policy": document(ADMIN), "PolicyName": "AWS_RAM"}, "PolicyName"),
    ("KMS: key ID or ARN", {"Policy": document(ADMIN), "KeyId": "alias/orders"}, "KeyId"),
]  # fmt: skip
KEY_RIGHT: list[dict[str, Any]] = [
    document(ADMIN),
    document(ADMIN | {"Sid": "Enable IAM User Permissions"}, whole(Action=["kms:Decrypt", "kms:GenerateDataKey*"], Resource="*")),
    document(ADMIN, {k: v for k, v in ADMIN.items() if k != "Action"}),
    document(ADMIN | {"Action": ["kms:Put*", "kms:Create*"]}),
    document(ADMIN | {"Action": "*", "Principal": "*", "Condition": {"StringEquals": {"kms:CallerAccount": "111122223333"}}}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "params", "path"), KEY_WRONG, ids=[f"{n}-{row[0]}" for n, row in enumerate(KEY_WRONG)]
)
def test_a_policy_that_no_key_takes_is_refused(source: str, params: dict[str, Any], path: str):
    written = params["Policy"] if isinstance(params["Policy"], str) else json.dumps(params["Policy"])
    refused = validate("put_key_policy", {"KeyId": KEY_ID, **params, "Policy": written})
    assert path in [problem.path for problem in refused], f"{source}: {refused}"


@pytest.mark.parametrize("content", KEY_RIGHT, ids=range(len(KEY_RIGHT)))
def test_a_policy_that_keys_take_is_not_refused(content: dict[str, Any]):
    assert validate("put_key_policy", {"KeyId": KEY_ID, "Policy": json.dumps(content)}) == []


def test_who_bypasses_the_check_may_lock_a_key():
    locked = {"Policy": json.dumps(document(whole(Action="kms:Decrypt", Resource="*")))}
    assert validate("create_key", locked)
    assert validate("create_key", {**locked, "BypassPolicyLockoutSafetyCheck": True}) == []


NAMES = st.sampled_from(
    ["Version", "Statement", "Effect", "Principal", "NotPrincipal", "Action", "Resource", "Condition", "Sid", "AWS", "Service", "StringEquals", "aws:a", "Allow"]
)  # fmt: skip
CONTENT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | NAMES | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=20,
)


@settings(max_examples=500, deadline=None)
@given(CONTENT, st.sampled_from([KEY, LOGS, QUEUE, topic_kind(TOPIC), topic_kind(name="orders")]))
def test_no_policy_raises(content: Any, kind: Kind):
    statement = document(content) if isinstance(content, dict) else content
    assert all(found(content, kind))
    assert all(found(statement, kind))
    assert validate("put_key_policy", {"KeyId": KEY_ID, "Policy": json.dumps(content)}) is not None
