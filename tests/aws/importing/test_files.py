"""Alarms of files that lint can read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from orders_obs.alerts import load
from orders_obs.alerts.compile.outputs import build
from orders_obs.aws.normal import comparable
from tests.aws.importing.conftest import TOPICS, World
from tests.aws.importing.test_command import alarms_of

Said = Callable[[], str]
ALARM = {
    "AlarmName": "queue-old", "Namespace": "AWS/SQS", "MetricName": "ApproximateAgeOfOldestMessage", "Statistic": "Maximum", "Period": 60,
    "EvaluationPeriods": 5, "Threshold": 300.5, "ComparisonOperator": "GreaterThanThreshold", "ActionsEnabled": False,
    "AlarmActions": [f"{TOPICS}:shop-critical-production"], "Dimensions": [{"Name": "QueueName", "Value": "orders"}],
}  # fmt: skip
COMPOSITE = {
    "AlarmName": "any",
    "AlarmRule": "ALARM(queue-old) OR FALSE",
    "AlarmActions": [f"{TOPICS}:shop-alerts-production"],
}
TERRAFORM = {
    "resource": {
        "aws_cloudwatch_metric_alarm": {
            "old": {
                "alarm_name": "queue-old", "namespace": "AWS/SQS", "metric_name": "ApproximateAgeOfOldestMessage", "statistic": "Maximum",
                "period": "60", "evaluation_periods": 5, "threshold": "300.5", "comparison_operator": "GreaterThanThreshold",
                "actions_enabled": False, "alarm_actions": [f"{TOPICS}:shop-critical-production"],
                "dimensions": {"QueueName": "orders"},
            }
        },
        "aws_cloudwatch_composite_alarm": {
            "any": {"alarm_name": "any", "alarm_rule": "ALARM(queue-old) OR FALSE", "alarm_actions": [f"{TOPICS}:shop-alerts-production"]}
        },
    }
}  # fmt: skip


def template(alarm: dict[str, Any]) -> dict[str, Any]:
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            "Old": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
            "Any": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": COMPOSITE},
        },
    }


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("alarms.json", {"MetricAlarms": [{**ALARM, "StateValue": "OK", "AlarmArn": "arn"}], "CompositeAlarms": [COMPOSITE]}),
        ("alarms.json", [ALARM, COMPOSITE]),
        ("template.json", template(ALARM)),
        ("template.yaml", template(ALARM)),
        ("main.tf.json", TERRAFORM),
    ],
)  # fmt: skip
def test_alarms_of_a_file_come_into_the_catalogue_as_they_are_there(
    world: World, said: Said, name: str, content: Any
) -> None:
    file = world.folder.parent / name
    file.write_text(json.dumps(content) if name.endswith("json") else yaml.safe_dump(content))
    target = world.folder / "imported.yaml"
    assert world.run("--rules-file", str(file), "-o", str(target)) == 0
    words = said()
    assert ("DeletionPolicy: Retain" in words, "terraform state rm" in words) == (
        "template" in name,
        "tf" in name,
    )
    world.include()
    made = alarms_of(world.path)
    assert comparable("metric-alarm", made["queue-old"]) == comparable("metric-alarm", ALARM)
    assert comparable("composite-alarm", made["any"]) == comparable("composite-alarm", COMPOSITE)
    assert not world.account.calls


def test_what_only_aws_knows_cannot_be_imported_from_a_file(world: World, said: Said) -> None:
    alarm = {**ALARM, "Dimensions": [{"Name": "QueueName", "Value": {"Ref": "Queue"}}]}
    file = world.folder.parent / "template.json"
    file.write_text(json.dumps(template(alarm)))
    assert world.run("--rules-file", str(file)) == 1
    words = said()
    assert "queue-old: its Dimensions[0].Value" in words
    assert "import it by its name from AWS" in words


def test_a_broken_alarm_of_a_file_is_refused_by_its_name_and_the_others_can_be_had(
    world: World, said: Said
) -> None:
    file = world.folder.parent / "alarms.json"
    file.write_text(json.dumps([{**ALARM, "AlarmName": "broken", "Period": "often"}, ALARM]))
    assert world.run("--rules-file", str(file)) == 1
    assert "broken: the language cannot hold it: Period: 'often' is no whole number" in said()
    assert world.run("--rules-file", str(file), "--skip-refused") == 0
    assert "1 imported, 1 refused" in said()


def test_names_choose_from_a_file_too(world: World, said: Said) -> None:
    file = world.folder.parent / "alarms.json"
    file.write_text(json.dumps([ALARM, COMPOSITE]))
    assert world.run("any", "--rules-file", str(file)) == 0
    text = said()
    assert "any:" in text
    assert "queue_old:" not in text
    assert world.run("nay", "--rules-file", str(file)) == 2


def test_what_is_imported_is_exported_as_it_is(world: World) -> None:
    file = world.folder.parent / "alarms.json"
    file.write_text(json.dumps([ALARM, COMPOSITE]))
    assert world.run("--rules-file", str(file), "-o", str(world.folder / "imported.yaml")) == 0
    world.include()
    resolved = load(world.path).resolve("production")
    made = json.loads(next(iter(build(resolved, "cloudformation")[0].values())))["Resources"]
    composite = made["CompositeAlarmAny"]
    assert composite["Properties"]["AlarmRule"] == "ALARM(queue-old) OR FALSE"
    assert "AlarmQueueOld" in composite["DependsOn"]
    assert "AlarmDescription" not in composite["Properties"]
    terraform = json.loads(next(iter(build(resolved, "terraform", imports=True)[0].values())))
    old = terraform["resource"]["aws_cloudwatch_metric_alarm"]["queue-old"]
    assert (old["threshold"], old["actions_enabled"], "ok_actions" in old) == (300.5, False, False)
    other = terraform["resource"]["aws_cloudwatch_composite_alarm"]["any"]
    assert other["depends_on"] == ["aws_cloudwatch_metric_alarm.queue-old"]
    assert {"to": "aws_cloudwatch_metric_alarm.queue-old", "id": "queue-old"} in terraform["import"]
