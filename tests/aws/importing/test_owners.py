"""What somebody else's tool owns is refused, with the step that releases it; what it has released is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orders_obs.aws.importing.existing import alarm
from orders_obs.aws.importing.owners import Owners, hint
from orders_obs.aws.importing.states import read_state
from orders_obs.aws.things import Owner
from orders_obs.errors import UserError
from tests.aws.importing.conftest import ACCOUNT, REGION, TOPICS, World

Said = Callable[[], str]


def refused(world: World, said: Said, *arguments: str) -> str:
    target = world.folder / "imported.yaml"
    assert world.run("cpu-high", "-o", str(target), *arguments) == 1
    assert not target.exists()
    words = said()
    assert "nothing was written: 1 refused" in words
    return words


def test_the_alarm_of_a_stack_is_refused_with_the_step_that_releases_it(world: World, said: Said) -> None:
    world.alarm()
    world.stacks.own("cpu-high", "shop-alarms", "CpuHigh")
    words = refused(world, said)
    assert "refused: cpu-high: the CloudFormation stack shop-alarms owns it as CpuHigh" in words
    assert "in the template give CpuHigh `DeletionPolicy: Retain`" in words
    assert "applyRemovalPolicy(RemovalPolicy.RETAIN)" in words
    assert "take CpuHigh out of the template, and deploy again" in words


def test_an_alarm_that_a_stack_has_given_up_is_free_though_its_tags_stay(world: World) -> None:
    world.alarm(tags={"team": "orders"})
    world.account.alarms.all["cpu-high"].tags["aws:cloudformation:stack-name"] = "shop-alarms"
    world.stacks.own("cpu-high", "shop-alarms", "CpuHigh", "DELETE_SKIPPED")
    assert world.run("cpu-high") == 0


def test_where_cloudformation_may_not_be_asked_the_tag_decides_and_without_it_nothing_does(
    world: World, said: Said
) -> None:
    world.alarm()
    world.account.fail("describe_stack_resources", "AccessDenied", times=99)
    assert world.run("cpu-high") == 3
    assert "cloudformation:DescribeStackResources" in said()
    tags = world.account.alarms.all["cpu-high"].tags
    tags["aws:cloudformation:stack-name"] = "shop-alarms"
    tags["aws:cloudformation:logical-id"] = "CpuHigh"
    assert "the CloudFormation stack shop-alarms owns it as CpuHigh" in refused(world, said)


def test_another_resource_of_the_same_name_does_not_make_its_stack_the_owner(world: World) -> None:
    world.alarm()
    world.stacks.own("cpu-high", "other", "Queue")
    world.stacks.resources[-1]["ResourceType"] = "AWS::SQS::Queue"
    assert world.run("cpu-high") == 0


def state(name: str, arn: str) -> dict[str, Any]:
    return {
        "version": 4,
        "resources": [
            {
                "mode": "managed", "module": 'module.shop["a"]', "type": "aws_cloudwatch_metric_alarm", "name": "cpu",
                "instances": [{"index_key": "prod", "attributes": {"alarm_name": name, "arn": arn}}],
            },
            {"mode": "data", "type": "aws_cloudwatch_metric_alarm", "name": "read", "instances": [{"attributes": {"alarm_name": "x"}}]},
        ],
    }  # fmt: skip


def test_the_alarm_of_a_terraform_state_is_refused_with_the_command(world: World, said: Said) -> None:
    address = world.alarm()
    file = world.folder / "terraform.tfstate"
    file.write_text(json.dumps(state("cpu-high", address)))
    words = refused(world, said, "--terraform-state", str(file))
    at = 'module.shop["a"].aws_cloudwatch_metric_alarm.cpu["prod"]'
    assert f"a Terraform state has it as {at}" in words
    assert f"terraform state rm '{at}'" in words
    assert "from = module.shop.aws_cloudwatch_metric_alarm.cpu\n" in words
    assert "destroy = false" in words


def test_a_state_of_another_region_does_not_own_an_alarm_of_the_same_name(world: World) -> None:
    world.alarm()
    file = world.folder / "terraform.tfstate"
    file.write_text(json.dumps(state("cpu-high", f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:cpu-high")))
    assert world.run("cpu-high", "--terraform-state", str(file)) == 0


def test_what_terraform_shows_is_a_state_too_and_anything_else_is_an_error() -> None:
    shown = {
        "format_version": "1.0",
        "values": {
            "root_module": {
                "resources": [
                    {"address": "aws_cloudwatch_composite_alarm.a", "type": "aws_cloudwatch_composite_alarm", "values": {"alarm_name": "a"}}
                ],
                "child_modules": [
                    {"resources": [{"address": "module.m.aws_cloudwatch_metric_alarm.b[0]", "type": "aws_cloudwatch_metric_alarm",
                                    "mode": "managed", "values": {"alarm_name": "b", "arn": "arn:b"}}]}
                ],
            }
        },
    }  # fmt: skip
    assert read_state(json.dumps(shown), Path("state.json")) == {
        "a": ("aws_cloudwatch_composite_alarm.a", ""),
        "b": ("module.m.aws_cloudwatch_metric_alarm.b[0]", "arn:b"),
    }
    assert read_state('{"format_version": "1.0"}', Path("state.json")) == {}
    for text in ("", "[]", "{}", "not json", '{"version": 3, "resources": []}'):
        with pytest.raises(UserError) as caught:
            read_state(text, Path("state.json"))
        assert "is no Terraform state" in caught.value.message


@pytest.mark.parametrize(
    ("name", "tags", "description", "reason"),
    [
        ("TargetTracking-service/shop/api-AlarmHigh-1", {}, "", "belongs to a scaling policy"),
        ("scaling", {}, "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy x.", "belongs to a scaling policy"),
        ("eb", {"elasticbeanstalk:environment-name": "web"}, "", "belongs to web of Elastic Beanstalk"),
        ("eb", {"aws:cloudformation:stack-name": "awseb-e-1-stack"}, "", "awseb-e-1-stack of Elastic Beanstalk"),
        ("one", {"managed-by": "orders-obs", "service": "pay", "environment": "production"}, "", "the catalogue of pay for production"),
        ("one", {"managed-by": "orders-obs", "service": "shop", "environment": "production"}, "", "of this catalogue by its tags"),
        ("one", {}, "token=abcdefghijkl", "its AlarmDescription holds what looks like a secret"),
    ],
)  # fmt: skip
def test_what_others_make_is_refused(name: str, tags: dict[str, str], description: str, reason: str) -> None:
    thing = alarm({"AlarmName": name, "AlarmDescription": description}, tags, arn=f"arn:{name}")
    refusal = Owners(Owner("shop", "production"), {}, {}).refusal(thing)
    assert refusal is not None
    assert reason in refusal.reason
    assert refusal.step
    assert "abcdefghijkl" not in refusal.text()


def test_what_the_catalogue_has_already_is_refused(world: World, said: Said) -> None:
    world.alarm("shop-production-own_cpu-warning")
    assert world.run("--prefix", "shop-") == 1
    words = said()
    assert "the catalogue has it already, as own_cpu in " in words
    assert "orders-obs alerts apply --env production --adopt 'shop-production-own_cpu-warning'" in words


def test_what_this_version_cannot_give_back_is_refused() -> None:
    thing = alarm({"AlarmName": "one", "AlarmArn": "arn", "StateValue": "OK", "Newness": {"A": 1}}, {})
    refusal = Owners(Owner("shop", "production"), {}, {}).refusal(thing)
    assert refusal is not None
    assert "has Newness" in refusal.reason


def test_the_others_are_imported_only_where_that_is_asked_for(world: World, said: Said) -> None:
    world.alarm("a-one")
    world.alarm("a-two")
    world.stacks.own("a-two", "shop-alarms", "Two")
    target = world.folder / "imported.yaml"
    assert world.run("--prefix", "a-", "-o", str(target)) == 1
    assert not target.exists()
    assert world.run("--prefix", "a-", "-o", str(target), "--skip-refused") == 0
    assert "1 imported, 1 refused" in said()
    assert "a_one:" in target.read_text()
    assert "a_two:" not in target.read_text()


def test_what_the_language_cannot_hold_is_refused_by_its_name(world: World, said: Said) -> None:
    rules = {"one": 'ALARM("two")', "two": 'ALARM("leaf")'}
    world.alarm("leaf")
    for name, rule in reversed(rules.items()):
        world.client.put_composite_alarm(AlarmName=name, AlarmRule=rule, AlarmActions=[f"{TOPICS}:x"])
    # AWS lets a composite be changed so that two depend on each other.
    world.client.put_composite_alarm(AlarmName="two", AlarmRule='ALARM("one")')
    assert world.run("one", "two", "--severity", "warning") == 2
    assert "depend on each other in a circle: one, two" in said()


def test_a_tag_of_another_tool_is_a_warning_and_no_refusal(world: World, said: Said) -> None:
    world.alarm(tags={"ManagedBy": "terraform"})
    assert world.run("cpu-high") == 0
    assert "note: cpu-high: its tag ManagedBy says that terraform makes it" in said()
    assert hint(alarm({"AlarmName": "a"}, {"terraform": "true"}))
    assert not hint(alarm({"AlarmName": "a"}, {"team": "terraform", "Name": "cdk"}))


def test_a_secret_in_a_tag_is_not_written(world: World, said: Said) -> None:
    world.alarm(tags={"password": "hunter2hunter2"})
    assert world.run("cpu-high") == 0
    words = said()
    assert "hunter2" not in words
    assert "password=[REDACTED]" in words
    assert REGION in words
