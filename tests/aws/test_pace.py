"""Calls are spaced evenly, each operation for itself, and never above AWS's quota."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders_obs.aws.pace import CALLS_PER_SECOND, Pace, seconds_for
from tests.aws.fake.account import RATES
from tests.aws.fake.base import Clock

settings.register_profile("ci", derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def moments(operations: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """When each call went out, where so many seconds go by before it."""
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    found = []
    for operation, before in operations:
        clock.seconds += before
        pace.wait(operation)
        found.append((operation, clock()))
    return found


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["PutMetricAlarm", "DeleteAlarms", "DescribeAlarms"]), st.floats(0, 2)), max_size=60
    )
)  # fmt: skip
def test_no_second_has_more_calls_of_an_operation_than_its_quota(operations: list[tuple[str, float]]) -> None:
    found = moments(operations)
    for operation in {name for name, _ in found}:
        times = [at for name, at in found if name == operation]
        for start in times:
            assert sum(start <= at < start + 1 - 1e-6 for at in times) <= CALLS_PER_SECOND[operation]


def test_calls_that_come_rarely_wait_for_nothing() -> None:
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    for _ in range(5):
        pace.wait("PutMetricAlarm")
        clock.seconds += 0.34
    assert clock.slept == []


def test_operations_do_not_wait_for_each_other() -> None:
    found = moments(
        [("PutMetricAlarm", 0), ("PutCompositeAlarm", 0), ("DeleteAlarms", 0), ("PutMetricAlarm", 0)]
    )
    assert [at for _, at in found] == [0, 0, 0, pytest.approx(1 / 3)]


def test_time_that_was_not_used_is_not_saved_up() -> None:
    found = moments(
        [("PutMetricAlarm", 0), ("PutMetricAlarm", 10), ("PutMetricAlarm", 0), ("PutMetricAlarm", 0)]
    )
    assert [round(at, 3) for _, at in found] == [0, 10, 10.333, 10.667]


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(["PutMetricAlarm", "DescribeAlarms", "PutTargets", "ListTagsForResource"]), st.integers(1, 30), min_size=1))  # fmt: skip
def test_the_expected_time_is_that_of_the_calls_one_after_the_other(counts: dict[str, int]) -> None:
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    for operation, count in counts.items():
        for _ in range(count):
            pace.wait(operation)
        clock.seconds = max(clock.seconds, pace._free_at[operation])
    assert seconds_for(counts) == pytest.approx(clock())


def test_what_the_quotas_do_not_name_is_read_faster_than_written() -> None:
    assert seconds_for({"PutSomething": 4}) == pytest.approx(1)
    assert seconds_for({"ListSomething": 10}) == pytest.approx(1)


def test_no_operation_is_called_faster_than_the_quota_that_aws_states() -> None:
    for name, quota in RATES.items():
        operation = "".join(word.capitalize() for word in name.partition(".")[2].split("_"))
        ours = 1 / seconds_for({operation: 1})
        assert ours <= quota, operation
