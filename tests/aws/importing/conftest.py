from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orders_obs.aws import session
from orders_obs.aws.importing import cli
from orders_obs.aws.pace import Pace
from orders_obs.aws.session import Aws
from orders_obs.errors import EnvironmentFault, UserError
from tests.aws.fake.account import FakeAccount
from tests.aws.fake.base import Answer, Args, Refused, Service, reads

ACCOUNT, REGION = "111122223333", "eu-west-1"
TOPICS = f"arn:aws:sns:{REGION}:{ACCOUNT}"
CATALOGUE = """\
catalogue: 1
service: shop
severities:
  critical: {page: true, topic: shop-critical}
  warning: {topic: shop-alerts}
  info: {log: true}
environments:
  production:
    account: "111122223333"
    region: eu-west-1
    resources: {cluster: shop, ecs_service: api, db_instance: shop-db}
  elsewhere:
    account: "444455556666"
    region: eu-west-1
  local: {}
alerts:
  own_cpu:
    severity: warning
    raw:
      cloudwatch: {Namespace: AWS/RDS, MetricName: CPUUtilization, Statistic: Average, Period: 60, EvaluationPeriods: 5, Threshold: 90,
                   ComparisonOperator: GreaterThanThreshold, Dimensions: [{Name: DBInstanceIdentifier, Value: shop-db}]}
"""


class Stacks(Service):
    """As much of CloudFormation as says whose an alarm is."""

    name = "cloudformation"

    def __init__(self, account: FakeAccount) -> None:
        super().__init__(account)
        self.resources: list[dict[str, Any]] = []

    def kept(self) -> dict[str, dict[str, Any]]:
        return {}

    def own(self, alarm: str, stack: str, logical: str, status: str = "UPDATE_COMPLETE") -> None:
        self.resources.append(
            {
                "StackName": stack,
                "LogicalResourceId": logical,
                "PhysicalResourceId": alarm,
                "ResourceType": "AWS::CloudWatch::Alarm",
                "ResourceStatus": status,
                "Timestamp": self.now,
            }
        )

    @reads
    def describe_stack_resources(self, args: Args) -> Answer:
        wanted = args["PhysicalResourceId"]
        stacks = {made["StackName"] for made in self.resources if made["PhysicalResourceId"] == wanted}
        if not stacks:
            raise Refused("ValidationError", f"Stack for {wanted} does not exist")
        return {"StackResources": [made for made in self.resources if made["StackName"] in stacks]}


class World:
    """An account, a catalogue in a folder, and the command."""

    def __init__(self, folder: Path) -> None:
        self.account = FakeAccount(ACCOUNT, REGION)
        self.stacks = Stacks(self.account)
        self.account.services["cloudformation"] = self.stacks
        self.client = self.account.session().client("cloudwatch")
        self.folder = folder
        self.path = folder / "shop.yaml"
        self.path.write_text(CATALOGUE)
        self.adopted: list[tuple[str, str]] = []

    def alarm(self, name: str = "cpu-high", tags: dict[str, str] | None = None, **more: Any) -> str:
        arguments = {
            "Namespace": "AWS/ECS", "MetricName": "CPUUtilization", "Statistic": "Average", "Period": 300, "EvaluationPeriods": 2,
            "Threshold": 80.0, "ComparisonOperator": "GreaterThanThreshold", "AlarmActions": [f"{TOPICS}:shop-alerts-production"],
            "Dimensions": [{"Name": "ClusterName", "Value": "shop"}, {"Name": "ServiceName", "Value": "api"}],
        }  # fmt: skip
        listed = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
        self.client.put_metric_alarm(**{**arguments, **more, "AlarmName": name, "Tags": listed})
        return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"

    def run(self, *arguments: str, env: str = "production") -> int:
        """The command as `orders-obs` runs it: errors of the user are 2, of the surroundings 3."""
        parser = argparse.ArgumentParser()

        def adopt(aws: Any, catalogue: Any, environment: str, alarms: Any) -> None:
            self.adopted += alarms

        cli.register(parser.add_subparsers(), adopt)
        args = parser.parse_args(["import", "--env", env, "--catalogue", str(self.path), *arguments])
        try:
            return int(args.run(args))
        except UserError as error:
            print(f"error: {error}")
            return 2
        except EnvironmentFault as error:
            print(f"error: {error}")
            return 3

    def include(self, name: str = "imported.yaml") -> None:
        self.path.write_text(self.path.read_text() + f"include: [{name}]\n")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    folder = tmp_path / "alerts"
    folder.mkdir()
    made = World(folder)

    def connect(region: str, profile: str = "", *, policy: str = "") -> Aws:
        pace = Pace(made.account.clock, made.account.clock.sleep)
        return Aws(made.account.session(), region, policy=policy, pace=pace)

    monkeypatch.setattr(session, "connect", connect)
    return made


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What was said since the last time, on both streams."""

    def read() -> str:
        captured = capsys.readouterr()
        return captured.out + captured.err

    return read
