"""Whatever the arguments are, there is an answer and no exception; and what random catalogues build is never refused."""

from __future__ import annotations

import contextlib
import copy
import json
from datetime import UTC
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders_obs.alerts import load
from orders_obs.alerts.aws_calls import _rules, validate
from orders_obs.alerts.aws_calls.alarm_rule import RuleError, read_rule
from orders_obs.alerts.aws_calls.expressions import expression_faults, kind_of, tree
from orders_obs.alerts.aws_calls.promql_query import query_fault
from orders_obs.alerts.aws_calls.schedules import (
    duration_seconds,
    is_time_zone,
    schedule_fault,
    wall_clock_zone_fault,
)
from orders_obs.alerts.compile.aws import compile_state
from orders_obs.errors import UserError
from tests.alerts import random_catalogues
from tests.alerts.aws_calls.cloudwatch_requests import BASES

WORDS = st.sampled_from(
    ["", "a", "ALARM(", "m1", "SELECT", "SUM(", "IF(m1,", ")", "cron(", "at(2026-", "P", "PT1H", "arn:aws:sns:", "{", '"', "\\", "\x00", "\udc80", "ü", "🔥", "1", "-", "@", "(" * 300]
)  # fmt: skip
TEXTS = st.lists(WORDS, max_size=6).map("".join) | st.text(max_size=20)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXTS
    | st.binary(max_size=4)
    | st.datetimes(timezones=st.just(UTC) | st.none())
    | st.just(10**500)
    | st.builds(object)
    | st.decimals()
)
NAMES = (
    st.sampled_from(["Metrics", "Id", "Expression", "Tags", "Key", "Dimensions", "Name", "MetricStat", "Period", "AlarmRule", "Rule", "Schedule", "ReturnData"])
    | st.text(max_size=5)
    | st.integers()
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
OPERATIONS = sorted(_rules())


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(OPERATIONS), ANYTHING)
def test_arguments_of_any_kind_have_an_answer(operation: str, arguments: Any) -> None:
    found = validate(operation, arguments)
    assert found == validate(operation, arguments)
    assert all(str(problem).splitlines() for problem in found)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    return [path, *(place for key, child in children for place in _places(child, (*path, key)))]


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_right_request_with_one_value_that_is_anything_has_an_answer(data: st.DataObject) -> None:
    operation, arguments = data.draw(st.sampled_from(list(BASES.values())))
    made: Any = copy.deepcopy(arguments)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(_places(made)[1:] or [()]))
        if place:
            at: Any = made
            for key in place[:-1]:
                at = at[key]
            at[place[-1]] = data.draw(ANYTHING)
    validate(operation, made)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_no_text_breaks_a_parser(text: str) -> None:
    with contextlib.suppress(RuleError):
        assert read_rule(text).elements >= 0
    assert all(fault.message for fault in expression_faults(text, {"m1": "series"}))
    term = tree(text)
    assert term is None or kind_of(term, lambda name: None) in ("number", "series", "array", "unknown")
    for check in (schedule_fault, wall_clock_zone_fault, query_fault):
        assert isinstance(check(text), str)
    assert is_time_zone(text) in (True, False)
    assert duration_seconds(text) is None or duration_seconds(text) >= 0  # type: ignore[operator]  # a number here
    validate("put_dashboard", {"DashboardName": "a", "DashboardBody": text})


@settings(max_examples=200, deadline=None)
@given(ANYTHING)
def test_no_body_of_a_dashboard_breaks_its_rules(content: Any) -> None:
    for body in (content, {"widgets": content}, {"widgets": [{"type": "metric", "properties": content}]}):
        text = json.dumps(body, default=str, skipkeys=True)
        validate("put_dashboard", {"DashboardName": "a", "DashboardBody": text})


MINUTES = st.sampled_from([1, 5, 60, 90, 1440])


@st.composite
def rules(draw: st.DrawFn, depth: int = 0) -> str:
    """Rules of composite alarms that are right."""
    name = draw(
        st.sampled_from(
            ["a", '"a b"', '"a (b), \\"c\\""', "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a"]
        )
    )
    state = draw(st.sampled_from(["ALARM", "OK", "INSUFFICIENT_DATA"]))
    kind = draw(st.integers(0, 3 if depth > 2 else 6))
    if kind < 2:
        return f"{state}({name})"
    if kind == 2:
        return draw(st.sampled_from(["TRUE", "FALSE"]))
    if kind == 3:
        return f"AT_LEAST({draw(st.sampled_from(['1', '50%']))}, {draw(st.sampled_from(['', 'NOT ']))}{state}, ({name}, {name}))"
    if kind == 4:
        return f"NOT {draw(rules(depth + 1))}"
    if kind == 5:
        return f"({draw(rules(depth + 1))})"
    return f"{draw(rules(depth + 1))} {draw(st.sampled_from(['AND', 'OR']))} {draw(rules(depth + 1))}"


@settings(max_examples=300, deadline=None)
@given(rules())
def test_rules_made_by_the_grammar_are_read_and_a_cut_one_is_not(rule: str) -> None:
    assert read_rule(rule).elements >= 1
    for broken in (f"{rule} AND", f"({rule}", f"{rule})", f"{rule} {rule}"):
        try:
            read_rule(broken)
        except RuleError:
            continue
        raise AssertionError(broken)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(random_catalogues.catalogues())
def test_what_random_catalogues_build_is_never_refused(drawn: random_catalogues.Drawn) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        catalogue = load(drawn.write(Path(folder)))
    for environment in catalogue.environments:
        try:
            state = compile_state(catalogue.resolve(environment))
        except UserError:
            continue
        calls = [("put_metric_alarm", arguments) for arguments in state.metric_alarms]
        calls += [("put_composite_alarm", arguments) for arguments in state.composite_alarms]
        calls += [("put_alarm_mute_rule", arguments) for arguments in state.mute_rules]
        for call, arguments in calls:
            assert validate(call, arguments) == [], arguments
