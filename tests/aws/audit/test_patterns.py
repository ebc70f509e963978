from __future__ import annotations

from typing import Any

import pytest

from orders_obs.aws.audit.patterns import Free, matches
from orders_obs.aws.audit.schedules import covers_all, seconds_of

_SAMPLE: dict[str, Any] = {
    "source": "aws.cloudwatch",
    "region": Free(),
    "count": 5,
    "on": True,
    "resources": ["arn:a", "arn:b"],
    "detail": {
        "alarmName": "shop-cpu-critical",
        "state": {"value": "ALARM"},
        "dimensions": [{"name": "a"}, {"name": "b"}],
    },
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({}, True),
        ({"source": ["aws.cloudwatch"]}, True),
        ({"source": ["aws.ec2", "aws.cloudwatch"]}, True),
        ({"source": ["aws.ec2"]}, False),
        ({"severity": ["critical"]}, False),
        ({"region": ["eu-west-1"]}, None),
        ({"region": [{"exists": True}]}, True),
        ({"severity": [{"exists": False}]}, True),
        ({"source": [{"exists": False}]}, False),
        ({"resources": ["arn:b"]}, True),
        ({"resources": [{"prefix": "arn:"}]}, True),
        ({"detail": {"alarmName": [{"prefix": "shop-"}]}}, True),
        ({"detail": {"alarmName": [{"suffix": "-warning"}]}}, False),
        ({"detail": {"alarmName": [{"wildcard": "shop-*-critical"}]}}, True),
        ({"detail": {"alarmName": [{"wildcard": "shop-?pu-critical"}]}}, False),
        ({"detail": {"alarmName": [{"equals-ignore-case": "SHOP-CPU-CRITICAL"}]}}, True),
        ({"detail": {"alarmName": [{"anything-but": ["shop-cpu-critical"]}]}}, False),
        ({"detail": {"alarmName": [{"anything-but": {"prefix": "test-"}}]}}, True),
        ({"detail": {"alarmName": [{"prefix": {"equals-ignore-case": "SHOP"}}]}}, True),
        ({"detail": {"state": {"value": ["ALARM"]}}}, True),
        ({"detail": {"state": {"value": ["OK"]}}}, False),
        ({"detail": {"dimensions": {"name": ["b"]}}}, True),
        ({"detail": {"gone": {"value": ["x"]}}}, False),
        ({"count": [{"numeric": [">", 4, "<=", 5]}]}, True),
        ({"count": [{"numeric": ["=", 6]}]}, False),
        ({"count": [5]}, True),
        ({"on": [1]}, False),
        ({"$or": [{"source": ["aws.ec2"]}, {"count": [5]}]}, True),
        ({"$or": [{"source": ["aws.ec2"]}, {"region": ["x"]}]}, None),
        ({"source": [{"cidr": "10.0.0.0/8"}]}, None),
        ({"source": "aws.cloudwatch"}, None),
        ("nonsense", None),
    ],
)
def test_a_pattern_is_held_against_a_message(pattern: Any, expected: bool | None) -> None:
    assert matches(pattern, _SAMPLE) is expected


@pytest.mark.parametrize(
    ("expression", "duration", "expected"),
    [
        ("cron(0 2 * * *)", "PT2H", False),
        ("cron(0 0 * * *)", "P1D", True),
        ("cron(0 0 * * *)", "PT23H59M", False),
        ("cron(0 * * * *)", "PT1H", True),
        ("cron(0,30 * * * *)", "PT30M", True),
        ("cron(0 0 * * SUN)", "P7D", True),
        ("cron(0 0 * * SUN)", "P6D", False),
        ("cron(0 0 * * MON-FRI)", "P3D", True),
        ("cron(0 0 1 * *)", "P15D", False),
        ("cron(0 0 1,15 * *)", "P15D", False),
        ("cron(0 0 1,8,15,22 * *)", "P15D", True),
        ("cron(0 0 * JAN-DEC *)", "P1D", True),
        ("cron(0 0 * JAN *)", "P1D", False),
        ("at(2026-11-25T02:00)", "P15D", False),
        ("cron(0 0 L * ?)", "P15D", False),
        ("cron(0 0 * * *)", "a day", False),
        ("", "", False),
    ],
)
def test_windows_that_leave_no_minute_free_mute_for_ever(
    expression: str, duration: str, expected: bool
) -> None:
    assert covers_all(expression, duration) is expected


def test_durations_are_read_as_iso_8601_has_them() -> None:
    assert [seconds_of(text) for text in ("P1DT2H30M", "PT1M", "P15D", "", "PT", "1h")] == [
        95400,
        60,
        1296000,
        None,
        None,
        None,
    ]
