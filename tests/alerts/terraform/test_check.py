"""The judge of Terraform documents lets a good one pass, and finds each mistake that is put into it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orders_obs.errors import EnvironmentFault
from tests.alerts.terraform import check as judge
from tests.alerts.terraform.check import check, check_all

Document = dict[str, Any]

TOPIC = "${aws_sns_topic.pages.arn}"
POLICY = json.dumps({"Statement": [{"Resource": "$${aws_sns_topic.nobody.arn}"}]})
GOOD: Document = {
    "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": ">= 6.0"}}},
    "provider": {
        "aws": [
            {
                "region": "eu-west-1",
                "allowed_account_ids": ["111122223333"],
                "default_tags": {"tags": {"A_b": "c"}},
            }
        ]
    },
    "data": {
        "aws_secretsmanager_secret_version": {"pagerduty": {"secret_id": "orders/pagerduty-url"}},
        "aws_iam_policy_document": {
            "publish": {
                "statement": [
                    {
                        "actions": ["sns:Publish"],
                        "resources": [TOPIC],
                        "principals": {"type": "Service", "identifiers": ["cloudwatch.amazonaws.com"]},
                        "condition": [
                            {
                                "test": "StringEquals",
                                "variable": "aws:SourceAccount",
                                "values": ["111122223333"],
                            }
                        ],
                    }
                ]
            }
        },
    },
    "resource": {
        "aws_kms_key": {"alerts": {"description": "alerts", "enable_key_rotation": True, "policy": POLICY}},
        "aws_kms_alias": {
            "alerts": {"name": "alias/alerts", "target_key_id": "${aws_kms_key.alerts.key_id}"}
        },
        "aws_sns_topic": {
            "pages": {
                "name": "pages",
                "kms_master_key_id": "alias/alerts",
                "tags": {"managed-by": "orders-obs"},
            }
        },
        "aws_sns_topic_policy": {
            "pages": {"arn": TOPIC, "policy": "${data.aws_iam_policy_document.publish.json}"}
        },
        "aws_sns_topic_subscription": {
            "pagerduty": {
                "topic_arn": TOPIC,
                "protocol": "https",
                "endpoint": "${data.aws_secretsmanager_secret_version.pagerduty.secret_string}",
                "endpoint_auto_confirms": True,
            }
        },
        "aws_cloudwatch_log_group": {"events": {"name": "/alerts/events", "retention_in_days": 30}},
        "aws_cloudwatch_log_resource_policy": {
            "events": {"policy_name": "events", "policy_document": POLICY},
        },
        "aws_cloudwatch_event_rule": {
            "task-stopped": {"name": "task-stopped", "event_pattern": "{}", "state": "ENABLED"},
        },
        "aws_cloudwatch_event_target": {
            "task-stopped": {
                "rule": "${aws_cloudwatch_event_rule.task-stopped.name}",
                "target_id": "pages",
                "arn": TOPIC,
                "input_transformer": {
                    "input_paths": {"Task_arn": "$.detail.taskArn"},
                    "input_template": '"<Task_arn>"',
                },
            }
        },
        "aws_cloudwatch_metric_alarm": {
            "error_rate": {
                "alarm_name": "error_rate",
                "comparison_operator": "GreaterThanThreshold",
                "evaluation_periods": 1,
                "threshold": 1e-05,
                "treat_missing_data": "ignore",
                "alarm_actions": [TOPIC, "arn:aws:sns:eu-west-1:111122223333:other"],
                "ok_actions": [TOPIC],
                "metric_query": [
                    {"id": "ratio", "expression": "bad / all", "label": "errors", "return_data": True},
                    {
                        "id": "bad",
                        "return_data": False,
                        "metric": [
                            {
                                "namespace": "AWS/ApplicationELB",
                                "metric_name": "HTTPCode_Target_5XX_Count",
                                "dimensions": {"LoadBalancer": "app/orders/0"},
                                "period": 300,
                                "stat": "Sum",
                            }
                        ],
                    },
                ],
            },
            "cpu": {
                "alarm_name": "cpu",
                "alarm_description": "of ${aws_sns_topic.pages.name}",
                "comparison_operator": "GreaterThanThreshold",
                "evaluation_periods": 5,
                "datapoints_to_alarm": "${aws_cloudwatch_log_group.events.retention_in_days}",
                "namespace": "AWS/ECS",
                "metric_name": "CPUUtilization",
                "dimensions": {"ServiceName": "orders", "ClusterName": "orders"},
                "period": 60,
                "statistic": "Average",
                "threshold": 80.0,
                "unit": None,
                "lifecycle": {"create_before_destroy": True},
            },
        },
        "aws_cloudwatch_composite_alarm": {
            "page": {
                "alarm_name": "page",
                "alarm_rule": 'ALARM("error_rate")',
                "alarm_actions": [TOPIC],
                "actions_suppressor": {"alarm": "cpu", "wait_period": 60, "extension_period": 60},
                "depends_on": ["aws_cloudwatch_metric_alarm.error_rate", "aws_cloudwatch_metric_alarm.cpu"],
            }
        },
    },
    "import": [
        {"to": "aws_cloudwatch_metric_alarm.cpu", "id": "cpu"},
        {"to": "aws_sns_topic.pages", "id": "arn:aws:sns:eu-west-1:111122223333:pages"},
    ],
    "moved": [{"from": "aws_cloudwatch_metric_alarm.load", "to": "aws_cloudwatch_metric_alarm.cpu"}],
}


def test_a_good_document_passes(tmp_path: Path) -> None:
    assert check(GOOD, tmp_path) == []


def _put(path: str, value: Any) -> Callable[[Document], None]:
    """A mistake: `value` at a path."""

    def mistake(document: Document) -> None:
        *way, last = path.split("/")
        target: Any = document
        for step in way:
            target = target[int(step) if step.isdecimal() else step]
        target[int(last) if last.isdecimal() else last] = value

    return mistake


def _drop(path: str) -> Callable[[Document], None]:
    """A mistake: nothing at a path."""

    def mistake(document: Document) -> None:
        *way, last = path.split("/")
        target: Any = document
        for step in way:
            target = target[int(step) if step.isdecimal() else step]
        del target[last]

    return mistake


CPU = "resource/aws_cloudwatch_metric_alarm/cpu"
RATE = "resource/aws_cloudwatch_metric_alarm/error_rate"
METRIC = f"{RATE}/metric_query/1/metric/0"
ALARM = "aws_cloudwatch_metric_alarm"

MISTAKES: dict[str, tuple[Callable[[Document], None], str, str]] = {
    "unknown attribute": (_put(f"{CPU}/treshold", 1), f"{ALARM}.cpu.treshold", "treshold"),
    "unknown attribute of a nested block": (
        _put(f"{METRIC}/statistic", "Sum"),
        f"{ALARM}.error_rate.metric_query[1].metric.statistic",
        "statistic",
    ),
    "unknown attribute of data": (
        _put("data/aws_iam_policy_document/publish/statement/0/action", ["sns:Publish"]),
        "data.aws_iam_policy_document.publish.statement[0].action",
        "action",
    ),
    "unknown attribute of the provider": (
        _put("provider/aws/0/regoin", "x"),
        "provider.aws[0].regoin",
        "regoin",
    ),
    "an attribute in camelCase": (_put(f"{CPU}/alarmActions", []), f"{ALARM}.cpu.alarmActions", "snake case"),
    "an attribute that only the provider sets": (_put(f"{CPU}/arn", "x"), f"{ALARM}.cpu.arn", "arn"),
    "an id, which no resource takes": (_put(f"{CPU}/id", "x"), f"{ALARM}.cpu.id", "id"),
    "text for a number": (_put(f"{CPU}/period", "60"), f"{ALARM}.cpu.period", "number"),
    "a number for text": (_put(f"{CPU}/unit", 1), f"{ALARM}.cpu.unit", "string"),
    "text for a truth value": (
        _put(f"{CPU}/actions_enabled", "yes"),
        f"{ALARM}.cpu.actions_enabled",
        "boolean",
    ),
    "text for a list": (_put(f"{CPU}/alarm_actions", "arn:x"), f"{ALARM}.cpu.alarm_actions", "string[]"),
    "a number in a list of text": (_put(f"{CPU}/ok_actions", [1]), f"{ALARM}.cpu.ok_actions[0]", "string"),
    "a number in a map of text": (_put(f"{CPU}/tags", {"a": 1}), f"{ALARM}.cpu.tags.a", "string"),
    "a list for a map": (_put(f"{CPU}/tags", ["a"]), f"{ALARM}.cpu.tags", "Index signature"),
    "dimensions as the API has them": (
        _put(f"{CPU}/dimensions", [{"Name": "a", "Value": "b"}]),
        f"{ALARM}.cpu.dimensions[0]",
        "string",
    ),
    "a wrong type in a nested block": (
        _put(f"{METRIC}/period", [300]),
        f"{ALARM}.error_rate.metric_query[1].metric.period",
        "number",
    ),
    "required attribute missing": (_drop(f"{CPU}/alarm_name"), f"{ALARM}.cpu", "alarmName"),
    "required attribute null": (
        _put("resource/aws_sns_topic_policy/pages/policy", None),
        "aws_sns_topic_policy.pages.policy",
        "undefined",
    ),
    "required attribute of a nested block missing": (
        _drop(f"{METRIC}/stat"),
        f"{ALARM}.error_rate.metric_query[1].metric",
        "stat",
    ),
    "required attribute of data missing": (
        _drop("data/aws_secretsmanager_secret_version/pagerduty/secret_id"),
        "data.aws_secretsmanager_secret_version.pagerduty",
        "secretId",
    ),
    "misspelt block": (
        _put(f"{CPU}/metric_querys", []),
        f"{ALARM}.cpu.metric_querys",
        "Did you mean to write 'metricQuery'",
    ),
    "misspelt block in a block": (
        _put(f"{RATE}/metric_query/0/metrics", {}),
        f"{ALARM}.error_rate.metric_query[0].metrics",
        "metrics",
    ),
    "two blocks where one may stand": (
        _put(f"{RATE}/metric_query/1/metric", [{"metric_name": "a", "period": 60, "stat": "Sum"}] * 2),
        f"{ALARM}.error_rate.metric_query[1].metric",
        "Metric",
    ),
    "a reference for a block": (
        _put(f"{RATE}/metric_query", TOPIC),
        f"{ALARM}.error_rate.metric_query",
        "string",
    ),
    "unknown kind of resource": (
        _put("resource/aws_cloudwatch_alarm", {"a": {}}),
        "aws_cloudwatch_alarm",
        "no such",
    ),
    "unknown kind of data": (_put("data/aws_secret", {"a": {}}), "data.aws_secret", "no such data"),
    "a kind of resource that is written otherwise": (
        _put("resource/aws_sns-topic", {"a": {"name": "a"}}),
        "aws_sns-topic",
        "no such resource",
    ),
    "a label that is none": (_put("resource/aws_sns_topic/1 a", {"name": "a"}), "aws_sns_topic.1 a", "label"),
    "a reference to a resource that is not there": (
        _put(f"{CPU}/ok_actions", ["${aws_sns_topic.nobody.arn}"]),
        f"{ALARM}.cpu.ok_actions[0]",
        "aws_sns_topic.nobody",
    ),
    "a reference to an attribute that is not there": (
        _put(f"{CPU}/alarm_description", "see ${aws_sns_topic.pages.address}"),
        f"{ALARM}.cpu.alarm_description",
        "address",
    ),
    "a template without its end": (
        _put(f"{CPU}/alarm_description", "costs ${5"),
        f"{ALARM}.cpu.alarm_description",
        "$${",
    ),
    "a dependency that is not there": (
        _put("resource/aws_cloudwatch_composite_alarm/page/depends_on", ["aws_sns_topic.nobody"]),
        "aws_cloudwatch_composite_alarm.page.depends_on",
        "aws_sns_topic.nobody",
    ),
    "an import of a resource that is not there": (
        _put("import/0/to", "aws_sns_topic.nobody"),
        "import[0].to",
        "aws_sns_topic.nobody",
    ),
    "an import by a template, which Terraform cannot read": (
        _put("import/0/to", "${aws_sns_topic.pages}"),
        "import[0].to",
        "bare address",
    ),
    "an import of data": (
        _put("import/0/to", "data.aws_iam_policy_document.publish"),
        "import[0].to",
        "bare address",
    ),
    "an import without an id": (_drop("import/0/id"), "import[0]", "id"),
    "one resource imported twice": (_put("import/0/to", "aws_sns_topic.pages"), "import", "2 times"),
    "a move to a resource that is not there": (
        _put("moved/0/to", f"{ALARM}.nobody"),
        "moved[0].to",
        f"{ALARM}.nobody",
    ),
    "a move from a resource that is still there": (
        _put("moved/0/from", f"{ALARM}.error_rate"),
        "moved[0].from",
        "still",
    ),
    "a move to another kind": (_put("moved/0/from", "aws_sns_topic.old"), "moved[0]", "another kind"),
    "an unknown section": (_put("resources", {}), "resources", "section"),
    "the provider's source missing": (
        _drop("terraform/required_providers/aws/source"),
        "terraform.required_providers.aws",
        "hashicorp/aws",
    ),
}


def _wrong(*mistakes: Callable[[Document], None]) -> Document:
    document = copy.deepcopy(GOOD)
    for mistake in mistakes:
        mistake(document)
    return document


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What the judge says of each mistake, put into a document of its own."""
    documents = {name: _wrong(mistake) for name, (mistake, _, _) in MISTAKES.items()}
    return check_all(documents, tmp_path_factory.mktemp("mistakes"))


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_where_it_stands(name: str, judged: dict[str, list[str]]) -> None:
    _, place, says = MISTAKES[name]
    assert [found for found in judged[name] if found.startswith(f"{place}: ") and says in found], judged[name]


