from __future__ import annotations

from typing import Any

import pytest

from orders_obs.aws.audit.policies import Request, allows

_TOPIC = "arn:aws:sns:eu-west-1:111122223333:ops"
_ALARM = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:cpu"
_REQUEST = Request(
    "cloudwatch.amazonaws.com", "sns:Publish", _TOPIC,
    {"aws:sourceaccount": "111122223333", "aws:sourceowner": "111122223333", "aws:sourcearn": _ALARM, "aws:securetransport": "true", "aws:principalorgid": None},
)  # fmt: skip


def statement(**more: Any) -> dict[str, Any]:
    base = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": _TOPIC,
    }
    return {key: value for key, value in (base | more).items() if value is not None}


def answer(*statements: dict[str, Any]) -> str:
    return allows({"Statement": list(statements)}, _REQUEST).answer


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"Principal": "*"},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"AWS": ["arn:aws:iam::111122223333:root", "*"]}},
        {"Principal": {"Service": ["events.amazonaws.com", "cloudwatch.amazonaws.com"]}},
        {"Action": ["SNS:Publish", "sns:Subscribe"]},
        {"Action": "sns:Pub*"},
        {"Action": "*"},
        {"Action": None, "NotAction": "sns:DeleteTopic"},
        {"Resource": "*"},
        {"Resource": "arn:aws:sns:*:111122223333:*"},
        {"Resource": None, "NotResource": "arn:aws:sns:eu-west-1:111122223333:other"},
        {"Condition": {"StringEquals": {"AWS:SourceOwner": "111122223333"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": ["999988887777", "111122223333"]}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:*:111122223333:alarm:*"}}},
        {"Condition": {"ArnEquals": {"aws:SourceArn": _ALARM}}},
        {"Condition": {"StringLike": {"aws:SourceArn": "*:alarm:c?u"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": True}}},
        {"Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}},
        {"Condition": {"Null": {"aws:PrincipalOrgID": "true"}}},
        {"Condition": {"StringNotEquals": {"aws:SourceAccount": "999988887777"}}},
        {"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}},
        {"Condition": {"ForAnyValue:StringEquals": {"aws:SourceAccount": ["111122223333"]}}},
    ],
)  # fmt: skip
def test_a_statement_that_lets_cloudwatch_in_is_a_yes(more: dict[str, Any]) -> None:
    assert answer(statement(**more)) == "yes"


@pytest.mark.parametrize(
    "more",
    [
        {"Principal": {"Service": "events.amazonaws.com"}},
        {"Principal": {"AWS": "arn:aws:iam::111122223333:root"}},
        {"Principal": {"AWS": "111122223333"}},
        {"Principal": None},
        {"Action": "sns:Subscribe"},
        {"Action": None, "NotAction": "sns:Publish"},
        {"Resource": "arn:aws:sns:eu-west-1:111122223333:ops-2"},
        {"Resource": None, "NotResource": _TOPIC},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "999988887777"}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:*:111122223333:alarm:db-*"}}},
        {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
        {"Condition": {"Null": {"aws:PrincipalOrgID": "false"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "111122223333", "aws:SourceArn": "x"}}},
    ],
)  # fmt: skip
def test_a_statement_about_something_else_is_a_no(more: dict[str, Any]) -> None:
    assert answer(statement(**more)) == "no"


@pytest.mark.parametrize(
    "more",
    [
        {"Condition": {"StringEquals": {"aws:SourceOrgID": "o-1"}}},
        {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
        {"Condition": {"NumericLessThan": {"aws:SourceAccount": "1"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "${aws:PrincipalAccount}"}}},
        {"Principal": None, "NotPrincipal": {"AWS": "111122223333"}},
    ],
)  # fmt: skip
def test_what_only_aws_knows_is_unknown(more: dict[str, Any]) -> None:
    assert answer(statement(**more)) == "unknown"


def test_a_denial_wins() -> None:
    deny = statement(Effect="Deny", Principal="*", Sid="Never")
    assert answer(statement(), deny) == "no"
    assert allows({"Statement": [statement(), deny]}, _REQUEST).why == "statement Never denies it"
    assert (
        answer(statement(), statement(Effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}}))
        == "yes"
    )
    assert (
        answer(statement(), statement(Effect="Deny", Condition={"StringEquals": {"aws:SourceOrgID": "o"}}))
        == "unknown"
    )


def test_the_condition_that_shuts_cloudwatch_out_is_named() -> None:
    said = allows(
        {
            "Statement": statement(
                Sid="Let", Condition={"StringEquals": {"aws:SourceAccount": "999988887777"}}
            )
        },
        _REQUEST,
    )
    assert said.why == "statement Let lets it in only for aws:SourceAccount 999988887777"


def test_a_policy_that_cannot_be_read_is_unknown() -> None:
    assert allows("nonsense", _REQUEST).answer == "unknown"
    assert allows({"Statement": []}, _REQUEST).answer == "no"


def test_many_stars_take_no_time() -> None:
    pattern = "*a" * 40 + "*" * 1000
    assert answer(statement(Resource=pattern)) == "no"
