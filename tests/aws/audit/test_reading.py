"""What may be called, what becomes of a refusal, what is kept for the next run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import boto3
import pytest
from botocore import xform_name

from orders_obs.aws.audit.reading import READS, policy
from orders_obs.aws.audit.resume import Answers
from orders_obs.aws.audit.rules import RULES
from orders_obs.errors import EnvironmentFault, UserError
from tests.aws.audit.seeds import DEFECTS, sound
from tests.aws.audit.world import World
from tests.aws.fake.base import Refused


def test_every_call_of_the_audit_only_reads() -> None:
    # The world refuses what is not in the table, and the table has nothing that writes.
    for service, operation in READS:
        assert operation.startswith(("describe_", "list_", "get_", "batch_get_"))
        client = boto3.client(service, region_name="eu-west-1")
        assert operation in {xform_name(name) for name in client.meta.service_model.operation_names}
    world = sound(World())
    for _, _, seed in DEFECTS:
        seed(world)
    world.read(history=True)
    assert {tuple(call.split(":")) for call in world.calls} - {("sts", "get_caller_identity")} <= set(READS)


def test_every_call_in_the_source_is_in_the_table() -> None:
    folder = Path(__file__).parents[3] / "orders_obs" / "aws" / "audit"
    called = set()
    for path in folder.glob("*.py"):
        called |= set(
            re.findall(r'reader\.(?:pages|pages_of|call)\(\s*"([a-z0-9]+)",\s*"([a-z_]+)"', path.read_text())
        )
    assert called == set(READS)


def test_the_policy_has_what_is_called_and_no_more() -> None:
    (statement,) = policy(history=False, all_regions=False)["Statement"]
    assert set(READS.values()) - set(statement["Action"]) == {
        "cloudwatch:DescribeAlarmHistory",
        "ec2:DescribeRegions",
    }
    (statement,) = policy(history=True, all_regions=True)["Statement"]
    assert set(statement["Action"]) == set(READS.values())
    assert all(
        re.fullmatch(r"[a-z0-9]+:(Describe|List|Get|BatchGet)\w+", action) for action in statement["Action"]
    )
    assert {need for rule in RULES.values() for need in rule.needs} <= set(READS.values())


def test_each_action_of_the_policy_is_one_that_iam_knows() -> None:
    from cfnlint.api import lint
    from cfnlint.config import ManualArgs

    def judged(document: dict[str, object]) -> set[str]:
        resource = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}
        found = lint(
            json.dumps({"Resources": {"Policy": resource}}), config=ManualArgs(regions=["eu-west-1"])
        )
        return {match.message.split("'")[1].lower() for match in found if match.rule.id == "W3037"}

    document = policy(history=True, all_regions=True)
    # Mute rules are newer than cfn-lint's copy of the Service Authorization Reference.
    assert judged(document) <= {
        "cloudwatch:listalarmmuterules",
        "listalarmmuterules",
        "cloudwatch:getalarmmuterule",
        "getalarmmuterule",
    }
    document["Statement"][0]["Action"].append("sns:GetTopicAttributez")
    assert any("gettopicattributez" in name for name in judged(document))


@pytest.mark.parametrize(
    "operation", sorted({name for _, name in READS} - {"describe_alarms", "describe_regions"})
)
def test_a_right_that_lacks_is_said_with_the_rules_that_need_it_and_the_rest_still_runs(
    operation: str,
) -> None:
    world = sound(World())
    for _, _, seed in DEFECTS:
        seed(world)
    world.alarm(
        "never",
        Namespace="AWS/RDS",
        Dimensions=[{"Name": "DBInstanceIdentifier", "Value": "orders"}],
        Threshold=100.0,
    )
    world.denied = {operation}
    result = world.result(history=True)
    (action,) = {READS[key] for key in READS if key[1] == operation}
    assert [gap.why for gap, rules in result.gaps if gap.action == action and gap.why != "unsure"] == [
        "no right"
    ]
    assert all(rules for gap, rules in result.gaps if gap.action != "tag:GetResources")
    assert "alarm-never-fires" in {issue.rule for issue in result.issues}


def test_without_rights_nothing_sound_is_called_wrong() -> None:
    for operation in sorted({name for _, name in READS} - {"describe_alarms"}):
        world = sound(World())
        world.denied = {operation}
        # Only an event rule hears it.
        known = [("no-action", "announced")] if operation in ("list_rules", "list_targets_by_rule") else []
        assert [(issue.rule, issue.thing) for issue in world.found(history=True)] == known, operation
    world = sound(World())
    world.denied = {name for _, name in READS} - {"describe_alarms"}
    (issue,) = world.found(history=True)
    assert (issue.rule, issue.thing) == ("no-action", "announced")
    assert issue.hint.startswith("Whether a deployment or an event rule watches it could not be asked.")


def test_an_operation_that_the_endpoint_lacks_is_asked_for_once() -> None:
    world = World()
    for name in ("ops", "more", "others"):
        topic = world.topic(name)
        world.alarm(name, AlarmActions=[topic], OKActions=[topic])
    world.lacking = {"get_subscription_attributes"}
    result = world.result()
    assert world.calls.count("sns:get_subscription_attributes") == 1
    assert [(gap.action, gap.why) for gap, _ in result.gaps] == [
        ("sns:GetSubscriptionAttributes", "not there")
    ]


def test_without_the_right_to_read_alarms_nothing_is_read() -> None:
    world = sound(World())
    world.denied = {"describe_alarms"}
    with pytest.raises(EnvironmentFault, match="no right to cloudwatch:DescribeAlarms"):
        world.read()


def test_credentials_that_expire_end_the_reading() -> None:
    world = sound(World())

    def expired(asked: object) -> dict[str, object]:
        raise Refused("ExpiredToken", "gone", 403)

    world._list_rules = expired  # type: ignore[method-assign]
    with pytest.raises(EnvironmentFault, match="expired"):
        world.read()


def test_a_thousand_alarms_are_read_in_pages_and_not_one_by_one() -> None:
    world = World()
    world.topic("ops")
    for number in range(1000):
        world.alarm(f"cpu-{number:04}")
    seen = world.read()
    assert seen.calls["cloudwatch:describe_alarms"] == 10
    assert seen.calls["cloudwatch:list_metrics"] == 2
    assert sum(seen.calls.values()) < 25


# Going on


def test_an_interrupted_audit_goes_on_and_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    whole = sound(World())
    DEFECTS[0][2](whole)
    expected = whole.result().issues
    broken = sound(World())
    DEFECTS[0][2](broken)

    def ends(asked: object) -> dict[str, object]:
        raise KeyboardInterrupt

    broken._list_rules = ends  # type: ignore[method-assign]
    with Answers(path) as answers, pytest.raises(KeyboardInterrupt):
        broken.read(answers)
    again = sound(World())
    DEFECTS[0][2](again)
    with Answers(path) as answers:
        result = again.result(answers=answers)
    assert result.issues == expected
    assert result.kept > 5
    assert "cloudwatch:describe_alarms" not in again.calls
    assert "events:list_rules" in again.calls
    with Answers(path) as answers:
        final = World()
        assert final.result(answers=answers).issues == expected
    assert final.calls == ["sts:get_caller_identity"]


def test_what_is_kept_shows_no_address_and_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    world = World()
    topic = world.topic("ops")
    world.subscribe(topic, "https", "https://hooks.slack.com/services/T0/B0/very-secret", pending=True)
    world.subscribe(topic, "http", "http://someone:hunter2@hooks.example.com/alarm?key=very-secret")
    world.subscribe(topic, "sms", "+491701234567")
    world.alarm("cpu", AlarmDescription="call me: password=hunter2")
    with Answers(path) as answers:
        world.read(answers)
    text = path.read_text()
    for secret in ("very-secret", "on-call", "hunter2", "+4917012345"):
        assert secret not in text
    assert "o…@example.com" in json.loads(json.dumps(text)) or "o\\u2026@example.com" in text
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_last_line_that_is_half_written_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    with Answers(path) as answers:
        answers.put("one", [1])
        answers.put("two", [2])
    content = path.read_text()
    path.write_text(content[:-9])
    with Answers(path) as answers:
        assert answers.get("one") is not None
        assert answers.get("two") is None
        answers.put("three", [3])
    with Answers(path) as answers:
        assert len(answers) == 2


def test_a_file_that_others_may_read_or_that_is_another_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text("")
    path.chmod(0o644)
    with pytest.raises(UserError, match="may be read by others"):
        Answers(path)
    other = tmp_path / "notes"
    other.write_text("shopping\n")
    other.chmod(0o600)
    with pytest.raises(UserError, match="no file of an audit"):
        Answers(other)
    assert other.read_text() == "shopping\n"
    link = tmp_path / "link"
    link.symlink_to(other)
    with pytest.raises(UserError, match="cannot be used"):
        Answers(link)


def test_answers_of_one_account_and_region_are_not_those_of_another(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    one, other = World(), World(account="999988887777")
    one.alarm("cpu")
    with Answers(path) as answers:
        one.read(answers)
        assert other.read(answers).alarms == []
