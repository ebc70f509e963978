"""`call-refused`: what AWS refuses of an alarm is said once, and what nobody can know is left alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orders_obs.alerts.lint.cloudwatch.call_rules import _ANSWERS
from orders_obs.alerts.lint.cloudwatch.files import Unknown, read_alarms
from orders_obs.alerts.lint.cloudwatch.rules import lint_alarm, lint_alarms
from tests.alerts.aws_calls.cloudwatch_requests import BASES, WRONG, changed, right

CALLS = {"put_metric_alarm", "put_composite_alarm"}


def refused(arguments: dict[str, Any]) -> list[str]:
    return [f.message for f in lint_alarm(arguments, "x:1") if f.rule == "call-refused"]


def test_the_message_has_the_path_and_the_hint_says_what_would_be_right() -> None:
    operation, arguments = right("classic", {"Dimensions[0].Value": "größe"})
    assert operation in CALLS
    (found,) = [f for f in lint_alarm(arguments, "x:1") if f.rule == "call-refused"]
    assert (found.level, found.where) == ("error", "x:1")
    assert found.message.startswith("orders: AWS refuses it: Dimensions[0].Value: ")


@pytest.mark.parametrize("name", sorted(name for name, (call, _) in BASES.items() if call in CALLS))
def test_an_alarm_that_aws_takes_is_not_refused(name: str) -> None:
    assert refused(BASES[name][1]) == []


@pytest.mark.parametrize(
    ("base", "changes", "rule"),
    [
        ("classic", {"Period": 90}, "period-invalid"),
        ("classic", {"EvaluationPeriods": 1000}, "window-over-limit"),
        ("classic", {"DatapointsToAlarm": 9}, "datapoints-over-periods"),
        ("classic", {"EvaluationPeriods": 0, "DatapointsToAlarm": 0}, "datapoints-over-periods"),
        ("classic", {"AlarmDescription": "x" * 1025}, "over-limit"),
        ("classic", {"AlarmActions": BASES["classic"][1]["AlarmActions"] * 6}, "over-limit"),
        ("math", {"Metrics[1].MetricStat.Period": 300}, "mixed-periods"),
        ("math", {"Metrics[1].ReturnData": True}, "results-not-one"),
        ("math", {"Metrics[0].Expression": "SUM(SEARCH('{a} b', 'Sum', 60)) + m1"}, "search-in-alarm"),
        ("math", {"Metrics[0].Expression": "m1 / m9"}, "id-unknown"),
        ("math", {"Metrics[1].Id": "M1", "Metrics[0].Expression": "m2"}, "id-invalid"),
        ("math", {"AlarmActions": ["arn:aws:automate:eu-west-1:ec2:stop"]}, "ec2-action-impossible"),
        ("promql", {"Threshold": 5.0, "Period": 60}, "promql-with-threshold"),
        ("promql", {"EvaluationCriteria.PromQLCriteria.Query": "sum("}, "promql-invalid"),
    ],
)
def test_what_another_rule_says_is_not_said_twice(base: str, changes: dict[str, Any], rule: str) -> None:
    found = {f.rule for f in lint_alarm(right(base, changes)[1], "x:1") if f.level == "error"}
    assert found == {rule}


def test_what_is_wrong_with_a_composite_of_a_file_is_not_said_twice() -> None:
    content = {
        "CompositeAlarms": [
            right("composite", {"AlarmName": "a", "AlarmRule": "(ALARM(b)"})[1],
            right("composite", {"AlarmName": "b", "AlarmRule": "ALARM(b)"})[1],
            right("composite", {"AlarmName": "c", "ActionsSuppressorWaitPeriod": None})[1],
            right("composite", {"AlarmName": "d", "AlarmRule": "ALARM(a) ALARM(b)"})[1],
        ],
        "MetricAlarms": [],
    }
    file = read_alarms(json.dumps(content), Path("alarms.json"))
    assert file is not None
    found = {(f.message.partition(":")[0], f.rule) for f in lint_alarms(file) if f.level == "error"}
    found = {(name, rule) for name, rule in found if rule != "composite-child-unknown"}
    assert found == {
        ("a", "composite-rule-invalid"),
        ("b", "composite-cycle"),
        ("c", "suppressor-without-periods"),
        ("d", "composite-rule-invalid"),
    }


def test_what_describe_alarms_says_beside_the_arguments_is_no_argument() -> None:
    import botocore.session

    model = botocore.session.get_session().get_service_model("cloudwatch")
    for shape, operation in (("MetricAlarm", "PutMetricAlarm"), ("CompositeAlarm", "PutCompositeAlarm")):
        extra = set(model.shape_for(shape).members) - set(
            model.operation_model(operation).input_shape.members
        )
        assert extra <= _ANSWERS
    answer = right("classic")[1] | dict.fromkeys(_ANSWERS, "x") | {"Unit": None}
    assert refused(answer) == []


def test_numbers_that_a_template_writes_as_text_are_numbers() -> None:
    assert refused(right("classic", {"Threshold": "80", "ActionsEnabled": "true"})[1]) == []


@pytest.mark.parametrize("name", sorted(name for name, (call, _) in BASES.items() if call in CALLS))
def test_a_value_that_only_aws_knows_is_not_judged(name: str) -> None:
    arguments = BASES[name][1]
    for key in arguments:
        assert refused(arguments | {key: Unknown("${x}")}) == [], key


def test_every_wrong_alarm_has_a_finding_of_level_error() -> None:
    silent = []
    for source, base, changes, path in WRONG:
        operation, arguments = right(base, changes)
        given = {key: value for key, value in arguments.items() if value is not None}
        # Numbers as text are a template's way, and not every kind of file knows all the forms of an alarm.
        open_there = path in ("", "Threshold") or "x" * 100 in str(changes) or " + m1" * 400 in str(changes)
        if operation in CALLS and not open_there:
            findings = lint_alarms(_file(given))
            if not any(f.level == "error" for f in findings):
                silent.append((source, changes, path))
    assert silent == []


def _file(arguments: dict[str, Any]) -> Any:
    from orders_obs.alerts.lint.cloudwatch.files import AlarmFile, Placed

    placed = [Placed(changed(arguments, {}), "x:1")]
    composite = "AlarmRule" in arguments
    return AlarmFile(Path("x"), alarms=[] if composite else placed, composites=placed if composite else [])


def test_an_expression_of_any_length_is_read_or_passed_over():
    for terms in (2, 500, 20_000):
        alarm = {
            "AlarmName": "long",
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 1,
            "Threshold": 1.0,
            "Metrics": [{"Id": "e", "Expression": "+".join(["m1"] * terms), "ReturnData": True}],
        }
        assert lint_alarm(alarm, "long.json")
