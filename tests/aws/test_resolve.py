"""Lookups on an account that moto plays, from the command to the lock and to what is built from it."""

from __future__ import annotations

import io
import json
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient

from orders_obs._resources import resource_path
from orders_obs.alerts import load
from orders_obs.alerts.lock import LOCK_NAME, Locked, render_lock
from orders_obs.cli import main

TAGS = {"service": "shop", "env": "production"}
PAIRS = [{"Key": key, "Value": value} for key, value in TAGS.items()]
TAGGED = "{tag: {service: shop, env: production}}"
EVERYTHING = f"""
      load_balancer: {TAGGED}
      target_group: {TAGGED}
      ecs_service: {TAGGED}
      cluster: {TAGGED}
      db_instance: {TAGGED}
      relay_function: {TAGGED}
      cache_cluster: {{ssm: /shop/cache}}
      postgres_job: {{ssm: /shop/job}}"""

Write = Callable[[str], Path]


def network(moto: Any) -> tuple[str, list[str]]:
    ec2 = moto.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"eu-west-1{zone}")
        for n, zone in enumerate("ab")
    ]
    return vpc, [subnet["Subnet"]["SubnetId"] for subnet in subnets]


def load_balancer(moto: Any, name: str = "shop") -> str:
    _, subnets = network(moto)
    made = moto.client("elbv2").create_load_balancer(Name=name, Subnets=subnets, Tags=PAIRS)
    return str(made["LoadBalancers"][0]["LoadBalancerArn"])


def target_group(moto: Any, name: str = "shop") -> str:
    vpc, _ = network(moto)
    made = moto.client("elbv2").create_target_group(
        Name=name, Protocol="HTTP", Port=80, VpcId=vpc, Tags=PAIRS
    )
    return str(made["TargetGroups"][0]["TargetGroupArn"])


def database(moto: Any, name: str = "shop", engine: str = "postgres") -> None:
    moto.client("rds").create_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro", Engine=engine, AllocatedStorage=10,
        MasterUsername="shop", MasterUserPassword="a-password-1", Tags=PAIRS,
    )  # fmt: skip


def parameter(moto: Any, name: str, value: str, kind: str = "String") -> None:
    moto.client("ssm").put_parameter(Name=name, Value=value, Type=kind, Overwrite=True)


def ecs(moto: Any, cluster: str = "shop", service: str = "shop-api") -> None:
    client = moto.client("ecs")
    tags = [{"key": key, "value": value} for key, value in TAGS.items()]
    client.create_cluster(clusterName=cluster, tags=tags)
    client.register_task_definition(
        family="shop", containerDefinitions=[{"name": "a", "image": "b", "memory": 1}]
    )
    client.create_service(cluster=cluster, serviceName=service, taskDefinition="shop", tags=tags)


def function(moto: Any, name: str = "relay") -> None:
    role = moto.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("relay.py", "")
    moto.client("lambda").create_function(
        FunctionName=name, Runtime="python3.11", Role=role, Handler="relay.run", Tags=TAGS,
        Code={"ZipFile": archive.getvalue()},
    )  # fmt: skip


def everything(moto: Any) -> dict[str, str]:
    """The resources of a whole service, by placeholder."""
    balancer, group = load_balancer(moto), target_group(moto)
    ecs(moto)
    database(moto)
    function(moto)
    cache = moto.client("elasticache")
    cache.create_cache_cluster(CacheClusterId="shop-001", Engine="redis", CacheNodeType="cache.t3.micro")
    parameter(moto, "/shop/cache", "arn:aws:elasticache:eu-west-1:123456789012:cluster:shop-001")
    parameter(moto, "/shop/job", "postgres\n")
    return {
        "load_balancer": balancer.partition("loadbalancer/")[2],
        "target_group": group.rpartition(":")[2],
        "ecs_service": "shop-api",
        "cluster": "shop",
        "db_instance": "shop",
        "relay_function": "relay",
        "cache_cluster": "shop-001",
        "postgres_job": "postgres",
    }


def resolve(path: Path, *words: str, env: str = "production") -> int:
    return main(["resolve", "--env", env, "--catalogue", str(path), *words])


