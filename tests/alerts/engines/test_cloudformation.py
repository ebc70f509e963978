"""CloudFormation templates, judged by cfn-lint and its copies of AWS's resource schemas."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint

from orders_obs.alerts import load
from orders_obs.alerts.compile import outputs
from orders_obs.alerts.compile.aws import compile_state
from orders_obs.alerts.compile.cloudformation import template
from orders_obs.alerts.compile.sns import RETRIES
from orders_obs.errors import UserError
from tests.alerts.engines import grammar
from tests.alerts.engines.conftest import Built
from tests.alerts.test_catalogue import write
from tests.alerts.test_engines import HEAD, catalogue


def findings(content: dict[str, Any]) -> list[str]:
    """What cfn-lint says, notes included."""
    matches = lint(json.dumps(content), regions=["eu-west-1"], config=ManualArgs(regions=["eu-west-1"]))
    return [f"{match.rule.id} {'/'.join(map(str, match.path or ()))}: {match.message}" for match in matches]


def made(built: Built) -> dict[str, Any]:
    return template(built.catalogue, built.state)


def test_cfn_lint_finds_nothing_in_it(built: Built) -> None:
    assert findings(made(built)) == []


# The first resource of each kind, broken in a way that its schema forbids.
BROKEN: dict[str, dict[str, Any]] = {
    "Alarm": {
        "EvaluationCriteria": {"PromQLCriteria": {"Expression": "up"}},
        "EvaluationWindow": {"WallClock": {}},
    },
    "Alias": {"AliasName": None},
    "AlarmMuteRule": {"Rule": {"Schedule": {"Expression": "cron(0 2 * * *)"}}},
    "CompositeAlarm": {"ActionsSuppressorWaitPeriod": "soon"},
    "Key": {"KeyPolicy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Actions": "kms:*"}]}},
    "LogGroup": {"RetentionInDays": 31},
    "Permission": {"Action": None},
    "ResourcePolicy": {"PolicyDocument": ["a"]},
    "Rule": {"State": "ON"},
    "Subscription": {"Address": "orders@example.com"},
    "Topic": {"Encrypted": True},
    "TopicPolicy": {"PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Maybe"}]}},
}


def test_cfn_lint_knows_each_kind_of_resource_and_each_property_that_is_new(wide: Built) -> None:
    content = copy.deepcopy(made(wide))
    first: dict[str, str] = {}
    for name, resource in content["Resources"].items():
        first.setdefault(resource["Type"].rpartition("::")[2], name)
    assert first.keys() == BROKEN.keys()
    for kind, name in first.items():
        content["Resources"][name]["Properties"] |= BROKEN[kind]
    said = "\n".join(findings(content))
    assert {kind for kind, name in first.items() if f"Resources/{name}/Properties" not in said} == set()
    for word in ("PromQLCriteria", "WallClock"):
        assert word in said


def test_nothing_of_the_desired_state_is_left_out(built: Built) -> None:
    state, resources = built.state, made(built)["Resources"].values()
    kinds = [resource["Type"] for resource in resources]
    assert kinds.count("AWS::CloudWatch::Alarm") == len(state.metric_alarms)
    assert kinds.count("AWS::CloudWatch::CompositeAlarm") == len(state.composite_alarms)
    assert kinds.count("AWS::CloudWatch::AlarmMuteRule") == len(state.mute_rules)
    assert kinds.count("AWS::Events::Rule") == len(state.rules)
    assert kinds.count("AWS::SNS::Topic") == kinds.count("AWS::SNS::TopicPolicy") == len(state.topics)
    assert kinds.count("AWS::SNS::Subscription") == len(state.subscriptions)
    assert kinds.count("AWS::Logs::LogGroup") == len(state.log_groups)
    assert kinds.count("AWS::KMS::Key") == (state.key is not None)


def test_what_an_alarm_needs_is_made_before_it(built: Built) -> None:
    resources = made(built)["Resources"]
    alarms = {
        resource["Properties"]["AlarmName"]: name
        for name, resource in resources.items()
        if "AlarmName" in resource["Properties"]
    }
    for resource in resources.values():
        waits = set(resource.get("DependsOn", []))
        content = resource["Properties"]
        if resource["Type"] == "AWS::CloudWatch::CompositeAlarm":
            names = [*grammar.rule(content["AlarmRule"]).names, content.get("ActionsSuppressor", "")]
            assert {alarms[name] for name in names if name} <= waits
        if resource["Type"] == "AWS::CloudWatch::AlarmMuteRule":
            assert {alarms[name] for name in content["MuteTargets"]["AlarmNames"]} == waits
        if "AlarmName" in content and content.get("AlarmActions"):
            assert {
                name for name, other in resources.items() if other["Type"] == "AWS::SNS::TopicPolicy"
            } <= waits


def test_no_secret_is_in_it_only_where_it_is_kept(wide: Built) -> None:
    endpoints = [
        resource["Properties"]["Endpoint"]
        for resource in made(wide)["Resources"].values()
        if resource["Type"] == "AWS::SNS::Subscription" and resource["Properties"]["Protocol"] == "https"
    ]
    assert endpoints == ["{{resolve:secretsmanager:orders/pagerduty-url}}"]


def test_what_goes_over_https_is_tried_for_an_hour_in_the_template_as_well(wide: Built) -> None:
    policies = {
        resource["Properties"]["Protocol"]: resource["Properties"].get("DeliveryPolicy")
        for resource in made(wide)["Resources"].values()
        if resource["Type"] == "AWS::SNS::Subscription"
    }
    assert policies.pop("https") == {"healthyRetryPolicy": RETRIES}
    assert set(policies.values()) == {None}


def test_a_logical_id_is_as_long_as_cloudformation_takes(tmp_path: Path) -> None:
    name = "a" * 63
    alerts = "".join(
        f"  {name[:-1]}{letter}: {{signal: orders_created, {name}: {{above: 5 orders, over: 1m}}}}\n"
        for letter in "bc"
    )
    head = (
        HEAD.replace("critical:", f"{name}:")
        .replace("  test:", f"  {name}:")
        .replace("service: shop\n", f"service: {name}\n")
    )
    resolved = load(write(tmp_path, head + alerts)).resolve(name)
    content = template(resolved, compile_state(resolved))
    assert findings(content) == []
    alarms = [key for key, made in content["Resources"].items() if made["Type"] == "AWS::CloudWatch::Alarm"]
    assert [len(key) for key in alarms] == [255, 255]


def test_more_resources_than_a_template_may_declare_are_refused(tmp_path: Path) -> None:
    alerts = "".join(
        f"  cpu_{number}: {{signal: rds_cpu, critical: {{above: 80%, over: 5m}}}}\n" for number in range(500)
    )
    with pytest.raises(UserError, match=r"has 50[0-9] resources, and CloudFormation takes 500"):
        outputs.build(catalogue(tmp_path, alerts), "cloudformation")
