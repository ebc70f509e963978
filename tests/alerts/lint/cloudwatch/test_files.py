"""Alarms are read the same from whatever form they are written in, and a broken file is refused with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from orders_obs.alerts.lint.cloudwatch.files import AlarmFile, Unknown, read_alarms
from orders_obs.alerts.lint.cloudwatch.rules import lint_alarms
from orders_obs.errors import UserError
from orders_obs.findings import render

SAMPLES = Path(__file__).parent / "samples"
WEBHOOK = "https://hooks.slack.com/services/T0000/B0000/not-a-real-one"


def read(text: str, name: str = "alarms.json") -> AlarmFile:
    found = read_alarms(text, Path(name))
    assert found is not None
    return found


def template(resources: dict[str, Any], **more: Any) -> AlarmFile:
    return read(json.dumps({"Resources": resources, **more}), "template.json")


def alarm(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


def one(resource: dict[str, Any], **more: Any) -> dict[str, Any]:
    (found,) = template({"One": resource}, **more).alarms
    return found.arguments


EXPECTED = {
    ("metric-unknown", "error", "orders-errors"),
    ("dimension-value-form", "error", "orders-errors"),
    ("datapoints-over-periods", "error", "orders-latency"),
    ("threshold-scale", "warning", "orders-latency"),
    ("threshold-scale", "warning", "orders-error-rate"),
    ("ratio-without-minimum", "info", "orders-error-rate"),
    ("ratio-of-nothing", "warning", "orders-error-rate"),
    ("mixed-periods", "error", "orders-error-rate"),
    ("composite-state-impossible", "warning", "orders-bad"),
    ("suppressor-without-periods", "error", "orders-bad"),
}


@pytest.mark.parametrize(
    ("name", "hears_no_end"),
    [("describe-alarms.json", 4), ("template.yaml", 4), ("alarms.tf.json", 4), ("plan.json", 0)],
)
def test_the_same_alarms_have_the_same_findings_in_each_form(name: str, hears_no_end: int) -> None:
    """In a plan whom the alarms tell is known after apply, so nothing is said of it."""
    path = SAMPLES / name
    file = read(path.read_text(), name)
    assert (len(file.alarms), len(file.composites)) == (3, 1)
    findings = lint_alarms(file)
    found = {(f.rule, f.level, f.message.partition(":")[0]) for f in findings}
    assert {finding for finding in found if finding[0] != "missing-ok-action"} == EXPECTED
    assert sum(finding[0] == "missing-ok-action" for finding in found) == hears_no_end


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("describe-alarms.json", '"AlarmName": "orders-latency"'),
        ("template.yaml", "  Latency:"),
        ("alarms.tf.json", '"latency": ['),
        ("plan.json", '"address": "module.alarms.aws_cloudwatch_metric_alarm.orders_latency"'),
    ],
)
def test_a_finding_stands_at_the_line_where_the_alarm_begins(name: str, mark: str) -> None:
    text = (SAMPLES / name).read_text()
    line = next(number for number, row in enumerate(text.splitlines(), 1) if mark in row)
    (found,) = [f for f in lint_alarms(read(text, name)) if f.rule == "datapoints-over-periods"]
    number = int(found.where.rpartition(":")[2])
    # In a list an alarm begins at the brace above its name.
    assert number in ({line} if name in ("template.yaml", "alarms.tf.json") else {line - 1})
    assert found.where == f"{name}:{number}"


def test_a_template_in_json_is_read_as_the_one_in_yaml() -> None:
    class Loader(yaml.SafeLoader):
        pass

    def long(loader: Any, suffix: str, node: Any) -> Any:
        value = (
            loader.construct_scalar(node)
            if isinstance(node, yaml.ScalarNode)
            else loader.construct_sequence(node, deep=True)
        )
        if suffix == "GetAtt":
            value = value.split(".")
        return {suffix if suffix == "Ref" else f"Fn::{suffix}": value}

    Loader.add_multi_constructor("!", long)
    text = (SAMPLES / "template.yaml").read_text()
    as_json = json.dumps(yaml.load(text, Loader=Loader), default=str)
    one, other = read(text, "t.yaml"), read(as_json, "t.json")
    assert [placed.arguments for placed in one.alarms] == [placed.arguments for placed in other.alarms]
    assert [placed.arguments for placed in one.composites] == [
        placed.arguments for placed in other.composites
    ]
    assert (one.topics[0].names, one.topics[0].attributes) == (
        other.topics[0].names,
        other.topics[0].attributes,
    )


def test_one_alarm_and_a_list_of_alarms_are_read() -> None:
    both = json.loads((SAMPLES / "describe-alarms.json").read_text())
    single = both["MetricAlarms"][0]
    assert [placed.arguments for placed in read(json.dumps(single)).alarms] == [single]
    listed = read(json.dumps([*both["MetricAlarms"], *both["CompositeAlarms"]], indent=1))
    assert (len(listed.alarms), len(listed.composites)) == (3, 1)
    assert listed.alarms[0].where == "alarms.json:2"


def test_a_json_that_yaml_cannot_read_costs_the_lines_only() -> None:
    text = '{"AlarmName": "a",\n\t"AlarmDescription": "\\ud83d\\ude00 \\/",\n\t"Period": 45}'
    (found,) = read(text).alarms
    assert found.arguments["AlarmDescription"] == "\U0001f600 /"


# CloudFormation


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Given"}, "orders"),
        ({"Ref": "Open"}, Unknown("${Open}")),
        ({"Ref": "Secret"}, Unknown("${Secret}")),
        ({"Ref": "AWS::Region"}, Unknown("${AWS::Region}")),
        ({"Fn::Sub": "${Given}-cpu"}, "orders-cpu"),
        ({"Fn::Sub": "${Open}-cpu"}, Unknown("${Open}-cpu")),
        ({"Fn::Sub": ["${a}-${!b}", {"a": {"Ref": "Given"}}]}, "orders-${b}"),
        ({"Fn::Join": ["/", ["app", {"Ref": "Given"}]]}, "app/orders"),
        ({"Fn::If": ["Big", "same", "same"]}, "same"),
        ({"Fn::If": ["Big", "one", "other"]}, Unknown('${Fn::If ["Big", "one", "other"]}')),
        ({"Fn::ImportValue": "x"}, Unknown('${Fn::ImportValue "x"}')),
        ("{{resolve:ssm:/a}}", Unknown("{{resolve:ssm:/a}}")),
    ],
)
def test_an_intrinsic_function_is_resolved_as_far_as_the_template_goes(value: Any, expected: Any) -> None:
    parameters = {
        "Given": {"Type": "String", "Default": "orders"},
        "Open": {"Type": "String"},
        "Secret": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/path"},
    }
    assert one(alarm(AlarmDescription=value), Parameters=parameters)["AlarmDescription"] == expected


def test_no_value_is_as_if_left_out() -> None:
    assert "Unit" not in one(alarm(Unit={"Ref": "AWS::NoValue"}, OKActions=[{"Ref": "AWS::NoValue"}]))
    assert one(alarm(OKActions=[{"Ref": "AWS::NoValue"}]))["OKActions"] == []


def test_an_alarm_without_a_name_has_its_logical_id_and_a_reference_to_it_means_it() -> None:
    rule = {"Fn::Sub": "ALARM(${One}) OR ALARM(${Two.Arn})"}
    file = template(
        {
            "One": alarm(),
            "Two": alarm(AlarmName={"Fn::Sub": "${Stage}-two"}),
            "All": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": rule}},
        }
    )
    assert [placed.arguments["AlarmName"] for placed in file.alarms] == ["One", Unknown("${Stage}-two")]
    assert "composite-child-unknown" not in {finding.rule for finding in lint_alarms(file)}


def test_a_name_that_refers_to_itself_ends() -> None:
    one(alarm(AlarmName={"Ref": "One"}))


def test_policies_and_subscriptions_of_a_topic_are_found_by_reference() -> None:
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish"}
    file = template(
        {
            "One": alarm(AlarmActions=[{"Ref": "Topic"}]),
            "Topic": {
                "Type": "AWS::SNS::Topic",
                "Properties": {
                    "KmsMasterKeyId": "alias/aws/sns",
                    "Subscription": [{"Protocol": "https", "Endpoint": WEBHOOK}],
                },
            },
            "Policy": {
                "Type": "AWS::SNS::TopicPolicy",
                "Properties": {"Topics": [{"Ref": "Topic"}], "PolicyDocument": {"Statement": [statement]}},
            },
        }
    )
    findings = lint_alarms(file)
    rules = {finding.rule for finding in findings}
    assert {"topic-key-of-aws", "topic-without-policy", "slack-on-sns"} <= rules
    assert "topic-without-subscription" not in rules
    assert "T0000" not in render(findings, as_json=False) + render(findings, as_json=True)


# Terraform


def terraform(resource: Any, **more: Any) -> AlarmFile:
    return read(json.dumps({"resource": resource, **more}), "main.tf.json")


def test_variables_and_locals_are_filled_in_and_the_rest_is_unknown() -> None:
    block = {
        "alarm_name": "${local.name}-${var.kind}",
        "alarm_description": "${var.open}",
        "namespace": "$${not} a reference",
        "unit": "%{ if true }x%{ endif }",
    }
    file = terraform(
        {"aws_cloudwatch_metric_alarm": {"one": block}},
        variable=[{"kind": {"default": "cpu"}}, {"open": {}}],
        locals={"name": "${var.kind}s"},
    )
    (found,) = file.alarms
    assert found.arguments == {
        "AlarmName": "cpus-cpu",
        "AlarmDescription": Unknown("${var.open}"),
        "Namespace": "${not} a reference",
        "Unit": Unknown("%{ if true }x%{ endif }"),
    }


def test_locals_that_refer_to_each_other_end() -> None:
    file = terraform(
        {"aws_cloudwatch_metric_alarm": {"one": {"alarm_name": "${local.a}"}}},
        locals={"a": "${local.b}", "b": "${local.a}"},
    )
    assert isinstance(file.alarms[0].arguments["AlarmName"], Unknown)


def test_an_alarm_for_each_item_is_no_clash_and_no_duplicate() -> None:
    block: dict[str, Any] = {
        "alarm_name": "${each.key}",
        "for_each": "${toset([1])}",
        "metric_name": "A",
        "namespace": "B",
        "statistic": "Sum",
    }
    block |= {
        "dimensions": {"X": "${each.value}"},
        "comparison_operator": "GreaterThanThreshold",
        "threshold": 1,
        "period": 60,
        "evaluation_periods": 1,
    }
    file = terraform({"aws_cloudwatch_metric_alarm": {"one": block, "two": block}})
    assert {finding.rule for finding in lint_alarms(file)} == {"no-action"}


def test_a_topic_policy_and_an_event_rule_of_terraform_are_read() -> None:
    pattern = {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Service Action"],
        "detail": {"eventName": ["deploymentStateChanged"]},
    }
    file = terraform(
        {
            "aws_cloudwatch_metric_alarm": {
                "one": {"alarm_name": "one", "alarm_actions": ["${aws_sns_topic.t.arn}"]}
            },
            "aws_sns_topic": {"t": {"name": "t"}},
            "aws_sns_topic_policy": {"t": {"arn": "${aws_sns_topic.t.arn}", "policy": '{"Statement": []}'}},
            "aws_cloudwatch_event_rule": {
                "known": {"name": "known", "event_pattern": json.dumps(pattern)},
                "open": {"name": "open", "event_pattern": "${jsonencode({})}"},
            },
        }
    )
    assert file.topics[0].policy == {"Statement": []}
    rules = {finding.rule for finding in lint_alarms(file)}
    assert {"topic-without-policy", "event-pattern-matches-nothing"} <= rules


# What is none, and what is broken


@pytest.mark.parametrize(
    "text",
    [
        "",
        "words",
        "{}",
        "[]",
        "groups: []\n",
        "{ broken",
        '["AlarmName"]',
        '{"resource": {"aws_instance": {}}}',
        "Resources: {One: {Type: AWS::S3::Bucket}}\n",
        '{"values": {"aws_sns_topic": 1}}',
    ],
)
def test_a_file_of_another_form_is_left_to_others(text: str) -> None:
    assert read_alarms(text, Path("x.json")) is None


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('{"MetricAlarms": [\n  {"AlarmName": "a",}\n]}', 2, "is not JSON"),
        ("AlarmName: [\n", 2, "is not YAML"),
        ("AlarmName: !!python/name:os.system\n", 1, "is not YAML"),
        ('{"MetricAlarms":\n {}}', 1, "`MetricAlarms` must be a list"),
        ('{"metric_alarms": [],\n "topics": {}}', 2, "`topics` must be a list"),
        ('{"metric_alarms": [],\n "rules": [{"EventPattern": "{"}]}', 2, "is not JSON"),
        ('{"MetricAlarms": [\n 1]}', 2, "an alarm must be a mapping"),
        ("AWSTemplateFormatVersion: 1\nResources:\n  One: words\n", 3, "resource One must be a mapping"),
        (
            "Resources:\n  One:\n    Type: AWS::CloudWatch::Alarm\n    Properties: [x]\n",
            4,
            "must be a mapping",
        ),
        ('{"resource": {\n"aws_cloudwatch_metric_alarm": 1}}', 2, "must be a mapping"),
        ('{"resource": {"aws_cloudwatch_metric_alarm": {\n"one": "x"}}}', 2, "must be a mapping"),
        ('{"planned_values": {"root_module": {\n"resources": {"a": 1}}}}', 2, "must be a list"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(UserError) as caught:
        read_alarms(text, Path("x.json"))
    assert said in str(caught.value)
    assert (caught.value.file, caught.value.line) == (Path("x.json"), line)