def test_mistakes_in_several_resources_are_found_together(tmp_path: Path) -> None:
    document = _wrong(_put(f"{CPU}/period", "60"), _put("resource/aws_sns_topic/pages/nmae", "x"))
    places = [found.partition(":")[0] for found in check(document, tmp_path)]
    assert sorted(places) == ["aws_cloudwatch_metric_alarm.cpu.period", "aws_sns_topic.pages.nmae"]


@pytest.mark.parametrize(("installed", "found"), [({}, "nothing"), ({"version": "0.0.1"}, "0.0.1")])
def test_without_the_types_of_the_lock_it_says_how_to_get_them(
    installed: dict[str, str], found: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "package.json").write_text(json.dumps({"devDependencies": {"some/provider-aws": "1.2.3"}}))
    if installed:
        manifest = tmp_path / "node_modules/some/provider-aws/package.json"
        manifest.parent.mkdir(parents=True)
        manifest.write_text(json.dumps(installed))
    monkeypatch.setattr(judge, "_HERE", tmp_path)
    with pytest.raises(EnvironmentFault, match=rf"1\.2\.3, and found {found}; run `make terraform-types`"):
        check(GOOD, tmp_path)


def test_without_node_it_says_what_it_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFault, match=r"Node\.js"):
        check(GOOD, tmp_path)
