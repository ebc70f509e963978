"""The one form of what was asked of AWS and of what AWS says it has."""

from __future__ import annotations

import copy
import os
import random
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import botocore.session
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from orders_obs.aws.normal import comparable, digest, put_arguments
from tests.aws.fake import FakeAccount
from tests.aws.fake.base import Refused
from tests.aws.importing.random_alarms import described

settings.register_profile("ci", derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
COMMON: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck)}
MODEL = botocore.session.get_session().get_service_model("cloudwatch")

METRIC: dict[str, Any] = {
    "AlarmName": "a", "Namespace": "AWS/ECS", "MetricName": "CPUUtilization", "Statistic": "Average", "Period": 60,
    "EvaluationPeriods": 3, "Threshold": 0.0, "ComparisonOperator": "GreaterThanThreshold",
    "Dimensions": [{"Name": "A", "Value": "1"}, {"Name": "B", "Value": "2"}],
    "AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:a", "arn:aws:sns:eu-west-1:111122223333:b"],
}  # fmt: skip
MATH: dict[str, Any] = {
    "AlarmName": "a", "EvaluationPeriods": 3, "Threshold": 5, "ComparisonOperator": "GreaterThanThreshold",
    "Metrics": [
        {"Id": "e", "Expression": "m / n", "ReturnData": True},
        {"Id": "m", "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "M", "Dimensions": METRIC["Dimensions"]}, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "n", "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "N"}, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
    ],
}  # fmt: skip
QUERY: dict[str, Any] = {
    "AlarmName": "a", "EvaluationCriteria": {"PromQLCriteria": {"Query": "x > 1", "PendingPeriod": 60}}, "EvaluationInterval": 60,
}  # fmt: skip
COMPOSITE: dict[str, Any] = {
    "AlarmName": "c", "AlarmRule": 'ALARM("a") OR ALARM("b")', "ActionsSuppressor": "s", "ActionsSuppressorWaitPeriod": 60,
    "ActionsSuppressorExtensionPeriod": 60,
}  # fmt: skip
MUTE: dict[str, Any] = {
    "Name": "m", "Rule": {"Schedule": {"Expression": "cron(0 2 * * *)", "Duration": "PT1H"}}, "MuteTargets": {"AlarmNames": ["a", "b"]},
}  # fmt: skip
RULE: dict[str, Any] = {
    "EventPattern": '{"source": ["aws.ecs"]}',
    "Targets": {"topic": {"Id": "topic", "Arn": "x"}},
}