def states(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    content = json.loads(capsys.readouterr().out)
    return {resource["name"]: resource["state"] for resource in content["resources"]}


def test_what_is_looked_up_is_in_the_catalogue_and_is_built_from_without_network(
    moto: Any, catalogue: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, expected = catalogue(EVERYTHING), everything(moto)
    assert load(path).resolve("production").environment.resources == {}
    assert resolve(path) == 0
    assert load(path).resolve("production").environment.resources == expected
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)

    def refuse(*_args: object) -> None:
        raise AssertionError("the build asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    command = ["alerts", "build", "--engine", "cloudwatch", "--env", "production", "--catalogue", str(path)]
    assert main([*command, "-o", str(tmp_path / "built")]) == 0
    built = "".join(file.read_text() for file in (tmp_path / "built").iterdir())
    for placeholder in ("load_balancer", "target_group", "cluster", "ecs_service", "cache_cluster"):
        assert f'"{expected[placeholder]}"' in built


def test_a_second_run_writes_nothing_and_says_so(
    moto: Any, catalogue: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue(EVERYTHING)
    everything(moto)
    assert resolve(path) == 0
    lock = tmp_path / LOCK_NAME
    before = (lock.read_bytes(), lock.stat().st_ino)
    assert f"wrote {lock}" in capsys.readouterr().err
    assert resolve(path) == 0
    assert "has nothing to change" in capsys.readouterr().err
    assert (lock.read_bytes(), lock.stat().st_ino) == before
    assert {file.name for file in tmp_path.iterdir()} == {path.name, LOCK_NAME}


def test_check_and_dry_run_write_nothing_and_only_check_fails(
    moto: Any, catalogue: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue(f"{{load_balancer: {TAGGED}}}")
    load_balancer(moto)
    assert resolve(path, "--check") == 1
    assert resolve(path, "--dry-run") == 0
    assert not (tmp_path / LOCK_NAME).exists()
    assert "would be written" in capsys.readouterr().err
    assert resolve(path) == 0
    assert resolve(path, "--check") == 0
    capsys.readouterr()
    assert resolve(path, "--check", "--json") == 0
    assert states(capsys) == {"load_balancer": "same"}


def test_the_entries_of_other_environments_stay(moto: Any, catalogue: Write, tmp_path: Path) -> None:
    path = catalogue(f"{{load_balancer: {TAGGED}}}")
    balancer = load_balancer(moto)
    other = {"old": {"cluster": Locked({"tag": {"env": "old"}}, "old", "arn:old")}}
    lock = tmp_path / LOCK_NAME
    lock.write_text(render_lock(other))
    assert resolve(path) == 0
    content = json.loads(lock.read_text())["environments"]
    assert content["old"] == {
        "cluster": {"from": {"tag": {"env": "old"}}, "value": "old", "identity": "arn:old"}
    }
    assert content["production"]["load_balancer"]["identity"] == balancer


def test_what_took_the_place_of_a_resource_is_said_loudly(
    moto: Any, catalogue: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue(f"{{load_balancer: {TAGGED}}}")
    old = load_balancer(moto)
    assert resolve(path) == 0
    moto.client("elbv2").delete_load_balancer(LoadBalancerArn=old)
    new = load_balancer(moto)
    capsys.readouterr()
    assert resolve(path, "--check", "--json") == 1
    assert states(capsys) == {"load_balancer": "replaced"}
    assert resolve(path) == 0
    assert (
        f"WARNING: load_balancer is another resource now: it was {old}, it is {new}"
        in capsys.readouterr().err
    )
    assert resolve(path, "--check") == 0


def test_a_resource_that_vanished_is_an_error_and_the_lock_keeps_it(
    moto: Any, catalogue: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue(f"{{load_balancer: {TAGGED}, db_instance: {TAGGED}}}")
    arn = load_balancer(moto)
    database(moto)
    assert resolve(path) == 0
    before = (tmp_path / LOCK_NAME).read_bytes()
    moto.client("elbv2").delete_load_balancer(LoadBalancerArn=arn)
    parameter(moto, "/shop/db", "shop")
    catalogue("{load_balancer: " + TAGGED + ", db_instance: {ssm: /shop/db}}")
    for words in ((), ("--check",), ("--dry-run",)):
        capsys.readouterr()
        assert resolve(path, "--json", *words) == 1
        content = json.loads(capsys.readouterr().out)
        assert [(r["name"], r["state"]) for r in content["resources"]] == [
            ("load_balancer", "vanished"),
            ("db_instance", "lookup changed"),
        ]
        (finding,) = content["findings"]
        assert finding["rule"] == "resource-vanished"
        assert arn in finding["message"]
        assert finding["where"] == f"{path}:11"
        assert (tmp_path / LOCK_NAME).read_bytes() == before


def test_another_value_is_changed_and_what_is_not_asked_for_leaves_the_lock(
    moto: Any, catalogue: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue(f"{{postgres_job: {{ssm: /shop/job}}, db_instance: {TAGGED}}}")
    parameter(moto, "/shop/job", "postgres")
    database(moto)
    assert resolve(path) == 0
    parameter(moto, "/shop/job", "postgres-2")
    catalogue("{postgres_job: {ssm: /shop/job}, db_instance: shop}")
    capsys.readouterr()
    assert resolve(path) == 0
    out = capsys.readouterr().out
    assert "postgres -> postgres-2" in out
    assert "unused" in out
    assert set(json.loads((tmp_path / LOCK_NAME).read_text())["environments"]["production"]) == {
        "postgres_job"
    }
    # With no lookup left nobody is asked.
    catalogue("{postgres_job: postgres}")
    assert resolve(path, "--check") == 1
    assert resolve(path) == 0
    assert json.loads((tmp_path / LOCK_NAME).read_text())["environments"] == {}
    assert resolve(path, "--check") == 0


def test_several_resources_are_named_and_none_is_chosen(
    moto: Any, catalogue: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue(f"{{target_group: {TAGGED}}}")
    arns = [target_group(moto, f"shop-{number}") for number in range(2)]
    assert resolve(path) == 1
    out = capsys.readouterr().out
    assert (
        f"{path}:11: error: target_group: 2 target groups have the tags env=production, service=shop: " in out
    )
    assert all(arn in out for arn in arns)
    assert not (tmp_path / LOCK_NAME).exists()


def test_every_page_of_the_index_of_tags_is_read(
    moto: Any, catalogue: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue(f"{{target_group: {TAGGED}}}")
    vpc, _ = network(moto)
    client = moto.client("elbv2")
    for number in range(60):
        client.create_target_group(Name=f"shop-{number}", Protocol="HTTP", Port=80, VpcId=vpc, Tags=PAIRS)
    assert resolve(path) == 1
    assert "60 target groups have the tags" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("placeholder", "value", "rule", "message"),
    [
        ("load_balancer", "shop", "resource-form", "right is app/NAME/ID"),
        ("load_balancer", "net/shop/0123456789abcdef", "resource-form", "right is app/NAME/ID"),
        (
            "load_balancer",
            "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/shop/0123456789abcdef",
            "resource-form",
            "what is wanted is the application load balancer",
        ),
        ("load_balancer", "app/shop/0123456789abcdef", "resource-missing", "'app/shop/0123456789abcdef'"),
        ("target_group", "shop", "resource-form", "right is targetgroup/NAME/ID"),
        (
            "db_instance",
            "arn:aws:rds:eu-west-1:123456789012:cluster:shop",
            "resource-form",
            "the DB instance",
        ),
        (
            "db_instance",
            "shop.abc.eu-west-1.rds.amazonaws.com",
            "resource-form",
            "the instance's identifier",
        ),
        ("db_instance", "arn:aws:rds:us-east-1:123456789012:db:shop", "resource-elsewhere", "in us-east-1"),
        ("db_instance", "arn:aws:rds:eu-west-1:111122223333:db:shop", "resource-elsewhere", "of 111122223333"),
        ("db_instance", "nothing", "resource-missing", "'nothing'"),
        (
            "relay_function",
            "arn:aws:lambda:eu-west-1:123456789012:function:relay:live",
            "resource-form",
            "without version or alias",
        ),
        ("postgres_job", "one\ntwo", "resource-form", "several lines"),
        ("postgres_job", "eyJhbGciOiJI.eyJzdWIiOiIx.abc", "resource-secret", "committed file"),
    ],
)  # fmt: skip
def test_a_parameter_that_does_not_name_the_resource_is_refused_with_what_is_right(
    moto: Any,
    catalogue: Write,
    capsys: pytest.CaptureFixture[str],
    placeholder: str,
    value: str,
    rule: str,
    message: str,
) -> None:
    path = catalogue(f"{{{placeholder}: {{ssm: /shop/it}}}}")
    parameter(moto, "/shop/it", value)
    assert resolve(path) == 1
    out = capsys.readouterr().out
    assert f"{path}:11: error: {placeholder}: " in out
    assert f"[{rule}]" in out
    assert message in out
    assert "eyJhbGciOiJI" not in out


def test_a_secure_string_is_refused_and_its_value_is_nowhere(
    moto: Any, catalogue: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue("{db_instance: {ssm: /shop/db}}")
    parameter(moto, "/shop/db", "hunter2-of-the-shop", "SecureString")
    assert resolve(path) == 1
    said = "".join(capsys.readouterr())
    assert "parameter /shop/db is a SecureString" in said
    assert "hunter2" not in said
    assert not (tmp_path / LOCK_NAME).exists()


def test_a_plain_parameter_with_the_name_of_a_secret_is_not_shown(
    moto: Any, catalogue: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue("{db_instance: {ssm: /shop/db-password}, postgres_job: {ssm: /shop/db-password}}")
    parameter(moto, "/shop/db-password", "hunter2-of-the-shop")
    assert resolve(path) == 1
    said = "".join(capsys.readouterr())
    assert "[REDACTED]" in said
    assert "[resource-secret]" in said
    assert "hunter2" not in said


def test_an_arn_becomes_the_name_that_cloudwatch_has_and_that_is_said(
    moto: Any, catalogue: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue("{load_balancer: {ssm: /shop/lb}, db_instance: {ssm: /shop/db}}")
    arn = load_balancer(moto)
    database(moto)
    parameter(moto, "/shop/lb", arn)
    parameter(moto, "/shop/db", "Shop")
    assert resolve(path) == 0
    value = arn.partition("loadbalancer/")[2]
    err = capsys.readouterr().err
    assert f"load_balancer: parameter /shop/lb has an ARN; CloudWatch's name of it is {value}" in err
    # RDS takes any case, and has its metrics under the identifier in lower case.
    resources = load(path).resolve("production").environment.resources
    assert resources == {"load_balancer": value, "db_instance": "shop"}


def test_a_parameter_that_is_not_there_is_said(
    moto: Any, catalogue: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue("{db_instance: {ssm: /shop/db}}")
    assert resolve(path) == 1
    assert "there is no parameter /shop/db [resource-missing]" in capsys.readouterr().out


def test_a_service_of_another_cluster_is_refused(
    moto: Any, catalogue: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue(f"{{cluster: other, ecs_service: {TAGGED}}}")
    ecs(moto)
    assert resolve(path) == 1
    assert (
        "the service shop-api is in cluster shop, and the environment's cluster is other"
        in capsys.readouterr().out
    )
    catalogue(f"{{ecs_service: {TAGGED}}}")
    assert resolve(path) == 1
    assert "[resource-no-cluster]" in capsys.readouterr().out
    catalogue(f"{{cluster: shop, ecs_service: {TAGGED}}}")
    assert resolve(path) == 0


def test_an_instance_of_another_engine_of_rds_is_refused(
    moto: Any, catalogue: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue(f"{{db_instance: {TAGGED}}}")
    database(moto, engine="neptune")
    assert resolve(path) == 1
    assert "whose metrics are in AWS/Neptune" in capsys.readouterr().out


def test_tags_cannot_find_what_is_no_resource_of_aws(
    catalogue: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue(f"{{load_balncer: {TAGGED}}}")
    assert resolve(path) == 2
    err = capsys.readouterr().err
    assert (
        f"{path}:11: load_balncer: tags do not say what kind of resource it is; did you mean load_balancer?"
        in err
    )


def test_lookups_without_an_account_are_refused(catalogue: Write, capsys: pytest.CaptureFixture[str]) -> None:
    path = catalogue(f"{{load_balancer: {TAGGED}}}")
    path.write_text(path.read_text().replace('    account: "123456789012"\n', "", 1))
    assert resolve(path) == 2
    assert (
        "has lookups, and no account and region to look in; add account and region" in capsys.readouterr().err
    )


def test_another_account_or_region_is_refused_before_anything_is_looked_up(
    moto: Any, catalogue: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue(f"{{load_balancer: {TAGGED}}}")
    load_balancer(moto)
    assert resolve(path, "--region", "us-east-1") == 2
    assert "is in eu-west-1, and not in us-east-1" in capsys.readouterr().err
    path.write_text(path.read_text().replace("123456789012", "111122223333"))
    assert resolve(path) == 2
    err = capsys.readouterr().err
    assert f"{path}:8: environment production is in account 111122223333" in err
    assert "those of 123456789012" in err
    assert not (tmp_path / LOCK_NAME).exists()


def test_the_shipped_catalogue_has_no_lookups_and_gets_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["resolve", "--env", "production"]) == 0
    assert "production has no lookups" in capsys.readouterr().err
    assert not (resource_path("alerts") / LOCK_NAME).exists()


def test_the_policy_allows_what_a_run_asks_for_and_nothing_else(
    moto: Any, catalogue: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = catalogue(EVERYTHING)
    everything(moto)
    capsys.readouterr()
    assert resolve(path, "--print-policy") == 0
    policy = json.loads(capsys.readouterr().out)
    asked = set()
    real = BaseClient._make_api_call

    def record(self: Any, operation: str, arguments: Any) -> Any:
        prefix = {"tagging": "tag"}.get(self.meta.service_model.signing_name)
        asked.add(f"{prefix or self.meta.service_model.signing_name}:{operation}")
        return real(self, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", record)
    assert resolve(path) == 0
    allowed = {statement["Action"] for statement in policy["Statement"]}
    assert allowed == asked - {"sts:GetCallerIdentity"}
    # With less in the environment it allows less.
    catalogue("{load_balancer: {stack: net, output: Lb}, postgres_job: {ssm: job}}")
    assert resolve(path, "--print-policy") == 0
    assert json.loads(capsys.readouterr().out.partition("{")[2].join(("{", "")))["Statement"] == [
        {
            "Effect": "Allow",
            "Action": "cloudformation:DescribeStacks",
            "Resource": ["arn:aws:cloudformation:eu-west-1:123456789012:stack/net/*"],
        },
        {"Effect": "Allow", "Action": "elasticloadbalancing:DescribeLoadBalancers", "Resource": ["*"]},
        {
            "Effect": "Allow",
            "Action": "ssm:GetParameter",
            "Resource": ["arn:aws:ssm:eu-west-1:123456789012:parameter/job"],
        },
    ]


def test_the_policy_passes_the_judge_of_iam_policies(
    catalogue: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """cfn-lint knows every action, and the resources that each takes (its rules W3037 and I3510)."""
    from cfnlint.api import lint
    from cfnlint.config import ManualArgs

    path = catalogue(EVERYTHING.replace("{ssm: /shop/job}", "{stack: shop, output: Job}"))
    assert resolve(path, "--print-policy") == 0

    def judged(policy: str) -> set[str]:
        resource = {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"PolicyDocument": json.loads(policy)},
        }
        template = json.dumps({"Resources": {"Policy": resource}})
        config = ManualArgs(regions=["eu-west-1"], include_checks=["I"])
        # I3042 wants the partition and region of a template's ARNs to be parameters: these are one environment's.
        return {match.rule.id for match in lint(template, config=config)} - {"I3042"}

    text = capsys.readouterr().out
    assert judged(text) == set()
    assert judged(text.replace("ecs:DescribeClusters", "ecs:DescribeClusterz")) == {"W3037"}
    assert judged(text.replace(":cluster/*", ":task/*")) == {"I3510"}
