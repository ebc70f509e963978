"""What the relay is in AWS, judged by cfn-lint and by the Terraform provider's published types; and that it may do no more than it does."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint

from orders_obs.errors import EnvironmentFault
from orders_obs.relay.envelope import TopicArn, parse_topic
from orders_obs.relay.infrastructure import Deployment, cloudformation, terraform
from tests.alerts.terraform.check import check
from tests.relay.sns import TOPIC, WARNINGS

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def topic(text: str) -> TopicArn:
    found = parse_topic(text)
    assert found is not None
    return found


def deployment(key: str = "", secrets: tuple[str, ...] = ("orders/slack-webhook",)) -> Deployment:
    return Deployment(
        name="orders-alert-relay-production",
        environment="production",
        topics=(topic(TOPIC), topic(WARNINGS)),
        alarms_topic=topic(TOPIC),
        secrets=secrets,
        variables=(("ORDERS_OBS_RELAY_TOPICS", f"{TOPIC},{WARNINGS}"),),
        key=key,
    )


def findings(template: dict[str, Any]) -> list[str]:
    matches = lint(json.dumps(template), regions=["eu-west-1"], config=ManualArgs(regions=["eu-west-1"]))
    return [f"{match.rule.id} {'/'.join(map(str, match.path or ()))}: {match.message}" for match in matches]


@pytest.mark.parametrize("key", ["", KEY])
def test_cfn_lint_finds_nothing_in_it(key: str) -> None:
    assert findings(cloudformation(deployment(key))) == []


# Each kind of resource, broken in a way that its schema forbids.
BROKEN: dict[str, dict[str, Any]] = {
    "Function": {"Runtime": "python2"},
    "DeadLetters": {"MessageRetentionPeriod": 9_999_999},
    "Logs": {"RetentionInDays": 31},
    "Role": {"AssumeRolePolicyDocument": {"Statement": [{"Effect": "Maybe"}]}},
    "Retries": {"MaximumRetryAttempts": 9},
    "Permission1": {"Action": None},
    "ErrorsAlarm": {"ComparisonOperator": "Above"},
}


def test_cfn_lint_knows_each_kind_of_resource() -> None:
    template = copy.deepcopy(cloudformation(deployment()))
    kinds = {name: resource["Type"] for name, resource in template["Resources"].items()}
    assert {kinds[name] for name in BROKEN} == set(kinds.values())
    for name, change in BROKEN.items():
        template["Resources"][name]["Properties"] |= change
    said = "\n".join(findings(template))
    assert [name for name in BROKEN if f"Resources/{name}" not in said] == []


def judged(document: dict[str, Any], folder: Path) -> list[str]:
    # The judge knows resources; what is put out is Terraform's own.
    shown = {name: section for name, section in document.items() if name != "output"}
    try:
        return check(shown, folder)
    except EnvironmentFault as fault:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(fault))


def test_the_providers_types_take_each_resource_and_attribute(tmp_path: Path) -> None:
    assert judged(terraform(deployment(KEY)), tmp_path) == []


def test_the_judge_of_terraform_sees_what_is_wrong(tmp_path: Path) -> None:
    document = terraform(deployment())
    for kind in document["resource"]:
        for resource in document["resource"][kind].values():
            resource["no_such"] = 1
    said = "\n".join(judged(document, tmp_path))
    assert [kind for kind in document["resource"] if kind not in said] == []


def test_terraform_reads_it(tmp_path: Path) -> None:
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("terraform is not installed")
    (tmp_path / "relay.tf.json").write_text(json.dumps(terraform(deployment(KEY))))
    environment = os.environ | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "NO_COLOR": "1"}
    done = subprocess.run(
        [program, "providers"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def statements(found: Deployment) -> dict[str, Any]:
    document = terraform(found)["resource"]["aws_iam_role_policy"]["relay"]["policy"]
    return {statement["Sid"]: statement for statement in json.loads(document)["Statement"]}


def test_the_function_may_do_what_it_does_and_nothing_more() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:orders/hook-a1b2c3"
    found = statements(deployment(KEY, ("orders/slack-webhook", arn)))
    actions = {sid: statement["Action"] for sid, statement in found.items()}
    assert actions == {
        "Logs": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "DeadLetters": "sqs:SendMessage",
        "Addresses": "secretsmanager:GetSecretValue",
        "AddressesKey": "kms:Decrypt",
    }
    # Secrets Manager adds six characters of its own to a name; the name of another secret may begin like it.
    assert found["Addresses"]["Resource"] == [
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:orders/slack-webhook-??????",
        arn,
    ]
    assert found["AddressesKey"]["Condition"] == {
        "StringEquals": {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"}
    }
    assert "*" not in [statement["Resource"] for statement in found.values()]
    assert set(statements(deployment(secrets=()))) == {"Logs", "DeadLetters"}


def test_both_engines_say_the_same() -> None:
    resources = cloudformation(deployment(KEY))["Resources"]
    role = json.dumps(resources["Role"]["Properties"]["Policies"][0]["PolicyDocument"])
    role = role.replace('{"Fn::GetAtt": ["Logs", "Arn"]}', '"${aws_cloudwatch_log_group.relay.arn}:*"')
    role = role.replace('{"Fn::GetAtt": ["DeadLetters", "Arn"]}', '"${aws_sqs_queue.dead_letters.arn}"')
    document = terraform(deployment(KEY))["resource"]
    assert json.loads(role) == json.loads(document["aws_iam_role_policy"]["relay"]["policy"])
    function, other = resources["Function"]["Properties"], document["aws_lambda_function"]["relay"]
    for ours, theirs in [
        ("Runtime", "runtime"),
        ("Handler", "handler"),
        ("Timeout", "timeout"),
        ("MemorySize", "memory_size"),
    ]:
        assert function[ours] == other[theirs]
    assert function["Environment"]["Variables"] == other["environment"][0]["variables"]
    permitted = [
        item["Properties"]["SourceArn"]
        for item in resources.values()
        if item["Type"] == "AWS::Lambda::Permission"
    ]
    assert (
        permitted
        == [item["source_arn"] for item in document["aws_lambda_permission"].values()]
        == [TOPIC, WARNINGS]
    )


def test_alarms_on_the_relay_itself_go_to_the_topic_with_a_second_path() -> None:
    alarms = [
        item["Properties"]
        for item in cloudformation(deployment())["Resources"].values()
        if item["Type"].endswith("Alarm")
    ]
    assert [alarm["MetricName"] for alarm in alarms] == ["Errors", "ApproximateNumberOfMessagesVisible"]
    for alarm in alarms:
        assert alarm["AlarmActions"] == alarm["OKActions"] == [TOPIC]
        assert alarm["AlarmName"].endswith("-critical")
