"""The walk over botocore's models: stricter than botocore, of the right service, and never an exception."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from orders_obs.alerts.aws_calls import Problem, find_problems, shapes, validate
from orders_obs.alerts.aws_calls.reading import shown
from orders_obs.errors import UserError
from tests.alerts.aws_calls.cloudwatch_requests import BASES, changed, right


def paths(operation: str, arguments: Any) -> list[str]:
    return [problem.path for problem in validate(operation, arguments)]


@pytest.mark.parametrize(
    ("method", "arguments", "service"),
    [
        ("put_metric_alarm", {}, "cloudwatch"),
        ("put_rule", {}, "events"),
        ("subscribe", {}, "sns"),
        ("put_resource_policy", {"policyName": "a", "policyDocument": "{}"}, "logs"),
        ("put_resource_policy", {"SecretId": "a", "ResourcePolicy": "{}"}, "secretsmanager"),
        ("tag_resource", {"ResourceArn": "arn:aws:sns:eu-west-1:111122223333:a", "Tags": []}, "sns"),
        ("tag_resource", {"ResourceARN": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a", "Tags": []}, "cloudwatch"),
        ("tag_resource", {"ResourceARN": "arn:aws:events:eu-west-1:111122223333:rule/a", "Tags": []}, "events"),
        ("tag_resource", {"resourceArn": "arn:aws:logs:eu-west-1:111122223333:log-group:a", "tags": {}}, "logs"),
        ("tag_resource", {"KeyId": "a", "Tags": []}, "kms"),
        ("tag_resource", {"SecretId": "a", "Tags": []}, "secretsmanager"),
        ("untag_resource", {"KeyId": "a", "TagKeys": []}, "kms"),
        ("list_tags_for_resource", {"resourceArn": "arn:aws:logs:eu-west-1:111122223333:log-group:a"}, "logs"),
        ("list_tags_for_resource", {"ResourceArn": "arn:aws:sns:eu-west-1:111122223333:a"}, "sns"),
        ("delete_alarms", {"Name": 1}, "cloudwatch"),
    ],
)  # fmt: skip
def test_the_arguments_tell_which_service_a_method_is_of(
    method: str, arguments: dict[str, Any], service: str
) -> None:
    found = shapes.find_operation(method, arguments)
    assert found is not None
    assert found[0] == service


def test_the_methods_of_more_than_one_service_are_known_so_that_not_all_models_must_be_read() -> None:
    counts = Counter(method for service in shapes.SERVICES for method in shapes._operations(service))
    assert {method for method, count in counts.items() if count > 1} <= shapes._SHARED


def test_an_unknown_operation_is_the_users_mistake_and_names_a_near_one() -> None:
    with pytest.raises(UserError, match="did you mean put_metric_alarm"):
        validate("put_metric_alarms", {})
    with pytest.raises(UserError, match="no operation"):
        validate("PutMetricAlarm", {})


def test_every_operation_of_the_rules_is_one_that_botocore_has() -> None:
    from orders_obs.alerts.aws_calls import _rules

    assert {name for name in _rules() if shapes.find_operation(name, {}) is None} == set()


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"Threshold": "5"}, "Threshold", "text"),
        ({"Threshold": float("inf")}, "Threshold", "no number that AWS can take"),
        ({"Threshold": 10**400}, "Threshold", "no number that AWS can take"),
        ({"Threshold": True}, "Threshold", "True or False"),
        ({"EvaluationPeriods": 3.0}, "EvaluationPeriods", "whole number"),
        ({"AlarmName": b"a"}, "AlarmName", "bytes"),
        ({"AlarmName": None}, "AlarmName", "None"),
        ({"AlarmName": "\udcff"}, "AlarmName", "Unicode"),
        ({"Dimensions": "a"}, "Dimensions", "a list"),
        ({"Dimensions": ["a"]}, "Dimensions[0]", "names and values"),
        ({"Dimensions": [{"Name": "a", "Value": "b", "Unit": "c"}]}, "Dimensions[0].Unit", "no argument"),
        ({"Treshold": 5.0}, "Treshold", "no argument"),
        ({7: 5.0}, "7", "no argument"),
        ({"Statistic": "sum"}, "Statistic", "values"),
        ({"Namespace": ":a"}, "Namespace", "form"),
        ({"AlarmActions": ["arn:aws:sns:eu-west-1:111122223333:a"] * 6}, "AlarmActions", "limit"),
    ],
)  # fmt: skip
def test_the_walk_is_strict_where_botocore_is_not(changes: dict[Any, Any], path: str, message: str) -> None:
    operation, arguments = right("classic")
    found = [problem for problem in validate(operation, {**arguments, **changes}) if problem.path == path]
    assert any(message in problem.message for problem in found), found


def test_numbers_and_times_of_every_form_that_boto3_takes_are_taken() -> None:
    operation, arguments = right("classic")
    for threshold in (5, 5.5, Decimal("5.5"), -(2**60)):
        assert validate(operation, {**arguments, "Threshold": threshold}) == []
    mute, arguments = right("mute")
    for moment in (
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1),  # noqa: DTZ001  # boto3 takes it as UTC
        "2026-01-01T00:00:00Z",
        1_760_000_000,
        1.5e9,
    ):
        assert validate(mute, {**arguments, "StartDate": moment}) == []


def test_a_tuple_is_a_list_and_no_value_that_was_given_is_shown_where_its_type_is_wrong() -> None:
    operation, arguments = right("classic")
    assert validate(operation, {**arguments, "AlarmActions": tuple(arguments["AlarmActions"])}) == []
    (problem,) = validate("put_secret_value", {"SecretId": "a", "SecretString": ["hunter2"]})
    assert "hunter2" not in str(problem)


def test_the_problems_come_in_the_order_of_their_paths_with_numbers_as_numbers() -> None:
    operation, arguments = right("classic")
    dimensions = [{"Name": f"d{n}", "Value": "ü"} for n in range(12)]
    found = paths(operation, {**arguments, "Dimensions": dimensions, "AlarmName": "", "Period": 7})
    assert found == ["AlarmName", *(f"Dimensions[{n}].Value" for n in range(12)), "Period"]
    assert found == paths(operation, {**arguments, "Dimensions": dimensions, "AlarmName": "", "Period": 7})


def test_arguments_that_are_none_are_one_problem() -> None:
    for arguments in (None, [], "a", 5, b"", object()):
        (problem,) = validate("put_metric_alarm", arguments)  # type: ignore[arg-type]  # on purpose
        assert problem.path == ""


def test_a_problem_reads_as_one_line() -> None:
    assert (
        str(Problem("Metrics[0].Id", "the id 'M'", "a lower-case letter"))
        == "Metrics[0].Id: the id 'M'; a lower-case letter"
    )
    assert str(Problem("", "none of them")) == "none of them"
    assert str(Problem("Period", "Period is missing")) == "Period is missing"  # not said twice


def test_without_botocore_the_rules_still_judge_and_an_unknown_operation_is_still_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "botocore", None)
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    operation, arguments = right("classic")
    assert validate(operation, arguments) == []
    assert paths(operation, {**arguments, "Period": 90}) == ["Period"]
    with pytest.raises(UserError):
        validate("nothing", {})


class Later:
    """A value that nobody knows yet."""


def test_what_is_not_known_is_taken_to_be_right_wherever_it_stands() -> None:
    for name, (operation, arguments) in BASES.items():
        for key in arguments:
            made = {**arguments, key: Later()}
            assert find_problems(operation, made, unknown=(Later,)) == [], (name, key)
    operation, arguments = right(
        "math", {"EvaluateLowSampleCountPercentile": "ignore", "Metrics[1].MetricStat.Stat": "p99"}
    )
    assert find_problems(operation, {**arguments, "Metrics": Later()}, unknown=(Later,)) == []
    for path in ("Metrics[0]", "Metrics[0].Id", "Metrics[0].Expression", "Metrics[0].ReturnData", "Metrics[1].MetricStat",
                 "Metrics[1].MetricStat.Period", "Metrics[1].MetricStat.Metric", "Metrics[1].Id"):  # fmt: skip
        assert find_problems(operation, changed(arguments, {path: Later()}), unknown=(Later,)) == [], path


def test_numbers_as_text_are_taken_where_the_caller_is_a_template() -> None:
    operation, arguments = right(
        "classic", {"Threshold": "80.5", "EvaluationPeriods": "3", "ActionsEnabled": "true"}
    )
    assert find_problems(operation, arguments, loose=True) == []
    found = find_problems(
        operation, {**arguments, "EvaluationPeriods": "many", "ActionsEnabled": "on"}, loose=True
    )
    assert {problem.path for problem in found} == {"EvaluationPeriods", "ActionsEnabled"}


def test_every_exception_names_a_constraint_that_a_model_has_and_says_why() -> None:
    import botocore.session

    for (service, shape, constraint), reason in shapes.EXCEPTIONS.items():
        model = botocore.session.get_session().get_service_model(service)
        assert constraint in model.shape_for(shape).metadata, (service, shape)
        assert len(reason) > 20


def test_every_pattern_of_the_models_is_read_but_for_the_few_that_python_cannot() -> None:
    unread, count = set(), 0
    for service in shapes.SERVICES:
        for model in shapes._operations(service).values():
            todo, seen = [model.input_shape], set()
            while todo:
                shape = todo.pop()
                if shape is None or shape.name in seen:
                    continue
                seen.add(shape.name)
                if pattern := shape.metadata.get("pattern"):
                    count += 1
                    if shapes.pattern_of(pattern) is None:
                        unread.add((service, shape.name))
                todo += {"structure": lambda s: list(s.members.values()), "list": lambda s: [s.member], "map": lambda s: [s.key, s.value]}.get(
                    shape.type_name, lambda s: []
                )(shape)  # fmt: skip
    assert count > 1000
    # Classes of marks, signs and punctuation, in texts that a person reads.
    assert {service for service, _ in unread} <= {"cloudwatch", "ssm"}
    assert len(unread) < 10


def test_long_values_are_cut_in_messages() -> None:
    assert len(shown("x" * 10_000)) < 100
    assert shown(10**5000) == "int"
