"""The fake answers as LocalStack does, call by call, where both know the call; known gaps are data in tests/aws/fake/known.py."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.aws.fake import Clock, FakeAccount
from tests.aws.fake.compare import Step, differences
from tests.aws.fake.known import LOCALSTACK_UNLIKE, LOCALSTACK_UNREFUSED
from tests.aws.fake.scripts import REGION, alarm_steps, composite_steps, event_steps, log_steps, topic_steps
from tests.live.emulator import Emulator

Script = Callable[[str], st.SearchStrategy[list[Step]]]

# Drawn data must not depend on when it is drawn.
NOW = Clock().millis()
DRAWN: dict[str, Script] = {
    "alarms": alarm_steps,
    "composites": composite_steps,
    "topics": topic_steps,
    "events": event_steps,
    "logs": lambda account: log_steps(account, NOW),
}
# An account of twelve digits that nobody used yet is an empty emulator.
_ACCOUNTS = map(str, itertools.count(300_000_000_000))


def _same(emulator: Emulator, steps: Callable[[str], list[Step]]) -> None:
    account = next(_ACCOUNTS)
    found = differences(
        FakeAccount(account, REGION).session().client,
        lambda service: emulator.client(service, account),
        steps(account),
        LOCALSTACK_UNLIKE,
        LOCALSTACK_UNREFUSED,
    )
    assert not found, "\n".join(found)


@pytest.mark.parametrize("script", DRAWN)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(data=st.data())
def test_random_calls_are_answered_alike(emulator: Emulator, script: str, data: st.DataObject) -> None:
    # The account is no part of what is drawn: a failing script is tried again in another one.
    steps = data.draw(DRAWN[script]("000000000000"))
    _same(emulator, lambda account: [_in_account(step, account) for step in steps])


def _in_account(step: Step, account: str) -> Step:
    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: moved(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(moved(item) for item in value)
        return value.replace("000000000000", account) if isinstance(value, str) else value

    return Step(step.service, step.operation, moved(step.arguments))


METRIC = {"Namespace": "n", "MetricName": "m", "Dimensions": [{"Name": "d", "Value": "1"}]}
COMMON = {"EvaluationPeriods": 3, "DatapointsToAlarm": 2, "TreatMissingData": "notBreaching", "OKActions": ["arn:aws:sns:eu-west-1:1:t"]}  # fmt: skip
SINGLE = METRIC | COMMON | {"Statistic": "Sum", "Period": 60, "Threshold": 1.5, "ComparisonOperator": "GreaterThanThreshold"}  # fmt: skip
BAND = COMMON | {
    "AlarmName": "band",
    "ThresholdMetricId": "band",
    "ComparisonOperator": "GreaterThanUpperThreshold",
    "Metrics": [
        {"Id": "m", "MetricStat": {"Metric": METRIC, "Period": 300, "Stat": "Average"}, "ReturnData": True},
        {"Id": "band", "Expression": "ANOMALY_DETECTION_BAND(m, 2)", "Label": "expected", "ReturnData": True},
    ],
}


def _step(service: str, operation: str, **arguments: Any) -> Step:
    return Step(service, operation, arguments)


def test_an_anomaly_alarm_comes_back_whole(emulator: Emulator) -> None:
    _same(
        emulator,
        lambda _: [_step("cloudwatch", "put_metric_alarm", **BAND), _step("cloudwatch", "describe_alarms", AlarmNames=["band"])],
    )  # fmt: skip


def test_a_suppressed_composite_comes_back_whole_and_loses_its_suppressor(emulator: Emulator) -> None:
    whole = {
        "AlarmName": "c", "AlarmRule": "ALARM(a) OR ALARM(b)", "ActionsEnabled": False, "AlarmDescription": "text",
        "AlarmActions": ["arn:aws:sns:eu-west-1:1:t"],
    }  # fmt: skip
    held = {
        "ActionsSuppressor": "s",
        "ActionsSuppressorWaitPeriod": 60,
        "ActionsSuppressorExtensionPeriod": 120,
    }
    look = _step("cloudwatch", "describe_alarms", AlarmTypes=["CompositeAlarm", "MetricAlarm"])
    _same(
        emulator,
        lambda _: [
            *(_step("cloudwatch", "put_metric_alarm", AlarmName=name, **SINGLE) for name in ("a", "b", "s")),
            _step("cloudwatch", "put_composite_alarm", **whole, **held),
            look,
            _step("cloudwatch", "put_composite_alarm", **whole),
            look,
            _step("cloudwatch", "delete_alarms", AlarmNames=["c"]),
            _step("cloudwatch", "delete_alarms", AlarmNames=["a", "b", "s"]),
            look,
        ],
    )


def test_an_alarm_of_another_form_replaces_the_whole_alarm(emulator: Emulator) -> None:
    look = _step("cloudwatch", "describe_alarms", AlarmNames=["band"])
    _same(
        emulator,
        lambda _: [
            _step("cloudwatch", "put_metric_alarm", **BAND),
            _step("cloudwatch", "put_metric_alarm", AlarmName="band", **SINGLE),
            look,
            _step("cloudwatch", "put_metric_alarm", **BAND),
            look,
        ],
    )


@pytest.mark.parametrize(
    ("service", "paged", "key", "make"),
    [
        ("sns", "list_topics", "Topics", lambda n: _step("sns", "create_topic", Name=f"t{n}")),
        (
            "logs", "describe_log_groups", "logGroups",
            lambda n: _step("logs", "create_log_group", logGroupName=f"/g/{n:03}"),
        ),
    ],
)  # fmt: skip
def test_pages_hold_all_and_nothing_twice(
    emulator: Emulator, service: str, paged: str, key: str, make: Callable[[int], Step]
) -> None:
    account = next(_ACCOUNTS)
    sides = (FakeAccount(account, REGION).session().client(service), emulator.client(service, account))
    found = []
    for client in sides:
        for number in range(103):
            step = make(number)
            getattr(client, step.operation)(**step.arguments)
        pages = list(client.get_paginator(paged).paginate())
        names = [one.get("TopicArn") or one["logGroupName"] for page in pages for one in page[key]]
        assert len(names) == len(set(names)) == 103
        found.append(sorted(names))
    assert found[0] == found[1]
