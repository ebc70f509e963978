"""A small catalogue, and its environment on a fake account."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orders_obs.alerts.catalogue import load
from orders_obs.aws.desired import Desired
from orders_obs.aws.guards import Revision
from orders_obs.aws.management import Management
from orders_obs.aws.pace import Pace
from orders_obs.aws.record import Record
from orders_obs.aws.session import Aws
from tests.aws.fake import FakeAccount

ACCOUNT, REGION = "123456789012", "eu-west-1"
SHOP = """\
catalogue: 1
service: shop
owner: team-shop
severities:
  critical: {page: true, topic: shop-critical, email: [oncall@example.com]}
  warning: {topic: shop-alerts, email: [shop@example.com]}
  info: {log: true}
environments:
  production:
    account: "123456789012"
    region: eu-west-1
    resources: {load_balancer: app/shop/1, cluster: shops, ecs_service: shop}
alerts:
  cpu:
    signal: service_cpu
    warning: {above: 80%, over: 1m, breaching: 5 of 5}
  errors:
    signal: http_error_ratio
    minimum: 100 requests
    when_missing: ok
    critical: {above: 5%, over: 5m}
    warning: {above: 1%, over: 5m}
  failed:
    signal: deployment_failed
    severity: critical
  done:
    signal: deployment_done
    severity: info
"""


def account() -> FakeAccount:
    """An account in which nothing is, but the cluster and the service of the catalogue."""
    made = FakeAccount(account=ACCOUNT, region=REGION)
    made.seed_cluster("shops")
    made.seed_service("shops", "shop")
    return made


def aws_of(fake: FakeAccount, **more: Any) -> Aws:
    """A session in it, on its clock."""
    return Aws(fake.session(), REGION, pace=Pace(fake.clock, fake.sleep), **more)


def managed(
    fake: FakeAccount,
    folder: Path,
    text: str = SHOP,
    *,
    revision: Revision | None = None,
    environment: str = "production",
) -> Management:
    """The environment of a catalogue on it."""
    path = folder / "shop.yaml"
    path.write_text(text)
    aws = aws_of(fake)
    desired = Desired(load(path), environment)
    record = Record(
        aws, desired.record_group, desired.record_tags, clock=lambda: fake.clock.now().timestamp()
    )
    return Management(aws, desired, revision or Revision("", False, folder), record)


def applied(fake: FakeAccount, folder: Path, text: str = SHOP, **more: Any) -> Management:
    """The same, after an apply that went through."""
    made = managed(fake, folder, text, **more)
    plan, _ = made.plan()
    done = made.apply(plan)
    assert done.complete, (done.failed, done.unread, done.left and done.left.changes)
    return made
