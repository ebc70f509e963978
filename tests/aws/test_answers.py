"""Lookups on AWS's documented answers, for what no emulator here plays: stacks, the age of things, tags of what is deleted."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orders_obs.alerts import load
from orders_obs.alerts.lock import LOCK_NAME
from orders_obs.cli import main
from tests.aws.conftest import Stubs

Write = Callable[[str], Path]

IN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer"
APP, NET, CLASSIC = f"{IN}/app/shop/0123456789abcdef", f"{IN}/net/shop/fedcba9876543210", f"{IN}/shop"
STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/net/51af3dc0-da77-11e4-872e-1234567db123"
TAGGED = "{tag: {service: shop}}"


def resolve(path: Path, *words: str) -> int:
    return main(["resolve", "--env", "production", "--catalogue", str(path), *words])


def listed(stubs: Stubs, *pages: list[str]) -> None:
    for number, arns in enumerate(pages):
        response: dict[str, Any] = {"ResourceTagMappingList": [{"ResourceARN": arn} for arn in arns]}
        token = {"PaginationToken": "more"} if number + 1 < len(pages) else {"PaginationToken": ""}
        stubs.answer("resourcegroupstaggingapi", "get_resources", response | token)


def stack(stubs: Stubs, status: str = "CREATE_COMPLETE", **outputs: str) -> None:
    described = {
        "StackName": "net",
        "StackId": STACK,
        "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
        "StackStatus": status,
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
    }
    stubs.answer("cloudformation", "describe_stacks", {"Stacks": [described]}, StackName="net")


def balancer(stubs: Stubs, arn: str = APP) -> None:
    stubs.answer(
        "elbv2", "describe_load_balancers", {"LoadBalancers": [{"LoadBalancerArn": arn}]}, LoadBalancerArns=[arn]
    )  # fmt: skip


def instance(stubs: Stubs, resource_id: str, status: str = "available") -> None:
    found = {
        "DBInstanceIdentifier": "shop", "DbiResourceId": resource_id, "Engine": "postgres", "DBInstanceStatus": status,
    }  # fmt: skip
    stubs.answer("rds", "describe_db_instances", {"DBInstances": [found]}, DBInstanceIdentifier="shop")


def production(tmp_path: Path) -> Any:
    return json.loads((tmp_path / LOCK_NAME).read_text())["environments"]["production"]


def test_a_load_balancer_of_another_kind_is_not_taken(
    stubs: Stubs, catalogue: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue(f"{{load_balancer: {TAGGED}}}")
    listed(stubs, [NET], [CLASSIC])
    assert resolve(path) == 1
    out = capsys.readouterr().out
    assert "no application load balancer has the tag service=shop" in out
    assert f"{NET} is of another kind" in out
    assert f"{CLASSIC} is of another kind" in out
    stubs.answer("sts", "get_caller_identity", {"Account": "123456789012", "Arn": "arn:aws:iam::1:user/a"})
    listed(stubs, [NET], [APP])
    balancer(stubs)
    assert resolve(path) == 0
    assert load(path).resolve("production").environment.resources == {
        "load_balancer": "app/shop/0123456789abcdef"
    }


def test_what_is_deleted_and_still_listed_by_its_tags_is_passed_over(
    stubs: Stubs, catalogue: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue(f"{{load_balancer: {TAGGED}}}")
    old = f"{IN}/app/shop/0000000000000000"
    listed(stubs, [old, APP])
    stubs.refuse("elbv2", "describe_load_balancers", "LoadBalancerNotFound")
    balancer(stubs)
    assert resolve(path) == 0
    assert production(tmp_path)["load_balancer"]["identity"] == APP


def test_the_tags_of_a_deleted_resource_alone_find_nothing(
    stubs: Stubs, catalogue: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue(f"{{db_instance: {TAGGED}}}")
    arn = "arn:aws:rds:eu-west-1:123456789012:db:shop"
    listed(stubs, [arn])
    instance(stubs, "db-A", status="deleting")
    assert resolve(path) == 1
    assert f"{arn} is deleted, and its tags are still listed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("placeholder", "arn", "service", "operation", "key", "old", "new"),
    [
        (
            "db_instance", "arn:aws:rds:eu-west-1:123456789012:db:shop", "rds", "describe_db_instances", "DBInstances",
            {"DBInstanceIdentifier": "shop", "DbiResourceId": "db-OLD", "Engine": "postgres"},
            {"DBInstanceIdentifier": "shop", "DbiResourceId": "db-NEW", "Engine": "postgres"},
        ),
        (
            "ecs_service", "arn:aws:ecs:eu-west-1:123456789012:service/shop", "ecs", "describe_services", "services",
            {"serviceName": "shop", "serviceArn": "arn:s", "status": "ACTIVE", "createdAt": datetime(2026, 1, 1, tzinfo=UTC)},
            {"serviceName": "shop", "serviceArn": "arn:s", "status": "ACTIVE", "createdAt": datetime(2026, 2, 1, tzinfo=UTC)},
        ),
        (
            "cache_cluster", "arn:aws:elasticache:eu-west-1:123456789012:cluster:shop", "elasticache",
            "describe_cache_clusters", "CacheClusters",
            {"CacheClusterId": "shop", "ARN": "arn:c", "CacheClusterCreateTime": datetime(2026, 1, 1, tzinfo=UTC)},
            {"CacheClusterId": "shop", "ARN": "arn:c", "CacheClusterCreateTime": datetime(2026, 2, 1, tzinfo=UTC)},
        ),
    ],
)  # fmt: skip
def test_a_successor_of_the_same_name_is_told_from_what_it_succeeds(
    stubs: Stubs,
    catalogue: Write,
    capsys: pytest.CaptureFixture[str],
    placeholder: str,
    arn: str,
    service: str,
    operation: str,
    key: str,
    old: dict[str, Any],
    new: dict[str, Any],
) -> None:
    path = catalogue(f"{{cluster: shop, {placeholder}: {TAGGED}}}")
    for described, code, state in ((old, 0, "new"), (old, 0, "same"), (new, 0, "replaced")):
        listed(stubs, [arn])
        stubs.answer(service, operation, {key: [described]})
        assert resolve(path, "--json") == code
        (resource,) = json.loads(capsys.readouterr().out)["resources"]
        assert resource["state"] == state
        stubs.answer(
            "sts", "get_caller_identity", {"Account": "123456789012", "Arn": "arn:aws:iam::1:user/a"}
        )


def test_a_service_that_is_draining_is_not_there(
    stubs: Stubs, catalogue: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue(f"{{cluster: shop, ecs_service: {TAGGED}}}")
    listed(stubs, ["arn:aws:ecs:eu-west-1:123456789012:service/shop/api"])
    stubs.answer(
        "ecs", "describe_services", {"services": [{"serviceName": "api", "serviceArn": "a", "status": "DRAINING"}]},
        cluster="shop", services=["api"],
    )  # fmt: skip
    assert resolve(path) == 1
    assert "no ECS service has the tag service=shop" in capsys.readouterr().out


@pytest.mark.parametrize("value", [APP, "app/shop/0123456789abcdef"])
def test_the_output_of_a_stack_names_a_resource_by_its_name_or_its_arn(
    stubs: Stubs, catalogue: Write, tmp_path: Path, value: str
) -> None:
    path = catalogue("{load_balancer: {stack: net, output: Balancer}}")
    stack(stubs, Balancer=value)
    balancer(stubs)
    assert resolve(path) == 0
    assert production(tmp_path)["load_balancer"] == {
        "from": {"stack": "net", "output": "Balancer"},
        "value": "app/shop/0123456789abcdef",
        "identity": APP,
    }


def test_what_is_no_resource_of_aws_is_known_by_its_stack(
    stubs: Stubs, catalogue: Write, tmp_path: Path
) -> None:
    path = catalogue("{postgres_job: {stack: net, output: Job}}")
    stack(stubs, Job="postgres")
    assert resolve(path) == 0
    assert production(tmp_path)["postgres_job"]["identity"] == f"{STACK} Job"


def test_a_stack_or_output_that_is_not_there_is_said_with_what_is_near(
    stubs: Stubs, catalogue: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue(
        "{load_balancer: {stack: net, output: Balancer}, postgres_job: {stack: gone, output: Job}}"
    )
    stack(stubs, Balancers=APP, Other="x")
    stubs.refuse("cloudformation", "describe_stacks", "ValidationError", "Stack with id gone does not exist")
    assert resolve(path) == 1
    out = capsys.readouterr().out
    assert "load_balancer: stack net has no output Balancer [resource-missing]" in out
    assert "did you mean Balancers?" in out
    assert "postgres_job: there is no stack gone [resource-missing]" in out


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("CREATE_COMPLETE", 0),
        ("UPDATE_ROLLBACK_COMPLETE", 0),
        ("UPDATE_IN_PROGRESS", 0),
        ("UPDATE_ROLLBACK_FAILED", 0),
        ("IMPORT_ROLLBACK_FAILED", 0),
        ("CREATE_FAILED", 1),
        ("DELETE_IN_PROGRESS", 1),
        ("DELETE_FAILED", 1),
        ("DELETE_COMPLETE", 1),
        ("ROLLBACK_COMPLETE", 1),
        ("ROLLBACK_IN_PROGRESS", 1),
        ("REVIEW_IN_PROGRESS", 1),
    ],
)
def test_the_state_of_a_stack_is_said_where_its_outputs_may_not_hold(
    stubs: Stubs, catalogue: Write, capsys: pytest.CaptureFixture[str], status: str, code: int
) -> None:
    path = catalogue("{postgres_job: {stack: net, output: Job}}")
    stack(stubs, status, Job="postgres")
    assert resolve(path) == code
    captured = capsys.readouterr()
    assert (f"stack net is {status}" in captured.out) == bool(code)
    shaky = status in ("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED", "IMPORT_ROLLBACK_FAILED")
    assert (f"stack net is {status}: its outputs may change" in captured.err) == shaky


def test_every_failed_lookup_is_said_at_once_and_nothing_is_written(
    stubs: Stubs, catalogue: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue(f"{{load_balancer: {TAGGED}, db_instance: {TAGGED}, postgres_job: {{ssm: job}}}}")
    listed(stubs, [])
    listed(stubs, [])
    stubs.answer(
        "ssm", "get_parameter",
        {"Parameter": {"Name": "job", "Type": "String", "Value": "postgres", "ARN": "arn:aws:ssm:::parameter/job"}},
        Name="job",
    )  # fmt: skip
    assert resolve(path) == 1
    captured = capsys.readouterr()
    assert captured.out.count("[resource-missing]") == 2
    assert "2 of the lookups failed" in captured.err
    assert not (tmp_path / LOCK_NAME).exists()


def test_many_lookups_are_announced_one_by_one(
    stubs: Stubs, catalogue: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ", ".join(f"job_{number}: {{stack: net, output: Job}}" for number in range(6))
    path = catalogue(f"{{{words}}}")
    for _ in range(6):
        stack(stubs, Job="postgres")
    assert resolve(path) == 0
    assert "6 of 6: job_5, by output Job of stack net" in capsys.readouterr().err
