"""Whatever an account holds, nothing of it ends the audit."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orders_obs.aws.audit.audit import audit
from orders_obs.aws.audit.html import page
from orders_obs.aws.audit.model import Seen
from orders_obs.aws.audit.patterns import matches
from orders_obs.aws.audit.policies import Request, allows
from orders_obs.aws.audit.report import text
from orders_obs.aws.audit.schedules import covers_all, seconds_of
from tests.aws.audit.world import NOW, arn

from tests.aws.audit.test_command import Page  # isort: skip

_WORDS = st.sampled_from(
    ["Allow", "Deny", "*", "sns:Publish", "cloudwatch.amazonaws.com", "arn:aws:sns:eu-west-1:111122223333:ops", "aws:SourceArn", "${x}", "prefix",
     "numeric", "exists", "anything-but", "wildcard", ">", "$or", ""]
) | st.text(max_size=6)  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3),
    max_leaves=12,
)
_STATEMENT = st.fixed_dictionaries(
    {},
    optional={
        "Sid": _JSON, "Effect": _WORDS, "Principal": _JSON, "NotPrincipal": _JSON, "Action": _JSON, "NotAction": _JSON, "Resource": _JSON,
        "NotResource": _JSON, "Condition": st.dictionaries(st.sampled_from(["StringEquals", "ArnLike", "Null", "ForAnyValue:StringLike", "Odd"]), _JSON, max_size=2) | _JSON,
    },
)  # fmt: skip


@given(st.lists(_STATEMENT, max_size=3) | _JSON)
def test_every_policy_has_an_answer(statements: Any) -> None:
    request = Request(
        "cloudwatch.amazonaws.com",
        "sns:Publish",
        "arn:x",
        {"aws:sourcearn": "arn:y", "aws:sourceowner": None},
    )
    assert allows({"Statement": statements}, request).answer in ("yes", "no", "unknown")


@given(_JSON, _JSON)
def test_every_pattern_has_an_answer(pattern: Any, message: Any) -> None:
    assert matches(pattern, message if isinstance(message, dict) else {"a": message}) in (True, False, None)


@given(st.text(max_size=30), st.text(max_size=12))
def test_every_schedule_has_an_answer(expression: str, duration: str) -> None:
    assert covers_all(f"cron({expression})", duration) in (True, False)
    assert seconds_of(duration) is None or seconds_of(duration) is not None


_NAME = st.text(min_size=1, max_size=12)
_ALARM = st.fixed_dictionaries(
    {"AlarmName": _NAME, "StateValue": st.sampled_from(["OK", "ALARM", "INSUFFICIENT_DATA"])},
    optional={
        "AlarmArn": _NAME.map(lambda name: arn("cloudwatch", f"alarm:{name}")),
        "AlarmDescription": _NAME,
        "ActionsEnabled": st.booleans(),
        "AlarmActions": st.lists(st.sampled_from([arn("sns", "ops"), arn("lambda", "function:f"), "arn:aws:automate:eu-west-1:ec2:stop", "nonsense", "a:b:c"]), max_size=2),
        "OKActions": st.lists(st.sampled_from([arn("sns", "ops"), "x"]), max_size=1),
        "AlarmRule": _NAME.map(lambda name: f'ALARM("{name}") OR NOT OK({name})'),
        "ActionsSuppressor": _NAME,
        "StateTransitionedTimestamp": st.sampled_from(["2020-01-01T00:00:00+00:00", "never", ""]),
        "EvaluationState": st.sampled_from(["PARTIAL_DATA", "EVALUATION_ERROR", "ODD"]),
        "Namespace": st.sampled_from(["AWS/RDS", "Orders"]),
        "MetricName": st.sampled_from(["CPUUtilization", "Depth"]),
        "Dimensions": st.lists(st.fixed_dictionaries({"Name": _NAME, "Value": _NAME}), max_size=2),
        "Threshold": st.floats(allow_nan=False, allow_infinity=False),
        "Statistic": st.sampled_from(["Sum", "Average"]),
        "Period": st.sampled_from([10, 60]),
        "ComparisonOperator": st.sampled_from(["GreaterThanThreshold", "LessThanThreshold"]),
        "ScheduledQueryConfiguration": st.just({}),
    },
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(_ALARM, max_size=6),
    st.sampled_from([None, {}]),
    st.lists(st.fixed_dictionaries({"Name": _NAME, "pattern": _JSON}, optional={"State": _WORDS, "Arn": _NAME}), max_size=2),
    st.sampled_from(["absent", {"Policy": "{}"}, {"Policy": "no json", "KmsMasterKeyId": "alias/k"}, {}]),
)  # fmt: skip
def test_every_account_has_a_report(
    alarms: list[dict[str, Any]], tags: Any, rules: list[dict[str, Any]], topic: Any
) -> None:
    seen = Seen(
        "111122223333", "eu-west-1", alarms=alarms, tags=tags, rules=rules, topics={arn("sns", "ops"): topic}
    )
    seen.targets = {rule["Name"]: [{"Id": "1", "Arn": arn("sns", "ops")}] for rule in rules}
    result = audit(seen, NOW)
    assert result.count == len(alarms)
    assert all(sign.isprintable() or sign == "\n" for sign in text([result], result.issues, everything=True))
    assert Page(page([result], result.issues, "now")).open == []