def deep(arguments: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The arguments with another value at a path such as `Metrics.0.Id`."""
    result = copy.deepcopy(arguments)
    place: Any = result
    *parents, last = path.split(".")
    for name in parents:
        place = place[int(name)] if name.isdigit() else place[name]
    place[int(last) if last.isdigit() else last] = value
    return result


@pytest.mark.parametrize(
    ("kind", "arguments", "path", "default"),
    [
        ("metric-alarm", METRIC, "ActionsEnabled", True),
        ("metric-alarm", METRIC, "DatapointsToAlarm", 3),
        ("metric-alarm", METRIC, "TreatMissingData", "missing"),
        ("metric-alarm", METRIC, "EvaluateLowSampleCountPercentile", "evaluate"),
        ("metric-alarm", METRIC, "EvaluationWindow", {"SlidingWindow": {}}),
        ("metric-alarm", METRIC, "OKActions", []),
        ("metric-alarm", METRIC, "AlarmDescription", ""),
        ("metric-alarm", METRIC, "ActionConfiguration", {"AlarmTagsPropagation": {"Enabled": False}}),
        ("metric-alarm", METRIC, "Threshold", 0),
        ("metric-alarm", METRIC, "Tags", [{"Key": "a", "Value": "b"}]),
        ("metric-alarm", METRIC, "Metrics", []),
        ("metric-alarm", MATH, "Metrics.2.MetricStat.Metric.Dimensions", []),
        ("metric-alarm", MATH, "Threshold", 5.0),
        ("metric-alarm", QUERY, "EvaluationCriteria.PromQLCriteria.RecoveryPeriod", 0),
        ("metric-alarm", QUERY, "TreatMissingData", "missing"),
        ("metric-alarm", QUERY, "EvaluationPeriods", 1),
        ("composite-alarm", COMPOSITE, "ActionsEnabled", True),
        ("composite-alarm", COMPOSITE, "AlarmRule", ' ALARM("a")  OR\n ALARM("b") '),
        ("mute-rule", MUTE, "Rule.Schedule.Timezone", "UTC"),
        ("rule", RULE, "State", "ENABLED"),
        ("rule", RULE, "EventBusName", "default"),
        ("rule", RULE, "EventPattern", {"source": ["aws.ecs"]}),
    ],
)  # fmt: skip
def test_what_says_the_default_is_as_if_it_were_not_said(
    kind: str, arguments: dict[str, Any], path: str, default: Any
) -> None:
    assert comparable(kind, deep(arguments, path, default)) == comparable(kind, arguments)


def test_the_default_of_what_is_returned_is_as_if_it_were_not_said() -> None:
    without = copy.deepcopy(MATH)
    del without["Metrics"][0]["ReturnData"]
    assert comparable("metric-alarm", without) == comparable("metric-alarm", MATH)


def test_a_warm_up_that_waits_for_nothing_says_the_default() -> None:
    warm = METRIC | {"WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 5}}
    said = deep(warm, "WarmUpConfiguration.OnlyStartEvaluatingAfterWarmUpPeriodEnds", False)
    assert comparable("metric-alarm", said) == comparable("metric-alarm", warm)
    other = deep(warm, "WarmUpConfiguration.OnlyStartEvaluatingAfterWarmUpPeriodEnds", True)
    assert comparable("metric-alarm", other) != comparable("metric-alarm", warm)


@pytest.mark.parametrize(
    ("kind", "arguments", "path"),
    [
        ("metric-alarm", METRIC, "Dimensions"),
        ("metric-alarm", METRIC, "AlarmActions"),
        ("metric-alarm", MATH, "Metrics"),
        ("metric-alarm", MATH, "Metrics.1.MetricStat.Metric.Dimensions"),
        ("mute-rule", MUTE, "MuteTargets.AlarmNames"),
    ],
)
def test_an_order_that_means_nothing_is_not_compared(kind: str, arguments: dict[str, Any], path: str) -> None:
    value: Any = arguments
    for name in path.split("."):
        value = value[int(name)] if name.isdigit() else value[name]
    turned = deep(arguments, path, value[::-1])
    assert turned != arguments
    assert comparable(kind, turned) == comparable(kind, arguments)


@pytest.mark.parametrize(
    ("kind", "arguments", "path", "value"),
    [
        ("metric-alarm", METRIC, "ActionsEnabled", False),
        ("metric-alarm", METRIC, "DatapointsToAlarm", 2),
        ("metric-alarm", METRIC, "TreatMissingData", "breaching"),
        ("metric-alarm", METRIC, "EvaluateLowSampleCountPercentile", "ignore"),
        ("metric-alarm", METRIC, "EvaluationWindow", {"WallClockWindow": {"Timezone": "UTC"}}),
        ("metric-alarm", METRIC, "OKActions", ["x"]),
        ("metric-alarm", METRIC, "AlarmDescription", "x"),
        ("metric-alarm", METRIC, "ActionConfiguration", {"AlarmTagsPropagation": {"Enabled": True}}),
        ("metric-alarm", METRIC, "Threshold", 0.001),
        ("metric-alarm", METRIC, "Period", 120),
        ("metric-alarm", METRIC, "Unit", "Percent"),
        ("metric-alarm", METRIC, "Statistic", "Maximum"),
        ("metric-alarm", METRIC, "Dimensions.0.Value", "2"),
        ("metric-alarm", METRIC, "AlarmActions", ["arn:aws:sns:eu-west-1:111122223333:a"]),
        ("metric-alarm", MATH, "Metrics.0.ReturnData", False),
        ("metric-alarm", MATH, "Metrics.0.Label", "x"),
        ("metric-alarm", MATH, "Metrics.1.MetricStat.Stat", "p99"),
        ("metric-alarm", MATH, "Metrics.1.MetricStat.Metric.Dimensions", []),
        ("metric-alarm", QUERY, "EvaluationCriteria.PromQLCriteria.PendingPeriod", 0),
        ("metric-alarm", QUERY, "EvaluationCriteria.PromQLCriteria.Query", "x > 2"),
        ("metric-alarm", QUERY, "EvaluationInterval", 30),
        ("composite-alarm", COMPOSITE, "AlarmRule", 'ALARM("a") AND ALARM("b")'),
        ("composite-alarm", COMPOSITE, "ActionsSuppressor", "t"),
        ("composite-alarm", COMPOSITE, "ActionsSuppressorWaitPeriod", 0),
        ("mute-rule", MUTE, "Rule.Schedule.Timezone", "Europe/Berlin"),
        ("mute-rule", MUTE, "MuteTargets.AlarmNames", ["a"]),
        ("mute-rule", MUTE, "ExpireDate", datetime(2026, 1, 1, tzinfo=UTC)),
        ("rule", RULE, "State", "DISABLED"),
        ("rule", RULE, "EventPattern", '{"source": ["aws.ec2"]}'),
        ("rule", RULE, "Targets.topic.Arn", "y"),
    ],
)
def test_each_setting_that_differs_is_seen(
    kind: str, arguments: dict[str, Any], path: str, value: Any
) -> None:
    assert comparable(kind, deep(arguments, path, value)) != comparable(kind, arguments)


def test_moments_compare_whatever_their_zone() -> None:
    berlin = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    texts = [
        comparable("mute-rule", MUTE | {"StartDate": moment})
        for moment in (berlin, datetime(2026, 1, 1, tzinfo=UTC))
    ]
    assert texts[0] == texts[1]


def test_what_is_compared_is_left_as_it_was() -> None:
    for kind, arguments in (
        ("metric-alarm", MATH),
        ("composite-alarm", COMPOSITE),
        ("mute-rule", MUTE),
        ("rule", RULE),
    ):
        before = copy.deepcopy(arguments)
        comparable(kind, deep(arguments, "ActionsEnabled", True))
        comparable(kind, arguments)
        assert arguments == before


@pytest.mark.parametrize(
    ("operation", "answer", "sample"),
    [
        ("PutMetricAlarm", "MetricAlarms", METRIC),
        ("PutCompositeAlarm", "CompositeAlarms", COMPOSITE),
        ("PutAlarmMuteRule", "", MUTE),
    ],
)
def test_every_argument_that_the_installed_sdk_describes_is_kept(
    operation: str, answer: str, sample: dict[str, Any]
) -> None:
    taken = set(MODEL.operation_model(operation).input_shape.members)
    if answer:
        shown = set(MODEL.operation_model("DescribeAlarms").output_shape.members[answer].member.members)
    else:
        shown = set(MODEL.operation_model("GetAlarmMuteRule").output_shape.members)
    entry = dict.fromkeys(shown, "x")
    # What tells the three apart.
    for name in ("AlarmRule", "MuteTargets"):
        if name not in sample:
            entry.pop(name, None)
    assert set(put_arguments(entry)) == taken & shown


@settings(max_examples=80, **COMMON)
@given(described(), st.booleans(), st.booleans(), st.randoms(use_true_random=False))
def test_what_was_put_and_described_compares_equal_with_what_was_asked_and_can_be_put_again(
    alarms: list[dict[str, Any]], fills: bool, shuffles: bool, chance: random.Random
) -> None:
    account = FakeAccount()
    account.fills_defaults, account.shuffles = fills, shuffles
    service: Any = account.services["cloudwatch"]
    for alarm in alarms:
        kind = "composite-alarm" if "AlarmRule" in alarm else "metric-alarm"
        put = getattr(service, f"put_{kind.replace('-', '_')}")
        asked = put_arguments(alarm)
        try:
            put(copy.deepcopy(asked))
        except Refused:  # Described by nobody: what is drawn may be more than AWS takes.
            event("refused")
            continue
        event("taken")
        for _ in range(2):
            answer = service.describe_alarms(
                {"AlarmNames": [alarm["AlarmName"]], "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
            )
            (found,) = answer["MetricAlarms"] + answer["CompositeAlarms"]
            assert comparable(kind, put_arguments(found)) == comparable(kind, asked)
            mixed = list(put_arguments(found).items())
            chance.shuffle(mixed)
            assert digest(comparable(kind, dict(mixed))) == digest(comparable(kind, asked))
            put(put_arguments(found))
