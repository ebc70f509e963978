"""What AWS refuses of CloudWatch is refused here before any call, and what it takes is not."""

from __future__ import annotations

from typing import Any

import pytest

from orders_obs.alerts.aws_calls import validate
from tests.alerts.aws_calls.cloudwatch_requests import RIGHT, WRONG, right
from tests.alerts.engines.conftest import CATALOGUES, build


@pytest.mark.parametrize(
    ("source", "base", "changes", "path"),
    WRONG,
    ids=[f"{n}-{row[1]}-{row[3]}" for n, row in enumerate(WRONG)],
)
def test_what_aws_refuses_is_refused_at_its_place(
    source: str, base: str, changes: dict[str, Any], path: str
) -> None:
    found = validate(*right(base, changes))
    assert path in [problem.path for problem in found], f"{source}: {found}"
    assert all(problem.message and len(str(problem)) < 700 for problem in found)


@pytest.mark.parametrize(("base", "changes"), RIGHT, ids=[f"{n}-{row[0]}" for n, row in enumerate(RIGHT)])
def test_what_aws_takes_is_not_refused(base: str, changes: dict[str, Any]) -> None:
    assert validate(*right(base, changes)) == []


@pytest.mark.parametrize("name", sorted(CATALOGUES))
def test_nothing_that_our_own_compiler_builds_is_refused(name: str) -> None:
    state = build(name).state
    calls = [("put_metric_alarm", arguments) for arguments in state.metric_alarms]
    calls += [("put_composite_alarm", arguments) for arguments in state.composite_alarms]
    calls += [("put_alarm_mute_rule", arguments) for arguments in state.mute_rules]
    assert calls
    assert {
        str(problem): arguments for call, arguments in calls for problem in validate(call, arguments)
    } == {}
