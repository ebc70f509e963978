"""The plan after an import: no setting of an alarm changes, and once it is adopted there is nothing left to do."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings

from orders_obs.alerts import load
from orders_obs.aws.desired import Desired
from orders_obs.aws.importing.existing import Found, alarm
from orders_obs.aws.importing.importer import Importer
from orders_obs.aws.live import Live, read_live
from orders_obs.aws.normal import comparable, put_arguments
from orders_obs.aws.pace import Pace
from orders_obs.aws.plan import make_plan
from orders_obs.aws.session import Aws
from orders_obs.aws.things import Kind, Thing
from tests.aws.importing.conftest import ACCOUNT, CATALOGUE, REGION, World
from tests.aws.importing.random_alarms import described


def test_nothing_but_tags_changes_and_after_that_nothing(world: World) -> None:
    world.alarm("a-one", {"team": "orders"}, InsufficientDataActions=["arn:aws:sns:eu-west-1:111122223333:x"])
    world.alarm("a-two", ActionsEnabled=False)
    world.client.put_composite_alarm(AlarmName="a-all", AlarmRule='ALARM("a-one") OR ALARM("a-two")')
    target = world.folder / "imported.yaml"
    names = ["a-all", "a-one", "a-two"]
    assert world.run("--prefix", "a-", "--severity", "warning", "-o", str(target)) == 0
    world.include()
    aws = Aws(world.account.session(), REGION, pace=Pace(world.account.clock, world.account.clock.sleep))

    def plan() -> Any:
        desired = Desired(load(world.path), "production")
        return make_plan(desired, read_live(aws, desired), account=ACCOUNT, region=REGION, adopt=names)

    changes = {change.thing.name: change for change in plan().changes if change.thing.name in names}
    assert {name: (change.action, change.fields) for name, change in changes.items()} == dict.fromkeys(
        names, ("tag", ())
    )
    for change in changes.values():
        tags = [{"Key": key, "Value": value} for key, value in change.tags.items()]
        world.client.tag_resource(ResourceARN=change.live.arn, Tags=tags)
    assert [change for change in plan().changes if change.thing.name in names] == []
    assert world.account.alarms.all["a-one"].tags["team"] == "orders"


@given(described())
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_the_alarms_are_no_setting_is_planned_to_change(entries: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shop.yaml"
        path.write_text(CATALOGUE)
        found = Found("a test", [alarm(entry, {}, arn=entry["AlarmArn"]) for entry in entries])
        importer = Importer(load(path), "production", Path(folder) / "imported.yaml", severity="warning")
        result = importer.run(found, "")
        (path.parent / "imported.yaml").write_text(result.text, encoding="utf-8")
        path.write_text(CATALOGUE + "include: [imported.yaml]\n")
        desired = Desired(load(path), "production")
    live = Live()
    for entry in entries:
        kind: Kind = "composite-alarm" if "AlarmRule" in entry else "metric-alarm"
        settings_ = comparable(kind, put_arguments(entry))
        live.add(Thing(kind, entry["AlarmName"], settings_, {}, entry["AlarmArn"], state="OK"))
    names = [entry["AlarmName"] for entry in entries]
    plan = make_plan(desired, live, account=ACCOUNT, region=REGION, adopt=names)
    changes = {change.thing.name: change for change in plan.changes if change.thing.name in names}
    assert set(changes) == set(names)
    assert {(change.action, change.fields) for change in changes.values()} == {("tag", ())}
    assert yaml.safe_load(result.text)["catalogue"] == 1
